"""In D = 2 a network is a spline on the circle: its LP, its neurons, and margins that no other LP of ours reaches."""

from __future__ import annotations

import numpy as np
import pytest

import maxmargin as mm
from maxmargin.features import RELU, Feature
from maxmargin.games.exact import exact_lower
from maxmargin.games.measure import Measure
from maxmargin.oracles.selection import exact_oracle
from maxmargin.outcome import Reason
from maxmargin.solvers import spline_search, splines
from maxmargin.solvers.column_generation import ColumnGeneration
from maxmargin.solvers.proposal import Proposal, best_ends
from maxmargin.solvers.spline_search import SplineSearch
from maxmargin.solvers.splines import Lines, SplineLP

LEAKY, ABS, OTHER = Feature("leaky", 1, 1.0, -0.1), Feature("abs", 1, 1.0, 1.0), Feature("other", 1, -1.0, 0.3)
FEATURES = [RELU, LEAKY, ABS, OTHER]


def points(n, seed):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, 2)), np.where(rng.random(n) < 0.5, 1.0, -1.0)


def found_in(margins):
    (first, second) = margins
    return first.lower <= second.upper and second.lower <= first.upper


@pytest.mark.parametrize("n", [2, 3, 10])
def test_a_neuron_between_two_lines_is_a_sum_of_neurons_on_them(n):
    """|a.z_i| = alpha |w_j.z_i| + beta |w_{j+1}.z_i| for every point, alpha, beta >= 0; also behind the last line."""
    Z, _ = points(n, n)
    lines = Lines.of(Z)
    angles = np.linspace(0.0, 2.0 * np.pi, 33)
    A = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    arc, shares = lines.split(A)
    on_lines = np.stack([-lines.U[:, 1], lines.U[:, 0]], axis=1)
    seen = np.abs(on_lines @ Z.T)
    both = shares[:, :1] * seen[arc] + shares[:, 1:] * seen[(arc + 1) % len(on_lines)]
    np.testing.assert_allclose(both.astype(float), np.abs(A @ Z.T), rtol=1e-14, atol=1e-15)
    assert {n - 1} < set(arc) | {n} and (shares >= 0.0).all()


@pytest.mark.parametrize("feature", FEATURES, ids=lambda f: f.name)
def test_the_rows_are_those_of_any_network(feature):
    """For the values E, the sums c and the weights of any network the rows of kinks and sums are 0, the others y f."""
    Z, y = points(7, 3)
    rng, lines = np.random.default_rng(0), Lines.of(Z)
    A = rng.standard_normal((5, 2))
    A /= np.linalg.norm(A, axis=1)[:, None]
    w = rng.standard_normal(5)
    lp = SplineLP(Z, y, feature, lines)
    lp.add(A, np.sign(w))
    odd, even = 0.5 * (feature.right - feature.left), 0.5 * (feature.right + feature.left)
    E = even * np.abs(w) @ (np.sign(w)[:, None] * np.abs(A @ lines.U.T.astype(float)))
    x = np.zeros(len(lp._cost))
    x[: len(E)], x[len(E) : len(E) + 2] = E, odd * (w @ A)
    x[-5:] = np.abs(w) * lp._units[-5:]
    m = len(E) + 2
    rows = lp._entries.matrix(m + len(y), len(x)) @ x
    np.testing.assert_allclose(rows[:m], 0.0, atol=1e-13)
    outputs = Measure(A, w).outputs(Z, feature)
    np.testing.assert_allclose(rows[m:], y * outputs / np.linalg.norm(Z, axis=1), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda f: f.name)
@pytest.mark.parametrize("n", [3, 8, 30])
def test_it_is_the_margin_of_the_game(feature, n):
    Z, y = points(n, 10 * n)
    oracle = exact_oracle(Z, feature)
    ours, other = (search(Z, y, feature, oracle) for search in (SplineSearch(), ColumnGeneration()))
    assert ours.reason is Reason.CONVERGED
    assert ours.lower == pytest.approx(other.lower, rel=3e-10)
    assert ours.lower == pytest.approx(exact_lower(Z, y, feature, ours.measure), rel=1e-12)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_many_points_with_opposite_labels_side_by_side(seed):
    """Margins of 1e-7, one in 1e7 of a typical output: 500 points of clusters that overlap in angle."""
    found = mm.max_margin(f"clusters:n=500,d=3,k=4,seed={seed}", bias=False)
    assert found.status == "certified" and found.scope == "sphere-exact" and found.checked
    assert 1e-7 < found.lower < 1e-6


def test_two_mirror_images_of_an_adversary_are_averaged():
    """Symmetric points have two optimal adversaries, each of which may pay neurons of the other half more."""
    x = np.linspace(-10 * np.pi, 10 * np.pi, 120)
    found = mm.max_margin((x[:, None], np.where(np.sin(x) + np.sin(2 * x) > 0.0, 1.0, -1.0)))
    assert found.status == "certified" and not any(attempt.name == "random directions" for attempt in found.attempts)


def test_two_thousand_points():
    """The margin is 1e-8; before, no classifier of 2,000 such points was found in a minute."""
    found = mm.max_margin("clusters:n=2000,d=3,k=4,seed=4", bias=False)
    assert found.status == "certified" and found.lower == pytest.approx(2.8225210917e-8, rel=1e-9)


