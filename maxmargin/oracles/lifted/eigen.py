"""Eigenvalues and eigenvectors in single or double precision, without Python's global lock.

NumPy computes eigenvectors of single matrices in double precision, and SciPy's own call keeps the lock, so that threads
wait for each other.  LAPACK's routines are called here through the addresses that SciPy publishes for Cython.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
_INT = ctypes.POINTER(ctypes.c_int)


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
    address = read.PyCapsule_GetPointer(capsule, read.PyCapsule_GetName(capsule))
    # jobz, uplo, n, a, lda, w, work, lwork, iwork, liwork, info
    kinds: list[Any] = [ctypes.c_char_p, ctypes.c_char_p, _INT, ctypes.c_void_p, _INT, ctypes.c_void_p, ctypes.c_void_p]
    return ctypes.CFUNCTYPE(None, *kinds, _INT, ctypes.c_void_p, _INT, _INT)(address)


def eigh(X: Array) -> tuple[Array, Array]:
    """Ascending eigenvalues (m,) and eigenvectors (m, m) in columns of a symmetric matrix, in its own precision.

    Raises
    ------
    numpy.linalg.LinAlgError : a number is not finite, or the iteration did not converge.
    """
    call = _routine("ssyevd" if X.dtype == np.float32 else "dsyevd")
    if call is None:
        values, vectors = np.linalg.eigh(X)
        return values.astype(X.dtype), vectors.astype(X.dtype)
    n = len(X)
    A, values = np.array(X, order="F"), np.empty(n, X.dtype)
    if not np.isfinite(A).all():
        raise np.linalg.LinAlgError("eigenvalues of a matrix that is not finite")
    work, iwork = np.empty(1 + 6 * n + 2 * n * n, X.dtype), np.empty(3 + 5 * n, np.intc)
    size, info = ctypes.c_int(n), ctypes.c_int(0)
    lengths = ctypes.c_int(len(work)), ctypes.c_int(len(iwork))
    pointers = [array.ctypes.data for array in (A, values, work, iwork)]
    call(
        b"V", b"L", size, pointers[0], size, pointers[1],
        pointers[2], lengths[0], pointers[3], lengths[1], info,
    )  # fmt: skip
    if info.value:
        raise np.linalg.LinAlgError(f"eigenvalues: LAPACK ended with {info.value}")
    return values, A
