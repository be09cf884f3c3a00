"""One finished training run: its arguments, its result, and its path at geometrically spaced steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..conventions import Array, describe
from ..errors import InputError
from ..features import get_feature
from ..result import Result, check_format
from ..text import lower_text, share_text, upper_text
from .network import Network

FORMAT, VERSION = "maxmargin-run", 1

STATUSES = {
    "finished": "all steps were taken",
    "interrupted": "stopped by the time limit or by the user; everything up to then is kept",
    "collapsed": "the gradient is zero: every neuron is dead (take smaller steps or another seed), "
    "or no neuron can separate the classes",
    "diverged": "a number overflowed: the last good state is kept; take smaller steps",
}


@dataclass(frozen=True, eq=False)
class Run(Result):
    """The JSON of ``maxmargin train``, with the networks beside it.

    Attributes
    ----------
    layers, width, steps, schedule, step_size, loss, init, seed, dtype, batch_size, feature, bias, convention : as asked
        (steps = steps taken).
    norm : "f1" (margins divided by the mass (1/m) sum |w_j|^2; halved masses in the path convention) or "f2" (margins
        divided by sqrt(mean r_j^2), for this run's own random features).
    weights : law of the random features of an output-layer run, "sphere" or "gaussian"; None else.
    status : a key of `STATUSES`.
    margin_best, step_of_best : best normalised margin over all iterates (as in Prop. 6 and 7), and its step.
    margin_last : normalised margin of the last network.
    upper, scope : least recorded upper bound on the margin of this norm, and what it covers; None if none was proved.
    gamma_2m : proved bracket of the margin that the random features of an output-layer run allow (Prop. 7), in the unit
        of its own margins; set by `maxmargin.train`.
    data : the data as in `Dataset.to_json`: name, hash, label column, notes; set by `maxmargin.train`.
    seconds, peak_bytes : wall time of the run, peak resident size of the process.
    trace : rows {"step", "time", "margin", "smooth_margin", "mass", ...} at geometric steps, see `recorder`.
    adversary : (n,) soft-min weights at the end, on the simplex; moved ones where only they prove `upper`.
    network, network_best : last network, and the one of `margin_best`.
    snapshots : (step, hidden (m, D), output (m,)) at geometric steps, a bounded number of them.
    """

    layers: str
    width: int
    steps: int
    schedule: str
    step_size: float | None
    loss: str
    init: str
    seed: int
    dtype: str
    batch_size: int | None
    feature: str
    bias: bool
    convention: str
    norm: str
    weights: str | None
    status: str
    margin_best: float
    margin_last: float
    step_of_best: int
    upper: float | None
    scope: str | None
    seconds: float
    peak_bytes: int
    trace: list[dict[str, float]] = field(repr=False)
    adversary: Array = field(repr=False)
    network: Network = field(repr=False)
    network_best: Network = field(repr=False)
    snapshots: list[tuple[int, Array, Array]] = field(repr=False, default_factory=list)
    gamma_2m: tuple[float, float] | None = None
    data: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """The document of the contract, plain Python; the two networks are in it, the snapshots are not."""
        document: dict[str, Any] = {"format": FORMAT, "version": VERSION}
        for name in _SCALARS:
            document[name] = getattr(self, name)
        document["trace"] = [dict(row) for row in self.trace]
        document["adversary"] = self.adversary.tolist()
        for name in _NETWORKS:
            network = getattr(self, name)
            document[name] = {"hidden": network.hidden.tolist(), "output": network.output.tolist()}
        return document

    def __str__(self) -> str:
        """One line each for margin, norm, status and time; margins rounded down, the proved limit up."""
        upper = "" if self.upper is None else f", proved limit at most {upper_text(self.upper)}"
        if self.upper and self.margin_best > 0:
            upper += f": {share_text(self.margin_best / self.upper)} of it reached"
        lines = [
            f"margin    {lower_text(self.margin_best)} at step {self.step_of_best} (best), "
            f"{lower_text(self.margin_last)} (last){upper}",
            f"norm      {describe(self.norm, self.convention, self.weights if self.norm == 'f2' else None)}",
            f"status    {self.status}: {STATUSES.get(self.status, '')}",
            f"seconds   {self.seconds:.2f} for {self.steps} steps of {self.width} neurons",
        ]
        return "\n".join(lines)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Run:
        """The run of a document; `InputError` when it is not one."""
        check_format("run", document, FORMAT, VERSION)
        try:
            feature = get_feature(document["feature"])
            values: dict[str, Any] = {name: document[name] for name in _SCALARS if name != "data"}
            values["data"] = document.get("data")
            for name in _NETWORKS:
                hidden, output = (np.array(document[name][part], dtype=float) for part in ("hidden", "output"))
                values[name] = Network(hidden, output, document["bias"], feature)
            values["gamma_2m"] = values["gamma_2m"] and tuple(values["gamma_2m"])
            return cls(**values, trace=document["trace"], adversary=np.array(document["adversary"]))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"run: incomplete or malformed ({error}); write it again with maxmargin train") from error


_NETWORKS = ("network", "network_best")
_SCALARS = tuple(
    name for name in Run.__dataclass_fields__ if name not in (*_NETWORKS, "trace", "adversary", "snapshots")
)
