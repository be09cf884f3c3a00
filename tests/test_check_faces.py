"""Two arguments for the same cells agree, also against optimal adversaries, for which many neurons tie."""

import numpy as np
import pytest
from check_support import certificate, refused, xor

import maxmargin as mm
from maxmargin.check import check_certificate, linear
from maxmargin.check.cells import visit_cells
from maxmargin.check.claim import read_claim
from maxmargin.check.pieces import make_pieces
from maxmargin.check.sphere import sweep
from maxmargin.check.verdict import Refusal


@pytest.mark.parametrize(
    "data", ["clusters:n=60,d=3,k=3,seed=0", "clusters:n=40,d=4,k=3,seed=0", "clusters:n=40,d=5,k=3,seed=1"]
)
def test_optimal_certificates_hold_and_nothing_sharper(data):
    dataset = mm.load(data)
    document = mm.max_margin(dataset, convention="path").to_json()
    assert document["scope"] == "sphere-exact"
    assert check_certificate(document, dataset.X, dataset.y).holds
    upper = document["lower"] * (1 - 1e-9)
    false = {"upper": upper, "lower": 0.0, "relative_gap": 1.0, "status": "bracketed"}
    assert refused(check_certificate(document | false, dataset.X, dataset.y))


def proved(pieces, by_faces):
    cells = linear.LinearCells(pieces, pieces.unit_normals, linear._square_error(pieces), by_faces)
    try:
        sweep(pieces, cells)
    except Refusal:
        return False
    return True


def general(seed, D):
    """D + 4 points in general position, labels, an adversary, and a classifier that claims nothing."""
    rng, n = np.random.default_rng(seed), D + 4
    classifier = {"directions": np.eye(D)[:1].tolist(), "weights": [1.0]}
    return rng.normal(size=(n, D)), rng.choice([-1.0, 1.0], n), rng.dirichlet(np.ones(n)), classifier


@pytest.mark.parametrize("seed", range(8))
def test_faces_and_cells_prove_the_same(seed):
    X, y, p, classifier = general(seed, 2 + seed % 4)
    top = p @ np.linalg.norm(X, axis=1)
    answers = []
    for upper in np.linspace(0.05, 1.0, 30) * top:
        claim = read_claim(certificate(X, y, classifier, p, (0.0, upper), bias=False), X, y)
        pieces = make_pieces(claim)
        answers.append((proved(pieces, True), proved(pieces, False)))
    assert all(first == second for first, second in answers)
    assert {first for first, _ in answers} == {True, False}


@pytest.mark.parametrize("seed", range(4))
def test_no_face_is_left_open_by_a_claim_that_is_true_with_room(seed):
    """What a face leaves open is a neuron that is paid more: its point has the face's sign at every hyperplane."""
    X, y, p, classifier = general(seed, 3 + seed % 2)

    def pieces(upper):
        return make_pieces(read_claim(certificate(X, y, classifier, p, (0.0, upper), bias=False), X, y))

    def left(upper):
        cells = linear.linear_cells(pieces(upper))
        assert cells.by_faces
        return sum(len(found) for batch in visit_cells(cells.pieces) for _, found in cells.sift(batch))

    uppers = np.linspace(0.0, 1.0, 101)[1:] * (p @ np.linalg.norm(X, axis=1))
    least = next(k for k, upper in enumerate(uppers) if proved(pieces(upper), by_faces=True))
    assert left(uppers[least + 1]) == 0
    assert left(uppers[least - 1]) > 0


@pytest.mark.parametrize("by_faces", [False, True])
@pytest.mark.parametrize("excess", [0.25, 1e-6])
def test_a_refusal_says_by_how_much_a_neuron_is_paid_more(excess, by_faces):
    X, y, classifier, p, gamma = xor()
    claim = read_claim(certificate(X, y, classifier, p, (0.0, gamma / (1.0 + excess)), bias=False), X, y)
    pieces = make_pieces(claim)
    cells = linear.LinearCells(pieces, pieces.unit_normals, linear._square_error(pieces), by_faces)
    with pytest.raises(Refusal, match=r"by a factor 1 \+ ") as refusal:
        sweep(pieces, cells)
    assert float(str(refusal.value).split("1 + ")[1]) == pytest.approx(excess, rel=1e-2)


@pytest.mark.parametrize("equal", [False, True])
def test_cells_are_given_by_signs(equal):
    """Also where three hyperplanes meet in a line, whose cells are taken apart."""
    X, y, p = np.eye(4)[:, :3] + np.eye(4)[:, 1:], np.array([1.0, -1.0, 1.0, -1.0]), np.full(4, 0.25)
    if equal:
        X[3] = X[0] + X[1]
    classifier = {"directions": np.eye(3)[:1].tolist(), "weights": [1.0]}
    claim = read_claim(certificate(X, y, classifier, p, (0.0, 1.0), bias=False), X, y)
    batches = list(visit_cells(make_pieces(claim)))
    assert batches
    for batch in batches:
        assert np.isin(batch.signs, (-1, 0, 1)).all()
        assert (np.take_along_axis(batch.signs, batch.subsets, axis=1) == 0).all()
        assert len(batch.forms) == len(batch.subsets) == len(batch.signs)


def test_without_hyperplanes_there_is_one_cell():
    feature = {"name": "identity", "degree": 1, "right": 1.0, "left": -1.0}
    X, y, classifier, p, _ = xor()
    claim = read_claim(certificate(X, y, classifier, p, (0.0, 1.0), bias=False, feature=feature), X, y)
    (batch,) = visit_cells(make_pieces(claim))
    assert (batch.forms.shape, batch.subsets.shape, batch.signs.shape) == ((1, 1, 2), (1, 0), (1, 0))


def test_fewer_points_than_dimensions_leave_a_subspace_on_which_the_payoff_is_linear():
    # sigma(u) = u has no hyperplane to cross: its payoff is the length of sum p_i y_i x_i
    rng = np.random.default_rng(0)
    X, y, p = rng.normal(size=(3, 5)), np.array([1.0, -1.0, 1.0]), np.array([0.2, 0.3, 0.5])
    classifier = {"directions": np.eye(5)[:1].tolist(), "weights": [1.0]}
    for feature in ({"name": "identity", "degree": 1, "right": 1.0, "left": -1.0}, "relu"):
        payoff = np.linalg.norm((p * y) @ X)
        for factor, holds in (
            ((1 + 1e-12, True), (1 - 1e-12, False)) if feature != "relu" else ((2.0, True), (0.1, False))
        ):
            document = certificate(X, y, classifier, p, (0.0, factor * payoff), bias=False, feature=feature)
            assert check_certificate(document, X, y).holds == holds
