"""What the fitted attributes say: closed forms, one scale for every decision function, and inseparable data."""

from __future__ import annotations

import json

import numpy as np
import pytest

import maxmargin as mm
from maxmargin.games.random_features import RandomFeatureGame
from maxmargin.outcome import Status
from maxmargin.solvers.random_features import random_feature_margin

XOR = np.array([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]])
SIGNS = np.array([1, 1, -1, -1])


def cloud(n=30, d=2, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    return X, np.where(X[:, 0] * X[:, 1] > 0, 1.0, -1.0)


def contradictory(n=60, seed=0):
    """Points of a coarse grid, a third of the labels random: many equal points of both classes."""
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 3, (n, 2)).astype(float)
    return X, np.where(X[:, 0] + 1.2 * rng.standard_normal(n) > 1, "up", "down")


@pytest.mark.parametrize(
    ("model", "gamma"),
    [
        (mm.VariationMaxMarginClassifier(), np.sqrt(2) / 8),
        (mm.VariationMaxMarginClassifier(convention="path"), np.sqrt(2) / 4),
        (mm.VariationMaxMarginClassifier(bias=False), np.sqrt(2) / 8),
        (mm.KernelMaxMarginClassifier(bias=False), np.sqrt((1 - 2 / np.pi) / 8)),
        (mm.KernelMaxMarginClassifier(bias=False, weights="gaussian"), np.sqrt((1 - 2 / np.pi) / 4)),
    ],
    ids=str,
)
def test_closed_forms(model, gamma):
    model.fit(XOR, SIGNS)
    assert model.margin_ == pytest.approx(gamma, rel=1e-6)
    assert model.margin_ <= gamma * (1 + 1e-14)
    assert model.bracket_[1] >= gamma * (1 - 1e-14)
    assert model.separable_
    assert model.nu_ is None
    assert "certified" in model.status_


@pytest.mark.parametrize("d", [1, 2, 5])
def test_agrees_with_max_margin(d):
    rng = np.random.default_rng(d)
    X, y = rng.standard_normal((20, d)), np.where(np.arange(20) % 2, 1.0, -1.0)
    model = mm.VariationMaxMarginClassifier(random_state=0).fit(X, y)
    reference = mm.max_margin((X, y), "f1", max_rounds=None, time_limit=5.0)
    assert model.margin_ == pytest.approx(reference.lower, rel=2e-4)
    assert model.margin_ <= reference.upper
    assert reference.lower <= model.bracket_[1]
    for kernel in ("f2", "ntk"):
        model = mm.KernelMaxMarginClassifier(kernel).fit(X, y)
        assert model.margin_ == pytest.approx(mm.max_margin((X, y), kernel).lower, rel=1e-6)


@pytest.mark.parametrize(
    "model",
    [
        mm.VariationMaxMarginClassifier(random_state=0),
        mm.KernelMaxMarginClassifier("ntk"),
        mm.GradientFlowClassifier(random_state=0),
        mm.GradientFlowClassifier("output", random_state=0),
        mm.GradientFlowClassifier("magnitudes", random_state=0),
        mm.GradientFlowClassifier(random_state=0, schedule="paper", steps=2000),
    ],
    ids=str,
)
def test_the_least_value_of_the_decision_function_is_the_margin(model):
    X, y = 3.0 * XOR, SIGNS
    model.fit(X, y)
    values = y * model.decision_function(X)
    assert model.separable_
    assert values.min() == pytest.approx(model.margin_, rel=1e-9)
    assert model.bracket_ == (model.certificate_.lower, model.certificate_.upper)
    assert model.dual_weights_.sum() == pytest.approx(1.0)
    assert model.dual_weights_.min() >= 0.0


def test_the_flow_approaches_the_margin_from_inside_its_bracket():
    flow = mm.GradientFlowClassifier(random_state=0).fit(XOR, SIGNS)
    gamma = np.sqrt(2) / 8
    assert 0.95 * gamma < flow.margin_ <= gamma <= flow.bracket_[1] < 1.05 * gamma
    assert flow.history_[-1]["step"] == flow.n_iter_ == 200
    assert flow.margin_ >= flow.run_.margin_best * (1 - 1e-12)  # total variation is never above the mass
    assert flow.network_.width == 256


