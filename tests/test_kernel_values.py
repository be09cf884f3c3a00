"""The kernel game in numbers: Gram matrices of small integers, every error term as its docstring derives it."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, replace
from fractions import Fraction

import numpy as np
import pytest
from oracle_reference import root

from maxmargin.errors import InputError
from maxmargin.features.kernels_exact import BITS
from maxmargin.games import exact, rkhs
from maxmargin.games.exact import ExactKernelGame, summed
from maxmargin.games.rkhs import KernelExpansion, KernelGame, _Evaluation, network_game
from maxmargin.rounding import above, below, dot_error, relative_error, roundoff
from maxmargin.solvers.min_norm_point import min_norm_point

K = np.array([[4.0, 2.0, 0.0], [2.0, 9.0, -3.0], [0.0, -3.0, 16.0]])
Y = np.array([1.0, -1.0, 1.0])
C = np.array([3.0, -2.0, 0.0])  # K c = (8, -12, 6), c'Kc = 48, margins 8, 12, 6
P = np.array([0.25, 0.5, 0.25])  # y p = (.25, -.5, .25): K y p = (0, -4.75, 5.5), p'YKYp = 3.75
LONG_U = roundoff(np.longdouble)


def long_gamma(terms):
    return (2 * terms + 16) * LONG_U / (1 - (2 * terms + 16) * LONG_U)


def test_units_of_the_extended_sums():
    assert rkhs.ULP == 2.0**-51 and rkhs.LONG_ROUNDOFF == LONG_U
    for terms in (1, 7, 1000, 10**9):
        assert rkhs.long_error(terms) == pytest.approx(long_gamma(terms), rel=1e-15, abs=0.0)
    assert rkhs._CHUNK == 2 * 1024**2


@pytest.mark.parametrize("scale", [1.0, 4.0])
@pytest.mark.parametrize("entry", [0.0, 1e-9])
def test_margins_norms_and_their_errors(scale, entry):
    """An entry errs by `entry` r_i r_j, a sum by gamma_{4n + 32}; 1.01 pays for the products of both."""
    game, learner = KernelGame(K, Y, scale, entry), KernelExpansion(C)
    assert game.margins(learner).tolist() == [scale**2 * m for m in (8.0, 12.0, 6.0)]
    assert game.norm(learner) == pytest.approx(scale * math.sqrt(48), rel=1e-15, abs=0.0)
    assert game.radii.tolist() == [2 * scale, 3 * scale, 4 * scale] and game.radius == 4 * scale
    relative = 1.01 * (entry + relative_error(4 * 3 + 32))
    assert game.entry_bound == entry
    size = scale * (3 * 2 + 2 * 3)
    assert game.margin_errors(learner) == pytest.approx([relative * size * r for r in game.radii], rel=1e-14, abs=0.0)
    expected = math.sqrt(scale**2 * 48 + relative * size * size) * (1 + rkhs.ULP)
    assert game.norm_above(learner) == pytest.approx(expected, rel=2.5e-16, abs=0.0)
    assert game.norm_above(learner) > game.norm(learner)
    assert game.size(P) == scale * (0.25 * 2 + 0.5 * 3 + 0.25 * 4) and game.negligible(P) == 1e-6 * game.size(P)
    unit = game.unit(learner)
    assert game.norm(unit) == pytest.approx(1.0, rel=1e-15, abs=0.0)
    np.testing.assert_allclose(unit.coefficients, C / (scale * math.sqrt(48)), rtol=1e-15)
    zero = KernelExpansion(np.zeros(3))
    assert game.unit(zero) is zero and game.norm(zero) == 0.0


def test_a_norm_that_rounding_made_negative_is_zero():
    game = KernelGame(np.array([[-1.0]]), np.ones(1))
    assert game.norm(KernelExpansion(np.ones(1))) == 0.0 and game.radius == 0.0 and game.size(np.ones(1)) == 0.0
    assert game.best_response(np.ones(1)).value == 0.0
    assert game.lower(KernelExpansion(-np.ones(1))) == 0.0


@pytest.mark.parametrize("scale", [1.0, 4.0])
@pytest.mark.parametrize("entry", [0.0, 1e-9])
def test_evaluations_carry_the_error_of_sum_and_entries(scale, entry):
    """|sum| errs by 1.01 gamma of the absolute terms over the support, entries by 1.01 e r_i sum_j |c_j| r_j."""
    game = KernelGame(K, Y, scale, entry)
    (end,) = game._evaluate(C[None, :], extended=False)
    assert end.coefficients.tolist() == C.tolist() and end.outputs.tolist() == [8.0, -12.0, 6.0]
    absolute = np.abs(K) @ np.abs(C)
    expected = 1.01 * long_gamma(2) * absolute + 1.01 * entry * 12.0 * np.array([2.0, 3.0, 4.0])
    assert end.errors == pytest.approx(expected, rel=1e-14, abs=0.0)
    square = 48.0 + float(np.abs(C) @ (expected + long_gamma(3) * np.array([8.0, 12.0, 6.0])))
    assert end.square_above >= square and end.square_above == pytest.approx(square + 2 * rkhs.ULP * 24, abs=1e-14)
    assert end.square_above - square >= rkhs.ULP * 48 * 0.9
    one = game.certify(KernelExpansion(C), P)
    least = float((np.array([8.0, 12.0, 6.0]) - expected).min()) * (1 - rkhs.ULP)
    low = scale * least / math.sqrt(end.square_above)
    assert one.lower == pytest.approx(below(low, dot_error(low, 4)), rel=1e-15, abs=0.0)
    assert one.lower == game.lower(KernelExpansion(C)) and Fraction(one.lower) ** 2 * 48 < (6 * Fraction(scale)) ** 2
    (other,) = game._evaluate((Y * P)[None, :], extended=False)
    high = scale * math.sqrt(other.square_above)
    assert one.upper == above(high, dot_error(high, 3)) == game.best_response(P).bound
    assert one.scope == "kernel"
    response = game.best_response(P)
    assert response.value == pytest.approx(scale * math.sqrt(3.75), rel=1e-15, abs=0.0)
    assert response.learner.coefficients.tolist() == [0.25, -0.5, 0.25] and response.scope == "kernel"
    half = game.best_response(0.5 * P)
    assert half.bound == pytest.approx(response.bound, rel=1e-14, abs=0.0)


def test_the_square_of_a_norm_is_rounded_up_by_every_term():
    c, outputs, errors = np.array([1.0, -2.0]), np.array([3.0, 4.0], dtype=np.longdouble), np.array([0.25, 0.5])
    value = 3.0 - 8.0
    error = (1 * (0.25 + long_gamma(2) * 3) + 2 * (0.5 + long_gamma(2) * 4)) * (1 + rkhs.ULP)
    assert _Evaluation(c, outputs, errors).square_above == value + error + rkhs.ULP * 5.0
    exact = _Evaluation(np.array([1.0]), np.array([2.0**60], dtype=np.longdouble), np.zeros(1)).square_above
    expected = Fraction(2) ** 60 * (1 + Fraction(long_gamma(1)) + Fraction(rkhs.ULP))
    assert abs(Fraction(exact) - expected) <= Fraction(2) ** 60 / 2**52


def test_a_lower_end_below_zero_is_zero():
    game = KernelGame(K, Y)
    assert game.lower(KernelExpansion(-C)) == 0.0 and game.lower(KernelExpansion(np.zeros(3))) == 0.0
    assert game._lower_end(_Evaluation(C, np.array([8.0, -12.0, 6.0]), np.full(3, 6.0))) == 0.0
    assert game._lower_end(_Evaluation(C, np.array([8.0, -12.0, 6.0]), np.full(3, 5.0))) > 0.0
    negative = _Evaluation(np.array([-1.0, 0.0, 0.0]), np.array([1.0, -1.0, 1.0]), np.zeros(3))
    assert negative.square_above < 0.0 and game._lower_end(negative) == 0.0
    assert game._upper_end(negative, P) == 0.0


def test_the_gap_but_for_rounding():
    game = KernelGame(K, Y)
    learner, adversary = game._evaluate(np.stack([C, Y * P]), extended=False)
    assert game._gap(learner, adversary) == pytest.approx(1 - 6 / math.sqrt(48 * 3.75), rel=1e-14, abs=0.0)
    doubled = game._evaluate((2 * Y * P)[None, :], extended=False)[0]
    assert game._gap(learner, doubled) == pytest.approx(1 - 6 / math.sqrt(48 * 3.75), rel=1e-14, abs=0.0)
    wrong = game._evaluate(-C[None, :], extended=False)[0]
    assert game._gap(wrong, adversary) == 1.0
    outputs = np.array([8.0, 0.0, 6.0])
    assert game._gap(_Evaluation(C, outputs, np.zeros(3)), adversary) == 0.0  # zero, and not surely negative
    errors = np.array([0.0, 0.0, 0.25])
    assert game._gap(_Evaluation(C, np.array([8.0, 0.5, 6.0]), errors), adversary) == 0.0
    assert game._gap(_Evaluation(C, np.array([8.0, 0.5625, 6.0]), errors), adversary) == 1.0
    assert game._gap(learner, _Evaluation(np.zeros(3), np.zeros(3), np.zeros(3))) == 0.0
    best = _Evaluation(np.array([1.0, -1.0, 1.0]), np.array([2.0, -2.0, 2.0]), np.zeros(3))
    assert game._gap(best, best) == 0.0


def test_entries_are_computed_finer_only_where_rounding_makes_the_gap():
    rng = np.random.default_rng(3)
    X = np.hstack([1e4 + rng.normal(size=(6, 1)), np.ones((6, 1))])
    game = network_game("f2", "relu", X, np.array([1.0, -1.0, 1.0, 1.0, -1.0, -1.0]))
    asked = []
    original = game.K.extended
    game.K.extended = lambda rows: asked.append(len(rows)) or original(rows)
    c, p = game.y * np.full(6, 1.0), np.full(6, 1 / 6)
    game.certify(KernelExpansion(c), p, tol=1e9)
    assert not asked
    coarse = game._bracket(c, p, extended=False)
    game.certify(KernelExpansion(np.ones(6) * game.y * [1, 2, 3, 4, 5, 60]), p, tol=1e-12)  # a wide gap of its own
    count = len(asked)
    best = min_norm_point(game.K, game.y)
    fine = game.certify(best.learner, best.p, tol=0.0)
    assert len(asked) > count and fine.upper <= game._bracket(best.learner.coefficients, best.p, False).upper
    assert fine.lower >= game._bracket(best.learner.coefficients, best.p, False).lower
    assert fine.lower == game._bracket(best.learner.coefficients, best.p, True).lower
    assert coarse.upper > 0
    assert game.entry_bound == game.K.entry_error > game.K.extended_error or np.longdouble is np.float64
    assert game._entry_error(extended=True) == game.K.extended_error
    assert game._rows(np.array([0]), True).dtype == np.longdouble
    assert game._rows(np.array([0]), False).dtype == np.float64
    assert KernelGame(K, Y)._rows(np.array([0]), True).tolist() == [K[0].tolist()]


def test_parts_of_a_support():
    one = np.arange(5)
    assert rkhs._parts(one[:0], 9) == []
    assert [part.tolist() for part in rkhs._parts(one, 9)] == [[0, 1, 2, 3, 4]]
    assert [len(part) for part in rkhs._parts(np.arange(4), rkhs._CHUNK // 4)] == [4]
    assert [len(part) for part in rkhs._parts(np.arange(4), rkhs._CHUNK // 4 + 1)] == [2, 2]
    assert [len(part) for part in rkhs._parts(np.arange(4), rkhs._CHUNK)] == [1, 1, 1, 1]
    assert rkhs._times(K, C).tolist() == [8.0, -12.0, 6.0] and rkhs._times(K, np.zeros(3)).tolist() == [0.0] * 3


def test_sums_over_several_parts(monkeypatch):
    monkeypatch.setattr(rkhs, "_CHUNK", 3)
    assert rkhs._times(K, C).tolist() == [8.0, -12.0, 6.0]
    (end,) = KernelGame(K, Y)._evaluate(np.array([[1.0, -2.0, 3.0]]), extended=False)
    assert end.outputs.tolist() == [0.0, -25.0, 54.0]
    assert end.errors == pytest.approx(1.01 * long_gamma(3) * np.array([8.0, 29.0, 54.0]), rel=1e-14, abs=0.0)


def test_expansions_in_parts():
    whole = KernelExpansion(np.ones(3))
    assert whole.parts.tolist() == [[1.0] * 3] and whole.low is None
    split = KernelExpansion.of(np.array([[1.0, 2.0], [0.5, 0.25]]))
    assert split.parts.tolist() == [[1.0, 2.0], [0.5, 0.25]] and split.low.tolist() == [[0.5, 0.25]]
    assert KernelExpansion.of(np.array([[1.0, 2.0]])).low is None
    assert KernelExpansion.of(np.array([1.0, 2.0])).coefficients.tolist() == [1.0, 2.0]
    assert KernelExpansion(2).coefficients.tolist() == [2.0]
    for value in (whole, KernelGame(K, Y), ExactKernelGame(np.eye(1, dtype=object), 0, np.ones(1))):
        with pytest.raises(FrozenInstanceError):
            value.y = value.low = None


def test_gram_matrices_of_another_shape():
    with pytest.raises(InputError, match=r"found shape \(3, 3\) with 2 labels, wanted \(2, 2\)"):
        KernelGame(K, Y[:2])


@pytest.mark.parametrize(("norm", "tangent"), [("f2", False), ("ntk", True)])
@pytest.mark.parametrize(("feature", "degree"), [("relu", 1), ("squared-relu", 2)])
def test_the_game_of_a_network_is_scaled_by_a_power_of_two(norm, tangent, feature, degree):
    Z = np.array([[3.0, 100.0], [1.0, -2.0]])
    game = network_game("".join(list(norm)), feature, Z, np.ones(2), "gaussian")
    assert game.K.Z.tolist() == (Z / 128).tolist() and game.scale == 128.0**degree
    assert game.K.kernel.tangent is tangent and game.K.kernel.weights == "gaussian"
    assert network_game(norm, feature, np.zeros((2, 2)), np.ones(2)).scale == 1.0
    assert network_game(norm, feature, np.zeros((0, 2)), np.zeros(0)).K.kernel.weights == "sphere"
    for wrong in ("f1", "f3", "zzz", "a"):
        with pytest.raises(InputError, match="^norm: found"):
            network_game(wrong, feature, Z, np.ones(2))


# ---- without rounding


@pytest.mark.parametrize("scale", [1.0, 4.0])
@pytest.mark.parametrize("error", [0, 5])
@pytest.mark.parametrize("bits", [8, 61])
def test_the_bracket_in_integers_is_the_quotient_rounded_once(scale, error, bits):
    """N = 2^bits K, each entry off by `error` units: margins lose error |C|_1, squares gain error |C|_1^2."""
    matrix = np.vectorize(lambda v: int(v) << bits, otypes=[object])(K)
    game = ExactKernelGame(matrix, error, Y, scale, bits)
    for unit in (1.0, 2.0**-30, 2.0**40):
        bracket = game.certify(KernelExpansion(unit * C), unit * P)
        off = Fraction(error, 2**bits)
        least, square = 6 - 5 * off, 48 + 25 * off
        exact = [root(least**2 / square, up=False), root(Fraction(15, 4) + off, up=True)]
        assert 0 <= 1 - Fraction(bracket.lower) / (exact[0] * Fraction(scale)) <= Fraction(1, 2**51)
        assert 0 <= Fraction(bracket.upper) / (exact[1] * Fraction(scale)) - 1 <= Fraction(1, 2**51)
        assert bracket.scope == "kernel" and bracket.relative_gap > 0
    assert game.certify(KernelExpansion(-C), 2 * P).lower == 0.0
    assert game.certify(KernelExpansion(np.zeros(3)), 2 * P).lower == 0.0
    halves = game.certify(KernelExpansion.of(np.stack([C / 2, C / 2])), np.stack([P / 4, 3 * P / 4]))
    assert halves == game.certify(KernelExpansion(C), P)


@pytest.mark.parametrize(
    ("share", "mean"),
    [
        (None, 6),
        (Fraction(1, 2), 6),
        (1, 6),
        (Fraction(3, 2), Fraction(20, 3)),
        (2, 7),
        (Fraction(5, 2), 8),
        (3, Fraction(26, 3)),
    ],
)
def test_soft_margins_in_integers(share, mean):
    """Margins 6, 8, 12: the mean of the smallest; the upper end asks for weights of at most 1/share (here 1/2)."""
    matrix = np.vectorize(lambda v: int(v) << 61, otypes=[object])(K)
    share = None if share is None else Fraction(share)
    bracket = ExactKernelGame(matrix, 0, Y, bits=61, share=share).certify(KernelExpansion(C), P)
    assert 0 <= 1 - Fraction(bracket.lower) / root(Fraction(mean) ** 2 / 48, up=False) <= Fraction(1, 2**51)
    assert math.isinf(bracket.upper) is (share is not None and share > 2)
    if not math.isinf(bracket.upper):
        assert 0 <= Fraction(bracket.upper) / root(Fraction(15, 4), up=True) - 1 <= Fraction(1, 2**51)


def test_what_integers_cannot_tell_from_zero():
    matrix = np.array([[1 << 8, -(1 << 8)], [-(1 << 8), 1 << 8]], dtype=object)
    game = ExactKernelGame(matrix, 0, np.ones(2), bits=8)
    assert game.certify(KernelExpansion(np.ones(2)), np.ones(2)).upper == 0.0
    negative = ExactKernelGame(-matrix, 0, np.array([1.0, -1.0]), bits=8)
    assert negative._square(np.array([1, -1], dtype=object)) == 0
    assert negative.certify(KernelExpansion(np.array([-1.0, 1.0])), np.ones(2)).lower == 0.0
    assert ExactKernelGame(matrix, 0, np.ones(2)).bits == BITS and ExactKernelGame(matrix, 0, np.ones(2)).scale == 1.0


def test_parts_are_summed_without_rounding():
    total = summed(np.array([[1.0, 2.0**60], [2.0**-60, 1.0]]))
    assert Fraction(int(total[1]), int(total[0])) == (2**60 + 1) / (1 + Fraction(1, 2**60))
    assert [int(v) for v in summed(np.array([0.5, 1.0]))] == [1 << 53, 1 << 54] or summed(
        np.array([0.5, 1.0])
    ).shape == (2,)


@pytest.mark.parametrize("exponent", [-400, -161, -1, 0, 1, 3, 160, 401])
@pytest.mark.parametrize("value", [Fraction(2), Fraction(3, 7), Fraction(9, 4)])
def test_roots_of_any_size_are_on_the_safe_side_within_one_unit(value, exponent):
    square = value * Fraction(2) ** exponent
    for below_it in (True, False):
        found = Fraction(exact._root(square, 2.0, below_it)) / 2
        close = root(square, up=not below_it)
        assert (found < close) if below_it else (found > close)
        assert abs(found / close - 1) <= Fraction(1, 2**51)
    assert exact._root(Fraction(0), 2.0, False) == 0.0


@pytest.mark.parametrize("excess", [0.0, 0.125, 0.25])
def test_weights_above_the_cap_pay_twice_the_radius_for_what_is_beyond(excess):
    """share = 2: the cap is 1/2 of the mass; what is beyond may be moved to any other point, which pays 2 r at most."""
    Z, y = np.array([[3.0, 0.0], [0.0, 2.0], [1.0, 1.0]]), np.array([1.0, -1.0, 1.0])
    hard, p = network_game("f2", "relu", Z, y), np.array([0.5 + excess, 0.25 - excess, 0.25])
    soft = replace(hard, share=Fraction(2))
    learner = KernelExpansion(y)
    more = soft.certify(learner, p).upper - hard.certify(learner, p).upper
    assert more == pytest.approx(2.0 * excess * hard.radius, rel=1e-12, abs=1e-15)
    assert more >= 2.0 * excess * hard.radius * (1.0 - 1e-15)
