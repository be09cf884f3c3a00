"""The lifted and the spectral proofs against their identities, in integers, and what a repair may cost."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from maxmargin.errors import InputError
from maxmargin.features import RELU, SQUARED_RELU, Feature
from maxmargin.oracles import spectral
from maxmargin.oracles.lifted import inequality as lifted
from maxmargin.oracles.lifted import repair
from maxmargin.oracles.lifted.inequality import Split, leaf_forms, payoff_weights
from maxmargin.rounding import above, relative_error

TILTED, BOWL = Feature("tilted", 1, 2.0, -3.0), Feature("bowl", 2, 2.0, -3.0)
U = 2.0**-53


def small(rng, *shape):
    return rng.integers(-4, 5, size=shape).astype(float)


def game(seed, path=True):
    """Integer points (N, D), weights, and a path with a split on point 1, on a normal, and on point 2."""
    rng = np.random.default_rng(seed)
    N, D = 4, 3
    Z, q = small(rng, N, D), small(rng, N)
    splits = (Split(1, Z[1], -1), Split(None, small(rng, D), 1), Split(2, Z[2], 1)) if path else ()
    return rng, Z, q, splits


def random_leaf(rng, forms, D):
    K = len(forms.L)
    pairs = small(rng, K, K)
    return {
        "value": float(rng.integers(-5, 6)),
        "rho": float(rng.integers(-5, 6)),
        "mu": small(rng, K),
        "omega": small(rng, K, D),
        "pairs": pairs + pairs.T,
    }


@pytest.mark.parametrize("path", [False, True])
def test_forms_are_the_documented_ones(path):
    rng, Z, _, splits = game(3, path)
    forms = leaf_forms(Z, splits)
    free = [i for i in range(4) if i not in [s.point for s in splits]]
    assert forms.free.tolist() == free
    F, P = len(free), len(splits)
    assert forms.L.shape == (P + 2 * F, 1 + 3 + F)
    for _ in range(5):
        v = small(rng, 4 + F)
        a, h = v[1:4], v[4:]
        expected = (
            [s.side * (s.normal @ a) for s in splits]
            + h.tolist()
            + [x - Z[i] @ a for x, i in zip(h, free, strict=True)]
        )
        assert (forms.L @ v).tolist() == expected
    for i in range(4):
        if i in free:
            k = free.index(i)
            assert (forms.right[i], forms.left[i]) == (P + k, P + F + k)
    if path:
        assert (forms.right[1], forms.left[1]) == (-1, 0) and (forms.right[2], forms.left[2]) == (2, -1)
    k, l = forms.complementary
    assert k.tolist() == [P + i for i in range(F)] and l.tolist() == [P + F + i for i in range(F)]


@pytest.mark.parametrize("path", [False, True])
@pytest.mark.parametrize("feature", [RELU, SQUARED_RELU, TILTED, BOWL], ids=lambda f: f.name)
@pytest.mark.parametrize("seed", range(4))
def test_the_slack_matrix_is_that_of_the_identity(feature, path, seed):
    """v'Sv term by term at random v: all numbers are small integers, so that floats are exact."""
    rng, Z, q, splits = game(seed, path)
    forms = leaf_forms(Z, splits)
    leaf = random_leaf(rng, forms, 3)
    payoff = -payoff_weights(forms, feature, q)
    S, error = lifted.slack_matrix(forms, feature.degree, payoff, leaf)
    assert np.array_equal(S, S.T)
    size = np.zeros_like(S)

    def form_of(index, v):
        return 0.0 if index < 0 else float(forms.L[index] @ v)

    for _ in range(4):
        v = small(rng, len(S))
        r, a, l = v[0], v[1:4], forms.L @ v
        total = leaf["value"] * r * r - leaf["rho"] * (r * r - a @ a)
        for i in range(4):
            P, M = form_of(forms.right[i], v), form_of(forms.left[i], v)
            right, left = feature.right, feature.left
            phi = r * (right * P + left * M) if feature.degree == 1 else right * P * P + left * M * M
            total += q[i] * phi  # the sign is -1
        total -= sum(leaf["mu"] * r * l - (leaf["omega"] @ a) * l)
        total -= l @ leaf["pairs"] @ l
        assert v @ S @ v == total
    L = np.abs(forms.L)
    outer = np.zeros_like(S)
    outer[0, 0] = 1.0
    row, N = leaf["mu"] + (payoff if feature.degree == 1 else 0.0), leaf["pairs"].copy()
    extra = np.abs(payoff)
    if feature.degree == 2:
        N = N + np.diag(payoff)
    sizes = (
        np.abs(row) + (extra if feature.degree == 1 else 0.0),
        np.abs(N) + (np.diag(extra) if feature.degree == 2 else 0.0),
    )
    size[0] += 0.5 * (sizes[0] @ L)
    size[:, 0] += 0.5 * (sizes[0] @ L)
    cross = 0.5 * np.abs(leaf["omega"]).T @ L
    size[1:4] += cross
    size[:, 1:4] += cross.T
    size += L.T @ sizes[1] @ L
    size[0, 0] += abs(leaf["value"]) + abs(leaf["rho"])
    size[range(1, 4), range(1, 4)] += abs(leaf["rho"])
    np.testing.assert_allclose(error, relative_error(4 * len(forms.L) + 16) * size, rtol=1e-13)


