"""Maps of the sphere keep area and come back; principal planes are orthonormal and upright."""

import numpy as np
import pytest

from maxmargin.plots import geometry
from maxmargin.text import percent, shared_digits, short


def unit(count, D, seed=0):
    directions = np.random.default_rng(seed).standard_normal((count, D))
    return directions / np.linalg.norm(directions, axis=1, keepdims=True)


def inverse_lambert(points, upper):
    """Unit vectors (N, 3) of points in the unit disc: (a_1, a_2) = P sqrt(1 + h), |a_3| = h = 1 - |P|^2."""
    height = 1.0 - (points**2).sum(axis=1)
    return np.column_stack([points * np.sqrt(1.0 + height)[:, None], height if upper else -height])


def test_lambert_comes_back():
    directions = unit(500, 3)
    points, upper = geometry.lambert(directions)
    assert np.linalg.norm(points, axis=1).max() <= 1 + 1e-15
    for side in (True, False):
        np.testing.assert_allclose(inverse_lambert(points[upper == side], side), directions[upper == side], atol=1e-12)


def test_lambert_keeps_area():
    points, upper = geometry.lambert(unit(200_000, 3))
    inner = np.linalg.norm(points, axis=1) < np.sqrt(0.5)  # half of the disc's area
    assert inner.mean() == pytest.approx(0.5, abs=0.005)
    assert upper.mean() == pytest.approx(0.5, abs=0.005)


def test_great_circle_is_orthogonal_and_on_the_sphere():
    z = np.array([0.3, -2.0, 1.0])
    circle = geometry.great_circle(z)
    np.testing.assert_allclose(circle @ z, 0.0, atol=1e-14)
    np.testing.assert_allclose(np.linalg.norm(circle, axis=1), 1.0)


def test_plane_of_two_features_is_drawn_upright():
    X = np.random.default_rng(0).standard_normal((60, 6))
    directions = np.zeros((40, 6))
    angle = np.random.default_rng(1).uniform(0, 2 * np.pi, 40)
    directions[:, 1], directions[:, 4] = np.cos(angle), np.sin(angle)
    plane = geometry.principal_plane(X, directions, np.ones(40), [f"f{k}" for k in range(6)])
    np.testing.assert_allclose(plane.axes.T @ plane.axes, np.eye(2), atol=1e-12)
    assert {label.split(",")[0] for label in plane.labels} == {"f1", "f4"}
    assert np.abs(plane.axes).max(axis=0) == pytest.approx([1.0, 1.0])
    assert plane.axes.max(axis=0) == pytest.approx([1.0, 1.0]), "axes point along the features, not against them"


def test_average_over_the_rest_is_exact_for_functions_of_the_plane():
    X = np.random.default_rng(0).standard_normal((50, 4))
    plane = geometry.principal_plane(X, np.eye(4)[:2], np.ones(2), list("abcd"))
    value = plane.averaged(lambda points: np.sin(plane.coordinates(points)[:, 0]), X, plane.coordinates(X))
    np.testing.assert_allclose(value, np.sin(plane.coordinates(X)[:, 0]), atol=1e-12)


def test_principal_components_without_neurons():
    X = np.random.default_rng(0).standard_normal((50, 3)) * [1.0, 0.0, 1.0]  # a constant feature
    plane = geometry.principal_plane(X, None, None, list("abc"))
    assert np.isfinite(plane.coordinates(X)).all()


@pytest.mark.parametrize(
    ("lower", "upper", "text"),
    [
        (0.03787123, 0.03787189, "0.037871[2, 9]"),
        (0.1, 0.1, "0.1"),
        (0.2, 0.5, "[0.200, 0.500]"),
        (0.0, 0.5, "[0, 0.500000]"),
        (0.3, np.inf, "[0.299999, \u221e]"),
    ],
)
def test_digits_that_agree_are_shown_once(lower, upper, text):
    assert shared_digits(lower, upper) == text


@pytest.mark.parametrize("gap", [1e-1, 1e-3, 1e-6, 1e-9, 1e-13])
@pytest.mark.parametrize("value", [1.0, 0.0317, 9.9999999, 123.4])
def test_printed_bracket_contains_the_bracket(value, gap):
    lower, upper = value * (1 - gap), value
    text = shared_digits(lower, upper)
    head, _, rest = text.rstrip("]").partition("[")
    low, high = (float(head + end) for end in rest.split(", "))
    assert low <= lower <= upper <= high
    assert high - low <= 25 * (upper - lower)


def test_short_numbers_and_percents():
    assert short(0.123456789, 0.12345679) == "[0.1234, 0.1235]"
    assert short(0.1, 0.2) == "[0.100, 0.201]"
    assert percent(0.99999) == "99.99 %"
    assert percent(None) == "\u2013"
    assert percent(1.0) == "100 %"
