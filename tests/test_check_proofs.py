"""Stored dual proofs: verified independently, valid for any numbers, refused when they prove less than claimed."""

import copy

import numpy as np
import pytest
from check_support import certificate, refused

from maxmargin.check import check_certificate, relaxation, spectral
from maxmargin.check.claim import read_claim
from maxmargin.check.semidefinite import lacking
from maxmargin.clock import Clock
from maxmargin.features import RELU, SQUARED_RELU, Feature
from maxmargin.games.variation import VariationGame
from maxmargin.oracles.lifted.branch import tighten
from maxmargin.oracles.proofs import proved_bound
from maxmargin.oracles.selection import exact_oracle
from maxmargin.oracles.spectral import SpectralOracle

LEAKY = Feature("test-check-leaky", 1, 1.0, -0.1)
UNEVEN = Feature("test-check-uneven", 2, 0.8, -0.5)
FEATURES = [RELU, SQUARED_RELU, LEAKY, UNEVEN]


def random_game(seed, n=7, D=3):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, D)), rng.choice([-1.0, 1.0], n), rng.dirichlet(np.ones(n))


def claim_of(Z, y, p, feature, *bound, **more):
    """A certificate that claims nothing below, in path units and without bias, so that Z is X."""
    name = feature.name if feature in (RELU, SQUARED_RELU) else vars(feature)
    classifier = {"directions": np.eye(Z.shape[1])[:1].tolist(), "weights": [1.0]}
    upper, proof = (*bound, None)[:2] if bound else (1.0, None)
    fields = {"scope": "sphere-bound", "proof": proof, "bias": False, "feature": name}
    return certificate(Z, y, classifier, p, (0.0, upper), **(fields | more))


def own_bound(Z, y, p, feature, proof):
    module = {"spectral": spectral, "lifted-relaxation": relaxation}[proof["kind"]]
    return module.proved_bound(read_claim(claim_of(Z, y, p, feature, proof=proof), Z, y), proof)[0]


def largest_payoff(Z, q, feature, seed=0):
    A = np.random.default_rng(seed).normal(size=(5000, Z.shape[1]))
    return np.abs(feature.evaluate(A / np.linalg.norm(A, axis=1, keepdims=True), Z) @ q).max()


@pytest.mark.parametrize("feature", FEATURES, ids=lambda f: f.name)
@pytest.mark.parametrize("seed", range(3))
def test_spectral_proofs_are_confirmed_and_sharp(feature, seed):
    Z, y, p = random_game(seed, n=20, D=6)
    proof = SpectralOracle(Z, feature)(p * y).proof
    bound = proved_bound(Z, y, feature, p, proof)
    assert own_bound(Z, y, p, feature, proof) == pytest.approx(bound, rel=1e-12)
    assert check_certificate(claim_of(Z, y, p, feature, bound / p.sum() * (1 + 1e-14), proof), Z, y).holds
    assert refused(check_certificate(claim_of(Z, y, p, feature, bound / p.sum() * (1 - 1e-6), proof), Z, y))


@pytest.fixture(scope="module", params=[RELU, SQUARED_RELU], ids=lambda f: f.name)
def lifted(request):
    """A genuine proof with branches, and everything it speaks of."""
    Z, y, _ = random_game(3, n=10, D=4)
    result = tighten(Z, y, request.param, clock=Clock(1.5))
    return Z, y, result.adversary, request.param, result.proof


def test_lifted_proofs_are_confirmed_and_sharp(lifted):
    Z, y, p, feature, proof = lifted
    bound = own_bound(*lifted)
    assert largest_payoff(Z, p * y, feature) <= bound <= proved_bound(Z, y, feature, p, proof) * (1 + 1e-12)
    assert check_certificate(claim_of(Z, y, p, feature, bound / p.sum() * (1 + 1e-14), proof), Z, y).holds
    assert refused(check_certificate(claim_of(Z, y, p, feature, bound / p.sum() * (1 - 1e-6), proof), Z, y))


def leaves(node):
    return [node] if "value" in node else leaves(node["plus"]) + leaves(node["minus"])


def all_leaves(proof):
    return [leaf for tree in proof["trees"] for leaf in leaves(tree["tree"])]


def worst_leaf(proof):
    return max(all_leaves(proof), key=lambda leaf: leaf["value"])


def alter(name, change):
    def tamper(proof):
        leaf = worst_leaf(proof)
        leaf[name] = change(leaf[name])

    return tamper


def swap_sides(proof):
    for tree in proof["trees"]:
        if "plus" in tree["tree"]:
            tree["tree"]["plus"], tree["tree"]["minus"] = tree["tree"]["minus"], tree["tree"]["plus"]
            return
    proof["trees"].reverse()


