"""Propositions 6 and 7 as inequalities at every step, and the sharper growth laws beside them.

All margins in the sphere convention of the run's own finite set of neurons: gamma_1^(m) over the simplex of the given
neurons (Prop. 6), gamma_2^(m) over their l2 ball (Prop. 7).  The propositions bound the best iterate so far.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..conventions import Array
from ..errors import InputError
from ..features import RELU
from ..flow.dynamics import Dynamics, Magnitudes, OutputLayer
from ..flow.loss import Loss
from ..flow.run import Run
from ..flow.schedules import Theorem


@dataclass(frozen=True, eq=False)
class Rate:
    """The bound of a proposition, and the measured margins.

    Attributes
    ----------
    gamma : margin of the finite problem, as given.
    best : (T,) best margin among the iterates 0..t-1, t = 1..T.
    bound : (T,) lower bound of the proposition at t.
    """

    gamma: float
    best: Array
    bound: Array

    @property
    def holds(self) -> bool:
        """best >= bound at every step."""
        return bool((self.best >= self.bound).all())

    def slope(self) -> float:
        """Fitted exponent of the actual gap, gamma - best ~ t^slope, over the last half of the logarithm of time."""
        t = np.arange(1.0, len(self.best) + 1)
        late = (t >= math.sqrt(len(t))) & (self.gamma > self.best)
        if late.sum() < 2:
            raise InputError("rate: the gap is zero to rounding before the last half; take fewer steps to fit a slope")
        return exponent(t[late], self.gamma - self.best[late])


def exponent(x: Array, y: Array) -> float:
    """The slope of log y over log x, by least squares."""
    return decay(np.log(x), y)


def decay(t: Array, y: Array) -> float:
    """The slope of log y over t, by least squares."""
    return float(np.polyfit(t, np.log(y), 1)[0])


def proposition_6(
    Z: Array,
    y: Array,
    neurons: tuple[Array, Array],
    gamma: float,
    *,
    steps: int,
    multiple: float = 1.0,
) -> Rate:
    """Magnitudes only, eta(t) = 1/(16 |z|_inf sqrt(t+1)):

        best(t) >= gamma_1^(m) - (|z|_inf / sqrt t)(8 log m + log t + 1) - 4 B log(n) / sqrt t,
        B = sum_s 1/(beta(s) sqrt(s+1)),  beta(s) the mass; here the sum stops at t - 1, which is sharper.

    Parameters
    ----------
    neurons : a_j (m, D) and b_j (m,); their lengths do not matter.
    gamma : gamma_1^(m).
    multiple : of the proposition's step size; the proposition itself is about 1.
    """
    dynamics = Magnitudes(Z, y, neurons, RELU, "float64")
    margins, beta = _iterate(dynamics, steps, multiple)
    t = np.arange(1.0, steps + 1)
    B = np.cumsum(1.0 / (beta * np.sqrt(t)))
    m, n = len(neurons[1]), len(y)
    bound = gamma - (dynamics.z_inf * (8.0 * math.log(m) + np.log(t) + 1.0) + 4.0 * B * math.log(n)) / np.sqrt(t)
    return Rate(gamma, np.maximum.accumulate(margins), bound)


def proposition_7(Z: Array, y: Array, hidden: Array, gamma: float, *, steps: int) -> Rate:
    """Output layer only, eta(t) = sqrt2 beta(t)/(|z|_inf sqrt(t+1)), beta(t) = max(1, max_s<=t rms r(s)):

        best(t) >= gamma_2^(m) - (|z|_inf / sqrt t)(2 sqrt2 + sqrt3 log(n) / gamma_2^(m)).

    with margins over beta(s).

    Parameters
    ----------
    hidden : (m, D) fixed input weights.
    gamma : gamma_2^(m) > 0.
    """
    if not gamma > 0:
        raise InputError(f"gamma: found {gamma!r}, wanted the positive margin gamma_2^(m) of separable data")
    dynamics = OutputLayer(Z, y, hidden, RELU)
    margins, _ = _iterate(dynamics, steps, 1.0)
    t = np.arange(1.0, steps + 1)
    constant = 2.0 * math.sqrt(2.0) + math.sqrt(3.0) * math.log(len(y)) / gamma
    return Rate(gamma, np.maximum.accumulate(margins), gamma - dynamics.z_inf * constant / np.sqrt(t))


def _iterate(dynamics: Dynamics, steps: int, multiple: float) -> tuple[Array, Array]:
    """Margins and sizes of the iterates 0..steps-1 under the propositions' step sizes."""
    loss = Loss("exp")
    step = Theorem(multiple).stepper(dynamics, loss)
    margins, sizes, beta = np.empty(steps), np.empty(steps), 1.0
    for t in range(steps):
        u = dynamics.outputs()
        S, p = loss.evaluate(u)
        sizes[t] = dynamics.size()
        # Prop. 7 divides by the running maximum of 1 and the root mean square, Prop. 6 by the mass
        beta = max(beta, sizes[t])
        margins[t] = u.min() / (beta if dynamics.homogeneity == 1 else sizes[t])
        step(t + 1, S, p)
    return margins, sizes


def growth_rate(run: Run) -> float:
    """Growth per unit of flow time over the last half of the recorded time.

    d log(mass)/dt -> 4 gamma_1 (both layers, magnitudes: d log(mass)/dt = 4 int J' dnubar), and
    d rms(r)/dt -> gamma_2^(m) (output layer).
    """
    time = np.array([row["time"] for row in run.trace])
    size = np.array([row["mass"] for row in run.trace])
    late = time >= 0.5 * time[-1]
    if late.sum() < 2:
        raise InputError("run: found fewer than two recorded times in its last half, wanted a longer run")
    return float(np.polyfit(time[late], np.log(size[late]) if run.norm == "f1" else size[late], 1)[0])
