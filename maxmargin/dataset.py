"""Reading of data: every supported input becomes a checked `Dataset`."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from .datasets import is_builtin, parse
from .datasets.arrays import read_npy as read_array
from .datasets.files import read_csv, read_npy, read_npz, read_svmlight, write_csv, write_npz
from .datasets.scaling import standardized_columns
from .datasets.values import Dataset, make_dataset
from .errors import InputError

__all__ = ["Dataset", "load", "make_dataset", "save"]

_TABLES = (".csv", ".tsv")
_READERS: dict[str, Callable[[Path], Dataset]] = {
    ".npz": read_npz,
    ".npy": read_npy,
    ".svm": read_svmlight,
    ".libsvm": read_svmlight,
    ".svmlight": read_svmlight,
}
_WRITERS = {".csv": write_csv, ".npz": write_npz}


def load(
    source: Any,
    *,
    label: str | None = None,
    sep: str | None = None,
    standardize: bool = False,
    name: str | None = None,
) -> Dataset:
    """Return the data set that `source` stands for.

    Parameters
    ----------
    source : a `Dataset`, a pair (X, y) of arrays, frames, sparse matrices or ``.npy`` paths, a data frame (with
        `label`), the path of a file, or a built-in name such as ``clusters:n=256,d=15,k=3,seed=0`` (``maxmargin
        datasets`` lists them). A string that begins with a built-in name means the built-in. Files: ``.csv`` or
        ``.tsv`` with a header row, ``.npz`` with X (n, d) and y (n,), ``X.npy`` with ``y.npy`` beside it, ``.svm`` or
        ``.libsvm`` text.
    label : the label column of a table; by default ``y``, ``label`` or ``target`` in any case, else the last one.
    sep : what separates the cells of a text table; by default comma, tab, semicolon or bar, whichever fits.
    standardize : subtract each feature's mean and divide by its standard deviation. Every margin then belongs to the
        standardised data, and tables say so.
    name : name of the data in tables and reports; by default the file's name.

    Raises
    ------
    InputError
        With one sentence that names the file, line and column or the argument, what was found and what is wanted.
    """
    if name is not None and not name.strip():
        raise InputError("name: found an empty string, wanted a name for the data")
    dataset = _read(source, label, sep)
    if standardize and not dataset.standardized:
        dataset = _standardized(dataset)
    if name is not None:
        dataset = replace(dataset, name=name, recipe=dict(dataset.recipe or {}) | {"name": name})
    return dataset


def save(dataset: Dataset, path: str | os.PathLike[str]) -> None:
    """Write a ``.csv`` or ``.npz`` file that loads back to the same points, labels and hash.

    The file appears whole or not at all: it is written beside its place and renamed.
    """
    target = Path(path)
    if target.suffix.lower() not in _WRITERS:
        raise InputError(f"path: found the extension {target.suffix!r} in {str(target)!r}, wanted .csv or .npz")
    _WRITERS[target.suffix.lower()](target, dataset)


def _standardized(dataset: Dataset) -> Dataset:
    """The data with mean 0 and standard deviation 1; a built-in set that is already standardised stays as it is."""
    if dict((dataset.recipe or {}).get("options", {})).get("standardize") is True:
        return replace(dataset, standardized=True)
    recipe = dict(dataset.recipe or {}) | {"raw": dataset.X}  # a second file is scaled by these
    return replace(dataset, X=standardized_columns(dataset.X), standardized=True, recipe=recipe)


def _read(source: Any, label: str | None, sep: str | None) -> Dataset:
    if isinstance(source, (str, os.PathLike)):
        return _from_text(source, label, sep)
    if label is not None and hasattr(source, "columns") and hasattr(source, "drop"):
        _refuse(sep=sep, of="a data frame")
        return _from_frame(source, label)
    _refuse(label=label, sep=sep, of=f"a {type(source).__name__}")
    if isinstance(source, Dataset):
        return source
    if isinstance(source, (tuple, list)) and len(source) == 2:
        paths = [isinstance(part, (str, os.PathLike)) and Path(part).suffix.lower() == ".npy" for part in source]
        X, y = (read_array(Path(part)) if path else part for part, path in zip(source, paths, strict=True))
        return make_dataset(X, y)
    raise InputError(
        f"data: found {type(source).__name__}, wanted a Dataset, a pair (X, y), a file or a built-in name (a data "
        'frame with its label column: mm.load(frame, label="column"))'
    )


def _from_text(source: str | os.PathLike[str], label: str | None, sep: str | None) -> Dataset:
    if isinstance(source, str) and not source.strip():
        raise InputError("data: found an empty string, wanted a .csv or .npz file or a built-in name")
    if isinstance(source, str) and (is_builtin(source) or not _looks_like_file(source)):
        dataset = parse(source)
        _refuse(label=label, sep=sep, of=f"the built-in data {source!r}")
        return dataset
    return _load_file(Path(source), label, sep)


def _from_frame(frame: Any, label: str) -> Dataset:
    names = list(frame.columns)
    if names.count(label) != 1:
        found = "no column" if label not in names else "several columns"
        raise InputError(f"label: found {found} {label!r}, wanted one of {', '.join(map(str, names[:12]))}")
    return make_dataset(frame.drop(columns=[label]), frame[label], label=str(label))


def _refuse(of: str, **options: str | None) -> None:
    """Refuse `label` and `sep` for anything but a text table."""
    for option, value in options.items():
        if value is not None:
            raise InputError(f"{option}: found {value!r} for {of}, wanted it only for a .csv or .tsv file")


def _looks_like_file(text: str) -> bool:
    return os.sep in text or os.path.exists(text) or (":" not in text and Path(text).suffix != "")


def _load_file(path: Path, label: str | None, sep: str | None) -> Dataset:
    kind = path.suffix.lower()
    if os.path.isdir(path):
        raise InputError(f"data: found the directory {str(path)!r}, wanted a .csv or .npz file in it")
    if kind not in (*_TABLES, *_READERS):
        wanted = "wanted .csv or .npz (or .tsv, .npy, .svm)"
        raise InputError(f"data: found the extension {path.suffix!r} in {str(path)!r}, {wanted}")
    if not os.path.isfile(path) and kind != ".npy":
        raise InputError(f"data: found no file {str(path)!r}, wanted an existing .csv or .npz file or a built-in name")
    if kind in _TABLES:
        return read_csv(path, label, sep)
    _refuse(label=None if label == "y" else label, sep=sep, of=f"the file {str(path)!r}")
    return _READERS[kind](path)
