r"""A cheap proved bound in any dimension: replace every |a.z_i| by a quadratic, and solve one trust-region problem.

Degree 1. Since (u)_+ = (u + |u|)/2, with ``m = sum_i q_i (right - left)/2 z_i`` and ``c = (right + left) q``

    s g(a) = s m.a + (1/2) sum_i s c_i |a.z_i|,      u^2/|z_i| <= |u| <= (beta_i + u^2/beta_i)/2   for u = a.z_i,

so that s g(a) <= t for all unit a as soon as, for some beta_i > 0 and rho,

    S = [ t - rho - (1/4) sum_{+} s c_i beta_i        -(s/2) m'  ]
        [ -(s/2) m                                    rho I - H  ]   is positive semidefinite,
    H = (1/4) sum_{+} (s c_i / beta_i) z_i z_i'  -  (1/2) sum_{-} (|c_i| / |z_i|) z_i z_i'

(+: the i with s c_i > 0; -: those with s c_i < 0). The best beta solves a small convex problem, here by Frank-Wolfe on
its dual: beta_i^2 = z_i'A z_i with A the average of a a' over the maximisers found so far.
Degree 2. ``s q_i sigma(u) <= eta_i u^2``, eta_i = max(s q_i right, s q_i left): t = lambda_max(sum_i eta_i z_i z_i').

The proof is ``{"kind": "spectral", "version": 1, "signs": [leaf, leaf]}`` with one leaf for each sign, +1 first,
``{"sign": s, "value": t, "rho": rho, "beta": [n numbers > 0]}``, with S as above in degree 1, and
S = rho I - sum_i eta_i z_i z_i', t = rho in degree 2 (beta is then empty).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..clock import FOREVER, Clock
from ..conventions import Array
from ..errors import InputError
from ..features.homogeneous import Feature
from ..rounding import above, relative_error
from .lifted.inequality import is_positive_semidefinite
from .oracle import SPHERE_BOUND, SPHERE_EXACT, Responses
from .span import Span, extended, wide

KIND = "spectral"
_LARGE = 300  # dimension from which the time of an eigendecomposition is estimated
_EIGH = 2e-9  # seconds of an eigendecomposition, divided by D^3
_PATIENCE = 4.0  # the time left must allow this many eigendecompositions: two signs, and the verification of both


class SpectralOracle:
    """Best responses estimated, and bounded from above, by the trust-region problem of this module's docstring.

    Parameters
    ----------
    Z : (n, D) what the activation sees.
    feature : sigma.
    rounds : Frank-Wolfe rounds for each sign; a few milliseconds at n = 256, D = 15.
    clock : no round starts after it expires; where not even one would end in time, an extreme eigenvalue is used.
    """

    def __init__(self, Z: Array, feature: Feature, rounds: int = 12, clock: Clock = FOREVER) -> None:
        self.Z, self.feature, self.rounds = np.ascontiguousarray(Z, dtype=float), feature, rounds
        self.clock = clock

    def __call__(self, q: Array, count: int = 15) -> Responses:
        """Proved bound over both signs, with the evaluated directions that the bound visited."""
        q = np.asarray(q, dtype=float)
        rows = np.flatnonzero((q != 0.0) & self.Z.any(axis=1))
        if not len(rows):
            axis = np.eye(1, self.Z.shape[1])
            return Responses(axis, np.ones(1), np.zeros(1), 0.0, SPHERE_EXACT)
        Z, n = self.Z[rows], len(self.Z)
        span = Span.of(Z) if wide(Z) else None
        leaves, D, s, bound = self._bounded(Z if span is None else span.X, q[rows])
        if span is not None:
            D, bound = span.lift(D), span.bound(bound, q[rows], self.feature)
        values = s * (self.feature.evaluate(D, Z) @ q[rows])
        best = np.argsort(-values)[:count]
        proof = extended({"kind": KIND, "version": 1, "signs": leaves}, rows, n)
        return Responses(D[best], s[best], values[best], bound, SPHERE_BOUND, proof)

    def _bounded(self, Z: Array, q: Array) -> tuple[list[dict[str, Any]], Array, Array, float]:
        """The proof's leaves for both signs, the directions visited with their signs, and what the leaves prove."""
        parts = [self._leaf(Z, q, sign) for sign in (1, -1)]
        leaves = [leaf for leaf, _ in parts]
        signs = np.concatenate([np.full(len(visited), leaf["sign"], dtype=float) for leaf, visited in parts])
        bound = verify(Z, np.ones(len(q)), self.feature, q, {"kind": KIND, "version": 1, "signs": leaves})
        return leaves, np.vstack([visited for _, visited in parts]), signs, bound

    def _leaf(self, Z: Array, q: Array, sign: int) -> tuple[dict[str, Any], Array]:
        """Numbers of the proof for one sign, and the directions visited on the way."""
        D = Z.shape[1]
        if D > _LARGE and self.clock.left < _PATIENCE * _EIGH * D**3:
            return self._rough_leaf(Z, q, sign)
        if self.feature.degree == 2:
            values, vectors = np.linalg.eigh(_quadratic(Z, q, self.feature, sign, np.ones(len(Z))))
            value = _outward(float(values[-1]), float(np.abs(values).max()))
            return {"sign": sign, "value": value, "rho": value, "beta": []}, vectors.T[-1:]
        linear, weight = _linear(Z, q, self.feature, sign), sign * (self.feature.right + self.feature.left) * q
        moment, visited = np.eye(D) / D, []
        best = (np.inf, 0.0, np.ones(len(Z)))
        for k in range(self.rounds):
            if k and D > _LARGE and self.clock.left < _PATIENCE * _EIGH * D**3:
                break
            beta = np.sqrt(((Z @ moment) * Z).sum(axis=1))  # positive: the moment keeps a share 2/(k (k + 1)) of I/D
            a, value, rho = _trust_region(_quadratic(Z, q, self.feature, sign, beta), linear)
            value += 0.25 * float(np.maximum(weight, 0.0) @ beta)
            visited += [a, -a]
            if value < best[0]:
                best = (value, rho, beta)
            moment += (np.outer(a, a) - moment) * 2.0 / (k + 3.0)
        value, rho, beta = best
        size = abs(value) + abs(rho)
        return {"sign": sign, "value": _outward(value, size), "rho": rho, "beta": beta.tolist()}, np.array(visited)

    def _rough_leaf(self, Z: Array, q: Array, sign: int) -> tuple[dict[str, Any], Array]:
        """Without eigendecomposition: ``t = lambda + |m| + sum w_i beta_i / 4`` with rho = lambda + |m| / 2.

        lambda is the largest eigenvalue of H, a little too large; m the linear part; beta_i = |z_i| / D^(1/2).
        """
        from scipy.sparse.linalg import ArpackNoConvergence, eigsh

        D, feature = Z.shape[1], self.feature
        beta = np.sqrt(np.maximum((Z * Z).sum(axis=1) / D, np.finfo(float).tiny))
        H = _quadratic(Z, q, feature, sign, beta)
        size = float(np.linalg.norm(H))
        try:
            top = float(eigsh(H, 1, which="LA", tol=1e-3, return_eigenvectors=False, v0=np.ones(D))[0])
        except ArpackNoConvergence:
            top = size
        top = max(top, 0.0) + 2e-3 * size
        if feature.degree == 2:
            return {"sign": sign, "value": top, "rho": top, "beta": []}, np.eye(1, D)
        linear, weight = _linear(Z, q, feature, sign), sign * (feature.right + feature.left) * q
        length = float(np.linalg.norm(linear))
        value = top + length + 0.25 * float(np.maximum(weight, 0.0) @ beta)
        leaf = {"sign": sign, "value": _outward(value, value), "rho": top + 0.5 * length, "beta": beta.tolist()}
        visited = linear[None] / length if length else np.eye(1, D)
        return leaf, np.vstack([visited, -visited])


