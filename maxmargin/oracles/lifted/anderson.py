r"""Anderson acceleration of a fixed-point map x -> x + step(x), with a guard that falls back to the map itself.

Type II: with the last differences dx_j of iterates and df_j of steps, choose theta to minimise
|step - sum_j theta_j df_j|, and move to x + step - sum_j theta_j (dx_j + df_j)
(Walker and Ni, SIAM J. Numer. Anal. 49 (2011)).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

REGULARISATION = 1e-8
GROWTH = 2.0  # the acceleration ends after a step longer than this multiple of the best step since the restart


class Anderson:
    """Accelerates in place at every `interval`-th call, from the last `memory` such calls (0: never)."""

    def __init__(self, memory: int, interval: int) -> None:
        self.memory, self.interval = memory, interval
        self.forget()

    def forget(self) -> None:
        """Start again, as after any change of the map."""
        self._dx: list[Array] = []
        self._df: list[Array] = []
        self._last: tuple[Array, Array] | None = None
        self._shortest = np.inf
        self._calls = 0

    def advance(self, x: Array, step: Array) -> None:
        """x becomes the next iterate; step = map(x) - x is left as it is."""
        self._calls += 1
        if not self.memory or self._calls % self.interval:
            x += step
            return
        length = float(np.linalg.norm(step))
        if length > GROWTH * self._shortest:
            self.forget()
        self._shortest = min(self._shortest, length)
        if self._last is not None:
            self._dx.append(x - self._last[0])
            self._df.append(step - self._last[1])
            del self._dx[: -self.memory], self._df[: -self.memory]
        self._last = (x.copy(), step.copy())
        x += step
        if self._dx:
            for weight, dx, df in zip(self._weights(step), self._dx, self._df, strict=True):
                x -= weight * dx
                x -= weight * df

    def _weights(self, step: Array) -> Array:
        F = np.array(self._df)
        G = F @ F.T
        G[np.diag_indices(len(G))] += REGULARISATION * np.trace(G) + 1e-300
        return np.asarray(np.linalg.solve(G, F @ step), dtype=float)
