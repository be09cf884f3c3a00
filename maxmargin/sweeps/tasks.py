"""A task: a named pure function and its parameters; equal tasks have equal keys."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

SCHEMA = 1  # raise it when a work function changes its result: old results are then computed again


def canonical(value: Any) -> str:
    """JSON text that depends on the value alone: keys sorted, no spaces, NaN refused."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True, eq=False)
class Task:
    """``work(**parameters)``, a pure function: equal parameters, seeds among them, give equal results.

    Attributes
    ----------
    work : a name in `works.WORKS`.
    parameters : plain JSON values.
    """

    work: str
    parameters: dict[str, Any]

    @property
    def key(self) -> str:
        """sha256 of the canonical JSON of work, parameters and `SCHEMA`."""
        document = {"work": self.work, "parameters": self.parameters, "schema": SCHEMA}
        return hashlib.sha256(canonical(document).encode()).hexdigest()