def test_payoffs_of_free_and_fixed_points():
    rng, Z, q, splits = game(1)
    q[:] = 1.0, 2.0, 3.0, 4.0
    weights = payoff_weights(leaf_forms(Z, splits), TILTED, q)
    # point 1 on its negative side, point 2 on its positive side, 0 and 3 free; the normal pays nothing
    assert weights.tolist() == [2 * -3.0, 0.0, 3 * 2.0, 1 * 2.0, 4 * 2.0, 1 * -3.0, 4 * -3.0]
    twice = (Split(0, Z[0], 1), Split(0, Z[0], -1))  # the last split counts
    assert payoff_weights(leaf_forms(Z[:1], twice), TILTED, q[:1]).tolist() == [0.0, -3.0]


@pytest.mark.parametrize("M", [1, 3, 40])
def test_the_shift_of_a_semidefinite_proof(M):
    """Twice the error and Rump's gamma tr S: just above it is proved, just below it is not."""
    gamma = relative_error(M + 3)
    trace = float(M)
    for error in (0.0, 1e-6):
        needed = 2.0 * (error + gamma / (1.0 - gamma) * trace)
        S = np.eye(M)
        S[0, 0] = 0.0
        small_enough, large_enough = S.copy(), S.copy()
        rest = 2.0 * gamma / (1.0 - gamma) * (M - 1)
        base = 2.0 * error + rest
        small_enough[0, 0], large_enough[0, 0] = 0.5 * base, 2.0 * needed
        assert lifted.is_positive_semidefinite(large_enough, error)
        if base:
            assert not lifted.is_positive_semidefinite(small_enough, error)
            small_enough[0, 0] = 0.98 * base
            assert not lifted.is_positive_semidefinite(small_enough, error)
    assert not lifted.is_positive_semidefinite(-np.eye(M), 0.0)
    assert not lifted.is_positive_semidefinite(np.zeros((M, M)), 0.0)  # the last term, for underflow
    tiny = M * M * 1e-300
    assert lifted.is_positive_semidefinite(2.5 * tiny * np.eye(M), 0.0)
    assert not lifted.is_positive_semidefinite(0.9 * tiny * np.eye(M), 0.0)


