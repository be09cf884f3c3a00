"""The dictionary margin: closed forms with their optimal directions, nesting, and the sphere above it."""

import numpy as np
import pytest
from scipy.optimize import linprog

from maxmargin.datasets.closed_forms import closed_forms
from maxmargin.features import RELU, SQUARED_RELU
from maxmargin.games.variation import DictionaryGame, DictionaryOracle
from maxmargin.oracles.enumeration.degree1 import ArrangementOracle
from maxmargin.solvers.column_generation import ColumnGeneration
from maxmargin.solvers.proposal import NOT_SEPARABLE
from maxmargin.solvers.search import max_margin_dictionary

FORMS = [form for form in closed_forms() if form.directions is not None and form.gamma_path and form.separable]


def random_directions(K, D, seed=0):
    theta = np.random.default_rng(seed).standard_normal((K, D))
    return theta / np.linalg.norm(theta, axis=1, keepdims=True)


def labelled(n, D, seed=0):
    rng = np.random.default_rng(seed)
    Z = np.hstack([rng.uniform(-1, 1, (n, D - 1)), np.ones((n, 1))])
    return Z, np.where(Z[:, 0] * Z[:, 1 % (D - 1)] + 0.3 * Z[:, 0] > 0, 1.0, -1.0)


def certified(Z, y, feature, directions):
    proposal = max_margin_dictionary(Z, y, feature, directions)
    return DictionaryGame(Z, y, feature, "path", directions=directions).certify(proposal.measure, proposal.p), proposal


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_closed_form_with_its_optimal_directions(form):
    Z = form.dataset.inputs(form.bias)
    directions = np.vstack([form.directions, random_directions(20, Z.shape[1])])
    bracket, _ = certified(Z, form.dataset.y, RELU, directions)
    assert bracket.lower <= form.gamma_path * (1 + 1e-12)
    assert bracket.lower == pytest.approx(form.gamma_path, rel=1e-9)
    assert bracket.upper == pytest.approx(form.gamma_path, rel=1e-9)


@pytest.mark.parametrize("feature", [RELU, SQUARED_RELU])
def test_against_linprog(feature):
    Z, y = labelled(30, 4)
    directions = random_directions(300, 4)
    H = feature.evaluate(directions, Z) * y
    signed = np.vstack([H, -H])
    cost = np.append(np.zeros(600), -1.0)
    rows = np.hstack([-signed.T, np.ones((30, 1))])
    found = linprog(cost, rows, np.zeros(30), np.append(np.ones(600), 0.0)[None], [1.0], method="highs")
    bracket, proposal = certified(Z, y, feature, directions)
    assert bracket.lower * (1 - 1e-9) <= -found.fun <= bracket.upper * (1 + 1e-9)
    assert bracket.relative_gap < 1e-9
    assert len(proposal.measure) <= 31


def test_nested_dictionaries_never_lose_and_stay_below_the_sphere():
    Z, y = labelled(40, 3)
    directions = random_directions(800, 3)
    margins = [certified(Z, y, RELU, directions[:K])[0].lower for K in (50, 200, 800)]
    assert margins == sorted(margins)
    sphere = ColumnGeneration()(Z, y, RELU, ArrangementOracle(Z, RELU))
    assert 0 < margins[-1] <= sphere.lower * (1 + 1e-9)


def test_not_separable_by_this_dictionary_is_proved_by_p():
    Z = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    y = np.array([1.0, -1.0, 1.0])
    proposal = max_margin_dictionary(Z, y, RELU, random_directions(50, 2))
    assert proposal.reason == NOT_SEPARABLE
    assert np.abs(DictionaryOracle(Z, RELU, random_directions(50, 2)).payoffs(proposal.p * y)).max() < 1e-15


def test_oracle_in_blocks_is_the_plain_product():
    Z, y = labelled(500, 6)
    directions = random_directions(1000, 6)
    q = y * np.random.default_rng(1).dirichlet(np.ones(500))
    q[::3] = 0.0
    oracle = DictionaryOracle(Z, RELU, directions)
    plain = RELU.evaluate(directions, Z) @ q
    np.testing.assert_allclose(oracle.payoffs(q), plain, atol=1e-15)
    responses = oracle(q, 7)
    np.testing.assert_allclose(responses.values, np.sort(np.abs(plain))[::-1][:7], atol=1e-15)
    assert len(oracle(q, 10**6).values) == 1000
