"""Enumerations without a time limit end by their work: near duplicates multiply the faces that are looked at."""

import math
from math import comb

import numpy as np
import pytest
from oracle_reference import exact_maximum

import maxmargin as mm
from maxmargin.clock import OutOfTime, Work
from maxmargin.features import Feature
from maxmargin.games.measure import Measure
from maxmargin.oracles import selection
from maxmargin.oracles.enumeration.degree1 import ArrangementOracle
from maxmargin.oracles.enumeration.degree2 import QuadraticCellOracle
from maxmargin.oracles.enumeration.lines import TYPICAL
from maxmargin.oracles.oracle import Responses
from maxmargin.outcome import Reason, Scope
from maxmargin.solvers.column_generation import ColumnGeneration

RELU, ODD = Feature("relu", 1), Feature("odd-square", 2, 1.0, -1.0)
SQUARES = [Feature("square", 2, 1.0, 1.0), Feature("minus-square", 2, -0.5, -0.5)]


def test_each_part_of_the_work_has_its_own_limit():
    work = Work(10.0)
    for _ in range(3):
        work.begin()
        work.spend(10.0)
    with pytest.raises(OutOfTime):
        work.spend(1.0)
    work.begin(least=25.0)
    work.spend(25.0)
    assert work.done == 56.0


@pytest.mark.parametrize(("feature", "oracle"), [(RELU, ArrangementOracle), (ODD, QuadraticCellOracle)])
@pytest.mark.parametrize(("D", "N"), [(4, 16), (5, 14)])
def test_general_position_is_never_too_much(feature, oracle, D, N):
    """The work is that of about the faces: each once, so that `TYPICAL` of the crossings suffice."""
    rng = np.random.default_rng(D)
    exact = oracle(rng.normal(size=(N, D)), feature, work=Work(0.0))
    exact(rng.normal(size=N))
    assert comb(N, D - 2) <= exact.work.done <= TYPICAL * comb(N, D - 2) * N


def twins(n=16, D=5, apart=1e-7):
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(n // 2, D))
    return np.vstack([Z, Z + apart * rng.normal(size=Z.shape)]), np.repeat([0.1, -0.1], n // 2)


def test_near_duplicates_are_bounded_when_they_are_too_much(monkeypatch):
    Z, q = twins()
    known = selection.exact_oracle(Z, RELU)(q)
    assert known.scope is Scope.SPHERE_EXACT
    monkeypatch.setattr(selection, "FACES_LOOKED_AT", 1e3)
    oracle = selection.exact_oracle(Z, RELU)
    bounded = oracle(q)
    assert bounded.scope is Scope.SPHERE_BOUND and bounded.bound >= known.values[0]
    assert 1e3 < oracle.work_done < 1e6
    assert selection.exact_oracle(Z, RELU, mm.clock.Clock(60.0))(q).scope is Scope.SPHERE_EXACT  # then time decides


def test_a_hyperplane_with_a_twin_is_still_visited_from_lowest_vertices():
    """Only circles and vertices of twins are walked on all sides: a small multiple of the work in general position."""
    (Z, q), rng = twins(40, 4), np.random.default_rng(1)
    close, general = ArrangementOracle(Z, RELU), ArrangementOracle(rng.normal(size=Z.shape), RELU)
    close(q), general(rng.normal(size=len(q)))
    assert close.work.done < 3.0 * general.work.done


@pytest.mark.parametrize("D", [2, 3])
@pytest.mark.parametrize("apart", [1e-4, 1e-8, 1e-12])
def test_twins_have_the_maximum_of_exact_arithmetic(D, apart):
    Z, q = twins(6, D, apart)
    found = ArrangementOracle(Z, RELU)(q)
    exact = exact_maximum(Z, q, RELU)
    assert exact * (1 - 1e-12) - 1e-14 <= found.values[0] <= found.bound
    assert found.bound >= exact


@pytest.mark.parametrize("apart", [1e-3, 1e-6, 1e-9, 1e-12])
@pytest.mark.parametrize(("D", "n"), [(4, 20), (5, 14)])
def test_twins_seen_from_lowest_vertices_and_from_all_sides_agree(D, n, apart, monkeypatch):
    (Z, q), rng = twins(n, D, apart), np.random.default_rng(D)
    for weights in (q, q * rng.uniform(0.5, 1.5, n), np.abs(q)):
        once = ArrangementOracle(Z, RELU)(weights)
        with monkeypatch.context() as all_sides:
            all_sides.setattr("maxmargin.oracles.enumeration.faces.LEVEL", np.inf)
            walked = ArrangementOracle(Z, RELU)(weights)
        assert once.values[0] == pytest.approx(walked.values[0], rel=1e-11, abs=1e-15)
        assert once.bound >= walked.values[0]


@pytest.mark.parametrize("feature", SQUARES)
@pytest.mark.parametrize("D", [2, 4, 6])
def test_a_feature_without_kinks_has_one_form(feature, D):
    """sum_i q_i c (a.z_i)^2 = a'Qa: its maxima are at the ends of the spectrum of Q, however many points there are."""
    rng = np.random.default_rng(D)
    Z, q = rng.normal(size=(50, D)), rng.normal(size=50)
    oracle = QuadraticCellOracle(Z, feature)
    found, values = oracle(q), np.linalg.eigvalsh(feature.right * (Z.T * q) @ Z)
    wanted = sorted((v for v in (values[-1], -values[0]) if v > 0.0), reverse=True)
    np.testing.assert_allclose(found.values, wanted, rtol=1e-12)
    assert wanted[0] * (1 - 1e-14) <= found.bound <= wanted[0] * (1 + 1e-10)
    assert found.scope is Scope.SPHERE_EXACT and oracle.work.done == 0.0


class Slow:
    """An oracle whose bounds do not come nearer, or do by `factor` a round, at one unit of work a call."""

    def __init__(self, factor: float) -> None:
        self.work_done, self._bound, self._factor = 0.0, 1.0, factor

    def __call__(self, q, count=15):
        self.work_done, self._bound = self.work_done + 1.0, self._bound * self._factor
        angle = 0.1 * self.work_done
        a, value = np.array([[math.cos(angle), math.sin(angle)]]), 0.2 + self._bound
        return Responses(a, np.ones(1), np.array([value]), value, Scope.SPHERE_BOUND)


@pytest.mark.parametrize(("factor", "rounds"), [(1.0, (4, 9)), (0.8, (10, 30))])
def test_a_search_ends_when_much_work_halves_no_gap(factor, rounds):
    Z, y = np.array([[1.0, 0.2], [0.3, 1.0], [-1.0, 0.5]]), np.array([1.0, 1.0, -1.0])
    start = Measure(np.eye(2), np.array([0.5, -0.5]))
    options = ColumnGeneration(idle=4.0, max_rounds=30)
    found = options(Z, y, RELU, Slow(factor), start)
    assert rounds[0] <= found.rounds <= rounds[1]
    if factor == 1.0:
        assert found.reason is Reason.STALLED
    assert ColumnGeneration(max_rounds=30)(Z, y, RELU, Slow(factor), start).rounds >= 10
