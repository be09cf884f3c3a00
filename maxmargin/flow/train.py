"""One training run of the paper's dynamics: evaluate, record, step, until done, dead, overflown or out of time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import conventions, memory, options
from ..conventions import Array
from ..errors import InputError
from ..features import RELU, Feature
from ..oracles.oracle import Oracle
from ..progress import Progress
from ..text import share_text
from .both_layers import BothLayers
from .dynamics import Dynamics, Magnitudes, OutputLayer
from .implicit import Flow
from .loss import Loss
from .network import Network, Start, neurons
from .recorder import Recorder
from .run import Run
from .schedules import Step, StepRule, get_rule

LAYERS = ("both", "output", "magnitudes")
_EVERY = 0.5  # seconds between two progress lines of a run


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # an overflow ends the run as "diverged"
def train_flow(
    Z: Array,
    y: Array,
    *,
    layers: str = "both",
    width: int = 1000,
    steps: int = 50_000,
    schedule: str | StepRule = "paper",
    step_size: float | None = None,
    loss: str = "exp",
    init: str | Start | Network = "gaussian",
    seed: int = 0,
    dtype: str = "float64",
    batch_size: int | None = None,
    feature: Feature = RELU,
    bias: bool = True,
    convention: str = conventions.SPHERE,
    weights: str = "sphere",
    oracle: Oracle | None = None,
    certify_every: int | None = None,
    time_limit: float | None = None,
    progress: Progress | None = None,
) -> Run:
    """Ascend the smooth margin S(y_i h_m(w, x_i)) from an initial network (Eq. 7), and keep the path.

    Parameters
    ----------
    Z : (n, D) what the activation sees, (x, 1) or x.
    y : (n,) labels -1/+1.
    layers : "both"; "output" (hidden layer fixed, r(0) = 0, Prop. 7); "magnitudes" (directions fixed, Prop. 6).
    width : number of neurons m (ignored when `init` is a network).
    steps : number of steps.
    schedule, step_size : a step rule or its name, and its constant; see `schedules`.
    loss : "exp" or "logistic".
    init : "gaussian", "balanced", "paired", one of them with a scale ("gaussian:40"), or a `Network`; see `network`.
    seed : of the initial weights and of the mini-batches; the same seed gives the same bytes.
    dtype : "float64" or "float32", for the products with hidden weights.
    batch_size : rows per step of stochastic gradient; None for all.  Margins are then seen at recorded steps only.
    feature : the activation.
    bias : whether the last column of Z is the constant (stored in the returned networks only).
    convention : "sphere" or "path", of the both-layer and magnitude margins.
    weights : hidden directions of an output-layer run, "sphere" (uniform on the unit sphere, Eq. 5) or "gaussian" (as
        drawn by `init`); its margins live in that normalisation.
    oracle : best responses on the sphere; gives the upper bounds of both-layer runs.
    certify_every : ask the oracle at multiples of this step (and record there); at every recorded step when None.
    time_limit : seconds after which the run ends with status "interrupted".
    progress : called with one short line at recorded steps.

    Returns
    -------
    Run : both-layer and magnitude margins over the mass (1/m) sum |w_j|^2, output-layer margins over sqrt(mean r_j^2).

    Raises
    ------
    InputError : an argument is outside its range.
    """
    Z, y = np.ascontiguousarray(Z, dtype=float), np.asarray(y, dtype=float)
    _check(
        Z, y, layers=layers, dtype=dtype, weights=weights,
        width=width, steps=steps, batch_size=batch_size, certify_every=certify_every, bias=bias,
        seed=seed, time_limit=time_limit, progress=progress,
    )  # fmt: skip
    began = time.perf_counter()
    rng = np.random.default_rng(seed)
    start = neurons(init, rng, width, Z.shape[1], feature)
    dynamics = dynamics_of(layers, (Z, y), start, feature, dtype=dtype, weights=weights)
    path_factor = conventions.variation_factor(feature.degree, convention)
    to_asked = path_factor / conventions.variation_factor(feature.degree, conventions.SPHERE)
    scale = to_asked if dynamics.norm == "f1" else 1.0
    recorder = Recorder(
        dynamics, y, scale, steps, bias=bias, oracle=oracle, certify_every=certify_every, path_factor=path_factor
    )
    rule = get_rule(schedule, step_size)
    if batch_size is not None and isinstance(rule, Flow):
        raise InputError("batch_size: the flow schedule needs all points at every step; leave it out or take 'paper'")
    course = Loop(
        dynamics=dynamics,
        loss=Loss(loss),
        step=rule.stepper(dynamics, Loss(loss)),
        recorder=recorder,
        batches=None if batch_size is None else batches(rng, len(y), batch_size),
        deadline=math.inf if time_limit is None else began + time_limit,
        progress=progress,
    )
    status, taken = course.run(steps)
    asked: dict[str, Any] = dict(layers=layers, step_size=step_size, loss=loss, dtype=dtype, bias=bool(bias))
    asked["seed"] = int(seed) if isinstance(seed, int | np.integer) else None  # a Generator has no name
    asked |= dict(batch_size=batch_size, convention=convention, feature=feature.name)
    asked["schedule"] = schedule if isinstance(schedule, str) else repr(schedule)
    asked["init"] = init if isinstance(init, str) else type(init).__name__.lower()
    asked["weights"] = weights if layers == "output" else None
    result = _result(recorder, lambda network: scale * _margin(network, Z, y, dynamics.norm))
    return Run(**asked, **result, norm=dynamics.norm, status=status, steps=taken, seconds=time.perf_counter() - began)


def dynamics_of(
    layers: str, data: tuple[Array, Array], start: tuple[Array, Array], feature: Feature, *, dtype: str, weights: str
) -> Dynamics:
    """The moving parameters; hidden directions of an output-layer run are put on the sphere unless Gaussian."""
    if layers != "output":
        return (BothLayers if layers == "both" else Magnitudes)(*data, start, feature, dtype)
    hidden = start[0]
    if weights == "sphere":
        hidden = hidden / np.linalg.norm(hidden, axis=1, keepdims=True)
    return OutputLayer(*data, hidden, feature)


def _result(recorder: Recorder, margin: Callable[[Network], float]) -> dict[str, Any]:
    """What came out, with the two margins recomputed from the networks' own weights."""
    if not recorder.trace:
        raise InputError(
            "init: found a start whose outputs on these data leave the range of floats, wanted a scale s for which "
            "s^2 |z| is moderate, such as gaussian:1 on standardised features"
        )
    p, state = recorder.last
    network, network_best = recorder.network_of(state), recorder.best_network()
    return {
        "width": network.width,
        "margin_best": margin(network_best),
        "margin_last": margin(network),
        "step_of_best": recorder.step_of_best,
        "upper": min((row["upper"] for row in recorder.trace if "upper" in row), default=None),
        "scope": recorder.scope,
        "peak_bytes": memory.peak(),
        "trace": recorder.trace,
        "adversary": p,
        "network": network,
        "network_best": network_best,
        "snapshots": recorder.snapshots,
    }


