"""Lifted proofs are valid for whatever numbers they hold: no solver has to be believed."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

from maxmargin.errors import InputError
from maxmargin.features import RELU, SQUARED_RELU, Feature
from maxmargin.oracles.lifted.inequality import Split, leaf_forms, verify, walk
from maxmargin.oracles.lifted.root import lifted_bound

LEAKY = Feature("test-leaky", 1, 1.0, -0.1)
ABSOLUTE = Feature("test-absolute", 1, 1.0, 1.0)
UNEVEN_SQUARE = Feature("test-uneven-square", 2, 1.0, -0.5)
FEATURES = (RELU, SQUARED_RELU, LEAKY, ABSOLUTE, UNEVEN_SQUARE)


def sphere(D, rng, count=4000):
    if D == 2:
        angles = np.linspace(0.0, 2.0 * np.pi, count)
        return np.column_stack([np.cos(angles), np.sin(angles)])
    A = rng.standard_normal((count, D))
    return A / np.linalg.norm(A, axis=1)[:, None]


def largest_payoff(Z, q, feature, rng):
    """Maximum over a grid of directions: never above the true maximum."""
    return float(np.abs(feature.evaluate(sphere(Z.shape[1], rng), Z) @ q).max())


def random_game(rng, largest_D=3):
    n, D = int(rng.integers(1, 7)), int(rng.integers(2, largest_D + 1))
    Z, y = rng.standard_normal((n, D)), rng.choice([-1.0, 1.0], n)
    return Z, y, rng.dirichlet(np.ones(n))


def garbage_leaf(rng, K, D):
    rows, cols = np.triu_indices(K)
    kept = rng.random(len(rows)) < 0.5
    return {
        "value": float(rng.normal()),
        "rho": float(rng.normal()),
        "mu": rng.normal(size=K).tolist(),
        "omega": rng.normal(size=(K, D)).tolist(),
        "rows": rows[kept].tolist(),
        "cols": cols[kept].tolist(),
        "values": rng.normal(size=int(kept.sum())).tolist(),
    }


def garbage_tree(rng, Z, support, depth, path=()):
    """A random tree over the support, with splits on points and on arbitrary normals, and random leaves."""
    if depth == 0:
        forms = leaf_forms(Z[support], path)
        return garbage_leaf(rng, len(forms.L), Z.shape[1])
    if rng.random() < 0.5:
        row = int(rng.integers(len(support)))
        node, point, normal = {"point": int(support[row])}, row, Z[support[row]]
    else:
        normal = rng.normal(size=Z.shape[1])
        node, point = {"normal": normal.tolist()}, None
    for side, child in ((1, "plus"), (-1, "minus")):
        node[child] = garbage_tree(rng, Z, support, depth - 1, (*path, Split(point, normal, side)))
    return node


@pytest.mark.parametrize("feature", FEATURES, ids=lambda f: f.name)
def test_any_multipliers_give_a_valid_bound(feature):
    """verify >= max over a grid for proofs that are pure noise, trees included."""
    rng = np.random.default_rng(7)
    for _ in range(40):
        Z, y, p = random_game(rng)
        support = np.flatnonzero(rng.random(len(Z)) < 0.8)
        trees = [
            {"sign": s, "tree": garbage_tree(rng, Z, support, int(rng.integers(3)) if len(support) else 0)}
            for s in (1, -1)
        ]
        proof = {"kind": "lifted-relaxation", "version": 1, "support": support.tolist(), "trees": trees}
        assert verify(Z, y, feature, p, proof) >= largest_payoff(Z, p * y, feature, rng)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda f: f.name)
def test_bound_covers_its_own_adversary_and_survives_json(feature):
    rng = np.random.default_rng(11)
    for _ in range(12):
        Z, y, _ = random_game(rng)
        result = lifted_bound(Z, y, feature, iterations=300)
        assert result.bound >= largest_payoff(Z, result.adversary * y, feature, rng)
        assert abs(result.adversary.sum() - 1.0) < 1e-12
        if result.proof["kind"] == "lifted-relaxation":
            reread = json.loads(json.dumps(result.proof))
            assert verify(Z, y, feature, result.adversary, reread) == result.bound


def test_corrupted_numbers_change_the_bound():
    """Lowering the value, or raising one product's multiplier, is paid for by the shift that S then needs."""
    rng = np.random.default_rng(3)
    Z, y = rng.standard_normal((5, 3)), np.array([1.0, -1.0, 1.0, -1.0, 1.0])
    result = lifted_bound(Z, y, RELU, iterations=1000)
    leaf = result.proof["trees"][0]["tree"]
    truth = largest_payoff(Z, result.adversary * y, RELU, rng)
    for key in ("value", "rho"):
        broken = copy.deepcopy(result.proof)
        broken["trees"][0]["tree"][key] = 0.5 * leaf[key]
        assert verify(Z, y, RELU, result.adversary, broken) > truth
        assert verify(Z, y, RELU, result.adversary, broken) != result.bound
    broken = copy.deepcopy(result.proof)
    broken["trees"][0]["tree"]["values"] = [2.0 * v for v in leaf["values"]]
    assert verify(Z, y, RELU, result.adversary, broken) != result.bound


def test_leaves_partition_the_sphere():
    """Every direction satisfies the splits of exactly one leaf (generic directions)."""
    rng = np.random.default_rng(5)
    Z = rng.standard_normal((6, 4))
    support = np.arange(6)
    leaves = walk(garbage_tree(rng, Z, support, 4), Z, support)
    A = sphere(4, rng, 500)
    inside = [np.all([s.side * (A @ s.normal) >= 0 for s in path], axis=0) for path, _ in leaves]
    assert (np.sum(inside, axis=0) == 1).all()


def test_malformed_proofs_are_refused():
    Z, y, p = np.eye(2), np.array([1.0, -1.0]), np.array([0.5, 0.5])
    with pytest.raises(InputError, match="kind"):
        verify(Z, y, RELU, p, {"kind": "other", "trees": []})
    leaf = {"value": 1.0, "rho": 0.0, "mu": [], "omega": [], "rows": [], "cols": [], "values": []}
    trees = [{"sign": 1, "tree": leaf}, {"sign": -1, "tree": leaf}]
    with pytest.raises(InputError, match="leaf of 4 forms"):
        verify(Z, y, RELU, p, {"kind": "lifted-relaxation", "version": 1, "support": [0, 1], "trees": trees})


def test_a_relaxation_that_gains_nothing_more_ends():
    """No tolerance is met at 0: it ends a thousand iterations after its last gain, not at its iteration limit."""
    rng = np.random.default_rng(0)
    Z, y = rng.normal(size=(12, 5)), np.array([1.0, -1.0] * 6)
    found = lifted_bound(Z, y, RELU, tolerance=0.0, iterations=20_000)
    assert found.attempts[-1]["status"] == "stalled"
    assert found.attempts[-1]["iterations"] < 20_000
    long = lifted_bound(Z, y, RELU, tolerance=1e-4)
    assert found.bound <= long.bound * (1.0 + 1e-6)
