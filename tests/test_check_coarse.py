"""The referee's error terms, seen through a coarse unit roundoff: each counts its roundings and leans outwards."""

import math
from fractions import Fraction as F
from types import SimpleNamespace

import numpy as np
import pytest

from maxmargin.check import dictionary, interpolant, linear, precise, quadratic, relaxation, spectral
from maxmargin.check.cells import Batch
from maxmargin.check.claim import Activation


def coarse(monkeypatch, module, u):
    """k roundings are k u."""
    monkeypatch.setattr(module, "relative_error", lambda terms: u * terms)


def test_a_frame_tilts_by_the_roundings_over_the_length_that_is_left():
    """q = y/|y| for a computed y within (2 tilt + u) of the true one errs by 2 (2 tilt + u) / |y|."""
    unit, angle = 1e-3, 0.1
    first, second = np.array([[1.0, 0.0, 0.0]]), np.array([[math.cos(angle), math.sin(angle), 0.0]])
    frame, tilt = linear._extended([], np.zeros(1), first, unit)
    assert tilt[0] == pytest.approx(2.0 * unit)
    frame, tilt = linear._extended(frame, tilt, second, unit)
    assert tilt[0] == pytest.approx(2.0 * unit + 10.0 * unit / math.sin(angle))
    np.testing.assert_allclose(frame[1], [[0.0, 1.0, 0.0]], atol=1e-12)


@pytest.mark.parametrize(("angle", "left_open"), [(0.1, True), (np.pi / 2, False)])
def test_a_face_between_nearly_parallel_planes_needs_more_distance(angle, left_open, monkeypatch):
    """|P v| = 0.9 below the bound 1 settles the faces of orthogonal planes, not those of a narrow wedge."""
    coarse(monkeypatch, linear, 1e-3 / 112)  # of 16 D + 64 = 112 roundings
    normals = np.array([[1.0, 0.0, 0.0], [math.cos(angle), math.sin(angle), 0.0]])
    batch = Batch(np.full((1, 4, 3), [0.0, 0.0, 0.9]), np.array([[0, 1]]), np.zeros((1, 2), dtype=np.int8))
    found = list(linear.open_faces(batch, normals, 1.0, 0.0))
    assert any(len(cells) for _, cells in found) == left_open


def test_the_distance_of_a_top_space_counts_its_roundings(monkeypatch):
    """V = diag(0, 1, 3), k = 1: (4D + 16) D 2|V| u and twice the defect (2D + 8) D u, over the gap that they leave."""
    u, D = 1e-6, 3
    coarse(monkeypatch, quadratic, u)
    V, vectors, values = np.diag([0.0, 1.0, 3.0]), np.eye(3), np.array([0.0, 1.0, 3.0])
    size = math.sqrt(10.0)
    rounding, defect = (4 * D + 16) * u * D * size * 2.0, (2 * D + 8) * u * D
    gap = 2.0 - 2.0 * (rounding + size * defect)
    wanted = 2.0 * defect + 1.01 * rounding / gap
    assert quadratic._distance(V, values, vectors, 1) == pytest.approx(wanted, rel=1e-12)
    assert quadratic._distance(V, values, vectors, 3) == pytest.approx(2.0 * defect, rel=1e-12)
    turned = np.array([[math.cos(1e-3), -math.sin(1e-3)], [math.sin(1e-3), math.cos(1e-3)]])
    coarse(monkeypatch, quadratic, 0.0)  # the angle itself: |R| = 2 sin at a gap of 2, times the margin of 1.01
    found = quadratic._distance(np.diag([-1.0, 1.0]), np.array([-1.0, 1.0]), turned, 1)
    assert 1e-3 <= found <= 1.02e-3
    assert quadratic._distance(np.eye(2), np.ones(2), np.eye(2), 1) == math.inf


def test_a_contradiction_between_normals_has_to_exceed_distance_and_roundings(monkeypatch):
    """u and -u in one line: |nu u| = 0 leaves 2 (eta + 80 u) to be exceeded by sqrt(2) (1 - eta) - 2 eta."""
    local, rows, nu = np.array([[1.0], [-1.0]]), np.array([0, 1]), np.ones(2)
    for unit, eta, proved in ((0.0, 0.1, True), (0.3 / 80, 0.0, True), (0.3 / 80, 0.3, False), (0.5 / 80, 0.0, False)):
        coarse(monkeypatch, quadratic, unit)
        assert quadratic._contradiction(local, rows, nu, eta, 1) == proved


def test_a_tilted_eigenvector_still_covers_a_large_eigenvalue():
    """V = diag(1000, 0), U = 100, w at sin^2 = 0.055: U I - V + c w w' is definite from c = 2000 on, below 4 |V|_1."""
    sine = math.sqrt(0.055)
    V = np.array([[1000, 0], [0, 0]], dtype=object)
    assert quadratic._at_most(F(100), V, np.array([[math.sqrt(1.0 - 0.055)], [sine]]))
    assert not quadratic._at_most(F(100), V, np.array([[0.0], [1.0]]))
    assert not quadratic._at_most(F(-1), V, np.array([[1.0], [0.0]]))


