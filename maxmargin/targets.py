"""Points with real targets: from arrays, a file with a numeric label column, or labelled data; tubes around them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from .archives import read_arrays
from .conventions import Array, Indices
from .dataset import Dataset, load
from .datasets.checks import check_points
from .datasets.files import bad_cell, numbers, points_and_labels
from .datasets.labels import choose_label
from .datasets.scaling import standardized_columns
from .datasets.table import read_table
from .errors import InputError

_INSIDE = 1e-9  # relative to the targets: the tube is narrowed by this, so that rounding leaves the values inside


def read_targets(
    source: Any, label: str | None = None, sep: str | None = None, standardize: bool = False
) -> tuple[Array, Array]:
    """X (n, d) and real targets (n,) of a pair, a file with a numeric label column, or labelled data (-1 and +1).

    Raises
    ------
    InputError : no such data, or targets that are no finite numbers.
    """
    readers: dict[str, Callable[[Path], tuple[Any, Any]]] = {
        ".csv": lambda path: _table(path, label, sep),
        ".tsv": lambda path: _table(path, label, sep),
        ".npz": _archive,
    }
    suffix = Path(source).suffix.lower() if isinstance(source, (str, os.PathLike)) else ""
    if isinstance(source, (tuple, list)) and len(source) == 2 and not isinstance(source[0], (str, os.PathLike)):
        X, targets = source
    elif suffix in readers and os.path.isfile(source):
        X, targets = readers[suffix](Path(source))
    else:
        data: Dataset = load(source, label=label, sep=sep)
        X, targets = data.X, data.y
    X = check_points(X)
    try:
        values = np.array(targets, dtype=float).reshape(-1) + 0.0
    except (TypeError, ValueError) as error:
        raise InputError(f"targets: found values that are no numbers ({error}), wanted n real targets") from error
    if values.shape != (len(X),) or not np.isfinite(values).all():
        raise InputError(f"targets: found shape {np.shape(targets)}, wanted {len(X)} finite numbers, one per point")
    return (standardized_columns(X) if standardize else X), values


def _table(path: Path, label: str | None, sep: str | None) -> tuple[Any, Any]:
    table = read_table(path, sep)
    column = choose_label(table.header, table.columns, label).index
    cells = numbers(table.rows)
    if cells is None:
        raise bad_cell(path, table.header, table.rows, table.lines)
    return np.delete(cells, column, axis=1), cells[:, column]


def _archive(path: Path) -> tuple[Any, Any]:
    arrays = read_arrays(path, lambda headers: points_and_labels(path, headers))
    return arrays["X"], arrays["y"]


@dataclass(frozen=True)
class Values:
    """Distinct points with the intersections of the tubes of all points that are there.

    Attributes
    ----------
    Z : (m, D).  centre, half : (m,) tube of each, |f - centre| <= half.
    members : for each distinct point, the (given) points whose targets are largest and smallest, (m, 2).
    n : number of given points.
    contradiction : (n,) weights that prove that no function takes these values, or None.
    """

    Z: Array
    centre: Array
    half: Array
    members: Indices
    n: int
    contradiction: Array | None = None

    @classmethod
    def merged(cls, Z: Array, targets: Array, tube: float) -> Values:
        """From the points as given."""
        points, group = np.unique(Z, axis=0, return_inverse=True)
        group = group.reshape(-1)
        order = np.lexsort((targets, group))
        first = np.searchsorted(group[order], np.arange(len(points)))
        last = np.r_[first[1:], len(group)] - 1
        members = np.column_stack([order[last], order[first]])
        most, least = targets[members[:, 0]], targets[members[:, 1]]
        half, contradiction = np.maximum(tube - (most - least) / 2.0, 0.0), None
        apart = [k for k in np.flatnonzero(most > least) if _exceeds(most[k], least[k], tube)]
        zero = ~points.any(axis=1)  # every function is 0 there
        if apart:
            contradiction = np.zeros(len(Z))
            contradiction[members[apart[0]]] = 0.5, -0.5
        elif (zero & (np.maximum(most, -least) > tube)).any():
            k = int(np.flatnonzero(zero)[0])
            contradiction = np.zeros(len(Z))
            contradiction[members[k, 0] if most[k] > tube else members[k, 1]] = 1.0 if most[k] > tube else -1.0
        return cls(points, (most + least) / 2.0, half, members, len(Z), contradiction)

    @property
    def narrowed(self) -> Array:
        """The half widths (m,), a little less where that is possible."""
        scale = float(np.abs(self.centre).max(initial=0.0))
        return np.where(self.half > 2.0 * _INSIDE * scale, self.half - _INSIDE * scale, self.half)

    def spread(self, p: Array) -> Array:
        """Weights on the given points (n,): where p > 0 the largest target counts, where p < 0 the smallest."""
        out = np.zeros(self.n)
        out[np.where(p > 0.0, self.members[:, 0], self.members[:, 1])] = p
        return out

    def placed(self, c: Array) -> Array:
        """Coefficients on the given points (n,)."""
        out = np.zeros(self.n)
        out[self.members[:, 0]] = c
        return out


def _exceeds(most: float, least: float, tube: float) -> bool:
    """Whether two targets are more than two tubes apart, without rounding."""
    return Fraction(float(most)) - Fraction(float(least)) > 2 * Fraction(float(tube))
