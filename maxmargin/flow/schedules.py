"""Step rules: how far along m grad F_m each step goes.  One small value object per rule.

A rule's `stepper` takes one run's dynamics and loss and returns the function that advances the run by one step:
``step(t, S, p) -> elapsed flow time, adversary weights``, t = 1, 2, ..., S and p the smooth margin and its gradient at
the present parameters; the weights that come back are those that drove the step.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from .. import options
from ..conventions import Array
from ..errors import InputError
from .dynamics import Dynamics
from .implicit import Flow, Step
from .loss import Loss


class StepRule(Protocol):
    """See the module docstring; to add a rule, write a frozen dataclass with this one method."""

    def stepper(self, dynamics: Dynamics, loss: Loss) -> Step:
        """The function step(t, S, p) that takes one step of this run; called once a run."""


def _steps_of(size: Callable[[int], float], dynamics: Dynamics) -> Step:
    """A stepper whose step sizes do not depend on S and p."""

    def step(t: int, S: float, p: Array) -> tuple[float, Array]:
        dynamics.ascend(p)
        eta = size(t)
        dynamics.move(eta)
        return eta, p

    return step


@dataclass(frozen=True)
class Paper:
    """The authors' code: eta(t) = s/sqrt(t+1), t from 1; for the output layer times max(1, root mean square of r)."""

    s: float = 0.5

    def stepper(self, dynamics: Dynamics, loss: Loss) -> Step:
        if dynamics.homogeneity == 1:
            return _steps_of(lambda t: self.s * max(1.0, dynamics.size()) / math.sqrt(t + 1), dynamics)
        return _steps_of(lambda t: self.s / math.sqrt(t + 1), dynamics)


@dataclass(frozen=True)
class Constant:
    """eta(t) = s: explicit Euler for the flow itself (Fig. 3 of the paper)."""

    s: float = 0.01

    def stepper(self, dynamics: Dynamics, loss: Loss) -> Step:
        return _steps_of(lambda t: self.s, dynamics)


@dataclass(frozen=True)
class Theorem:
    """The step sizes of the propositions, times `multiple`.

    Prop. 6 (magnitudes): eta(t) = 1 / (16 |z|_inf sqrt(t+1)), t from 0; sixteen times that still converges in practice.
    Prop. 7 (output layer): eta(t) = sqrt2 beta(t) / (|z|_inf sqrt(t+1)), beta(t) = max(1, max_{s<=t} rms r(s)).
    """

    multiple: float = 1.0

    def stepper(self, dynamics: Dynamics, loss: Loss) -> Step:
        unit = self.multiple / dynamics.z_inf
        if dynamics.homogeneity == 2:
            return _steps_of(lambda t: unit / (16.0 * math.sqrt(t)), dynamics)
        beta = 1.0

        def size(t: int) -> float:
            nonlocal beta
            beta = max(beta, dynamics.size())
            return unit * math.sqrt(2.0) * beta / math.sqrt(t)

        return _steps_of(size, dynamics)


@dataclass(frozen=True)
class LossBased:
    """Lyu and Li 2020: ascend S = -log(loss); after progress eta *= 2^(1/5), else undo the step and eta /= 2^(1/10).

    Attributes
    ----------
    s : the first step size.
    """

    s: float = 0.1

    def stepper(self, dynamics: Dynamics, loss: Loss) -> Step:
        eta = self.s

        def step(t: int, S: float, p: Array) -> tuple[float, Array]:
            nonlocal eta
            state = dynamics.state()
            for _ in range(20):
                dynamics.ascend(p)
                dynamics.move(eta)
                if loss.evaluate(dynamics.outputs())[0] > S:
                    elapsed, eta = eta, eta * 2.0**0.2
                    return elapsed, p
                eta /= 2.0**0.1
                dynamics.restore(state)
                dynamics.outputs()
            return 0.0, p

        return step


_RULES: dict[str, Callable[..., StepRule]] = {
    "paper": Paper,
    "constant": Constant,
    "theorem": Theorem,
    "loss-based": LossBased,
    "flow": Flow,
}


def get_rule(schedule: str | StepRule, step_size: float | None = None) -> StepRule:
    """The rule of that name, with its own default size unless `step_size` is given; a rule object passes through."""
    if not isinstance(schedule, str):
        return schedule
    if schedule not in _RULES:
        raise InputError(f"schedule: found {schedule!r}, wanted one of {', '.join(_RULES)}")
    if step_size is None:
        return _RULES[schedule]()
    return _RULES[schedule](options.positive("step_size", step_size))
