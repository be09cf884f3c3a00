"""The path in bounded memory: the best iterate, and rows and snapshots at geometrically spaced steps.

Keys of a row: ``step``, ``time`` (sum of step sizes), ``margin`` (min u / size), ``smooth_margin`` (S / size), ``mass``
(the size: mass, or root mean square for the output layer) and

* ``upper``: best response to the soft-min weights p, when it is proved; ``upper_estimate`` when it is a local search
  (here and below p is averaged over the recent flow time, see `AverageAdversary`);
* ``slack_adversary`` = sum p_i u_i / size - margin and ``slack_measure`` = upper - sum p_i u_i / size: the two
  residuals of complementary slackness (Prop. 12), both -> 0;
* ``adversary_change`` = |p - p'|_1 and ``measure_change`` = |w/|w| - w'/|w'||, against the previous row: the two
  convergences that Theorem 3 assumes;
* ``alignment`` = cos(w, grad F) -> 1 (Ji and Telgarsky 2020), for what moves; neurons on a kink of the ReLU, where this
  gradient is one of many, keep it below 1.
"""

from __future__ import annotations

import math

import numpy as np

from ..conventions import Array
from ..oracles.oracle import Oracle
from .dynamics import Dynamics
from .loss import adversary
from .network import Network

ROWS_PER_DECADE = 20
SNAPSHOTS = 60


def geometric_steps(steps: int, count: int) -> list[int]:
    """0, `steps`, and at most `count` distinct integers between them in geometric progression."""
    if steps == 0:
        return [0]
    spaced = np.rint(np.geomspace(1, steps, max(count, 2))).astype(int)
    return sorted({0, steps, *spaced.tolist()})


class AverageAdversary:
    """The soft-min weights averaged over flow time, between the last half and the last three quarters of the steps.

    At late times the weights of one moment jump between the points that are nearly worst; their average
    converges (as Theorem 3 assumes), and proves better bounds.
    """

    def __init__(self, n: int):
        self._sums = [np.zeros(n), np.zeros(n)]
        self._since = 1

    def add(self, t: int, elapsed: float, p: Array) -> None:
        """Weights p of step t, which lasted `elapsed`."""
        if t >= 2 * self._since:
            self._since = t
            self._sums = [self._sums[1], np.zeros_like(p)]
        self._sums[1] += elapsed * p

    def value(self, p: Array) -> Array:
        """The average on the simplex; the present p while there is none."""
        total = self._sums[0] + self._sums[1]
        weight = total.sum()
        return adversary(total if 0 < weight < math.inf else p)


class Recorder:
    """Receives every iterate; keeps the best one and the scheduled ones.

    Parameters
    ----------
    dynamics : the moving parameters.
    y : (n,) labels.
    scale : converts margins from the sphere convention to the asked one.
    steps : number of steps planned.
    bias : whether z carries the constant coordinate.
    oracle : answers the adversary over the whole sphere (path convention), asked for both layers only.
    certify_every : ask it at multiples of this step; at every row when None.
    path_factor : converts the oracle's answers to the asked convention.
    """

    def __init__(
        self,
        dynamics: Dynamics,
        y: Array,
        scale: float,
        steps: int,
        *,
        bias: bool,
        oracle: Oracle | None = None,
        certify_every: int | None = None,
        path_factor: float = 1.0,
    ):
        self._dynamics, self._y, self._scale, self._bias = dynamics, y, scale, bias
        self._oracle, self._every, self._path_factor = oracle, certify_every, path_factor
        decades = math.log10(max(steps, 10))
        self._snapshots_due = set(geometric_steps(steps, SNAPSHOTS))
        # A snapshot is taken where a row is written, so its steps are rows too.
        self._rows_due = set(geometric_steps(steps, int(ROWS_PER_DECADE * decades))) | self._snapshots_due
        self.trace: list[dict[str, float]] = []
        self.snapshots: list[tuple[int, Array, Array]] = []
        self.best, self.step_of_best, self._best_state = -math.inf, 0, dynamics.state()
        self.scope: str | None = None
        self._previous: tuple[Array, Array] | None = None
        self.average = AverageAdversary(len(y))

    def due(self, step: int) -> bool:
        """Whether this step has a row."""
        return step in self._rows_due or bool(self._every and step % self._every == 0)

    def margin(self, u: Array) -> float:
        """min u / size in the asked convention; 0 for the zero function."""
        size = self._dynamics.size()
        return self._scale * float(u.min()) / size if size > 0 else 0.0

    def visit(self, step: int, u: Array) -> None:
        """Keep the iterate if its margin is the best so far."""
        margin = self.margin(u)
        if margin > self.best:
            self.best, self.step_of_best, self._best_state = margin, step, self._dynamics.state()

    def record(self, step: int, time: float, S: float, p: Array) -> None:
        """Append a row, and a snapshot when one is due."""
        mean = self.average.value(p)
        rate = self._dynamics.ascend(mean)
        u, size = self._dynamics.outputs(), self._dynamics.size()
        unit = self._scale / size if size > 0 else 0.0
        product = float(mean @ u)
        row = {"step": step, "time": time, "margin": self.margin(u), "smooth_margin": unit * S, "mass": size}
        row["slack_adversary"] = max(unit * product - row["margin"], 0.0)
        self._add_upper(row, step, mean, unit * product)
        k = self._dynamics.homogeneity
        # <w, m grad F> = k m sum p_i u_i (Euler), |w|^2 = m size^(2/k), |m grad F|^2 = m dF/dt
        length = math.sqrt(size) if k == 2 else size
        if rate > 0 and length > 0:
            row["alignment"] = k * product / (length * math.sqrt(rate))
        self._add_changes(row, mean)
        self.trace.append(row)
        if step in self._snapshots_due:
            network = self._dynamics.network(self._bias)
            self.snapshots.append((step, network.hidden, network.output))
        self.last = (mean, self._dynamics.state())

    def _add_upper(self, row: dict[str, float], step: int, p: Array, payoff: float) -> None:
        own = self._scale * self._dynamics.response(p)
        if math.isfinite(own):
            self.scope = "kernel" if self._dynamics.norm == "f2" else "dictionary"
            row["upper"] = own
        elif self._oracle is not None and (self._every is None or step % self._every == 0):
            answer = self._oracle(p * self._y)
            if math.isfinite(answer.bound):
                row["upper"], self.scope = self._path_factor * answer.bound, answer.scope
            else:
                row["upper_estimate"] = self._path_factor * float(answer.values[0])
        if "upper" in row:
            row["slack_measure"] = max(row["upper"] - payoff, 0.0)

    def _add_changes(self, row: dict[str, float], p: Array) -> None:
        point = np.concatenate([np.ravel(part) for part in self._parts()])
        point = point / (np.linalg.norm(point) or 1.0)
        if self._previous is not None:
            row["adversary_change"] = float(np.abs(p - self._previous[0]).sum())
            row["measure_change"] = float(np.linalg.norm(point - self._previous[1]))
        self._previous = (p, point)

    def _parts(self) -> tuple[Array, ...]:
        state = self._dynamics.state()
        return state[:2] if isinstance(state, tuple) else (state,)  # (a_j) and (b_j), or the one block that moves

    def network_of(self, state: object) -> Network:
        """The network of a stored state; the dynamics stays at it."""
        self._dynamics.restore(state)
        return self._dynamics.network(self._bias)

    def best_network(self) -> Network:
        """The network of the best normalised margin so far."""
        return self.network_of(self._best_state)
