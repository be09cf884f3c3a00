"""Badly scaled inputs in D <= 3: what exact arithmetic would certify is certified, and the referee agrees."""

from __future__ import annotations

import numpy as np
import pytest

import maxmargin as mm
from maxmargin.check import check_certificate
from maxmargin.errors import SolverError
from maxmargin.outcome import Status
from maxmargin.solvers import column_generation
from maxmargin.solvers.proposal import FAILED

YEARS = 2000.0 + np.arange(8.0)
FOUR = np.array([-2.0, -1.0, 0.5, 3.0])


def alternating(n: int) -> np.ndarray:
    return np.where(np.arange(n) % 2, 1.0, -1.0)


def two(r: float, s: float, angle: float) -> np.ndarray:
    return np.array([[r, 0.0], [s * np.cos(angle), s * np.sin(angle)]])


ROWS = {
    "years": (YEARS[:, None], {}),
    "years squared": (YEARS[:, None], {"feature": "squared-relu"}),
    "1000+i": (YEARS[:, None] - 1000.0, {}),
    "four, 1e6": (1e6 * FOUR[:, None], {}),
    "four, 1e8": (1e8 * FOUR[:, None], {}),
    "four, 1e10": (1e10 * FOUR[:, None], {}),
    "norms 1, 2.5": (two(1.0, 2.5, 1e-6), {"bias": False}),
    "n = 100, d = 1": (np.random.default_rng(0).normal(size=(100, 1)), {}),
    "n = 100, d = 1, squared": (np.random.default_rng(0).normal(size=(100, 1)), {"feature": "squared-relu"}),
    "years and a normal feature": (
        np.column_stack([2000.0 + np.arange(12.0), np.random.default_rng(0).normal(size=12)]),
        {},
    ),
    "n = 30, d = 2, squared": (
        np.random.default_rng(0).normal(size=(30, 2)),
        {"bias": False, "feature": "squared-relu"},
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_scales_cost_no_digits(name):
    X, options = ROWS[name]
    y = alternating(len(X))
    certificate = mm.max_margin((X, y), **options)
    assert certificate.status is Status.CERTIFIED
    assert certificate.relative_gap <= 1e-9
    assert check_certificate(certificate.to_json(), X, y).holds


@pytest.mark.parametrize("angle", [1e-6, 1e-3, 1.0, 2.0, np.pi])
@pytest.mark.parametrize("feature", ["relu", "squared-relu"])
def test_two_points_of_norms_1e_3_and_1e3(feature, angle):
    """C3 (path): s r1 r2/(r1 + r2), s = sin(angle) up to a right angle, else 1; for squared ReLU nearly r1^2 s."""
    X, y = two(1e-3, 1e3, angle), alternating(2)
    certificate = mm.max_margin((X, y), bias=False, feature=feature, convention="path")
    s = np.sin(angle) if angle <= np.pi / 2 else 1.0
    gamma = s / (1e3 + 1e-3) if feature == "relu" else s * 1e-6
    assert certificate.relative_gap <= 1e-9
    assert certificate.lower == pytest.approx(gamma, rel=1e-9 if feature == "relu" else 1e-5)
    assert check_certificate(certificate.to_json(), X, y).holds


def test_margins_scale_with_the_data():
    """X -> c X without a bias, c a power of two, scales both ends exactly."""
    X, y = np.random.default_rng(3).normal(size=(20, 2)), alternating(20)
    one, other = (mm.max_margin((c * X, y), bias=False) for c in (1.0, 2.0**40))
    assert other.lower == pytest.approx(2.0**40 * one.lower, rel=1e-14)
    assert other.upper == pytest.approx(2.0**40 * one.upper, rel=1e-14)


def test_nothing_promises_more_than_rounding():
    """XOR of side 1e-12 beside a bias of one: no candidate of the enumeration is above its rounding."""
    X = 1e-12 * np.array([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]])
    certificate = mm.max_margin((X, np.array([-1.0, -1.0, 1.0, 1.0])))
    assert 0.0 <= certificate.lower <= np.sqrt(2.0) / 8.0 * 1e-12 * (1 + 1e-9) <= certificate.upper


@pytest.mark.parametrize("draw", [5, 21, 34, 38])
def test_tiny_inputs_beside_a_bias_are_not_called_interrupted(draw):
    """Nobody interrupted: HiGHS had given up on entries 1e11 times the margin."""
    rng = np.random.default_rng(0)
    for _ in range(draw + 1):
        X = rng.normal(size=(12, 2)) * 1e-10
    certificate = mm.max_margin((X, alternating(12)))
    assert certificate.status in (Status.CERTIFIED, Status.BRACKETED)
    assert certificate.relative_gap < 1e-4


def test_a_solver_that_fails_is_on_record_and_does_not_interrupt(monkeypatch):
    def fail(*_):
        raise SolverError("master LP: HiGHS ended with 'Not Set'")

    monkeypatch.setattr(column_generation.Master, "solve", fail)
    certificate = mm.max_margin("xor")
    assert certificate.status is Status.BRACKETED
    assert certificate.lower <= np.sqrt(2.0) / 8.0 <= certificate.upper
    statuses = [attempt.status for attempt in certificate.attempts]
    assert "master LP: HiGHS ended with 'Not Set'" in statuses and FAILED in statuses


def test_the_engines_run_on_one_blas_thread():
    from threadpoolctl import threadpool_info

    threads = set()

    def look(_line):
        threads.update(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")

    mm.max_margin("xor", progress=look)
    mm.max_margin("xor", directions=np.eye(3), progress=look)
    assert threads == {1}


def test_points_on_one_ray_are_not_separable_however_close():
    """D = 1: the LP's optimum is zero, which no unit resolves; the adversary must be found to the last digits."""
    X = np.array([[10000.00025959], [9999.99987137], [10000.00051999]])
    for feature in ("relu", "squared-relu"):
        certificate = mm.max_margin((X, np.array([-1.0, 1.0, 1.0])), bias=False, feature=feature)
        assert certificate.status is Status.NOT_SEPARABLE
        assert certificate.upper <= 1e-14 * 1e8
