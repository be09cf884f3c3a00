"""The referee on wide data: fewer points than coordinates, and a proof that is read in the span of the points."""

import copy
from dataclasses import replace

import numpy as np
import pytest
from check_support import certificate, refused

import maxmargin as mm
from maxmargin.check import check_certificate
from maxmargin.check.claim import Activation
from maxmargin.check.cost import expected_cost
from maxmargin.check.reduction import Reduction
from maxmargin.errors import InputError
from maxmargin.features import RELU
from maxmargin.oracles.proofs import proved_bound

ACTIVATIONS = [Activation(1, 1.0, 0.0), Activation(1, 1.0, -0.2), Activation(2, 1.0, 0.0), Activation(2, 0.8, -0.5)]


def sample(n, d, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)), np.where(rng.random(n) < 0.5, -1.0, 1.0)


def payoffs(Z, q, sigma, A):
    U = A @ Z.T
    return (sigma.right * np.maximum(U, 0.0) ** sigma.degree + sigma.left * np.maximum(-U, 0.0) ** sigma.degree) @ q


@pytest.mark.parametrize("sigma", ACTIVATIONS, ids=str)
@pytest.mark.parametrize("fault", [0.0, 1e-3, -1e-3])
def test_a_bound_in_few_coordinates_holds_in_all_whatever_the_basis(sigma, fault, monkeypatch):
    """The payoff of a unit direction in R^D is at most the bound from that of its image, even for a false basis."""
    Z, y = sample(10, 60)
    Z[3] = 1e-3 * Z[2] + 1e-12 * Z[3]  # nearly parallel
    exactly = np.linalg.qr
    monkeypatch.setattr(np.linalg, "qr", lambda M: ((1.0 + fault) * exactly(M)[0], exactly(M)[1]))
    reduction = Reduction.of(Z)
    assert reduction.X.shape == (10, 10)
    A = np.vstack([np.random.default_rng(1).standard_normal((400, 60)), Z])
    A /= np.linalg.norm(A, axis=1)[:, None]
    q = y * np.random.default_rng(2).dirichlet(np.ones(10))
    B = reduction.coordinates(A)
    assert (np.linalg.norm(Z - reduction.X @ reduction.basis, axis=1) <= reduction.residuals).all()
    assert np.linalg.norm(reduction.basis, 2) <= reduction.stretch
    largest = payoffs(reduction.X, q, sigma, B / np.linalg.norm(B, axis=1)[:, None]).max()
    bound = reduction.bound(largest, q, sigma)
    # the maximum over the given directions and over their unit images
    assert payoffs(Z, q, sigma, A).max() <= bound
    assert bound <= largest * (1.0 + 1e-12) if fault == 0.0 else bound > largest


def test_points_that_fill_the_space_are_not_reduced():
    assert Reduction.of(sample(40, 40)[0]) is None
    assert Reduction.of(sample(3, 20)[0]) is None and Reduction.of(np.zeros((0, 50))) is None


@pytest.fixture(scope="module")
def solved():
    X, y = sample(20, 400)
    return X, y, mm.max_margin((X, y), "f1", time_limit=2.0)


def test_what_is_issued_on_wide_data_is_accepted(solved):
    X, y, found = solved
    assert found.checked and not any(item.status.startswith("refused") for item in found.attempts)
    assert check_certificate(found.to_json(), X, y).holds
    lower = replace(found, bracket=replace(found.bracket, upper=found.upper * (1.0 - 1e-6)))
    assert refused(check_certificate(lower.to_json(), X, y))


def all_leaves(proof):
    def below(node):
        return [node] if "value" in node else below(node["plus"]) + below(node["minus"])

    return [leaf for tree in proof["trees"] for leaf in below(tree["tree"])]


def test_the_length_of_a_proof_on_wide_data_does_not_grow_with_the_coordinates(solved):
    proof = solved[2].to_json()["proof"]
    N = len(proof["support"])
    assert proof["version"] == 2
    for leaf in all_leaves(proof):
        assert "omega" not in leaf and np.shape(leaf["combinations"]) == (len(leaf["mu"]), N)


def test_a_proof_says_the_same_in_vectors_and_in_combinations(solved):
    """omega written out in R^D is version 1 of the same proof; the package's verifier and the referee read both."""
    X, y, found = solved
    Z = np.hstack([X, np.ones((len(X), 1))])
    document = copy.deepcopy(found.to_json())
    p, proof = np.array(document["adversary"]), document["proof"]
    short = proved_bound(Z, y, RELU, p, proof)
    points = Z[proof["support"]]
    for leaf in all_leaves(proof):
        leaf["omega"] = (np.array(leaf.pop("combinations")) @ points).tolist()
    proof["version"] = 1
    assert proved_bound(Z, y, RELU, p, proof) == pytest.approx(short, rel=1e-9)
    document["upper"] *= 1.0 + 1e-9
    document["relative_gap"] = (document["upper"] - document["lower"]) / document["upper"]
    assert check_certificate(document, X, y).holds


