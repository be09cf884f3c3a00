r"""Branch and bound on activation signs: the lifted relaxation on a partition of the sphere, one adversary for all.

A leaf is a cone of directions on which some a.z_i keep their sign; its relaxation multiplies that sign with everything
else. All open leaves are relaxed jointly (`splitting`), so that the adversary is the best one against all of
them, and each round splits the leaves whose mass the relaxation puts on both sides of a point that pays for it:

    score of point i in leaf b = s q_i |z_i| min(E_b[h_i], E_b[h'_i])

At any moment the repaired multipliers of all leaves are a proof; the worst ones are improved against the adversary of
the moment (`leaf_polish`), and the best proof seen is returned.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np

from ...clock import FOREVER, Clock
from ...conventions import Array
from ...features.homogeneous import Feature
from ...text import gap_text
from ..oracle import SPHERE_BOUND
from ..span import wide
from .inequality import Path, Split, verify
from .leaf import LiftedBlock
from .leaf_polish import LeafPolisher
from .repair import pack
from .root import BoundResult, LiftedGame, in_span, lifted_game
from .splitting import PENALTY, LiftedSplitting

ROOT_ITERATIONS, ROUND_ITERATIONS = 200, 48
SPLIT_SHARE = 0.9  # each round splits the leaves that carry this share of the total score
POLISHED = 1e-3  # a leaf whose bound is within this relative distance of the relaxation's value is not polished
AT_ONCE = 2  # leaves polished together, whatever the number of threads, so that it does not change the result
RATIO = 0.1  # branch when relaxation - lower > RATIO * (bound - relaxation)
BRANCHING_SHARE = 0.7  # share of the time or rounds for branching; the rest tightens the proof of the final tree
SINGLE_GAP = 5e-3  # down to this relative gap single precision iterates as well, in half the time
CLOSED_MASS = 1e-5  # leaves of less mass are taken out of the iteration and keep their multipliers
MAX_LEAVES = 180  # no leaf is split beyond so many: what is left of the time makes their bounds tight
MAX_ENTRIES = 3e7  # of all moment matrices together, of which about sixteen copies are kept: 2 GB in single precision
T = TypeVar("T")
NOTHING = 1e-10  # a bound below this fraction of the spectral bound is treated as zero


@dataclass
class _Leaf:
    """A leaf outside the iteration: its multipliers still have to hold against every new adversary."""

    block: LiftedBlock
    multipliers: dict[str, Any]


@dataclass
class _Best:
    """The best proof seen: adversary, and for each leaf (sign, path, repaired leaf)."""

    value: float = math.inf
    adversary: Array = field(default_factory=lambda: np.zeros(0))
    leaves: list[tuple[int, Path, dict[str, Any]]] = field(default_factory=list)


class BranchAndBound:
    """The open and closed leaves of both trees, and the best proof they have given so far."""

    def __init__(self, game: LiftedGame, lower: float, pool: ThreadPoolExecutor | None = None) -> None:
        self.game, self.lower, self.pool, self.best = game, lower, pool, _Best()
        self.closed: list[_Leaf] = []
        self.iterations, self._due = 0, False
        self._relax([LiftedBlock(game.unit, sign, dtype=np.float32) for sign in (1, -1)])

    def _refine(self) -> None:
        """Every leaf in double precision."""
        self.closed = [_Leaf(leaf.block.copy(np.float64), leaf.multipliers) for leaf in self.closed]
        self._relax([block.copy(np.float64) for block in self.splitting.blocks], self.splitting.penalty)

    def _relax(self, blocks: list[LiftedBlock], penalty: float = PENALTY) -> None:
        self.splitting = LiftedSplitting(blocks, self.game.payoff, self.game.feature, penalty, pool=self.pool)

    @property
    def leaves(self) -> int:
        """Number of leaves of the tree, open and closed."""
        return len(self.closed) + len(self.splitting.blocks)

    @property
    def gap(self) -> float:
        """The relative gap between the lower bound that the search was given and the best proved bound."""
        return max(1.0 - self.lower / self.best.value, 0.0) if self.best.value > 0.0 else 0.0

    @property
    def value(self) -> float:
        """The relaxation's value over the open leaves, an estimate."""
        return self.splitting.value() * self.game.scale

    def advance(self, clock: Clock = FOREVER, branching: bool = True) -> None:
        """One round: branch if it is time to, iterate, evaluate."""
        if self.gap < SINGLE_GAP and self.splitting.blocks[0].V.dtype == np.float32:
            self._refine()
        if branching and self._due and self.leaves < min(MAX_LEAVES, MAX_ENTRIES / self.splitting.blocks[0].order ** 2):
            self.branch()
        self.iterations += self.splitting.run(ROUND_ITERATIONS if self.iterations else ROOT_ITERATIONS, clock)
        bound, value = self.evaluate(clock, polish=not branching), self.value
        # Do not branch while the relaxation is far from solved, nor when it is near the lower bound.
        self._due = value - self.lower > RATIO * (bound - value)

    def _each(self, work: Callable[..., T], items: Sequence[Any]) -> list[T]:
        """The work for each item, in threads if there is a pool."""
        return list((self.pool.map if self.pool else map)(work, items))

    def evaluate(self, clock: Clock = FOREVER, polish: bool = False) -> float:
        """Repairs every leaf against the present adversary, keeps the proof if it is the best, reopens what fails.

        Leaves are polished when that may pay: on demand, and when it is time to branch. Returns the unpolished bound.
        """
        splitting = self.splitting
        p = self.game.adversary(splitting.p)
        current = [*map(_Leaf, splitting.blocks, self._each(splitting.multipliers, splitting.blocks)), *self.closed]
        repaired = self._each(
            lambda leaf: self.game.leaf(leaf.block.sign, leaf.block.path, p, leaf.multipliers), current
        )
        values = np.array([leaf["value"] for leaf in repaired])
        bound = float(values.max())
        if polish or self.value - self.lower > RATIO * (bound - self.value):
            repaired = self._polish([leaf.block for leaf in current], repaired, clock)
            values = np.array([leaf["value"] for leaf in repaired])
        if values.max() < self.best.value:
            leaves = [(leaf.block.sign, leaf.block.path, fixed) for leaf, fixed in zip(current, repaired, strict=True)]
            self.best = _Best(float(values.max()), p, leaves)
        self._reopen(values)
        return bound

    def _polish(self, blocks: list[LiftedBlock], repaired: list[dict[str, Any]], clock: Clock) -> list[dict[str, Any]]:
        """The repaired leaves, worst first improved for as long as that lowers the bound below the best one."""
        splitting, polishers = self.splitting, {}
        values = np.array([leaf["value"] for leaf in repaired])
        aim = max(self.lower, self.value) * (1.0 + POLISHED)
        while values.max() > aim and self.value < self.best.value:
            worst = [int(k) for k in np.argsort(-values, kind="stable")[:AT_ONCE]]
            for k in worst:
                if k not in polishers:
                    state = splitting.p, splitting.penalty, repaired[k]
                    polishers[k] = LeafPolisher(self.game, blocks[k], *state)
            if polishers[worst[0]].exhausted or clock.expired:
                break
            pair = [polishers[k] for k in worst]
            values[worst] = self._each(LeafPolisher.improve, pair)
        return [polishers[k].leaf if k in polishers else leaf for k, leaf in enumerate(repaired)]

    def _reopen(self, values: Array) -> None:
        """Closed leaves that are worse than the open ones, or than the target, return to the iteration."""
        opened = len(self.splitting.blocks)
        limit = max(self.lower, min(self.value, float(values[:opened].max())))
        back = [leaf for leaf, value in zip(self.closed, values[opened:], strict=True) if value > limit]
        if back:
            self.closed = [leaf for leaf in self.closed if not any(leaf is other for other in back)]
            self._relax(self.splitting.blocks + [leaf.block for leaf in back], self.splitting.penalty)

    def branch(self) -> None:
        """Splits the open leaves with the largest scores, closes those without mass."""
        blocks, splitting = [], self.splitting
        scores = [self._scores(block) for block in splitting.blocks]
        tops = np.array([score.max(initial=0.0) for score in scores])
        order = np.argsort(-tops)
        share = np.cumsum(tops[order]) - tops[order]
        chosen = set(order[(share < SPLIT_SHARE * tops.sum()) & (tops[order] > 0.0)].tolist())
        for k, block in enumerate(splitting.blocks):
            if k in chosen:
                point = int(np.argmax(scores[k]))
                blocks += [_child(self.game, block, point, side) for side in (1, -1)]
            elif block.W[0, 0] < CLOSED_MASS and len(splitting.blocks) > 2:
                self.closed.append(_Leaf(block, splitting.multipliers(block)))
            else:
                blocks.append(block)
        self._relax(blocks, splitting.penalty)

    def _scores(self, block: LiftedBlock) -> Array:
        """The possible gain of the relaxation from the open sign of each point, (N,)."""
        game, forms = self.game, block.forms
        scores = np.zeros(len(game.support))
        right, left = (index[forms.free] + 1 + block.D for index in (forms.right, forms.left))
        q = block.sign * self.splitting.p * game.payoff
        if game.feature.degree == 1:
            bend = q * (game.feature.right + game.feature.left)
            ambiguous = np.minimum(block.W[0, right], block.W[0, left])
        else:
            bend = np.abs(q * (game.feature.right - game.feature.left))
            ambiguous = np.minimum(block.W[right, right], block.W[left, left])
        scores[forms.free] = np.maximum(bend[forms.free], 0.0) * ambiguous
        return scores

    def result(self, start: BoundResult, attempt: dict[str, Any]) -> BoundResult:
        """The best proof as JSON, with the bound that the verifier reads in it."""
        attempts = [*start.attempts, attempt]
        if not self.best.leaves or self.best.value >= start.bound:
            return replace(start, attempts=attempts)
        by_sign = [[(path, leaf) for s, path, leaf in self.best.leaves if s == sign] for sign in (1, -1)]
        trees = [_tree(leaves, self.game) for leaves in by_sign]
        proof, p, game = self.game.proof(*trees), self.best.adversary, self.game
        bound = verify(game.Z, game.y, game.feature, p, proof)
        return BoundResult(p, bound, SPHERE_BOUND, proof, attempts, len(self.best.leaves))