def _margin(network: Network, Z: Array, y: Array, norm: str) -> float:
    """min_i y_i h(x_i) over the network's own norm, in float64 and from its weights alone (sphere convention)."""
    size = network.mass if norm == "f1" else conventions.root_mean_square(network.output)
    return float((y * network.outputs(Z)).min()) / size if size > 0 else 0.0


def _check(Z: Array, y: Array, **asked: Any) -> None:
    """`InputError` for the first argument outside its range."""
    if Z.ndim != 2 or y.shape != Z.shape[:1] or not len(y):
        raise InputError(f"data: found Z {Z.shape} and y {y.shape}, wanted (n, D) and (n,)")
    if not np.isfinite(Z).all() or not np.isin(y, (-1.0, 1.0)).all():
        raise InputError("data: wanted finite numbers in Z and labels -1 or +1 in y")
    allowed = {"layers": LAYERS, "dtype": ("float64", "float32"), "weights": conventions.WEIGHTS}
    for name, values in allowed.items():
        options.choice(name, asked[name], values)
    for name, least in (("width", 1), ("steps", 0), ("batch_size", 1), ("certify_every", 1)):
        if name in ("width", "steps") or asked[name] is not None:
            options.whole(name, asked[name], least)
    options.flag("bias", asked["bias"])
    options.seed("seed", asked["seed"])
    options.seconds("time_limit", asked["time_limit"])
    if asked["progress"] is not None:
        options.call("progress", asked["progress"])
    batch = asked["batch_size"]
    if batch is not None and batch > len(y):
        raise InputError(f"batch_size: found {batch}, wanted at most the {len(y)} points")


