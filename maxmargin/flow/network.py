"""A finite two-layer network, the measure over unit directions that it is, and where the flow starts.

A start is Gaussian, balanced, in pairs of output zero, scaled, or a given network.  One row of a standard normal (m,
D+1) matrix is one neuron, so that with one seed a narrower network is the first rows of a wider one (Theorem 2 is about
such coupled widths).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from .. import atomic, conventions
from ..archives import read_arrays
from ..conventions import Array
from ..errors import InputError
from ..features import RELU, Feature, get_feature
from ..games.measure import Measure


@dataclass(frozen=True, eq=False)
class Network:
    """h_m(x) = (1/m) sum_j b_j sigma(a_j . z), z = (x, 1) with a bias (Eq. 1 of the paper).

    Parameters
    ----------
    hidden : (m, D) input weights a_j, bias coordinate last.
    output : (m,) output weights b_j (signs, for the squared ReLU of the theorems).
    bias : whether z carries the constant coordinate.
    feature : the activation sigma.

    Raises
    ------
    InputError : the shapes of `hidden` and `output` do not belong together, or a weight is not finite.
    """

    hidden: Array
    output: Array
    bias: bool = True
    feature: Feature = RELU

    def __post_init__(self) -> None:
        if self.hidden.ndim != 2 or self.output.shape != self.hidden.shape[:1] or not len(self.output):
            raise InputError(
                f"network: found hidden {self.hidden.shape} and output {self.output.shape}, wanted (m, D) and (m,)"
            )
        if not (np.isfinite(self.hidden).all() and np.isfinite(self.output).all()):
            raise InputError("network: found a weight that is not finite, wanted finite numbers only")

    @property
    def width(self) -> int:
        """Number of neurons m."""
        return len(self.output)

    @property
    def mass(self) -> float:
        """Total mass of the 2-homogeneous projection, sphere convention.

        Degree 1: (1/m) sum_j |a_j|^2 + b_j^2 (Eq. 3); degree 2: (1/m) sum_j |b_j| |a_j|^2.
        """
        if self.feature.degree == 1:
            return conventions.mass(self.hidden, self.output)
        squares = np.einsum("jd,jd->j", self.hidden, self.hidden)
        return float(np.abs(self.output) @ squares) * conventions.mean_field(self.width)

    def decision_function(self, X: Array) -> Array:
        """h_m at the rows of X (n, d); shape (n,)."""
        return self.outputs(conventions.inputs(np.asarray(X), self.bias))

    def outputs(self, Z: Array) -> Array:
        """h_m at inputs that already carry the bias coordinate: Z (n, D), shape (n,)."""
        return conventions.mean_field(self.width) * (self.output @ self.feature.evaluate(self.hidden, Z))

    def measure(self) -> Measure:
        """The same function as a signed `Measure` over unit directions (path convention).

        Directions a_j/|a_j| with weights b_j |a_j|^k / m, k the degree; neurons with a_j = 0 compute nothing and are
        left out.
        """
        lengths = np.linalg.norm(self.hidden, axis=1)
        alive = (lengths > 0) & (self.output != 0)
        weights = conventions.mean_field(self.width) * self.output[alive] * lengths[alive] ** self.feature.degree
        return Measure(self.hidden[alive] / lengths[alive, None], weights)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write an ``.npz`` file, whole or not at all."""
        with atomic.replacing(path, suffix=".npz") as temporary:
            np.savez(
                temporary, hidden=self.hidden, output=self.output, bias=self.bias, feature=np.array(self.feature.name)
            )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Network:
        """Read what `save` wrote; `InputError` when the file is something else."""
        arrays = read_arrays(Path(path))
        try:
            return cls(arrays["hidden"], arrays["output"], bool(arrays["bias"]), get_feature(str(arrays["feature"])))
        except (KeyError, ValueError) as error:
            found = f"network file {os.fspath(path)!r}: {error}"
            raise InputError(f"{found}; wanted a file that Network.save wrote") from error


class Start(Protocol):
    """Draws the neurons (a_j, b_j) of a network of width m for inputs of dimension D."""

    def draw(self, rng: np.random.Generator, m: int, D: int) -> tuple[Array, Array]:
        """Input weights (m, D) and output weights (m,), from this generator."""


@dataclass(frozen=True)
class Gaussian:
    """All coordinates of all w_j independent N(0, scale^2): the authors' code (1), Fig. 3 (40)."""

    scale: float = 1.0

    def draw(self, rng: np.random.Generator, m: int, D: int) -> tuple[Array, Array]:
        W = self.scale * rng.standard_normal((m, D + 1))
        return W[:, :D], W[:, D]


@dataclass(frozen=True)
class Balanced:
    """|a_j| = |b_j| = scale, a_j uniform on the sphere, b_j = +-scale (Theorem 5; the authors' blog)."""

    scale: float = 1.0

    def draw(self, rng: np.random.Generator, m: int, D: int) -> tuple[Array, Array]:
        W = rng.standard_normal((m, D + 1))
        A = W[:, :D] / np.linalg.norm(W[:, :D], axis=1, keepdims=True)
        return self.scale * A, self.scale * np.where(W[:, D] < 0, -1.0, 1.0)


@dataclass(frozen=True)
class Paired:
    """m/2 Gaussian neurons, each twice with opposite b_j: same tangent kernel, and an output of zero up to rounding.

    A Gaussian start has an output of size scale^2/sqrt m, as large as the function learnt in the lazy phase. From a
    paired start the lazy phase is seen without it (the doubling trick of Chizat, Oyallon and Bach, NeurIPS 2019).
    """

    scale: float = 1.0

    def draw(self, rng: np.random.Generator, m: int, D: int) -> tuple[Array, Array]:
        if m % 2:
            raise InputError(f"width: found {m} with init 'paired', wanted an even number of neurons")
        A, b = Gaussian(self.scale).draw(rng, m // 2, D)
        return np.repeat(A, 2, axis=0), np.column_stack([b, -b]).ravel()


_NAMED: dict[str, Callable[[float], Start]] = {"gaussian": Gaussian, "balanced": Balanced, "paired": Paired}


def get_start(init: str | Start) -> Start:
    """ "gaussian", "balanced", "paired", or one of them with a scale, "gaussian:40"."""
    if not isinstance(init, str):
        return init
    name, colon, scale = init.partition(":")
    try:
        size = float(scale) if colon else 1.0
    except ValueError:
        size = -1.0
    if name not in _NAMED or not 0 < size < np.inf:
        raise InputError(
            f"init: found {init!r}, wanted 'gaussian', 'balanced' or 'paired', optionally with a positive scale "
            "('gaussian:40'), or a Network"
        )
    return _NAMED[name](size)


def neurons(
    init: str | Start | Network, rng: np.random.Generator, m: int, D: int, feature: Feature
) -> tuple[Array, Array]:
    """Initial (a_j) (m, D) and (b_j) (m,), fresh arrays; for degree 2 the b_j are signs (S-ReLU of the paper).

    Raises
    ------
    InputError : a given network does not fit the data or the feature.
    """
    if isinstance(init, Network):
        if init.hidden.shape[1] != D or init.feature != feature:
            raise InputError(
                f"init: found a {init.feature.name} network on {init.hidden.shape[1]} inputs, "
                f"wanted {feature.name} on {D} (bias coordinate included)"
            )
        A, b = init.hidden.astype(float), init.output.astype(float)
    else:
        A, b = get_start(init).draw(rng, m, D)
    if feature.degree == 2:
        b = np.where(b < 0, -1.0, 1.0)
    return np.array(A), np.array(b)
