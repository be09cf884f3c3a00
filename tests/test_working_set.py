"""Working sets of points: the same margin as over all points, whatever enters, for any game with points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.optimize import linprog

import maxmargin as mm
from maxmargin.features import RELU
from maxmargin.games.measure import Measure
from maxmargin.oracles.selection import Supported, exact_oracle
from maxmargin.solvers.column_generation import ColumnGeneration
from maxmargin.solvers.proposal import CONVERGED, Proposal
from maxmargin.solvers.search import VariationPoints, search
from maxmargin.solvers.working_set import WorkingSet


def clusters(n, seed=0):
    data = mm.load(f"clusters:n={n},d=3,k=4,seed={seed}")
    Z = data.inputs(bias=True)
    return Z / np.abs(Z).max(), data.y


@dataclass
class LinearGame:
    """max_|f|_1 <= 1 min_i y_i x_i.f, solved by linear programming on any of its points."""

    X: np.ndarray
    y: np.ndarray

    def __post_init__(self):
        self.n, self.calls = len(self.y), []

    def solve(self, points, tol, left):
        self.calls.append(points)
        M, (k, d) = self.y[points, None] * self.X[points], self.X[points].shape
        rows = np.hstack([-M, M, np.ones((k, 1))])
        total = np.append(np.ones(2 * d), 0.0)[None]
        bounds = [(0, None)] * (2 * d) + [(None, None)]
        found = linprog(-np.eye(1, 2 * d + 1, 2 * d)[0], rows, np.zeros(k), total, [1.0], bounds)
        f = found.x[:d] - found.x[d : 2 * d]
        p = np.maximum(-found.ineqlin.marginals, 0.0)
        value = found.x[-1]
        return Proposal(Measure(np.eye(d), f), p / p.sum(), CONVERGED, value, value, 1)

    def margins(self, measure):
        return self.y * (self.X @ measure.weights)


def test_any_game_with_points_can_be_played_on_few_of_them():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((3000, 6))
    f = np.array([3.0, -2.0, 1.0, 0.0, 0.0, 0.5])
    game = LinearGame(X + np.sign(X @ f)[:, None] * f * 0.01, np.sign(X @ f))
    whole = game.solve(np.arange(3000), 0.0, np.inf)
    game.calls.clear()
    found = WorkingSet(first=40)(game, game.y)
    assert found.lower == pytest.approx(whole.lower, rel=1e-9)
    assert found.lower == pytest.approx(float(game.margins(found.measure).min()), rel=1e-12)
    assert max(map(len, game.calls)) < 1000
    payoffs = np.abs(game.X.T @ (found.p * game.y)).max()
    assert payoffs == pytest.approx(whole.upper, rel=1e-9) and found.p.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("seed", range(3))
def test_the_margin_is_that_of_all_points(seed):
    Z, y = clusters(900, seed)
    options = ColumnGeneration(tol=1e-9)
    some = search(options, Z, y, RELU, lambda points: exact_oracle(points, RELU), many=100)
    whole = options(Z, y, RELU, exact_oracle(Z, RELU))
    assert some.reason == whole.reason == CONVERGED
    assert some.lower == pytest.approx(whole.lower, rel=3e-9)
    assert some.lower <= exact_oracle(Z, RELU)(some.p * y).bound <= some.lower * (1 + 3e-9)


def test_the_working_set_stays_small_and_the_bracket_is_proved():
    data = mm.load("clusters:n=20000,d=3,k=4,seed=2")
    certificate = mm.max_margin(data)
    assert certificate.status == "certified" and certificate.scope == "sphere-exact"
    some = "clusters:n=20000,d=3,k=4,seed=2"
    assert mm.max_margin(some, time_limit=0.0).lower <= certificate.lower <= certificate.upper
    assert np.count_nonzero(certificate.adversary) < 100


def test_two_points_of_a_rare_class_are_in_the_first_working_set():
    y = np.where(np.isin(np.arange(5000), [7, 4100]), 1.0, -1.0)
    first = WorkingSet().initial(y)
    assert {7, 4100} <= set(first) and len(first) == 300 == len(set(first))
    assert WorkingSet(seed=1).initial(y).tolist() != first.tolist()


def test_one_contradiction_among_many_points_is_found():
    Z, y = clusters(2000)
    X = np.vstack([Z[:, :2], Z[:1, :2]])
    certificate = mm.max_margin((X, np.append(y, -y[0])))
    assert certificate.status == "not-separable" and certificate.upper <= 1e-12


def test_a_limit_in_rounds_ends_with_a_bracket():
    certificate = mm.max_margin("clusters:n=3000,d=3,k=4,seed=0", max_rounds=2)
    full = mm.max_margin("clusters:n=3000,d=3,k=4,seed=0")
    assert certificate.status == "interrupted"
    assert certificate.lower <= full.lower <= full.upper <= certificate.upper


def test_progress_never_shows_a_lower_end_beyond_the_margin():
    Z, y = clusters(3000)
    shown = []
    options = ColumnGeneration(tol=1e-6, progress=shown.append)
    found = search(options, Z, y, RELU, lambda points: exact_oracle(points, RELU))
    assert len(shown) == found.rounds and [item.number for item in shown] == list(range(found.rounds))
    assert max(item.lower for item in shown) <= found.lower


def test_a_supported_oracle_answers_as_that_of_all_points():
    Z, y = clusters(300)
    p = np.where(np.arange(300) % 7 == 0, 1.0, 0.0)
    some, whole = Supported(Z, lambda rows: exact_oracle(rows, RELU)), exact_oracle(Z, RELU)
    assert some(p * y).bound == pytest.approx(whole(p * y).bound, rel=1e-13)
    assert some(0.0 * p).bound == 0.0


def test_margins_in_blocks_are_the_same():
    Z, y = clusters(500)
    rng = np.random.default_rng(0)
    measure = Measure(rng.standard_normal((5000, 3)), rng.standard_normal(5000))
    assert len(measure.blocks(Z)) > 1
    np.testing.assert_allclose(measure.outputs(Z, RELU), measure.weights @ RELU.evaluate(measure.directions, Z))
    game = VariationPoints(ColumnGeneration(), Z, y, RELU, lambda points: exact_oracle(points, RELU))
    assert game.margins(measure).shape == (500,)


@pytest.mark.parametrize("n", [400, 401, 601])
def test_symmetric_lines_are_certified(n):
    """An even grid has no point at 0, and two optimal vertices for every one: where the dual simplex used to cycle."""
    x = np.linspace(-10 * np.pi, 10 * np.pi, n)
    certificate = mm.max_margin((x[:, None], np.where(np.sin(x) + np.sin(2 * x) > 0, 1.0, -1.0)))
    assert certificate.status == "certified" and certificate.lower > 2e-5
