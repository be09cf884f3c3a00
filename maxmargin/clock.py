"""When a computation ends: one clock for every measurement of time and every limit; patience with idle rounds."""

from __future__ import annotations

import math
import time


class OutOfTime(Exception):
    """The clock has expired before the work was done; the caller has an answer without it."""


class Clock:
    """Wall time since the start, and what is left of a limit; every loop, oracle and LP of one computation shares it.

    Parameters
    ----------
    limit : seconds from now; None or inf for no limit.
    """

    def __init__(self, limit: float | None = None) -> None:
        self._start = time.monotonic()
        self._limit = math.inf if limit is None else limit

    @property
    def seconds(self) -> float:
        """Wall time since the start."""
        return time.monotonic() - self._start

    @property
    def left(self) -> float:
        """Seconds left of the limit, at least 0; inf without a limit."""
        return max(0.0, self._limit - self.seconds)

    @property
    def limited(self) -> bool:
        """Whether there is a limit at all."""
        return math.isfinite(self._limit)

    @property
    def expired(self) -> bool:
        """Whether the limit has passed."""
        return self.left <= 0.0

    def demand(self) -> None:
        """`OutOfTime` once nothing is left."""
        if self.expired:
            raise OutOfTime

    def part(self, share: float) -> Clock:
        """A clock for the next `share` (0 < share <= 1) of what is left."""
        return Clock(share * self.left)


FOREVER = Clock()  # no limit


class Patience:
    """Whether a positive number, such as a gap, has stopped falling.

    Parameters
    ----------
    rounds : rounds after which the number must be less than `less` times what it was.
    """

    def __init__(self, rounds: int, less: float) -> None:
        self._rounds, self._less = rounds, less
        self._since, self._least = 0, math.inf

    def over(self, value: float, number: int) -> bool:
        """With this value after so many rounds in all."""
        if value < self._less * self._least:
            self._since, self._least = number, value
        return number - self._since > self._rounds

    def renew(self, number: int) -> None:
        """Begin anew at this round."""
        self._since, self._least = number, math.inf