@pytest.mark.parametrize("scale", [1.0, 2.0**-40, 2.0**40])
@pytest.mark.parametrize("value", [2.0, 5.0])
def test_a_leaf_that_is_semidefinite_keeps_its_value_in_any_unit(scale, value):
    """|z| (a.e)_+ <= |z| for one point: mu = omega = 0, pairs with which S is a sum of squares."""
    Z = scale * np.array([[3.0, 4.0]])
    forms = leaf_forms(Z, ())
    # t r^2 - r h - rho (r^2 - |a|^2) - N h h' with h h' = h (h - z.a), N = -c: c h^2 - c h z.a
    t, rho, c = value * 5.0 * scale, 2.5 * scale, 1.0 / (5.0 * scale)
    pairs = np.array([[0.0, -0.5 * c], [-0.5 * c, 0.0]])
    leaf = {"value": t, "rho": rho, "mu": np.zeros(2), "omega": np.zeros((2, 2)), "pairs": pairs}
    payoff = payoff_weights(forms, RELU, np.ones(1))
    assert lifted.leaf_bound(Z, forms, 1, payoff, leaf) == t


@pytest.mark.parametrize("scale", [1.0, 2.0**-30, 2.0**30])
def test_a_leaf_that_is_not_semidefinite_pays_the_shift(scale):
    """S = t - ... too small by a known amount: between that amount and 1.6 times the whole budget of the shift."""
    Z = scale * np.array([[3.0, 4.0]])
    forms = leaf_forms(Z, ())
    payoff = payoff_weights(forms, RELU, np.ones(1))
    for t in (0.0, 2.0 * scale, 4.0 * scale):
        c = 1.0 / (5.0 * scale)
        pairs = np.array([[0.0, -0.5 * c], [-0.5 * c, 0.0]])
        leaf = {"value": t, "rho": 2.5 * scale, "mu": np.zeros(2), "omega": np.zeros((2, 2)), "pairs": pairs}
        bound = lifted.leaf_bound(Z, forms, 1, payoff, leaf)
        assert 5.0 * scale <= bound <= 40.0 * scale
        S, _ = lifted.slack_matrix(forms, 1, payoff, leaf)
        e = np.array([1.0, 1.0, 1.0, 0.25 / scale]) if scale == 1.0 else None
        if e is not None:
            assert bound >= t and np.linalg.eigvalsh(S)[0] < 0


@pytest.mark.parametrize("seed", range(10))
def test_the_shift_is_what_the_smallest_eigenvalue_asks_for(seed):
    """In units in which e = 1: t + delta (1 + 1 + sum |z|^2), delta = -lambda_min and little more."""
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(3, 2))
    Z /= np.linalg.norm(Z, axis=1)[:, None]
    forms = leaf_forms(Z, ())
    payoff = payoff_weights(forms, RELU, np.array([0.5, -0.25, 0.25]))
    K = len(forms.L)
    leaf = {"value": 1.0, "rho": 0.5, "mu": np.zeros(K), "omega": np.zeros((K, 2)), "pairs": -0.01 * np.eye(K)}
    bound = lifted.leaf_bound(Z, forms, 1, payoff, leaf)
    S, error = lifted.slack_matrix(forms, 1, payoff, leaf)
    diagonal = np.abs(np.diag(S))
    e = np.exp2(np.round(0.5 * np.log2(np.maximum(diagonal, 1e-12 * diagonal.max()))))
    scaled = S / np.outer(e, e)
    least = np.linalg.eigvalsh(scaled)[0]
    assert least < 0
    squares = e * e
    budget = squares[0] + squares[1:3].max() + squares[3:].sum()
    delta = -least + 4.0 * np.linalg.norm(error / np.outer(e, e)) + 1e-13 * len(S)
    # the first shift suffices, or one that is half as large again
    ratios = (bound - 1.0) / (delta * budget)
    assert ratios == pytest.approx(1.0, rel=1e-11) or ratios == pytest.approx(1.5, rel=1e-11)
    assert bound >= above(1.0, -least * budget)


def proof_of(leaf, support, kind=lifted.KIND):
    trees = [{"sign": 1, "tree": leaf}, {"sign": -1, "tree": leaf}]
    return {"kind": kind, "version": 1, "support": support, "trees": trees}


def leaf_of(K, D, **changes):
    plain = {"value": 9.0, "rho": 1.0, "mu": [0.0] * K, "omega": [[0.0] * D] * K, "rows": [], "cols": [], "values": []}
    return plain | changes


