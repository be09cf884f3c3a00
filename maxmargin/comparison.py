"""The main job: F1, F2 and tangent-kernel margins solved directly, beside the flows that converge to them."""

from __future__ import annotations

import math
import shlex
import time
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from . import atomic, conventions
from .dataset import Dataset, load, save
from .errors import InputError
from .features.homogeneous import Feature, get_feature
from .flow.initial import get_start
from .flow.run import Run
from .flow.schedules import get_rule
from .games.bracket import Bracket
from .games.certificate import Certificate
from .games.rkhs import KERNEL
from .margins import max_margin
from .progress import Progress, silent
from .text import bracket_text, gap_text, lower_text, table
from .training import train

ARRAYS = "data.npz"  # where `save` puts data that came as arrays, so that the commands of the report run


@dataclass(frozen=True)
class ComparedRun:
    """A training run beside the margin that it should converge to, in the same norm.

    Attributes
    ----------
    reference : "f1" (both layers) or "f2m" (output layer: gamma_2^(m) of this run's own random features).
    bracket : the reference's proved bracket.
    """

    run: Run
    reference: str
    bracket: Bracket

    @property
    def fraction_of_lower(self) -> float | None:
        """margin_best / lower: at most upper/lower; None when nothing separates the data."""
        return self.run.margin_best / self.bracket.lower if self.bracket.lower > 0 else None

    @property
    def fraction_of_upper(self) -> float | None:
        """margin_best / upper: never above 1, by the proof."""
        return self.run.margin_best / self.bracket.upper if self.bracket.upper > 0 else None

    def to_json(self) -> dict[str, Any]:
        return self.run.to_json() | {
            "reference": self.reference,
            "reference_lower": self.bracket.lower,
            "reference_upper": self.bracket.upper,
            "fraction_of_lower": self.fraction_of_lower,
            "fraction_of_upper": self.fraction_of_upper,
        }


@dataclass(frozen=True)
class Comparison:
    """Everything `compare` found, for the table, the figures, the report and the JSON."""

    dataset: Dataset
    margins: dict[str, Certificate]
    runs: tuple[ComparedRun, ...]
    seconds: float
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def command(self) -> str:
        """The command line that repeats this comparison."""
        flags = (_flag(name, value) for name, value in self.options.items())
        return " ".join(["maxmargin compare", self.source, *(flag for flag in flags if flag)])

    @property
    def source(self) -> str:
        """The words that make a command read these data; those given as arrays are saved beside the report."""
        return shlex.join(self.dataset.words or [ARRAYS])

    def to_json(self) -> dict[str, Any]:
        """The JSON document of the contract."""
        return {
            "format": "maxmargin-comparison",
            "version": 1,
            "dataset": self.dataset.to_json(),
            "command": self.command,
            "margins": {name: certificate.to_json() for name, certificate in self.margins.items()},
            "runs": [run.to_json() for run in self.runs],
            "seconds": self.seconds,
        }

    def table(self) -> str:
        """One row a number, its norm and what is proved of it."""
        rows = [_margin_row(name, certificate) for name, certificate in self.margins.items()]
        rows += [_run_row(item) for item in self.runs]
        head = [self.dataset.text, *(f"note: {note}" for note in self.dataset.notes)]
        return "\n".join([*head, "", table(("object", "norm and unit", "margin", "gap", "what is proved"), rows)])

    def save(self, folder: str | PathLike[str]) -> Path:
        """Write comparison.json, figures and report.html into `folder` (made if missing); return the report's path."""
        from .plots import figures, save_figure
        from .report import render

        folder = Path(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"output folder {str(folder)!r} cannot be made ({error.strerror}); name another with --out"
            ) from error
        if self.dataset.words is None:
            save(self.dataset, folder / ARRAYS)
        drawn = figures(self)
        for name, figure in drawn.items():
            save_figure(figure, folder / f"{name}.png")
        atomic.write_json(folder / "comparison.json", self.to_json())
        atomic.write_text(folder / "report.html", render(self, drawn))
        return folder / "report.html"


