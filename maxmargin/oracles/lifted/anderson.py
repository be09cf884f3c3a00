r"""Anderson acceleration of a fixed-point map x -> x + step(x), with a guard that falls back to the map itself.

Type II: with the last differences dx_j of iterates and df_j of steps, choose theta to minimise
|step - sum_j theta_j df_j|, and move to x + step - sum_j theta_j (dx_j + df_j)
(Walker and Ni, SIAM J. Numer. Anal. 49 (2011)).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

REGULARISATION = 1e-8
GROWTH = 2.0  # the acceleration ends after a step longer than this multiple of the best step since the restart


class Anderson:
    """Accelerates in place at every `interval`-th call, from the last `memory` such calls (0: never)."""

    def __init__(self, memory: int, interval: int) -> None:
        self.memory, self.interval = memory, interval
        self.forget()

    def forget(self) -> None:
        """Start again, as after any change of the map."""
        self._count, self._calls, self._shortest = 0, 0, np.inf
        self._last: tuple[Array, Array] | None = None

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
            self._remember(x, step, *self._last)
        self._last = (x.copy(), step.copy())
        x += step
        if self._count:
            used = min(self._count, self.memory)
            weights = self._weights(step, used)
            x -= weights @ self._dx[:used]
            x -= weights @ self._df[:used]

    def _remember(self, x: Array, step: Array, last_x: Array, last_step: Array) -> None:
        """The differences to the last call, in place of the oldest ones, and their scalar products."""
        if not self._count:
            self._dx, self._df = (np.empty((self.memory, len(x)), x.dtype) for _ in range(2))
            self._gram = np.zeros((self.memory, self.memory))
        k = self._count % self.memory
        self._count += 1
        np.subtract(x, last_x, out=self._dx[k])
        np.subtract(step, last_step, out=self._df[k])
        used = min(self._count, self.memory)
        self._gram[k, :used] = self._gram[:used, k] = self._df[:used] @ self._df[k]

    def _weights(self, step: Array, used: int) -> Array:
        G = self._gram[:used, :used].copy()
        noise = max(REGULARISATION, float(np.finfo(step.dtype).eps))
        G[np.diag_indices(used)] += noise * np.trace(G) + 1e-300
        return np.linalg.solve(G, (self._df[:used] @ step).astype(float)).astype(step.dtype)
