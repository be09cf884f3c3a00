"""The ledger: statements of the paper as claims that a machine can find to be false.

A claim measures one number and compares it with its reference; a slip of the paper is a claim with two comparisons, one
of the corrected statement, which must hold, and one of the printed statement, which must not.
"""

from __future__ import annotations

import difflib
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol, TypeVar

from ..errors import InputError
from ..progress import Progress, silent
from ..text import table

FORMAT, VERSION = "maxmargin-ledger", 1

HOLDS, FAILS, REFUTED = "holds", "fails", "refuted as printed"


@dataclass(frozen=True)
class Finding:
    """measured =, <= or >= reference, up to an absolute tolerance.

    Attributes
    ----------
    reference, measured, tolerance : in the same units.
    relation : "=", "<=" or ">=".
    note : the worst instance, or another remark.
    printed : the same comparison with what the paper prints, for a claim about a slip.
    """

    reference: float
    measured: float
    tolerance: float
    relation: str = "="
    note: str = ""
    printed: Finding | None = None

    @property
    def satisfied(self) -> bool:
        """Whether the comparison comes out true; a number that is not finite never does."""
        excess = self.measured - self.reference
        if not math.isfinite(excess):
            return False
        above, below = excess <= self.tolerance, -excess <= self.tolerance
        return {"=": above and below, "<=": above, ">=": below}[self.relation]

    @property
    def verdict(self) -> str:
        """`HOLDS`, `FAILS`, or `REFUTED`: the corrected statement holds and the printed one does not."""
        if not self.satisfied:
            return FAILS
        if self.printed is None:
            return HOLDS
        return FAILS if self.printed.satisfied else REFUTED


@dataclass(frozen=True)
class Claim:
    """One line of the ledger.

    Attributes
    ----------
    id : short name.  statement : one sentence.
    source : the equation or theorem of the paper, or an anchor of docs/theory.rst.
    test : how it is measured, one phrase.
    measure : the function that measures.
    """

    id: str
    statement: str
    source: str
    test: str
    measure: Callable[[], Finding]

    def run(self) -> Entry:
        """Measure; a claim whose measurement raises counts as failed."""
        finding, seconds = measured(self.measure, lambda why: Finding(math.nan, math.nan, 0.0, note=why))
        return Entry(
            self.id, self.statement, self.source, self.test, finding.reference, finding.measured, finding.tolerance,
            finding.relation, finding.verdict, finding.note, seconds,
        )  # fmt: skip

    def entries(self) -> tuple[Entry, ...]:
        """The one line of this claim."""
        return (self.run(),)


class Measurable(Protocol):
    """An item of the ledger: a claim, or an object with an id that measures several lines at once."""

    @property
    def id(self) -> str:
        """Short name, for ``--only``."""
        ...

    def entries(self) -> tuple[Entry, ...]:
        """Measure, and return the lines."""
        ...


AnyMeasurable = TypeVar("AnyMeasurable", bound=Measurable)
Result = TypeVar("Result")


