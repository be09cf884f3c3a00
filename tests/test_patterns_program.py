"""The finite convex program over activation patterns agrees with the oracle, closed forms and combinatorics."""

from itertools import product
from math import comb

import numpy as np
import pytest
from activation_patterns import activation_patterns, pattern_margin
from scipy.optimize import linprog

from maxmargin.errors import InputError
from maxmargin.features import RELU, SQUARED_RELU, Feature
from maxmargin.oracles.enumeration.degree1 import ArrangementOracle


def cells(n, D):
    """Cover 1965: n hyperplanes through 0 in general position cut R^D into this many cells."""
    return 2 * sum(comb(n - 1, k) for k in range(D))


@pytest.mark.parametrize(("n", "D"), [(4, 1), (6, 2), (7, 3), (5, 4), (3, 3)])
def test_number_of_patterns_in_general_position(n, D):
    Z = np.random.default_rng(n).normal(size=(n, D))
    assert len(activation_patterns(Z)) == cells(n, D)


@pytest.mark.parametrize("seed", range(4))
def test_patterns_are_those_that_a_linear_program_finds_feasible(seed):
    """Lattice points with duplicates, antipodes and coplanar triples."""
    rng = np.random.default_rng(seed)
    Z = rng.integers(-1, 2, size=(6, 3)).astype(float)
    Z = Z[np.abs(Z).sum(axis=1) > 0]
    feasible = set()
    for signs in product((-1, 1), repeat=len(Z)):
        A = -np.array(signs)[:, None] * Z
        if linprog(np.zeros(3), A_ub=A, b_ub=-np.ones(len(Z)), bounds=(None, None)).status == 0:
            feasible.add(signs)
    assert {tuple(map(int, row)) for row in activation_patterns(Z)} == feasible


def test_xor_and_the_infeasible_hexagon():
    xor = np.array([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]])
    optimum = pattern_margin(xor, np.array([1.0, 1.0, -1.0, -1.0]), RELU)
    assert optimum.lower == pytest.approx(np.sqrt(2.0) / 4.0, rel=1e-10)
    assert optimum.upper == pytest.approx(np.sqrt(2.0) / 4.0, rel=1e-10)
    angles = np.pi * np.arange(6) / 3.0
    hexagon = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    optimum = pattern_margin(hexagon, (-1.0) ** np.arange(6), RELU)
    assert optimum.lower == 0.0
    assert optimum.upper < 1e-10


@pytest.mark.parametrize("feature", [RELU, Feature("leaky", 1, 1.0, -0.1)], ids=lambda f: f.name)
@pytest.mark.parametrize(("n", "D", "seed"), [(6, 2, 0), (7, 3, 1), (8, 3, 2)])
def test_oracle_on_the_programs_adversary_closes_the_bracket(n, D, seed, feature):
    """lower <= gamma <= oracle(p): the two meet, so enumeration and finite program prove each other right."""
    rng = np.random.default_rng(seed)
    Z, y = np.hstack([rng.normal(size=(n, D - 1)), np.ones((n, 1))]), np.where(rng.normal(size=n) > 0.0, 1.0, -1.0)
    optimum = pattern_margin(Z, y, feature)
    bound = ArrangementOracle(Z, feature)(optimum.adversary * y).bound
    assert optimum.lower <= bound * (1.0 + 1e-12)
    assert optimum.lower == pytest.approx(bound, rel=1e-7)
    assert optimum.upper == pytest.approx(bound, rel=1e-7)
    assert np.abs(optimum.measure.weights).sum() == pytest.approx(1.0)


def test_bad_input():
    with pytest.raises(InputError, match="degree 1"):
        pattern_margin(np.eye(2), np.array([1.0, -1.0]), SQUARED_RELU)
