"""The checker's kernels: fixed-point angles, an independent formula, and brackets true to the last digits."""

import math

import mpmath
import numpy as np
import pytest
from check_support import certificate, refused

import maxmargin as mm
from maxmargin.check import angles, check_certificate, kernel
from maxmargin.check.angles import FixedPoint
from maxmargin.check.claim import read_claim
from maxmargin.features import Feature, get_feature
from maxmargin.features.kernels import Kernel

TWO_SIDED = {"name": "two-sided", "degree": 1, "right": 1.0, "left": -0.25}
FEATURES = ["relu", "squared-relu", TWO_SIDED, TWO_SIDED | {"degree": 2}]


def kernel_certificate(X, y, c, p, bracket, **problem):
    fields = {"norm": "f2", "scope": "kernel", "weights": "sphere", "bias": False} | problem
    return certificate(X, y, {"coefficients": list(c)}, p, bracket, **fields)


BITS = [160, 320, 2560]


@pytest.mark.parametrize("bits", BITS)
def test_pi_is_right_to_its_error(bits):
    fixed = FixedPoint(bits)
    assert str(fixed.pi * 10**47 // fixed.one) == "314159265358979323846264338327950288419716939937"
    with mpmath.workprec(bits + 64):
        assert abs(fixed.pi - mpmath.pi * fixed.one) <= angles.PI_ERROR


@pytest.mark.parametrize("bits", BITS)
def test_cosine_and_sine_are_right_far_beyond_float64(bits):
    fixed = FixedPoint(bits)
    theta = np.array([0, 1 << 100, fixed.one // 3, fixed.one, fixed.pi // 2, fixed.pi // 6], dtype=object)
    cosine, sine = fixed.cos_sin(theta)
    with mpmath.workprec(bits + 64):
        for t, c, s in zip(theta, cosine, sine, strict=True):
            angle = mpmath.mpf(int(t)) / fixed.one
            assert abs(c - mpmath.cos(angle) * fixed.one) < 1 << 12
            assert abs(s - mpmath.sin(angle) * fixed.one) < 1 << 12


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("bits", BITS)
def test_multiples_of_the_angle_of_a_pythagorean_triangle(k, bits):
    fixed = FixedPoint(bits)

    def angle(*sides):
        return fixed.angle(*(np.array([side << bits], dtype=object) for side in sides))[0]

    power = (3 + 4j) ** k
    point = round(power.real), abs(round(power.imag)), 5**k
    turn = 2 * fixed.pi
    expected = k * angle(3, 4, 5) % turn
    assert abs(angle(*point) - min(expected, turn - expected)) < angles.ANGLE_ERROR * (k + 1)


@pytest.mark.parametrize("norm", ["f2", "ntk"])
@pytest.mark.parametrize("law", ["sphere", "gaussian"])
@pytest.mark.parametrize("feature", FEATURES, ids=str)
def test_the_gram_matrix_is_the_packages(norm, law, feature):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(9, 4))
    X[1], X[2], X[3], X[4] = 2.0 * X[0], -X[0], 0.0, X[0] + 1e-9
    ones = np.ones(9)
    document = kernel_certificate(X, ones, ones, ones / 9, (0.0, 1.0), norm=norm, weights=law, feature=feature)
    N, error, unit = kernel.gram(read_claim(document, X, ones), np.arange(9), np.arange(9), FixedPoint(160))
    own = np.array([[float(v * unit) for v in row] for row in N]) / (2 * math.pi)
    theirs = Feature(**feature) if isinstance(feature, dict) else feature
    assert own == pytest.approx(
        Kernel(get_feature(theirs), law, tangent=norm == "ntk")(X), rel=1e-14, abs=1e-15 * own.max()
    )
    assert max(float(e * unit) for e in error.ravel()) < 1e-30


def test_one_point_and_antipodes():
    # closed forms C1 and C2: |z| / sqrt(2 D) and |z| / (2 sqrt D)
    X, y = np.array([[3.0, 4.0]]), np.ones(1)
    gamma, below, above = 2.5, 2.5 * (1 - 1e-15), 2.5 * (1 + 1e-15)
    for bracket, holds in (((below, above), True), ((above, above), False), ((0.0, below), False)):
        assert check_certificate(kernel_certificate(X, y, [1.0], [1.0], bracket), X, y).holds == holds
    X, y = np.array([[3.0, 4.0], [-3.0, -4.0]]), np.array([1.0, -1.0])
    gamma = 5.0 / (2.0 * math.sqrt(2.0))
    halves = [0.5, 0.5], (gamma * (1 - 1e-15), gamma * (1 + 1e-15))
    assert check_certificate(kernel_certificate(X, y, [1.0, -1.0], *halves), X, y).holds


@pytest.mark.parametrize("norm", ["f2", "ntk"])
@pytest.mark.parametrize("data", ["xor", "polygon:k=4", "parity:d=3", "clusters:n=120,d=5,k=3,seed=0"])
def test_every_kernel_certificate_of_the_package_holds(data, norm):
    dataset = mm.load(data)
    for law in ("sphere", "gaussian"):
        document = mm.max_margin(dataset, norm=norm, weights=law).to_json()
        verdict = check_certificate(document, dataset.X, dataset.y)
        assert verdict.holds, verdict.reason
        false = {"upper": document["lower"] * (1 - 1e-9), "lower": 0.0, "relative_gap": 1.0, "status": "bracketed"}
        assert refused(check_certificate(document | false, dataset.X, dataset.y))


@pytest.mark.parametrize("norm", ["f1", "f2", "ntk"])
@pytest.mark.parametrize("scale", [1e-70, 1e70])
def test_small_and_large_units(norm, scale):
    dataset = mm.load("polygon:k=4")
    X = dataset.X * scale
    document = mm.max_margin((X, dataset.y), norm=norm, bias=False).to_json()
    assert document["lower"] > 0.0
    assert check_certificate(document, X, dataset.y).holds
    assert refused(check_certificate(document | {"lower": document["upper"], "relative_gap": 0.0}, X, dataset.y))


def test_further_parts_of_an_adversary_make_no_entry_negative():
    data = mm.load("clusters:n=12,d=3,k=2,seed=0")
    document = mm.max_margin(data, norm="f2", self_check=False).to_json()
    entry = int(np.argmax(document["adversary"][1:])) + 1
    low = [0.0] * 12
    low[entry] = -2.0 * document["adversary"][entry]
    verdict = check_certificate(document | {"adversary_low": [low]}, data.X, data.y)
    assert not verdict.holds
    assert f"entry {entry} is negative" in verdict.reason


@pytest.mark.parametrize("norm", ["f2", "ntk"])
def test_a_refusal_says_what_the_classifier_reaches(norm):
    data = mm.load("clusters:n=12,d=3,k=2,seed=0")
    document = mm.max_margin(data, norm=norm, self_check=False).to_json()
    ends = {"lower": 2.0 * document["lower"], "upper": 3.0 * document["upper"], "relative_gap": 1 / 3}
    reason = check_certificate(document | ends | {"status": "bracketed"}, data.X, data.y).reason
    assert float(reason.split("reaches ")[1].split()[0]) == pytest.approx(document["lower"], rel=1e-9)