@dataclass(frozen=True)
class Entry:
    """A claim with its result.

    Attributes
    ----------
    id, statement, source, test : of the claim.
    reference, measured, tolerance, relation, note : of its finding.
    verdict : "holds", "fails" or "refuted as printed".  seconds : wall time of the measurement.
    """

    id: str
    statement: str
    source: str
    test: str
    reference: float
    measured: float
    tolerance: float
    relation: str
    verdict: str
    note: str
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether the verdict is not "fails"."""
        return self.verdict != FAILS

    def to_json(self) -> dict[str, Any]:
        """Plain Python; numbers that are not finite become null."""
        return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in asdict(self).items()}


@dataclass(frozen=True)
class Ledger:
    """All lines that were run.

    Attributes
    ----------
    entries : one per claim, in order.  seconds : wall time.
    interrupted : ended by Ctrl-C; the entries are those of the claims that were finished.
    """

    entries: tuple[Entry, ...]
    seconds: float
    interrupted: bool = False

    @property
    def failed(self) -> int:
        """Number of entries that fail."""
        return sum(not entry.passed for entry in self.entries)

    @property
    def passed(self) -> int:
        """Number of entries that do not fail."""
        return len(self.entries) - self.failed

    def __str__(self) -> str:
        """One row per claim: id, verdict, the measured number and its reference."""
        rows = [(e.id, e.verdict, f"{e.measured:.9g}", f"{e.relation} {e.reference:.9g}") for e in self.entries]
        return table(("claim", "verdict", "measured", "reference"), rows)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What a notebook shows."""
        printer.text(str(self))

    def to_json(self) -> dict[str, Any]:
        """The document of ``maxmargin verify --json``."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "claims": [entry.to_json() for entry in self.entries],
            "passed": self.passed,
            "failed": self.failed,
            "seconds": self.seconds,
        }


class Chapter(list[Claim]):
    """Claims in the order in which a file states them; use as a decorator of the measuring function."""

    def claim(self, id: str, statement: str, source: str, test: str) -> Callable[[Measure], Measure]:
        """Decorator that appends the decorated function as a `Claim` and returns it unchanged."""

        def add(measure: Measure) -> Measure:
            self.append(Claim(id, statement, source, test, measure))
            return measure

        return add


Measure = Callable[[], Finding]


def worst(instances: Iterable[tuple[str, float, float]], tolerance: float) -> Finding:
    """The instance (name, reference, measured) with the largest |measured - reference| / max(|reference|, 1e-9)."""
    error, name, reference, measured = max(
        (abs(measured - reference) / max(abs(reference), 1e-9), name, reference, measured)
        for name, reference, measured in instances
    )
    return Finding(reference, measured, tolerance * max(abs(reference), 1e-9), note=f"worst: {name} ({error:.1e})")


def select(
    claims: Sequence[AnyMeasurable],
    only: str | Sequence[str] | None,
    *,
    argument: str = "only",
    wanted: str = "the id of a claim",
) -> list[AnyMeasurable]:
    """The claims of these ids, in their order; all for None.

    Raises
    ------
    InputError : an id that no claim has; the sentence names the `argument`, what is `wanted`, and its neighbours.
    """
    known = {claim.id: claim for claim in claims}
    if only is None:
        return list(claims)
    chosen = []
    for name in [only] if isinstance(only, str) else only:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
            hint = f"did you mean {', '.join(near)}?" if near else f"for instance {claims[0].id}"
            raise InputError(f"{argument}: found {name!r}, wanted {wanted}; {hint}")
        chosen.append(known[name])
    return chosen


def measured(measure: Callable[[], Result], failed: Callable[[str], Result]) -> tuple[Result, float]:
    """What `measure` returns, or `failed` of the reason if it raises; and the seconds it took."""
    from threadpoolctl import threadpool_limits

    began = time.perf_counter()
    try:
        with threadpool_limits(1):  # all problems are small: a second BLAS thread would only wait for the first
            result = measure()
    except Exception as error:  # one broken computation must not hide the others
        result = failed(f"{type(error).__name__}: {error}")
    return result, time.perf_counter() - began


def in_turn(
    kind: str, items: Sequence[AnyMeasurable], measure: Callable[[AnyMeasurable], Result], progress: Progress
) -> tuple[list[Result], bool]:
    """Measure the items one after the other; Ctrl-C keeps those that are done. Results, and whether it was pressed."""
    done = list[Result]()
    try:
        for number, item in enumerate(items, 1):
            line = f"{kind} {number}/{len(items)}  {item.id}"
            progress(line)
            result = measure(item)
            progress(line)  # re-raises a Ctrl-C that a solver swallowed, so that its result is not recorded
            done.append(result)
    except KeyboardInterrupt:
        return done, True
    return done, False


def run(claims: Sequence[Measurable], progress: Progress = silent) -> Ledger:
    """Measure them one after the other; Ctrl-C ends the ledger at the claims that are done."""
    began = time.perf_counter()
    done, interrupted = in_turn("claim", claims, lambda claim: claim.entries(), progress)
    return Ledger(tuple(entry for entries in done for entry in entries), time.perf_counter() - began, interrupted)
