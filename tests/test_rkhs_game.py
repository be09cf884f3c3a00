"""The kernel game certifies any pair: its brackets hold in exact arithmetic, whatever the proposal."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maxmargin.errors import InputError
from maxmargin.games.rkhs import KernelExpansion, KernelGame, network_game
from maxmargin.solvers.min_norm_point import min_norm_point


def exactly(A):
    return np.vectorize(Fraction)(np.asarray(A))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12), st.sampled_from([1e-150, 1e-8, 1.0, 1e8, 1e150]))
def test_bracket_survives_rational_arithmetic(seed, n, scale):
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(n, rng.integers(1, n + 2)))
    K = scale * (factor @ factor.T)
    K = (K + K.T) / 2
    y = np.where(rng.random(n) < 0.5, -1.0, 1.0)
    c, p = rng.normal(size=n), rng.dirichlet(np.ones(n))
    game = KernelGame(K, y)
    if seed % 2:
        proposal = min_norm_point(K, y)
        c, p = proposal.learner.coefficients, proposal.p
    bracket = game.certify(KernelExpansion(c), p)
    Q, x, q = exactly(K), exactly(c), exactly(y * p)
    margins = exactly(y) * (Q @ x)
    assert bracket.lower == 0.0 or Fraction(bracket.lower) ** 2 * (x @ Q @ x) <= min(margins) ** 2 and min(margins) > 0
    assert q @ Q @ q <= (Fraction(bracket.upper) * sum(exactly(p))) ** 2


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_arbitrary_pairs_enclose_the_solution(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 30))
    game = network_game("f2", "relu", rng.normal(size=(n, 3)), np.where(rng.random(n) < 0.5, -1.0, 1.0))
    best = min_norm_point(game.K, game.y)
    solved = game.certify(best.learner, best.p)
    weights = rng.dirichlet(np.ones(n))
    arbitrary = game.certify(KernelExpansion(rng.normal(size=n)), weights)
    assert arbitrary.lower <= solved.upper and solved.lower <= arbitrary.upper
    assert game.best_response(weights).value == pytest.approx(arbitrary.upper, rel=1e-9)


def test_best_response_is_the_best_of_the_ball():
    rng = np.random.default_rng(0)
    game = network_game("ntk", "relu", rng.normal(size=(20, 4)), np.where(rng.random(20) < 0.5, -1.0, 1.0))
    p = rng.dirichlet(np.ones(20))
    response = game.best_response(p)
    assert p @ game.margins(game.unit(response.learner)) == pytest.approx(response.value, rel=1e-12)
    for _ in range(50):
        other = game.unit(KernelExpansion(rng.normal(size=20)))
        assert game.norm(other) == pytest.approx(1.0, rel=1e-12)
        assert p @ game.margins(other) <= response.value * (1 + 1e-12)


def test_true_kernel_lies_in_brackets_of_the_rows_on_demand():
    """The bracket speaks of the exact kernel: a stored Gram matrix of the same points must not contradict it."""
    rng = np.random.default_rng(1)
    Z, y = rng.normal(size=(60, 5)), np.where(rng.random(60) < 0.5, -1.0, 1.0)
    game = network_game("f2", "relu", Z, y)
    stored = KernelGame(np.asarray(game.K), y, game.scale, entry_error=game.K.entry_error)
    best = min_norm_point(game.K, y)
    learner = best.learner
    fine, coarse = game.certify(learner, best.p), stored.certify(learner, best.p)
    assert coarse.lower <= fine.lower <= fine.upper <= coarse.upper
    assert fine.relative_gap < 1e-11 < coarse.relative_gap


@pytest.mark.parametrize("size", [1e200, 1e-200])
def test_norms_of_any_size_are_multiples_of_each_other(size):
    """Squares of such coefficients are no doubles."""
    game = KernelGame(np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([1.0, -1.0]))
    one, other = (game.norm(KernelExpansion(factor * np.array([1.0, -2.0]))) for factor in (1.0, size))
    assert one == pytest.approx(math.sqrt(10.0), rel=1e-15)
    assert other / size == pytest.approx(one, rel=1e-15)


def test_nothing_is_claimed_for_the_zero_function():
    bracket = KernelGame(np.eye(2), np.array([1.0, -1.0])).certify(KernelExpansion(np.zeros(2)), np.array([0.5, 0.5]))
    assert (bracket.lower, bracket.scope) == (0.0, "kernel")


@pytest.mark.parametrize(
    "call",
    [
        lambda: KernelGame(np.eye(3), np.ones(2)),
        lambda: network_game("f1", "relu", np.eye(2), np.ones(2)),
        lambda: network_game("f2", "sigmoid", np.eye(2), np.ones(2)),
    ],
)
def test_bad_input_is_one_sentence(call):
    with pytest.raises(InputError, match="wanted"):
        call()
