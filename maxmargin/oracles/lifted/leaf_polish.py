r"""One leaf against a fixed adversary: the joint iteration finds p soon, the multipliers of single leaves late.

With p fixed, the leaves no longer depend on each other, and a few dozen iterations on the worst one bring its repaired
value near its relaxation. The state of the joint iteration, divided by the leaf's mass, is where they start.
"""

from __future__ import annotations

from typing import Any

from ...conventions import Array
from .leaf import LiftedBlock
from .root import LiftedGame
from .splitting import LiftedSplitting

ITERATIONS, TRIES = 40, 5
LEAST_MASS = 0.02  # a state is divided by its mass, or by this when its mass is less


class LeafPolisher:
    """Improves the repaired multipliers of one leaf for the adversary p (N,) on the support.

    Attributes
    ----------
    leaf : the best repaired leaf so far.
    tries : how often `improve` was called.
    """

    def __init__(self, game: LiftedGame, block: LiftedBlock, p: Array, penalty: float, leaf: dict[str, Any]) -> None:
        self.game, self.leaf, self.tries = game, leaf, 0
        self._block, self._weights = LiftedBlock(game.unit, block.sign, block.path, block.V.dtype), game.adversary(p)
        mass = max(float(block.W[0, 0]), LEAST_MASS)
        self._block.V = block.V / mass
        self._splitting = LiftedSplitting([self._block], game.payoff, game.feature, penalty * mass, fixed=p / p.sum())

    @property
    def exhausted(self) -> bool:
        """Whether the permitted number of tries is used up."""
        return self.tries >= TRIES

    def improve(self) -> float:
        """Some iterations and a repair; returns the best value so far."""
        self._splitting.run(ITERATIONS)
        self.tries += 1
        multipliers = self._splitting.multipliers(self._block)
        repaired = self.game.leaf(self._block.sign, self._block.path, self._weights, multipliers)
        if repaired["value"] < self.leaf["value"]:
            self.leaf = repaired
        return float(self.leaf["value"])
