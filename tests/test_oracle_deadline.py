"""Enumeration within limits: special position enters its estimate, a deadline ends it with a valid weaker bound."""

from __future__ import annotations

import time

import numpy as np
import pytest

import maxmargin as mm
from maxmargin.clock import Clock
from maxmargin.features import RELU, SQUARED_RELU
from maxmargin.oracles.enumeration.degree1 import ArrangementOracle
from maxmargin.oracles.enumeration.degree2 import QuadraticCellOracle
from maxmargin.oracles.oracle import SPHERE_BOUND, SPHERE_EXACT
from maxmargin.oracles.proofs import proved_bound
from maxmargin.oracles.selection import enumerable, exact_oracle
from maxmargin.outcome import Status


@pytest.mark.parametrize("feature", [RELU, SQUARED_RELU])
def test_out_of_time_is_a_proved_bound_and_never_exact(feature):
    rng = np.random.default_rng(0)
    Z, q = rng.standard_normal((9, 4)), rng.standard_normal(9)
    in_time, late = exact_oracle(Z, feature)(q), exact_oracle(Z, feature, clock=Clock(0.0))(q)
    assert in_time.scope == SPHERE_EXACT
    assert late.scope == SPHERE_BOUND
    assert late.bound >= in_time.bound * (1 - 1e-12)
    assert late.proof is not None
    assert proved_bound(Z, np.ones(9), feature, q, late.proof) == pytest.approx(late.bound)


def test_up_to_three_dimensions_all_answers_come():
    rng = np.random.default_rng(0)
    late = exact_oracle(rng.standard_normal((9, 3)), RELU, clock=Clock(0.0))
    assert late(rng.standard_normal(9)).scope == SPHERE_EXACT


@pytest.mark.parametrize("oracle", [ArrangementOracle, QuadraticCellOracle])
def test_special_position_costs_more_than_general_position(oracle):
    """{-1, 1}^4 and a bias against 16 random points: the same number of hyperplanes, not the same amount of work."""
    cube, feature = mm.load("parity:d=4").inputs(True), RELU if oracle is ArrangementOracle else SQUARED_RELU
    general, p = np.random.default_rng(0).standard_normal(cube.shape), np.ones(16)
    assert oracle(general, feature).affordable(p, 2e4)
    assert not oracle(cube, feature).affordable(p, 2e4)


def test_points_in_special_position_are_certified_in_seconds():
    start = time.process_time()
    certificate = mm.max_margin("wei:d=5", bias=False, feature="squared-relu", convention="path")
    assert certificate.status is Status.CERTIFIED
    assert certificate.lower == pytest.approx(0.25, rel=1e-9)
    assert time.process_time() - start < 30.0


def test_a_time_limit_is_kept_by_the_enumeration():
    start = time.perf_counter()
    certificate = mm.max_margin("wei:d=5", bias=False, feature="squared-relu", convention="path", time_limit=0.5)
    assert time.perf_counter() - start < 5.0
    assert certificate.lower <= 0.25 <= certificate.upper


def test_few_points_are_enumerated_in_six_dimensions():
    """C6 (path): r/(sqrt 3 + sqrt 3) for 3 + 3 orthonormal points."""
    X, y = np.eye(6), np.repeat([1.0, -1.0], 3)
    assert enumerable(X, RELU, np.ones(6))
    certificate = mm.max_margin((X, y), bias=False, convention="path")
    assert certificate.status is Status.CERTIFIED
    assert certificate.lower == pytest.approx(0.5 / np.sqrt(3.0), rel=1e-9)
