"""Each factor of the conventions against a hand computation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from maxmargin import conventions, rounding
from maxmargin.errors import InputError


def test_sphere_is_half_of_path_for_relu():
    """b (a.z)_+ over |a|^2 + |b|^2 = 1 peaks at |a| = |b| = 1/sqrt2, hence 1/2 (Prop. 9)."""
    t = np.linspace(0, np.pi / 2, 100_001)
    best = (np.cos(t) * np.sin(t)).max()
    assert conventions.variation_factor(1, "sphere") == pytest.approx(best, abs=1e-9) == 0.5
    assert conventions.variation_factor(1, "path") == 1.0


def test_squared_relu_has_no_factor():
    assert conventions.variation_factor(2, "sphere") == conventions.variation_factor(2, "path") == 1.0


@pytest.mark.parametrize(("degree", "moment"), [(0, 0), (1, 2), (2, 4)])
def test_gaussian_factor_is_the_moment_of_the_norm(degree, moment):
    """K_gaussian / K_sphere = E|a|^(2k) for a ~ N(0, I_D): 1, D, D(D+2)."""
    D = 7
    radii = np.linalg.norm(np.random.default_rng(0).standard_normal((200_000, D)), axis=1)
    assert conventions.kernel_factor(degree, D, "gaussian") ** 2 == pytest.approx((radii**moment).mean(), rel=0.02)
    assert conventions.kernel_factor(degree, D, "sphere") == 1.0


def test_bias_coordinate_comes_last():
    assert conventions.inputs(np.array([[2.0, 3.0]]), bias=True).tolist() == [[2.0, 3.0, 1.0]]
    assert conventions.inputs(np.array([[2.0, 3.0]]), bias=False).tolist() == [[2.0, 3.0]]


def test_mass_and_root_mean_square_by_hand():
    hidden, output = np.array([[3.0, 4.0], [0.0, 1.0]]), np.array([1.0, -2.0])
    assert conventions.mass(hidden, output) == (25 + 1 + 1 + 4) / 2
    assert conventions.root_mean_square(np.array([3.0, 4.0])) == pytest.approx(math.sqrt(12.5))
    assert conventions.mean_field(4) == 0.25


def test_relative_gap():
    assert conventions.relative_gap(0.0, 0.0) == 0.0
    assert conventions.relative_gap(3.0, 4.0) == 0.25


@pytest.mark.parametrize(
    "call", [lambda: conventions.variation_factor(1, "cube"), lambda: conventions.kernel_factor(1, 3, "cauchy")]
)
def test_unknown_names_are_refused(call):
    with pytest.raises(InputError, match="found '(cube|cauchy)', wanted"):
        call()


def test_rounding_encloses_exact_sums():
    """float64 dot products lie within `dot_error` of exact rational arithmetic."""
    from fractions import Fraction

    rng = np.random.default_rng(1)
    for _ in range(200):
        n = int(rng.integers(1, 60))
        x, y = rng.standard_normal(n) * 10.0 ** rng.integers(-8, 8, n), rng.standard_normal(n)
        exact = sum(Fraction(a) * Fraction(b) for a, b in zip(x, y, strict=True))
        value, error = float(x @ y), rounding.dot_error(float(np.abs(x) @ np.abs(y)), n)
        assert Fraction(rounding.below(value, error)) < exact < Fraction(rounding.above(value, error))


def test_relative_gap_of_nothing_from_above_and_of_small_upper_ends():
    assert conventions.relative_gap(0.0, math.inf) == 1.0
    assert conventions.relative_gap(0.0, 0.25) == 1.0
    assert conventions.relative_gap(0.0625, 0.25) == 0.75


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("f1", "sphere", None), "F1, unit sphere (gamma_1)"),
        (("f1", "path", None), "F1, path norm (= 2 gamma_1 for ReLU)"),
        (("f2", "sphere", "sphere"), "F2, L2(tau), a uniform on the sphere"),
        (("f2", "path", "gaussian"), "F2, L2(tau), a Gaussian"),
        (("ntk", "sphere", "sphere"), "tangent RKHS, a uniform on the sphere"),
        (("ntk", "sphere", None), "tangent RKHS, a uniform on the sphere"),
        (("ntk", "sphere", "gaussian"), "tangent RKHS, a Gaussian"),
    ],
)
def test_every_unit_has_its_words(arguments, text):
    # equal strings that are no constants of the module: comparison, not identity
    assert conventions.describe(*(part and "".join(list(part)) for part in arguments)) == text


def test_the_law_has_an_older_name():
    assert conventions.law_of("sphere", None) == "sphere"
    assert conventions.law_of("gaussian", None) == "gaussian"
    assert conventions.law_of("sphere", "gaussian") == "gaussian"
    assert conventions.law_of("gaussian", "gaussian") == "gaussian"
    wrong = ((("gaussian", "sphere"), "weights"), (("cauchy", None), "law"), (("sphere", "x"), "weights"))
    for arguments, name in wrong:
        with pytest.raises(InputError, match=f"^{name}: found"):
            conventions.law_of(*arguments)


def test_names_are_compared_by_value():
    assert conventions.variation_factor(1, "".join(["sp", "here"])) == 0.5
    assert conventions.kernel_factor(1, 4, "".join(["sp", "here"])) == 1.0
