"""Branch and bound: brackets around known answers, proofs that survive, and agreement with CVXPY."""

from __future__ import annotations

import math

import numpy as np
import pytest
from lifted_program import lifted_program

from maxmargin.features import RELU, SQUARED_RELU, Feature
from maxmargin.oracles.lifted.branch import BranchAndBound, tighten
from maxmargin.oracles.lifted.inequality import verify
from maxmargin.oracles.lifted.root import lifted_bound, lifted_game

LEAKY = Feature("test-leaky", 1, 1.0, -0.1)
XOR = np.array([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]]), np.array([1.0, 1.0, -1.0, -1.0])


def random_game(rng, D=3, largest_n=7):
    n = int(rng.integers(2, largest_n))
    return rng.standard_normal((n, D)), rng.choice([-1.0, 1.0], n)


def directions(D, rng, count=20_000):
    A = rng.standard_normal((count, D))
    return A / np.linalg.norm(A, axis=1)[:, None]


@pytest.mark.parametrize("feature", [RELU, SQUARED_RELU, LEAKY], ids=lambda f: f.name)
def test_closed_bound_is_the_margin(feature):
    """Without being told, the search proves what a dense dictionary reaches from below, within its resolution."""
    from scipy.optimize import linprog

    rng = np.random.default_rng(2)
    for _ in range(2):
        Z, y = random_game(rng)
        payoffs = feature.evaluate(directions(3, rng), Z) * y
        game = np.column_stack([np.vstack([payoffs, -payoffs]), -np.ones(2 * len(payoffs))])
        lp = linprog(
            np.r_[np.zeros(len(Z)), 1.0],
            A_ub=game,
            b_ub=np.zeros(len(game)),
            A_eq=np.r_[np.ones(len(Z)), 0.0][None],
            b_eq=[1.0],
            bounds=[(0.0, None)] * len(Z) + [(None, None)],
        )
        result = tighten(Z, y, feature, lower=lp.fun, tolerance=2e-3, max_rounds=40)
        assert lp.fun <= result.bound <= lp.fun * (1.0 + 2e-2)
        assert verify(Z, y, feature, result.adversary, result.proof) == result.bound
        assert (np.abs(payoffs @ result.adversary) <= result.bound).all()


def test_xor_is_closed_to_a_thousandth():
    """Closed form C5: sqrt(2)/4 without bias."""
    result = tighten(*XOR, RELU, lower=math.sqrt(2.0) / 4.0, tolerance=1e-3, max_rounds=100)
    assert math.sqrt(2.0) / 4.0 <= result.bound <= math.sqrt(2.0) / 4.0 * 1.001


def test_one_point_is_bounded_by_its_length():
    """Closed form C1, reached to the digits that a proof stores."""
    result = tighten(np.array([[3.0, 4.0]]), np.array([1.0]), RELU, lower=5.0, tolerance=1e-6)
    assert 5.0 <= result.bound <= 5.0 * (1.0 + 1e-6)


@pytest.mark.parametrize("feature", [RELU, SQUARED_RELU], ids=lambda f: f.name)
def test_not_separable_is_bounded_by_nearly_nothing(feature):
    """The same point with both labels has margin zero."""
    Z, y = np.array([[1.0, 2.0], [1.0, 2.0], [0.5, -1.0]]), np.array([1.0, -1.0, 1.0])
    result = tighten(Z, y, feature, max_rounds=25)
    assert 0.0 <= result.bound <= 1e-5 * np.linalg.norm(Z[0]) ** feature.degree


def test_zero_input_is_proof_enough():
    result = tighten(np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([1.0, -1.0]), RELU)
    assert result.bound == 0.0 and result.adversary.tolist() == [1.0, 0.0]


def test_branching_never_raises_the_best_bound():
    rng = np.random.default_rng(4)
    Z, y = rng.standard_normal((16, 3)), rng.choice([-1.0, 1.0], 16)
    game, _ = lifted_game(Z, y, RELU, None, None)
    tree, bounds, leaves = BranchAndBound(game, 0.0), [], []
    for _ in range(12):
        tree.advance()
        bounds.append(tree.best.value)
        leaves.append(tree.leaves)
    assert bounds == sorted(bounds, reverse=True) and leaves[-1] > 2
    assert tree.best.value < 0.95 * bounds[0]


@pytest.mark.parametrize("feature", [RELU, SQUARED_RELU, LEAKY], ids=lambda f: f.name)
def test_splitting_solves_the_program_that_cvxpy_states(feature):
    """Three routes to one number: our splitting (repaired, hence above), SCS, Clarabel."""
    rng = np.random.default_rng(1)
    Z, y = rng.standard_normal((6, 3)), rng.choice([-1.0, 1.0], 6)
    program = lifted_program(Z, y, feature, scale=0.1)
    ours = lifted_bound(Z, y, feature, tolerance=1e-5).bound
    for solver, options in (("CLARABEL", {}), ("SCS", {"eps": 1e-7, "max_iters": 20_000})):
        program.solve(solver=solver, **options)
        assert 0.1 * program.value * (1.0 - 1e-5) <= ours <= 0.1 * program.value * (1.0 + 1e-4)


def test_two_threads_and_one_give_the_same_bytes():
    rng = np.random.default_rng(9)
    Z, y = rng.standard_normal((10, 4)), rng.choice([-1.0, 1.0], 10)
    one, two = (tighten(Z, y, RELU, max_rounds=4, n_jobs=jobs) for jobs in (1, 2))
    assert one.proof == two.proof and one.bound == two.bound


def test_interrupt_keeps_the_best_proof():
    def stop(message):
        raise KeyboardInterrupt

    result = tighten(*XOR, RELU, progress=stop)
    assert result.attempts[-1]["status"] == "interrupted"
    assert verify(*XOR, RELU, result.adversary, result.proof) == result.bound < 0.6


def test_dropping_points_is_paid_for():
    """p without weight on some points proves a bound for all of them."""
    rng = np.random.default_rng(6)
    Z, y = rng.standard_normal((9, 3)), rng.choice([-1.0, 1.0], 9)
    p = np.r_[np.full(5, 0.2), np.zeros(4)]
    result = lifted_bound(Z, y, RELU, p=p)
    assert (result.adversary[5:] == 0.0).all() and result.proof["support"] == [0, 1, 2, 3, 4]
    assert result.bound >= lifted_bound(Z, y, RELU).bound * (1.0 - 1e-3)
