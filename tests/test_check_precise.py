"""Cells of degree 2 that floats cannot settle, payoffs of 1e-12 beside a bias: eigenvectors in fractions."""

from fractions import Fraction

import numpy as np
import pytest
from check_support import refused

import maxmargin as mm
from maxmargin.check import check_certificate
from maxmargin.check.precise import _in_a_plane, _root, excluded_precisely, positive_eigenvalues

ODD_SQUARE = mm.Feature("odd-square", 2, 1.0, -1.0)


@pytest.mark.parametrize("D", [1, 2, 3, 5, 7])
def test_positive_eigenvalues_are_counted_exactly(D):
    rng = np.random.default_rng(D)
    for _ in range(20):
        A = rng.integers(-4, 5, size=(D, D))
        A = A + A.T
        values = np.linalg.eigvalsh(A)
        if np.abs(values).min() > 1e-9:
            assert positive_eigenvalues([[Fraction(int(x)) for x in row] for row in A]) == (values > 0.0).sum()
    singular = [[Fraction(int(i == j == 0)) for j in range(D)] for i in range(D)]
    assert positive_eigenvalues(singular) == 1


@pytest.mark.parametrize("scale", [1, 10**6, 10**12])
@pytest.mark.parametrize("D", [2, 3, 4])
def test_an_eigenvector_is_excluded_if_and_only_if_it_is_outside(D, scale):
    """One or two large eigenvalues, their eigenvectors known; normals that are parallel but for 1/scale."""
    outcomes = set()
    for seed in range(12):
        rng = np.random.default_rng(seed)
        k = 1 + seed % 2 if D > 2 else 1
        w = rng.integers(-5, 6, size=(k, D)).astype(object)
        # e.z_i in units where all but the last coordinate of the normals count little
        w[:, :-1] *= scale
        normals = np.hstack([rng.integers(-5, 6, size=(D + 2, D - 1)), np.full((D + 2, 1), scale)]).astype(object)
        V = sum(np.outer(row, row) for row in w)
        if np.linalg.matrix_rank(w.astype(float)) < k or not w.any(axis=1).all():
            continue
        bound = Fraction(1, 10**6)
        found = excluded_precisely(V, bound, normals)
        shadow = normals @ w.T  # of the span of the top eigenvectors
        if k == 1:
            outside = (shadow > 0).any() and (shadow < 0).any()
            assert found == outside
        else:
            angles = np.linspace(0.0, 2.0 * np.pi, 20_001)
            inside = (shadow.astype(float) @ np.linalg.pinv(w.astype(float) @ w.T.astype(float))) @ w.astype(float)
            unit = inside / np.maximum(np.abs(inside).max(), 1e-300)
            basis = np.linalg.svd(unit)[2][:2]
            heights = (unit @ basis.T) @ np.stack([np.cos(angles), np.sin(angles)])
            if found:
                assert heights.min(axis=0).max() < 1e-6
        outcomes.add((k, found))
    assert {found for _, found in outcomes} == {True, False}


def test_equal_eigenvalues_above_the_bound_in_three_dimensions_are_not_decided():
    assert not excluded_precisely(
        np.eye(4, dtype=int).astype(object), Fraction(1, 2), np.eye(4, dtype=int).astype(object)
    )
    assert excluded_precisely(np.eye(4, dtype=int).astype(object), Fraction(1), np.eye(4, dtype=int).astype(object))


@pytest.mark.parametrize("seed", [11, 24])
def test_certificates_of_tiny_features_beside_a_bias_hold_and_nothing_sharper_does(seed):
    n, d = 8, 2
    rng = np.random.default_rng(seed)
    X = 1e-6 * rng.normal(size=(n, d))
    y = np.where(rng.random(n) < 0.5, 1.0, -1.0)
    y[:2] = 1.0, -1.0
    certificate = mm.max_margin((X, y), feature=ODD_SQUARE, max_rounds=25, self_check=False)
    document = certificate.to_json()
    assert check_certificate(document, X, y).holds
    for factor in (0.999, 0.9):
        sharper = factor * min(certificate.lower, certificate.upper)
        if sharper > 0.0:
            false = {"lower": 0.0, "upper": sharper, "relative_gap": 1.0, "status": "bracketed"}
            assert refused(check_certificate(document | false, X, y))


@pytest.mark.parametrize("exponent", [-900, -3, 0, 5, 900])
def test_roots_of_squares_that_no_float_holds(exponent):
    assert _root(9 * Fraction(4) ** exponent) == 3.0 * 2.0**exponent


@pytest.mark.parametrize("scale", [1, 10**9])
def test_a_plane_is_excluded_if_and_only_if_the_normals_surround_it(scale):
    """Bases that are far from orthogonal, normals of any size."""
    rng, outcomes = np.random.default_rng(0), []
    for _ in range(60):
        w1 = rng.integers(-5, 6, 4)
        basis = [[Fraction(int(x)) for x in w] for w in (w1, 3 * w1 + rng.integers(-5, 6, 4))]
        normals = rng.integers(-5, 6, size=(5, 4)).astype(object)
        shadow = normals @ np.array(basis, dtype=object).T
        if not shadow.any(axis=1).all():
            continue
        angles = np.sort(np.arctan2(*shadow.astype(float).T))
        gap = np.diff(np.append(angles, angles[0] + 2.0 * np.pi)).max()
        if abs(gap - np.pi) > 1e-6:
            outcomes.append((_in_a_plane(scale * normals, basis, 1e-15), gap < np.pi))
    assert {wanted for _, wanted in outcomes} == {True, False}
    assert all(found == wanted for found, wanted in outcomes)
