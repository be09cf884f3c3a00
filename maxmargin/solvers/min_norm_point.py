"""The point of least norm in a convex hull, given by its Gram matrix: the exact solver of the kernel game.

    gamma^2 = min_{p >= 0, sum p = 1} p' Q p,      Q = Y K Y

An active-set method in the line of Wolfe (Math. Programming 11, 1976) and Lawson and Hanson: find the least-norm
point of the *affine* hull of the support, walk towards it until a weight vanishes, drop that weight, repeat; then let
the points with the smallest margins enter, many at a time.  Every walk lowers p'Qp and no support recurs, so that the
method is finite; in floating point it stops when its own bracket no longer improves.

`nnls_point`, one non-negative least squares problem, is a second route, independent of the active-set method.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import numpy as np

from .. import memory
from ..clock import FOREVER, Clock, OutOfTime
from ..conventions import Array, Indices, Mask
from ..errors import SolverError
from ..games.game import Pair
from ..games.rkhs import Gram, KernelExpansion
from ..outcome import Attempt, Reason
from ..progress import Progress, silent
from ..text import gap_text
from .affine_hull import AffineHull
from .soft_margin import one_class_weights

_STALLS = 3  # stop after this many rounds without progress of the bracket (only rounding is left)
_FIRST = 32  # points that enter in the first round; later as many as the support holds
_SMO = 1000  # from that many entering points on, sequential minimal optimisation finds most of the support faster
_SMO_TOLERANCE = 1e-6
_PROGRESS = 1e-13  # relative decrease below which progress is only rounding
_PATIENCE = 3
_SAME = 1e-9  # margins with a smaller relative difference count as equal
_CHUNK = 5000  # points whose square Gram matrix is copied at a time
_MOST = 2000  # most points that enter per round, so that the square Gram matrix stays in memory
_LARGE, _ROUGH = 3000, 1e-2  # points from which, and gap down to which, sequential minimal optimisation alone will do
_GROWN = 0.05  # a rough walk that adds fewer points, as a part of all, no longer finds the support
_SHARE, _LAST = 0.3, 0.8  # shares of the time left for a walk and an evaluation: usual ones, and the largest
_CUBE, _ROUGH_CUBE = 2.5e-10, 5e-11  # seconds of an exact and a rough walk divided by its points cubed, until measured
_SAFE, _MEASURED = 1.5, 1000  # a walk is expected to take so much longer than the last one, if that had so many points
_ENTRY, _CERTIFIED = 2e-7, 8.0  # seconds per entry of the Gram matrix, until measured; a certificate takes 8 times more


def min_norm_point(
    K: Gram, y: Array, tol: float = 1e-12, time_limit: float = math.inf, progress: Progress = silent
) -> Pair:
    """Maximise the hard margin without intercept over the RKHS ball of the Gram matrix K.

    Parameters
    ----------
    K : (n, n) positive semidefinite, singular ones included; only rows of points that ever enter are read.
    y : (n,) labels +-1.
    tol : relative gap at which to stop; rounding may stop it earlier, and it never stops a digit too late.
    time_limit : seconds.

    Returns
    -------
    Pair : for `KernelGame` to certify. The learner has norm one (c = y p when gamma = 0), p lies on the simplex; the
        reason is "interrupted" when the time limit or Ctrl-C ended it.
    """
    clock = Clock(time_limit)
    state = _ActiveSet(K, y, clock)
    lower, upper = _Best(), _Best()
    rounds = stalls = 0
    gap, late, begun = 1.0, False, 0.0
    try:
        while True:
            square, least = state.measure()
            reached = least / math.sqrt(square) if square > 0.0 else 0.0
            better = upper.offer(-square, state.p) | lower.offer(reached, state.p)
            stalls = 0 if better else stalls + 1
            state.stuck |= not better
            gap = 1.0 - lower.value / math.sqrt(-upper.value) if upper.value < 0.0 else 0.0
            progress(
                f"round {rounds}, estimated gap {gap_text(min(gap, 1.0))}, {np.count_nonzero(state.p)} support points"
            )
            state.gap = gap
            # do not begin a round that would end late; it costs at least as much as the one before
            late = clock.left <= clock.seconds - begun
            begun = clock.seconds
            if gap <= tol or late or stalls > _STALLS or square <= state.negligible or not state.enter():
                break
            state.walk()
            rounds += 1
    except KeyboardInterrupt:
        if not lower.point.size:  # no point found yet
            raise
        late = True
    attempt = Attempt("min-norm-point", f"relative gap {gap:.1e}", clock.seconds)
    scale = math.ldexp(1.0, state.exponent // 2) * math.sqrt(-upper.value) if upper.value < 0.0 else 1.0
    reason = Reason.INTERRUPTED if late and gap > tol else Reason.CONVERGED
    return Pair(KernelExpansion(y * lower.point / scale), upper.point, reason, (attempt,), rounds)


@dataclass
class _Best:
    """The best value so far and where it was reached."""

    value: float = -math.inf
    point: Array = field(default_factory=lambda: np.empty(0))

    def offer(self, value: float, point: Array) -> bool:
        """Take the point if it is better; whether it is better by more than rounding."""
        if value <= self.value:
            return False
        progress = value - self.value > _PROGRESS * abs(self.value)
        self.value, self.point = value, point.copy()
        return progress


class _ActiveSet:
    """Weights p on a support S; K in units of a power of four near its largest diagonal entry (no rounding)."""

    def __init__(self, K: Gram, y: Array, clock: Clock = FOREVER) -> None:
        self.K, self.y, self.n, self.clock, self.gap = K, y, len(y), clock, 1.0
        diagonal = np.maximum(K.diagonal(), 0.0)
        self.exponent = 2 * int(np.frexp(float(diagonal.max(initial=0.0)))[1] // 2)
        self.radii = np.sqrt(np.ldexp(diagonal, -self.exponent))
        self.p = np.zeros(self.n)
        self.p[int(np.argmin(self.radii))] = 1.0
        self.margins = np.zeros(self.n)
        self.square = 0.0
        self.entering: Indices = np.empty(0, np.intp)
        self.stuck = False  # a round has brought nothing: rough weights no longer do
        self._cubes, self._entry = {False: _CUBE, True: _ROUGH_CUBE}, _ENTRY

    @property
    def negligible(self) -> float:
        """Level below which p'Qp is only the rounding of its own sum: gamma = 0."""
        return float(np.finfo(float).eps * (self.p @ self.radii)) ** 2

    def measure(self) -> tuple[float, float]:
        """p'Qp and the least margin, min_i (Qp)_i."""
        S, begun = np.flatnonzero(self.p), self.clock.seconds
        self.margins[:] = 0.0
        for part in np.array_split(S, max(1, len(S) * self.n >> 21)):
            self.margins += np.ldexp((self.y[part] * self.p[part]) @ self.K[part], -self.exponent)
        self.margins *= self.y
        if len(S) > _MEASURED:
            self._entry = _CERTIFIED * (self.clock.seconds - begun) / (len(S) * self.n)
        self.square = max(float(self.p[S] @ self.margins[S]), 0.0)
        return self.square, float(self.margins.min())

    def enter(self) -> bool:
        """Choose the points with the smallest margins to enter; False when none lies below p'Qp."""
        size, room = int(np.count_nonzero(self.p)), self._room(_SHARE)
        if room < size + size // 8:  # a walk is cubic in all points: few that enter would cost as much as many
            room = self._room(_LAST)
        if size == 1 and self.n > _SMO:  # margins are not informative yet: a regular sample, or all
            sample = np.linspace(0, self.n - 1, min(self.n, _CHUNK, room)).astype(int)
            self.entering = np.setdiff1d(sample, np.flatnonzero(self.p))
            return True
        outside = np.flatnonzero((self.p == 0.0) & (self.margins < self.square))
        count = max(_FIRST, min(size, _MOST, room - size))
        if len(outside) > count:
            outside = outside[np.argpartition(self.margins[outside], count)[:count]]
        self.entering = outside
        return len(outside) > 0

    def _room(self, share: float) -> int:
        """The points that this share of the time left allows: a walk is cubic, an evaluation takes n entries each."""
        left = share * self.clock.left
        if math.isinf(left):
            return self.n
        cube = self._cubes[self.gap > _ROUGH and not self.stuck]
        return max(_FIRST, int(min((left / cube) ** (1 / 3), left / self._entry / self.n)))

    def walk(self) -> None:
        """Replace p by the minimiser over its support and the entering points, a rough one while many are missing."""
        S = np.union1d(np.flatnonzero(self.p), self.entering)
        Q, p = self._signed_gram(S), self.p[S]
        support, rough = np.ones(len(S), dtype=bool), len(S) > _LARGE and self.gap > _ROUGH and not self.stuck
        begun = self.clock.seconds
        if len(self.entering) > _SMO or rough:
            p = min(_smo(Q), p, key=lambda weights: float(weights @ Q @ weights))
            support = p > 0.0
        if not rough:
            try:
                solution = _exchange(Q, support, self.clock)
                p = _descend(Q, p, self.clock) if solution is None else solution
            except OutOfTime:
                pass  # p is feasible and no worse than before
        grown = int(np.count_nonzero(p)) - int(np.count_nonzero(self.p))
        self.stuck |= rough and grown < _GROWN * len(S)
        self.p[:] = 0.0
        self.p[S] = p
        if len(S) > _MEASURED:
            self._cubes[rough] = _SAFE * (self.clock.seconds - begun) / len(S) ** 3

    def _signed_gram(self, S: Indices) -> Array:
        if not isinstance(self.K, np.ndarray):
            Q = self.K.square(S)
        else:
            Q = self.K.copy() if len(S) == self.n else self.K[np.ix_(S, S)]
        Q *= math.ldexp(1.0, -self.exponent) * self.y[S]
        Q *= self.y[S, None]
        return Q


