"""What moves along the flow: both layers, the output layer, or the magnitudes.

Each dynamics knows its parameters w, the products u_i = y_i h_m(w, x_i), the ascent direction m grad F_m(w) for given
weights p = grad S(u) (Eq. 7), and the norm in which its margin is stated.  A step rule decides how far to go.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .. import conventions
from ..conventions import Array
from ..features import Feature
from .network import Network


class Dynamics(Protocol):
    """The moving parameters; the classes of the three kinds say only what is special about theirs.

    Attributes
    ----------
    norm : "f1" (margins over mass) or "f2" (margins over root mean square).
    homogeneity : h is homogeneous of this degree in what moves.
    z_inf : max |z_ij| of Prop. 6 and 7: the largest feature value, for unit neurons.
    """

    norm: str

    homogeneity: int
    z_inf: float

    def outputs(self, rows: NDArray[np.int64] | None = None) -> Array:
        """u (n,), or (len(rows),): outputs times labels at the present parameters."""

    def ascend(self, p: Array) -> float:
        """Compute the direction m grad F_m for weights p, of all rows or of those last given to `outputs`.

        Returns dF/dt = (1/m) |m grad F_m|^2 along the flow.
        """

    def move(self, eta: float) -> None:
        """w <- w + eta * (direction of the last `ascend`)."""

    def flow(self, eta: float) -> float:
        """Move for the time eta by the exact flow at frozen p and activation pattern (first order in eta for degree 2).

        ReLU neurons slide along the kinks that hold them.  Returns the relative change |dw| / |w|; for both layers of
        degree 1 that of the directions alone, because magnitudes move exactly.
        """

    def tangent_kernel(self, rows: NDArray[np.int64]) -> Array:
        """K (r, r) with du/dt = K p on these rows; reads the activations of the last `outputs`."""

    def scale(self, factor: float) -> None:
        """Multiply h by factor > 0 through the parameters that move."""

    def size(self) -> float:
        """The norm of the present function: mass (Eq. 3) or root mean square (Prop. 7); sphere convention."""

    def response(self, p: Array) -> float:
        """Proved upper bound max_f sum_i p_i y_i f(x_i) over this dynamics' own unit ball; inf if it is not finite."""

    def network(self, bias: bool) -> Network:
        """The network at this moment (copied)."""

    def state(self) -> Any:
        """A copy of the parameters, for `restore`."""

    def restore(self, state: Any) -> None:
        """Set the parameters to a copy that `state` returned."""


class OutputLayer:
    """h = (1/m) sum_j r_j sigma(a_j . z) with the a_j fixed and r(0) = 0 (Prop. 7).

    Every step adds a combination of the training points' feature vectors, r = Phi' c with Phi_ij = y_i sigma(a_j.z_i),
    so that the whole run happens in the n x n Gram matrix: u = (1/m) Phi Phi' c and mean r_j^2 = (1/m) c' Phi Phi' c.
    """

    norm, homogeneity = "f2", 1

    def __init__(self, Z: Array, y: Array, hidden: Array, feature: Feature):
        self._hidden, self._feature = hidden, feature
        self._features = feature.evaluate(hidden, Z) * y
        self.z_inf = float(np.abs(self._features).max())
        self._gram = conventions.mean_field(len(hidden)) * (self._features.T @ self._features)
        self._c, self._u = np.zeros(len(y)), np.zeros(len(y))

    def outputs(self, rows: NDArray[np.int64] | None = None) -> Array:
        self._rows = rows
        return self._u.copy() if rows is None else self._u[rows]

    def ascend(self, p: Array) -> float:
        if self._rows is None:
            self._p = p
        else:
            self._p = np.zeros_like(self._c)
            self._p[self._rows] = p
        self._velocity = self._gram @ self._p
        return float(self._p @ self._velocity)

    def move(self, eta: float) -> None:
        self._c += eta * self._p
        self._u += eta * self._velocity

    def flow(self, eta: float) -> float:
        change = eta * math.sqrt(max(float(self._p @ self._velocity), 0.0)) / (1.0 + self.size())
        self.move(eta)
        return change

    def tangent_kernel(self, rows: NDArray[np.int64]) -> Array:
        return self._gram[np.ix_(rows, rows)]

    def scale(self, factor: float) -> None:
        self._c *= factor
        self._u *= factor

    def size(self) -> float:
        return math.sqrt(max(float(self._c @ self._u), 0.0))

    def response(self, p: Array) -> float:
        """max over sqrt(mean r^2) <= 1 of (1/m) sum_j r_j (Phi' p)_j = |Phi' p| / sqrt m = sqrt(p' K p)."""
        return conventions.root_mean_square(self._features @ p)

    def network(self, bias: bool) -> Network:
        return Network(self._hidden.copy(), self._features @ self._c, bias, self._feature)

    def state(self) -> Any:
        return self._c.copy()

    def restore(self, state: Any) -> None:
        self._c = state.copy()
        self._u = self._gram @ self._c


class Magnitudes:
    """w_j = r_j theta_j with unit theta_j fixed and r(0) = 1 (Prop. 6): u = (1/m) sum_j r_j^2 y_i phi(theta_j, x_i)."""

    norm, homogeneity = "f1", 2

    def __init__(self, Z: Array, y: Array, neurons: tuple[Array, Array], feature: Feature, dtype: str):
        A, b = neurons
        squares = np.einsum("jd,jd->j", A, A) + (b * b if feature.degree == 1 else 0.0)
        lengths = np.sqrt(squares)[:, None]
        self._A, self._feature = A / lengths, feature
        self._b = b / lengths[:, 0] if feature.degree == 1 else b
        self._features = (self._b[:, None] * feature.evaluate(self._A, Z) * y).astype(dtype)
        self.z_inf = float(np.abs(self._features).max())
        self._r = np.ones(len(b), dtype)

    def outputs(self, rows: NDArray[np.int64] | None = None) -> Array:
        self._active = self._features if rows is None else self._features[:, rows]
        return conventions.mean_field(len(self._r)) * ((self._r * self._r) @ self._active)

    def ascend(self, p: Array) -> float:
        self._direction = 2.0 * self._r * (self._active @ p.astype(self._r.dtype))
        return conventions.mean_field(len(self._r)) * float(self._direction @ self._direction)

    def move(self, eta: float) -> None:
        self._r += eta * self._direction

    def flow(self, eta: float) -> float:
        self._r *= np.exp(eta * self._direction / self._r)
        return eta * float(np.linalg.norm(self._direction) / np.linalg.norm(self._r))

    def tangent_kernel(self, rows: NDArray[np.int64]) -> Array:
        moving = self._features[:, rows] * self._r[:, None]
        return 4.0 * conventions.mean_field(len(self._r)) * (moving.T @ moving)

    def scale(self, factor: float) -> None:
        self._r *= math.sqrt(factor)

    def size(self) -> float:
        return conventions.mean_field(len(self._r)) * float(self._r @ self._r)

    def response(self, p: Array) -> float:
        """max over the simplex of neurons: max_j (Phi p)_j."""
        return float((self._features.astype(float) @ p).max())

    def network(self, bias: bool) -> Network:
        r = self._r.astype(float)
        if self._feature.degree == 1:
            return Network(r[:, None] * self._A, r * self._b, bias, self._feature)
        return Network(r[:, None] * self._A, self._b.copy(), bias, self._feature)

    def state(self) -> Any:
        return self._r.copy()

    def restore(self, state: Any) -> None:
        self._r = state.copy()
