"""Weights that make the adversary's function vanish: small cases with known answers, solved in fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from maxmargin.features import RELU, SQUARED_RELU, Feature
from maxmargin.games import opposed_points as dependence
from maxmargin.games.opposed_points import may_vanish, vanishes

LINEAR, SQUARE = Feature("linear", 1, 1.0, -1.0), Feature("square", 2, 1.0, 1.0)
ABSOLUTE, ODD = Feature("abs", 1, 1.0, 1.0), Feature("odd", 2, 1.0, -1.0)
ZERO = Feature("zero", 1, 0.0, 0.0)
TILTED = Feature("tilted", 1, 2.0, -0.5)


def cancels(Z, y, feature, p):
    """sum_i p_i y_i sigma(a.z_i) at random a, relative to its terms."""
    A = np.random.default_rng(0).normal(size=(50, Z.shape[1]))
    terms = feature.evaluate(A, Z) * (np.asarray(p) * y)
    return np.abs(terms.sum(axis=1)).max() < 1e-13 * max(np.abs(terms).max(), 1e-300)


def vanishing():
    """(points, labels, feature, weights with which the function vanishes)."""
    e, f, g = [1.0, 0.0], [0.0, 1.0], [3.0, 4.0]
    minus = lambda z: [-x for x in z]  # noqa: E731
    twice = lambda z: [2 * x for x in z]  # noqa: E731
    yield "one ray, degree 1", [e, twice(e)], [1, -1], RELU, [2, 1]
    yield "one ray, degree 2", [e, twice(e)], [1, -1], SQUARED_RELU, [4, 1]
    yield "antipodes, absolute value", [e, minus(e)], [1, -1], ABSOLUTE, [1, 1]
    yield "antipodes, odd square", [e, minus(e)], [1, 1], ODD, [1, 1]
    yield "antipodes of other lengths, odd", [twice(g), minus(g)], [-1, -1], ODD, [1, 4]
    triple = [e, minus(e), [-0.5, 1.0], [0.5, -1.0], [-0.5, -1.0], [0.5, 1.0]]
    yield "three lines", triple, [1, -1, 1, -1, 1, -1], RELU, [1] * 6
    yield "three lines, tilted", triple, [1, -1, 1, -1, 1, -1], TILTED, [1] * 6
    yield "linear, in the plane", [e, f, [1.0, 1.0]], [1, 1, -1], LINEAR, [1, 1, 1]
    yield "linear, antipodes of one label", [e, minus(e)], [1, 1], LINEAR, [1, 1]
    yield "squares", [e, f, [1.0, 1.0], [1.0, -1.0]], [1, 1, -1, -1], SQUARE, [2, 2, 1, 1]
    yield "squares, antipodes", [e, minus(e)], [1, -1], SQUARE, [1, 1]


@pytest.mark.parametrize("case", list(vanishing()), ids=lambda case: case[0])
def test_functions_that_vanish_are_found(case):
    _, Z, y, feature, p = case
    Z, y, p = np.array(Z), np.array(y, dtype=float), np.array(p, dtype=float)
    assert cancels(Z, y, feature, p)
    assert vanishes(Z, y, feature, p / p.sum()) and may_vanish(Z, y, feature, p / p.sum())
    # further points with a weight of zero change nothing; with one they may
    more = np.vstack([Z, [[7.0, 1.0]]])
    assert vanishes(more, np.append(y, 1.0), feature, np.append(p, 0.0))


def kept_apart():
    e, f = [1.0, 0.0], [0.0, 1.0]
    minus = lambda z: [-x for x in z]  # noqa: E731
    yield "one ray, one label", [e, [2.0, 0.0]], [1, 1], RELU
    yield "antipodes, ReLU: the linear part stays", [e, minus(e)], [1, -1], RELU
    yield "antipodes, tilted", [e, minus(e)], [1, -1], TILTED
    yield "antipodes, absolute value, one label", [e, minus(e)], [1, 1], ABSOLUTE
    yield "antipodes, odd square, two labels", [e, minus(e)], [1, -1], ODD
    yield "antipodes, squared ReLU, one label", [e, minus(e)], [1, 1], SQUARED_RELU
    yield "two lines: two linear parts that do not cancel", [e, minus(e), f, minus(f)], [1, -1, 1, -1], RELU
    yield "nothing on one line", [e, f, [1.0, 1.0]], [1, -1, 1], RELU
    yield "linear, independent", [e, f], [1, -1], LINEAR
    yield "linear, a cone", [e, f, [1.0, 1.0]], [1, 1, 1], LINEAR
    yield "linear, weights of the wrong sign", [e, f, [1.0, -1.0]], [1, 1, -1], LINEAR
    yield "squares, independent", [e, f, [1.0, 1.0]], [1, 1, -1], SQUARE
    yield "one point", [e], [1], RELU
    yield "one point, linear", [e], [1], LINEAR


@pytest.mark.parametrize("case", list(kept_apart()), ids=lambda case: case[0])
def test_functions_that_cannot_vanish_are_not_said_to(case):
    _, Z, y, feature = case
    Z, y = np.array(Z), np.array(y, dtype=float)
    assert not vanishes(Z, y, feature, np.full(len(y), 1.0 / len(y)))


def test_a_point_at_the_origin_or_a_feature_of_nothing_vanishes_at_once():
    p = np.array([0.5, 0.5])
    assert vanishes(np.array([[0.0, 0.0], [1.0, 2.0]]), np.ones(2), RELU, p)
    assert may_vanish(np.array([[0.0, 0.0], [1.0, 2.0]]), np.ones(2), RELU, p)
    assert vanishes(np.eye(2), np.ones(2), ZERO, p) and may_vanish(np.eye(2), np.ones(2), ZERO, p)
    assert not vanishes(np.array([[0.0, 0.0], [1.0, 2.0]]), np.ones(2), RELU, np.array([0.0, 1.0]))


def test_a_feature_of_one_side_is_something():
    one_side = Feature("left", 1, 0.0, 2.0)
    assert not vanishes(np.eye(2), np.array([1.0, -1.0]), one_side, np.array([0.5, 0.5]))
    assert not vanishes(np.eye(2), np.array([1.0, -1.0]), Feature("down", 1, 0.0, -2.0), np.array([0.5, 0.5]))


def test_points_a_rounding_off_the_line_are_suspected_and_not_convicted():
    """(3, 4) and its double moved by one float: floats see one line, integers do not."""
    Z, y, p = np.array([[3.0, 4.0], [6.0, np.nextafter(8.0, 9.0)]]), np.array([1.0, -1.0]), np.array([0.5, 0.5])
    assert may_vanish(Z, y, RELU, p) and not vanishes(Z, y, RELU, p)
    far = np.array([[3.0, 4.0], [6.0, 8.0 * (1 + 1e-14)]])
    assert not may_vanish(far, y, RELU, p)
    for scale in (1e-200, 1e200):  # lengths are taken without overflow
        assert may_vanish(scale * Z, y, RELU, p) and vanishes(scale * np.array([[1.0, 1], [2, 2]]), y, RELU, p)


def test_at_most_a_hundred_points_are_solved_in_fractions():
    for pairs, found in ((50, True), (51, False)):
        t = np.arange(1.0, 2 * pairs + 1.0)[:, None]
        y = np.where(np.arange(2 * pairs) % 2, 1.0, -1.0)
        assert vanishes(t, y, LINEAR, np.ones(2 * pairs)) is found


def test_neighbours_are_those_that_may_agree_to_2e_15():
    units = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1e-15], [0.6, 0.8], [0.6, 0.8 + 3e-15]])
    assert dependence._neighbours(units).tolist() in ([0, 2], [0, 2, 3, 4])
    assert dependence._neighbours(units[:1]).tolist() == [0] and dependence._neighbours(units[:0]).tolist() == []
    assert dependence._neighbours(units[:2]).tolist() == []
    assert dependence._neighbours(np.vstack([units[:2], units[:2]])).tolist() == [0, 1, 2, 3]
    heights = np.cos(np.sqrt(2.0) * np.arange(1.0, 4.0) ** 2) / np.sqrt(3.0)
    for gap, near in ((2e-15 * 6.5, True), (2e-15 * 8.0, False)):  # 4 + D = 7 times the distance, to be sure
        step = gap * heights / (heights @ heights)
        base = np.array([0.1, 0.2, 0.05])
        got = dependence._neighbours(np.vstack([base, base + step, [1.0, 1.0, 1.0]]))
        assert (got.tolist() == [0, 1]) is near


def test_pairs_of_opposite_votes():
    units, y = np.array([[1.0, 0.0], [-1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), np.array([1.0, -1.0, -1.0, 1.0])
    first, second = dependence._opposed(units, y, 1)
    assert {frozenset(pair) for pair in zip(first, second, strict=True)} == {frozenset({0, 1}), frozenset({0, 2})}
    first, second = dependence._opposed(units, y, 2)
    assert {frozenset(pair) for pair in zip(first, second, strict=True)} == {frozenset({0, 2}), frozenset({1, 2})}


def test_kinks_by_degree():
    assert dependence._kinks(TILTED) == 1.5 and dependence._kinks(Feature("f", 2, 2.0, -0.5)) == 2.5
    assert dependence._kinks(LINEAR) == 0.0 == dependence._kinks(SQUARE)


@pytest.mark.parametrize(
    ("rows", "p", "solvable"),
    [
        ([[1, -1]], [1, 1], True),
        ([[1, 1]], [1, 1], False),
        ([[1, -2], [2, -4]], [2, 1], True),
        ([[1, -1], [1, 1]], [1, 1], False),
        ([[0, 1, -1], [1, 0, -1]], [1, 1, 1], True),
        ([[0, 0]], [1, 1], True),
        ([[1, 0, 2], [0, 1, -1]], [1, 1, 1], False),
        ([[1, 0, -2], [0, 1, 0]], [1, 1, 1], True),  # the second weight is zero
        ([[2, 4, -3], [1, 1, -1], [3, 5, -4]], [1, 1, 2], True),
        ([], [1], True),
    ],
    ids=str,
)
def test_solutions_that_are_not_negative(rows, p, solvable):
    exact = [[Fraction(value) for value in row] for row in rows]
    assert dependence._solvable(exact, [Fraction(value) for value in p]) is solvable


def test_rows_of_the_linear_system():
    """Two points on the line of (1, 0), t = 1 and -2, one on that of (1, 1); right 2, left -1/2 (degree 1)."""
    points, y = np.array([[1, 0], [-2, 0], [1, 1]], dtype=object), np.array([1.0, -1.0, 1.0])
    lines = np.array([0, 0, 2])
    rows = dependence._system(points, y, lines, TILTED)
    assert rows == [[1, -2, 0], [0, 0, 2], [Fraction(1, 2), 4, Fraction(1, 2)], [0, 0, Fraction(1, 2)]]
    bowl = Feature("bowl", 2, 2.0, -0.5)
    rows = dependence._system(points, y, lines, bowl)
    half = -Fraction(1, 2)
    assert rows == [[1, 4, 0], [0, 0, 4], [half, -8, half], [0, 0, half], [0, 0, half]]
    assert dependence._system(points, y, lines, LINEAR) == [[1, 2, 1], [0, 0, 1]]
    # the same points in another order: each line is measured by its own first point
    rows = dependence._system(points[::-1], y[::-1], np.array([2, 0, 0]), TILTED)
    assert rows == [[0, -4, 2], [2, 0, 0], [Fraction(1, 2), 1, 2], [Fraction(1, 2), 0, 0]]
