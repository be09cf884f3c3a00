"""What a laboratory is: settings in, findings and the panels of a figure out.

A broken variant is a finding that must fail: the same comparison after a deliberate mistake.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, SupportsFloat

import numpy as np
from matplotlib.figure import Figure

from ..conventions import Array
from ..plots.panels import Mark, row
from ..theory.ledger import FAILS, Entry, Finding, measured

SCALES = ("smoke", "full")
KEYS = ("id", "statement", "relation", "note", "reference", "measured", "tolerance", "verdict", "broken")
FLAGGED = "fails, as it must"


@dataclass(frozen=True, kw_only=True)
class LabFinding(Finding):
    """A finding of the ledger under a name, unique in its laboratory, and a sentence; `broken` ones must fail."""

    id: str
    statement: str
    broken: bool = False

    @property
    def as_expected(self) -> bool:
        """Broken variants fail, and nothing else does."""
        return (self.verdict == FAILS) is self.broken

    def to_json(self) -> dict[str, Any]:
        """Plain Python; numbers that are not finite become null."""
        document = {key: getattr(self, key) for key in KEYS}
        document |= {} if self.printed is None else {"printed": self.printed.measured}
        return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in document.items()}

    def entry(self, lab: Lab, seconds: float) -> Entry:
        """A line of the ledger."""
        statement, verdict, note = self.statement, self.verdict, self.note
        if self.broken:
            statement = f"Broken variant: {statement[0].lower()}{statement[1:]}"
            verdict = FLAGGED if self.as_expected else FAILS
            note = note if self.as_expected else f"a deliberate mistake was accepted; {note}"
        said, numbers = (statement, lab.paper, lab.compares), (self.reference, self.measured, self.tolerance)
        return Entry(f"{lab.name}/{self.id}", *said, *numbers, self.relation, verdict, note, seconds)


def compare(
    id: str,
    statement: str,
    measured: SupportsFloat,
    relation: str = "=",
    reference: SupportsFloat = 0.0,
    *,
    within: SupportsFloat = 0.0,
    broken: bool = False,
    note: str = "",
    printed: SupportsFloat | None = None,
) -> LabFinding:
    """A finding that reads as it is meant: measured =, <= or >= reference, up to `within` (absolute); = 0 by default.

    `printed` is measured in the same way from what the paper prints, for a slip: it must fail where `measured` holds.
    """
    numbers = (float(reference), float(measured), float(within))
    slip = None if printed is None else Finding(numbers[0], float(printed), numbers[2], relation)
    return LabFinding(*numbers, relation, note, slip, id=id, statement=statement, broken=broken)


mistake = partial(compare, broken=True)


def distance(found: Array, wanted: Array) -> float:
    """|found - wanted| / |wanted|, all entries taken together."""
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


def halves(what: str, errors: Sequence[float], within: float = 0.1) -> LabFinding:
    """The finding that an error halves with the step; `errors` at a step and at its half."""
    ratio, note = errors[0] / errors[1], "at both steps: {:.1e}, {:.1e}".format(*errors)
    return compare("descent-order", f"{what} halves with the step.", ratio, "=", 2.0, within=within, note=note)


Items = list[LabFinding | Mark]


@dataclass(frozen=True)
class Lab:
    """One laboratory.

    Attributes
    ----------
    name : kebab-case; its module has the same name with underscores.
    paper, compares : short title and where it appeared; what is compared with what, one phrase.
    parts : functions settings -> findings and panels in the order of reading; the same settings give the same numbers.
    seconds : what the two scales take on one core, about.
    full : the settings of "full", a frozen dataclass; its defaults are those of "smoke".
    """

    name: str
    paper: str
    compares: str
    parts: tuple[Callable[[Any], Items], ...]
    seconds: tuple[float, float]
    full: Any

    def measure(self, scale: str = "smoke") -> LabRun:
        """Run at "smoke" or "full"; what raises has not been shown, hence is a finding that fails."""
        settings = self.full if scale == "full" else type(self.full)()

        def stopped(why: str) -> Items:
            return [compare("runs", "It runs to its end.", math.nan, note=why)]

        items, seconds = measured(lambda: [item for part in self.parts for item in part(settings)], stopped)
        findings = tuple(item for item in items if isinstance(item, LabFinding))
        panels = tuple(item for item in items if not isinstance(item, LabFinding))
        return LabRun(self, scale, seconds, findings, panels)

    @property
    def id(self) -> str:
        """The name, for ``maxmargin verify --only``."""
        return self.name

    def entries(self) -> tuple[Entry, ...]:
        """One line of the ledger a finding, "NAME/FINDING"; the first carries the seconds of the whole laboratory."""
        run = self.measure()
        return tuple(found.entry(self, 0.0 if number else run.seconds) for number, found in enumerate(run.findings))


@dataclass(frozen=True)
class LabRun:
    """A laboratory with what came out."""

    lab: Lab
    scale: str
    seconds: float
    findings: tuple[LabFinding, ...]
    panels: tuple[Mark, ...]

    def __repr__(self) -> str:
        """One line: what a notebook shows."""
        good = sum(finding.as_expected for finding in self.findings)
        counted = f"{good} of {len(self.findings)} findings as expected"
        return f"<{self.lab.name}, {self.scale}: {counted}, {self.seconds:.1f} s; .findings, .figure()>"

    @property
    def passed(self) -> bool:
        """Whether every finding came out as expected, the broken variants included."""
        return all(finding.as_expected for finding in self.findings)

    def figure(self) -> Figure | None:
        """Reference and measurement in one picture; None if the laboratory did not run to its end."""
        return row(self.panels) if self.panels else None

    def to_json(self) -> dict[str, Any]:
        """One entry of "labs" in the document of ``maxmargin lab --json``."""
        findings = [finding.to_json() for finding in self.findings]
        about = {"name": self.lab.name, "paper": self.lab.paper, "scale": self.scale, "seconds": self.seconds}
        return {**about, "findings": findings}
