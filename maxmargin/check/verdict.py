"""The checker's answer: whether the claim holds, which checks were made, and in which arithmetic.

When the time limit of a check passes, the verdict is "not settled": neither proved nor refuted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# What is to be checked: name, arithmetic, and the argument, which returns a sentence or raises a `Refusal`.
Step = tuple[str, str, Callable[[], str]]
SECONDS = 600.0  # default time limit of a check


class Refusal(Exception):
    """A part of the claim that is false or not proved, told in one sentence; ends the check."""


class NotSettled(Refusal):
    """The claim was neither proved nor refuted within the limits of this checker; it counts as not holding."""


@dataclass(frozen=True)
class Check:
    """One line of the referee's report.

    Attributes
    ----------
    name : what was checked ("structure", "data", "lower", "upper", ...).
    holds : whether it holds.
    detail : one sentence with the numbers.
    arithmetic : how the numbers were compared ("exact", "fixed point, 160 bits", "comparison", ...).
    """

    name: str
    holds: bool
    detail: str
    arithmetic: str


@dataclass(frozen=True)
class Verdict:
    """The outcome: ``holds`` is True only if every check was made and every one of them holds.

    Attributes
    ----------
    holds : the claim is proved.
    reason : one sentence; the detail of the first check that failed, or a summary.
    checks : all checks that were made, in order.
    settled : False if the claim was neither proved nor refuted, for lack of time, memory or a decision.
    """

    holds: bool
    reason: str
    checks: tuple[Check, ...]
    settled: bool = True

    def __bool__(self) -> bool:
        return self.holds

    def __str__(self) -> str:
        """One line per check, and the conclusion with its reason."""
        lines = [f"{'ok' if c.holds else 'NO':3} {c.name:13} {c.detail}  [{c.arithmetic}]" for c in self.checks]
        said = "holds" if self.holds else "does not hold" if self.settled else "is not settled"
        return "\n".join([*lines, f"\nthe claim {said}: {self.reason}"])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What a notebook shows."""
        printer.text(str(self))


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
