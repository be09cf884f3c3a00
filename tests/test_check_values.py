"""The referee's arithmetic by hand: fractions, roots, systems, semidefinite matrices, projections, the worst mean."""

from __future__ import annotations

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest

from maxmargin.check import angles, exact, linear, semidefinite, soft
from maxmargin.check.projection import project, project_exactly

F = Fraction


def fractions(rows):
    return [[F(v) for v in row] for row in rows]


def test_integers_have_the_largest_common_power_of_two():
    for values, whole, exponent in (([12.0, 0.0, -20.0], [3, 0, -5], 2), ([0.75], [3], -2), ([0.0, 0.0], [0, 0], 0)):
        found, unit = exact.integers(np.array(values))
        assert found.tolist() == whole and unit == exponent
    rng = np.random.default_rng(0)
    values = np.ldexp(rng.normal(size=20), rng.integers(-300, 300, 20))
    found, unit = exact.integers(values)
    assert [int(v) * exact.power_of_two(unit) for v in found] == [F(float(v)) for v in values]
    assert exact.exact_sum(values) == sum(F(float(v)) for v in values) and exact.exact_sum(np.zeros(0)) == 0
    assert exact.power_of_two(3) == 8 and exact.power_of_two(0) == 1 and exact.power_of_two(-3) == F(1, 8)


@pytest.mark.parametrize("bits", [1, 10, 128])
@pytest.mark.parametrize("value", [F(2), F(3, 7), F(9, 4), F(2) ** 301, F(1, 3**200), F(10**40 + 1)])
def test_roots_are_above_by_less_than_they_may(bits, value):
    found = exact.sqrt_above(value, bits)
    assert value < found**2 <= value * (1 + F(1, 2**bits)) ** 2
    assert exact.sqrt_above(F(0)) == 0
    assert exact.sqrt_above(value) == exact.sqrt_above(value, 128)


def test_integers_of_any_size_as_floats_near_one():
    for shift in (0, 10, 847, 848, 849, 2000):
        values = np.array([[3 << shift, -(1 << shift)]], dtype=object)
        assert exact.to_floats(values).tolist() == [[0.75, -0.25]]
    assert exact.to_floats([]).tolist() == [] and exact.to_floats([0, 0]).tolist() == [0.0, 0.0]


def test_systems_in_fractions():
    assert exact.solve(fractions([[0, 2], [3, 1]]), [F(4), F(5)]) == [1, 2]
    assert exact.solve(fractions([[1, 2], [2, 4]]), [F(1), F(2)]) is None
    assert exact.solve(fractions([[2, 1, 0], [1, 3, 1], [0, 1, 4]]), [F(4), F(10), F(14)]) == [1, 2, 3]
    assert exact.solve([], []) == []


@pytest.mark.parametrize(
    ("rows", "semidefinite"),
    [
        ([[1, 1], [1, 1]], True),
        ([[1, 2], [2, 1]], False),
        ([[0, 0], [0, 1]], True),
        ([[0, 1], [1, 5]], False),
        ([[1, 0], [0, -1]], False),
        ([[-1]], False),
        ([[0]], True),
        ([[2, 1, 1], [1, 2, -1], [1, -1, 2]], True),  # eigenvalues 0, 3, 3
        ([[2, 1, 1], [1, 2, -1], [1, -1, F(199, 100)]], False),
        ([[1, 0, 0], [0, 0, 1], [0, 1, 0]], False),
        ([[1, 1, 0], [1, 1, 0], [0, 0, 0]], True),
        ([[1, 1, 1], [1, 1, 2], [1, 2, 9]], False),
    ],
    ids=str,
)
def test_semidefinite_or_not(rows, semidefinite):
    assert exact.is_positive_semidefinite(fractions(rows)) is semidefinite


def test_accumulated_roundings():
    for k in (1, 7, 1000):
        assert F(exact.relative_error(k)) == pytest.approx(F(k, 2**53) / (1 - F(k, 2**53)), rel=1e-15, abs=0.0)


@pytest.mark.parametrize("M", [1, 3, 20])
def test_the_shift_that_a_floating_point_proof_needs(M):
    """c = error + gamma tr S + 2u (tr S + error), a billionth more, and 1e-290 M^2: just below it nothing is proved."""
    gamma = exact.relative_error(M + 2)
    for error in (1e-8, 1e-3, 30.0, *([0.0] if M > 1 else [])):
        S = np.eye(M)
        S[0, 0] = 0.0
        S *= max(1.0, 3.0 * error)  # S - c I stays definite where S is not zero
        needed = error * (1 + 2.0**-52) + (gamma / (1 - gamma) + 2.0**-52) * np.trace(S)
        low, high = S.copy(), S.copy()
        low[0, 0], high[0, 0] = needed * (1 - 1e-6), needed * (1 + 1e-6)
        assert not semidefinite._is_semidefinite(low, error) and semidefinite._is_semidefinite(high, error)
    assert not semidefinite._is_semidefinite(0.9e-290 * M * M * np.eye(M), 0.0)
    assert semidefinite._is_semidefinite(1.1e-290 * M * M * np.eye(M), 0.0)


