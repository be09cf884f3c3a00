"""Degree 2: eigenvectors above U are kept out of their cells in floats, and never one that is inside."""

import numpy as np
import pytest
from check_support import certificate, refused

import maxmargin as mm
from maxmargin.check import check_certificate, quadratic
from maxmargin.check.claim import read_claim
from maxmargin.check.pieces import make_pieces
from maxmargin.check.quadratic import eigenvalue_range, outside, top_space
from maxmargin.check.verdict import NotSettled, Refusal


def unit(v):
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def with_spectrum(rng, values):
    Q = np.linalg.qr(rng.normal(size=(len(values), len(values))))[0]
    return (Q * values) @ Q.T, Q


@pytest.mark.parametrize("top", [0, 1, 2, 3])
@pytest.mark.parametrize("D", [3, 4, 5])
def test_the_top_space_holds_every_eigenvector_above_the_bound(D, top):
    rng = np.random.default_rng(D + 10 * top)
    values = np.concatenate([rng.uniform(-1.0, 0.9, D - top), rng.uniform(1.0, 3.0, top)])
    V, Q = with_spectrum(rng, values)
    E = rng.normal(size=(D, D)) * 1e-6
    E = E + E.T
    for slack, size in ((1e-13, 0.0), (1.001 * np.linalg.norm(E), 1.0)):
        vectors, k, off = top_space((V + size * E)[None], slack, 0.95)
        assert k[0] == top
        assert off[0] < 100.0 * slack
        space = vectors[0, :, D - top :]
        # the true eigenvectors, of the matrix that differs by E
        for e in Q.T[D - top :]:
            assert np.linalg.norm(e - space @ (space.T @ e)) <= off[0]


@pytest.mark.parametrize("top", [1, 2])
@pytest.mark.parametrize("D", [2, 3, 4, 5])
def test_no_cell_that_holds_a_vector_of_the_top_space_is_dismissed(D, top):
    rng = np.random.default_rng(100 * D + top)
    normals = unit(rng.normal(size=(9, D)))
    vectors = np.linalg.qr(rng.normal(size=(300, D, D)))[0]
    inside = unit(np.einsum("bdk,bk->bd", vectors[:, :, D - top :], rng.normal(size=(300, top))))
    k, off = np.full(300, top), np.full(300, 1e-9)
    held = np.sign(inside @ normals.T).astype(np.int8)
    assert not outside(vectors, k, off, held, normals).any()
    # cells of other vectors: dismissed whenever a fine sample of the top space says so with room to spare
    cells = np.sign(rng.normal(size=(300, D)) @ normals.T).astype(np.int8)
    turn = np.linspace(0.0, 2.0 * np.pi, 2000)
    circle = np.stack([np.cos(turn), np.sin(turn)])[2 - top :] if top == 2 else np.array([[1.0, -1.0]])
    local = cells[:, :, None] * (normals @ vectors[:, :, D - top :])
    depth = (local @ circle).min(axis=1).max(axis=1)
    answer = outside(vectors, k, off, cells, normals)
    assert answer[depth < -0.05].all()
    assert not answer[depth > 0.0].any()
    assert top == D or answer.any()


def test_bounds_on_eigenvalues_are_rigorous_and_close():
    rng = np.random.default_rng(0)
    values = np.sort(rng.normal(size=(50, 4)), axis=1)
    V = np.stack([with_spectrum(rng, row)[0] for row in values])
    high, low = eigenvalue_range(0.5 * (V + np.swapaxes(V, 1, 2)))
    assert (values[:, -1] - 1e-15 <= high).all()
    assert (high <= values[:, -1] + 1e-12).all()
    assert (values[:, 0] + 1e-15 >= low).all()
    assert (low >= values[:, 0] - 1e-12).all()


@pytest.mark.parametrize(("n", "d"), [(60, 2), (24, 3), (14, 4)])
def test_optimal_certificates_hold_nothing_sharper_does_and_few_cells_need_integers(n, d, monkeypatch):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(n, d)), rng.choice([-1.0, 1.0], n)
    document = mm.max_margin((X, y), feature="squared-relu").to_json()
    exactly, cells = [], []
    settle_exactly, settle = quadratic.QuadraticCells._settle_exactly, quadratic.QuadraticCells.settle
    monkeypatch.setattr(
        quadratic.QuadraticCells, "_settle_exactly", lambda *a: (exactly.append(1), settle_exactly(*a))[1]
    )
    monkeypatch.setattr(quadratic.QuadraticCells, "settle", lambda *a: (cells.append(len(a[1])), settle(*a))[1])
    assert check_certificate(document, X, y).holds
    assert sum(exactly) <= 20 + 0.02 * sum(cells)
    upper = document["lower"] * (1 - 1e-9)
    false = {"upper": upper, "lower": 0.0, "relative_gap": 1.0, "status": "bracketed"}
    assert refused(check_certificate(document | false, X, y))


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e-5, 1e-7])
def test_the_smallest_accepted_upper_end_of_features_beside_a_large_bias(scale):
    # whatever the scale, a claim just above the largest payoff over many directions holds, one below it does not
    rng = np.random.default_rng(1)
    X, y, p = scale * rng.normal(size=(7, 2)), rng.choice([-1.0, 1.0], 7), rng.dirichlet(np.ones(7))
    classifier = {"directions": [[0.0, 0.0, 1.0]], "weights": [1.0]}

    def holds(upper):
        document = certificate(X, y, classifier, p, (0.0, upper), feature="squared-relu")
        return check_certificate(document, X, y).holds

    A = unit(np.vstack([rng.normal(size=(100_000, 3)), rng.normal(size=(100_000, 3)) * [1.0, 1.0, scale]]))
    payoff = np.abs(np.maximum(np.hstack([X, np.ones((7, 1))]) @ A.T, 0.0).T ** 2 @ (p * y)).max()
    assert holds(payoff * 1.01)
    assert not holds(payoff * (1 - 1e-9))


@pytest.mark.parametrize("excess", [1e-3, 1e-9])
def test_an_eigenvector_that_is_paid_a_little_more_refutes_the_claim(excess):
    """One point (3, 4): the neuron along it earns 25."""
    X, y, p = np.array([[3.0, 4.0]]), np.ones(1), np.ones(1)
    classifier = {"directions": [[0.6, 0.8]], "weights": [1.0]}
    upper = 25.0 / (1.0 + excess)
    document = certificate(X, y, classifier, p, (0.0, upper), bias=False, feature="squared-relu")
    vectors = np.array([[-0.8, 0.6], [0.6, 0.8]])
    with pytest.raises(Refusal, match="paid more"):
        quadratic._refuse(make_pieces(read_claim(document, X, y)), vectors, 1)
    above = document | {"upper": 25.0 * (1.0 + excess)}
    with pytest.raises(NotSettled):
        quadratic._refuse(make_pieces(read_claim(above, X, y)), vectors, 1)
