"""Small sets whose margins are known by hand (their formulas stand in `closed_forms`)."""

from __future__ import annotations

import math
from itertools import product

import numpy as np

from ..conventions import Array
from ..options import positive
from .registry import between, builtin
from .values import Dataset, make_dataset

LARGEST_CUBE = 16  # 2^16 points


@builtin("xor")
def xor() -> Dataset:
    """Exclusive or: the four corners (+-1, +-1), +1 where the signs differ (gamma_path = sqrt2/4)."""
    X = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
    return _dataset(X, -X[:, 0] * X[:, 1], "xor")


@builtin("parity")
def parity(d: int = 4) -> Dataset:
    """2-sparse parity: the cube {-1, 1}^d with label x1 x2 (gamma_path = sqrt2/4 for every d)."""
    between("parity:d", d, 2, LARGEST_CUBE)
    X = _cube(d)
    return _dataset(X, X[:, 0] * X[:, 1], "parity")


@builtin("wei")
def wei(d: int = 4) -> Dataset:
    """Wei, Lee, Liu & Ma (2019): (+-e1: +1, +-e2: -1) x {-1, 1}^(d-2) (gamma_path = 1/4 for every d)."""
    between("wei:d", d, 2, LARGEST_CUBE)
    plane = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    rest = _cube(d - 2)
    X = np.hstack([np.repeat(plane, len(rest), axis=0), np.tile(rest, (4, 1))])
    return _dataset(X, np.repeat([1.0, 1.0, -1.0, -1.0], len(rest)), "wei")


@builtin("polygon")
def polygon(k: int = 4, radius: float = 1.0) -> Dataset:
    """The regular 2k-gon with alternating labels; odd k >= 3 has margin 0 without a bias."""
    between("polygon:k", k, 1, 100_000)
    positive("polygon:radius", radius)
    angle = np.pi / k * np.arange(k)
    half = radius * np.column_stack([np.cos(angle), np.sin(angle)])
    X = np.concatenate([half, -half])  # exact antipodes: with rounded ones the margin is not exactly 0
    return _dataset(X, np.tile([1.0, -1.0], k), "polygon")


@builtin("two-points")
def two_points(theta: float = 1.0, r1: float = 1.0, r2: float = 1.0) -> Dataset:
    """Two points of norms r1, r2 at angle theta (radians) with opposite labels."""
    between("two-points:theta", theta, 0.0, math.pi)
    positive("two-points:r1", r1)
    positive("two-points:r2", r2)
    X = np.array([[r1, 0.0], [r2 * math.cos(theta), r2 * math.sin(theta)]])
    return _dataset(X, np.array([1.0, -1.0]), "two-points")


@builtin("three-points")
def three_points(s: float = 1.0) -> Dataset:
    """The line -s, 0, s with labels +, -, + (with bias: gamma_path = s/(4 + s))."""
    positive("three-points:s", s)
    return _dataset(np.array([[-s], [0.0], [s]]), np.array([1.0, -1.0, 1.0]), "three-points", bias=True)


@builtin("line")
def line(n: int = 6, seed: int = 0) -> Dataset:
    """n points on [-1, 1] with alternating labels; neighbouring gaps differ by at most a factor 3."""
    between("line:n", n, 2, 1_000_000)
    between("line:seed", seed, 0, math.inf)
    gaps = np.random.default_rng(seed).uniform(0.5, 1.5, n - 1)
    x = np.concatenate([[0.0], np.cumsum(gaps)])
    return _dataset((2.0 * x / x[-1] - 1.0)[:, None], np.where(np.arange(n) % 2, 1.0, -1.0), "line", bias=True)


@builtin("orthogonal")
def orthogonal(k: int = 4, radius: float = 1.0) -> Dataset:
    """k orthogonal points of this norm with alternating labels: the optimum is one neuron per class."""
    between("orthogonal:k", k, 2, 10_000)
    positive("orthogonal:radius", radius)
    return _dataset(radius * np.eye(k), np.where(np.arange(k) % 2, -1.0, 1.0), "orthogonal")


@builtin("antipodal")
def antipodal(d: int = 2, radius: float = 1.0) -> Dataset:
    """Two opposite points of this norm along the diagonal of R^d, opposite labels (gamma_path = radius/2)."""
    between("antipodal:d", d, 1, 1_000_000)
    positive("antipodal:radius", radius)
    z = np.full(d, radius / math.sqrt(d))
    return _dataset(np.array([z, -z]), np.array([1.0, -1.0]), "antipodal")


def _cube(d: int) -> Array:
    """The 2^d corners of {-1, 1}^d as rows (one empty row for d = 0)."""
    return np.array(list(product((-1.0, 1.0), repeat=d))).reshape(2**d, d)


def _dataset(X: Array, y: Array, name: str, bias: bool = False) -> Dataset:
    return make_dataset(X, y, name, recipe={"bias": bias})
