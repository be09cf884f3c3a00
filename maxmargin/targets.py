"""Points with real targets: a pair of arrays, a file with a numeric label column, or labelled data."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .archives import read_arrays
from .dataset import Dataset, load
from .datasets.checks import check_points
from .datasets.labels import choose_label
from .datasets.scaling import standardized_columns
from .datasets.table import read_table
from .errors import InputError

Array = NDArray[np.float64]


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
    names = table.header
    cells = np.empty((len(table.rows), len(names)))
    for i, (row, line) in enumerate(zip(table.rows, table.lines, strict=True)):
        for j, cell in enumerate(row):
            try:
                cells[i, j] = float(cell)
            except ValueError:
                place = f"{path}: line {line}, column {names[j]!r}"
                raise InputError(f"{place}: found {cell[:40]!r}, wanted a finite number") from None
    return np.delete(cells, column, axis=1), cells[:, column]


def _archive(path: Path) -> tuple[Any, Any]:
    arrays = read_arrays(path)
    if missing := {"X", "y"} - set(arrays):
        raise InputError(f"{path}: found arrays {sorted(arrays)}, missing {sorted(missing)}: wanted X (n, d), y (n,)")
    return arrays["X"], arrays["y"]
