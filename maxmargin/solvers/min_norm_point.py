"""The point of least norm in a convex hull, given by its Gram matrix: the exact solver of the kernel game.

    gamma^2 = min_{p >= 0, sum p = 1} p' Q p,      Q = Y K Y

An active-set method in the line of Wolfe (Math. Programming 11, 1976) and Lawson and Hanson: find the least-norm
point of the *affine* hull of the support, walk towards it until a weight vanishes, drop that weight, repeat; then let
the points with the smallest margins enter, many at a time.  Every walk lowers p'Qp and no support recurs, so that the
method is finite; in floating point it stops when its own bracket no longer improves.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from ..games.certificate import Attempt
from ..games.rkhs import Gram
from ..progress import Progress, silent

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_STALLS = 3  # rounds without any progress of the bracket after which rounding has had the last word
_REFINEMENTS = 12
_FIRST = 32  # points that enter in the first round; later as many as the support holds


@dataclass(frozen=True)
class KernelProposal:
    """A pair for the kernel game to certify.

    Attributes
    ----------
    coefficients : (n,) of f = sum_i c_i K(x_i, .), norm one (c = y p when gamma = 0).
    p : (n,) adversary weights on the simplex.
    attempts : what was run.  iterations : rounds.  interrupted : stopped by the time limit.
    """

    coefficients: Array
    p: Array
    attempts: tuple[Attempt, ...] = ()
    iterations: int = 0
    interrupted: bool = False


def min_norm_point(
    K: Gram, y: Array, tol: float = 1e-12, time_limit: float = math.inf, progress: Progress = silent
) -> KernelProposal:
    """Maximise the hard margin without intercept over the RKHS ball of the Gram matrix K.

    Parameters
    ----------
    K : (n, n) positive semidefinite, singular ones included; only rows of points that ever enter are read.
    y : (n,) labels +-1.
    tol : relative gap at which to stop; rounding may stop it earlier, and it never stops a digit too late.
    time_limit : seconds.

    Returns
    -------
    KernelProposal : to be certified by `KernelGame`, whose bracket is the truth.
    """
    start = time.perf_counter()
    state = _ActiveSet(K, y)
    lower, upper = _Best(), _Best()
    rounds = stalls = 0
    while True:
        square, least = state.measure()
        better = upper.offer(-square, state.p) | lower.offer(least / math.sqrt(square) if square > 0.0 else 0.0, state.p)
        stalls = 0 if better else stalls + 1
        gap = 1.0 - lower.value / math.sqrt(-upper.value) if upper.value < 0.0 else 0.0
        progress(f"round {rounds}  relative gap {gap:.1e}  support {np.count_nonzero(state.p)}")
        late = time.perf_counter() - start > time_limit
        if gap <= tol or late or stalls > _STALLS or square <= state.negligible or not state.enter():
            break
        state.walk()
        rounds += 1
    attempt = Attempt("min-norm-point", f"relative gap {gap:.1e}", time.perf_counter() - start)
    scale = math.ldexp(1.0, state.exponent // 2) * math.sqrt(-upper.value) if upper.value < 0.0 else 1.0
    return KernelProposal(y * lower.point / scale, upper.point, (attempt,), rounds, late and gap > tol)


@dataclass
class _Best:
    """The best value so far and where it was reached."""

    value: float = -math.inf
    point: Array = field(default_factory=lambda: np.empty(0))

    def offer(self, value: float, point: Array) -> bool:
        if value > self.value:
            self.value, self.point = value, point.copy()
            return True
        return False


class _ActiveSet:
    """Weights p on a support S; K in units of a power of four near its largest diagonal entry (no rounding)."""

    def __init__(self, K: Gram, y: Array) -> None:
        self.K, self.y, self.n = K, y, len(y)
        diagonal = np.maximum(K.diagonal(), 0.0)
        self.exponent = 2 * int(np.frexp(float(diagonal.max(initial=0.0)))[1] // 2)
        self.radii = np.sqrt(np.ldexp(diagonal, -self.exponent))
        self.p = np.zeros(self.n)
        self.p[int(np.argmin(self.radii))] = 1.0
        self.margins = np.zeros(self.n)
        self.square = 0.0
        self.entering: Indices = np.empty(0, np.intp)

    @property
    def negligible(self) -> float:
        """p'Qp below which it is rounding of the sum it came from: gamma = 0."""
        return float(np.finfo(float).eps * (self.p @ self.radii)) ** 2

    def measure(self) -> tuple[float, float]:
        """p'Qp and the least margin, min_i (Qp)_i."""
        S = np.flatnonzero(self.p)
        self.margins[:] = 0.0
        for part in np.array_split(S, max(1, len(S) * self.n >> 21)):
            self.margins += np.ldexp((self.y[part] * self.p[part]) @ self.K[part], -self.exponent)
        self.margins *= self.y
        self.square = max(float(self.p[S] @ self.margins[S]), 0.0)
        return self.square, float(self.margins.min())

    def enter(self) -> bool:
        """Choose the points with the smallest margins to enter; False when none lies below p'Qp."""
        outside = np.flatnonzero((self.p == 0.0) & (self.margins < self.square))
        count = max(_FIRST, np.count_nonzero(self.p))
        if len(outside) > count:
            outside = outside[np.argpartition(self.margins[outside], count)[:count]]
        self.entering = outside
        return len(outside) > 0

    def walk(self) -> None:
        """Minor cycle: to the affine minimiser of the support, dropping the points whose weight would turn negative."""
        S = np.concatenate([np.flatnonzero(self.p), self.entering])
        Q = np.ldexp(self.K[S][:, S], -self.exponent) * np.outer(self.y[S], self.y[S])
        p = self.p[S]
        while True:
            x = affine_minimiser(Q)
            if (x > 0.0).all():
                p = x
                break
            p = _boundary(Q, p, x)
            keep = (p > 0.0) | (x > 0.0)  # a point that has just entered and wants weight stays, at weight 0
            S, Q, p = S[keep], Q[np.ix_(keep, keep)], p[keep]
        self.p[:] = 0.0
        self.p[S] = p


