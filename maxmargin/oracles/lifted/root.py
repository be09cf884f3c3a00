r"""Proved upper bounds on gamma_1 in any dimension: the lifted relaxation, from the data to a verified proof.

    gamma = min_p max_{s, |a|=1} s sum_i p_i y_i sigma(a.z_i)   (path convention)

Lift (r, a, h) = (|a|, a, ((a.z_i)_+)_i); products of non-negative forms, and of each with |w.a| <= r, stay
non-negative: `inequality` states the inequality, `splitting` finds multipliers and an adversary together,
`repair` makes them a proof, and the bound returned is what `inequality.verify` reads in the proof.
Points outside the support keep weight p_i = 0: fewer points can only raise the margin, so the bound holds for all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...clock import FOREVER, Clock
from ...conventions import Array
from ...errors import InputError
from ...features.homogeneous import Feature
from ...text import gap_text
from ..oracle import SPHERE_BOUND
from ..span import Span, combined, extended, wide
from ..spectral import SpectralOracle
from .inequality import KIND, Path, leaf_forms, payoff_weights, verify
from .leaf import LiftedBlock
from .repair import pack, repair, rescale, truncate
from .splitting import LiftedSplitting

_ITERATION = 4e-9  # seconds of an iteration, divided by the cube of the order of its matrices
_WORTH = 5.0  # the time limit must allow this many iterations
_SHORTER = 1e-10  # fraction of the bound that may be lost for a proof whose length does not grow with D
_PATIENCE, _GAIN = 1000, 1e-6  # stop when the bound falls by less than this fraction in so many iterations
MAX_SUPPORT = 300  # more points would cost more than they tighten: an iteration is cubic in their number
Progress = Callable[[str], None]


@dataclass(frozen=True)
class BoundResult:
    """A proved upper bound on gamma_1, path convention.

    Attributes
    ----------
    adversary : (n,) p >= 0 with sum 1 up to rounding.
    bound : ``s sum_i p_i y_i sigma(a.z_i) <= bound`` for both s and every unit a, as `verify` reads in the proof.
    scope : "sphere-bound"; a lower bound shows how far it is from exact.
    proof : JSON-able ("lifted-relaxation" or "spectral").
    attempts : one record {"name", "status", "seconds", ...} for each solver call.
    nodes : leaves of the branch and bound tree, both signs (2 = root only).
    """

    adversary: Array
    bound: float
    scope: str
    proof: dict[str, Any]
    attempts: list[dict[str, Any]] = field(default_factory=list)
    nodes: int = 2


@dataclass(frozen=True)
class LiftedGame:
    """The points that carry the relaxation, in its units: unit rows, payoffs y_i |z_i|^degree / scale.

    Attributes
    ----------
    Z : (n, D) what the activation sees.  y : (n,) labels +-1.  feature : the activation.
    support : indices of the points that carry the relaxation.  scale : a number of the size of gamma_1.
    """

    Z: Array
    y: Array
    feature: Feature
    support: NDArray[np.int64]
    scale: float

    @property
    def lengths(self) -> Array:
        """|z_i| on the support."""
        return np.linalg.norm(self.Z[self.support], axis=1)

    @property
    def unit(self) -> Array:
        """z_i / |z_i| on the support."""
        return self.Z[self.support] / self.lengths[:, None]

    @property
    def payoff(self) -> Array:
        """y_i |z_i|^degree / scale on the support."""
        return self.y[self.support] * self.lengths**self.feature.degree / self.scale

    def adversary(self, p: Array) -> Array:
        """Weights on all n points, summing to one, from the weights on the support."""
        weights = np.zeros(len(self.Z))
        weights[self.support] = p / p.sum()
        return weights

    def leaf(self, sign: int, path: Path, p: Array, multipliers: dict[str, Any]) -> dict[str, Any]:
        """Repaired leaf, in the units of the data, of multipliers in the relaxation's units; p (n,)."""
        points = self.Z[self.support]
        full_path = tuple(s if s.point is None else s._replace(normal=points[s.point]) for s in path)
        forms = leaf_forms(points, full_path)
        q = p[self.support] * self.y[self.support]
        payoff = sign * payoff_weights(forms, self.feature, q)
        scaled = truncate(rescale(multipliers, forms, self.lengths, self.scale), forms)
        return repair(points, forms, self.feature.degree, payoff, scaled)

    def proof(self, plus: dict[str, Any], minus: dict[str, Any]) -> dict[str, Any]:
        """JSON of the proof from the two trees."""
        trees = [{"sign": 1, "tree": plus}, {"sign": -1, "tree": minus}]
        return {"kind": KIND, "version": 1, "support": self.support.tolist(), "trees": trees}


