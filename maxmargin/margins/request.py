"""The arguments of `max_margin`, checked before any work starts."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from .. import options
from ..clock import Clock
from ..conventions import CONVENTIONS, NORMS, WEIGHTS, Array
from ..dataset import Dataset
from ..errors import InputError
from ..features.homogeneous import Feature
from ..games.game import Game
from ..games.measure import Measure
from ..games.problem import Problem
from ..games.soft import Capped, largest_weight
from ..progress import Progress, silent
from .prove import Budget

SOFT = ("auto", "highs")  # solvers of soft margins
BRANCHING_ROUNDS = 6  # default number of branching rounds; they take a few seconds


@dataclass(frozen=True)
class Request:
    """One margin of one data set.

    Attributes
    ----------
    data, norm, feature, bias, convention, law, nu, start : as in `max_margin`; `data` and `feature` are resolved.
    solver, tol, time_limit, max_rounds, branching_rounds, seed, self_check, progress : as in `max_margin`.
    quick : above D = 3, only a cheap bound for the upper end.
    local_tol : relative gain below which a local search, which proves nothing, stops.

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
        options.choice("norm", self.norm, NORMS)
        options.choice("convention", self.convention, CONVENTIONS)
        options.choice("law", self.law, WEIGHTS)
        for name in ("bias", "self_check"):
            options.flag(name, getattr(self, name))
        options.tolerance("tol", self.tol)
        options.seconds("time_limit", self.time_limit)
        options.whole("branching_rounds", self.branching_rounds, 0)
        if self.max_rounds is not None:
            options.whole("max_rounds", self.max_rounds, 0)
        options.seed("seed", self.seed)
        if not isinstance(self.solver, str):
            raise InputError(f"solver: found {self.solver!r}, wanted 'auto' or the name of a solver")
        options.call("progress", self.progress)
        if self.start is not None and not isinstance(self.start, Measure):
            raise InputError(f"start: found {type(self.start).__name__!r}, wanted a Network or a Measure")
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

    @property
    def share(self) -> Fraction | None:
        """nu n where that is more than one point, exactly: the margin is the mean of so many smallest ones."""
        share = None if self.nu is None else Fraction(float(self.nu)) * self.data.n
        return None if share is None or share <= 1 else share

    def softened(self, game: Game) -> Game:
        """The game itself, or with a capped adversary when the margin asked for is soft."""
        return game if self.nu is None else Capped(game, 1 / (self.share or Fraction(1)))

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