def _exchange(Q: Array, support: Mask, clock: Clock = FOREVER) -> Array | None:
    """Minimiser over the simplex by exchanging all wrong points at once (block principal pivoting), or None.

    Points of negative weight leave and points below the common margin enter, together.  That settles an almost right
    support in two or three rounds, but nothing forces it to end: it gives up once the number of wrong points has not
    fallen for `_PATIENCE` rounds (Judice and Pires, Comput. Oper. Res. 21, 1994).
    """
    fewest, patience = len(Q) + 1, _PATIENCE
    while True:
        clock.demand()
        hull = AffineHull(Q, support)
        x = np.zeros(len(Q))
        x[support] = hull.minimiser()
        margins = Q @ x
        wrong = np.where(support, x <= 0.0, margins < (1.0 - _SAME) * (x @ margins))
        count = int(wrong.sum())
        if count == 0:
            x[support] = hull.refined()
            return x if x.min() >= 0.0 else None
        patience = _PATIENCE if count < fewest else patience - 1
        fewest = min(count, fewest)
        if patience < 0:
            return None
        support = support ^ wrong
        if not support.any():
            return None


def _descend(Q: Array, p: Array, clock: Clock = FOREVER) -> Array:
    """Minimiser over the hull of the support of p and the entering points; p'Qp falls in every step.

    Wolfe's minor cycle: towards the affine minimiser until a weight vanishes, drop that point, repeat.
    """
    out = np.zeros(len(Q))
    S = np.arange(len(Q))
    while True:
        clock.demand()
        hull = AffineHull(Q)
        x = hull.minimiser()
        if (x > 0.0).all():
            x = hull.refined()
        if (x > 0.0).all():
            out[S] = x
            return out
        p = _boundary(Q, p, x)
        keep = (p > 0.0) | (x > 0.0)  # a point that has just entered and wants weight stays, at weight 0
        S, Q, p = S[keep], Q[np.ix_(keep, keep)], p[keep]