def test_multipliers_are_brought_to_their_signs_and_cones():
    forms = leaf_forms(np.array([[3.0, 4.0], [1.0, 0.0]]), ())  # forms 0, 1: h; 2, 3: h'
    changes = {"rows": [0, 0, 1, 2], "cols": [1, 2, 1, 3], "values": [-5.0, -6.0, 7.0, 8.0]}
    leaf = leaf_of(4, 2, omega=[[3.0, 4.0], [0.0, 1.0], [0.0, 0.0], [6.0, 8.0]], mu=[5.5, 0.5, 2.0, -1.0], **changes)
    numbers = lifted.unpack(leaf, forms, 2)
    assert numbers["pairs"].tolist() == [[0, 0, -3, 0], [0, 7, 0, 0], [-3, 0, 0, 4], [0, 0, 4, 0]]
    lengths = 1.0 + relative_error(2 * 2 + 6)
    assert numbers["mu"].tolist() == [5.5, 1.0 * lengths, 2.0, 10.0 * lengths]
    assert numbers["value"] == 9.0 and numbers["rho"] == 1.0


@pytest.mark.parametrize(
    "changes",
    [
        {"mu": [0.0] * 3},
        {"mu": [0.0] * 5},
        {"omega": [[0.0] * 2] * 3},
        {"omega": [[0.0] * 2] * 5},
        {"rows": [1], "cols": [0], "values": [1.0]},
        {"rows": [0], "cols": [4], "values": [1.0]},
        {"rows": [-1], "cols": [0], "values": [1.0]},
    ],
    ids=str,
)
def test_leaves_of_another_shape_are_refused(changes):
    forms = leaf_forms(np.eye(2), ())
    with pytest.raises(InputError, match="^proof: a leaf of 4 forms has"):
        lifted.unpack(leaf_of(4, 2, **changes), forms, 2)
    lifted.unpack(leaf_of(4, 2, rows=[0], cols=[3], values=[1.0]), forms, 2)


def test_combinations_stand_for_their_sums():
    Z = np.array([[3.0, 4.0, 1.0], [1.0, 0.0, 2.0]])
    assert lifted.in_coordinates(leaf_of(4, 3), Z) == leaf_of(4, 3)
    leaf = {k: v for k, v in leaf_of(4, 3).items() if k != "omega"} | {
        "combinations": [[1, 2], [0, 0], [1, 0], [0, -1]]
    }
    omega = lifted.in_coordinates(leaf, Z)["omega"]
    assert omega.tolist() == [[5, 4, 5], [0, 0, 0], [3, 4, 1], [-1, 0, -2]]
    for wrong in ([[1, 2, 3]] * 4, [1, 2], [], "x"):
        with pytest.raises((InputError, ValueError)):
            lifted.in_coordinates(leaf | {"combinations": wrong}, Z)


def test_points_without_a_variable_add_their_most():
    Z, q = np.array([[3.0, 4.0], [5.0, 12.0], [0.0, 2.0], [8.0, 6.0]]), np.array([0.5, -0.25, 0.125, 0.0])
    for feature in (TILTED, BOWL):
        k = feature.degree
        found = lifted._left_out(Z, q, feature, np.array([0]))
        exact = 3.0 * (0.25 * 13**k + 0.125 * 2**k)
        assert found == pytest.approx(exact * (1 + relative_error(4 * 2 + 4 + 16)), rel=1e-16, abs=exact * U)
        assert found > exact
        assert lifted._left_out(Z, q, feature, np.array([0, 1, 2])) == 0.0
    assert lifted._left_out(Z, q, RELU, np.arange(4)) == 0.0


