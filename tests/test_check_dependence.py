"""A margin is zero only if features of the supported points are dependent: their kinks must cancel line by line."""

import numpy as np
import pytest
from check_support import certificate, refused, xor

import maxmargin as mm
from maxmargin.check import check_certificate
from maxmargin.check.claim import read_claim
from maxmargin.check.dependence import check_dependence
from maxmargin.check.verdict import Refusal

NORMS = ["f1", "f2", "ntk"]
FEATURES = ["relu", "squared-relu"]
LEAKY = {"degree": 2, "right": 1.0, "left": 0.25}


def not_separable(X, y, p, **problem):
    kernel = problem.get("norm", "f1") != "f1"
    classifier = {"coefficients": [0.0] * len(X)} if kernel else {"directions": [], "weights": []}
    fields = {"bias": False, "weights": "sphere", "scope": "kernel" if kernel else "sphere-exact"} | problem
    return certificate(X, y, classifier, p, (0.0, 0.0), status="not-separable", **fields)


def possible(X, y, p, **problem):
    X, y = np.array(X, dtype=float), np.array(y, dtype=float)
    try:
        check_dependence(read_claim(not_separable(X, y, p, **problem), X, y))
    except Refusal as refusal:
        assert "\n" not in str(refusal)
        return False
    return True


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("feature", FEATURES)
@pytest.mark.parametrize("factor", [1.0, 3.0, -1.0, -0.1])
def test_two_points_on_a_line_cancel_if_their_effective_signs_differ(norm, feature, factor):
    # (a.z)_+ and (-a.z)_+ have the same kink, (a.z)_+^2 and (-a.z)_+^2 opposite ones
    z = np.array([0.3, -0.7, 1.1])
    same, other = ([1.0, 1.0], [1.0, -1.0]) if feature == "relu" or factor > 0 else ([1.0, -1.0], [1.0, 1.0])
    for labels, answer in ((same, False), (other, True)):
        assert possible([z, factor * z], labels, [0.5, 0.5], norm=norm, feature=feature) == answer
        assert not possible([z, factor * z], labels, [1.0, 0.0], norm=norm, feature=feature)


@pytest.mark.parametrize("unit", [1.0, 1e-150, 1e150])
def test_a_line_is_as_wide_as_the_rounding_of_the_points(unit):
    for angle, answer in ((3e-15, True), (5e-15, False), (1e-7, False), (1e-12, False)):
        assert possible(unit * np.array([[1.0, 0.0], [1.0, angle]]), [1, -1], [0.5, 0.5]) == answer


def test_a_point_at_zero_is_reason_enough_and_an_unsupported_one_is_none():
    X, y = [[0.0, 0.0], [1.0, 2.0]], [1, -1]
    assert possible(X, y, [1.0, 0.0])
    assert possible(X, y, [0.5, 0.5])
    assert not possible(X, y, [0.0, 1.0])
    assert not possible(X, y, [0.5, 0.5], bias=True)


@pytest.mark.parametrize("norm", NORMS)
def test_activations_without_a_kink_and_finite_dictionaries_are_free_of_the_rule(norm):
    X, y, p = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), [1, 1, -1], [0.25, 0.25, 0.5]
    linear, square = ({"degree": 1, "right": 2.0, "left": -2.0}, {"degree": 2, "right": 0.5, "left": 0.5})
    assert possible(X, y, p, norm=norm, feature=linear)
    assert possible(X, y, p, norm=norm, feature=square)
    assert not possible(X, y, p, norm=norm, feature=linear | {"degree": 2})
    assert not possible(X, y, p, norm=norm, feature=square | {"degree": 1})
    assert norm != "f1" or possible(X, y, p, scope="dictionary")


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("scale", [1e-12, 1e-9])
def test_separable_data_of_small_margin_are_not_called_inseparable(norm, scale):
    # XOR beside a large bias: every kernel value is that of the bias alone, up to the sixth digit of its root
    X, y, _, p, _ = xor()
    document = not_separable(scale * X, y, p, norm=norm, bias=True) | {"upper": 1e-10, "relative_gap": 1.0}
    verdict = check_certificate(document, scale * X, y)
    assert refused(verdict)
    assert verdict.reason.startswith("status")


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("feature", FEATURES)
def test_certificates_of_contradictions_hold(norm, feature):
    X, y = np.array([[0.3, 0.7], [0.3, 0.7], [1.0, 0.0]]), np.array([1.0, -1.0, 1.0])
    document = mm.max_margin((X, y), norm=norm, feature=feature).to_json()
    assert document["status"] == "not-separable"
    assert check_certificate(document, X, y).holds


@pytest.mark.parametrize("k", [3, 5])
@pytest.mark.parametrize("norm", NORMS)
def test_certificates_of_the_alternating_polygon_with_an_odd_number_of_pairs_hold(k, norm):
    data = mm.load(f"polygon:k={k}")
    document = mm.max_margin(data, norm=norm, bias=False).to_json()
    assert document["status"] == "not-separable"
    assert check_certificate(document, data.X, data.y).holds
