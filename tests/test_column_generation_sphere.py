"""Column generation over the sphere: closed forms without directions, limits, repetition, pruning."""

import numpy as np
import pytest

from maxmargin.datasets.closed_forms import closed_forms
from maxmargin.features import RELU, SQUARED_RELU
from maxmargin.games.measure import Measure
from maxmargin.games.variation import VariationGame
from maxmargin.oracles.ascent.steps import PowerOracle, ZonotopeOracle
from maxmargin.oracles.enumeration.degree1 import ArrangementOracle
from maxmargin.solvers.column_generation import ColumnGeneration
from maxmargin.solvers.proposal import CONVERGED, INTERRUPTED, NOT_SEPARABLE
from maxmargin.solvers.search import prune

FORMS = [form for form in closed_forms() if form.gamma_path is not None]
LOW = [form for form in FORMS if form.dataset.inputs(form.bias).shape[1] <= 3]
SEPARABLE = [form for form in FORMS if form.separable and form.dataset.n <= 64]
SEPARABLE = [pytest.param(form, id=form.name, marks=[pytest.mark.slow] * (form.dataset.n > 32)) for form in SEPARABLE]
SQUARED = [form for form in closed_forms() if form.gamma_squared_relu]


def labelled(n, D, seed=0):
    rng = np.random.default_rng(seed)
    Z = np.hstack([rng.uniform(-1, 1, (n, D - 1)), np.ones((n, 1))])
    return Z, np.where(Z[:, 0] * Z[:, 1] + 0.3 * Z[:, 0] > 0, 1.0, -1.0)


@pytest.mark.parametrize("form", LOW, ids=lambda form: form.name)
def test_exact_oracle_reaches_the_closed_form_without_directions(form):
    Z, y = form.dataset.inputs(form.bias), form.dataset.y
    oracle = ArrangementOracle(Z, RELU)
    proposal = ColumnGeneration()(Z, y, RELU, oracle)
    bracket = VariationGame(Z, y, RELU, "path", oracle=oracle).certify(proposal.measure, proposal.p)
    scale = np.linalg.norm(Z, axis=1).max()
    assert bracket.lower <= form.gamma_path + 1e-15 * scale
    assert bracket.lower == pytest.approx(form.gamma_path, rel=1e-9, abs=1e-13 * scale)
    assert bracket.upper == pytest.approx(form.gamma_path, rel=1e-9, abs=1e-13 * scale)
    assert form.separable or proposal.reason == NOT_SEPARABLE


@pytest.mark.parametrize("form", SEPARABLE)
def test_local_oracle_reaches_the_closed_form_in_any_dimension(form):
    Z, y = form.dataset.inputs(form.bias), form.dataset.y
    lower = ColumnGeneration(time_limit=20)(Z, y, RELU, ZonotopeOracle(Z, RELU)).lower
    assert lower == pytest.approx(form.gamma_path, rel=1e-8)


@pytest.mark.parametrize("form", SQUARED, ids=lambda form: form.name)
def test_squared_relu_reaches_the_closed_form(form):
    Z, y = form.dataset.inputs(form.bias), form.dataset.y
    lower = ColumnGeneration()(Z, y, SQUARED_RELU, PowerOracle(Z, SQUARED_RELU)).lower
    assert lower == pytest.approx(form.gamma_squared_relu, rel=1e-9)


def test_every_round_brackets_and_the_lower_end_only_grows():
    Z, y = labelled(60, 3)
    proposal = ColumnGeneration()(Z, y, RELU, ArrangementOracle(Z, RELU))
    lowers, uppers = [r.lower for r in proposal.trace], [r.upper for r in proposal.trace]
    assert lowers == sorted(lowers)
    assert uppers == sorted(uppers, reverse=True)
    assert proposal.reason == CONVERGED
    assert all(lower <= proposal.upper for lower in lowers)
    assert all(upper >= proposal.lower for upper in uppers)
    assert len(proposal.measure) <= 61


def test_local_and_exact_agree():
    Z, y = labelled(50, 3, seed=4)
    exact = ColumnGeneration()(Z, y, RELU, ArrangementOracle(Z, RELU))
    local = ColumnGeneration()(Z, y, RELU, ZonotopeOracle(Z, RELU))
    assert local.lower == pytest.approx(exact.lower, rel=1e-8)
    assert local.upper == np.inf


@pytest.mark.parametrize("options", [{"time_limit": 0.0}, {"max_rounds": 1}, {"max_rounds": 3}])
def test_limits_still_give_a_valid_bracket(options):
    Z, y = labelled(60, 3)
    oracle = ArrangementOracle(Z, RELU)
    best = ColumnGeneration()(Z, y, RELU, oracle)
    stopped = ColumnGeneration(**options)(Z, y, RELU, oracle)
    bracket = VariationGame(Z, y, RELU, "path", oracle=oracle).certify(stopped.measure, stopped.p)
    assert stopped.reason == INTERRUPTED
    assert bracket.lower <= best.upper
    assert bracket.upper >= best.lower
    assert np.isfinite(bracket.upper)


def test_keyboard_interrupt_keeps_the_best_pair():
    Z, y = labelled(60, 3)

    def stop(item):
        if item.number == 5:
            raise KeyboardInterrupt

    proposal = ColumnGeneration(progress=stop)(Z, y, RELU, ArrangementOracle(Z, RELU))
    assert proposal.reason == INTERRUPTED
    assert proposal.rounds == 6
    assert proposal.lower > 0


