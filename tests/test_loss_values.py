"""The two losses against 60 digits: smooth margin, gradient, and what `linearise` says of its changes."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError

import mpmath
import numpy as np
import pytest

from maxmargin.errors import InputError
from maxmargin.flow.loss import Linearised, Loss, adversary

OUTPUTS = [
    [0.3],
    [0.0, 0.0],
    [-2.0, 1.0, 3.0],
    [28.5, 29.5, 29.97],
    [30.02, 30.5, 31.5, 32.0],
    [29.5, 30.5, 40.0],
    [-700.0, 5.0],
    [700.0, 800.0, 701.0],
    [1e4, 1e4 + 1.0],
    [29.8, 1e300],
]
U = 2.0**-53


def truth(name, u):
    """S, its gradient, -log l'(-u) and the slope of that, in 60 digits."""
    loss = mpmath.exp if name == "exp" else lambda v: mpmath.log1p(mpmath.exp(v))
    rate = mpmath.exp if name == "exp" else lambda v: 1 / (1 + mpmath.exp(-v))
    losses = [loss(-mpmath.mpf(v)) for v in u]
    p = [rate(-mpmath.mpf(v)) / sum(losses) for v in u]
    return -mpmath.log(sum(losses) / len(u)), p


@pytest.mark.parametrize("name", ["exp", "logistic"])
@pytest.mark.parametrize("u", OUTPUTS, ids=str)
def test_smooth_margin_and_gradient(name, u):
    with mpmath.workdps(60):
        S, p = truth("".join(list(name)), u)
        found, gradient = Loss("".join(list(name))).evaluate(np.array(u))
        assert abs(found - S) <= 8 * U * (abs(S) + max(1, abs(S))), (found, S)
        for value, exact in zip(gradient, p, strict=True):
            # exp(-u_i - max) carries the rounding of its argument
            assert abs(value - exact) <= 16 * U * (1 + min(abs(v) for v in u)) * (exact + mpmath.mpf(10) ** -300)


def test_the_tail_is_switched_where_both_forms_agree():
    """At u = 29.5 the form without e^-u / 2 would be wrong by 22 units of the last place of S."""
    found = Loss("logistic").evaluate(np.array([29.5]))[0]
    with mpmath.workdps(60):
        assert abs(found - truth("logistic", [29.5])[0]) < 4 * math.ulp(29.5)


def test_names_are_compared_by_value_and_others_refused():
    with pytest.raises(InputError, match="^loss: found 'hinge'"):
        Loss("hinge")
    with pytest.raises(InputError):
        Loss("a")
    with pytest.raises(InputError):
        Loss("z")
    assert Loss("".join(["ex", "p"])).name == "exp"


def test_linearise_exp_is_exact():
    u = np.array([0.5, -1.0, 700.0])
    linear = Loss("".join(["ex", "p"])).linearise(u)
    assert linear.potential is u and linear.total == 1.0
    assert linear.slope.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("u", [[0.5, -1.0, 3.0], [-50.0, 2.0], [0.0]], ids=str)
def test_linearise_logistic_is_log_p_and_its_slope(u):
    """potential = log(1 + e^u), slope = 1/(1 + e^-u), floored at 1e-8; total = sum p."""
    linear = Loss("".join(["logis", "tic"])).linearise(np.array(u))
    with mpmath.workdps(40):
        for potential, slope, v in zip(linear.potential, linear.slope, u, strict=True):
            assert abs(potential - mpmath.log1p(mpmath.exp(v))) <= 4 * U * abs(potential)
            assert abs(slope - max(1 / (1 + mpmath.exp(-v)), 1e-8)) <= 8 * U * slope
        assert linear.total == pytest.approx(float(sum(truth("logistic", u)[1])), rel=1e-14)


def test_rows_of_what_is_linearised():
    linear = Linearised(np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0]), 7.0)[np.array([2, 0])]
    assert linear.potential.tolist() == [3.0, 1.0] and linear.slope.tolist() == [6.0, 4.0] and linear.total == 7.0


def test_the_adversary_sums_to_one():
    assert adversary(np.array([1.0, 3.0])).tolist() == [0.25, 0.75]


def test_values_are_frozen():
    for value in (Loss("exp"), Loss("exp").linearise(np.ones(1))):
        with pytest.raises(FrozenInstanceError):
            value.total = 2.0
