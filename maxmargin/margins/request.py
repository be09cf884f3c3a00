"""The arguments of `max_margin`, checked before any work starts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..clock import Clock
from ..conventions import CONVENTIONS, WEIGHTS
from ..dataset import Dataset
from ..errors import InputError
from ..features.homogeneous import Feature
from ..games.certificate import Problem
from ..games.game import Game
from ..games.measure import Measure
from ..games.soft import Capped, largest_weight
from ..progress import Progress, silent
from .prove import Budget

Array = NDArray[np.float64]

SOFT = ("auto", "highs")  # solvers of soft margins
NORMS = ("f1", "f2", "ntk")
BRANCHING_ROUNDS = 6  # default number of branching rounds; they take a few seconds


@dataclass(frozen=True)
class Request:
    """One margin of one data set.

    Attributes are those of `max_margin`; `data` and `feature` are resolved.

    Raises
    ------
    InputError : an option has an impossible value.
    """

    data: Dataset
    norm: str
    feature: Feature
    bias: bool = True
    convention: str = "sphere"
    law: str = "sphere"
    solver: str = "auto"
    tol: float = 1e-9
    time_limit: float | None = None
    max_rounds: int | None = None
    branching_rounds: int = BRANCHING_ROUNDS
    seed: int = 0
    progress: Progress = silent
    self_check: bool = True
    nu: float | None = None
    quick: bool = False  # above D = 3: only a cheap bound for the upper end
    local_tol: float = 1e-9
    start: Measure | None = None

    def __post_init__(self) -> None:
        _choice("norm", self.norm, NORMS)
        _choice("convention", self.convention, CONVENTIONS)
        _choice("law", self.law, WEIGHTS)
        if not (isinstance(self.tol, (int, float)) and 0 < self.tol < 1):
            raise InputError(f"tol: found {self.tol!r}, wanted a relative gap between 0 and 1, e.g. 1e-6")
        if self.time_limit is not None and not (self.time_limit >= 0 and math.isfinite(self.time_limit)):
            raise InputError(f"time_limit: found {self.time_limit!r}, wanted seconds >= 0, or None for no limit")
        if self.start is not None and (self.norm != "f1" or self.start.directions.shape[1] != self.Z.shape[1]):
            found = f"neurons in dimension {self.start.directions.shape[1]} with norm {self.norm!r}"
            raise InputError(f"start: found {found}, wanted norm 'f1' and dimension {self.Z.shape[1]}, that of z")
        if self.nu is not None:
            largest_weight(self.nu, self.data.n)
            if self.solver not in SOFT:
                raise InputError(
                    f"solver: found {self.solver!r} with nu, which {' and '.join(SOFT)} solve; leave it out"
                )

    @property
    def cap(self) -> float:
        """Largest weight of the adversary on one point: 1/(nu n) for a soft margin, else 1."""
        return 1.0 if self.nu is None else largest_weight(self.nu, self.data.n)

    def softened(self, game: Game) -> Game:
        """The game itself, or with a capped adversary when the margin asked for is soft."""
        return game if self.nu is None else Capped(game, self.cap)

    def budget(self) -> Budget:
        """Tolerance and a clock that begins now."""
        return Budget(self.tol, Clock(self.time_limit), self.progress)

    @property
    def Z(self) -> Array:
        """(n, D): what the activation sees."""
        return self.data.inputs(self.bias)

    @property
    def problem(self) -> Problem:
        """The problem as the certificate states it."""
        data, kernel = self.data, self.norm != "f1"
        return Problem(
            norm=self.norm,
            feature=self.feature,
            bias=self.bias,
            convention=self.convention,
            n=data.n,
            d=data.d,
            data_sha256=data.sha256,
            law=self.law if kernel else None,
            label=data.label,
            standardized=data.standardized,
            notes=data.notes,
            nu=self.nu,
        )


def _choice(argument: str, found: object, wanted: tuple[str, ...]) -> None:
    if found not in wanted:
        raise InputError(f"{argument}: found {found!r}, wanted one of {', '.join(wanted)}")