def test_the_bound_of_a_proof_is_the_largest_leaf_and_what_is_left_out():
    Z, y, p = np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([1.0, -1.0]), np.array([0.5, 0.5])
    support = [0]
    leaves = [leaf_of(2, 2, value=v, rho=v / 2) for v in (9.0, 11.0)]
    c = {"rows": [0], "cols": [1], "values": [-1.0]}
    leaves = [leaf | c for leaf in leaves]
    proof = proof_of(leaves[0], support)
    proof["trees"][1]["tree"] = leaves[1]
    left_out = lifted._left_out(Z, p * y, RELU, np.array([0]))
    assert left_out == pytest.approx(1.0, rel=1e-12)
    assert lifted.verify(Z, y, RELU, p, proof) == above(11.0, left_out)
    proof["trees"][0]["tree"], proof["trees"][1]["tree"] = leaves[1], leaves[0]
    assert lifted.verify(Z, y, RELU, p, proof) == above(11.0, left_out)
    assert lifted.verify(Z[:1], y[:1], RELU, p[:1], proof) == 11.0
    split = {"point": 0, "plus": leaf_of(1, 2, value=7.0, rho=3.0), "minus": leaf_of(1, 2, value=6.0, rho=3.0)}
    assert lifted.verify(Z[:1], y[:1], RELU, p[:1], proof_of(split, support)) == 7.0


@pytest.mark.parametrize("support", [[-1], [2], [1, 0], [0, 0], [0, 2]], ids=str)
def test_supports_that_are_none(support):
    with pytest.raises(InputError, match="^proof: support must be increasing"):
        lifted.verify(np.eye(2), np.ones(2), RELU, np.ones(2), proof_of(leaf_of(2 * len(support), 2), support))


def test_trees_of_other_signs_or_kinds_are_refused():
    good = proof_of(leaf_of(4, 2) | {"rows": [0, 1], "cols": [2, 3], "values": [-1.0, -1.0]}, [0, 1])
    lifted.verify(np.eye(2), np.ones(2), RELU, np.ones(2), good)
    for wrong in (
        good | {"kind": "a"},
        good | {"kind": "z"},
        good | {"trees": good["trees"][::-1]},
        good | {"trees": []},
    ):
        with pytest.raises(InputError, match="^proof: found kind"):
            lifted.verify(np.eye(2), np.ones(2), RELU, np.ones(2), wrong)


def test_leaves_are_walked_plus_first_with_their_paths():
    Z, support = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), np.array([0, 2])
    inner = {"normal": [2.0, 3.0], "plus": {"value": 2}, "minus": {"value": 3}}
    tree = {"point": 2, "plus": {"value": 1}, "minus": inner}
    found = lifted.walk(tree, Z, support)
    assert [leaf["value"] for _, leaf in found] == [1, 2, 3]
    assert [[(s.point, s.normal.tolist(), s.side) for s in path] for path, _ in found] == [
        [(1, [1.0, 1.0], 1)],
        [(1, [1.0, 1.0], -1), (None, [2.0, 3.0], 1)],
        [(1, [1.0, 1.0], -1), (None, [2.0, 3.0], -1)],
    ]
    for point in (1, 3, -1):
        with pytest.raises(InputError, match="not in the support"):
            lifted.walk(tree | {"point": point}, Z, support)


# ---- repair


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
        assert x == pytest.approx(best.x, rel=1e-5) or x == pytest.approx(least, rel=1e-9)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("feature", [RELU, TILTED], ids=lambda f: f.name)
def test_a_repaired_leaf_is_a_proof_and_the_best_of_its_family(seed, feature):
    """Its value is proved as it stands; a nested search for the two lifts finds none that is better by 1e-3."""
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(4, 3))
    Z /= np.linalg.norm(Z, axis=1)[:, None]
    forms = leaf_forms(Z, ())
    K = len(forms.L)
    payoff = payoff_weights(forms, feature, rng.normal(size=4))
    pairs = np.abs(rng.normal(size=(K, K)))
    k, l = forms.complementary
    pairs[k, l] = pairs[l, k] = rng.normal(size=len(k))
    leaf = {"rho": 0.0, "mu": np.zeros(K), "omega": np.zeros((K, 3)), "pairs": 0.05 * (pairs + pairs.T)}
    fixed = repair.repair(Z, forms, 1, payoff, leaf)
    assert lifted.leaf_bound(Z, forms, 1, payoff, fixed) == fixed["value"]
    best = best_lift(Z, forms, payoff, leaf)
    assert best * (1 - 1e-6) <= fixed["value"] <= best * (1 + 1e-3)


