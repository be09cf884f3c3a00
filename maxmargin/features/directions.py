"""Finite dictionaries of directions: unit rows in R^D, each family nested (a smaller K is a prefix of a larger one).

Nested dictionaries make gamma_1^(m) monotone in m: a convergence curve then shows the effect of m, not of the draw.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..archives import Header, read_arrays
from ..conventions import Array
from ..errors import InputError

SOBOL_BITS = 30


def random_directions(K: int, D: int, seed: int | np.random.Generator = 0) -> Array:
    """K independent directions, uniform on S^{D-1}: normalised Gaussian rows; shape (K, D)."""
    _check_sizes(K, D)
    return _normalised(np.random.default_rng(seed).standard_normal((K, D)))


def quasi_random_directions(K: int, D: int, seed: int | np.random.Generator = 0) -> Array:
    """K low-discrepancy directions on S^{D-1}: scrambled Sobol points, mapped to Gaussian rows, normalised; (K, D).

    The Gaussian quantile maps the uniform law on the cube to a rotation-invariant one, whose direction is uniform.
    """
    from scipy.special import ndtri
    from scipy.stats import qmc

    _check_sizes(K, D)
    if D > qmc.Sobol.MAXDIM or K > 2**SOBOL_BITS:
        raise InputError(f"directions: found {K} in D = {D}, wanted at most 2^{SOBOL_BITS} and D <= {qmc.Sobol.MAXDIM}")
    sobol = qmc.Sobol(D, bits=SOBOL_BITS, seed=np.random.default_rng(seed))
    points = sobol.random_base2((K - 1).bit_length())[:K]  # only sets of 2^k points are balanced; prefixes are nested
    return _normalised(ndtri(points + 0.5 ** (SOBOL_BITS + 1)))  # centre of the cell: the quantile of 0 is infinite


def circle_grid(K: int) -> Array:
    """K directions on the circle at the angles 2 pi v_j, v the van der Corput sequence 0, 1/2, 1/4, 3/4, ...; (K, 2).

    The first 2^k of them are the regular 2^k-gon.
    """
    _check_sizes(K, 2)
    turn, index, weight = np.zeros(K), np.arange(K), 0.5
    while index.any():
        turn += weight * (index & 1)
        index, weight = index >> 1, weight / 2
    return np.column_stack([np.cos(2 * np.pi * turn), np.sin(2 * np.pi * turn)])


def load_directions(path: str | os.PathLike[str], D: int) -> Array:
    """Read a dictionary from an ``.npz`` file: the array ``directions`` (K, D), or the only array in it.

    Rows of any positive length are normalised (a dictionary is a set of directions); rows of length one up to
    rounding are returned unchanged.

    Raises
    ------
    InputError : no such array, not real and finite, wrong number of columns, no rows, a zero row.
    """

    def choose(headers: Mapping[str, Header]) -> list[str]:
        if "directions" not in headers and len(headers) != 1:
            shown = sorted(headers)[:10]
            raise InputError(f"{path}: found arrays {shown}, wanted one named 'directions' or a single array")
        name = "directions" if "directions" in headers else next(iter(headers))
        _check_shape(headers[name].shape, D, f"{path}: directions")
        return [name]

    (rows,) = read_arrays(Path(path), choose).values()
    return check_directions(rows, D, f"{path}: directions")


def check_directions(rows: np.ndarray, D: int, where: str = "directions") -> Array:
    """Rows (K, D) of any positive length as unit vectors; `where` is the beginning of the error message.

    Raises
    ------
    InputError : not real and finite, wrong number of columns, no rows, a zero row.
    """
    if rows.dtype.kind not in "biuf":
        raise InputError(f"{where}: found entries of type {rows.dtype}, wanted real numbers")
    _check_shape(rows.shape, D, where)
    rows = np.array(rows, dtype=float, order="C")
    bad = ~np.isfinite(rows).all(axis=1) | ~rows.any(axis=1)
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(f"{where}: found {rows[row].tolist()} in row {row} (from 0), wanted finite rows other than 0")
    return _normalised(rows)


def _check_shape(shape: tuple[int, ...], D: int, where: str) -> None:
    if len(shape) != 2 or shape[1] != D or not shape[0]:
        raise InputError(f"{where}: found shape {shape}, wanted (K, {D}), K >= 1, the bias coordinate last if used")


def _normalised(rows: Array) -> Array:
    """rows / |row|; scaled first, so that no square over- or underflows; rows of length one up to rounding are kept."""
    scaled = rows / np.abs(rows).max(axis=1, keepdims=True)
    units = scaled / np.linalg.norm(scaled, axis=1, keepdims=True)
    already = np.abs(rows - units).max(axis=1, keepdims=True) <= 4 * np.finfo(float).eps
    return np.where(already, rows, units)


def _check_sizes(K: int, D: int) -> None:
    for name, value in (("K", K), ("D", D)):
        if value < 1:
            raise InputError(f"{name}: found {value}, wanted at least 1")