def test_a_working_set_has_the_same_margin(monkeypatch):
    source = "clusters:n=600,d=3,k=4,seed=0"
    whole = mm.max_margin(source, bias=False)
    monkeypatch.setattr(spline_search, "LINES", 400)
    part = mm.max_margin(source, bias=False)
    assert found_in((whole, part)) and part.relative_gap < 1e-8
    assert any(attempt.name == "evaluation of all points" for attempt in part.attempts)


def test_a_caller_starts_from_neurons():
    data = mm.load("clusters:n=100,d=3,k=4,seed=0")
    first = mm.max_margin(data, bias=False)
    again = mm.max_margin(data, bias=False, start=first.classifier)
    assert found_in((first, again)) and again.iterations < first.iterations


def test_data_without_lines_are_left_to_the_game_s_own_columns():
    y = np.array([1.0, -1.0, 1.0])
    assert Lines.of(np.array([[1.0, 0.0], [0.0, 0.0], [1.0, 1.0]])) is None
    assert Lines.of(np.array([[1.0, 2.0], [-2.0, -4.0], [0.5, 1.0]])) is None
    near = np.array([[1.0, 1.0], [-1.0, -1.0 - 2e-13], [0.0, 1.0]])  # two are one line, up to 1e-13
    assert len(Lines.of(near).U) == 2
    found = mm.max_margin((near, y), bias=False, feature=ABS)
    assert 0.0 <= found.lower <= found.upper < 1e-12
    assert mm.max_margin((near, y), bias=False).status == "certified"
    line = mm.max_margin((np.array([[1.0, 2.0], [-2.0, -4.0], [0.5, 1.0]]), y), bias=False)
    assert line.status == "certified"


def test_a_linear_network_has_no_kinks():
    linear = Feature("linear", 1, 1.0, -1.0)
    X, y = np.array([[1.0, 0.2], [2.0, -0.5], [-1.0, 0.1]]), np.array([1.0, 1.0, -1.0])
    found = mm.max_margin((X, y), bias=False, feature=linear)
    # f(z) = c.z with |c| <= 1: the l2 margin; the nearest point of the hull of y x is (1, -0.1) turned or an edge
    assert found.status == "certified" and found.lower < np.hypot(1.0, 0.1)


def test_a_search_that_is_stopped_keeps_its_best_pair():
    Z, y = points(60, 1)
    seen = []

    def stop(item):
        seen.append(item)
        if len(seen) == 2:
            raise KeyboardInterrupt

    found = SplineSearch(progress=stop)(Z, y, RELU, exact_oracle(Z, RELU))
    assert found.stopped and found.reason is Reason.INTERRUPTED and 0.0 < found.lower <= found.upper < np.inf
    one = SplineSearch(max_rounds=1)(Z, y, RELU, exact_oracle(Z, RELU))
    assert one.lower <= found.lower * (1.0 + 1e-12) and one.upper < np.inf


def test_a_search_that_is_stopped_before_its_first_answer_is_a_bracket(monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    Z, y = points(60, 1)
    monkeypatch.setattr(SplineLP, "solve", stop)
    found = SplineSearch()(Z, y, RELU, exact_oracle(Z, RELU))
    assert found.stopped and found.reason is Reason.INTERRUPTED and found.lower <= found.upper < np.inf
    certificate = mm.max_margin((Z, y), bias=False)
    assert certificate.status == "interrupted" and 0.0 < certificate.upper < np.inf


def test_no_time_is_a_valid_bracket():
    found = mm.max_margin("clusters:n=2000,d=3,k=4,seed=1", bias=False, time_limit=1e-3)
    assert found.status == "interrupted" and 0.0 <= found.lower <= 4.71297436e-9 <= found.upper < 1.0


def test_the_basis_is_solved_to_the_last_digit(monkeypatch):
    """Without refinement the simplex's own errors are left: the support points do not have one margin."""
    data = mm.load("clusters:n=1000,d=3,k=4,seed=1")
    Z, y = data.inputs(bias=False), data.y
    unequal = {}
    for steps in (0, 3):
        monkeypatch.setattr(splines, "_STEPS", steps)
        measure, p, value = SplineLP(Z, y, RELU, Lines.of(Z)).solve(np.inf)
        columns = RELU(measure.directions.astype(np.longdouble) @ Z.T.astype(np.longdouble)) * y
        margins = (measure.weights.astype(np.longdouble) @ columns)[p > 0.0]
        unequal[steps] = float(np.ptp(margins) / margins.max())
        assert float(margins.min()) == pytest.approx(value, rel=1e-6)
    assert unequal[3] < 1e-9 and unequal[3] < 0.1 * unequal[0], unequal  # 3e-10 is the rounding of the weights


def test_the_better_ends_of_two_proposals():
    def proposal(lower, upper, k):
        return Proposal(Measure(np.eye(2)[:1], np.array([k])), np.array([k]), Reason.STALLED, lower, upper, rounds=1)

    best = best_ends(proposal(1.0, 3.0, 1.0), proposal(0.5, 2.0, 2.0))
    assert (best.lower, best.upper, best.rounds) == (1.0, 2.0, 2)
    assert best.measure.weights[0] == 1.0 and best.p[0] == 2.0
    best = best_ends(proposal(1.0, 2.0, 1.0), proposal(1.5, 3.0, 2.0))
    assert (best.lower, best.upper, best.measure.weights[0], best.p[0]) == (1.5, 2.0, 2.0, 1.0)
