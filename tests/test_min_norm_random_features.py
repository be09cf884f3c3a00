"""gamma_2^(m) of given features: wide, narrow, hopeless; and its way to gamma_2."""

from fractions import Fraction

import numpy as np
import pytest

from maxmargin.errors import InputError
from maxmargin.games.random_features import RandomFeatureGame
from maxmargin.games.rkhs import network_game
from maxmargin.solvers.min_norm_point import min_norm_point
from maxmargin.solvers.random_features import random_feature_margin


def problem(n, D, m, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, D - 1))
    a = rng.normal(size=(m, D))
    Z = np.c_[X, np.ones(n)]
    y = np.where(X[:, 0] * X[:, 1] > 0, 1.0, -1.0)
    return Z, y, np.maximum(a / np.linalg.norm(a, axis=1)[:, None] @ Z.T, 0)


@pytest.mark.parametrize(("n", "m"), [(50, 400), (50, 60), (200, 60), (1, 5), (5, 1)])
def test_bracket_is_tight_and_exact(n, m):
    _, y, Phi = problem(n, 4, m)
    proposal = random_feature_margin(Phi, y)
    bracket = RandomFeatureGame(Phi, y).certify(proposal.learner, proposal.p)
    if bracket.lower > 0:
        assert bracket.relative_gap < 1e-11
        r = np.vectorize(Fraction)(proposal.learner)
        margins = np.vectorize(Fraction)(Phi * y).T @ r
        assert Fraction(bracket.lower) ** 2 * (r @ r) * m <= min(margins) ** 2
    else:
        assert bracket.upper < 1e-12


def test_same_as_the_kernel_game():
    _, y, Phi = problem(40, 5, 100)
    proposal = random_feature_margin(Phi, y)
    bracket = RandomFeatureGame(Phi, y).certify(proposal.learner, proposal.p)
    K = Phi.T @ Phi / 100
    p = min_norm_point(K, y).p
    assert bracket.lower == pytest.approx(np.sqrt((y * p) @ K @ (y * p)), rel=1e-7)


def test_independent_least_squares_route():
    """The minimum-norm output weights through scipy's SLSQP, in the primal."""
    from scipy.optimize import minimize

    _, y, Phi = problem(12, 3, 30)
    constraint = {"type": "ineq", "fun": lambda r: y * (r @ Phi) / 30 - 1, "jac": lambda r: (y * Phi).T / 30}
    start = np.linalg.lstsq(Phi.T / 30, y, rcond=None)[0]
    answer = minimize(
        lambda r: r @ r / 30,
        start,
        jac=lambda r: r / 15,
        constraints=[constraint],
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-14},
    )
    proposal = random_feature_margin(Phi, y)
    bracket = RandomFeatureGame(Phi, y).certify(proposal.learner, proposal.p)
    assert bracket.lower == pytest.approx(answer.fun**-0.5, rel=1e-4)


def test_width_brings_it_to_gamma_2_at_the_root_rate():
    widths, deviations = [200, 800, 3200, 12_800], []
    Z, y, _ = problem(30, 3, 1)
    game = network_game("f2", "relu", Z, y)
    solution = min_norm_point(game.K, y)
    limit = game.certify(solution.learner, solution.p).upper
    for m in widths:
        margins = []
        for seed in range(12):
            a = np.random.default_rng([m, seed]).normal(size=(m, 3))
            Phi = np.maximum(a / np.linalg.norm(a, axis=1)[:, None] @ Z.T, 0)
            proposal = random_feature_margin(Phi, y)
            margins.append(RandomFeatureGame(Phi, y).certify(proposal.learner, proposal.p).lower)
        deviations.append(np.sqrt(np.mean((np.array(margins) - limit) ** 2)))
    assert -0.65 < np.polyfit(np.log(widths), np.log(deviations), 1)[0] < -0.35
    assert deviations[-1] < 0.02 * limit


def test_bad_shapes():
    with pytest.raises(InputError, match="wanted"):
        RandomFeatureGame(np.ones((3, 4)), np.ones(3))
