"""A leaf of the lifted relaxation: the isometry that stands behind its projection on the moment matrices."""

import numpy as np
import pytest

from maxmargin.oracles.lifted.inequality import Split, _times, leaf_forms
from maxmargin.oracles.lifted.leaf import LiftedBlock


@pytest.mark.parametrize("splits", [0, 1, 3, 7])
def test_the_projection_is_that_of_an_isometry_with_the_range_of_all_forms(splits):
    rng = np.random.default_rng(splits)
    Z = rng.standard_normal((7, 4))
    Z /= np.linalg.norm(Z, axis=1, keepdims=True)
    path = tuple(Split(k, Z[k], 1 if k % 2 else -1) for k in range(splits))
    block = LiftedBlock(Z, 1, path)
    L = block.forms.L
    T = np.vstack([np.eye(1 + 4, L.shape[1]), L])
    Q = block.compressed(np.eye(block.order))
    np.testing.assert_allclose(Q.T @ Q, np.eye(Q.shape[1]), atol=1e-14)  # some rounding errors
    np.testing.assert_allclose(Q @ (Q.T @ T), T, atol=1e-14)
    M = rng.standard_normal((Q.shape[1], 3))
    np.testing.assert_allclose(block.expanded(M), Q @ M, atol=1e-14)
    for shift in (-3.0, 3.0):  # few positive eigenvalues, many
        block.V = rng.standard_normal((block.order, block.order)) - shift * np.eye(block.order)
        X = Q.T @ (0.5 * (block.V + block.V.T)) @ Q
        values, vectors = np.linalg.eigh(-X)
        wanted = Q @ (vectors * np.maximum(values, 0.0)) @ vectors.T @ Q.T
        np.testing.assert_allclose(block.project_moments(), wanted, atol=1e-12)


@pytest.mark.parametrize("splits", [0, 2, 6])
def test_products_with_the_forms_are_those_of_their_matrix(splits):
    rng = np.random.default_rng(splits)
    Z = rng.standard_normal((6, 3))
    L = leaf_forms(Z, tuple(Split(k, Z[k], -1) for k in range(splits))).L
    N = rng.standard_normal((4, len(L)))
    for forms in (L, np.abs(L)):  # both occur: the matrix, and the bound on its rounding errors
        np.testing.assert_allclose(_times(N, forms, 3), N @ forms, atol=1e-14)  # some rounding errors
