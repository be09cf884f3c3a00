"""What a laboratory is: settings in, findings and the panels of a figure out.

A broken variant is a finding that must fail: the same comparison after a deliberate mistake.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, SupportsFloat

from matplotlib.figure import Figure

from ..plots.style import styled
from ..theory.ledger import FAILS, Finding
from . import panels

SCALES = ("smoke", "full")
KEYS = ("id", "statement", "relation", "note", "reference", "measured", "tolerance", "verdict", "broken")


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
        document |= {} if self.printed is None else {"printed": self.printed.reference}
        return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in document.items()}


def compare(
    id: str,
    statement: str,
    measured: SupportsFloat,
    relation: str,
    reference: SupportsFloat,
    *,
    within: SupportsFloat = 0.0,
    broken: bool = False,
    note: str = "",
    printed: SupportsFloat | None = None,
) -> LabFinding:
    """A finding that reads as it is meant: measured =, <= or >= reference, up to `within` (absolute).

    `printed` is measured in the same way from what the paper prints, for a slip: it must fail where `measured` holds.
    """
    numbers = (float(reference), float(measured), float(within))
    slip = None if printed is None else Finding(numbers[0], float(printed), numbers[2], relation)
    return LabFinding(*numbers, relation, note, slip, id=id, statement=statement, broken=broken)


mistake = partial(compare, broken=True)


def halves(what: str, errors: Sequence[float], within: float = 0.1, id: str = "descent-order") -> LabFinding:
    """The finding that an error halves with the step; `errors` at a step and at its half."""
    note = "at both steps: {:.1e}, {:.1e}".format(*errors)
    return compare(id, f"{what} halves with the step.", errors[0] / errors[1], "=", 2.0, within=within, note=note)


@dataclass(frozen=True)
class LabResult:
    """Findings in the order of reading; `arrays` from which a figure is drawn; `panels` of the usual figure.

    The sum of two results has the findings, arrays and panels of both.
    """

    findings: tuple[LabFinding, ...]
    arrays: Mapping[str, Any] = field(default_factory=dict)
    panels: tuple[panels.Mark, ...] = ()

    def __add__(self, other: LabResult) -> LabResult:
        arrays = {**self.arrays, **other.arrays}
        return LabResult(self.findings + other.findings, arrays, self.panels + other.panels)


def part(*items: LabFinding | panels.Mark) -> LabResult:
    """A result of these findings and panels."""
    findings = tuple(item for item in items if isinstance(item, LabFinding))
    return LabResult(findings, panels=tuple(item for item in items if not isinstance(item, LabFinding)))


@dataclass(frozen=True)
class Lab:
    """One laboratory.

    Attributes
    ----------
    name : kebab-case; its module has the same name with underscores.
    paper, compares : short title and where it appeared; what is compared with what, one phrase.
    smoke, full, seconds : settings (a frozen dataclass) of the two scales, and what these take on one core, about.
    run : settings -> `LabResult`; the same settings give the same numbers.
    figure : `LabResult` -> matplotlib figure, drawn under the house style; by default the panels of the result.
    """

    name: str
    paper: str
    compares: str
    smoke: Any
    full: Any
    seconds: tuple[float, float]
    run: Callable[[Any], LabResult]
    figure: Callable[[LabResult], Figure] = panels.figure

    def measure(self, scale: str = "smoke") -> LabRun:
        """Run at "smoke" or "full"; what raises has not been shown, hence is a finding that fails."""
        from threadpoolctl import threadpool_limits

        began = time.perf_counter()
        try:
            with threadpool_limits(1):  # all problems are small: a second BLAS thread would only wait for the first
                result = self.run(self.smoke if scale == "smoke" else self.full)
        except Exception as error:  # one broken computation must not hide the other laboratories
            why = f"{type(error).__name__}: {error}"
            result = LabResult((compare("runs", "It runs to its end.", math.nan, "=", math.nan, note=why),))
        return LabRun(self, scale, time.perf_counter() - began, result)


@dataclass(frozen=True)
class LabRun:
    """A laboratory with what came out."""

    lab: Lab
    scale: str
    seconds: float
    result: LabResult

    def __repr__(self) -> str:
        """One line: what a notebook shows."""
        good = sum(finding.as_expected for finding in self.findings)
        counted = f"{good} of {len(self.findings)} findings as expected"
        return f"<{self.lab.name}, {self.scale}: {counted}, {self.seconds:.1f} s; .findings, .figure()>"

    @property
    def findings(self) -> tuple[LabFinding, ...]:
        """The findings of the result, in order."""
        return self.result.findings

    @property
    def passed(self) -> bool:
        """Whether every finding came out as expected, the broken variants included."""
        return all(finding.as_expected for finding in self.findings)

    def figure(self) -> Figure | None:
        """Reference and measurement in one picture; None if the laboratory did not run to its end."""
        drawn = self.result.arrays or self.result.panels
        return styled(self.lab.figure)(self.result) if drawn else None

    def to_json(self) -> dict[str, Any]:
        """One entry of "labs" in the document of ``maxmargin lab --json``."""
        document = {"name": self.lab.name, "paper": self.lab.paper, "scale": self.scale, "seconds": self.seconds}
        return {**document, "findings": [finding.to_json() for finding in self.findings]}
