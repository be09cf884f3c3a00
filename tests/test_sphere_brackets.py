"""Brackets over the whole sphere against an independent exact optimum, and against dictionaries."""

from __future__ import annotations

import numpy as np
import pytest
from activation_patterns import pattern_margin
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import maxmargin as mm
from maxmargin.features import RELU
from maxmargin.features.directions import random_directions
from maxmargin.outcome import Status


@st.composite
def games(draw) -> tuple[np.ndarray, np.ndarray]:
    """n <= 6 points in D <= 3, on a lattice half of the time: parallel, repeated and coplanar points included."""
    n, D = draw(st.integers(2, 6)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    Z = rng.integers(-2, 3, (n, D)).astype(float) if draw(st.booleans()) else rng.standard_normal((n, D))
    y = np.where(rng.random(n) < 0.5, -1.0, 1.0)
    y[:2] = -1.0, 1.0
    return Z, y


@pytest.mark.slow
@settings(max_examples=500, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(games())
def test_brackets_contain_the_pattern_optimum(game):
    """The finite convex program over enumerated activation patterns shares no code with column generation."""
    Z, y = game
    optimum = pattern_margin(Z, y, RELU)
    certificate = mm.max_margin((Z, y), bias=False, convention="path")
    assert certificate.lower <= optimum.upper * (1 + 1e-9) + 1e-12
    assert optimum.lower <= certificate.upper * (1 + 1e-9) + 1e-12
    assert certificate.status in (Status.CERTIFIED, Status.NOT_SEPARABLE)
    if certificate.status is Status.NOT_SEPARABLE:
        assert optimum.lower <= 1e-7


@settings(max_examples=60, deadline=None)
@given(games(), st.integers(0, 1000))
def test_a_dictionary_never_beats_the_sphere(game, seed):
    Z, y = game
    sphere = mm.max_margin((Z, y), bias=False)
    theta = random_directions(40, Z.shape[1], seed)
    small, large = (mm.max_margin((Z, y), bias=False, directions=part) for part in (theta[:20], theta))
    assert small.lower <= large.upper
    assert large.lower <= sphere.upper
