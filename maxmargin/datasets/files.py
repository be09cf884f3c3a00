"""Files of data in and out. Every refusal names file, line and column, what was found and what is wanted."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from ..archives import Header, read_arrays
from ..atomic import replacing, write_text
from ..conventions import Array
from ..errors import InputError
from .arrays import check_shapes, read_libsvm, read_npy_pair
from .labels import LABEL_COLUMNS, choose_label, copy_remark, key_remark, other_labels
from .table import is_finite, is_number, mend, plain_float, read_table, two_words
from .values import Dataset, make_dataset


def read_csv(path: Path, label: str | None = None, sep: str | None = None) -> Dataset:
    """Read a text table with a header row.

    The label is the column `label`, else ``y``, ``label`` or ``target`` in any case, else the last one; every other
    column is a feature and must be numeric. Cells are separated by `sep`, or by whichever of comma, tab, semicolon and
    bar fits. Blank lines are skipped, spaces around cells ignored.
    """
    table = read_table(path, sep)
    header, columns = table.header, table.columns
    _check_header(path, header, named=label in header)
    try:
        choice = choose_label(header, columns, label)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    column = choice.index
    names, name = header[:column] + header[column + 1 :], header[column]
    if not names:
        raise InputError(f"{path}: found the single column {name!r}, wanted at least one feature besides the label")
    labels = columns[column]
    rows = [row[:column] + row[column + 1 :] for row in table.rows]
    if "" in labels:
        raise InputError(
            f"{path}: line {table.lines[labels.index('')]}, label column {name!r} is empty, wanted a label; "
            f"pandas: frame = frame.dropna(subset=[{name!r}])"
        )
    where = f"{path} (label column {name!r})"
    hint = "" if two_words(labels) else other_labels(header, columns, column)
    X = numbers(rows)
    if X is None:
        if hint and all(map(is_number, labels)):  # not a label: say that first
            _located(where, lambda: _as_dataset(path, np.zeros((len(rows), 1)), labels), hint)
        raise bad_cell(path, names, rows, table.lines)
    others = [cells for k, cells in enumerate(columns) if k != column]
    remarks = choice.remarks + key_remark(names, others) + copy_remark(names, others, name, labels)
    more: dict[str, Any] = {"feature_names": names, "label": name, "remarks": remarks}
    recipe = {"source": str(path), "label": label, "sep": sep}
    return _located(where, lambda: _as_dataset(path, X, labels, recipe, **more), hint)


def read_npz(path: Path) -> Dataset:
    """Read ``X`` (n, d) and ``y`` (n,), and ``feature_names`` (d,) where present."""
    arrays = read_arrays(path, lambda headers: points_and_labels(path, headers))
    names = [str(name) for name in arrays["feature_names"].ravel()] if "feature_names" in arrays else None
    return _located(str(path), lambda: _as_dataset(path, arrays["X"], arrays["y"], feature_names=names, label="y"))


def points_and_labels(path: Path, headers: Mapping[str, Header]) -> list[str]:
    """The arrays of a data set, once their shapes fit each other."""
    if "indptr" in headers and "format" in headers:
        raise InputError(
            f"{path}: found a sparse matrix (scipy.sparse.save_npz) without labels, wanted X (n, d) and y (n,): "
            "np.savez('data.npz', X=matrix.toarray(), y=y)"
        )
    if missing := {"X", "y"} - set(headers):
        shown = sorted(headers)[:10]
        raise InputError(f"{path}: found arrays {shown}, missing {sorted(missing)}: wanted X (n, d), y (n,)")
    check_shapes(str(path), headers["X"].shape, headers["y"].shape)
    names = headers.get("feature_names")
    if names is not None and math.prod(names.shape) != math.prod(headers["X"].shape[1:]):
        shape = headers["X"].shape
        raise InputError(f"{path}: found feature_names of shape {names.shape}, wanted {shape[1:]} as X has columns")
    return ["X", "y"] if names is None else ["X", "y", "feature_names"]


def read_npy(path: Path) -> Dataset:
    """Read the points in ``X.npy`` and the labels in ``y.npy`` beside it, or ``points.npy,labels.npy``."""
    X, y, labels = read_npy_pair(path)
    return _located(str(path), lambda: _as_dataset(path, X, y, label=labels.stem))


def read_svmlight(path: Path) -> Dataset:
    """Read a text file of lines ``label index:value ...``, sparse, as libsvm writes it."""
    return _located(str(path), lambda: _as_dataset(path, *read_libsvm(path), label="first number of each line"))


def write_csv(path: Path, dataset: Dataset) -> None:
    """Write header, features as shortest exact decimals, and the label as the last column ``y``; atomically."""
    names = dataset.feature_names or tuple(f"x{j + 1}" for j in range(dataset.d))
    if "y" in names:
        raise InputError(f"path: {path} cannot be a .csv file, a feature is called 'y' as the label is; write .npz")
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([*names, "y"])
    writer.writerows([*map(repr, row), label] for row, label in zip(dataset.X.tolist(), _written(dataset), strict=True))
    write_text(path, buffer.getvalue())


def write_npz(path: Path, dataset: Dataset) -> None:
    """Write X, y (the labels as the user wrote them) and feature_names where known; atomically."""
    arrays: dict[str, Any] = {"X": dataset.X, "y": np.array(_written(dataset))}
    if dataset.feature_names is not None:
        arrays["feature_names"] = np.array(dataset.feature_names)
    with replacing(path, suffix=".npz") as temporary:
        np.savez(temporary, **arrays)


def _check_header(path: Path, header: list[str], named: bool) -> None:
    """The first row must be names: not data (unless the label is `named` in it), not blank, not repeated."""
    if not named and _looks_like_data(header):
        raise InputError(
            f"{path}: the first row, {header[:4]!r}{' ...' * (len(header) > 4)}, looks like data, "
            "wanted a header row with column names"
        )
    if "" in header:
        raise InputError(
            f"{path}: column {header.index('') + 1} of the header has no name, wanted a name for every column "
            "(an index column? pandas: frame.to_csv(path, index=False))"
        )
    repeated = [name for name, count in Counter(header).items() if count > 1]
    if repeated:
        raise InputError(f"{path}: the header names {repeated[0]!r} more than once, wanted distinct column names")


def _looks_like_data(header: list[str]) -> bool:
    """Numbers everywhere, but perhaps for a text label in the last column."""
    numbers = [is_number(cell) for cell in header]
    return all(numbers) or (len(header) > 1 and all(numbers[:-1]) and header[-1].lower() not in LABEL_COLUMNS)


def numbers(rows: list[list[str]]) -> Array | None:
    """The cells as floats, or None when one of them is no finite number."""
    try:
        X = np.array([[plain_float(cell) for cell in row] for row in rows])
    except ValueError:
        return None
    return X if np.isfinite(X).all() else None


def bad_cell(path: Path, names: list[str], rows: list[list[str]], lines: list[int]) -> InputError:
    """The error about the first cell that is not a finite number, with a line that mends its column."""
    for row, line in zip(rows, lines, strict=True):
        for k, cell in enumerate(row):
            if not is_finite(cell):
                found = f"found {cell[:40]!r}" if cell else "found an empty cell"
                remedy = mend(names[k], cell, next(islice(zip(*rows, strict=True), k, None)))
                place = f"{path}: line {line}, column {names[k]!r}"
                return InputError(f"{place}: {found}, wanted a finite number; {remedy}{_others(names, rows, k)}")
    return InputError(f"{path}: found a value that is no finite number")


def _others(names: list[str], rows: list[list[str]], first: int) -> str:
    """The other columns that need mending, so that a reader mends all of them at once."""
    columns = zip(names, zip(*rows, strict=True), strict=True)
    bad = [name for k, (name, cells) in enumerate(columns) if k != first and not all(map(is_finite, cells))]
    if not bad:
        return ""
    listed = ", ".join(map(repr, bad[:6])) + (" and others" if len(bad) > 6 else "")
    return f" (not all numbers either: {listed})"


def _as_dataset(path: Path, X: Any, y: Any, recipe: dict[str, Any] | None = None, **more: Any) -> Dataset:
    return make_dataset(X, y, path.stem.split(",")[0], recipe=recipe or {"source": str(path)}, **more)


def _located(where: str, build: Callable[[], Dataset], hint: str = "") -> Dataset:
    """Add the place before, and the hint after, an error of the checks of values."""
    try:
        return build()
    except InputError as error:
        raise InputError(f"{where}: {error}{hint}") from None


def _written(dataset: Dataset) -> list:
    """The user's labels when reading them back gives the same signs, else -1 and 1."""
    negative, positive = dataset.classes
    sorts = isinstance(negative, str) == isinstance(positive, str) and negative < positive  # type: ignore[operator]
    return dataset.labels if sorts else [int(value) for value in dataset.y]