def best_lift(Z, forms, payoff, leaf):
    """The least t over delta and kappa: rho + b'R^{-1}b, R lifted by both."""
    S, _ = lifted.slack_matrix(forms, 1, payoff, {**leaf, "value": 0.0})
    floor = max(0.0, -np.linalg.eigvalsh(S[4:, 4:])[0])
    search = {"method": "bounded", "options": {"xatol": 1e-6}}

    def at(delta):
        R = S[1:, 1:].copy()
        R[3:, 3:] += delta * np.eye(len(Z))
        R[:3, :3] -= delta * Z.T @ Z
        low = -np.linalg.eigvalsh(R[:3, :3] - R[:3, 3:] @ np.linalg.solve(R[3:, 3:], R[3:, :3]))[0]

        def value(t):
            kappa = low + math.exp(t)
            full = R.copy()
            full[:3, :3] += kappa * np.eye(3)
            return kappa - S[0, 0] + S[0, 1:] @ np.linalg.solve(full, S[1:, 0])

        return minimize_scalar(value, bounds=(-16.0, 4.0), **search).fun

    return minimize_scalar(lambda t: at(floor + math.exp(t)), bounds=(-10.0, 4.0), **search).fun


# ---- spectral


@pytest.mark.parametrize("feature", [RELU, SQUARED_RELU, TILTED, BOWL], ids=lambda f: f.name)
@pytest.mark.parametrize("sign", [1, -1])
def test_curvatures_are_those_of_the_docstring(feature, sign):
    Z, q = np.array([[3.0, 4.0], [0.0, 2.0], [1.0, 0.0]]), np.array([0.5, -0.25, 1.0])
    beta = np.array([2.0, 4.0, 8.0])
    found = spectral._curvatures(Z, q, feature, sign, beta)
    for value, z, w, b in zip(found, Z, q, beta, strict=True):
        if feature.degree == 2:
            assert value == max(sign * w * feature.right, sign * w * feature.left)
        else:
            c = sign * w * (feature.right + feature.left)
            assert value == (0.25 * c / b if c > 0 else 0.5 * c / np.linalg.norm(z))
    H = spectral._quadratic(Z, q, feature, sign, beta)
    assert np.array_equal(H, H.T)
    np.testing.assert_allclose(H, sum(v * np.outer(z, z) for v, z in zip(found, Z, strict=True)), rtol=1e-14)
    linear = spectral._linear(Z, q, feature, sign)
    np.testing.assert_allclose(linear, sign * (feature.right - feature.left) / 2 * (q @ Z), rtol=1e-15)


@pytest.mark.parametrize("feature", [RELU, TILTED, SQUARED_RELU, BOWL], ids=lambda f: f.name)
def test_a_spectral_leaf_that_is_proved_keeps_its_value_and_others_pay_twice_the_shift(feature):
    """S of the docstring: its smallest eigenvalue decides; the bound is t + 2 delta, delta = -lambda_min and rounding."""
    rng = np.random.default_rng(1)
    Z, q = rng.normal(size=(5, 3)), rng.normal(size=5)
    rows = np.arange(5)
    for sign in (1, -1):
        beta = rng.exponential(size=5) + 0.1
        H, m = spectral._quadratic(Z, q, feature, sign, beta), np.zeros(3)
        part, slopes = 0.0, feature.right + feature.left
        if feature.degree == 1:
            m = 0.5 * spectral._linear(Z, q, feature, sign)
            gains = np.maximum(sign * slopes * q, 0.0)
            part = sum(0.25 * gain * b for gain, b in zip(gains, beta, strict=True))
        for shift in (2.0, -0.5):
            rho = float(np.linalg.eigvalsh(H)[-1]) + shift
            value = rho + part + (1.0 if shift > 0 else -0.25)
            if shift > 0 and feature.degree == 1:
                value = rho + part + float(m @ np.linalg.solve(rho * np.eye(3) - H, m)) + 1e-6
            leaf = {"sign": sign, "value": value, "rho": rho, "beta": beta.tolist() if feature.degree == 1 else []}
            stated = value if feature.degree == 1 else rho
            S = np.zeros((4, 4))
            S[0, 0] = stated - rho - part
            S[0, 1:] = S[1:, 0] = -m
            S[1:, 1:] = rho * np.eye(3) - H
            S = S if feature.degree == 1 else S[1:, 1:]
            least = float(np.linalg.eigvalsh(S)[0])
            found = spectral._leaf_bound(Z, q, feature, leaf, rows)
            if least > 1e-9:
                assert found == stated
            elif least < -1e-9:
                ratio = (found - stated) / (-(3.0 - feature.degree) * least)  # |(1, a)|^2 = 2, |a|^2 = 1
                assert 1.0 <= ratio <= 1.0 + 1e-11 or ratio == pytest.approx(1.5, rel=1e-11)


