"""Propositions 6 and 7 hold at every step, with their exact constants."""

import numpy as np
import pytest

from maxmargin.errors import InputError
from maxmargin.features import RELU
from maxmargin.flow import train_flow
from maxmargin.theory.rates import growth_rate, proposition_6, proposition_7

XOR = np.array([[1.0, 1], [-1, -1], [1, -1], [-1, 1]]), np.array([1.0, 1, -1, -1])


def dictionary_margin(Z, y, A, b):
    """gamma_1^(m) = max over the simplex of min_i sum_j a_j z_ij: an LP."""
    from scipy.optimize import linprog

    features = (b[:, None] * RELU.evaluate(A, Z) * y) / (np.sum(A**2, 1) + b**2)[:, None]
    n, m = len(y), len(b)
    result = linprog(
        np.r_[np.zeros(m), -1.0], np.c_[-features.T, np.ones(n)], np.zeros(n), np.r_[np.ones(m), 0.0][None], [1.0]
    )
    return result.x[-1]


def ball_margin(Z, y, A):
    """gamma_2^(m): sqrt of min over the simplex of p'Kp."""
    from scipy.optimize import nnls

    features = RELU.evaluate(A, Z) * y / np.sqrt(len(A))
    c, _ = nnls(np.vstack([features, np.ones(len(y))]), np.r_[np.zeros(len(A)), 1.0], maxiter=10_000)
    return float(np.linalg.norm(features @ c) / c.sum())


def test_proposition_6_holds_and_larger_steps_converge():
    Z, y = XOR
    rng = np.random.default_rng(0)
    A, b = rng.standard_normal((400, 2)), rng.standard_normal(400)
    gamma = dictionary_margin(Z, y, A, b)
    rate = proposition_6(Z, y, (A, b), gamma, steps=3000)
    assert rate.holds and rate.best[-1] <= gamma + 1e-12
    faster = proposition_6(Z, y, (A, b), gamma, steps=3000, multiple=16.0)
    assert gamma - faster.best[-1] < 0.05 * gamma < gamma - rate.best[-1]
    assert faster.slope() < -0.3


def test_proposition_7_holds_at_every_step():
    Z, y = XOR
    A = np.random.default_rng(1).standard_normal((300, 2))
    A /= np.linalg.norm(A, axis=1, keepdims=True)
    gamma = ball_margin(Z, y, A)
    rate = proposition_7(Z, y, A, gamma, steps=20_000)
    assert rate.holds and (rate.best <= gamma + 1e-12).all()
    assert gamma - rate.best[-1] < 0.02 * gamma
    assert rate.bound[-1] > 0  # the bound says something by then
    with pytest.raises(InputError, match="gamma"):
        proposition_7(Z, y, A, 0.0, steps=5)


@pytest.mark.parametrize("seed", range(3))
def test_output_layer_reaches_its_finite_margin(seed):
    Z, y = XOR
    run = train_flow(Z, y, layers="output", width=200, steps=1000, seed=seed, schedule="flow", bias=False)
    directions = run.network.hidden
    assert run.margin_best == pytest.approx(ball_margin(Z, y, directions), rel=1e-3)
    assert run.margin_best <= ball_margin(Z, y, directions) * (1 + 1e-10)


def test_growth_needs_a_path():
    run = train_flow(*XOR, width=5, steps=0, bias=False)
    with pytest.raises(InputError, match="longer"):
        growth_rate(run)
