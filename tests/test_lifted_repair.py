"""From approximate multipliers to a leaf: units, digits, and the cheapest lift that makes it a proof."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from test_lifted_values import TILTED, random_leaf, small

from maxmargin.features import RELU
from maxmargin.oracles.lifted import inequality as lifted
from maxmargin.oracles.lifted import repair
from maxmargin.oracles.lifted.inequality import Split, leaf_forms, payoff_weights


def test_multipliers_in_the_units_of_the_data():
    """Forms of unit points grow by |z_i|, payoffs by the scale: S is the same but for both."""
    rng = np.random.default_rng(5)
    lengths, scale = np.array([2.0, 0.5, 4.0, 8.0]), 16.0
    units = small(rng, 4, 3)
    for splits in ((), (Split(1, units[1], -1), Split(None, small(rng, 3), 1))):
        forms = leaf_forms(units, splits)
        leaf = random_leaf(rng, forms, 3)
        large = tuple(s if s.point is None else Split(s.point, lengths[s.point] * s.normal, s.side) for s in splits)
        grown = leaf_forms(lengths[:, None] * units, large)
        again = repair.rescale(leaf, grown, lengths, scale)
        stretch = np.r_[np.ones(4), lengths[forms.free]]
        q = small(rng, 4)
        for k in (1, 2):
            payoff = payoff_weights(forms, TILTED, q)
            S, _ = lifted.slack_matrix(forms, k, payoff, leaf)
            size = np.ones(len(forms.L))
            for index in (forms.right, forms.left):
                size[index[index >= 0]] = lengths[index >= 0]
            both = again | {"value": scale * leaf["value"]}
            T, _ = lifted.slack_matrix(grown, k, scale * payoff / size**k, both)
            np.testing.assert_allclose(T * np.outer(stretch, stretch), scale * S, atol=1e-12 * np.abs(scale * S).max())


def test_multipliers_of_seven_digits_stay_in_their_cones():
    forms = leaf_forms(np.array([[3.0, 4.0], [1.0, 0.0]]), ())
    pairs = np.zeros((4, 4))
    pairs[0, 2] = pairs[2, 0] = -1.23456789e-12  # of any sign and size: h h' = 0
    pairs[0, 1] = pairs[1, 0] = -0.5  # of the wrong sign
    pairs[1, 1], pairs[3, 3], pairs[2, 2] = 123.456789, 1.3e-5, 1.2e-5  # 1e-7 of the largest is 1.23e-5
    omega = np.array([[3.000000049, 4.0], [0.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    leaf = {"rho": 0.123456789, "mu": np.array([1.0, 2.0000000499, 3.0, 0.0]), "omega": omega, "pairs": pairs}
    cut = repair.truncate(leaf, forms)
    assert cut["rho"] == 0.123456789
    assert cut["mu"].tolist() == [5.0 * (1 + 1e-14), 2.0, 3.0, 0.0]
    assert cut["omega"].tolist() == [[3.0, 4.0], [0.0, 0.0], [1.0, 0.0], [0.0, 0.0]]
    expected = np.zeros((4, 4))
    expected[0, 2] = expected[2, 0] = -1.234568e-12
    expected[1, 1], expected[3, 3] = 123.4568, 1.3e-5
    np.testing.assert_allclose(cut["pairs"], expected, rtol=1e-12, atol=0.0)


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        (1.23456789, 1.234568),
        (-9.99999999, -10.0),
        (0.0, 0.0),
        (1.23456749e-12, 1.234567e-12),
        (1e8, 1e8),
        (7e20, 7e20),
    ],
)
def test_seven_significant_digits(value, rounded):
    assert repair._significant(np.array([value]))[0] == pytest.approx(rounded, rel=1e-14, abs=0.0)
    assert repair.DIGITS == 7


def test_a_packed_leaf_is_read_back():
    rng = np.random.default_rng(2)
    forms = leaf_forms(small(rng, 3, 2), ())
    K = len(forms.L)
    pairs = np.abs(small(rng, K, K)) + 1.0
    leaf = {
        "value": 2.0,
        "rho": 3.0,
        "mu": np.full(K, 9.0),
        "omega": small(rng, K, 2),
        "pairs": 0.5 * (pairs + pairs.T),
    }
    packed = repair.pack(leaf)
    back = lifted.unpack(packed, forms, 2)
    assert all(np.array_equal(back[key], leaf[key]) for key in leaf)
    assert packed["rows"] <= packed["cols"] and all(k <= l for k, l in zip(packed["rows"], packed["cols"], strict=True))


@pytest.mark.parametrize("seed", range(6))
def test_the_secular_equation(seed):
    """x + sum s_j / (g_j + x) over x >= least, by a search of another kind."""
    rng = np.random.default_rng(seed)
    gaps, square = np.sort(rng.exponential(size=(3, 4)), axis=1), rng.exponential(size=(3, 4))
    gaps -= gaps[:, :1]
    least = 1e-3
    square[2] *= 1e-8  # the minimum is at the border
    found = repair._secular(gaps, square, least)
    for x, g, s in zip(found, gaps, square, strict=True):

        def f(t, g=g, s=s):
            return t + (s / (g + t)).sum()

        best = minimize_scalar(f, bounds=(least, least + 10.0), method="bounded", options={"xatol": 1e-12})
        assert f(x) <= best.fun * (1 + 1e-9) and x >= least
        assert x == pytest.approx(best.x, rel=1e-5, abs=0.0) or x == pytest.approx(least, rel=1e-9, abs=0.0)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("feature", [RELU, TILTED], ids=lambda f: f.name)
def test_a_repaired_leaf_is_a_proof_and_the_best_of_its_family(seed, feature):
    """Its value is proved as it stands; a nested search for the two lifts finds none that is better by 1e-3."""
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(4, 3))
    lengths = rng.uniform(0.2, 3.0, size=(4, 1))
    Z *= lengths / np.linalg.norm(Z, axis=1)[:, None]
    forms = leaf_forms(Z, ())
    K = len(forms.L)
    payoff = payoff_weights(forms, feature, rng.normal(size=4))
    pairs = np.abs(rng.normal(size=(K, K)))
    k, l = forms.complementary
    pairs[k, l] = pairs[l, k] = rng.normal(size=len(k))
    both = np.tile(lengths[:, 0], 2)
    scaled = 0.05 * (pairs + pairs.T) / np.outer(both, both)
    leaf = {"rho": 0.0, "mu": np.zeros(K), "omega": np.zeros((K, 3)), "pairs": scaled}
    fixed = repair.repair(Z, forms, 1, payoff, leaf)
    assert lifted.leaf_bound(Z, forms, 1, payoff, fixed) == fixed["value"]
    best = best_lift(Z, forms, payoff, leaf)
    assert best * (1 - 1e-6) <= fixed["value"] <= best * (1 + 1e-3)


@pytest.mark.parametrize("size", [2.0**-40, 2.0**-10, 2.0**30])
@pytest.mark.parametrize("free", [4, 0])
def test_a_repair_does_not_depend_on_the_unit_of_the_payoff(size, free):
    """Every multiplier times a power of two: the same leaf in another unit, and its value with it."""
    rng = np.random.default_rng(9)
    Z = rng.normal(size=(4, 3))
    path = () if free else tuple(Split(i, Z[i], 1) for i in range(4))
    forms = leaf_forms(Z, path)
    K = len(forms.L)
    payoff, pairs, mu = payoff_weights(forms, RELU, rng.normal(size=4)), np.abs(rng.normal(size=(K, K))), rng.random(K)
    values = []
    for unit in (1.0, size):
        leaf = {"rho": 0.0, "mu": unit * mu, "omega": np.zeros((K, 3)), "pairs": 0.05 * unit * (pairs + pairs.T)}
        fixed = repair.repair(Z, forms, 1, unit * payoff, leaf)
        assert lifted.leaf_bound(Z, forms, 1, unit * payoff, fixed) == fixed["value"]
        values.append(fixed["value"] / unit)
    assert values[1] == pytest.approx(values[0], rel=1e-6, abs=0.0)


def best_lift(Z, forms, payoff, leaf):
    """The least t over delta and kappa: rho + b'R^{-1}b, R lifted by both."""
    S, _ = lifted.slack_matrix(forms, 1, payoff, {**leaf, "value": 0.0})
    nu = 1.0 / (Z * Z).sum(axis=1)
    floor = max(0.0, -np.linalg.eigvalsh(S[4:, 4:] / np.sqrt(np.outer(nu, nu)))[0])
    search = {"method": "bounded", "options": {"xatol": 1e-6}}

    def at(delta):
        R = S[1:, 1:].copy()
        R[3:, 3:] += delta * np.diag(nu)
        R[:3, :3] -= delta * (Z.T * nu) @ Z
        low = -np.linalg.eigvalsh(R[:3, :3] - R[:3, 3:] @ np.linalg.solve(R[3:, 3:], R[3:, :3]))[0]

        def value(t):
            kappa = low + math.exp(t)
            full = R.copy()
            full[:3, :3] += kappa * np.eye(3)
            return kappa - S[0, 0] + S[0, 1:] @ np.linalg.solve(full, S[1:, 0])

        return minimize_scalar(value, bounds=(-16.0, 4.0), **search).fun

    return minimize_scalar(lambda t: at(floor + math.exp(t)), bounds=(-10.0, 4.0), **search).fun
