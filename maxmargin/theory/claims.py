"""All chapters of the ledger."""

from __future__ import annotations

from .claims_definitions import DEFINITIONS
from .claims_flow import FLOW
from .claims_generalization import GENERALIZATION
from .claims_margins import CLOSED_FORMS, LIMITS
from .claims_rates import FLOW_LIMIT, RATES
from .ledger import Claim

CLAIMS: tuple[Claim, ...] = (*DEFINITIONS, *FLOW, *FLOW_LIMIT, *RATES, *LIMITS, *GENERALIZATION, *CLOSED_FORMS)