def test_a_reach_has_to_exceed_the_roundings(monkeypatch):
    """D = 3, e_3 the top vector, normals +-0.125 e_3 + ...: 0.9 * 0.125 = 0.1125 against 112 u at u = 1e-3."""
    coarse(monkeypatch, quadratic, 1e-3)
    vectors, k, cells = np.eye(3)[None], np.array([1]), np.ones((1, 2), dtype=np.int8)
    for reach, off, proved in ((0.125, 0.0, True), (0.1244, 0.0, False), (0.125, 0.02, False)):
        normals = np.array([[1.0, 0.0, reach], [1.0, 0.0, -reach]])
        assert quadratic.outside(vectors, k, np.array([off]), cells, normals)[0] == proved


def test_the_distance_of_a_projector_is_its_commutator_over_the_gap():
    """Q = (0 d; d 1) and B = diag(1, -1): |QB - BQ|_F = sqrt(8) d, and Q B Q may exceed 0 by eps."""
    d, gap, eps = F(1, 1000), F(1, 8), F(1, 2**30)
    Q, B = [[F(0), d], [d, F(1)]], [[F(1), F(0)], [F(0), F(-1)]]
    found = precise._distance(Q, B, F(1), gap, 30)
    assert found == pytest.approx(
        (math.sqrt(8.0) * float(d) + 0.0) / float(gap) + math.sqrt(float(eps / gap)), rel=1e-8
    )
    assert precise._distance(Q, B, F(1), gap, 45) is None  # d^4 = 1e-12 is more than 2^-45


def test_points_without_a_variable_pay_at_most_their_length(monkeypatch):
    """0.25 * 3 * 5 of the one point left out, raised by 1 + 2 D + 16 roundings."""
    coarse(monkeypatch, relaxation, 1e-3)
    Z, p = np.array([[1.0, 0.0], [3.0, 4.0]]), np.array([0.75, 0.25])
    claim = SimpleNamespace(Z=Z, p=p, activation=Activation(1, 1.0, -3.0))
    found = relaxation._with_left_out(2.0, claim, np.array([1]))
    assert found == pytest.approx(2.0 + 3.75 * (1.0 + 21e-3), rel=1e-14)
    assert relaxation._with_left_out(2.0, claim, np.array([], dtype=np.intp)) == 2.0


def test_the_spectral_matrix_errs_by_the_sums_of_absolute_terms(monkeypatch):
    """Every entry by m + D + 24 roundings of what its terms add up to without their signs."""
    u, seen = 1e-6, []
    coarse(monkeypatch, spectral, u)
    monkeypatch.setattr(spectral, "lacking", lambda S, error, trace: seen.append((S, error)) or 0.0)
    Z, p, y = np.array([[1.0, -2.0], [0.5, 3.0]]), np.array([0.25, 0.75]), np.array([1.0, -1.0])
    claim = SimpleNamespace(Z=Z, p=p, y=y, activation=Activation(1, 1.0, -3.0))
    leaf = {"sign": 1, "value": 5.0, "rho": 2.0, "beta": [1.0, 2.0]}
    assert spectral._leaf_bound(claim, leaf, Z, np.arange(2)) == 5.0
    (S, error), q = seen[0], p * y
    weight = -2.0 * q  # right + left
    constant = 0.25 * max(weight[1], 0.0) * 2.0
    np.testing.assert_allclose(S[0], [5.0 - 2.0 - constant, *(-0.25 * 4.0 * (q @ Z))])
    terms = np.array([5.0 + 2.0 + constant, *(0.25 * 4.0 * (p @ np.abs(Z)))])
    np.testing.assert_allclose(error[0], (2 + 2 + 24) * u * 1.001 * terms, rtol=1e-9)
    np.testing.assert_allclose(error[1:, 0], error[0, 1:])
    curvature = np.array([0.5 * weight[0] / np.linalg.norm(Z[0]), 0.25 * weight[1] / 2.0])  # concave, and with beta = 2
    np.testing.assert_allclose(S[1:, 1:], 2.0 * np.eye(2) - (Z.T * curvature) @ Z)
    terms = 2.0 * np.eye(2) + (np.abs(Z).T * np.abs(curvature)) @ np.abs(Z)
    np.testing.assert_allclose(error[1:, 1:], (2 + 2 + 24) * u * 1.001 * terms, rtol=1e-9)


