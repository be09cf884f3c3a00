"""Faces between nearly parallel hyperplanes, D >= 4: points of which the bias is almost everything."""

from __future__ import annotations

import numpy as np
import pytest

import maxmargin as mm
from maxmargin.oracles.enumeration.degree1 import ArrangementOracle


@pytest.mark.parametrize("scale", [1e-2, 1e-5, 1e-7, 1e-8, 1e-9, 1e-10])
@pytest.mark.parametrize("seed", range(6))
def test_features_in_a_smaller_unit_have_proportionally_smaller_maxima(seed, scale):
    """Without weight on the bias, sum q = 0 and even activation: max g is the unit times that of a limit.

    g(a, b) = sum q_i |a.s x_i + b| with sum q_i = 0 is s times sum q_i |a.x_i + b/s|, and |(a, b)| = |a| up to s^2:
    the limit is the maximum over |a| = 1 and all b, within (s |b/s|)^2 of the value.
    """
    rng = np.random.default_rng(seed)
    D, n = 4 + seed % 2, 5
    X, q = rng.standard_normal((n, D - 1)), rng.standard_normal(n)
    q -= q.mean()
    q /= np.abs(q).sum()
    feature = mm.Feature("absolute", 1, 1.0, 1.0)

    def maximum(unit):
        return ArrangementOracle(np.column_stack([unit * X, np.ones(n)]), feature)(q)

    # sum q = 0 holds up to rounding, which pays |sum q| |b| and no more, with b/s below a few |x|
    rounding = 10.0 * np.abs(X).max() * abs(float(q.sum()))
    wanted, found = maximum(1e-3).bound / 1e-3, maximum(scale)
    slack = 100.0 * max(scale, 1e-3) ** 2 + rounding + 1e-13 / scale  # the bound's own slack is 1e-13 at most
    assert abs(found.bound / scale - wanted) <= slack * max(wanted, 1.0)


# found by the fuzzer: an adversary of column generation, with features in units of 1e-9
X = np.array([
    [-1.04901595, -0.991757863, -1.02589004, -3.09040474, 7.03684584],
    [2.14389946, 10.4104594, 8.50299661, -6.21428646, -5.45428937],
    [-1.35061346, -7.31640294, -2.37553081, -10.5184004, -17.3750675],
    [14.359658, 7.27874286, -10.1938348, 5.27042289, 4.22671699],
    [3.12030886, 5.15616696, -2.02113564, -2.26366002, 1.62950753],
])  # fmt: skip
Q = np.array([0.44476452, -0.05257557, -0.01462412, 0.05523548, -0.43280031])


def test_a_face_is_found_whose_point_seemed_outside():
    """D = 6: rounding across one kink, 1e-17, is an angle of 1e-8 beside v of 4e-9, as large as those of the points."""
    feature = mm.Feature("absolute", 1, 1.0, 1.0)
    bounds = {unit: ArrangementOracle(np.column_stack([unit * X, np.ones(5)]), feature)(Q).bound / unit
              for unit in (1e-9, 1e-7, 1e-5)}  # fmt: skip
    assert bounds[1e-7] == pytest.approx(bounds[1e-5], rel=1e-6)  # sum Q = 0: proportional to the unit
    assert bounds[1e-9] >= bounds[1e-7] * (1.0 - 1e-6)


# found by the fuzzer: pairs of points 1e-15 to 1e-12 apart, D = 3
NEAR = np.array([[float.fromhex(v) for v in row.split()] for row in """
    -0x1.b7a8d58c46db3p-1 -0x1.aaf00f557e071p-1
    -0x1.b7a8d58c46d8ep-1 -0x1.aaf00f557e05dp-1
    0x1.201d9ba6afa76p-2 0x1.7319f0ed876c3p-4
    0x1.2068b742772cep+0 -0x1.dcedf3b64cd8cp-4
    0x1.2068b742782d7p+0 -0x1.dcedf3b66774ap-4
    -0x1.15a44ff475cd5p+0 -0x1.0abfe6ac6f764p-1
    -0x1.15a44ff475a83p+0 -0x1.0abfe6ac6f983p-1
    0x1.a9605f2934b10p-2 -0x1.2d3fead28e954p+0""".strip().splitlines()])  # fmt: skip
WEIGHTS = np.array([0.12520989, 0.17634574, 0.05387016, 0.17634574, -0.17634574, -0.10021952, -0.17634574, -0.01531748])


def test_the_best_vertex_is_kept_before_any_value_is_known():
    """Where lines nearly coincide, the test for a local maximum fails, and only the vertex's value speaks for it."""
    Z = np.column_stack([NEAR, np.ones(8)])
    vertex = np.linalg.svd(Z[[0, 2]])[2][-1]  # orthogonal to both points
    value = abs(float(np.abs(Z @ vertex) @ WEIGHTS))
    assert ArrangementOracle(Z, mm.Feature("absolute", 1, 1.0, 1.0))(WEIGHTS).bound >= value > 0.122
