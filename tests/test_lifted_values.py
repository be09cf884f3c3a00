"""Lifted proofs against their identity, in integers, and what their repairs cost."""

from __future__ import annotations

import numpy as np
import pytest

from maxmargin.errors import InputError
from maxmargin.features import RELU, SQUARED_RELU, Feature
from maxmargin.oracles.lifted import inequality as lifted
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


@pytest.mark.parametrize("lacking", [1e-2, 1e-4, 1e-6])
def test_a_leaf_that_lacks_little_pays_little(lacking):
    """The value 5 makes S semidefinite; what a smaller one lacks is paid, times at most the budget of the shift."""
    Z = np.array([[3.0, 4.0]])
    forms, c = leaf_forms(Z, ()), 0.2
    payoff = payoff_weights(forms, RELU, np.ones(1))
    pairs = np.array([[0.0, -0.5 * c], [-0.5 * c, 0.0]])
    leaf = {"value": 5.0 - lacking, "rho": 2.5, "mu": np.zeros(2), "omega": np.zeros((2, 2)), "pairs": pairs}
    assert 5.0 <= lifted.leaf_bound(Z, forms, 1, payoff, leaf) <= 5.0 + 40.0 * lacking


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
    assert ratios == pytest.approx(1.0, rel=1e-11, abs=0.0) or ratios == pytest.approx(1.5, rel=1e-11, abs=0.0)
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


def test_leaves_may_have_many_forms():
    forms = leaf_forms(np.ones((150, 2)), ())
    assert len(lifted.unpack(leaf_of(300, 2), forms, 2)["mu"]) == 300


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
    assert left_out == pytest.approx(1.0, rel=1e-12, abs=0.0)
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
