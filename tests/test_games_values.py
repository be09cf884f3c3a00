"""Values and error terms of the F1 games by hand: each is the one that its docstring derives, no more and no less."""

from __future__ import annotations

import itertools
import math
from dataclasses import FrozenInstanceError
from fractions import Fraction

import numpy as np
import pytest
from oracle_reference import root

from maxmargin import rounding
from maxmargin.errors import InputError
from maxmargin.features import RELU, SQUARED_RELU, Feature
from maxmargin.games import game as games
from maxmargin.games import soft, variation
from maxmargin.games.exact import exact_lower, exact_outputs
from maxmargin.games.game import Bracket, Pair, Response
from maxmargin.games.measure import Measure
from maxmargin.games.variation import DictionaryGame, VariationGame
from maxmargin.outcome import Reason, Scope, Status

TILTED, BOWL = Feature("tilted", 1, 0.5, -3.0), Feature("bowl", 2, 1.5, -2.0)
ROOT = Feature("left", 1, 0.0, 2.0)


def gamma(k):
    """k u / (1 - k u), exactly."""
    return Fraction(k, 2**53) / (1 - Fraction(k, 2**53))


def close(found, exact, rel=Fraction(1, 10**14)):
    return abs(Fraction(float(found)) - exact) <= rel * abs(exact)


def game(feature, convention="path"):
    """Points of length 5, 13 and 1; directions of length 5 and 1."""
    Z, y = np.array([[3.0, 4.0], [5.0, -12.0], [0.0, -1.0]]), np.array([1.0, -1.0, 1.0])
    return DictionaryGame(Z, y, feature, convention, directions=np.array([[3.0, 4.0], [1.0, 0.0], [0.0, -1.0]]))


MEASURE = Measure(np.array([[3.0, 4.0], [0.0, -1.0]]), np.array([2.0, -0.5]))
P = np.array([0.25, 0.5, 0.25])


# ---- measure


@pytest.mark.parametrize(("degree", "norm"), [(1, 2 * 5 + 0.5), (2, 2 * 25 + 0.5)])
def test_total_variation_and_the_unit_measure(degree, norm):
    assert MEASURE.total_variation(degree) == norm
    unit = MEASURE.normalised(degree)
    assert unit.directions.tolist() == [[0.6, 0.8], [0.0, -1.0]]
    np.testing.assert_allclose(unit.weights, [2 * 5.0**degree / norm, -0.5 / norm], rtol=1e-15)


def test_the_zero_function_is_a_neuron_and_its_negative():
    zero = Measure(np.array([[3.0, 4.0, 0.0]]), np.array([0.0])).normalised(1)
    assert zero.directions.tolist() == [[1.0, 0.0, 0.0]] * 2 and zero.weights.tolist() == [0.5, -0.5]


def test_magnitudes_are_those_of_the_absolute_terms():
    Z = np.array([[3.0, 4.0], [5.0, -12.0]])
    assert MEASURE.magnitudes(Z, TILTED).tolist() == [2 * 25 + 0.5 * 4, 2 * 63 + 0.5 * 12]
    assert MEASURE.magnitudes(Z, BOWL).tolist() == [2 * 625 + 0.5 * 16, 2 * 63**2 + 0.5 * 144]
    assert MEASURE.outputs(Z, TILTED).tolist() == [2 * 12.5 + 0.5 * 12, -2 * 99 - 0.5 * 6]


def test_blocks_hold_a_million_evaluations():
    Z = np.arange(9.0)[:, None]
    for K, sizes in ((1 << 18, [4, 4, 1]), ((1 << 20) - 1, [1] * 9), (1 << 20, [1] * 9), ((1 << 20) + 1, [1] * 9)):
        measure = Measure(np.zeros((K, 1)), np.zeros(K))
        assert [len(part) for part in measure.blocks(Z)] == sizes
        assert np.array_equal(np.concatenate(measure.blocks(Z)), Z)
    assert [len(part) for part in measure.blocks(Z[:0])] == [0]
    assert len(Measure(np.zeros((0, 1)), np.zeros(0)).blocks(Z)) == 1


def test_one_neuron_takes_as_many_points_as_a_block(monkeypatch):
    monkeypatch.setattr("maxmargin.games.measure._BLOCK", 4)
    assert [len(part) for part in Measure(np.eye(1), np.ones(1)).blocks(np.zeros((9, 1)))] == [4, 4, 1]
    assert [len(part) for part in Measure(np.zeros((0, 1)), np.zeros(0)).blocks(np.zeros((9, 1)))] == [4, 4, 1]


