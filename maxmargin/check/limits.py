"""The time limit of a check; when it passes, the verdict is "not settled": neither proved nor refuted."""

from __future__ import annotations

import time

from .verdict import NotSettled

SECONDS = 600.0  # default time limit of a check


class Limits:
    """A time limit that starts now; the long loops of the referee call `demand` every few milliseconds.

    Parameters
    ----------
    seconds : wall time; None for no limit.
    """

    def __init__(self, seconds: float | None = SECONDS) -> None:
        self.seconds = seconds
        self._end = None if seconds is None else time.monotonic() + seconds

    def demand(self) -> None:
        """`NotSettled` once the time is over."""
        if self._end is not None and time.monotonic() > self._end:
            raise NotSettled(
                f"not settled: the limit of {self.seconds:g} seconds passed before the claim was proved or refuted; "
                "a longer time limit (--time-limit) may tell"
            )


UNLIMITED = Limits(None)