def lifted_bound(
    Z: Array,
    y: Array,
    feature: Feature,
    *,
    p: Array | None = None,
    lower: float | None = None,
    clock: Clock = FOREVER,
    tolerance: float = 1e-4,
    iterations: int = 3000,
    progress: Progress | None = None,
    fixed: bool = False,
) -> BoundResult:
    """Proved upper bound on gamma_1 from the root relaxation, with the adversary that attains it.

    Parameters
    ----------
    Z, y : (n, D) what the activation sees, labels +-1 (n,).
    feature : sigma.
    p : (n,) adversary whose support carries the relaxation (default: all points).
    lower : a lower bound on gamma_1, used for scaling and for stopping only.
    clock : when it expires the best proof so far is returned.
    tolerance : stop when the proved bound exceeds the relaxation's value by less than this fraction.
    iterations : the largest number of iterations.
    fixed : p itself is bounded (its weights below 1e-12 of the largest are dropped), instead of the best adversary.

    Raises
    ------
    InputError : shapes that do not fit, negative weights.
    """
    game, start = lifted_game(Z, y, feature, p, lower, clock=clock)
    if game is None:
        return start
    if wide(game.Z[game.support]):
        limits: dict[str, Any] = {"clock": clock, "tolerance": tolerance, "iterations": iterations}
        return in_span(game, start, partial(lifted_bound, fixed=fixed, progress=progress, **limits))
    blocks = [LiftedBlock(game.unit, sign) for sign in (1, -1)]
    weights = start.adversary[game.support]
    splitting = LiftedSplitting(blocks, game.payoff, feature, fixed=weights / weights.sum() if fixed else None)
    return _improve(game, splitting, start, (clock, tolerance, iterations), progress)


def lifted_game(
    Z: Array, y: Array, feature: Feature, p: Array | None, lower: float | None, *, clock: Clock = FOREVER
) -> tuple[LiftedGame | None, BoundResult]:
    """The game on the support of p, and the spectral bound for p to start from.

    None instead of the game if that bound is 0, or if the clock allows no iteration.
    """
    Z, y = np.ascontiguousarray(Z, dtype=float), np.asarray(y, dtype=float)
    p = np.full(len(Z), 1.0 / len(Z)) if p is None else np.asarray(p, dtype=float)
    if Z.ndim != 2 or y.shape != (len(Z),) or p.shape != (len(Z),):
        raise InputError(f"Z {Z.shape}, y {y.shape}, p {p.shape}: wanted (n, D), (n,), (n,)")
    if not (p >= 0.0).all() or not p.any():
        raise InputError(f"p: found weights from {p.min()} to {p.max()}, wanted weights >= 0 that are not all zero")
    watch = Clock()
    zero = ~Z.any(axis=1)
    if zero.any():
        # A neuron pays nothing at z = 0, so all the weight there proves gamma = 0.
        p = np.where(np.arange(len(Z)) == np.argmax(zero), 1.0, 0.0)
    answer = SpectralOracle(Z, feature, clock=clock)(p * y)
    attempt = {"name": "spectral", "status": "bound", "seconds": watch.seconds, "bound": answer.bound}
    start = BoundResult(p, answer.bound, SPHERE_BOUND, answer.proof or {}, [attempt])
    if answer.bound <= 0.0:
        return None, start
    heaviest = np.argsort(-p, kind="stable")[:MAX_SUPPORT]
    support = np.sort(heaviest[p[heaviest] > 1e-12 * p.max()])
    order = 1 + len(support) + min(Z.shape[1], len(support) + 1)
    if clock.left < _WORTH * _ITERATION * order**3:
        return None, start
    scale = lower if lower is not None and lower > 1e-9 * answer.bound else 0.5 * answer.bound
    return LiftedGame(Z, y, feature, support, scale), start


