"""All chapters of the ledger, and `verify`."""

from __future__ import annotations

from collections.abc import Sequence

from ..progress import Progress, silent
from .claims_closed_forms import CLOSED_FORMS
from .claims_definitions import DEFINITIONS
from .claims_flow import FLOW
from .claims_generalization import GENERALIZATION
from .claims_limits import LIMITS
from .claims_rates import RATES
from .ledger import Claim, Ledger, run, select

CLAIMS: tuple[Claim, ...] = (*DEFINITIONS, *FLOW, *RATES, *LIMITS, *GENERALIZATION, *CLOSED_FORMS)


def verify(only: str | Sequence[str] | None = None, progress: Progress = silent) -> Ledger:
    """Measure the claims of the ledger: `only` one id or several, else all.

    Raises
    ------
    InputError : an id that no claim has.
    """
    return run(select(CLAIMS, only), progress)
