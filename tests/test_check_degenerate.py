"""Data that floats cannot tell from something simpler: points at zero, features tiny beside the bias."""

import itertools
import math

import numpy as np
import pytest
from check_support import around, certificate, refused, xor

import maxmargin as mm
from maxmargin.check import check_certificate
from maxmargin.check.projection import project_exactly


@pytest.mark.parametrize("norm", ["f2", "ntk"])
@pytest.mark.parametrize("feature", ["relu", "squared-relu", {"degree": 1, "right": 1.0, "left": 0.5}], ids=str)
def test_a_point_at_zero_proves_that_the_kernel_margin_is_zero(norm, feature):
    # every f is 0 there, so that the adversary on it pays exactly nothing
    X, y = np.array([[1.0], [0.0], [2.0]]), np.array([-1.0, 1.0, 1.0])
    fields = {"norm": norm, "scope": "kernel", "weights": "sphere", "bias": False, "feature": feature}
    zero = certificate(X, y, {"coefficients": [0.0] * 3}, [0.0, 1.0, 0.0], (0.0, 0.0), **fields)
    assert check_certificate(zero | {"status": "not-separable"}, X, y).holds
    elsewhere = certificate(X, y, {"coefficients": [0.0] * 3}, [1e-30, 1.0, 0.0], (0.0, 0.0), **fields)
    assert refused(check_certificate(elsewhere, X, y))


@pytest.mark.parametrize("scale", [1e-4, 1e-6, 1e-7, 1e-8, 1e-10, 2.0**-40, 1e-100])
def test_xor_beside_a_large_bias_has_its_margin_and_nothing_sharper(scale):
    # C5 scales, and the bias does not help: the normals are parallel but for their last digits, the neurons are not
    X, y, classifier, p, gamma = xor()
    directions = np.hstack([classifier["directions"], np.zeros((4, 1))]).tolist()
    classifier = classifier | {"directions": directions}

    def verdict(bracket):
        return check_certificate(certificate(scale * X, y, classifier, p, bracket), scale * X, y)

    assert verdict(around(scale * gamma)).holds
    assert refused(verdict((0.0, scale * gamma * (1 - 1e-14))))


@pytest.mark.parametrize("scale", [1e-7, 1e-10])
def test_certificates_of_points_on_a_short_line_hold(scale):
    X = scale * np.linspace(-1.0, 1.0, 12)[:, None]
    for y in (np.tile([1.0, -1.0], 6), np.random.default_rng(0).choice([-1.0, 1.0], 12)):
        document = mm.max_margin((X, y)).to_json()
        assert check_certificate(document, X, y).holds
        false = {"upper": document["lower"] * 0.9, "lower": 0.0, "relative_gap": 1.0, "status": "bracketed"}
        assert refused(check_certificate(document | false, X, y))


@pytest.mark.parametrize("seed", range(20))
def test_the_exact_projection_is_the_projection_whatever_the_first_guess(seed):
    rng = np.random.default_rng(seed)
    D = 2 + seed % 4
    rows = rng.integers(-3, 4, size=(D + 3, D)).astype(object)
    rows[1] = rows[0] * 10**8 + np.array([int(k == 0) for k in range(D)], dtype=object)
    v = rng.integers(-9, 10, size=D).astype(object)
    answers = {
        tuple(project_exactly(v, rows, list(guess), -1)) for guess in itertools.combinations(range(D + 3), seed % 3)
    }
    assert len(answers) == 1
    w = np.array(answers.pop(), dtype=object)
    # w in the cone, v - w in the polar cone: orthogonal to w, and no vector of the cone earns anything from it
    assert all(rows @ w >= 0)
    assert (v - w) @ w == 0
    common = math.lcm(*(x.denominator for x in w))
    polar = np.array([int(x * common) for x in v - w], dtype=object)
    assert project_exactly(polar, rows, [], 0) is None
    assert project_exactly(v, rows, [], w @ w) is None