def test_one_atom_may_be_given_without_brackets():
    assert Measure([1, 2], 3).directions.tolist() == [[1.0, 2.0]] and Measure([1, 2], 3).weights.tolist() == [3.0]
    assert len(Measure([1, 2], 3)) == 1


# ---- variation


@pytest.mark.parametrize("convention", ["sphere", "path"])
@pytest.mark.parametrize("feature", [RELU, SQUARED_RELU, TILTED, BOWL, ROOT], ids=lambda f: f.name)
def test_error_of_margins_and_of_the_norm_are_as_derived(feature, convention):
    """gamma_{2(K + kD) + 8} times the absolute terms; the norm has K + kD + 8 roundings."""
    g = game(feature, convention)
    factor = Fraction(1, 2) if convention == "sphere" and feature.degree == 1 else Fraction(1)
    largest = max(abs(Fraction(feature.right)), abs(Fraction(feature.left)))
    K, D, k = 2, 2, feature.degree
    for found, z in zip(g.margin_errors(MEASURE), g.Z, strict=True):
        u = [abs(3 * Fraction(z[0])) + abs(4 * Fraction(z[1])), abs(Fraction(z[1]))]
        assert close(
            found, gamma(2 * (K + k * D) + 8) * factor * largest * (2 * u[0] ** k + Fraction(1, 2) * u[1] ** k)
        )
    norm = MEASURE.total_variation(k)
    assert g.norm_above(MEASURE) == norm * (1.0 + rounding.relative_error(K + k * D + 8)) > norm
    assert g.radius == factor * largest * 13**k
    assert g.norm(MEASURE) == norm
    outputs = [sum(w * s for w, s in zip((2, -0.5), feature(MEASURE.directions @ z), strict=True)) for z in g.Z]
    assert g.margins(MEASURE).tolist() == [float(factor) * y * v for y, v in zip(g.y, outputs, strict=True)]


def test_what_counts_as_nothing_is_1e_12_of_what_could_be_paid():
    for feature, convention in itertools.product((TILTED, BOWL), ("sphere", "path")):
        factor = 0.5 if convention == "sphere" and feature.degree == 1 else 1.0
        k = feature.degree
        most = factor * (0.25 * 5**k + 0.5 * 13**k + 0.25)
        assert game(feature, convention).negligible(P) == pytest.approx(1e-12 * most, rel=1e-14, abs=0.0)
    assert games.ZERO == 1e-12 and games.KERNEL_ZERO == 1e-6


@pytest.mark.parametrize("feature", [RELU, SQUARED_RELU, TILTED, BOWL, ROOT], ids=lambda f: f.name)
def test_responses_of_a_dictionary_by_hand(feature):
    """Payoff over |a|^k; its error is gamma_{4(n + kD) + 16} of sum p_i |z_i|^k, and the sign is that of the payoff."""
    g, k = game(feature), feature.degree
    exact = []
    for a, length in zip(g.directions, (5, 1, 1), strict=True):
        values = [Fraction(float(v)) for v in feature(g.Z @ a)]
        exact.append(sum(Fraction(p * y) * v for p, y, v in zip(P, g.y, values, strict=True)) / length**k)
    order = sorted(range(3), key=lambda i: -abs(exact[i]))
    found = g.responses(P, 2)
    assert found.directions.tolist() == [g.directions[i].tolist() for i in order[:2]]
    assert found.signs.tolist() == [-1.0 if exact[i] < 0 else 1.0 for i in order[:2]]
    assert all(close(v, abs(exact[i])) for v, i in zip(found.values, order, strict=False))
    largest = Fraction(max(abs(feature.right), abs(feature.left)))
    slack = gamma(4 * (3 + 2 * k) + 16) * largest * (Fraction(5**k, 4) + Fraction(13**k, 2) + Fraction(1, 4))
    assert close(g._payoff_error(P), slack)
    assert abs(Fraction(found.bound) - abs(exact[order[0]]) - slack) <= Fraction(1, 2**50) * abs(exact[order[0]])
    assert found.scope == "dictionary"
    response = g.best_response(P)
    assert response.learner.directions.tolist() == [g.directions[order[0]].tolist()]
    assert response.learner.weights.tolist() == found.signs[:1].tolist()
    assert response.value == found.values[0] and response.scope == "dictionary" and response.proof is None
    assert len(g.responses(P).values) == 3