def test_the_error_of_a_spectral_leaf_counts_every_term():
    """A matrix that is singular up to its terms' rounding is not proved: 1e-13 of them is refused, 1e-11 is enough."""
    Z, q = np.array([[3.0, 4.0], [4.0, -3.0]]), np.array([1.0, 1.0])
    rho = 25.0
    for excess, kept in ((1e-15, False), (1e-11, True)):
        leaf = {"sign": 1, "value": rho * (1 + excess), "rho": rho * (1 + excess), "beta": []}
        bound = spectral._leaf_bound(Z, q, SQUARED_RELU, leaf, np.arange(2))
        assert (bound == leaf["rho"]) is kept and bound >= 25.0


def test_spectral_proofs_of_another_kind():
    good = {
        "kind": "spectral",
        "version": 1,
        "signs": [{"sign": s, "value": 9.0, "rho": 5.0, "beta": [1.0]} for s in (1, -1)],
    }
    Z, one = np.array([[1.0, 1.0]]), np.ones(1)
    assert spectral.verify(Z, one, RELU, one, good) == 9.0
    for wrong in (good | {"kind": "a"}, good | {"kind": "z"}, good | {"signs": good["signs"][::-1]}):
        with pytest.raises(InputError, match="^proof: found kind"):
            spectral.verify(Z, one, RELU, one, wrong)
    for beta in (0.0, -1.0):
        bad = [leaf | {"beta": [beta]} for leaf in good["signs"]]
        with pytest.raises(InputError, match="^proof: beta must be positive"):
            spectral.verify(Z, one, RELU, one, good | {"signs": bad})
    assert spectral.verify(0.0 * Z, one, RELU, one, good) == 0.0 == spectral.verify(Z, one, RELU, 0.0 * one, good)
    larger = [leaf | {"value": v} for leaf, v in zip(good["signs"], (7.0, 8.0), strict=True)]
    assert spectral.verify(Z, one, RELU, one, good | {"signs": larger}) == 8.0
    assert spectral.verify(Z, one, RELU, one, good | {"signs": [larger[0] | {"value": 8.5}, larger[1]]}) == 8.5


@pytest.mark.parametrize("seed", range(6))
def test_the_trust_region_problem(seed):
    """Stationary: 2 H a + m = 2 rho a with rho above all eigenvalues; the value is that of a, and never below."""
    rng = np.random.default_rng(seed)
    H, m = rng.normal(size=(4, 4)), rng.normal(size=4)
    H = 0.5 * (H + H.T)
    if seed == 5:
        m = 0.0 * m  # the top eigenvector
    if seed == 4:
        values, vectors = np.linalg.eigh(H)
        m = 1e-3 * vectors[:, 0]  # the hard case
    a, value, rho = spectral._trust_region(H, m)
    assert np.linalg.norm(a) == pytest.approx(1.0, rel=1e-14)
    assert m @ a + a @ H @ a == pytest.approx(value, rel=1e-7)
    assert value >= (m @ a + a @ H @ a) * (1 - 1e-14) if value > 0 else True
    assert rho >= np.linalg.eigvalsh(H)[-1] - 1e-12
    np.testing.assert_allclose(2 * H @ a + m, 2 * rho * a, atol=1e-6)
    A = rng.normal(size=(4000, 4))
    A /= np.linalg.norm(A, axis=1)[:, None]
    assert (A @ m + np.einsum("ki,ij,kj->k", A, H, A)).max() <= value + 1e-12


