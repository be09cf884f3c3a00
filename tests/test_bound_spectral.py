"""The spectral bound holds for every q, is tight where it should be, and any numbers in its proof are valid."""

from __future__ import annotations

import numpy as np
import pytest

from maxmargin.features import RELU, SQUARED_RELU, Feature
from maxmargin.oracles.spectral import SpectralOracle, verify

FEATURES = (RELU, SQUARED_RELU, Feature("test-leaky", 1, 1.0, -0.1), Feature("test-uneven", 2, 1.0, -0.5))


@pytest.mark.parametrize("feature", FEATURES, ids=lambda f: f.name)
def test_bound_is_above_every_direction(feature):
    rng = np.random.default_rng(0)
    angles = np.linspace(0.0, 2.0 * np.pi, 3601)
    A = np.column_stack([np.cos(angles), np.sin(angles)])
    for _ in range(60):
        n = int(rng.integers(1, 9))
        Z, q = rng.standard_normal((n, 2)), rng.standard_normal(n) * rng.integers(0, 2, n)
        answer = SpectralOracle(Z, feature)(q)
        assert answer.bound >= np.abs(feature.evaluate(A, Z) @ q).max()
        assert answer.bound >= answer.values[0] * (1.0 - 1e-12)
        if answer.proof is None:
            assert not q.any()
            continue
        for leaf in answer.proof["signs"]:
            leaf["value"], leaf["rho"] = float(rng.normal()), float(rng.normal())
            leaf["beta"] = rng.exponential(size=len(leaf["beta"])).tolist()
        assert verify(Z, np.ones(n), feature, q, answer.proof) >= np.abs(feature.evaluate(A, Z) @ q).max()


def test_one_point_is_exact():
    """max |q (a.z)_+| = |q| |z| (closed form C1), and |q| |z|^2 for the squared ReLU."""
    z, q = np.array([[3.0, 4.0]]), np.array([-2.0])
    assert SpectralOracle(z, RELU)(q).bound == pytest.approx(10.0, rel=1e-5)
    assert SpectralOracle(z, SQUARED_RELU)(q).bound == pytest.approx(50.0, rel=1e-9)


def test_weights_on_nothing_pay_nothing():
    answer = SpectralOracle(np.zeros((2, 3)), RELU)(np.ones(2))
    assert answer.bound == 0.0
