"""How many roundings the referee allows for: the counts of its error bounds, by hand from the sizes of a problem."""

from types import SimpleNamespace

import numpy as np
import pytest
from check_support import certificate
from test_check_proofs import claim_of, garbage_tree, own_bound, random_game

from maxmargin.check import (
    arrangement,
    dictionary,
    exact,
    interpolant,
    linear,
    pieces,
    quadratic,
    reduction,
    relaxation,
    semidefinite,
    spectral,
)
from maxmargin.check.cells import visit_cells
from maxmargin.check.claim import Activation, read_claim
from maxmargin.check.verdict import UNLIMITED, Refusal
from maxmargin.features import RELU, SQUARED_RELU
from maxmargin.oracles.spectral import SpectralOracle

RELU_ = Activation(1, 1.0, 0.0)


@pytest.fixture
def counts(monkeypatch):
    """The numbers of roundings that a module asks for, from now on."""

    def of(module):
        seen = set()

        def counting(terms):
            seen.add(terms)
            return exact.relative_error(terms)

        monkeypatch.setattr(module, "relative_error", counting)
        return seen

    return of


def made_pieces(feature, n=7, D=4, upper=10.0):
    X, y, p = random_game(0, n, D)
    classifier = {"directions": np.eye(D)[:1].tolist(), "weights": [1.0]}
    document = certificate(X, y, classifier, p, (0.0, upper), bias=False, feature=feature)
    return pieces.make_pieces(read_claim(document, X, y))


@pytest.mark.parametrize(("feature", "jumps"), [("relu", 7), ("squared-relu", 7)])
def test_forms_are_sums_of_the_offset_and_all_jumps(counts, feature, jumps):
    seen = counts(pieces)
    made = made_pieces(feature)
    assert seen == {2 * jumps + 16}
    size = np.abs(made.float_offset) + np.abs(made.float_jumps).sum(axis=0)
    np.testing.assert_allclose(made.error, exact.relative_error(2 * jumps + 16) * size, rtol=1e-12)


def test_rays_are_determinants(counts):
    seen = counts(arrangement)
    list(arrangement.simple_rays(np.random.default_rng(0).normal(size=(7, 4))))
    assert seen == {6 * 4 + 8}


def test_cells_of_degree_1(counts):
    N, D, seen = 7, 4, counts(linear)
    cells = linear.linear_cells(made_pieces("relu"))
    assert seen == {4 * D + 16}
    seen.clear()
    signs = np.sign(np.random.default_rng(1).normal(size=(3, D)) @ cells.normals.T).astype(np.int8)
    cells._settled_together(signs, 1)
    assert seen == {8 * (D + N) + 64}
    seen.clear()
    linear._length_above(np.ones(D), np.eye(D)[:2], np.ones(2))
    assert seen == {8 * (D + 2) + 64}
    seen.clear()
    list(linear.open_faces(next(iter(visit_cells(cells.pieces))), cells.normals, 1.0, 0.0))
    assert seen == {16 * D + 64}


def test_cells_of_degree_2(counts):
    D, seen, rng = 3, counts(quadratic), np.random.default_rng(0)
    V = np.diag([3.0, 2.0, 1.0])[None]
    quadratic.eigenvalue_range(V)
    assert seen == {4 * D * D + 16, 2 * D + 4}
    seen.clear()
    vectors, k, off = quadratic.top_space(V, 0.0, 2.5)
    assert seen == {2 * D + 8, 4 * D + 16}
    seen.clear()
    normals = np.linalg.qr(rng.normal(size=(D, D)))[0]
    quadratic.outside(vectors, k, off, np.ones((1, D), dtype=np.int8), normals)
    assert seen == {16 * D + 64}
    seen.clear()
    quadratic._contradiction(rng.normal(size=(5, 2)), np.array([0, 1, 4]), np.ones(3), 1e-9, 2)
    assert seen == {8 * 3 + 64}


