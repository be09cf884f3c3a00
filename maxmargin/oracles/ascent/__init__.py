"""Local best responses in any dimension: ascent from many starts, good neurons and no proof."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...conventions import Array


def accept(g: Callable[[Array], Array], A: Array, values: Array, R: Array) -> None:
    """Move, in place, the rows of A that improve g in the direction r."""
    norms = np.linalg.norm(R, axis=1)
    R = R / np.where(norms > 0.0, norms, 1.0)[:, None]
    proposed = g(R)
    better = proposed > values
    A[better], values[better] = R[better], proposed[better]