def test_the_output_layer_competes_over_its_own_features():
    flow = mm.GradientFlowClassifier("output", random_state=0).fit(XOR, SIGNS)
    network = flow.network_
    Z = np.hstack([XOR, np.ones((4, 1))])
    features = network.feature.evaluate(network.hidden, Z)
    best = random_feature_margin(features, SIGNS.astype(float))
    reference = RandomFeatureGame(features, SIGNS.astype(float)).certify(best.learner, best.p)
    assert flow.margin_ <= reference.upper
    assert reference.lower <= flow.bracket_[1]
    assert flow.margin_ == pytest.approx(flow.run_.margin_best, rel=1e-9)


def test_the_unit_of_the_inputs_does_not_matter():
    X, y = cloud()
    for model in (mm.VariationMaxMarginClassifier(bias=False), mm.KernelMaxMarginClassifier(bias=False)):
        small, large = model.fit(X, y).margin_, model.fit(1024.0 * X, y).margin_
        assert large == pytest.approx(1024.0 * small, rel=1e-4)
    flow = mm.GradientFlowClassifier(random_state=0)
    assert flow.fit(1e6 * X, y).score(1e6 * X, y) > 0.9


@pytest.mark.parametrize("make", [mm.VariationMaxMarginClassifier, mm.KernelMaxMarginClassifier])
def test_contradictions_are_softened_and_said(make):
    X, y = contradictory()
    model = make().fit(X, y)
    assert not model.separable_
    assert model.inseparability_.status is Status.NOT_SEPARABLE
    assert model.inseparability_.lower == 0.0
    assert model.nu_ in (0.1, 0.2, 0.4, 0.8, 1.0)
    assert "soft margin" in model.status_
    assert model.margin_ > 0.0
    assert model.score(X, y) > 1 - model.nu_
    with pytest.raises(mm.InputError, match="not separable"):
        make(on_inseparable="error").fit(X, y)
    with pytest.warns(UserWarning, match="solved the soft margin"):
        make(on_inseparable="warn").fit(X, y)
    tight = make(nu=0.01).fit(X, y)
    assert tight.nu_ > 0.01
    assert not tight.separable_


@pytest.mark.parametrize("make", [mm.VariationMaxMarginClassifier, mm.KernelMaxMarginClassifier])
def test_where_every_margin_is_zero_nothing_breaks(make):
    """The hexagon with alternating labels: uniform weights pay no neuron anything, however soft the margin."""
    data = mm.load("polygon:k=3")
    model = make(bias=False).fit(data.X, data.y)
    assert not model.separable_
    assert model.nu_ == 1.0
    assert model.margin_ == pytest.approx(0.0, abs=1e-12)
    assert set(model.predict(data.X)) <= {-1.0, 1.0}


def test_certificates_can_be_saved_and_checked(tmp_path):
    X, y = cloud(n=14)
    hard = mm.VariationMaxMarginClassifier(random_state=0).fit(X, y).certificate_
    hard.save(tmp_path / "hard.json")
    assert mm.check_certificate(json.loads((tmp_path / "hard.json").read_text()), X, y).holds
    soft = mm.VariationMaxMarginClassifier(nu=0.3).fit(X, y).certificate_
    assert soft.to_json()["problem"]["nu"] == 0.3
    assert mm.Certificate.from_json(soft.to_json()).problem.nu == 0.3
    assert mm.check_certificate(soft.to_json(), X, y).holds


def test_proof_on_request_in_high_dimension():
    X, y = cloud(n=16, d=4)
    quick = mm.VariationMaxMarginClassifier(random_state=0).fit(X, y)
    proved = mm.VariationMaxMarginClassifier(random_state=0, certify=True, time_limit=20.0).fit(X, y)
    assert quick.margin_ == pytest.approx(proved.margin_, rel=1e-3)
    assert proved.bracket_[1] <= quick.bracket_[1] * (1 + 1e-9)
    assert quick.certificate_.scope == "sphere-bound"
