"""More coordinates than points: everything happens in the span of the points, and holds in all of R^D."""

from __future__ import annotations

import time

import numpy as np
import pytest

import maxmargin as mm
from maxmargin.features import RELU, SQUARED_RELU, Feature
from maxmargin.oracles import spectral
from maxmargin.oracles.lifted import inequality
from maxmargin.oracles.lifted.branch import tighten
from maxmargin.oracles.lifted.root import lifted_bound
from maxmargin.oracles.proofs import proved_bound
from maxmargin.oracles.span import Span
from maxmargin.oracles.spectral import SpectralOracle

LEAKY = Feature("leaky", 1, 1.0, -0.2)


def wide(n=10, D=60, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, D)), np.where(np.arange(n) % 2 == 0, 1.0, -1.0)


def payoff(Z, q, feature, A):
    return np.abs(feature.evaluate(A, Z) @ q).max()


@pytest.mark.parametrize("feature", [RELU, SQUARED_RELU, LEAKY], ids=lambda feature: feature.name)
def test_the_span_loses_no_more_than_it_says(feature):
    Z, y = wide()
    Z[3] = 1e-3 * Z[2] + 1e-12 * Z[3]  # nearly parallel rows
    span, rng = Span.of(Z), np.random.default_rng(1)
    assert (np.linalg.norm(Z - span.X[:, :-1] @ span.basis, axis=1) <= span.errors).all()
    assert (span.errors < 1e-13 * np.linalg.norm(Z, axis=1).max()).all() and span.stretch < 1.0 + 1e-12
    A = rng.standard_normal((400, Z.shape[1]))
    A = np.vstack([A, Z]) / np.linalg.norm(np.vstack([A, Z]), axis=1)[:, None]
    q = y * rng.dirichlet(np.ones(len(y)))
    inside = payoff(span.X, q, feature, span.coordinates(A))
    assert inside == pytest.approx(payoff(Z, q, feature, A), rel=1e-12)
    assert payoff(Z, q, feature, A) <= span.bound(inside, q, feature)
    B = rng.standard_normal((50, span.X.shape[1]))
    lifted = span.lift(B)
    np.testing.assert_allclose(np.linalg.norm(lifted, axis=1), 1.0, rtol=1e-14)
    np.testing.assert_allclose(
        lifted @ Z.T, (B / np.linalg.norm(B[:, :-1], axis=1)[:, None]) @ span.X.T, atol=1e-12 * np.abs(Z).max()
    )


@pytest.mark.parametrize("feature", [RELU, SQUARED_RELU, LEAKY], ids=lambda feature: feature.name)
def test_a_spectral_proof_from_the_span_is_one_for_all_coordinates(feature):
    Z, y = wide()
    p = np.where(np.arange(10) < 8, 0.125, 0.0)
    answer = SpectralOracle(Z, feature)(p * y)
    assert proved_bound(Z, y, feature, p, answer.proof) == answer.bound
    assert spectral.verify(Z, y, feature, p, answer.proof) == pytest.approx(answer.bound, rel=1e-10)
    A = np.random.default_rng(0).standard_normal((2000, 60))
    A = np.vstack([A, (p * y) @ Z, -(p * y) @ Z])
    assert payoff(Z, p * y, feature, A / np.linalg.norm(A, axis=1)[:, None]) <= answer.bound
    narrow = SpectralOracle(np.hstack([Z[:, :9], np.zeros((10, 1))]), feature)(p * y)
    padded = SpectralOracle(np.hstack([Z[:, :9], np.zeros((10, 51))]), feature)(p * y)
    assert padded.bound == pytest.approx(narrow.bound, rel=1e-3)  # twelve rounds, from the mean of all directions


@pytest.mark.parametrize("bound", [lifted_bound, tighten])
def test_a_lifted_proof_from_the_span_is_one_for_all_coordinates(bound):
    Z, y = wide(8, 40)
    p = np.where(np.arange(8) < 6, 1 / 6, 0.0)
    limit = {"iterations": 200} if bound is lifted_bound else {"max_rounds": 3}
    found = bound(Z, y, RELU, p=p, **limit)
    assert found.proof["kind"] == inequality.KIND
    assert proved_bound(Z, y, RELU, found.adversary, found.proof) == pytest.approx(found.bound, rel=1e-9)
    assert inequality.verify(Z, y, RELU, found.adversary, found.proof) == pytest.approx(found.bound, rel=1e-7)
    A = np.random.default_rng(0).standard_normal((2000, 40))
    assert payoff(Z, found.adversary * y, RELU, A / np.linalg.norm(A, axis=1)[:, None]) <= found.bound


def test_a_rotation_into_many_coordinates_changes_nothing():
    narrow = mm.load("clusters:n=24,d=4,k=2,seed=0")
    Q = np.linalg.qr(np.random.default_rng(0).standard_normal((80, 80)))[0][: narrow.d]
    options = {"bias": False, "branching_rounds": 2}
    expected = mm.max_margin(narrow, **options)
    found = mm.max_margin((narrow.X @ Q, narrow.y), **options)
    assert found.lower <= expected.upper * (1 + 1e-12) and expected.lower <= found.upper * (1 + 1e-12)
    assert found.lower == pytest.approx(expected.lower, rel=1e-6)
    assert mm.check_certificate(found.to_json(), narrow.X @ Q, narrow.y).holds


def test_a_limit_holds_on_wide_data():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((40, 1500)), np.where(rng.random(40) > 0.5, 1.0, -1.0)
    certificate = mm.max_margin((X, y), time_limit=1.0)
    assert 0.0 < certificate.lower < certificate.upper < 1.5 * certificate.lower


def test_a_limit_holds_for_few_points_of_squared_relu():
    """Five points can be enumerated, but not with (D, D) integers in two seconds: a cheaper proof has to do."""
    X, y = np.random.default_rng(4).standard_normal((5, 2000)), np.array([1.0, -1.0, 1.0, -1.0, 1.0])
    start = time.process_time()
    certificate = mm.max_margin((X, y), feature="squared-relu", time_limit=2.0)
    assert time.process_time() - start < 6.0  # it was 11 s
    assert 0.0 < certificate.lower <= certificate.upper < 1.1 * certificate.lower