def test_the_best_of_many_directions_in_their_order():
    rng = np.random.default_rng(2)
    Z, q, A = rng.normal(size=(5, 3)), rng.normal(size=5), rng.normal(size=(60, 3))
    payoffs = RELU.evaluate(A, Z) @ q / np.linalg.norm(A, axis=1)
    order = np.argsort(-np.abs(payoffs))
    for count in (1, 7, 60, 100):
        found = variation.DictionaryOracle(Z, RELU, A)(q, count)
        assert found.directions.tolist() == A[order[:count]].tolist()
        assert found.bound == found.values[0] == pytest.approx(np.abs(payoffs).max(), rel=1e-14)


def test_a_payoff_of_zero_has_the_sign_plus():
    g = DictionaryGame(np.ones((1, 1)), np.ones(1), RELU, "path", directions=-np.eye(1))
    assert g.responses(np.ones(1)).signs.tolist() == [1.0]


def test_bounds_per_unit_of_mass_are_rounded_up_by_a_dot_product():
    for bound, p in ((0.75, [0.5, 1.5]), (3.0, [0.25, 0.25, 0.5])):
        total = sum(p)
        expected = rounding.above(bound / total, rounding.dot_error(bound / total, len(p)))
        assert variation._per_mass(bound, np.array(p)) == expected > bound / total
    assert variation._per_mass(0.0, np.array([0.5, 0.5])) == 0.0
    assert variation._per_mass(-1.0, np.array([1.0])) == rounding.above(-1.0, rounding.dot_error(1.0, 1)) > -1.0


def test_the_lower_end_in_floats_is_the_rounded_quotient():
    """Where nothing cancels: least over norm, each with its error, rounded down."""
    for feature, convention in itertools.product((RELU, SQUARED_RELU), ("sphere", "path")):
        Z = np.array([[3.0, 4.0], [4.0, 3.0]])
        g = DictionaryGame(Z, np.ones(2), feature, convention, directions=np.eye(2))
        measure = Measure(np.array([[3.0, 4.0]]), np.array([2.0]))
        least = float((g.margins(measure) - g.margin_errors(measure)).min())
        norm, terms = g.norm(measure), 1 + feature.degree * 2
        expected = rounding.below(least / norm, rounding.dot_error(least / norm, terms))
        assert g.lower(measure) == expected
    assert g.lower(Measure(np.array([[np.inf, 1.0]]), np.ones(1))) == 0.0


@pytest.mark.parametrize(("work", "digits"), [(2 * 2 * 2, True), (2 * 2 * 2 - 1, False)])
def test_cancelled_margins_are_evaluated_in_integers_where_that_is_affordable(monkeypatch, work, digits):
    """Work is counted in atoms times coordinates of the points whose margin may be the least."""
    monkeypatch.setattr(variation, "_EXACT_WORK", work)
    a = np.array([[0.6, 0.8], [0.6 + 1e-12, 0.8]])
    Z = np.array([[1.0, 2.0], [1.0, 2.5], [1e6, 1.0]])  # the last point is far above the others
    g = DictionaryGame(Z, np.ones(3), RELU, "sphere", directions=a)
    measure = Measure(a, np.array([-0.5, 0.5]))
    exact = 0.5 * exact_lower(Z, np.ones(3), RELU, measure)
    assert exact > 0.0
    assert (g.lower(measure) == exact) is digits


def test_the_point_with_the_least_margin_is_never_left_out():
    """Two margins that an extended sum tells apart by less than a float does: the least of them is the lower end."""
    Z = np.array([[1e-3, 0.0], [999.9995000000416, 0.9999998333333416]])
    A = np.array([[-0.0, 1.0], [9.999998333333417e-04, -9.999995000000417e-01]])
    g = DictionaryGame(Z, np.array([-1.0, 1.0]), RELU, "path", directions=A)
    measure = Measure(A, np.array([9.999990000010219e-07, -9.999990000010001e-01]))
    assert g.lower(measure) == exact_lower(Z, g.y, RELU, measure) < exact_lower(Z[1:], g.y[1:], RELU, measure)
    rng = np.random.default_rng(0)
    for _ in range(200):
        K, n = rng.integers(2, 9, 2)
        Z = rng.standard_normal((1, 2)) + 10.0 ** rng.uniform(-16, -6) * rng.standard_normal((n, 2))
        A = rng.standard_normal((1, 2)) + 10.0 ** rng.uniform(-16, -2) * rng.standard_normal((K, 2))
        g = DictionaryGame(Z, np.ones(n), RELU, "path", directions=A)
        measure = Measure(A, rng.standard_normal(K))
        true = exact_lower(Z, g.y, RELU, measure)
        assert (1.0 - 1e-11) * true <= g.lower(measure) <= true


