"""The one door for data: anything a user may hand over becomes a checked `Dataset`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .datasets import is_builtin, parse
from .datasets.files import read_csv, read_npz, write_csv, write_npz
from .datasets.values import Dataset, make_dataset
from .errors import InputError

__all__ = ["Dataset", "load", "make_dataset", "save"]

_READERS = {".csv": read_csv, ".npz": read_npz}
_WRITERS = {".csv": write_csv, ".npz": write_npz}


def load(source: Any) -> Dataset:
    """Return the data set that `source` stands for.

    Parameters
    ----------
    source : a `Dataset` (returned as it is), a pair (X, y), a path to a ``.csv`` or ``.npz`` file, or a built-in
        name such as ``clusters:n=256,d=15,k=3,seed=0`` (``maxmargin datasets`` lists them). A string that begins with
        a built-in name means the built-in.

    Raises
    ------
    InputError
        With one sentence that names the file, line and column or the argument, what was found and what is wanted.
    """
    if isinstance(source, Dataset):
        return source
    if isinstance(source, (tuple, list)) and len(source) == 2:
        return make_dataset(*source)
    if isinstance(source, str) and not source.strip():
        raise InputError("data: found an empty string, wanted a .csv or .npz file or a built-in name")
    if isinstance(source, str) and (is_builtin(source) or not _looks_like_file(source)):
        return parse(source)
    if isinstance(source, (str, os.PathLike)):
        return _load_file(Path(source))
    raise InputError(f"data: found {type(source).__name__}, wanted a Dataset, a pair (X, y), a file or a built-in name")


def save(dataset: Dataset, path: str | os.PathLike[str]) -> None:
    """Write a ``.csv`` or ``.npz`` file that loads back to the same points, labels and hash.

    The file appears whole or not at all: it is written beside its place and renamed.
    """
    target = Path(path)
    if target.suffix.lower() not in _WRITERS:
        raise InputError(f"path: found the extension {target.suffix!r} in {str(target)!r}, wanted .csv or .npz")
    _WRITERS[target.suffix.lower()](target, dataset)


def _looks_like_file(text: str) -> bool:
    return os.sep in text or os.path.exists(text) or (":" not in text and Path(text).suffix != "")


def _load_file(path: Path) -> Dataset:
    if os.path.isdir(path):
        raise InputError(f"data: found the directory {str(path)!r}, wanted a .csv or .npz file in it")
    if path.suffix.lower() not in _READERS:
        raise InputError(f"data: found the extension {path.suffix!r} in {str(path)!r}, wanted .csv or .npz")
    if not os.path.isfile(path):
        raise InputError(f"data: found no file {str(path)!r}, wanted an existing .csv or .npz file or a built-in name")
    return _READERS[path.suffix.lower()](path)
