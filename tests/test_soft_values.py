"""Soft margins by hand: weights, means, both ends with their rounding."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from test_games_values import MEASURE, P, Proving, game

from maxmargin import rounding
from maxmargin.errors import InputError
from maxmargin.features import RELU, SQUARED_RELU
from maxmargin.games import soft
from maxmargin.games.measure import Measure
from maxmargin.games.variation import DictionaryGame


def test_largest_weights():
    assert (
        soft.largest_weight(0.5, 4) == 0.5 and soft.largest_weight(0.1, 4) == 1.0 and soft.largest_weight(1, 4) == 0.25
    )
    assert soft.largest_weight(np.float32(0.5), 8) == 0.25
    for nu in (0.0, -0.5, 1.0001, True, False, "0.5", None, float("nan")):
        with pytest.raises(InputError, match="^nu: found"):
            soft.largest_weight(nu, 4)


def test_the_mean_of_the_worst():
    margins = np.array([4.0, 1.0, 3.0, 2.0])
    assert soft.worst_mean(margins, 1.0) == 1.0 and soft.worst_mean(margins, 1.5) == 1.0
    assert soft.worst_mean(margins, 0.5) == 1.5 and soft.worst_mean(margins, 0.25) == 2.5
    assert soft.worst_mean(margins, 0.375) == 0.375 * 1 + 0.375 * 2 + 0.25 * 3
    assert soft.worst_mean(margins, 0.9) == pytest.approx(0.9 + 0.2)


def test_capped_weights():
    assert soft.capped(np.array([3.0, 1.0]), 1.0).tolist() == [0.75, 0.25]
    assert soft.capped(np.array([3.0, 1.0]), 0.75).tolist() == [0.75, 0.25]
    assert soft.capped(np.array([3.0, 1.0]), 0.5).tolist() == [0.5, 0.5]
    assert soft.capped(np.array([6.0, 1.0, 1.0]), 0.5).tolist() == [0.5, 0.25, 0.25]
    assert soft.capped(np.array([8.0, 1.0, 3.0, 4.0]), 0.375) == pytest.approx([0.375, 0.125, 0.225, 0.275])
    assert soft.capped(np.ones(4), 0.25).tolist() == [0.25] * 4
    # a cap below 1/n leaves no room: what can be given is given
    assert soft.capped(np.array([1.0, 0.5]), 0.25).tolist() == [0.25, 0.25]


@pytest.mark.parametrize("convention", ["sphere", "path"])
@pytest.mark.parametrize("feature", [RELU, SQUARED_RELU], ids=lambda f: f.name)
def test_the_ends_of_a_soft_margin_by_hand(feature, convention):
    g = game(feature, convention)
    capped = soft.Capped(g, 0.5)
    margins = (g.margins(MEASURE) - g.margin_errors(MEASURE)).tolist()
    norm = g.norm_above(MEASURE)
    positive = soft.Capped(DictionaryGame(g.Z[:1], g.y[:1], feature, convention, directions=g.directions), 1.0)
    least = soft.mean_below(positive.game.margins(MEASURE) - positive.game.margin_errors(MEASURE), Fraction(1))
    slack = rounding.dot_error(abs(least) / norm, 4)
    assert positive.lower(MEASURE) == rounding.below(least / norm, slack) > 0.0
    worst = soft.mean_below(np.array(margins), Fraction(2)) / norm
    assert capped.lower(MEASURE) == max(0.0, rounding.below(worst, rounding.dot_error(abs(worst), 4)))
    assert capped.lower(Measure(np.eye(1, 2), np.zeros(1))) == 0.0
    quarter = Measure(MEASURE.directions, MEASURE.weights / 64)  # a norm below one
    assert positive.lower(quarter) == pytest.approx(positive.lower(MEASURE), rel=1e-12, abs=0.0)
    assert capped.norm(MEASURE) == g.norm(MEASURE) and capped.negligible(P) == 0.0 <= g.negligible(P)
    assert capped.margins(MEASURE).tolist() == g.margins(MEASURE).tolist()


@pytest.mark.parametrize(
    ("p", "beyond"),
    [([0.25, 0.5, 0.25], 0), ([0.75, 0.25, 0.0], Fraction(1, 4)), ([0.5, 0.25, 0.125], Fraction(1, 14))],
)
def test_what_an_adversary_has_beyond_the_cap_is_paid_for_twice(p, beyond):
    """2 e R with e = sum (p_i / sum p - cap)_+, rounded up, and nothing where the cap is kept."""
    g, p = game(RELU), np.array(p)
    capped, plain = soft.Capped(g, 0.5), g.best_response(p)
    assert beyond <= Fraction(soft.beyond(p, Fraction(2))) <= beyond * (1 + Fraction(2) ** -50)
    proving = soft.Capped(Proving(g.Z, g.y, RELU, "path", directions=g.directions), 0.5)
    for found, hard in ((capped.best_response(p).bound, plain.bound), (proving.response_from({}, p).bound, 7.0)):
        if not beyond:
            assert found == hard
        else:
            charged = float(2 * beyond) * g.radius
            assert hard + charged < found <= (hard + charged) * (1.0 + 1e-14)


def test_a_soft_margin_says_what_it_needs():
    with pytest.raises(InputError, match="a soft margin needs"):
        soft.Capped(object(), 0.5)


def test_capped_weights_are_never_negative():
    """Even where the weights that were cut sum to one and a rounding more."""
    over = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        p = rng.random(9) * (rng.random(9) < 0.6)
        p[0] += 1.0
        cap = 1.0 / max(2, np.count_nonzero(p) - 1)
        cut = np.minimum(p / p.sum(), cap)
        over += cut.sum() > 1.0
        assert soft.capped(p, cap).min() >= 0.0 and soft.capped(p, cap).max() <= cap
    for n in range(3, 60):
        p = np.append(np.full(n, 1.0 / n), 0.0)
        p[0] *= 1 + 1e-15
        assert soft.capped(p, 1.0 / n).min() >= 0.0


def test_the_mean_of_the_smallest_is_rounded_down_by_what_its_sum_may_lose(monkeypatch):
    """(1 + 2 + 3/2) / (5/2); a few units of the terms, and 2 (n + 8) of the extended format (here double)."""
    monkeypatch.setattr(np, "longdouble", np.float64)
    margins = np.array([4.0, 1.0, -3.0, 2.0])
    for share, exact, terms in ((Fraction(5, 2), -0.4, 2.4), (Fraction(1), -3.0, 4.0), (Fraction(4), 1.0, 2.5)):
        loss = (soft._FEW * 2.0**-53 + 2.0 * (4 + 8) * 2.0**-52) * terms
        found = soft.mean_below(margins, share)
        assert exact - found == pytest.approx(loss, rel=0.03, abs=0.0)


def test_four_units_cover_a_conversion_and_what_follows():
    assert soft._FEW == 4.0


def test_what_is_beyond_the_cap():
    p = np.array([0.5, 0.25, 0.25])
    exact = soft.beyond(p, Fraction(3))
    assert exact == pytest.approx(1 / 6, rel=1e-14, abs=0.0) and exact > Fraction(1, 6)
    assert soft.beyond(2 * p, Fraction(3)) == exact and soft.beyond(p, Fraction(2)) == 0.0
    assert soft.beyond(p, Fraction(7, 2)) == pytest.approx(0.5 - 2 / 7, rel=1e-14, abs=0.0)
    assert soft.beyond(np.array([0.5 + 2.0**-52, 0.5 - 2.0**-52]), Fraction(2)) >= 2.0**-52
