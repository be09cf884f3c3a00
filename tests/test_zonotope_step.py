"""The batched zonotope step: monotone, equal to bounded least squares, never below its start."""

import numpy as np
import pytest
from scipy.optimize import lsq_linear

from maxmargin.errors import InputError
from maxmargin.features import RELU, SQUARED_RELU, Feature
from maxmargin.oracles.ascent.steps import PowerOracle, PowerStep, ZonotopeOracle, ZonotopeStep
from maxmargin.oracles.enumeration.degree1 import ArrangementOracle

LEAKY = Feature("leaky", degree=1, right=1.0, left=-0.1)


def problem(seed, N=30, D=5):
    rng = np.random.default_rng(seed)
    Z = np.hstack([rng.uniform(-0.5, 0.5, (N, D - 1)), np.ones((N, 1))])
    return Z, rng.choice([-1.0, 1.0], N) * rng.dirichlet(np.ones(N)), rng


def unit(A):
    return A / np.linalg.norm(A, axis=1, keepdims=True)


def bounded_least_squares_ascent(base, c, Z, a, steps=30):
    """The same step by scipy's BVLS, one start at a time, until it repeats itself."""
    P, N = c[c > 0, None] * Z[c > 0], -c[c < 0, None] * Z[c < 0]
    value = -np.inf
    for _ in range(steps):
        v = base + P[P @ a > 0].sum(axis=0)
        r = v - N.T @ lsq_linear(N.T, v, (0, 1), method="bvls", tol=1e-14).x
        if np.linalg.norm(r) < 1e-12:
            return value
        a = r / np.linalg.norm(r)
        new = a @ base + np.maximum(P @ a, 0).sum() - np.maximum(N @ a, 0).sum()
        if new <= value * (1 + 1e-13):
            return value
        value = new
    return value


@pytest.mark.parametrize("feature", [RELU, LEAKY])
@pytest.mark.parametrize("seed", range(3))
def test_best_maximum_equals_bounded_least_squares(feature, seed):
    Z, q, rng = problem(seed)
    base, c = feature.canonical(Z, q)
    starts = unit(rng.standard_normal((40, 5)))
    step = ZonotopeStep(base, c, Z)
    A, values, U = step.ascend(starts)
    A, values = step.snap(A, values, U)
    reference = np.array([bounded_least_squares_ascent(base, c, Z, a) for a in starts])
    assert values.max() == pytest.approx(reference.max(), rel=1e-12)
    assert (values >= reference.max() * (1 - 1e-12)).sum() >= 0.5 * (reference >= reference.max() * (1 - 1e-12)).sum()


@pytest.mark.parametrize("seed", range(5))
def test_never_below_the_start_and_monotone(seed):
    Z, q, rng = problem(seed, N=50, D=7)
    base, c = RELU.canonical(Z, q)
    step = ZonotopeStep(base, c, Z)
    A = unit(rng.standard_normal((60, 7)))
    before = step.g(A)
    B, values, U = step.ascend(A)
    assert (values >= before).all()
    np.testing.assert_allclose(values, step.g(B), rtol=0, atol=1e-15)
    assert (step.snap(B, values, U)[1] >= values).all()
    assert (step.ascend(B)[1] >= values).all()


@pytest.mark.parametrize("seed", range(3))
def test_squared_relu_ascent_is_monotone_and_ends_at_an_eigenvector(seed):
    Z, q, rng = problem(seed)
    base, c = SQUARED_RELU.canonical(Z, q)
    step = PowerStep(base, c, Z)
    A = unit(rng.standard_normal((40, 5)))
    B, values = step.ascend(A, 40)
    assert (values >= step.g(A)).all()
    best = B[np.argmax(values)]
    np.testing.assert_allclose(step.gradients(best[None])[0], values.max() * best, atol=1e-7 * abs(values.max()))


@pytest.mark.parametrize("feature", [RELU, LEAKY])
@pytest.mark.parametrize("D", [2, 3])
def test_local_search_finds_the_global_maximum_in_low_dimension(feature, D):
    Z, q, _ = problem(11, N=25, D=D)
    local, exact = ZonotopeOracle(Z, feature)(q), ArrangementOracle(Z, feature)(q)
    assert local.values[0] <= exact.bound
    assert local.values[0] == pytest.approx(exact.values[0], rel=1e-12)
    assert local.bound == np.inf
    assert local.scope is None


@pytest.mark.parametrize("oracle, feature", [(ZonotopeOracle, RELU), (PowerOracle, SQUARED_RELU)])
def test_responses_are_sorted_distinct_units_with_their_payoffs_and_repeat(oracle, feature):
    Z, q, _ = problem(7, N=40, D=6)
    first, second = oracle(Z, feature, seed=3)(q, 10), oracle(Z, feature, seed=3)(q, 10)
    assert first.directions.tobytes() == second.directions.tobytes()
    assert (np.diff(first.values) <= 0).all()
    np.testing.assert_allclose(np.linalg.norm(first.directions, axis=1), 1, atol=1e-14)
    payoffs = first.signs * (feature.evaluate(first.directions, Z) @ q)
    np.testing.assert_allclose(payoffs, first.values, rtol=1e-12, atol=1e-16)
    pairs = np.column_stack([first.directions, first.signs])
    assert len(np.unique(np.round(pairs, 8), axis=0)) == len(pairs)


def test_given_starts_are_used():
    Z, q, rng = problem(5, N=60, D=12)
    best = ZonotopeOracle(Z, RELU, random=400)(q, 1)
    helped = ZonotopeOracle(Z, RELU, random=0, sweeps=0, starts=3.0 * best.directions)(q, 1)
    assert helped.values[0] >= best.values[0] * (1 - 1e-14)


def test_degenerate_inputs():
    Z = np.vstack([np.zeros(3), np.eye(3), -np.eye(3), np.eye(3)])
    for q in (np.zeros(10), np.eye(10)[0], np.full(10, 0.1), -np.full(10, 0.1)):
        for oracle, feature in ((ZonotopeOracle, RELU), (PowerOracle, SQUARED_RELU)):
            responses = oracle(Z, feature)(q, 5)
            assert np.isfinite(responses.values).all()
            assert np.isfinite(responses.directions).all()


def test_wrong_feature_and_wrong_starts_are_refused():
    with pytest.raises(InputError, match="degree 2"):
        ZonotopeOracle(np.eye(3), SQUARED_RELU)
    with pytest.raises(InputError, match="dimension 4"):
        ZonotopeOracle(np.eye(3), RELU, starts=np.eye(4))