PRODUCTS = ("rows", "cols", "values")
PROOF_TAMPERINGS = {
    "values lowered": lambda proof: [leaf.update(value=0.9 * leaf["value"]) for leaf in all_leaves(proof)],
    "value NaN": alter("value", lambda v: float("nan")),
    "rho changed": alter("rho", lambda v: 1.5 * v + 0.1),
    "mu raised": alter("mu", lambda v: [2.0 * x + 0.1 for x in v]),
    "mu truncated": alter("mu", lambda v: v[:-1]),
    "omega doubled": alter("omega", lambda v: (2.0 * np.array(v) + 0.1).tolist()),
    "omega transposed": alter("omega", lambda v: np.array(v).T.tolist()),
    "products dropped": lambda proof: worst_leaf(proof).update(rows=[], cols=[], values=[]),
    "products negated": alter("values", lambda v: [-x for x in v]),
    "products raised": alter("values", lambda v: [2.0 * x + 0.01 for x in v]),
    "product named twice": lambda proof: [worst_leaf(proof)[k].append(worst_leaf(proof)[k][0]) for k in PRODUCTS],
    "pair out of range": alter("cols", lambda v: [10**6, *v[1:]]),
    "rows truncated": alter("rows", lambda v: v[:-1]),
    "one tree only": lambda proof: proof["trees"].pop(),
    "one sign twice": lambda proof: proof["trees"].__setitem__(1, copy.deepcopy(proof["trees"][0])),
    "one sign's tree for both": lambda proof: proof["trees"][1].update(tree=copy.deepcopy(proof["trees"][0]["tree"])),
    "sides swapped": swap_sides,
    "support truncated": lambda proof: proof["support"].pop(),
    "support out of range": lambda proof: proof["support"].__setitem__(-1, 10**6),
    "support unordered": lambda proof: proof["support"].reverse(),
    "kind unknown": lambda proof: proof.update(kind="trust me"),
    "version unknown": lambda proof: proof.update(version=2),
}


@pytest.mark.parametrize("name", PROOF_TAMPERINGS)
def test_a_tampered_proof_is_refused(lifted, name):
    Z, y, p, feature, proof = lifted
    upper = own_bound(*lifted) / p.sum() * (1 + 1e-12)
    assert check_certificate(claim_of(Z, y, p, feature, upper, proof), Z, y).holds
    changed = copy.deepcopy(proof)
    PROOF_TAMPERINGS[name](changed)
    assert refused(check_certificate(claim_of(Z, y, p, feature, upper, changed), Z, y))


def garbage_tree(rng, Z, depth, splits=0, fixed=frozenset()):
    """Random splits and random multipliers of any sign: still a proof of something."""
    N, D = Z.shape
    if depth:
        free = [i for i in range(N) if i not in fixed]
        point = int(rng.choice(free)) if free and rng.random() < 0.7 else None
        split = {"normal": rng.normal(size=D).tolist()} if point is None else {"point": point}
        below = fixed if point is None else fixed | {point}
        return split | {side: garbage_tree(rng, Z, depth - 1, splits + 1, below) for side in ("plus", "minus")}
    K = splits + 2 * (N - len(fixed))
    rows, cols = (index[rng.random(len(index)) < 2] for index in np.triu_indices(K))
    keep = rng.random(len(rows)) < 0.5
    return {
        "value": float(rng.normal()),
        "rho": float(rng.normal()),
        "mu": rng.normal(size=K).tolist(),
        "omega": rng.normal(size=(K, D)).tolist(),
        "rows": rows[keep].tolist(),
        "cols": cols[keep].tolist(),
        "values": rng.normal(size=int(keep.sum())).tolist(),
    }


@pytest.mark.parametrize("feature", FEATURES, ids=lambda f: f.name)
@pytest.mark.parametrize("seed", range(10))
def test_no_numbers_prove_less_than_the_truth(feature, seed):
    rng = np.random.default_rng(seed)
    Z, y, p = random_game(seed, n=5, D=int(rng.integers(2, 5)))
    trees = [{"sign": sign, "tree": garbage_tree(rng, Z, int(rng.integers(0, 4)))} for sign in (1, -1)]
    proof = {"kind": "lifted-relaxation", "version": 1, "support": list(range(5)), "trees": trees}
    assert own_bound(Z, y, p, feature, proof) >= largest_payoff(Z, p * y, feature)