def _boundary(Q: Array, p: Array, x: Array) -> Array:
    """A feasible point with some weight zero and a norm no larger than p's, on the way from p to x.

    The line search of Wolfe's minor cycle; or x with its negative weights cut off, which drops many points at once,
    when that is even better.
    """
    falling = x <= 0.0
    steps = p[falling] / np.maximum(p[falling] - x[falling], np.finfo(float).tiny)
    line = p + steps.min() * (x - p)
    line[np.flatnonzero(falling)[steps == steps.min()]] = 0.0
    line = np.maximum(line, 0.0)
    cut = np.maximum(x, 0.0)
    cut /= cut.sum()
    return cut if cut @ Q @ cut <= line @ Q @ line else line


def _smo(Q: Array) -> Array:
    """An approximate minimiser of p'Qp over the simplex by sequential minimal optimisation, shape (k,).

    The one-class SVM with nu = 1/k is this very problem (its dual has sum 1 and no box that binds).  LIBSVM keeps Q
    in single precision, so it is asked for the support, not for digits.
    """
    p = one_class_weights(Q, 1.0 / len(Q), _SMO_TOLERANCE, 20 * len(Q))
    return p / p.sum()


def nnls_point(K: Gram, y: Array) -> Pair:
    """argmin_{p in simplex} p'YKYp by Lawson and Hanson's algorithm (``scipy.optimize.nnls``).

    ::

        min_{a >= 0} |F a|^2 + (sum a - 1)^2,     F'F = Y K Y,     p = a / sum a

    has the minimiser of p'YKYp over the simplex on its ray, since the objective at ``a = s p`` is
    ``s^2 p'YKYp + (s - 1)^2``, least where p'YKYp is.  For n up to about 2000.

    Parameters
    ----------
    K : (n, n) Gram matrix.  y : (n,) labels +-1.

    Raises
    ------
    InputError : the factorisation does not fit the memory.  SolverError : the iteration limit was reached.
    """
    from scipy.optimize import nnls

    start, n = time.perf_counter(), len(y)
    memory.require(4 * 8.0 * n * n, f"NNLS with n = {n} points", "use the solver 'auto'")
    K = np.asarray(K)
    unit = float(np.diagonal(K).max(initial=0.0)) or 1.0
    eigenvalues, vectors = np.linalg.eigh(K / unit)
    F = np.sqrt(np.maximum(eigenvalues, 0.0))[:, None] * (vectors.T * y)
    try:
        a, _ = nnls(np.vstack([F, np.ones(n)]), np.append(np.zeros(n), 1.0), maxiter=30 * n)
    except RuntimeError as error:
        raise SolverError(f"NNLS stopped before it converged ({error}); use the solver 'auto'") from error
    p = a / a.sum()
    margin = math.sqrt(max(float((y * p) @ K @ (y * p)), 0.0)) or 1.0
    attempt = Attempt("nnls", "converged", time.perf_counter() - start)
    return Pair(KernelExpansion(y * p / margin), p, attempts=(attempt,))
