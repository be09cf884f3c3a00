"""Results in, matplotlib figures out; nothing here solves anything."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from ..atomic import replacing
from .decision import decision_map
from .style import figure_bytes

__all__ = ["decision_map", "figure_bytes", "save_figure"]


def save_figure(figure: Figure, path: str | os.PathLike[str], dpi: int = 150) -> None:
    """Write ``.png`` or ``.svg``, whole or not at all; the same figure gives the same bytes."""
    kind = Path(path).suffix.removeprefix(".") or "png"
    with replacing(path) as temporary:
        temporary.write_bytes(figure_bytes(figure, kind, dpi))
