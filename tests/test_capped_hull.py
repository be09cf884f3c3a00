"""Least norm over the capped simplex in integers, and weights that obey the cap exactly when written as doubles."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import maxmargin as mm
from maxmargin.clock import FOREVER
from maxmargin.features.kernels_exact import ExactGram
from maxmargin.games.exact import ExactKernelGame
from maxmargin.games.rkhs import network_game
from maxmargin.games.soft import capped
from maxmargin.solvers.integer_hull import descended, highest, written
from maxmargin.solvers.soft_margin import soft_margin

BITS = 144
SHARES = (Fraction(3, 2), Fraction(2), Fraction(37, 10), Fraction(7))


def game(seed, rank):
    """Q = B'B of seven points in that many dimensions, in units of 2**-BITS; singular for rank < 7."""
    B = np.random.default_rng(seed).integers(-9, 10, (rank, 7)).astype(object)
    return (B.T @ B) << BITS


@pytest.mark.parametrize("share", SHARES, ids=str)
@pytest.mark.parametrize("rank", [2, 5, 9])
@pytest.mark.parametrize("seed", range(4))
def test_the_minimiser_satisfies_the_conditions_of_karush_kuhn_and_tucker(seed, rank, share):
    """Margins of the free agree; no point at zero is below them, none at the cap above: with a convex x'Qx, optimal."""
    Q, top = game(seed, rank), highest(share, BITS)
    for start in (np.full(7, 1 / 7), np.eye(7)[seed], np.random.default_rng(seed).random(7)):
        x = descended(Q, capped(start, float(1 / share)), top, BITS, FOREVER)
        assert x is not None
        assert abs(int(x.sum()) - (1 << BITS)) <= 1 << (BITS - 83)  # 1e-25, at which linear systems count as solved
        assert int(x.min()) >= 0 and int(x.max()) <= top
        margins = Q @ x
        free, full, low = (x > 0) & (x < top), x >= top, x == 0
        slack = max(int(x @ margins) >> (BITS + 40), 1 << (BITS + 20))  # 2**-124 of an entry: rounding of x
        lowest = min(int(m) for m in margins[(free | low).astype(bool)]) if (free | low).any() else None
        highest_of_positive = max(int(m) for m in margins[(free | full).astype(bool)])
        if lowest is not None:
            assert highest_of_positive <= lowest + slack


@pytest.mark.parametrize("share", SHARES, ids=str)
@pytest.mark.parametrize("seed", range(5))
def test_written_weights_obey_the_cap_in_fractions(seed, share):
    rng, top = np.random.default_rng(seed), highest(share, BITS)
    p = capped(rng.random(7) ** 4, float(1 / share))
    x = np.array([min(int(Fraction(v) * (1 << BITS)), top) for v in p.tolist()], dtype=object)
    free = np.flatnonzero((x < top).astype(bool))
    x[free[0]] += (1 << BITS) - int(x.sum())
    doubles = written(x, share, BITS)
    total = sum(map(Fraction, doubles.tolist()))
    assert all(Fraction(v) * share <= total for v in doubles.tolist())
    assert abs(total - 1) <= Fraction(1, 2**51)  # the double nearest to the cap is off by 2**-53 of it
    assert np.abs(doubles - [float(Fraction(int(v), 1 << BITS)) for v in x]).max() <= 2**-52


def test_a_sum_above_one_by_rounding_makes_no_weight_negative():
    rng = np.random.default_rng(0)
    for _ in range(200):
        p = np.maximum(rng.standard_normal(9), 0.0)
        if p.any():
            cap = float(rng.uniform(1 / 9 + 1e-6, 1.0))
            weights = capped(p, cap)
            assert weights.min() >= 0.0 and weights.max() <= cap


@pytest.mark.parametrize("share", [Fraction(5, 2), Fraction(12), Fraction(20)], ids=str)
def test_soft_kernel_ends_in_doubles_enclose_those_in_integers(share):
    """The same pair, certified twice; weights beyond the cap are charged, where integers give no upper end at all."""
    rng = np.random.default_rng(3)
    Z, y = rng.standard_normal((20, 3)), np.where(rng.random(20) < 0.5, -1.0, 1.0)
    game = replace(network_game("f2", "relu", Z, y), share=share)
    found = soft_margin(game.K, y, float(1 / share))
    gram = ExactGram(game.K.kernel, game.K.Z)
    exact = ExactKernelGame(gram.matrix(), gram.error, y, game.scale, gram.bits, share)
    ours, theirs = game.certify(found.learner, found.p), exact.certify(found.learner, found.p)
    assert 0.0 < ours.lower <= theirs.lower * (1 + 1e-15) and ours.lower >= theirs.lower * (1 - 1e-12)
    p = np.full(20, 1 / 20)
    uniform, integers = game.certify(found.learner, p), exact.certify(found.learner, p)
    assert integers.upper * (1 - 1e-15) <= uniform.upper <= integers.upper * (1 + 1e-12)
    if share > 1:
        corner = np.eye(20)[0]
        assert exact.certify(found.learner, corner).upper == np.inf
        charge = 2.0 * (1.0 - float(1 / share)) * game.radius
        assert game.certify(found.learner, corner).upper == pytest.approx(game.radii[0] + charge, rel=1e-12)


@pytest.mark.parametrize("seed", [0, 2, 3, 8, 12, 21, 29])
def test_soft_kernel_margins_of_ill_conditioned_points_are_certified(seed):
    """Random labels on a line or in the plane: gamma is 1e-4 to 1e-9 of |K(x, .)|, beyond double precision."""
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(6, 60)), int(rng.integers(1, 4))
    X, y = rng.standard_normal((n, d)), np.where(rng.random(n) < 0.5, -1, 1)
    y[:2] = 1, -1
    for norm, nu in (("f2", 0.1), ("f2", 0.6), ("ntk", 0.3)):
        found = mm.max_margin((X, y), norm, nu=nu)
        assert found.status == "certified" and found.relative_gap <= 1e-9, (norm, nu, found.relative_gap)
        assert mm.check_certificate(found, X, y).holds
