"""A film shows what was recorded: margins, proved levels touched at the atoms, adversaries that only improve."""

import numpy as np
import pytest
from plots_examples import EXAMPLES, unpack

from maxmargin.film import encode, frames
from maxmargin.plots.potential import skyline
from maxmargin.plots.views import payoff_of


@pytest.fixture(scope="module", params=EXAMPLES)
def story(request):
    comparison = EXAMPLES[request.param]()
    parts = comparison.dataset, comparison.runs[0].run, comparison.margins["f1"]
    return parts, frames.build(*parts)


def test_one_moment_a_snapshot_in_units_of_the_recorded_margin(story):
    (dataset, run, _), film = story
    assert [moment.step for moment in film.moments] == [snapshot[0] for snapshot in run.snapshots]
    for moment in film.moments:
        assert moment.u.min() == pytest.approx(moment.margin)


def test_shares_sum_to_one_and_directions_are_unit(story):
    _, film = story
    np.testing.assert_allclose(np.abs(film.shares).sum(axis=1), 1.0)
    norms = np.linalg.norm(film.neurons, axis=2)
    assert norms.max() <= 1 + 1e-12
    if film.kind != "disc":
        np.testing.assert_allclose(norms, 1.0)


def test_the_optimal_potential_touches_the_level_at_the_atoms_and_never_exceeds_it(story):
    (dataset, _, certificate), film = story
    payoff = payoff_of(dataset, certificate)
    if film.kind == "disc":
        assert film.live.shape == film.shares.shape
        return
    angle, value = frames.exact_curve(payoff) if film.kind == "circle" else skyline(payoff)
    value = np.abs(value)
    assert value.max() <= 1 + 1e-12
    for atom in np.arctan2(film.atoms[:, 1], film.atoms[:, 0]):
        assert value[np.argmin(np.abs(angle - atom))] == pytest.approx(1.0, rel=1e-9)
    assert np.abs(film.payoff).max() <= 1 + 1e-12


def test_adversaries_are_on_the_simplex_and_their_best_payoff_only_falls_towards_the_level(story):
    (dataset, _, certificate), film = story
    payoff = payoff_of(dataset, certificate)
    atoms = certificate.classifier.directions
    directions = np.vstack([atoms, np.random.default_rng(0).standard_normal((500, atoms.shape[1]))])
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    chosen = frames.adversaries(film.moments, dataset.y, payoff, directions)
    best = []
    for p in chosen:
        assert p.min() >= 0 and p.sum() == pytest.approx(1.0)
        best.append(np.abs(payoff.feature.evaluate(directions, payoff.Z) @ (p * dataset.y)).max() * payoff.factor)
    assert np.all(np.diff(best) <= 1e-15)
    assert best[-1] >= certificate.lower * (1 - 1e-12), "weak duality: the atoms are among the directions"


def test_f_is_in_units_of_the_proved_margin(story):
    (dataset, _, certificate), film = story
    if film.scene == "line":
        x = np.linspace(*film.limits, film.field.shape[1])
        at_points = np.interp(dataset.X[:, 0], x, film.target)
        assert (dataset.y * at_points).min() == pytest.approx(1.0, abs=0.05)
    assert np.isfinite(film.field).all() and np.isfinite(film.target).all()


def test_output_layer_films_leave_the_zero_function_out():
    comparison = EXAMPLES["circle"]()
    run = comparison.runs[1].run
    run.snapshots[0] = (0, run.snapshots[0][1], np.zeros(run.width))
    assert [moment.step for moment in frames.moments(comparison.dataset, run)] == [1, 10, 100, 1000]


def test_packing_comes_back_within_a_unit_of_quantisation():
    values = np.random.default_rng(0).uniform(-2, 2, (3, 4, 5))
    packed = encode.pack(values, 2.0)
    assert packed["shape"] == [3, 4, 5]
    np.testing.assert_allclose(unpack(packed), values, atol=2.0 / 32767)
    np.testing.assert_allclose(unpack(encode.pack([-9.0, 9.0], 2.0)), [-2.0, 2.0])


def test_weightless_neurons_keep_their_colour():
    roots = unpack(encode.pack(encode.signed_root(np.array([1e-30, -1e-30, 0.25]))))
    assert roots[0] > 0 > roots[1]
    assert roots[2] == pytest.approx(0.5, abs=1e-4)


def test_pace_is_a_clock(story):
    clock = np.array(encode.pace(story[1]))
    assert clock[0] == 0 and clock[-1] == pytest.approx(1.0)
    assert np.all(np.diff(clock) > 0)


def test_json_cannot_end_the_script():
    text = encode.script_json({"name": "</script><script>alert(1)</script>\u2028"})
    assert "<" not in text and "\u2028" not in text