def _child(game: LiftedGame, block: LiftedBlock, point: int, side: int) -> LiftedBlock:
    """The leaf on one side of a point, started from its parent's state: its share of the moments, all multipliers.

    The moments of the split form itself belong to one side alone, which keeps every margin as it was.
    """
    child = LiftedBlock(game.unit, block.sign, (*block.path, Split(point, game.unit[point], side)), block.V.dtype)
    old, new, first = block.forms, child.forms, 1 + block.D
    origin = np.arange(first + len(new.L))
    origin[first + len(block.path)] = first + (old.right if side > 0 else old.left)[point]
    origin[first + new.right[new.free]] = first + old.right[new.free]
    origin[first + new.left[new.free]] = first + old.left[new.free]
    right, left = block.W[0, first + old.right[point]], block.W[0, first + old.left[point]]
    share = np.clip((right if side > 0 else left) / max(right + left, 1e-300), 0.1, 0.9)
    weights = np.full((len(origin), len(origin)), share, block.V.dtype)
    split = first + len(block.path)
    weights[split] = weights[:, split] = 1.0
    entries = np.ix_(origin, origin)
    child.V = (block.V - block.W)[entries] + weights * block.W[entries]
    return child


def _tree(leaves: list[tuple[Path, dict[str, Any]]], game: LiftedGame, depth: int = 0) -> dict[str, Any]:
    """JSON tree from the leaves below one node."""
    if len(leaves) == 1 and len(leaves[0][0]) == depth:
        return pack(leaves[0][1])
    point = leaves[0][0][depth].point
    sides = [[leaf for leaf in leaves if leaf[0][depth].side == side] for side in (1, -1)]
    plus, minus = (_tree(side, game, depth + 1) for side in sides)
    return {"point": int(game.support[point]), "plus": plus, "minus": minus}


