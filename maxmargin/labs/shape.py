"""What a laboratory is: settings in, findings and arrays out, one figure.

A finding is a `Finding` of the ledger under a name and a sentence. A broken variant is a finding that must fail: the
same comparison after a deliberate mistake, which shows that the comparison can tell.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, SupportsFloat

from matplotlib.figure import Figure

from ..plots.style import styled
from ..theory.ledger import FAILS, Finding

SCALES = ("smoke", "full")


@dataclass(frozen=True)
class LabFinding:
    """One comparison: `finding` says with what, and what came out.

    Attributes
    ----------
    id : short kebab-case name, unique in its laboratory.  statement : one sentence.
    broken : the comparison is made after a deliberate mistake, so that it must fail.
    """

    id: str
    statement: str
    finding: Finding
    broken: bool = False

    @property
    def reference(self) -> float:
        return self.finding.reference

    @property
    def measured(self) -> float:
        return self.finding.measured

    @property
    def tolerance(self) -> float:
        return self.finding.tolerance

    @property
    def verdict(self) -> str:
        """Of the ledger: "holds", "fails", or "refuted as printed"."""
        return self.finding.verdict

    @property
    def as_expected(self) -> bool:
        """Broken variants fail, and nothing else does."""
        return (self.verdict == FAILS) is self.broken

    def to_json(self) -> dict[str, Any]:
        """Plain Python; numbers that are not finite become null."""
        numbers = {name: getattr(self, name) for name in ("reference", "measured", "tolerance")}
        document = {
            "id": self.id,
            "statement": self.statement,
            **{name: float(value) if math.isfinite(value) else None for name, value in numbers.items()},
            "verdict": self.verdict,
            "broken": self.broken,
            "relation": self.finding.relation,
            "note": self.finding.note,
        }
        if self.finding.printed is not None:
            document["printed"] = float(self.finding.printed.reference)
        return document


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
    printed: Finding | None = None,
) -> LabFinding:
    """A finding that reads as it is meant: measured =, <= or >= reference, up to `within` (absolute).

    `printed` is the same comparison with what the paper prints, for a slip: it must fail where the corrected one holds.
    """
    numbers = (float(reference), float(measured), float(within))
    return LabFinding(id, statement, Finding(*numbers, relation, note, printed), broken)


@dataclass(frozen=True)
class LabResult:
    """What `Lab.run` returns.

    Attributes
    ----------
    findings : in the order of reading.
    arrays : what the figure needs, by name; `Lab.figure` computes nothing that takes time.
    """

    findings: tuple[LabFinding, ...]
    arrays: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Lab:
    """One laboratory.

    Attributes
    ----------
    name : kebab-case; its module has the same name with underscores.
    paper : authors, short title, where it appeared.
    compares : what is compared with what, one phrase.
    smoke, full : settings (a frozen dataclass of the laboratory) of the two scales.
    seconds : what the two scales take on one core, about.
    run : settings -> `LabResult`; the same settings give the same numbers.
    figure : `LabResult` -> matplotlib figure; drawn under the house style.
    """

    name: str
    paper: str
    compares: str
    smoke: Any
    full: Any
    seconds: tuple[float, float]
    run: Callable[[Any], LabResult]
    figure: Callable[[LabResult], Figure]

    def measure(self, scale: str = "smoke") -> LabRun:
        """Run at "smoke" or "full"; what raises has not been shown, hence is a finding that fails."""
        from threadpoolctl import threadpool_limits

        began = time.perf_counter()
        try:
            with threadpool_limits(1):  # all problems are small: a second BLAS thread would only wait for the first
                result = self.run(self.smoke if scale == "smoke" else self.full)
        except Exception as error:  # one broken computation must not hide the other laboratories
            nothing = Finding(math.nan, math.nan, 0.0, note=f"{type(error).__name__}: {error}")
            result = LabResult((LabFinding("runs", "The laboratory runs to its end.", nothing),))
        return LabRun(self, scale, time.perf_counter() - began, result)


@dataclass(frozen=True)
class LabRun:
    """A laboratory with what came out."""

    lab: Lab
    scale: str
    seconds: float
    result: LabResult

    @property
    def name(self) -> str:
        return self.lab.name

    @property
    def paper(self) -> str:
        return self.lab.paper

    @property
    def findings(self) -> tuple[LabFinding, ...]:
        return self.result.findings

    @property
    def passed(self) -> bool:
        """Whether every finding came out as expected, the broken variants included."""
        return all(finding.as_expected for finding in self.findings)

    def figure(self) -> Figure | None:
        """Reference and measurement in one picture; None if the laboratory did not run to its end."""
        return styled(self.lab.figure)(self.result) if self.result.arrays else None

    def to_json(self) -> dict[str, Any]:
        """One entry of "labs" in the document of ``maxmargin lab --json``."""
        return {
            "name": self.name,
            "paper": self.paper,
            "scale": self.scale,
            "seconds": self.seconds,
            "findings": [finding.to_json() for finding in self.findings],
        }
