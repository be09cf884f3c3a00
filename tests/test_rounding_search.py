"""What the enumeration may not take on trust: slopes, ties and angles of mere rounding, and what it has moved."""

from dataclasses import replace
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from oracle_reference import dot, exact_maximum, exact_payoffs, random_directions

from maxmargin.clock import Clock, Work
from maxmargin.features import Feature
from maxmargin.oracles.enumeration import degree1, degree2
from maxmargin.oracles.enumeration.critical_points import interiors, linear_forms
from maxmargin.oracles.enumeration.degree1 import ExtendedArrangementOracle
from maxmargin.oracles.enumeration.degree2 import QuadraticCellOracle
from maxmargin.oracles.enumeration.faces import faces, slopes
from maxmargin.oracles.enumeration.great_circles import arcs, circles, further_flags, height
from maxmargin.oracles.enumeration.lines import rays
from maxmargin.oracles.enumeration.pool import Maxima
from maxmargin.outcome import Scope

ABS, ODD_SQUARE = Feature("abs", 1, 1.0, 1.0), Feature("odd", 2, 1.0, -1.0)


def units(rng, n, D):
    X = rng.normal(size=(n, D))
    return X / np.linalg.norm(X, axis=1)[:, None]


def test_lines_that_floats_tell_apart_are_lines_of_their_own():
    z = np.array([0.6, 0.0, 0.8])
    for angle, count in ((2.0**-45, 2), (2.0**-42, 2), (0.0, 1)):
        assert len(rays(np.array([z, z + [0.0, angle, 0.0]])).X) == count


def test_a_tie_of_two_crossings_is_not_trusted():
    """Three hyperplanes through one point of the circle, rotated so that they meet up to rounding only."""
    seen = 0
    for seed in range(20):
        R = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
        X = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.6, 0.8, 0.0], [0.3, 0.4, np.sqrt(0.75)]]) @ R
        block = arcs(X, np.array([[2]]))
        assert not slopes(block, X).sure[np.isin(block.crossing, (0, 1))].any()
        seen += len(block.T)
    assert seen == 20


def test_a_hyperplane_that_nearly_contains_the_circle_is_not_trusted():
    rng = np.random.default_rng(0)
    X = units(rng, 5, 3)
    assert slopes(arcs(X, np.array([[4]])), X).sure.all()
    X[3] = X[4] + 1e-7 * X[0]
    X[3] /= np.linalg.norm(X[3])
    block = arcs(X, np.array([[4]]))
    sure = slopes(block, X).sure
    assert sure.any() and not sure[block.crossing == 3].any()
    X[[0, 3]] = X[[3, 0]]  # now it is the one at infinity
    assert not slopes(arcs(X, np.array([[4]])), X).sure.any()


def test_a_circle_on_which_the_height_hardly_changes_is_not_trusted():
    """The height and the hyperplane at infinity agree on the circle's plane, up to rounding."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X = units(rng, 5, 3)
        X[2] = height(3) - 0.7 * X[0]
        X[2] /= np.linalg.norm(X[2])
        assert not slopes(arcs(X, np.array([[2]])), X).sure.any()


@pytest.mark.parametrize("N", [4, 6, 9])
def test_in_general_position_every_cell_is_visited_from_its_lowest_vertex(N):
    """N planes make N (N - 1)/2 + 1 cells up to a -> -a in R^3; N - 2 are seen from both sides of infinity."""
    X = units(np.random.default_rng(N), N, 3)
    visits = 0
    for T in circles(N, 3):
        block = arcs(X, T)
        slope = slopes(block, X)
        assert slope.sure.all()
        visits += len(faces(block, slope, ()).at)
    assert visits == N * (N - 1) // 2 + 1 + (N - 2)


def test_all_orders_of_a_crowded_circle_are_walked():
    X = np.array([[1.0, 0, 0, 0], [0, 1.0, 0, 0], [0.6, 0.8, 0, 0], [0, 0, 1.0, 0], [0, 0, 0, 1.0]])
    block = arcs(X, np.array([[0, 1], [3, 4]]))
    assert block.crowded.tolist() == [True, False]
    assert further_flags(block).tolist() == [list(order) for order in list(permutations([0, 1]))[1:]]


class Everything:
    """A pool that wants every candidate."""

    top = floor = -np.inf


def test_maximisers_inside_a_face_lie_on_its_hyperplanes_however_long_the_form():
    """v is 1e8 times as long as its projection: one projection leaves it 1e-8 off the face, two leave rounding."""
    worst, met = 0.0, 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        X = units(rng, 5, 4)
        h = np.r_[-1.0, 1e-9 * rng.normal(size=4)]
        block = arcs(X, np.array([[1, 0]]))
        forms = linear_forms(block, X, h, X[0] + 1e-8 * rng.normal(size=4))
        # position 1 of the flag is the hyperplane of x_0
        for found in interiors(forms, faces(block, slopes(block, X), (1,)), Everything()):
            met += len(found.A)
            worst = max(worst, float(np.abs(found.A @ X[0]).max(initial=0.0)))
    assert met > 10 and worst < 1e-14


def test_the_proved_maximum_covers_the_rounding_of_its_evaluation():
    """Sums that cancel, evaluated in extended precision and rounded to a float: never below the exact value."""
    for seed in range(60):
        rng = np.random.default_rng(seed)
        X, h = units(rng, 12, 3), rng.normal(size=12)
        h -= h.mean()
        pool = Maxima(
            lambda A, X=X, h=h: (np.abs(A @ X.T) @ h, np.zeros(len(A))),
            3,
            (float(np.abs(h).sum()), 16),
            count=1,
            separation=1e-4,
        )
        a = units(rng, 1, 3)
        pool.offer_anything(a)
        row = [Fraction(float(v)) for v in a[0]]
        exact = sum(
            Fraction(float(w)) * abs(dot(row, [Fraction(float(v)) for v in x])) for w, x in zip(h, X, strict=True)
        )
        assert abs(exact) <= Fraction(pool.proved())


def test_points_said_to_lie_on_a_circle_are_paid_for_by_their_distance():
    """Two opposite votes 4e-15 apart, in extended precision: all that is left is what the enumeration has moved."""
    for seed in range(60):
        rng = np.random.default_rng(seed)
        z = rng.normal(size=3)
        Z = np.array([z, z + 3e-15 * rng.normal(size=3), rng.normal(size=3)])
        q = np.array([0.5, -0.5, 1e-18])
        assert exact_maximum(Z, q, ABS) <= Fraction(ExtendedArrangementOracle(Z, ABS)(q).bound)


def test_quadratic_payoffs_that_cancel_are_bounded():
    """Pairs of opposite votes 1e-4 apart: the payoff is 1e-4 of its terms, whose rounding the slack pays for."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        z = rng.normal(size=(2, 3))
        Z = np.vstack([z, z + 1e-4 * rng.normal(size=(2, 3))])
        q = np.array([0.5, 0.5, -0.5, -0.5]) / 2.0
        response = QuadraticCellOracle(Z, ODD_SQUARE)(q)
        near = response.directions[:1] + 1e-9 * random_directions(3, 6)
        paid = max(exact_payoffs(Z, q, ODD_SQUARE, np.vstack([response.directions[:2], near])))
        assert paid <= Fraction(response.bound)


