"""gamma = 0 needs points on one line that vote against each other; small is not zero."""

import numpy as np
import pytest

import maxmargin as mm
from maxmargin.features import RELU, SQUARED_RELU
from maxmargin.features.homogeneous import Feature
from maxmargin.games.measure import Measure
from maxmargin.games.opposed_points import may_vanish

XOR = np.array([[1.0, 1], [-1, -1], [1, -1], [-1, 1]]), np.array([1.0, 1, -1, -1])
NORMS = ["f1", "f2", "ntk"]


def polygon(k):
    t = np.pi * np.arange(k) / k
    half = np.column_stack([np.cos(t), np.sin(t)])
    return np.concatenate([half, -half]), np.where(np.arange(2 * k) % 2, 1.0, -1.0)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("k", [3, 5, 25])
def test_odd_polygons_are_not_separable(norm, k):
    certificate = mm.max_margin(polygon(k), norm, bias=False)
    assert certificate.status.value == "not-separable"
    assert mm.check_certificate(certificate.to_json(), *polygon(k)).holds


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("k", [3, 5, 25])
def test_rounded_antipodes_do_not_cancel_and_nobody_says_that_they_do(norm, k):
    """No two points are exactly on one line, so that every kink is earned from: gamma > 0, of the size of rounding."""
    t = np.pi * np.arange(2 * k) / k
    X, y = np.column_stack([np.cos(t), np.sin(t)]), polygon(k)[1]
    X[1] += [0.0, np.spacing(X[1, 1])]  # some rounded antipodes happen to be exact; one pair at least is not
    certificate = mm.max_margin((X, y), norm, bias=False)
    assert certificate.upper < 1e-7
    exact = {i for i in range(2 * k) if (X[i] == -X[(i + k) % (2 * k)]).all()}
    assert (certificate.status.value == "not-separable") == (len(exact) >= 6)


@pytest.mark.parametrize("norm", ["f2", "ntk"])
@pytest.mark.parametrize("ulps", [1, 4, 64])
def test_opposite_labels_a_few_units_of_roundoff_apart_are_separable(norm, ulps):
    """gamma^2 = (K_11 + K_22 - 2 K_12) / 4, quadratic in the distance."""
    X = np.array([[0.3], [0.3 + ulps * np.spacing(0.3)]])
    certificate = mm.max_margin((X, [-1, 1]), norm)
    assert certificate.status.value == "certified" and certificate.relative_gap <= 1e-9
    assert mm.check_certificate(certificate.to_json(), X, np.array([-1.0, 1.0])).holds
    if norm == "f2":
        assert certificate.lower == pytest.approx(ulps * 1.3292509943e-17, rel=1e-9)


@pytest.mark.parametrize("norm", NORMS)
def test_contradictions_and_a_point_at_the_origin_are_not_separable(norm):
    assert mm.max_margin(([[0.0, 1], [0, 1], [1, 2]], [1, -1, 1]), norm).status.value == "not-separable"
    assert mm.max_margin(([[0.0], [1], [2]], [1, -1, -1]), norm, bias=False).status.value == "not-separable"


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("feature", ["relu", "squared-relu"])
@pytest.mark.parametrize("size", [1e-9, 1e-11])
def test_a_tiny_margin_is_not_called_zero(norm, feature, size):
    """Four different points beside a bias of one have a margin of the order of their distances, or of their square."""
    certificate = mm.max_margin((size * XOR[0], XOR[1]), norm, feature=feature)
    assert certificate.status.value in ("certified", "bracketed")
    assert 0.0 <= certificate.lower < certificate.upper


def test_who_votes_against_whom():
    Z = np.array([[1.0, 0], [-2, 0], [0, 1]])
    p = np.full(3, 1 / 3)
    assert may_vanish(Z, np.array([1.0, -1, 1]), RELU, p)  # kinks |a.z| of opposite labels
    assert not may_vanish(Z, np.array([1.0, 1, 1]), RELU, p)
    assert may_vanish(Z, np.array([1.0, 1, 1]), SQUARED_RELU, p)  # u|u| is odd: antipodes of equal labels
    assert not may_vanish(Z, np.array([1.0, -1, 1]), SQUARED_RELU, p)
    assert not may_vanish(Z, np.array([1.0, -1, 1]), RELU, np.array([0.5, 0.0, 0.5]))
    assert may_vanish(Z, np.array([1.0, 1, 1]), Feature("linear", 1, 1.0, -1.0), p)  # no kink, nothing to say


def test_the_zero_function_is_a_measure_of_variation_one():
    zero = Measure(np.ones((1, 3)), np.zeros(1)).normalised(1)
    assert np.abs(zero.weights).sum() == 1.0 and not np.any(zero.outputs(np.eye(3), RELU))
    certificate = mm.max_margin(polygon(3), bias=False)
    assert np.abs(certificate.classifier.weights).sum() == pytest.approx(1.0) and certificate.lower == 0.0
    assert mm.check_certificate(certificate.to_json(), *polygon(3)).holds