def test_margins_that_overflow_prove_nothing():
    """inf - inf is no margin: the lower end is 0, not an exception."""
    g = DictionaryGame(np.full((2, 2), 1e308), np.array([1.0, -1.0]), RELU, "path", directions=np.eye(2))
    with np.errstate(over="ignore", invalid="ignore"):
        assert g.lower(Measure(np.array([[0.6, 0.8], [0.8, 0.6]]), np.array([1e10, -1e10]))) == 0.0


def test_exact_work_and_sharpness_are_as_stated():
    assert variation._EXTENDED_WORK == 5 * 10**7
    assert variation._EXACT_WORK == 4 * 10**6 and variation._SHARP == 1e-12
    assert variation._BLOCK_ENTRIES == 2**17  # a megabyte of pre-activations


class Fixed:
    """An oracle with one answer."""

    def __init__(self, scope):
        self.scope = scope

    def __call__(self, q, count):
        self.asked = q, count
        return variation.Responses(np.eye(2), np.array([-1.0, 1.0]), np.array([0.5, 0.25]), 0.75, self.scope)


@pytest.mark.parametrize(("scope", "shown"), [(Scope.SPHERE_EXACT, "sphere-exact"), (None, "sphere-bound")])
def test_the_game_over_the_sphere_asks_its_oracle(scope, shown):
    oracle = Fixed(scope)
    g = VariationGame(np.eye(2), np.array([1.0, -1.0]), RELU, oracle=oracle)
    response = g.best_response(np.array([0.25, 0.25]))
    assert oracle.asked[0].tolist() == [0.25, -0.25] and oracle.asked[1] == 1
    assert response.scope == shown
    assert response.learner.weights.tolist() == [-1.0] and response.learner.directions.tolist() == [[1.0, 0.0]]
    assert response.value == 0.25
    assert response.bound == variation._per_mass(0.375, np.array([0.25, 0.25]))
    g.responses(np.ones(2))
    assert oracle.asked[1] == 15
    assert g.negligible(np.ones(2)) == -1.0  # two orthogonal points cannot cancel
    same = VariationGame(np.array([[1.0, 0.0], [2.0, 0.0]]), np.array([1.0, -1.0]), RELU, oracle=oracle)
    assert same.negligible(np.ones(2)) == pytest.approx(1e-12 * 1.5, rel=1e-14, abs=0.0)


def test_payoffs_are_computed_in_blocks_of_the_support(monkeypatch):
    monkeypatch.setattr(variation, "_BLOCK_ENTRIES", 6)
    g, asked, evaluate = game(RELU), [], Feature.evaluate
    directions = np.vstack([g.directions, g.directions, np.eye(1, 2)])
    whole = RELU.evaluate(directions, g.Z) @ np.array([0.5, 0.0, -0.25])
    monkeypatch.setattr(Feature, "evaluate", lambda f, A, Z: asked.append((len(A), len(Z))) or evaluate(f, A, Z))
    oracle = variation.DictionaryOracle(g.Z, RELU, directions)
    assert oracle.payoffs(np.array([0.5, 0.0, -0.25])).tolist() == whole.tolist()
    assert asked == [(3, 2), (3, 2), (1, 2)]
    assert oracle.payoffs(np.zeros(3)).tolist() == [0.0] * 7 and asked[3:] == [(6, 0), (1, 0)]


# ---- without rounding


@pytest.mark.parametrize("feature", [RELU, SQUARED_RELU, TILTED, BOWL, ROOT], ids=lambda f: f.name)
@pytest.mark.parametrize("scales", [(1.0, 1.0, 1.0), (2.0**-30, 2.0**40, 2.0**-7), (2.0**20, 2.0**-60, 8.0)], ids=str)
def test_margins_without_rounding_in_any_units(feature, scales):
    """Directions of length 5 have an exact norm for degree 2; for degree 1 its root is 2^-60 too large at most."""
    z_scale, a_scale, w_scale = scales
    Z, A = z_scale * np.array([[3.0, 4.0], [2.0, -7.0]]), a_scale * np.array([[3.0, 4.0], [1.0, 1.0]])
    w, k = w_scale * np.array([2.0, -0.5]), feature.degree
    sigma = [Fraction(feature.right), Fraction(feature.left)]
    outputs = []
    for z in Z:
        u = [sum(Fraction(s) * Fraction(t) for s, t in zip(a, z, strict=True)) for a in A]
        terms = [sigma[0] * v**k if v > 0 else sigma[1] * (-v) ** k for v in u]
        outputs.append(sum(Fraction(x) * t for x, t in zip(w, terms, strict=True)))
    measure = Measure(A, w)
    assert exact_outputs(Z, feature, measure).tolist() == [float(v) for v in outputs]
    y = np.array([1.0 if v >= 0 else -1.0 for v in outputs])
    squares = [sum(Fraction(s) ** 2 for s in a) for a in A]
    lengths = squares if k == 2 else [root(s, up=True) for s in squares]
    norm = sum(abs(Fraction(x)) * length for x, length in zip(w, lengths, strict=True))
    exact = min(abs(v) for v in outputs) / norm
    found = exact_lower(Z, y, feature, measure)
    if exact == 0:
        assert found == 0.0
    else:
        assert Fraction(found) < exact and 1 - Fraction(found) / exact < Fraction(1, 2**51)
        assert found == math.nextafter(float(exact * (1 - Fraction(1, 2**62))), 0.0)
    assert exact_lower(Z, -y, feature, measure) == 0.0
    assert exact_lower(Z, y, feature, Measure(A, np.zeros(2))) == 0.0


