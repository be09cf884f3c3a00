"""When a computation ends: one clock for every measurement of time and every limit; work; patience with idle rounds."""

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


class Work:
    """Units of work, for limits that end a computation at the same place every time.

    Parameters
    ----------
    most : units of one part of the work.

    Attributes
    ----------
    done : units of all parts so far.
    """

    def __init__(self, most: float = math.inf) -> None:
        self.most, self.done = most, 0.0
        self._left = most

    def begin(self, least: float = 0.0) -> None:
        """The next part; it may take `least` units in any case."""
        self._left = max(self.most, least)

    def spend(self, units: float) -> None:
        """`OutOfTime` once the part has taken more than it may."""
        self.done += units
        self._left -= units
        if self._left < 0.0:
            raise OutOfTime


class Patience:
    """Whether a positive number, such as a gap, has stopped falling.

    Parameters
    ----------
    rounds : rounds, or units of work, after which the number must be less than `less` times what it was.
    """

    def __init__(self, rounds: float, less: float) -> None:
        self._rounds, self._less = rounds, less
        self._since, self._least = 0.0, math.inf

    def over(self, value: float, number: float) -> bool:
        """With this value after so many rounds in all."""
        if value < self._less * self._least:
            self._since, self._least = number, value
        return number - self._since > self._rounds

    def renew(self, number: float) -> None:
        """Begin anew at this round."""
        self._since, self._least = number, math.inf