def test_what_a_matrix_lacks():
    """diag(1, -1/4): e = diag has delta = 1, budget 1/4; e = top I has delta 1/4, budget 1: both lack 1/4 in e_2."""
    S, none = np.diag([1.0, -0.25]), np.zeros((2, 2))
    asked = []

    def budget(e):
        asked.append(e.tolist())
        return float(e[1])

    assert semidefinite.lacking(S, none, budget) == pytest.approx(0.25, rel=1e-12, abs=0.0)
    assert asked == [[1.0, 0.25], [1.0, 1.0]]
    assert semidefinite.lacking(S, none, budget) >= 0.25
    assert semidefinite.lacking(np.eye(2), 1e-3 * np.ones((2, 2)), budget) == 0.0
    assert semidefinite.lacking(np.diag([1.0, -0.25]), 1e-3 * np.eye(2), budget) == pytest.approx(
        0.252, rel=2e-2, abs=0.0
    )
    assert semidefinite.lacking(np.array([[np.nan]]), np.zeros((1, 1)), budget) == math.inf
    assert semidefinite.lacking(np.eye(1), np.array([[np.inf]]), budget) == math.inf
    assert semidefinite._shift(np.diag([1.0, -0.25]), none) == pytest.approx(0.25, rel=1e-12, abs=0.0)
    with_error = semidefinite._shift(np.diag([1.0, -0.25]), np.array([[0.0, 1e-3], [1e-3, 0.0]]))
    assert 0.251 <= with_error <= 0.2521


@pytest.mark.parametrize("scale", [1e-100, 1.0, 1e100])
def test_variables_in_different_units_are_no_sign_of_a_singular_matrix(scale):
    S = np.array([[2.0, 1.0], [1.0, 2.0]]) * np.outer([1.0, 1e-5], [1.0, 1e-5]) * scale
    assert semidefinite.lacking(S, 1e-15 * np.abs(S), lambda e: float(e.sum())) == 0.0


def test_the_mean_of_the_worst_in_fractions():
    margins = np.array([4, 1, 3, 2], dtype=object)
    assert soft.worst(margins, None) == 1 and soft.worst(margins, 0.25) == 1 and soft.worst(margins, 0.1) == 1
    assert soft.worst(margins, 0.5) == F(3, 2) and soft.worst(margins, 1.0) == F(5, 2)
    assert soft.worst(margins, 0.625) == (1 + 2 + F(1, 2) * 3) / F(5, 2)
    assert soft.worst(margins, 0.3125) == (1 + F(1, 4) * 2) / F(5, 4)


@pytest.mark.parametrize("seed", range(8))
def test_projections_on_cones(seed):
    """Kuhn and Tucker: the residual is in the cone, the weights are >= 0, and both are orthogonal."""
    rng = np.random.default_rng(seed)
    D, N = int(rng.integers(1, 5)), int(rng.integers(0, 9))
    v, rows = rng.integers(-9, 10, D), rng.integers(-9, 10, (N, D))
    v[0] = 11
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1.0)
    active, weights = project(v.astype(float), unit)
    residual = v + weights @ unit[active]
    assert (weights > 0).all() and (unit @ residual >= -1e-10).all()
    assert np.abs(unit[active] @ residual).max(initial=0.0) < 1e-10
    whole = project_exactly(v.astype(object), rows.astype(object), active, F(-1))
    assert whole is not None
    assert np.allclose([float(x) for x in whole], residual, atol=1e-9)
    assert all(sum(int(a) * x for a, x in zip(row, whole, strict=True)) >= 0 for row in rows)
    square = sum(x * x for x in whole)
    assert sum(int(a) * x for a, x in zip(v, whole, strict=True)) == square
    for start in ([], list(range(N)), list(range(N))[::-1]):
        assert project_exactly(v.astype(object), rows.astype(object), start, F(-1)) == whole
    if square:
        assert project_exactly(v.astype(object), rows.astype(object), [], square) is None
        assert project_exactly(v.astype(object), rows.astype(object), [], square * F(999, 1000)) == whole


def test_lengths_are_stated_from_above():
    rng = np.random.default_rng(1)
    for _ in range(50):
        v, rows, w = rng.normal(size=3), rng.normal(size=(2, 3)), rng.random(2)
        rows /= np.linalg.norm(rows, axis=1)[:, None]
        true = [
            F(float(x)) + sum(F(float(a)) * F(float(r)) for a, r in zip(w, rows[:, i], strict=True))
            for i, x in enumerate(v)
        ]
        found = F(linear._length_above(v, rows, w))
        square = sum(x * x for x in true)
        assert square <= found**2
        size = np.abs(v).sum() + w.sum() * math.sqrt(3)
        slack = exact.relative_error(8 * 5 + 64) * size
        assert found <= exact.sqrt_above(square) * (1 + F(3, 10**14)) + F(slack)
        assert found >= exact.sqrt_above(square) + F(slack) * F(9, 10)


@pytest.mark.parametrize("bits", [160, 320, 900])
def test_angles_to_all_their_digits(bits):
    fixed, one = angles.FixedPoint(bits), 1 << bits
    with mpmath.workprec(bits + 60):
        assert abs(fixed.pi - mpmath.pi * one) <= 40 and fixed.one == one
        theta = np.array([0, one >> 20, one // 3, one, (8 * one) // 5], dtype=object)
        cosine, sine = fixed.cos_sin(theta)
        for t, c, s in zip(theta, cosine, sine, strict=True):
            x = mpmath.mpf(int(t)) / one
            assert abs(c - mpmath.cos(x) * one) <= 1 << 12 and abs(s - mpmath.sin(x) * one) <= 1 << 12
        for a in (0, 1, 3, 1e-30, 1e30):
            for sign in (1, -1):
                along, across = sign * one, int(mpmath.mpf(a) * one)
                length = int(mpmath.sqrt(mpmath.mpf(along) ** 2 + mpmath.mpf(across) ** 2))
                unit = [np.array([v << bits], dtype=object) for v in (along, across, length)]
                found = fixed.angle(*unit)[0]
                assert abs(found - mpmath.atan2(across, along) * one) <= angles.ANGLE_ERROR + (1 << 22)
    assert angles.floor_sqrt(np.array([0, 1, 3, 4, 10**40], dtype=object)).tolist() == [0, 1, 1, 2, 10**20]