def test_the_distance_of_eigenvectors_from_computed_ones(counts):
    """diag(1, 2, 3) with the value 2 misjudged by 1e-3: its residual, over the gap less twice all residuals."""
    D, seen = 3, counts(quadratic)
    found = quadratic._distance(np.diag([1.0, 2.0, 3.0]), np.array([1.0, 2.001, 3.0]), np.eye(3), 1)
    assert seen == {4 * D + 16, 2 * D + 8}
    assert found == pytest.approx(1.01e-3 / (0.999 - 2.0 * 1.01e-3), rel=1e-9)
    assert quadratic._distance(np.eye(3), np.ones(3), np.eye(3), 1) == np.inf


def test_wide_points_in_their_span(counts):
    N, D, seen = 5, 150, counts(reduction)
    made = reduction.Reduction.of(np.random.default_rng(0).normal(size=(N, D)))
    assert seen == {D + 16, N + 2, 64 + 3 + 2}
    seen.clear()
    made.bound(1.0, np.ones(N), RELU_)
    assert seen == {N + 8}


def test_relaxations(counts):
    N, D, seen, smaller = 4, 3, counts(relaxation), counts(semidefinite)
    Z, y, p = random_game(0)  # seven points, three of them without a variable
    leaf = garbage_tree(np.random.default_rng(0), Z[:N], 0)
    proof = {"kind": "lifted-relaxation", "version": 1, "support": list(range(N))}
    proof["trees"] = [{"sign": sign, "tree": leaf} for sign in (1, -1)]
    own_bound(Z, y, p, RELU, proof)
    order = 1 + D + N
    assert seen == {N + D + 16, D + 8, 3 + 2 * D + 16}
    assert smaller == {order + 16, order + 2}


@pytest.mark.parametrize("feature", [RELU, SQUARED_RELU], ids=lambda f: f.name)
def test_spectral_proofs(counts, feature):
    Z, y, p = random_game(0, n=20, D=6)
    proof, seen = SpectralOracle(Z, feature)(p * y).proof, counts(spectral)
    own_bound(Z, y, p, feature, proof)
    assert seen == {20 + 6 + 24}


@pytest.mark.parametrize("support", ["2", -1, "unordered"])
def test_the_support_of_a_proof_is_an_increasing_list_of_points(support):
    rng, (Z, y, p) = np.random.default_rng(0), random_game(0, n=4)
    lists = {"2": [0, 1, 2, 2.5], -1: [-1, 0, 1, 2], "unordered": [1, 0, 2, 3]}
    trees = [{"sign": sign, "tree": garbage_tree(rng, Z, 0)} for sign in (1, -1)]
    proof = {"kind": "lifted-relaxation", "version": 1, "support": lists[support], "trees": trees}
    with pytest.raises(Refusal, match="increasing indices"):
        relaxation.proved_bound(read_claim(claim_of(Z, y, p, RELU, proof=proof), Z, y), proof)


@pytest.mark.parametrize("degree", [1, 2])
def test_margins_and_payoffs_over_a_dictionary(counts, degree):
    K, D, n, seen = 5, 3, 7, counts(dictionary)
    rng = np.random.default_rng(0)
    claim = SimpleNamespace(
        directions=rng.normal(size=(K, D)), weights=np.ones(K), Z=rng.normal(size=(n, D)), y=np.ones(n)
    )
    claim.activation, claim.p = Activation(degree, 1.0, 0.0), np.array([0.5, 0.5, *np.zeros(n - 2)])
    dictionary._doubtful(claim, 0.1)
    assert seen == {4 * (K + degree * D) + 20}
    seen.clear()
    dictionary._undecided(claim, claim.directions, 0.1)
    assert seen == {4 * (2 + degree * D) + 20}


@pytest.mark.parametrize("degree", [1, 2])
def test_functions_with_given_values(counts, degree):
    n, D, seen = 3, 4, counts(interpolant)
    rng = np.random.default_rng(0)
    claim = SimpleNamespace(activation=Activation(degree, 1.0, 0.0), factor=1.0)
    wanted = [exact.exact_sum(np.array([value])) for value in (1.0, -1.0, 0.5)]
    norm = interpolant._added(claim, np.eye(D)[:2], rng.normal(size=(n, D)), wanted, UNLIMITED)
    assert 0.0 < norm < 100.0
    neurons = 2 + interpolant.HELPERS * n
    assert seen == {2 * (neurons + degree * D) + 8, n + 4}
