"""The error model in numbers: each function of rounding.py against its formula, in exactly representable cases."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from maxmargin import conventions, rounding

U = Fraction(1, 2**53)


def test_units_of_roundoff_by_format():
    assert rounding.UNIT_ROUNDOFF == 2.0**-53 == rounding.roundoff(np.float64)
    assert rounding.roundoff(np.float32) == 2.0**-24
    assert rounding.roundoff(np.longdouble) == float(np.finfo(np.longdouble).eps) / 2


@pytest.mark.parametrize("terms", [1, 4, 1000])
def test_gamma_k_is_k_u_over_one_less_k_u(terms):
    exact = terms * U / (1 - terms * U)
    assert abs(Fraction(rounding.relative_error(terms)) / exact - 1) < 4 * U
    assert rounding.relative_error(4, 0.125) == 1.0  # (4/8) / (1 - 4/8)
    assert rounding.relative_error(2, 0.125) == 0.25 / 0.75


def test_a_dot_product_of_k_terms_has_two_k_roundings_and_four_to_spare():
    assert rounding.dot_error(3.0, 10) == 3.0 * rounding.relative_error(24)
    assert rounding.dot_error(0.5, 1) == 0.5 * rounding.relative_error(6)


@pytest.mark.parametrize(("value", "error"), [(1.0, 0.25), (-1.0, 0.25), (0.0, 0.5), (1.0, 1e-30)])
def test_outward_is_by_the_error_and_one_float_more(value, error):
    assert rounding.below(value, error) == math.nextafter(value - error, -math.inf)
    assert rounding.above(value, error) == math.nextafter(value + error, math.inf)


def test_integers_are_in_the_unit_of_the_last_bit_of_the_smallest_entry():
    for values in ([1.0], [0.0], [0.0, 4.0], [0.25, 8.0], [-(2.0**-1074), 1.0], [3.0, 0.0, -5e-324, 1e308]):
        whole, exponent = rounding.integers(np.array(values))
        assert exponent == min(0, *(math.frexp(v)[1] for v in values)) - 53
        assert [Fraction(int(v)) * Fraction(2) ** exponent for v in whole] == [Fraction(v) for v in values]
    assert rounding.integers(np.zeros((2, 0)))[1] == -53


@pytest.mark.parametrize("kind", [np.float64, np.longdouble])
@pytest.mark.parametrize("bits", [1, 52, 53, 54, 63, 64, 65, 108, 159, 160, 161, 162, 300])
def test_integers_of_any_length_keep_what_the_format_can_hold(bits, kind):
    values = np.array([(1 << bits) - 1, -(1 << bits) + 3, 1 << (bits - 1), (1 << bits) // 3], dtype=object)
    m, e = rounding.mantissas(values, kind)
    assert e.tolist() == [max(abs(int(v)).bit_length() - 160, 0) for v in values]
    for value, mantissa, shift in zip(values, m, e, strict=True):
        head = float(mantissa)
        found = (Fraction(head) + Fraction(float(mantissa - kind(head)))) * 2 ** int(shift)
        assert abs(found - value) <= 2 * Fraction(rounding.roundoff(kind)) * abs(value)
    assert rounding.mantissas(values.reshape(2, 2), kind)[0].shape == (2, 2)


def test_nearest_scales_by_a_power_of_two():
    values = np.array([[3, -(1 << 170)]], dtype=object)
    assert rounding.nearest(values, -2).tolist() == [[0.75, -(2.0**168)]]
    assert rounding.nearest(values, -2, np.longdouble).dtype == np.longdouble
    with pytest.raises(OverflowError):
        float(1 << 1100)
    assert rounding.nearest(np.array([1 << 1100], dtype=object), -1100).tolist() == [1.0]


def test_the_gap_between_two_zeros_is_zero_whatever_objects_they_are():
    zero = float("0")
    assert conventions.relative_gap(zero, float("-0")) == 0.0