@pytest.mark.parametrize("feature", [RELU, TILTED, SQUARED_RELU, BOWL], ids=lambda f: f.name)
def test_spectral_answers(feature):
    rng = np.random.default_rng(4)
    Z, q = rng.normal(size=(7, 3)), rng.normal(size=7)
    q[2] = 0.0
    Z[3] = 0.0
    found = spectral.SpectralOracle(Z, feature)(q, 3)
    assert found.bound == spectral.verify(Z, np.ones(7), feature, q, found.proof) and found.scope == "sphere-bound"
    assert len(found.values) <= 3 and (np.diff(found.values) <= 0).all()
    np.testing.assert_allclose(found.values, found.signs * (feature.evaluate(found.directions, Z) @ q), rtol=1e-13)
    np.testing.assert_allclose(np.linalg.norm(found.directions, axis=1), 1.0, rtol=1e-14)
    for leaf in found.proof["signs"]:
        kept = (q != 0.0) & Z.any(axis=1)
        alone = spectral._leaf_bound(Z[kept], q[kept], feature, leaf, np.arange(7)[kept])
        assert alone == pytest.approx(leaf["value"], rel=1e-9)
    if feature.degree == 1:
        one = spectral.SpectralOracle(Z, feature, rounds=1)(q).bound
        many = spectral.SpectralOracle(Z, feature, rounds=40)(q).bound
        assert many <= found.bound * (1 + 1e-9) <= one * (1 + 2e-9) and found.bound <= many * 1.02
        # beta_i = |z_i| / D^(1/2) in the first round
        assert spectral.SpectralOracle(Z, feature, rounds=1)(q).proof["signs"][0]["beta"][0] == pytest.approx(
            np.linalg.norm(Z[0]) / np.sqrt(3), rel=1e-14
        )


def test_outward_leaves_room_for_the_test():
    assert spectral._outward(1.0, 2.0) == 1.0 + 2e-11 and Fraction(spectral._outward(0.0, 1.0)) > 0


@pytest.mark.parametrize("feature", [RELU, TILTED, SQUARED_RELU, BOWL], ids=lambda f: f.name)
@pytest.mark.parametrize("sign", [1, -1])
def test_the_rough_leaf_is_proved_as_it_stands(feature, sign):
    rng = np.random.default_rng(6)
    Z, q = rng.normal(size=(30, 12)), rng.normal(size=30)
    oracle = spectral.SpectralOracle(Z, feature)
    leaf, visited = oracle._rough_leaf(Z, q, sign)
    assert leaf["sign"] == sign
    assert spectral._leaf_bound(Z, q, feature, leaf, np.arange(30)) == leaf["value"]
    H = spectral._quadratic(Z, q, feature, sign, np.linalg.norm(Z, axis=1) / np.sqrt(12))
    top = max(np.linalg.eigvalsh(H)[-1], 0.0) + 2e-3 * np.linalg.norm(H)
    if feature.degree == 2:
        assert (
            leaf["value"] == leaf["rho"] == pytest.approx(top, rel=2e-3) and visited.tolist() == np.eye(1, 12).tolist()
        )
        return
    m = spectral._linear(Z, q, feature, sign)
    part = 0.25 * np.maximum(sign * (feature.right + feature.left) * q, 0.0) @ (np.linalg.norm(Z, axis=1) / np.sqrt(12))
    assert leaf["value"] == pytest.approx(top + np.linalg.norm(m) + part, rel=2e-3)
    assert leaf["rho"] == pytest.approx(top + 0.5 * np.linalg.norm(m), rel=2e-3)
    assert leaf["beta"] == pytest.approx(np.linalg.norm(Z, axis=1) / np.sqrt(12), rel=1e-14)
    np.testing.assert_allclose(visited, [m / np.linalg.norm(m), -m / np.linalg.norm(m)], rtol=1e-14)