def test_a_top_space_counts_the_roundings_of_its_residuals(monkeypatch):
    """V = diag(0, 1, 3), U = 2: (4D + 16) D 2|V| u over U - 0 and U - 1, and twice the defect (2D + 8) D u."""
    u, D, slack = 1e-6, 3, 1e-3
    coarse(monkeypatch, quadratic, u)
    _, k, off = quadratic.top_space(np.diag([0.0, 1.0, 3.0])[None], slack, 2.0)
    residual = (4 * D + 16) * u * D * math.sqrt(10.0) * 2.0 + slack
    assert k == [1]
    assert off[0] == pytest.approx(1.02 * residual * math.hypot(0.5, 1.0) + 2.0 * (2 * D + 8) * u * D, rel=1e-12)
    # eigenvalues within 1e-6 |V| of the bound count as above it
    for bound, count in ((1.0 + 1e-6, 2), (1.0 + 1e-5, 1), (3.0 + 1e-6, 1), (3.0 + 1e-5, 0)):
        assert quadratic.top_space(np.diag([0.0, 1.0, 3.0])[None], 0.0, bound)[1] == [count]


@pytest.mark.parametrize("degree", [1, 2])
def test_payoffs_of_a_dictionary_within_their_roundings_of_the_bound_are_compared_exactly(degree, monkeypatch):
    """e_1 earns 1/2 = 1/2 |z|^degree: 4 (n + degree D) + 20 roundings of reach + bound, here both 1/2 and more."""
    u = 1e-4
    coarse(monkeypatch, dictionary, u)
    claim = SimpleNamespace(Z=np.eye(2), y=np.ones(2), p=np.full(2, 0.5), activation=Activation(degree, 1.0, 0.0))
    roundings = (4 * (2 + degree * 2) + 20) * u
    edge = (0.5 + roundings * 0.5) / (1.0 - roundings)  # bound - 1/2 = roundings (1/2 + bound)
    directions = np.eye(2)[:1]
    assert dictionary._undecided(claim, directions, edge * (1.0 - 1e-6)) == [0]
    assert dictionary._undecided(claim, directions, edge * (1.0 + 1e-6)) == []
    longer = 2.0 * directions  # all terms grow with |a|^degree
    assert dictionary._undecided(claim, longer, edge * (1.0 - 1e-6)) == [0]
    assert dictionary._undecided(claim, longer, edge * (1.0 + 1e-6)) == []


def test_a_range_of_eigenvalues_counts_products_and_defects(monkeypatch):
    """V = diag(0, 1, 3) has no residual: what is left are (4 D^2 + 16) D |V| u and 4 |V| (2D + 4) D u on both sides."""
    u, D = 1e-6, 3
    coarse(monkeypatch, quadratic, u)
    top, bottom = quadratic.eigenvalue_range(np.diag([0.0, 1.0, 3.0])[None])
    spread = math.sqrt(10.0) * ((4 * D * D + 16) * D * u + 4.0 * (2 * D + 4) * D * u)
    assert (top[0], bottom[0]) == (pytest.approx(3.0 + spread, rel=1e-12), pytest.approx(-spread, rel=1e-9))


def test_a_least_eigenvalue_holds_for_every_matrix_within_the_rounding(monkeypatch):
    """Entries within 2^-50 of themselves, the shift within 2^-52: half the least eigenvalue at first."""
    seen = []
    monkeypatch.setattr(interpolant, "lacking", lambda S, error, trace: seen.append((S, error)) or 0.0)
    K = np.array([[2.0, 1.0], [1.0, 2.0]])
    assert interpolant._least_eigenvalue(K) == pytest.approx(0.5, rel=1e-12)
    S, error = seen[0]
    np.testing.assert_allclose(S, K - 0.5 * np.eye(2), rtol=1e-12)
    np.testing.assert_allclose(error, 2.0**-50 * K + 2.0**-52 * 0.5, rtol=1e-9)


def test_cells_are_settled_together_only_beyond_their_roundings(monkeypatch):
    """v = (-3, 1/2) on a.e_1 >= 0: |v + 3 e_1| = 1/2, and 8 (D + N) + 64 roundings of |v|_1 + 3 sqrt(2)."""
    u = 1e-4
    coarse(monkeypatch, linear, u)
    length = 0.5 * (1.0 + 1e-14) + 88 * u * (3.5 + 3.0 * math.sqrt(2.0)) + 1.001 * 0.01
    for bound, settled in ((length * (1.0 - 1e-9), False), (length * (1.0 + 1e-9), True)):
        pieces = SimpleNamespace(offset=np.zeros(2), float_bound=bound, error=np.array([0.0, 0.01]))
        pieces.float_forms = lambda cells: np.array([[-3.0, 0.5]])
        cells = linear.LinearCells(pieces, np.array([[1.0, 0.0]]), 0.0, False)
        assert cells._settled_together(np.ones((1, 1), dtype=np.int8), 1) == [settled]
