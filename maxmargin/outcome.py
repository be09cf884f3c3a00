"""What happened, in one vocabulary: how a margin is known, what its upper end covers, why a search ended.

Every member carries its sentence, for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """A word of the JSON documents with the sentence that explains it: cause and remedy, for people."""

    sentence: str

    def __new__(cls, value: str, sentence: str = "") -> Outcome:
        member = str.__new__(cls, value)
        member._value_, member.sentence = value, sentence
        return member


class Status(Outcome):
    """Status of a certificate; decided from the proved gap, never from a solver's report."""

    CERTIFIED = "certified", "the relative gap is within the tolerance"
    BRACKETED = "bracketed", "the bracket holds but is wider than the tolerance; a longer time limit narrows it"
    NOT_SEPARABLE = "not-separable", "the margin is zero: no neuron gains anything from the adversary weights"
    INTERRUPTED = "interrupted", "stopped by a limit or by Ctrl-C; the bracket holds, more time narrows it"
    INFEASIBLE = "infeasible", "no function takes these values: equal points have targets too far apart; widen the tube"


class Scope(Outcome):
    """What the upper end of a bracket covers."""

    SPHERE_EXACT = "sphere-exact", "all directions of the sphere: enumeration proves the global maximum"
    SPHERE_BOUND = "sphere-bound", "all directions of the sphere: a proved upper bound that no neuron need attain"
    DICTIONARY = "dictionary", "the given finite set of directions only"
    KERNEL = "kernel", "the unit ball of the reproducing kernel Hilbert space"


class Reason(Outcome):
    """Why a proposer stopped; the status of a certificate is decided by the game alone."""

    CONVERGED = "converged", "the gap to the oracle's bound is within the tolerance"
    STALLED = "stalled", "no neuron that pays more was found, and nothing closer was proved"
    INTERRUPTED = "interrupted", "a limit or Ctrl-C ended the search; more time or rounds narrow the bracket"
    FAILED = "failed", "the LP solver failed; the attempts say how"
    NOT_SEPARABLE = "not-separable", "no neuron gains anything from the adversary weights"


@dataclass(frozen=True)
class Attempt:
    """One call of a solver: the status that it reported (never our conclusion) and its time.

    Attributes
    ----------
    name : solver or engine.  status : as the solver reports it.  seconds : wall time.
    """

    name: str
    status: str
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """The record in a certificate's ``solver.attempts``."""
        return {"name": self.name, "status": self.status, "seconds": self.seconds}
