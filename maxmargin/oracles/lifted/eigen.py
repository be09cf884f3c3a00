"""Eigenvalues and eigenvectors in single or double precision, without Python's global lock.

NumPy computes eigenvectors of single matrices in double precision, and SciPy's own call keeps the lock, so that threads
wait for each other.  LAPACK's routines are called here through the addresses that SciPy publishes for Cython.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

FEW = 0.16  # of the eigenvalues: below this share the others are not computed, which saves up to half of the time
BLOCK = 64  # columns that LAPACK works on at once: one block more of work space for each


@cache
def _routine(name: str) -> Any:
    """The LAPACK routine of this name, as a function that releases the lock; None where SciPy does not publish it."""
    from scipy.linalg import cython_lapack

    capsule = getattr(cython_lapack, "__pyx_capi__", {}).get(name)
    if capsule is None:
        return None
    read = ctypes.pythonapi
    read.PyCapsule_GetName.restype, read.PyCapsule_GetName.argtypes = ctypes.c_char_p, [ctypes.py_object]
    read.PyCapsule_GetPointer.restype = ctypes.c_void_p
    read.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    return ctypes.CFUNCTYPE(None)(read.PyCapsule_GetPointer(capsule, read.PyCapsule_GetName(capsule)))


def _called(X: Array, name: str, *arguments: Any) -> bool:
    """Whether the routine exists; letters and arrays are handed over, and pointers to numbers."""
    single = X.dtype == np.float32
    routine, info = _routine(("s" if single else "d") + name), ctypes.c_int(0)
    if routine is None:
        return False
    if not np.isfinite(X).all():
        raise np.linalg.LinAlgError("eigenvalues of a matrix that is not finite")
    kinds = {int: ctypes.c_int, float: ctypes.c_float if single else ctypes.c_double}
    given: list[Any] = []
    for value in arguments:
        if isinstance(value, bytes):
            given.append(ctypes.c_char_p(value))
        elif isinstance(value, np.ndarray):
            given.append(ctypes.c_void_p(value.ctypes.data))
        else:
            given.append(ctypes.byref(kinds[type(value)](value) if type(value) in kinds else value))
    routine(*given, ctypes.byref(info))
    if info.value:
        raise np.linalg.LinAlgError(f"eigenvalues: LAPACK ended with {info.value}")
    return True


def eigh(X: Array) -> tuple[Array, Array]:
    """Ascending eigenvalues (m,) and eigenvectors (m, m) in columns of a symmetric matrix, in its own precision.

    Raises
    ------
    numpy.linalg.LinAlgError : a number is not finite, or the iteration did not converge.
    """
    n, A = len(X), np.array(X, order="F")
    values, work, iwork = np.empty(n, X.dtype), np.empty(1 + 6 * n + 2 * n * n, X.dtype), np.empty(3 + 5 * n, np.intc)
    if _called(X, "syevd", b"V", b"L", n, A, n, values, work, len(work), iwork, len(iwork)):
        return values, A
    values, A = np.linalg.eigh(X)
    return values.astype(X.dtype), A.astype(X.dtype)


def eigh_of_sign(X: Array, sign: int) -> tuple[Array, Array]:
    """The eigenvalues (k,) that have this sign, and their eigenvectors (m, k): fast if they are `FEW`.

    Raises
    ------
    numpy.linalg.LinAlgError : as in `eigh`.
    """
    n, A, count, large = len(X), np.array(X, order="F"), ctypes.c_int(0), 1e30
    values, vectors, support = np.empty(n, X.dtype), np.empty((n, n), X.dtype, order="F"), np.empty(2 * n, np.intc)
    work, iwork = np.empty((BLOCK + 26) * n, X.dtype), np.empty(10 * n, np.intc)
    low, high = (0.0, large) if sign > 0 else (-large, 0.0)
    with suppress(np.linalg.LinAlgError):  # inverse iteration may fail where all eigenvectors are found
        if _called(
            X, "syevr", b"V", b"V", b"L", n, A, n, low, high, 0, 0, 0.0, count, values, vectors, n, support,
            work, len(work), iwork, len(iwork),
        ):  # fmt: skip
            return values[: count.value], vectors[:, : count.value]
    values, vectors = eigh(X)
    mask = sign * values > 0
    return values[mask], vectors[:, mask]
