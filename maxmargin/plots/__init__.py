"""Results in, matplotlib figures out; nothing here solves anything."""

from __future__ import annotations

# ruff: noqa: E402 - before anything imports matplotlib
import os
import sys


def _load_matplotlib() -> None:
    """Import matplotlib; MPLBACKEND may name a backend that is missing here, and keeps its value."""
    try:
        import matplotlib  # noqa: F401
    except ValueError:
        asked = os.environ.pop("MPLBACKEND", None)
        if asked is None:
            raise
        for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
            del sys.modules[name]  # modules that the failed import left half loaded
        try:
            import matplotlib  # noqa: F401
        finally:
            os.environ["MPLBACKEND"] = asked


_load_matplotlib()  # for figures in files, whatever display the variable names

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from ..atomic import replacing
from .decision import decision_map
from .margin import margin_curve
from .neurons import neurons
from .potential import dual_potential
from .style import figure_bytes
from .views import separable

__all__ = ["decision_map", "dual_potential", "figure_bytes", "figures", "margin_curve", "neurons", "save_figure"]


def figures(comparison: Any) -> dict[str, Figure]:
    """Every figure that this comparison has the parts for, in the order of reading.

    Parameters
    ----------
    comparison : what `maxmargin.compare` returns; only read.

    Returns
    -------
    dict : "decision_map", "margin_curve", "neurons", "dual_potential" -> matplotlib Figure (no pyplot state).
    """
    drawn = {"decision_map": decision_map(comparison)} if comparison.margins or comparison.runs else {}
    if comparison.runs:
        drawn["margin_curve"] = margin_curve(comparison)
    f1 = comparison.margins.get("f1")
    if f1 is not None and len(f1.classifier.weights):
        drawn["neurons"] = neurons(comparison)
    if f1 is not None and len(f1.classifier.weights) and separable(f1):
        drawn["dual_potential"] = dual_potential(comparison)
    return drawn


def save_figure(figure: Figure, path: str | os.PathLike[str], dpi: int = 150) -> None:
    """Write ``.png`` or ``.svg``, whole or not at all; the same figure gives the same bytes."""
    kind = Path(path).suffix.removeprefix(".") or "png"
    with replacing(path) as temporary:
        temporary.write_bytes(figure_bytes(figure, kind, dpi))
