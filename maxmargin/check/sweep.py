"""Visiting all cells: a cheap float test in batches, and an argument for each cell that the test leaves open."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

import numpy as np

from .arrangement import Signs
from .cells import Batch, visit_cells
from .pieces import Pieces
from .verdict import UNLIMITED, Limits

TOGETHER = 4096  # most open cells that wait
SETTLED = 256  # cells that are settled in one call
REMEMBERED = 200_000  # settled cells that are remembered: some 30 MB


class Argument(Protocol):
    """Why the payoff stays below the bound on a cell."""

    def sift(self, batch: Batch) -> Iterable[tuple[int, Signs]]:
        """(output sign, cells that the float test leaves open)."""

    def settle(self, cells: Signs, output: int, limits: Limits) -> None:
        """Prove the bound on all of these cells; `Refusal` where it cannot."""


def sweep(pieces: Pieces, argument: Argument, limits: Limits = UNLIMITED) -> str:
    """Visit every cell, sift it, and settle what is left.

    Open cells are settled as soon as `TOGETHER` of them have come up: a false claim, which leaves most cells open, is
    refused at the first of them, and memory is bounded.
    """
    visits, queues = 0, (_Queue(argument.settle, 1, limits), _Queue(argument.settle, -1, limits))
    for batch in visit_cells(pieces):
        limits.demand()
        visits += batch.forms.shape[0] * batch.forms.shape[1]
        for output, cells in argument.sift(batch):
            queues[output < 0].add(cells)
    for queue in queues:
        queue.empty()
    count = sum(queue.count for queue in queues)
    return f"{visits} visits to the cells of {len(pieces.jumps)} hyperplanes, {count} of them settled one by one"


class _Queue:
    """Cells of one output sign that the float test left open, each once (a cell is seen from all of its rays)."""

    def __init__(self, settle: Callable[[Signs, int, Limits], None], output: int, limits: Limits) -> None:
        self._settle, self._output, self._limits = settle, output, limits
        self._known: set[bytes] = set()
        self._waiting: list[Signs] = []
        self.count = 0

    def add(self, cells: Signs) -> None:
        for key, cell in zip(np.packbits(cells > 0, axis=1), cells, strict=True):
            if key.tobytes() not in self._known:
                self._known.add(key.tobytes())
                self._waiting.append(cell)
                if len(self._waiting) == TOGETHER:
                    self.empty()

    def empty(self) -> None:
        """Settle the waiting cells; clear the memory of settled cells when it holds too many."""
        for start in range(0, len(self._waiting), SETTLED):
            self._settle(np.array(self._waiting[start : start + SETTLED]), self._output, self._limits)
        self.count += len(self._waiting)
        self._waiting = []
        if len(self._known) > REMEMBERED:
            self._known.clear()
