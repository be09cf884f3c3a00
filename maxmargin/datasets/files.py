"""CSV and NPZ files in and out. Every refusal names file, line and column, what was found and what is wanted."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..archives import read_arrays
from ..atomic import replacing, write_text
from ..conventions import Array
from ..errors import InputError
from .values import Dataset, make_dataset

LABEL_COLUMNS = ("y", "label", "target")


def read_csv(path: Path) -> Dataset:
    """Read a comma-separated file with a header row.

    The label is the column ``y``, else ``label``, else ``target``, else the last one; every other column is a
    feature and must be numeric. Blank lines are skipped, spaces around cells ignored.
    """
    text = _read_text(path)
    header, rows, lines = _cells(path, text)
    _check_header(path, header)
    column = next((header.index(name) for name in LABEL_COLUMNS if name in header), len(header) - 1)
    names = header[:column] + header[column + 1 :]
    if not names:
        raise InputError(
            f"{path}: found the single column {header[0]!r}, wanted at least one feature besides the label"
        )
    labels = [row.pop(column) for row in rows]
    if "" in labels:
        raise InputError(
            f"{path}: line {lines[labels.index('')]}, label column {header[column]!r} is empty, wanted a label"
        )
    X = _numbers(rows)
    if X is None:
        raise _bad_cell(path, names, rows, lines)
    return _located(f"{path} (label column {header[column]!r})", lambda: _as_dataset(path, X, labels, names))


def read_npz(path: Path) -> Dataset:
    """Read ``X`` (n, d) and ``y`` (n,), and ``feature_names`` (d,) where present."""
    arrays = read_arrays(path)
    if missing := {"X", "y"} - set(arrays):
        raise InputError(f"{path}: found arrays {sorted(arrays)}, missing {sorted(missing)}: wanted X (n, d), y (n,)")
    names = [str(name) for name in arrays["feature_names"].ravel()] if "feature_names" in arrays else None
    return _located(str(path), lambda: _as_dataset(path, arrays["X"], arrays["y"], names))


def write_csv(path: Path, dataset: Dataset) -> None:
    """Write header, features as shortest exact decimals, and the label as the last column ``y``; atomically."""
    names = dataset.feature_names or tuple(f"x{j + 1}" for j in range(dataset.d))
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


def _read_text(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path}: found bytes that are not UTF-8 text, wanted a CSV file with a header row") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}), wanted a readable CSV file") from None
    if "\0" in text:
        raise InputError(f"{path}: found NUL bytes (a binary file), wanted a CSV file with a header row")
    if not text.strip():
        raise InputError(f"{path}: the file is empty, wanted a header row and at least two data rows")
    return text


def _cells(path: Path, text: str) -> tuple[list[str], list[list[str]], list[int]]:
    """Header, data rows of its length, and the line number of each row."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells) and len(cells) < 2:
                continue
            if rows and len(cells) != len(rows[0]):
                raise InputError(
                    f"{path}: line {reader.line_num} has {len(cells)} cells, wanted {len(rows[0])} as in the header "
                    f"on line {lines[0]}"
                )
            if not rows and len(cells) == 1 and any(mark in cells[0] for mark in ";\t|"):
                raise InputError(
                    f"{path}: found a header without commas ({cells[0][:40]!r}), wanted columns separated by commas "
                    "and decimal points"
                )
            rows.append(cells)
            lines.append(reader.line_num)
    except csv.Error as error:
        raise InputError(f"{path}: line {reader.line_num} is not CSV ({error})") from None
    if len(rows) <= 1:
        raise InputError(f"{path}: found zero rows below the first line, wanted a header and at least two data rows")
    return rows[0], rows[1:], lines[1:]


def _check_header(path: Path, header: list[str]) -> None:
    """The first row must be names: not data, not blank, not repeated."""
    if _looks_like_data(header):
        raise InputError(
            f"{path}: the first row, {header[:4]!r}{' ...' * (len(header) > 4)}, looks like data, "
            "wanted a header row with column names"
        )
    if "" in header:
        raise InputError(
            f"{path}: column {header.index('') + 1} of the header has no name, wanted a name for every column "
            "(an index column? write the file without it)"
        )
    repeated = [name for name in header if header.count(name) > 1]
    if repeated:
        raise InputError(f"{path}: the header names {repeated[0]!r} more than once, wanted distinct column names")


def _looks_like_data(header: list[str]) -> bool:
    """Numbers everywhere, but perhaps for a text label in the last column."""
    numbers = [_is_number(cell) for cell in header]
    return all(numbers) or (len(header) > 1 and all(numbers[:-1]) and header[-1] not in LABEL_COLUMNS)


def _numbers(rows: list[list[str]]) -> Array | None:
    """The cells as floats, or None when one of them is no finite number."""
    try:
        X = np.array([[_plain_float(cell) for cell in row] for row in rows])
    except ValueError:
        return None
    return X if np.isfinite(X).all() else None


def _bad_cell(path: Path, names: list[str], rows: list[list[str]], lines: list[int]) -> InputError:
    """The first cell that is no finite number."""
    for row, line in zip(rows, lines, strict=True):
        for name, cell in zip(names, row, strict=True):
            if not _is_number(cell) or not math.isfinite(float(cell)):
                found = f"found {cell[:40]!r}" if cell else "found an empty cell"
                return InputError(f"{path}: line {line}, column {name!r}: {found}, wanted a finite number")
    return InputError(f"{path}: found a value that is no finite number")


def _plain_float(cell: str) -> float:
    if "_" in cell:  # Python reads 1_000 as a number; a data file has no such spelling
        raise ValueError(cell)
    return float(cell)


def _is_number(cell: str) -> bool:
    try:
        _plain_float(cell)
    except ValueError:
        return False
    return True


def _as_dataset(path: Path, X: object, y: object, names: list[str] | None) -> Dataset:
    return make_dataset(X, y, path.stem, feature_names=names, recipe={"source": str(path)})  # type: ignore[arg-type]


def _located(where: str, build: Callable[[], Dataset]) -> Dataset:
    """Put the place in front of what the checks of the values say."""
    try:
        return build()
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _written(dataset: Dataset) -> list:
    """The user's labels when reading them back gives the same signs, else -1 and 1."""
    negative, positive = dataset.classes
    sorts = isinstance(negative, str) == isinstance(positive, str) and negative < positive  # type: ignore[operator]
    return dataset.labels if sorts else [int(value) for value in dataset.y]