def compare(
    data: Dataset | Any,
    *,
    feature: str | Feature = "relu",
    bias: bool = True,
    convention: str = "sphere",
    weights: str = "sphere",
    width: int = 1000,
    steps: int = 10_000,
    schedule: str = "flow",
    init: str | None = None,
    tol: float = 1e-9,
    time_limit: float | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> Comparison:
    """Solve the F1, F2 and tangent-kernel margins, train both layers and the output layer, and put them side by side.

    Parameters
    ----------
    data : as in `max_margin`.
    feature, bias, convention, weights, tol, seed : as in `max_margin`.
    width, steps, schedule : of both training runs, as in `train`; "flow" follows the continuous-time flow with steps
        that grow with the mass, so that it gets close to the limit where the paper's rule crawls.
    init : start of the both-layer run; by default Gaussian of scale ``4 / sqrt(root mean square of |z_i|)``, from
        which the data are fitted before the neurons have turned much. From a smaller start many turn, and die, under
        the first adversaries, and on some data a few per cent of the margin are then out of reach.
    time_limit : seconds for each margin and each run.

    Returns
    -------
    Comparison : `.table()` for people, `.save(folder)` for figures and report.

    Raises
    ------
    InputError : bad data or option, in one sentence.
    """
    start, dataset, feature = time.perf_counter(), load(data), get_feature(feature)
    init = _lazy_start(dataset, bias) if init is None else init
    get_start(init), get_rule(schedule, None)  # refuse before the work, not after it
    shared: dict[str, Any] = {"feature": feature, "bias": bias, "convention": convention, "seed": seed}
    margins = {}
    for norm in ("f1", "f2", "ntk"):
        margins[norm] = max_margin(
            dataset, norm, **shared, weights=weights, tol=tol, time_limit=time_limit, progress=_prefixed(progress, norm)
        )
    training = shared | {"width": width, "steps": steps, "schedule": schedule, "time_limit": time_limit}
    both = train(dataset, layers="both", init=init, **training, progress=_prefixed(progress, "both layers"))
    output = train(dataset, layers="output", weights=weights, **training, progress=_prefixed(progress, "output layer"))
    lower, upper = output.gamma_2m or (0.0, math.inf)
    runs = (
        ComparedRun(both, "f1", margins["f1"].bracket),
        ComparedRun(output, "f2m", Bracket(lower, upper, KERNEL)),
    )
    options = training | {"feature": feature.name, "weights": weights, "init": init}
    return Comparison(dataset, margins, runs, time.perf_counter() - start, options)


def _lazy_start(dataset: Dataset, bias: bool) -> str:
    """Gaussian of scale s with s^2 |z| = 16 on average, so that the start does not depend on the unit of the data."""
    Z = dataset.inputs(bias)
    square = float(np.einsum("id,id->", Z, Z)) / len(Z)
    return f"gaussian:{4.0 * square**-0.25:.3g}" if square > 0.0 else "gaussian"


def _prefixed(progress: Progress, name: str) -> Progress:
    return progress if progress is silent else lambda line: progress(f"{name}: {line}")


_DEFAULTS = {
    "feature": "relu",
    "convention": "sphere",
    "weights": "sphere",
    "width": 1000,
    "steps": 10_000,
    "schedule": "flow",
    "seed": 0,
}


def _flag(name: str, value: Any) -> str:
    """`value` as a command line flag, empty when it is the default."""
    if name == "bias":
        return "" if value else "--no-bias"
    return "" if value is None or _DEFAULTS.get(name) == value else f"--{name.replace('_', '-')} {value}"


_OBJECTS = {"f1": "F1 max margin", "f2": "F2 max margin", "ntk": "tangent-kernel max margin"}
_SCOPES = {
    "sphere-exact": "both ends, over all neurons",
    "sphere-bound": "both ends, over all neurons (upper end not tight)",
    "dictionary": "both ends, over the given neurons only",
    "kernel": "both ends, over the RKHS ball",
}


def _margin_row(name: str, certificate: Certificate) -> tuple[str, ...]:
    problem = certificate.problem
    unit = conventions.describe(name, problem.convention, problem.weights)
    proved = (
        _SCOPES[certificate.scope] if certificate.status.value != "not-separable" else "not separable: the margin is 0"
    )
    return (
        _OBJECTS[name],
        unit,
        bracket_text(certificate.lower, certificate.upper),
        gap_text(certificate.relative_gap),
        f"{certificate.status.value}: {proved}",
    )


def _run_row(item: ComparedRun) -> tuple[str, ...]:
    run, bracket = item.run, item.bracket
    if item.reference == "f1":
        name, unit = f"both-layer flow, m={run.width}", conventions.describe("f1", run.convention, None)
    else:
        name, unit = f"output-layer flow, m={run.width}", f"L2 over its own {run.width} random features"
    reached = f"attained; its limit is in {bracket_text(bracket.lower, bracket.upper)}"
    gap = "" if item.fraction_of_upper is None else f"{100 * item.fraction_of_upper:.1f} % of upper"
    return (name, unit, lower_text(run.margin_best), gap, reached)