@dataclass
class Loop:
    """The loop itself: evaluate, record, step, until done, dead, overflown or out of time.

    Attributes
    ----------
    dynamics : what moves.  loss : the smooth margin.  step : takes one step.  recorder : keeps the path.
    batches : rows of each step, or None for all.  deadline : of `time.perf_counter`.
    progress : called regularly with a line of text, or None.
    """

    dynamics: Dynamics
    loss: Loss
    step: Step
    recorder: Recorder
    batches: Iterator[NDArray[np.int64]] | None
    deadline: float
    progress: Progress | None

    def run(self, steps: int) -> tuple[str, int]:
        """Take the steps; returns the status and how many were taken."""
        self.t, self.flow_time, self.steps, self.shown = 0, 0.0, steps, time.perf_counter()
        try:
            while (status := self._look(steps)) is None:
                self._advance()
        except KeyboardInterrupt:
            self.progress = None
            if not self.recorder.trace or self.recorder.trace[-1]["step"] < self.t:
                self._look(self.t)
            status = "interrupted"
        return status, self.t

    def _look(self, steps: int) -> str | None:
        """Evaluate and record the present iterate; a status when the run ends here."""
        late = time.perf_counter() > self.deadline
        due = late or self.t >= steps or self.recorder.due(self.t)
        if self.progress is not None and time.perf_counter() - self.shown > _EVERY:
            self._tell()
        if due or self.batches is None:
            u = self.dynamics.outputs()
            self.S, self.p = self.loss.evaluate(u)
            if not np.isfinite(self.S + self.dynamics.size()):
                return "diverged"
            self.recorder.visit(self.t, u)
            if due and not self._record():
                return "collapsed"
        if self.t >= steps:
            return "finished"
        return "interrupted" if late else None

    def _record(self) -> bool:
        """Add a row; False when the gradient is zero."""
        self.recorder.record(self.t, self.flow_time, self.S, self.p)
        self._tell()
        return self.dynamics.ascend(self.p) > 0

    def _tell(self) -> None:
        """Progress lines of the run: at every recorded step, and in between when that takes long."""
        if self.progress is None:
            return
        self.shown, best = time.perf_counter(), self.recorder.best
        upper = min((row["upper"] for row in self.recorder.trace if row.get("upper")), default=0.0)
        share = f" = {share_text(best / upper)} of its proved limit" if upper > 0 and best > 0 else ""
        self.progress(f"step {self.t:,} of {self.steps:,}, best margin {best:.4g}{share}")

    def _advance(self) -> None:
        if self.batches is not None:
            self.S, self.p = self.loss.evaluate(self.dynamics.outputs(next(self.batches)))
        self.t += 1
        elapsed, p = self.step(self.t, self.S, self.p)
        self.flow_time += elapsed
        if self.batches is None:
            self.recorder.average.add(self.t, elapsed, p)


def batches(rng: np.random.Generator, n: int, size: int) -> Iterator[NDArray[np.int64]]:
    """Random rows without replacement, epoch after epoch."""
    while True:
        order = rng.permutation(n)
        for first in range(0, n - size + 1, size):
            yield order[first : first + size]
