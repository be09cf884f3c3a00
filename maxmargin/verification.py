"""`verify`: the ledger of the paper's claims, followed by the findings of every laboratory."""

from __future__ import annotations

from collections.abc import Sequence

from . import labs
from .progress import Progress, silent
from .theory import claims
from .theory.ledger import Ledger, run, select


def laboratories() -> list[labs.Lab]:
    """Every laboratory; its findings, at the scale of seconds, are lines of the ledger."""
    return [labs.get(name) for name in labs.names()]


def verify(only: str | Sequence[str] | None = None, progress: Progress = silent) -> Ledger:
    """Measure the claims of the ledger and the laboratories: `only` one id or several, else all.

    Raises
    ------
    InputError : an id that neither a claim nor a laboratory has.
    """
    return run(select([*claims.CLAIMS, *laboratories()], only), progress)
