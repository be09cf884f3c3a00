"""Certificates as documents and as networks; limits, statuses and odd data of `max_margin`."""

from __future__ import annotations

import json

import numpy as np
import pytest

import maxmargin as mm
from maxmargin.features.directions import random_directions
from maxmargin.outcome import Status

LEAKY = mm.Feature("leaky-relu", degree=1, right=1.0, left=-0.1)


@pytest.mark.parametrize("norm", ["f1", "f2", "ntk"])
def test_json_round_trip(norm, tmp_path):
    certificate = mm.max_margin("xor", norm)
    certificate.save(tmp_path / "c.json")
    again = mm.Certificate.from_json(tmp_path / "c.json", training=mm.load("xor").inputs(True))
    assert again.to_json() == certificate.to_json()
    X = np.random.default_rng(0).standard_normal((5, 2))
    assert again.decision_function(X) == pytest.approx(certificate.decision_function(X), rel=1e-15)
    assert (np.sign(again.decision_function(mm.load("xor").X)) == mm.load("xor").y).all()


@pytest.mark.parametrize("convention", ["sphere", "path"])
@pytest.mark.parametrize("feature", ["relu", "squared-relu", LEAKY])
def test_the_network_of_a_certificate(feature, convention):
    """Equal predictions, at most n+1 balanced neurons, and the norm that its convention says (Prop. 9)."""
    data = mm.load("clusters:n=20,d=3,k=2")
    certificate = mm.max_margin(data, feature=feature, convention=convention)
    network = certificate.network()
    assert network.decision_function(data.X) == pytest.approx(certificate.decision_function(data.X), abs=1e-14)
    assert network.width <= data.n + 1
    degree = certificate.problem.feature.degree
    assert network.mass == pytest.approx(2.0 if convention == "path" and degree == 1 else 1.0)
    if degree == 1:
        assert np.linalg.norm(network.hidden, axis=1) == pytest.approx(np.abs(network.output))


def test_a_kernel_classifier_is_no_network():
    with pytest.raises(mm.InputError, match="F1 classifier"):
        mm.max_margin("xor", "f2").network()


def test_leaky_relu_on_symmetric_data():
    """Slope s on data closed under (x, y) -> (-x, -y): gamma_path = (1 + s)/2 gamma_lin (docs/theory.rst, C9)."""
    rng = np.random.default_rng(1)
    half = rng.standard_normal((4, 2)) + [2.0, 0.0]
    X, y = np.vstack([half, -half]), np.r_[np.ones(4), -np.ones(4)]
    relu, leaky = (mm.max_margin((X, y), bias=False, convention="path", feature=f) for f in ("relu", LEAKY))
    linear = 2 * relu.lower
    assert leaky.lower == pytest.approx(0.55 * linear, rel=1e-9)
    assert leaky.to_json()["problem"]["feature"] == {"name": "leaky-relu", "degree": 1, "right": 1.0, "left": -0.1}
    assert mm.check_certificate(leaky.to_json(), X, y).holds


@pytest.mark.parametrize("norm", ["f1", "f2"])
@pytest.mark.parametrize("source", ["xor", "clusters:n=30,d=8,k=2"])
def test_no_time_at_all_still_brackets(norm, source):
    exact = mm.max_margin(source, norm)
    hurried = mm.max_margin(source, norm, time_limit=0.0)
    assert hurried.status in (Status.INTERRUPTED, Status.CERTIFIED)
    assert hurried.lower <= exact.upper
    assert exact.lower <= hurried.upper < np.inf


def test_round_limit_is_an_interruption():
    certificate = mm.max_margin("clusters:n=60,d=3,k=3", max_rounds=2)
    assert certificate.status is Status.INTERRUPTED
    assert 0 <= certificate.lower < certificate.upper


def test_contradictory_duplicates_are_not_separable():
    """The same point with both labels: p = 1/2 on each pays no neuron anything, exactly."""
    X, y = np.array([[1.0, 2.0], [1.0, 2.0], [3.0, 4.0]]), [0, 1, 1]
    for norm in ("f1", "f2", "ntk"):
        certificate = mm.max_margin((X, y), norm)
        assert certificate.status is Status.NOT_SEPARABLE
        assert certificate.adversary == pytest.approx([0.5, 0.5, 0.0], abs=1e-9)
        assert mm.check_certificate(certificate.to_json(), X, np.array([-1.0, 1.0, 1.0])).holds


def test_nearly_equal_points_are_not_called_inseparable():
    """1e-9 apart with different labels: a tiny margin, which the Gram matrix cannot resolve and does not deny."""
    certificate = mm.max_margin((np.array([[0.0], [1e-9]]), [0, 1]), "f2")
    assert certificate.status is not Status.NOT_SEPARABLE
    assert mm.max_margin((np.array([[0.0], [1e-9]]), [0, 1]), "f1").lower > 0


def test_the_same_seed_gives_the_same_bytes():
    def document(seed: int) -> dict:
        certificate = mm.max_margin("clusters:n=20,d=7,k=2", seed=seed).to_json()
        del certificate["seconds"], certificate["check_seconds"], certificate["solver"]
        return certificate

    assert json.dumps(document(5)) == json.dumps(document(5))


@pytest.mark.parametrize("text", ["[]", "{}", '{"format": "maxmargin-certificate", "version": 1}', "not json"])
def test_what_is_no_certificate_is_refused(text, tmp_path):
    path = tmp_path / "c.json"
    path.write_text(text)
    with pytest.raises(mm.InputError, match="certificate"):
        mm.Certificate.from_json(path)


def test_as_cvxpy_has_names_and_agrees():
    theta = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    theta = np.vstack([theta, -theta])
    data = mm.load("two-points")
    dictionary = mm.max_margin(data, directions=theta, convention="path")
    problem = mm.as_cvxpy(data, norm="f1", directions=theta)
    problem.solve(solver="CLARABEL")
    assert [variable.name() for variable in problem.variables()] == ["weights"]
    assert [constraint.label for constraint in problem.constraints] == ["margins"]
    assert 1 / problem.value == pytest.approx(dictionary.lower, rel=1e-6)
    with pytest.raises(mm.InputError, match="directions: missing"):
        mm.as_cvxpy(data, norm="f1")


def test_a_dictionary_certificate_stands_alone():
    """It states its dictionary, so that the referee needs nothing else; a changed row is refused."""
    theta = random_directions(30, 3, seed=1)
    data = mm.load("xor")
    document = mm.max_margin(data, directions=theta).to_json()
    assert mm.check_certificate(document, data.X, data.y).holds
    assert mm.Certificate.from_json(document).to_json() == document
    document["dictionary"][0][0] += 1e-3
    assert not mm.check_certificate(document, data.X, data.y).holds
    document["dictionary"] = [["one"]]
    assert not mm.check_certificate(document, data.X, data.y).holds