def test_a_cone_of_maximisers_is_found_by_its_extreme_rays():
    """Four points at equal angles around an axis, a tight frame: g = 4/3 on the cone where all are active."""
    theta = np.arctan(np.sqrt(2.0))
    phi = 0.5 * np.pi * np.arange(4)
    frame = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.full(4, np.cos(theta))], axis=1)
    for seed in range(10):
        R = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
        relu2 = Feature("relu2", 2, 1.0, 0.0)
        bound = QuadraticCellOracle(frame @ R, relu2)(np.ones(4)).bound
        axis = (np.array([[0.0, 0.0, 1.0]]) @ R) / 1.0
        truth = max(exact_payoffs(frame @ R, np.ones(4), relu2, axis))
        assert truth <= Fraction(bound) <= truth * (1 + Fraction(1, 10**12))


def test_a_cell_of_which_nothing_could_be_said_raises_the_bound_and_lowers_the_scope(monkeypatch):
    run = degree2._Search.run

    def unsure(self, *arguments):
        return run(self, *arguments)[0], 7.0

    monkeypatch.setattr(degree2._Search, "run", unsure)
    response = QuadraticCellOracle(np.eye(3), ODD_SQUARE)(np.ones(3) / 3.0)
    assert response.bound >= 7.0 and response.scope == Scope.SPHERE_BOUND


def test_what_was_moved_is_added_to_the_bound(monkeypatch):
    """Distances of hyperplanes from circles, and of points from their lines, are not forgotten on the way."""
    X, h, ell = units(np.random.default_rng(0), 5, 3), np.ones(5), np.zeros(3)
    limits, exact_arcs = degree1.Limits(1, 1e-4, Clock(), Work()), degree1.arcs
    plain = degree1.maximise(X, h, ell, limits)[1]
    monkeypatch.setattr(degree1, "arcs", lambda X, T: replace(exact_arcs(X, T), residual=1e-3))
    assert degree1.maximise(X, h, ell, limits)[1] >= plain + 1.99e-3 * 5.0
    for module, oracle, feature in (
        (degree1, ExtendedArrangementOracle, ABS),
        (degree2, QuadraticCellOracle, ODD_SQUARE),
    ):
        monkeypatch.undo()
        bound, exact_kinks = oracle(X, feature)(h).bound, module.kinks
        monkeypatch.setattr(module, "kinks", lambda *a, f=exact_kinks: replace(f(*a), moved=f(*a).moved + 1e-3))
        assert oracle(X, feature)(h).bound >= bound + 0.99e-3


def test_multiple_eigenvalues_alone_find_the_cone_of_maximisers(monkeypatch):
    """Without any single eigenvector, the extreme rays of eigenspace and cell still bound g = 1 on a rotated octant."""
    monkeypatch.setattr(degree2.Maxima, "offer", lambda self, found: None)
    for seed in (1, 3, 4):  # in the frame np.eye(3) the fallback direction solves the cell by itself
        frame, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((3, 3)))
        assert QuadraticCellOracle(frame, Feature("relu2", 2, 1.0, 0.0))(np.ones(3)).bound >= 1.0


def test_an_angle_below_the_clear_ones_is_not_trusted_even_where_slopes_look_sure():
    """A hyperplane 1e-6 from the circle: its slopes are quotients of rounding."""
    looked_sure = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        X = units(rng, 5, 3)
        X[1] = X[4] + 2e-6 * rng.normal(size=3)
        X[1] /= np.linalg.norm(X[1])
        block = arcs(X, np.array([[4]]))
        clear = float(np.sqrt(block.edges[1] ** 2 + block.edges[2] ** 2).min())
        if clear < 1e-5:
            looked_sure += 1
            assert not slopes(block, X).sure[block.crossing == 1].any()
    assert looked_sure > 50