def test_what_cancels_exactly_and_what_underflows_is_exactly_zero():
    left, A, w = Feature("left", 1, 0.0, 1.0), np.array([[1.0], [2.0]]), np.array([1.0, -0.5])
    assert exact_outputs(-np.ones((1, 1)), left, Measure(A, w)).tolist() == [0.0]
    tiny = exact_lower(np.full((1, 1), 1e-200), np.ones(1), SQUARED_RELU, Measure(A[:1], w[:1]))
    assert tiny == 0.0 and math.copysign(1.0, tiny) == 1.0


# ---- the contract of a game


def test_what_is_concluded_at_the_borders():
    assert Bracket(0.0, 1e-12, "s").status(1e-9, 1e-12) is Status.NOT_SEPARABLE
    assert Bracket(0.0, 2e-12, "s").status(1e-9, 1e-12) is Status.BRACKETED
    assert Bracket(1e-13, 1e-12, "s").status(1e-9, 1e-12) is Status.BRACKETED
    assert Bracket(0.75, 1.0, "s").status(0.25, -1.0) is Status.CERTIFIED
    assert Bracket(0.75, 1.0, "s").status(0.2499, -1.0, True) is Status.INTERRUPTED
    assert Bracket(0.0, 0.0, "s").relative_gap == 0.0 and Bracket(0.0, 0.0, "s").status(0.0, -1.0) is Status.CERTIFIED


def test_the_proof_of_a_bracket_is_neither_shown_nor_compared():
    with_proof, without = Bracket(0.5, 1.0, "s", {"leaves": []}), Bracket(0.5, 1.0, "s")
    assert with_proof == without and "proof" not in repr(with_proof)
    assert "stopped=False" in repr(Pair(None, np.ones(1))) and Pair(None, P).rounds == 0
    assert Pair(None, P).reason is Reason.CONVERGED and Pair(None, P).judge is None


class Proving(DictionaryGame):
    def response_from(self, proof, p):
        return Response(None, 0.0, 7.0, Scope.SPHERE_BOUND, proof)


def test_certify_takes_the_proof_of_the_pair_if_there_is_one():
    g = game(RELU)
    proving = Proving(g.Z, g.y, RELU, "path", directions=g.directions)
    plain = games.certify(proving, Pair(MEASURE, P))
    assert plain.upper == g.best_response(P).bound and plain.proof is None and plain.lower == g.lower(MEASURE)
    proved = games.certify(proving, Pair(MEASURE, P, proof={}))
    assert (proved.upper, proved.proof, proved.scope) == (7.0, {}, "sphere-bound")
    assert proving.certify(MEASURE, P) == plain
    with pytest.raises(InputError, match="DictionaryGame has none"):
        games.Game.response_from(g, {}, P)


def test_what_a_game_lacks_is_named():
    soft.demand(game(RELU), "a soft margin", ["margins", "norm"])
    with pytest.raises(InputError, match="a soft margin needs margins, colour of a game; DictionaryGame has no colour"):
        soft.demand(game(RELU), "a soft margin", ("margins", "colour"))


def test_values_are_frozen():
    g = game(RELU)
    bracket, response = Bracket(0.0, 1.0, "s"), g.best_response(P)
    for value in (
        MEASURE,
        g,
        bracket,
        response,
        Pair(None, P),
        soft.Capped(g, 0.5),
        VariationGame(P, P, RELU, oracle=g),
    ):
        with pytest.raises(FrozenInstanceError):
            value.scope = value.proof = None
    with pytest.raises(TypeError):
        DictionaryGame(g.Z, g.y, RELU, "path", g.directions)  # what is particular to a game is named
    with pytest.raises(TypeError):
        VariationGame(g.Z, g.y, RELU, "path", g)