def test_same_seed_same_bytes():
    Z, y = labelled(40, 5)
    runs = [ColumnGeneration(max_rounds=15)(Z, y, RELU, ZonotopeOracle(Z, RELU, seed=2)) for _ in range(2)]
    assert runs[0].measure.directions.tobytes() == runs[1].measure.directions.tobytes()
    assert runs[0].p.tobytes() == runs[1].p.tobytes()


def test_starting_from_the_answer_takes_a_round_or_two():
    Z, y = labelled(60, 3)
    oracle = ArrangementOracle(Z, RELU)
    answer = ColumnGeneration(tol=1e-9)(Z, y, RELU, oracle)
    again = ColumnGeneration(tol=1e-8)(Z, y, RELU, oracle, initial=answer.measure)
    assert again.rounds <= 3


def test_without_time_the_initial_measure_is_kept():
    Z, y = labelled(60, 3)
    oracle = ArrangementOracle(Z, RELU)
    answer = ColumnGeneration()(Z, y, RELU, oracle)
    kept = ColumnGeneration(time_limit=0.0)(Z, y, RELU, oracle, initial=answer.measure)
    assert kept.reason == INTERRUPTED
    assert kept.lower == pytest.approx(answer.lower, rel=1e-12)
    assert np.isfinite(kept.upper)


def test_adding_points_and_scaling():
    Z, y = labelled(50, 3)
    oracle = ArrangementOracle
    whole = ColumnGeneration()(Z, y, RELU, oracle(Z, RELU)).lower
    part = ColumnGeneration()(Z[:30], y[:30], RELU, oracle(Z[:30], RELU)).lower
    tiny = ColumnGeneration()(1e-6 * Z, y, RELU, oracle(1e-6 * Z, RELU)).lower
    assert whole <= part * (1 + 1e-9)
    assert tiny == pytest.approx(1e-6 * whole, rel=1e-9)


def test_contradictory_labels_are_not_separable():
    Z = np.vstack([labelled(10, 3)[0], labelled(10, 3)[0][:1]])
    y = np.append(labelled(10, 3)[1], -labelled(10, 3)[1][0])
    proposal = ColumnGeneration()(Z, y, RELU, ArrangementOracle(Z, RELU))
    assert proposal.reason == NOT_SEPARABLE
    assert proposal.upper < 1e-13


@pytest.mark.parametrize("D", [5, 15])
def test_local_search_ends_on_contradictory_labels(D):
    Z, y = labelled(30, D)
    Z, y = np.vstack([Z, Z[:1]]), np.append(y, -y[0])
    proposal = ColumnGeneration(time_limit=20)(Z, y, RELU, ZonotopeOracle(Z, RELU))
    assert proposal.reason != INTERRUPTED
    assert proposal.lower < 1e-13
    np.testing.assert_allclose(proposal.p[[0, -1]], 0.5)


def test_a_margin_a_million_times_smaller_than_the_data():
    x = np.sort(np.random.default_rng(0).uniform(-1, 1, 200))
    Z, y = np.column_stack([x, np.ones(200)]), np.where(np.arange(200) % 2, 1.0, -1.0)
    proposal = ColumnGeneration(tol=1e-9)(Z, y, RELU, ArrangementOracle(Z, RELU))
    assert 0 < proposal.lower < 2e-6
    assert proposal.upper <= proposal.lower * (1 + 1e-7)


@pytest.mark.parametrize(("y", "p"), [([1.0, 1, 1, -1], [1 / 6, 1 / 6, 1 / 6, 1 / 2]), ([1.0] * 4, [0.25] * 4)])
def test_without_time_the_adversary_gives_both_classes_one_half(y, p):
    Z = np.array([[1.0, 0, 1], [0, 1, 1], [2, 1, 1], [-1, 1, 1]])
    proposal = ColumnGeneration(time_limit=0.0)(Z, np.array(y), RELU, ArrangementOracle(Z, RELU))
    np.testing.assert_allclose(proposal.p, p)


@pytest.mark.parametrize("feature", [RELU, SQUARED_RELU])
def test_pruning_keeps_outputs_and_norm_on_at_most_n_plus_one_neurons(feature):
    rng = np.random.default_rng(0)
    Z, y = labelled(40, 6)
    measure = Measure(rng.standard_normal((300, 6)), rng.standard_normal(300)).normalised(feature.degree)
    pruned = prune(measure, Z, feature)
    assert len(pruned) <= 41
    assert pruned.total_variation(feature.degree) == pytest.approx(1.0, abs=1e-13)
    np.testing.assert_allclose(pruned.outputs(Z, feature), measure.outputs(Z, feature), atol=1e-13)
    assert np.abs(pruned.directions @ measure.directions.T - 1).min(axis=1).max() < 1e-15 * 8


def test_pruning_leaves_small_and_empty_measures_alone():
    Z, _ = labelled(40, 3)
    small = Measure(np.eye(3), np.array([0.5, -0.25, 0.25]))
    np.testing.assert_array_equal(prune(small, Z, RELU).weights, small.weights)
    assert not prune(Measure(np.eye(1, 3), np.zeros(1)), Z, RELU).weights.any()


def test_a_search_that_only_adds_rounding_ends():
    """Points 1e-12 apart beside the bias: payoffs differ by rounding, so that some neuron always seems to pay more."""
    X = 1e-12 * np.random.default_rng([7, 51]).normal(size=(3, 4))
    Z, y = np.hstack([X, np.ones((3, 1))]), np.array([1.0, -1.0, -1.0])
    oracle = PowerOracle(Z, SQUARED_RELU)
    found = ColumnGeneration(max_rounds=300)(Z, y, SQUARED_RELU, oracle)
    assert found.reason != INTERRUPTED
    assert found.rounds < 150
    assert found.lower > 1e-13