def test_combinations_of_the_wrong_length_are_an_error_and_refused(solved):
    X, y, found = solved
    document = copy.deepcopy(found.to_json())
    for leaf in all_leaves(document["proof"]):
        leaf["combinations"] = np.array(leaf["combinations"])[:, 1:].tolist()
    assert refused(check_certificate(document, X, y))
    with pytest.raises(InputError, match="combinations"):
        proved_bound(np.hstack([X, np.ones((len(X), 1))]), y, RELU, found.adversary, document["proof"])


@pytest.mark.parametrize("feature", ["relu", "squared-relu"])
def test_nearly_dependent_points(feature):
    """Pairs of points that differ by 1e-9: combinations are badly conditioned, and what is issued holds."""
    X, y = sample(12, 100, seed=1)
    X[6:] = X[:6] + 1e-9 * X[6:]
    y[6:] = y[:6]
    found = mm.max_margin((X, y), "f1", feature=feature, time_limit=1.5)
    assert found.upper < 1.5 * found.lower
    assert check_certificate(found.to_json(), X, y).holds


@pytest.mark.parametrize("name", ["combinations", "mu", "values"])
def test_a_changed_proof_on_wide_data_is_refused(solved, name):
    X, y, found = solved
    document = copy.deepcopy(found.to_json())
    assert document["proof"]["kind"] == "lifted-relaxation"
    for leaf in all_leaves(document["proof"]):
        leaf[name] = (2.0 * np.array(leaf[name]) + 0.1).tolist()
    assert refused(check_certificate(document, X, y))


def test_the_expected_cost_sees_the_length_of_a_proof_and_not_the_cube_of_the_coordinates(solved):
    document = solved[2].to_json()
    wide = document | {"problem": document["problem"] | {"d": 10_000}}
    few, many = expected_cost(document), expected_cost(wide)
    assert few.seconds < 1.0
    assert 2.0 < many.seconds / few.seconds < 50.0
    long = copy.deepcopy(wide)
    for leaf in all_leaves(long["proof"]):
        leaf["omega"] = leaf.pop("combinations")
    numbers = 10_000 * sum(len(leaf["mu"]) for leaf in all_leaves(long["proof"]))
    assert expected_cost(long).seconds - many.seconds > 5e-7 * numbers


@pytest.mark.parametrize("feature", ["relu", "squared-relu"])
@pytest.mark.parametrize("d", [60, 1000])
def test_an_enumeration_is_settled_in_the_span_and_a_false_one_is_refused(feature, d):
    """Orthogonal points: in the span each cell is an orthant, and the largest payoff is known."""
    n, degree = 4, 1 if feature == "relu" else 2
    X, y = np.eye(n, d), np.array([1.0, 1.0, -1.0, -1.0])
    # equal weights: two points of one class at once (degree 1), or any one point (degree 2)
    gamma = np.sqrt(2.0) / n if degree == 1 else 1.0 / n
    classifier = {"directions": np.eye(1, d).tolist(), "weights": [1.0]}
    fields = {"scope": "sphere-exact", "bias": False, "feature": feature}
    for slack, holds in ((1e-11, True), (-1e-9, False)):
        document = certificate(X, y, classifier, [1.0 / n] * n, (0.0, gamma * (1.0 + slack)), **fields)
        verdict = check_certificate(document, X, y, time_limit=20.0)
        assert verdict.holds == holds and (holds or refused(verdict)), verdict.reason
        assert not holds or "in the span of 4 points" in verdict.checks[-1].detail


@pytest.mark.slow
def test_two_thousand_coordinates():
    X, y = sample(62, 2000)
    found = mm.max_margin((X, y), "f1", time_limit=5.0, self_check=False)
    assert found.upper < 1.2 * found.lower
    verdict = check_certificate(found.to_json(), X, y, time_limit=60.0)
    assert verdict.holds, verdict.reason


@pytest.mark.parametrize(("degree", "moved"), [(1, [0.1, 0.2]), (2, [0.1 * 2.1, 0.2 * 6.2])])
def test_what_a_residual_costs(degree, moved):
    """|sigma(u + r) - sigma(u)| <= c r for degree 1 and c r (2 |z| + r) for degree 2, c the larger coefficient."""
    residuals, lengths = np.array([0.1, 0.2]), np.array([1.0, 3.0])
    reduction = Reduction(np.eye(2), np.eye(2), residuals, lengths, 1.5)
    found = reduction.bound(7.0, np.array([0.5, -2.0]), Activation(degree, 0.5, -3.0))
    assert found == pytest.approx(7.0 * 1.5**degree + 3.0 * (0.5 * moved[0] + 2.0 * moved[1]), rel=1e-12)
    assert reduction.bound(-7.0, np.zeros(2), Activation(degree, 0.5, -3.0)) == 0.0
