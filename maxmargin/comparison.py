"""The main job: F1, F2 and tangent-kernel margins solved directly, beside the flows that converge to them."""

from __future__ import annotations

import inspect
import math
import shlex
import time
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from . import atomic, conventions
from .accuracy import Score, parts, result_scores, score, usual_scores
from .comparison_table import comparison_text
from .dataset import Dataset, load, make_dataset, save
from .errors import InputError
from .features.homogeneous import Feature, get_feature
from .flow.network import get_start
from .flow.run import Run
from .flow.schedules import get_rule
from .games.certificate import Certificate
from .games.game import Bracket
from .games.rkhs import KERNEL
from .margins import max_margin
from .oracles.oracle import SPHERE_BOUND
from .progress import Progress, silent
from .result import Result
from .threads import one_thread_if_small
from .training import train

# Seconds when the user gives no time limit: the most for one run, the most for all together, the least for one run.
TRAINING_SECONDS, ALL_SECONDS, LEAST_SECONDS = 20.0, 52.0, 5.0
# File names under which `save` writes data that were given as arrays, so that the report's commands run.
ARRAYS, TEST_ARRAYS = "data.npz", "test.npz"


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

    @classmethod
    def of(cls, run: Run, bracket: Bracket | None = None) -> ComparedRun:
        """The run beside this bracket, or beside the one that it carries itself."""
        if bracket is None and run.gamma_2m is not None:
            bracket = Bracket(*run.gamma_2m, KERNEL)
        if bracket is None:
            bracket = Bracket(0.0, math.inf if run.upper is None else run.upper, run.scope or SPHERE_BOUND)
        return cls(run, "f1" if run.norm == "f1" else "f2m", bracket)

    @property
    def fraction_of_lower(self) -> float | None:
        """margin_best / lower: at most upper/lower; None when nothing separates the data."""
        return self.run.margin_best / self.bracket.lower if self.bracket.lower > 0 else None

    @property
    def fraction_of_upper(self) -> float | None:
        """margin_best / upper: never above 1, by the proof."""
        return self.run.margin_best / self.bracket.upper if self.bracket.upper > 0 else None

    def to_json(self) -> dict[str, Any]:
        """The run with its reference and the two fractions, as in the document of a comparison."""
        return self.run.to_json() | {
            "reference": self.reference,
            "reference_lower": self.bracket.lower,
            "reference_upper": self.bracket.upper,
            "fraction_of_lower": self.fraction_of_lower,
            "fraction_of_upper": self.fraction_of_upper,
        }


