"""A margin is zero only if features of the supported points are dependent: their kinks must cancel line by line."""

import numpy as np
import pytest
from check_support import certificate, refused, xor

import maxmargin as mm
from maxmargin.check import check_certificate
from maxmargin.check.claim import read_claim
from maxmargin.check.status import check_dependence
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
@pytest.mark.parametrize("factor", [1.0, 4.0, -1.0, -0.5])
def test_two_points_of_one_ray_cancel_if_their_labels_differ(norm, feature, factor):
    """On opposite rays the kinks may cancel, but a.z, or its square, is left over."""
    z = np.array([0.3, -0.7, 1.1])
    for labels in ([1.0, 1.0], [1.0, -1.0]):
        assert possible([z, factor * z], labels, [0.5, 0.5], norm=norm, feature=feature) == (
            factor > 0 and labels[1] < 0
        )
        assert not possible([z, factor * z], labels, [1.0, 0.0], norm=norm, feature=feature)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("left", [0.0, -0.25, 1.0])
def test_antipodal_pairs_cancel_when_their_smooth_parts_do(norm, left):
    """(a.z)_+ - (-a.z)_+ = a.z: three such pairs whose z have the sum zero; |a.z| has no such remainder."""
    half = np.array([[1.0, 0.0], [1.0, 2.0], [-2.0, -2.0]])
    X, y = np.concatenate([half, -half]), [1, 1, 1, -1, -1, -1]
    feature = {"degree": 1, "right": 1.0, "left": left}
    p = np.full(6, 1 / 6)
    assert possible(X, y, p, norm=norm, feature=feature)
    assert possible(X[[0, 3]], [1, -1], [0.5, 0.5], norm=norm, feature=feature) == (left == 1.0)
    rounded = np.concatenate([half, -half[:2], [[2.0, 2.0 + 1e-15]]])
    assert possible(rounded, y, p, norm=norm, feature=feature) == (left == 1.0)


@pytest.mark.parametrize("unit", [1.0, 1e-150, 1e150])
@pytest.mark.parametrize("angle", [0.0, 5e-324, 1e-16, 3e-15, 1e-7])
def test_a_line_has_no_width(unit, angle):
    points = np.array([[unit, 0.0], [unit, angle * unit]])
    assert possible(points, [1, -1], [0.5, 0.5]) == (points[1, 1] == 0.0)


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
    assert not possible(X, -np.array(y) * [1, -1, 1], p, norm=norm, feature=linear)
    assert possible(np.concatenate([X, [[1.0, -1.0]]]), [1, 1, -1, -1], np.full(4, 0.25), norm=norm, feature=square)
    assert not possible(X, y, p, norm=norm, feature=square)  # (a.x)^2 + (a.y)^2 - c (a.(x + y))^2 is never zero
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