def in_span(game: LiftedGame, start: BoundResult, bound: Callable[..., BoundResult]) -> BoundResult:
    """What `bound` proves for the support in the coordinates of its span, as a proof for all points of the game."""
    rows, n = game.support, len(game.Z)
    span = Span.of(game.Z[rows])
    found = bound(span.X, game.y[rows], game.feature, p=start.adversary[rows])
    p = np.zeros(n)
    p[rows] = found.adversary
    attempts = [*start.attempts, *found.attempts[1:]]
    short = combined(found.proof, span.X)
    reached = verify(span.X, game.y[rows], game.feature, found.adversary, short) if "trees" in short else np.inf
    as_good = reached <= found.bound * (1.0 + _SHORTER)
    value = span.bound(max(reached, found.bound) if as_good else found.bound, found.adversary, game.feature)
    if value >= start.bound:
        return replace(start, attempts=attempts)
    proof = extended(span.wider(short if as_good else found.proof), rows, n)
    return replace(found, adversary=p, bound=value, proof=proof, attempts=attempts)


def _improve(
    game: LiftedGame,
    splitting: LiftedSplitting,
    best: BoundResult,
    limits: tuple[Clock, float, int],
    progress: Progress | None,
) -> BoundResult:
    """Runs the splitting and keeps the best repaired bound, within (clock, tolerance, iterations)."""
    clock, tolerance, iterations = limits
    watch, status, value = Clock(), "iteration limit", float("inf")
    attempts, gained = list(best.attempts), 0
    try:
        while splitting.iterations < iterations:
            splitting.run(50, clock)
            p = game.adversary(splitting.p)
            leaves = [game.leaf(b.sign, b.path, p, splitting.multipliers(b)) for b in splitting.blocks]
            value = max(leaf["value"] for leaf in leaves)
            if value < best.bound * (1.0 - _GAIN):
                gained = splitting.iterations
            if value < best.bound:
                proof = game.proof(*map(pack, leaves))
                best = BoundResult(p, verify(game.Z, game.y, game.feature, p, proof), SPHERE_BOUND, proof)
            if progress:
                above = gap_text(max(1.0 - splitting.value() * game.scale / value, 0.0) if value > 0.0 else 0.0)
                done = f"iteration {splitting.iterations:,} of at most {iterations:,}"
                progress(f"upper end: {done}, estimated gap to the relaxation {above}")
            if value - splitting.value() * game.scale < tolerance * value:
                status = "solved"
                break
            if clock.expired:
                status = "time limit"
                break
            if splitting.iterations - gained >= _PATIENCE:
                status = "stalled"
                break
    except KeyboardInterrupt:
        status = "interrupted"
    except np.linalg.LinAlgError:
        status = "numerical failure"
    attempts.append(_attempt(splitting, status, watch.seconds, best.bound))
    return BoundResult(best.adversary, best.bound, best.scope, best.proof, attempts)


def _attempt(splitting: LiftedSplitting, status: str, seconds: float, bound: float) -> dict[str, Any]:
    return {
        "name": "lifted splitting",
        "status": status,
        "seconds": seconds,
        "iterations": splitting.iterations,
        "bound": bound,
    }
