"""Where the flow starts: Gaussian, balanced, in pairs of output zero, scaled, or a given network.

One row of a standard normal (m, D+1) matrix is one neuron, so that with one seed a narrower network is the first rows
of a wider one (Theorem 2 is about such coupled widths).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..conventions import Array
from ..errors import InputError
from ..features import Feature
from .network import Network


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