@pytest.mark.parametrize("side", ["plus", "minus"])
@pytest.mark.parametrize("kind", ["point", "normal"])
def test_a_missing_half_is_refused(kind, side):
    rng = np.random.default_rng(0)
    Z, y, p = random_game(0, n=4)
    split = {"point": 2} if kind == "point" else {"normal": [1.0, 0.0, -1.0]}
    half = garbage_tree(rng, Z, 0, 1, {2} if kind == "point" else frozenset())
    trees = [{"sign": sign, "tree": split | {"plus": half, "minus": half}} for sign in (1, -1)]
    proof = {"kind": "lifted-relaxation", "version": 1, "support": [0, 1, 2, 3], "trees": trees}
    assert check_certificate(claim_of(Z, y, p, RELU, 1e30, proof), Z, y).holds
    trees[1]["tree"].pop(side)
    assert refused(check_certificate(claim_of(Z, y, p, RELU, 1e30, proof), Z, y))


def test_points_without_a_variable_are_paid_for():
    Z, y, p = random_game(0)
    rng = np.random.default_rng(0)
    leaf = garbage_tree(rng, Z[:4], 0)
    proof = {"kind": "lifted-relaxation", "version": 1, "support": [0, 1, 2, 3]}
    proof["trees"] = [{"sign": sign, "tree": leaf} for sign in (1, -1)]
    rest = p[4:] @ np.linalg.norm(Z[4:], axis=1)
    inside = own_bound(Z, y, np.where(np.arange(7) < 4, p, 0.0), RELU, proof)
    assert own_bound(Z, y, p, RELU, proof) == pytest.approx(inside + rest, rel=1e-12)


def test_the_semidefinite_test_errs_on_the_safe_side():
    rng = np.random.default_rng(0)
    for size in (2, 5, 30):
        A = rng.normal(size=(size, size - 1))
        S, error = A @ A.T, np.full((size, size), 1e-13)
        assert lacking(S + 1e-9 * np.eye(size), error, np.max) == 0.0
        least = -np.linalg.eigvalsh(S - 1e-9 * np.eye(size))[0]
        assert least <= lacking(S - 1e-9 * np.eye(size), error, np.max) <= 1e-11 * size + 10.0 * least


def test_what_a_singular_matrix_lacks_is_no_more_than_its_error():
    # diagonal entries of 1e-16 beside 1: the error is relative to the whole, not to each variable
    S, error = np.diag([1e-16, 1.0, 1.0, -1e-16]), np.full((4, 4), 1e-16)
    assert 1e-16 <= lacking(S, error, np.max) <= 1e-13
    # variables in different units: what counts is each entry beside its own diagonal
    units = np.array([1e-2, 1.0, 1e2])
    S = np.outer(units, units) * np.array([[2.0, 1.0, 1.0], [1.0, 2.0, 1.0], [1.0, 1.0, 2.0]])
    assert lacking(S, 1e-14 * np.abs(S), np.max) == 0.0


@pytest.mark.parametrize(("plus", "minus"), [(1, 1), (3, 3), (5, 2), (20, 30)])
@pytest.mark.parametrize("radius", [1e-6, 1.0, 3e4])
def test_squared_relu_on_orthogonal_points_has_a_tight_spectral_proof(plus, minus, radius):
    # C6: against equal weights every neuron earns at most r^2 / n, and the matrix is singular on its own class
    n = plus + minus
    X, y, p = radius * np.eye(n), np.repeat([1.0, -1.0], [plus, minus]), np.full(n, 1.0 / n)
    gamma = radius * radius / n
    signs = [{"sign": sign, "value": gamma, "rho": gamma} for sign in (1, -1)]
    proof = {"kind": "spectral", "version": 1, "signs": signs}
    assert check_certificate(claim_of(X, y, p, SQUARED_RELU, gamma * (1 + 1e-11), proof), X, y).holds
    assert refused(check_certificate(claim_of(X, y, p, SQUARED_RELU, gamma * (1 - 1e-14), proof), X, y))


def test_a_dual_bound_that_is_not_met_from_below_is_not_sphere_exact():
    Z, y, p = random_game(1)
    answer = SpectralOracle(Z, RELU)(p * y)
    document = claim_of(Z, y, p, RELU, answer.bound * (1 + 1e-12), answer.proof)
    assert check_certificate(document, Z, y).holds
    assert refused(check_certificate(document | {"scope": "sphere-exact"}, Z, y))


def test_a_bound_without_a_proof_is_checked_by_enumeration():
    Z, y, p = random_game(2)
    bound = VariationGame(Z, y, RELU, "path", oracle=exact_oracle(Z, RELU)).responses(p, 1).bound / p.sum()
    assert check_certificate(claim_of(Z, y, p, RELU, bound * 1.5), Z, y).holds
    assert refused(check_certificate(claim_of(Z, y, p, RELU, bound * 0.999), Z, y))
