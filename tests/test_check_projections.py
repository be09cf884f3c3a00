"""Many cells settled at once: the same projections as one by one, and never a cell on which the claim is false."""

from fractions import Fraction as F

import numpy as np
import pytest
from check_support import certificate

from maxmargin.check.claim import read_claim
from maxmargin.check.linear import linear_cells
from maxmargin.check.pieces import make_pieces
from maxmargin.check.projection import project, project_exactly, project_together


def cones(seed, B=40):
    """Vectors and unit rows of random cones, (B, D) and (B, N, D)."""
    rng = np.random.default_rng(seed)
    D, N = int(rng.integers(2, 7)), int(rng.integers(3, 16))
    rows = rng.normal(size=(B, N, D))
    rows *= np.sign(rows @ rng.normal(size=D))[:, :, None]  # a cone with interior, so that few projections are 0
    return rng.normal(size=(B, D)), rows / np.linalg.norm(rows, axis=2)[:, :, None]


def lengths(v, rows, weights):
    return np.linalg.norm(v + (weights[:, None, :] @ rows)[:, 0], axis=1)


@pytest.mark.parametrize("seed", range(12))
def test_the_projections_are_those_of_one_cone_after_the_other(seed):
    v, rows = cones(seed)
    weights = project_together(v, rows, 0.0)
    assert (weights >= 0.0).all()
    assert ((weights > 0.0).sum(axis=1) <= v.shape[1]).all()
    single = [project(a, r) for a, r in zip(v, rows, strict=True)]
    wanted = [np.linalg.norm(a + w @ r[k]) for a, r, (k, w) in zip(v, rows, single, strict=True)]
    np.testing.assert_allclose(lengths(v, rows, weights), wanted, rtol=1e-10, atol=1e-13)


def test_it_ends_where_the_vector_is_short_enough():
    v, rows = cones(0)
    shortest = lengths(v, rows, project_together(v, rows, 0.0))
    enough = float(np.median(0.5 * (shortest + np.linalg.norm(v, axis=1))))
    weights = project_together(v, rows, enough)
    assert not weights[np.linalg.norm(v, axis=1) <= enough].any()
    found = lengths(v, rows, weights)
    assert (found <= np.maximum(enough, shortest * (1.0 + 1e-10))).all()
    assert (found > shortest * (1.0 + 1e-6)).any()


def test_small_projections_of_long_vectors_keep_their_digits():
    """The rounding of the least-squares weights is first order in |v|, not in |v| times the condition of the rows."""
    rng = np.random.default_rng(1)
    rows = np.eye(4) + 1e-3 * rng.normal(size=(30, 4, 4))  # nearly right angles, and then one row close to another
    rows[:, 3] = rows[:, 2] + 1e-4 * rng.normal(size=(30, 4))
    rows /= np.linalg.norm(rows, axis=2)[:, :, None]
    v = -(rng.uniform(1.0, 2.0, size=(30, 1, 4)) @ rows)[:, 0]  # in the polar cone: the projection is 0
    assert lengths(v, rows, project_together(v, rows, 0.0)).max() <= 1e-13


def test_equal_rows_and_no_rows():
    v = np.array([[-1.0, 1e-3], [-1.0, -1.0]])
    rows = np.broadcast_to(np.array([1.0, 0.0]), (2, 5, 2))
    found = lengths(v, rows, project_together(v, rows, 0.0))
    np.testing.assert_allclose(found, [1e-3, 1.0], rtol=1e-12)
    assert project_together(v, np.empty((2, 0, 2)), 0.0).shape == (2, 0)


@pytest.mark.parametrize("scale", [1.0, 1e-10])
@pytest.mark.parametrize("seed", range(6))
def test_only_cells_on_which_the_claim_is_true_are_settled(seed, scale):
    """In exact arithmetic, cell by cell; `scale` makes the payoffs small beside the terms that they consist of."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(5, 3))
    X, y = np.vstack([X, X + scale * rng.normal(size=X.shape)]), np.repeat([1.0, -1.0], 5)
    feature = {"name": "leaky", "degree": 1, "right": 1.0, "left": -0.25}
    classifier, p = {"directions": np.eye(3)[:1].tolist(), "weights": [1.0]}, np.full(10, 0.1)
    settled_all, false_all = 0, 0
    for share in (0.01, 0.1, 0.5):
        document = certificate(X, y, classifier, p, (0.0, share * scale), bias=False, feature=feature)
        pieces = make_pieces(read_claim(document, X, y))
        cells = np.unique(np.sign(rng.normal(size=(300, 3)) @ pieces.normals.T).astype(np.int8), axis=0)
        settled = linear_cells(pieces)._settled_together(cells, 1)
        for cell, done in zip(cells, settled, strict=True):
            lines = pieces.lines * cell.astype(int).astype(object)[:, None]
            residual = project_exactly(pieces.exact_form(cell), lines, [], F(-1))
            false = sum(x * x for x in residual) > pieces.bound**2
            assert not (done and false)
            settled_all, false_all = settled_all + done, false_all + false
    assert settled_all and false_all
