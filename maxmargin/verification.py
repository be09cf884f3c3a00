"""`verify`: the ledger of the paper's claims, followed by the findings of every laboratory."""

from __future__ import annotations

from collections.abc import Sequence

from . import labs
from .progress import Progress, silent
from .theory import claims
from .theory.ledger import Ledger, run, select


def verify(only: str | Sequence[str] | None = None, progress: Progress = silent) -> Ledger:
    """Measure the claims of the ledger and the laboratories (at the scale of seconds): `only` these ids, else all.

    Raises
    ------
    InputError : an id that neither a claim nor a laboratory has.
    """
    return run(select([*claims.CLAIMS, *map(labs.get, labs.names())], only), progress)