def tighten(
    Z: Array,
    y: Array,
    feature: Feature,
    *,
    p: Array | None = None,
    lower: float | None = None,
    clock: Clock = FOREVER,
    tolerance: float = 1e-3,
    max_rounds: int = 1000,
    n_jobs: int = 1,
    progress: Callable[[str], None] | None = None,
) -> BoundResult:
    """Proved upper bound on gamma_1 (path convention) by branch and bound, as tight as the time allows.

    Parameters
    ----------
    Z, y, feature : the game; (n, D), (n,).
    p : (n,) adversary whose support carries the relaxation (default: all points).
    lower : a lower bound on gamma_1: the scale, and the target of the bound.
    clock : when it expires the best proof so far is returned; Ctrl-C does the same.
    tolerance : stop when bound <= lower (1 + tolerance), or when the bound is negligible beside the spectral one.
    max_rounds : rounds of 48 iterations each; the end of the search when the clock has no limit.
    n_jobs : threads that share the leaves.

    Raises
    ------
    InputError : shapes that do not fit, negative weights.
    """
    game, start = lifted_game(Z, y, feature, p, lower, clock=clock)
    if game is None:
        return start
    if wide(game.Z[game.support]):
        limits: dict[str, Any] = {"tolerance": tolerance, "max_rounds": max_rounds, "n_jobs": n_jobs}
        return in_span(game, start, partial(tighten, lower=lower, clock=clock, progress=progress, **limits))
    watch, status = Clock(), "round limit"
    pool = ThreadPoolExecutor(n_jobs) if n_jobs > 1 else None
    tree = BranchAndBound(game, lower or 0.0, pool)
    branching_time = clock.part(BRANCHING_SHARE)
    try:
        for k in range(max_rounds):
            tree.advance(clock, branching=k < BRANCHING_SHARE * max_rounds and not branching_time.expired)
            if progress:
                progress(f"upper end: {tree.leaves} leaves, estimated gap {gap_text(tree.gap)}")
            if tree.best.value <= max(tree.lower * (1.0 + tolerance), NOTHING * start.bound):
                status = "solved"
                break
            if clock.expired:
                status = "time limit"
                break
    except KeyboardInterrupt:
        status = "interrupted"
    except np.linalg.LinAlgError:
        status = "numerical failure"
    finally:
        if pool:
            pool.shutdown(cancel_futures=True)
    attempt = {
        "name": "lifted splitting, branched",
        "status": status,
        "seconds": watch.seconds,
        "iterations": tree.iterations,
        "leaves": tree.leaves,
        "bound": tree.best.value,
    }
    return tree.result(start, attempt)
