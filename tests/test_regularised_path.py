"""Regularised solutions: optimality, independent solvers, and the way of their directions to the max margin."""

import numpy as np
import pytest

from maxmargin.dataset import load
from maxmargin.errors import InputError
from maxmargin.features import RELU
from maxmargin.games.rkhs import network_game
from maxmargin.margins import max_margin
from maxmargin.margins.path import margin_path
from maxmargin.oracles.selection import exact_oracle
from maxmargin.solvers.regularised_kernel import kernel_path, logistic, regularised_kernel
from maxmargin.solvers.regularised_variation import VariationPath

DATA = "clusters:n=40,d=3,k=2,seed=3"


@pytest.mark.parametrize("norm", ["f1", "f2", "ntk"])
@pytest.mark.parametrize("loss", ["logistic", "hinge"])
def test_every_bracket_holds_and_the_path_ends_at_the_max_margin(norm, loss):
    best = max_margin(DATA, norm=norm)
    lambdas = [10.0**-k for k in (0, 2, 4, 6, 10, 20, 60, 200)]
    path = margin_path(DATA, norm, lambdas, loss)
    for point in path:
        assert point.bracket.lower <= best.upper and best.lower <= point.bracket.upper
    end = path[-1].bracket
    if loss == "hinge":  # reached at a positive lambda
        assert end.lower == pytest.approx(best.lower, rel=1e-6) and end.upper == pytest.approx(best.upper, rel=1e-6)
    else:
        assert end.lower >= 0.99 * best.lower and end.upper <= 1.001 * best.upper
        gaps = [1 - point.bracket.lower / best.lower for point in path[4:]]
        rates = [gap * np.log(1 / point.lam) for gap, point in zip(gaps, path[4:], strict=True)]
        assert max(rates) < 2.5 * np.log(40)  # the gap closes like log n / log(1/lambda)


def test_logistic_kernel_solution_is_stationary():
    data = load(DATA)
    game = network_game("f2", "relu", data.inputs(True), data.y)
    Q = np.asarray(game.K) * np.outer(data.y, data.y)
    lambdas = 10.0 ** -np.arange(0.0, 40.0, 3.0)
    for lam, u in zip(lambdas, kernel_path(game.K, data.y, lambdas, "logistic"), strict=True):
        np.testing.assert_allclose(logistic(Q @ u, 1 / (len(u) * lam))[1], u, rtol=1e-3, atol=1e-5 * u.max())


def test_logistic_kernel_solution_against_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = np.where(X[:, 0] + 0.5 * rng.normal(size=60) > 0, 1.0, -1.0)
    lam = 1e-2
    model = LogisticRegression(C=1 / (60 * lam), fit_intercept=False, tol=1e-10, max_iter=1000).fit(X, y)
    u = regularised_kernel((X @ X.T) * np.outer(y, y), 1 / (60 * lam), "logistic")
    np.testing.assert_allclose(X.T @ (y * u), model.coef_[0], rtol=1e-5)


@pytest.mark.parametrize("name", [DATA, "clusters:n=120,d=3,k=3,seed=1"])
def test_hinge_kernel_solution_has_no_duality_gap(name):
    data = load(name)
    game = network_game("f2", "relu", data.inputs(True), data.y)
    Q = np.asarray(game.K) * np.outer(data.y, data.y)
    for lam in (1.0, 1e-2, 1e-4, 1e-6, 1e-8):  # each from scratch
        weight = 1 / (len(data.y) * lam)
        u = regularised_kernel(Q, weight, "hinge")
        margins = Q @ u
        assert u.min() >= 0 and u.max() <= weight
        primal = weight * np.maximum(0, 1 - margins).sum() + u @ margins / 2
        assert primal == pytest.approx(u.sum() - u @ margins / 2, rel=1e-8)


@pytest.mark.parametrize("norm", ["f1", "f2", "ntk"])
@pytest.mark.parametrize("loss", ["logistic", "hinge"])
def test_contradicting_labels_end_at_zero(norm, loss):
    X, y = np.array([[0.0], [0.0], [1.0]]), np.array([1.0, -1.0, 1.0])
    for point in margin_path((X, y), norm, [1.0, 1e-4, 1e-8], loss):
        assert point.bracket.lower == 0.0
    assert point.bracket.upper <= 1e-3


@pytest.mark.parametrize("loss", ["logistic", "hinge"])
def test_variation_solution_is_optimal_over_all_neurons(loss):
    """No neuron pays more than its cost, and the neurons in use pay exactly it (the dual of F1 regularisation)."""
    data = load(DATA)
    Z, y = data.inputs(True), data.y
    oracle = exact_oracle(Z, RELU)
    path = VariationPath(Z, y, RELU, oracle, loss)
    for lam in (3e-2, 1e-3, 1e-6):
        measure, u = path.solve(1 / (len(y) * lam))
        assert len(measure) > 0
        assert oracle(u * y).bound <= 1 + 2e-4
        payoffs = np.sign(measure.weights) * (RELU.evaluate(measure.directions, Z) @ (u * y))
        assert np.abs(measure.weights) @ np.abs(payoffs - 1) <= 1e-4 * np.abs(measure.weights).sum()


def test_large_lambda_gives_the_zero_function():
    path = margin_path(DATA, "f1", [1e3])
    assert not path[0].classifier.weights.any()
    assert path[0].bracket.lower == 0.0


def test_conventions_and_scales_agree():
    sphere = margin_path(DATA, "f1", [1e-3], convention="sphere")[0].bracket
    path = margin_path(DATA, "f1", [2e-3 / 4], convention="path")[0].bracket  # norm_sphere = 2 norm_path
    assert 0 < sphere.lower <= sphere.upper
    again = margin_path(DATA, "f1", [2e-3], convention="path")[0].bracket
    assert again.lower == pytest.approx(2 * sphere.lower, rel=1e-2)
    assert path.lower >= again.lower * 0.99


@pytest.mark.parametrize("options", [{"loss": "square"}, {"lambdas": [0.0]}, {"lambdas": []}, {"norm": "f3"}])
def test_bad_input_is_one_sentence(options):
    with pytest.raises(InputError, match="wanted"):
        margin_path(DATA, **options)
