"""What a laboratory is: settings in, findings and arrays out, one figure.

A broken variant is a finding that must fail: the same comparison after a deliberate mistake.
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
        document: dict[str, Any] = {name: getattr(self, name) for name in ("id", "statement", "relation", "note")}
        for name in ("reference", "measured", "tolerance"):
            value = getattr(self, name)
            document[name] = value if math.isfinite(value) else None
        printed = {} if self.printed is None else {"printed": self.printed.reference}
        return {**document, "verdict": self.verdict, "broken": self.broken, **printed}


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
    return LabFinding(*numbers, relation, note, printed, id=id, statement=statement, broken=broken)


@dataclass(frozen=True)
class LabResult:
    """`findings` in the order of reading; `arrays`, by name, from which the figure is drawn without computing."""

    findings: tuple[LabFinding, ...]
    arrays: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Lab:
    """One laboratory.

    Attributes
    ----------
    name : kebab-case; its module has the same name with underscores.
    paper : short title and where it appeared.  compares : what with what, one phrase.
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
        return styled(self.lab.figure)(self.result) if self.result.arrays else None

    def to_json(self) -> dict[str, Any]:
        """One entry of "labs" in the document of ``maxmargin lab --json``."""
        document = {"name": self.lab.name, "paper": self.lab.paper, "scale": self.scale, "seconds": self.seconds}
        return {**document, "findings": [finding.to_json() for finding in self.findings]}
