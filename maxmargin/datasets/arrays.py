"""Data in the files of other programs: pairs of ``.npy`` arrays, libsvm text, and sparse matrices made dense."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from .. import memory
from ..archives import reading
from ..errors import InputError

# Entries of the largest dense matrix that is made of a sparse one: 160 MB of float64.
LARGEST_DENSE = 20_000_000
_LARGE = 1_000_000  # entries that are read whatever their shape
_COLUMNS = 100  # a y with at most this many columns is explained as one-hot


def is_sparse(X: Any) -> bool:
    """Whether X is a matrix or array of scipy.sparse (which need not be imported to know)."""
    return hasattr(X, "toarray") and hasattr(X, "nnz") and len(getattr(X, "shape", ())) == 2


def densified(X: Any) -> np.ndarray:
    """A sparse matrix as a dense array, or an InputError that says how large it would be."""
    n, d = X.shape
    if n * d > LARGEST_DENSE:
        raise InputError(
            f"X: found a sparse matrix of {n:,} x {d:,}, {8e-9 * n * d:.1f} GB when dense, wanted at most "
            f"{LARGEST_DENSE:,} entries: scikit-learn: X = TruncatedSVD(100).fit_transform(X), or choose features "
            "with SelectKBest"
        )
    return np.asarray(X.toarray())


def read_npy_pair(path: Path) -> tuple[np.ndarray, np.ndarray, Path]:
    """Points, labels and the file of the labels.

    ``X.npy`` finds ``y.npy`` beside it, ``X_train.npy`` finds ``y_train.npy``; ``points.npy,labels.npy`` names both.
    """
    if "," in path.name and not path.exists():
        first, second = (Path(part.strip()) for part in str(path).split(",", 1))
    else:
        first, second = path, path.with_name("y" + path.name[1:])
    if second == first or first.name[:1] not in "Xx" and "," not in path.name:
        raise InputError(
            f"{path}: found one array, wanted two: X.npy with y.npy beside it, or 'points.npy,labels.npy', or one "
            "file: np.savez('data.npz', X=X, y=y)"
        )
    X, y = read_npy(first), read_npy(second)
    check_shapes(str(first), X.shape, y.shape)
    memory.require(3 * 8.0 * X.size, f"{first} of shape {X.shape}", "use fewer points")
    return np.array(X), np.array(y), second


def check_shapes(where: str, X: tuple[int, ...], y: tuple[int, ...]) -> None:
    """Refuse large arrays whose shapes do not fit each other before they are read.

    Small arrays are read first, so that the message can say more.
    """
    if math.prod(X) + math.prod(y) <= _LARGE:
        return
    if len(X) != 2 or len(y) not in (1, 2) or X[0] != y[0] or math.prod(y[1:]) > _COLUMNS:
        found = f"found X of shape {X} and y of shape {y}"
        raise InputError(f"{where}: {found}, wanted X (n, d) and y (n,), one label per row")


def read_npy(path: Path) -> np.ndarray:
    """One plain array; only mapped, so that a false shape in the header costs no memory."""
    if not path.exists():
        raise InputError(f"data: found no file {str(path)!r}, wanted X.npy and y.npy side by side")
    with reading(path, "a .npy file of a plain array (np.save)"):
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def read_libsvm(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Points and labels of a text file with lines ``label index:value ...`` (libsvm, svmlight)."""
    from sklearn.datasets import load_svmlight_file

    with reading(path, "lines 'label index:value ...' (libsvm)"):
        X, y = load_svmlight_file(str(path))
    return densified(X), y