def verify(Z: Array, y: Array, feature: Feature, p: Array, proof: dict[str, Any]) -> float:
    """Proved bound on ``max over s, |a|=1 of s sum_i p_i y_i sigma(a.z_i)`` for any numbers in the proof.

    When S is not positive semidefinite, S + delta I is for some delta > 0, and ``t + 2 delta`` replaces t (degree 2:
    ``t + delta``, since r has no row).

    Raises
    ------
    InputError : the proof is not of the documented form.
    """
    if proof.get("kind") != KIND or [leaf["sign"] for leaf in proof["signs"]] != [1, -1]:
        raise InputError(f"proof: found kind {proof.get('kind')!r}, wanted {KIND!r} with signs +1, -1")
    q = np.asarray(p, dtype=float) * y
    rows = np.flatnonzero((q != 0.0) & Z.any(axis=1))
    if not len(rows):
        return 0.0
    return max(_leaf_bound(Z[rows], q[rows], feature, leaf, rows) for leaf in proof["signs"])


def _leaf_bound(Z: Array, q: Array, feature: Feature, leaf: dict[str, Any], rows: NDArray[np.int64]) -> float:
    n, D = Z.shape
    sign, value, rho = leaf["sign"], float(leaf["value"]), float(leaf["rho"])
    S, magnitude = np.zeros((1 + D, 1 + D)), np.zeros((1 + D, 1 + D))
    if feature.degree == 1:
        beta = np.asarray(leaf["beta"], dtype=float)[rows]
        if not (beta > 0.0).all():
            raise InputError("proof: beta must be positive")
        part = 0.25 * np.maximum(sign * (feature.right + feature.left) * q, 0.0) * beta
        S[0, 0] = value - rho - part.sum()
        magnitude[0, 0] = abs(value) + abs(rho) + part.sum()
        S[0, 1:] = S[1:, 0] = -0.5 * _linear(Z, q, feature, sign)
        magnitude[0, 1:] = magnitude[1:, 0] = np.abs(q * (feature.right - feature.left)) @ np.abs(Z)
    else:
        beta = np.ones(n)
        value = rho
    S[1:, 1:] = rho * np.eye(D) - _quadratic(Z, q, feature, sign, beta)
    weights = np.abs(_curvatures(Z, q, feature, sign, beta))
    magnitude[1:, 1:] = (np.abs(Z).T * weights) @ np.abs(Z) + abs(rho) * np.eye(D)
    if feature.degree == 2:  # without a row for r: zeros would hide that the rest is definite
        S, magnitude = S[1:, 1:], magnitude[1:, 1:]
    error = float(np.linalg.norm(magnitude)) * relative_error(2 * n + 4 * D + 24) * 1.0001
    if is_positive_semidefinite(S, error):
        return value
    delta = max(0.0, -float(np.linalg.eigvalsh(S)[0])) + 2.0 * error
    while not is_positive_semidefinite(S + delta * np.eye(len(S)), error + 1e-15 * delta):
        delta = 1.5 * delta + 1e-300
        if not np.isfinite(delta):
            return float("inf")
    length = 3.0 - feature.degree  # squared, of the vector (1, a) or a
    return above(value, length * delta * (1.0 + 1e-12))