def _boundary(Q: Array, p: Array, x: Array) -> Array:
    """A feasible point with some weight zero and a norm no larger than p's, on the way from p to x.

    The line search of Wolfe's minor cycle; or x with its negative weights cut off, which drops many points at once,
    when that is even better.
    """
    falling = x <= 0.0
    steps = p[falling] / (p[falling] - x[falling])
    line = p + steps.min() * (x - p)
    line[np.flatnonzero(falling)[steps == steps.min()]] = 0.0
    line = np.maximum(line, 0.0)
    cut = np.maximum(x, 0.0)
    cut /= cut.sum()
    return cut if cut @ Q @ cut <= line @ Q @ line else line


def affine_minimiser(Q: Array) -> Array:
    """argmin x'Qx subject to sum x = 1 (weights of any sign) for positive semidefinite Q, singular included.

    With R = diag(Q)^(1/2) the unknowns are R x.  Adding ``w w'`` (w = R^-1 1, up to scale) changes nothing on the
    constraint and makes the matrix definite unless the points are affinely dependent; a ridge of the size of rounding
    covers that case, and refinement with extended-precision residuals removes the ridge again (it is the proximal
    point method, which converges for singular Q as well).
    """
    radii = np.sqrt(np.diag(Q))
    Q = Q / np.outer(radii, radii)
    w = radii.min() / radii
    A = Q + np.outer(w, w)
    factor = _factor(A)
    u = cho_solve(factor, w)
    x = u / (w @ u)
    long_Q = Q.astype(np.longdouble)
    spread = math.inf
    for _ in range(_REFINEMENTS):
        image = long_Q @ x
        level = (x @ image) / (w @ x)
        residual = (image - level * w).astype(float)
        last, spread = spread, float(np.abs(residual).max())
        if not spread < 0.5 * last:
            break
        step = cho_solve(factor, residual)
        x -= step - (w @ step) / (w @ u) * u
    x /= radii
    return x / x.sum()


def _factor(A: Array) -> tuple[Array, bool]:
    """Cholesky factor of A plus the smallest ridge (from rounding upwards) that makes it numerically definite."""
    ridge = np.finfo(float).eps * float(np.trace(A))
    while True:
        try:
            return cho_factor(A + ridge * np.eye(len(A)), check_finite=False)
        except LinAlgError:
            ridge *= 8.0
