"""`verify`: the ledger of the paper's claims, followed by the findings of every laboratory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from . import labs
from .labs.shape import Lab, LabFinding
from .progress import Progress, silent
from .theory import claims
from .theory.ledger import FAILS, Entry, Ledger, run, select

FLAGGED = "fails, as it must"


@dataclass(frozen=True)
class Laboratory:
    """All findings of one laboratory as lines of the ledger, at the scale of seconds.

    Attributes
    ----------
    lab : the laboratory.
    """

    lab: Lab

    @property
    def id(self) -> str:
        """Name of the laboratory."""
        return self.lab.name

    def entries(self) -> tuple[Entry, ...]:
        """One entry a finding, "NAME/FINDING"; the first carries the seconds of the whole laboratory."""
        run = self.lab.measure("smoke")
        return tuple(self._entry(found, 0.0 if number else run.seconds) for number, found in enumerate(run.findings))

    def _entry(self, f: LabFinding, seconds: float) -> Entry:
        statement, verdict, note = f.statement, f.verdict, f.note
        if f.broken:
            statement = f"Broken variant: {statement[0].lower()}{statement[1:]}"
            verdict = FLAGGED if f.as_expected else FAILS
            note = note if f.as_expected else f"a deliberate mistake was accepted; {note}"
        said = (f"{self.id}/{f.id}", statement, self.lab.paper, self.lab.compares)
        return Entry(*said, f.reference, f.measured, f.tolerance, f.relation, verdict, note, seconds)


def laboratories() -> list[Laboratory]:
    """Every laboratory as a line of the ledger."""
    return [Laboratory(labs.get(name)) for name in labs.names()]


def verify(only: str | Sequence[str] | None = None, progress: Progress = silent) -> Ledger:
    """Measure the claims of the ledger and the laboratories: `only` one id or several, else all.

    Raises
    ------
    InputError : an id that neither a claim nor a laboratory has.
    """
    return run(select([*claims.CLAIMS, *laboratories()], only), progress)