def _linear(Z: Array, q: Array, feature: Feature, sign: int) -> Array:
    return (sign * 0.5 * (feature.right - feature.left)) * (q @ Z)


def _curvatures(Z: Array, q: Array, feature: Feature, sign: int, beta: Array) -> Array:
    """Coefficient of (a.z_i)^2 in the quadratic that replaces the payoff of point i."""
    if feature.degree == 2:
        return np.maximum(sign * feature.right * q, sign * feature.left * q)
    weight = sign * (feature.right + feature.left) * q
    length = np.linalg.norm(Z, axis=1)
    return np.where(weight > 0.0, 0.25 * weight / beta, 0.5 * weight / np.maximum(length, 1e-300))


def _quadratic(Z: Array, q: Array, feature: Feature, sign: int, beta: Array) -> Array:
    """H of the module's docstring (degree 1), or sum_i eta_i z_i z_i' (degree 2); shape (D, D)."""
    H = (Z.T * _curvatures(Z, q, feature, sign, beta)) @ Z
    return 0.5 * (H + H.T)


def _trust_region(H: Array, linear: Array) -> tuple[Array, float, float]:
    """Maximiser a of linear.a + a'Ha over the unit sphere, a value not below its maximum (up to rounding), and rho."""
    eigenvalues, vectors = np.linalg.eigh(H)
    b = 0.5 * (vectors.T @ linear)
    low = high = eigenvalues[-1]
    high += float(np.linalg.norm(b)) + 1e-300
    with np.errstate(over="ignore"):  # an infinite length is rightly above 1
        for _ in range(60):
            rho = 0.5 * (low + high)
            if ((b / np.maximum(rho - eigenvalues, 1e-300)) ** 2).sum() > 1.0:
                low = rho
            else:
                high = rho
    gap = np.maximum(high - eigenvalues, 1e-300)
    x = np.clip(b / gap, -1.0, 1.0)  # |x| <= 1, unless b is lost beside the eigenvalues
    # In the hard case the top eigenvector fills what is missing to unit length.
    x[-1] += np.sqrt(max(0.0, 1.0 - float(x @ x))) * (1.0 if x[-1] >= 0.0 else -1.0)
    a = vectors @ x
    return a / np.linalg.norm(a), high + float(b @ x), float(high)


def _outward(value: float, size: float) -> float:
    """Slightly larger, so that the semidefinite test succeeds despite rounding."""
    return value + 1e-11 * size
