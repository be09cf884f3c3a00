"""Units of the features: columns standardised exactly enough to hash alike everywhere, and a note on raw units."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..conventions import Array

# Largest ratio of two features' root mean squares without a remark. Beyond it the large feature decides the norm.
ALIKE = 30.0


def standardized_columns(X: Array, others: Array | None = None) -> Array:
    """Return (x - mean) / standard deviation of each column of X; a constant column becomes 0.

    Both sums are rounded correctly (`math.fsum`), so that every machine gets the same bytes and hence the same hash.

    Parameters
    ----------
    X : (n, d).
    others : (N, d) more rows, scaled by the means and deviations of X and stacked below it.
    """
    X = np.asarray(X, dtype=float)
    below = X[:0] if others is None else np.asarray(others, dtype=float)
    columns = [_standardized(*pair) for pair in zip(X.T, below.T, strict=True)]
    return np.ascontiguousarray(np.column_stack(columns))


def _standardized(column: Array, others: Array) -> Array:
    if column.min() == column.max():  # its mean may differ from it by a rounding error
        return np.zeros(len(column) + len(others))
    mean = math.fsum(column) / len(column)
    centred = column - mean
    unit = np.abs(centred).max()  # squares of 1e75 and 1e-75 stay in range
    deviation = unit * math.sqrt(math.fsum((centred / unit) ** 2) / len(column))
    return np.concatenate([centred, others - mean]) / deviation


def scale_note(X: Array, names: Sequence[str]) -> str | None:
    """One sentence when the root mean squares of two features differ by more than `ALIKE`, else None."""
    unit = np.abs(X).max(axis=0)
    used = np.flatnonzero(unit > 0.0)
    if len(used) < 2:
        return None
    sizes = unit[used] * np.sqrt(((X[:, used] / unit[used]) ** 2).mean(axis=0))
    small, large = int(np.argmin(sizes)), int(np.argmax(sizes))
    ratio = sizes[large] / sizes[small]
    if ratio <= ALIKE:
        return None
    return (
        f"feature scales differ by {ratio:,.0f} times ({names[used[large]]!r} {sizes[large]:.2g}, "
        f"{names[used[small]]!r} {sizes[small]:.2g}): the largest features decide the margin; standardise the data "
        "with --standardize (in Python: standardize=True)"
    )