@dataclass(frozen=True)
class Comparison(Result):
    """Everything `compare` found, for the table, the figures, the report and the JSON.

    Attributes
    ----------
    dataset : training data.  margins : "f1", "f2", "ntk" -> certificate.
    runs : the both-layer run and the output-layer run, each beside its reference.
    seconds : wall time of everything.  options : the arguments, for `command`.
    scores : accuracies.  test : data held out, if any.
    small_start : the both-layer run once more, from N(0, 1); None when a start was asked for.
    """

    dataset: Dataset
    margins: dict[str, Certificate] = field(default_factory=dict)
    runs: tuple[ComparedRun, ...] = ()
    seconds: float = 0.0
    options: dict[str, Any] = field(default_factory=dict)
    scores: tuple[Score, ...] = ()
    test: Dataset | None = None
    small_start: ComparedRun | None = None

    @property
    def command(self) -> str:
        """The command line that repeats this comparison."""
        flags = [_flag(name, value) for name, value in self.options.items()]
        if self.test is not None:
            flags.append(f"--test {shlex.quote((self.test.words or [TEST_ARRAYS])[0])}")
        return " ".join(["maxmargin compare", self.source, *(flag for flag in flags if flag)])

    @property
    def source(self) -> str:
        """The arguments with which a command reads these data; data given as arrays are saved beside the report."""
        return shlex.join(self.dataset.words or [ARRAYS])

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: Any, X_test: Any = None, y_test: Any = None) -> Comparison:
        """A fitted classifier of this package as a comparison, for its table, figures and report.

        Parameters
        ----------
        estimator : a fitted classifier; its certificate is shown, and its run if it was trained.
        X, y : its training data.  X_test, y_test : data held out, for a second column of accuracies.

        Raises
        ------
        InputError : the estimator is not fitted, or is none of this package.
        """
        found, certificate = cls.unscored(estimator, X, y), estimator.certificate_
        data, name, test = found.dataset, found.dataset.name, None
        if X_test is not None:
            names: dict[str, Any] = {"classes": data.classes, "feature_names": data.feature_names}
            test = make_dataset(X_test, y_test, f"{name}, test", **names)
        own = score(certificate.problem.norm, name, certificate.decision_function, data, test)
        return replace(found, scores=(own, *usual_scores(data, test)), test=test)

    @classmethod
    def unscored(cls, estimator: Any, X: Any, y: Any) -> Comparison:
        """The same without accuracies."""
        certificate, name = getattr(estimator, "certificate_", None), type(estimator).__name__
        if certificate is None:
            raise InputError(
                f"estimator: found {name} without certificate_, wanted a fitted classifier of maxmargin (of a pipeline "
                "its last step, on the transformed X)"
            )
        names, run = getattr(estimator, "feature_names_in_", None), getattr(estimator, "run_", None)
        data = make_dataset(X, y, name, feature_names=None if names is None else list(map(str, names)))
        if run is None:
            return cls(data, {certificate.problem.norm: certificate}, seconds=certificate.seconds)
        return cls(data, {}, (ComparedRun.of(run, certificate.bracket),), certificate.seconds)

    def to_json(self) -> dict[str, Any]:
        """The JSON document of the contract."""
        return {
            "format": "maxmargin-comparison",
            "version": 1,
            "dataset": self.dataset.to_json(),
            "test": None if self.test is None else self.test.to_json(),
            "command": self.command,
            "margins": {name: certificate.to_json() for name, certificate in self.margins.items()},
            "runs": [run.to_json() for run in self.runs],
            "small_start": None if self.small_start is None else self.small_start.to_json(),
            "scores": [score.to_json() for score in self.scores],
            "seconds": self.seconds,
        }

    def table(self) -> str:
        """One row per number with its norm and what is proved; below, accuracies and what more time would improve."""
        return comparison_text(self)

    def __str__(self) -> str:
        return self.table()

    def save(self, folder: str | PathLike[str]) -> Path:
        """Write comparison.json, figures and report.html into `folder` (made if missing); return the report's path."""
        from .plots import figures, save_figure
        from .report import render

        folder = atomic.make_folder(folder)
        if self.dataset.words is None:
            save(self.dataset, folder / ARRAYS)
        if self.test is not None and self.test.words is None:
            save(self.test, folder / TEST_ARRAYS)
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
    law: str = "sphere",
    width: int = 1000,
    steps: int = 1000,
    schedule: str = "flow",
    init: str | None = None,
    tol: float = 1e-9,
    time_limit: float | None = None,
    seed: int = 0,
    test: Any = None,
    test_size: float | None = None,
    progress: Progress = silent,
    weights: str | None = None,
) -> Comparison:
    """Solve the F1, F2 and tangent-kernel margins, train both layers and the output layer, and put them side by side.

    Parameters
    ----------
    data : as in `max_margin`.
    feature, bias, convention, law, weights, tol, seed : as in `max_margin`.
    width, steps, schedule : of both training runs, as in `train`; "flow" follows the continuous-time flow with steps
        that grow with the mass; it comes close to the limit where the paper's rule is slow.
    init : start of the both-layer run; by default Gaussian of scale ``64 / sqrt(root mean square of |z_i|)``, from
        which the data are fitted before the neurons have turned much. All directions then stay occupied, as Theorem 3
        assumes. From a small start neurons turn under the first adversaries and gather; directions are lost, and a
        few per cent of the margin may then be out of reach. By default a run from N(0, 1) is shown beside it.
    time_limit : seconds for each margin and each run; by default each run stops after at most 20 s, so that the
        whole takes about a minute; the table says which runs stopped early.
    test : data to measure accuracies on, as in `load`, with the same features and classes.
    test_size : share of each class that is held out instead; margins and runs then see the training part only.

    Returns
    -------
    Comparison : `.table()` for people, `.save(folder)` for figures and report.

    Raises
    ------
    InputError : bad data or option, in one sentence.
    """
    start, feature, law = time.perf_counter(), get_feature(feature), conventions.law_of(law, weights)
    dataset, held_out = parts(load(data), test, test_size, seed)
    small = init is None
    init = _lazy_start(dataset, bias) if init is None else init
    get_start(init), get_rule(schedule, None)  # refuse before the work, not after it
    shared: dict[str, Any] = {"feature": feature, "bias": bias, "convention": convention, "seed": seed}
    training = shared | {"width": width, "steps": steps, "schedule": schedule}

    def limit(runs_left: int) -> float:
        left = (ALL_SECONDS - (time.perf_counter() - start)) / runs_left
        return min(max(left, LEAST_SECONDS), TRAINING_SECONDS) if time_limit is None else time_limit

    margins = {}
    with one_thread_if_small(dataset.n * max(dataset.n, width)):
        for norm in conventions.NORMS:
            margins[norm] = max_margin(
                dataset, norm, **shared, law=law, tol=tol, time_limit=time_limit,
                progress=_prefixed(progress, conventions.NORMS[norm]),
            )  # fmt: skip
        shown = _prefixed(progress, "both layers")
        both = train(dataset, layers="both", init=init, **training, time_limit=limit(2 + small), progress=shown)
        beside = None
        if small:
            named = _prefixed(progress, "both layers from N(0, 1)")
            beside = train(dataset, layers="both", init="gaussian", **training, time_limit=limit(2), progress=named)
        shown = _prefixed(progress, "output layer")
        output = train(dataset, layers="output", law=law, **training, time_limit=limit(1), progress=shown)
    runs = ComparedRun.of(both, margins["f1"].bracket), ComparedRun.of(output)
    scores = (*result_scores(margins, runs, dataset, held_out), *usual_scores(dataset, held_out))
    options = training | {"feature": feature.name, "weights": law, "init": init, "tol": tol}
    options["time_limit"] = time_limit
    small_start = None if beside is None else ComparedRun.of(beside, margins["f1"].bracket)
    return Comparison(dataset, margins, runs, time.perf_counter() - start, options, scores, held_out, small_start)


def _lazy_start(dataset: Dataset, bias: bool) -> str:
    """Gaussian of scale s with s^2 |z| = 4096 on average, so that the start does not depend on the unit of the data."""
    Z = dataset.inputs(bias)
    square = float(np.einsum("id,id->", Z, Z)) / len(Z)
    return f"gaussian:{64.0 * square**-0.25:.3g}" if square > 0.0 else "gaussian"


def _prefixed(progress: Progress, name: str) -> Progress:
    return progress if progress is silent else lambda line: progress(f"{name}: {line}")


def _flag(name: str, value: Any) -> str:
    """`value` as a command line flag, empty when it is the default."""
    if name == "bias":
        return "" if value else "--no-bias"
    default = inspect.signature(compare).parameters[name].default
    return "" if value is None or value == default else f"--{name.replace('_', '-')} {shlex.quote(str(value))}"
