r"""Anderson acceleration of a fixed-point map x -> x + step(x), with a guard that falls back to the map itself.

Type II: with the last differences dx_j of iterates and df_j of steps, choose theta to minimise |step - sum theta_j df_j|,
and move to x + step - sum_j theta_j (dx_j + df_j) (Walker and Ni, SIAM J. Numer. Anal. 49 (2011)).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

REGULARISATION = 1e-8
GROWTH = 2.0  # a step so much longer than the best one since the restart ends the acceleration


class Anderson:
    """Accelerates in place; `memory` = 0 switches it off."""

    def __init__(self, memory: int) -> None:
        self.memory = memory
        self.forget()

    def forget(self) -> None:
        """Start again, as after any change of the map."""
        self._dx: list[Array] = []
        self._df: list[Array] = []
        self._last: tuple[Array, Array] | None = None
        self._shortest = np.inf

    def advance(self, x: Array, step: Array) -> None:
        """x becomes the next iterate; step = map(x) - x is left as it is."""
        length = float(np.linalg.norm(step))
        if length > GROWTH * self._shortest:
            self.forget()
        self._shortest = min(self._shortest, length)
        if not self.memory:
            x += step
            return
        move = step.copy()
        if self._last is not None:
            self._dx.append(self._last[0])
            self._df.append(step - self._last[1])
            del self._dx[: -self.memory], self._df[: -self.memory]
            for weight, dx, df in zip(self._weights(step), self._dx, self._df, strict=True):
                move -= weight * dx
                move -= weight * df
        x += move
        self._last = (move, step.copy())

    def _weights(self, step: Array) -> Array:
        F = np.array(self._df)
        G = F @ F.T
        G[np.diag_indices(len(G))] += REGULARISATION * np.trace(G) + 1e-300
        return np.linalg.solve(G, F @ step)
