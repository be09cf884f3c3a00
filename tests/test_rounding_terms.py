"""Every rounding term of the games and proofs, one test each that fails when the term is left out."""

import math
from fractions import Fraction

import numpy as np
import pytest
from check_support import certificate, refused, xor
from oracle_reference import dot, exact_payoffs, root

from maxmargin import rounding
from maxmargin.check import check_certificate, linear
from maxmargin.check.cells import Batch
from maxmargin.features import RELU, Feature
from maxmargin.games.exact import _lengths
from maxmargin.games.measure import Measure
from maxmargin.games.variation import DictionaryGame, _per_mass
from maxmargin.oracles import spectral
from maxmargin.oracles.lifted import inequality as lifted_proof


def test_below_and_above_step_one_float_even_for_errors_that_vanish_in_the_sum():
    assert rounding.below(1.0, 1e-30) < 1.0 < rounding.above(1.0, 1e-30)
    assert rounding.below(1.0, 0.0) == 1.0 == rounding.above(1.0, 0.0)
    assert rounding.below(0.0, 1e-30) < -0.9e-30 and rounding.above(0.0, 1e-30) > 0.9e-30


def test_integers_and_nearest_are_inverse_and_keep_the_leading_bits_of_any_size():
    values = np.array([1e-300, -3.5, 0.0, 1e300, 2.0**-1074])
    whole, exponent = rounding.integers(values)
    assert [Fraction(int(v)) * Fraction(2) ** exponent for v in whole] == [Fraction(float(v)) for v in values]
    assert np.array_equal(rounding.nearest(whole, exponent), values)
    large = np.array([3**700, -(7**500)], dtype=object)
    for kind in (np.float64, np.longdouble):
        m, e = rounding.mantissas(large, kind)
        for value, mantissa, shift in zip(large, m, e, strict=True):
            head = float(mantissa)
            close = Fraction(head) + Fraction(float(mantissa - kind(head)))
            assert abs(close * 2 ** int(shift) / value - 1) <= 2.0 * rounding.roundoff(kind)


def truth_of(measure, Z, y, feature):
    """The exact margin over the exact norm."""
    z = [[Fraction(float(v)) for v in row] for row in Z]
    margins = []
    for label, point in zip(y, z, strict=True):
        total = Fraction(0)
        for w, a in zip(measure.weights, measure.directions, strict=True):
            u = dot([Fraction(float(v)) for v in a], point)
            sigma = Fraction(feature.right) * u if u > 0 else -Fraction(feature.left) * u
            total += Fraction(float(w)) * sigma
        margins.append(int(label) * total)
    lengths = [root(sum(Fraction(float(v)) ** 2 for v in a), up=False) for a in measure.directions]
    norm = sum(abs(Fraction(float(w))) * length for w, length in zip(measure.weights, lengths, strict=True))
    return min(margins) / norm


def dictionary_game(Z, y, feature):
    return DictionaryGame(Z, y, feature, "path", directions=np.eye(1, Z.shape[1]))


@pytest.mark.parametrize("feature", [RELU, Feature("left", 1, 1e-3, 1.0)], ids=lambda f: f.name)
def test_the_lower_end_is_below_the_exact_margin_where_it_is_lost_in_its_terms(feature, monkeypatch):
    """Weights that nearly cancel: the error is 1e-16 of the terms, with the larger of the two coefficients."""
    monkeypatch.setattr("maxmargin.games.variation._EXACT_WORK", 0)  # floats alone
    positive = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        a = rng.normal(size=(3, 3))
        directions = np.vstack([a, a + 1e-9 * rng.normal(size=(3, 3))])
        measure = Measure(directions, np.r_[np.ones(3), -np.ones(3)] / 6.0)
        Z = rng.normal(size=(1, 3))
        y = np.sign(measure.outputs(Z, feature))
        lower = dictionary_game(Z, y, feature).lower(measure)
        positive += lower > 0.0
        assert Fraction(lower) <= max(truth_of(measure, Z, y, feature), Fraction(0))
    assert positive > 30


def test_the_lower_end_of_one_neuron_is_rounded_down():
    """Margin and norm have errors of their last places only; not one of many may come out too large."""
    for seed in range(200):
        rng = np.random.default_rng(seed)
        measure = Measure(rng.normal(size=(1, 2)), np.array([1.0]))
        Z = measure.directions * rng.uniform(0.5, 2.0)
        lower = dictionary_game(Z, np.ones(1), RELU).lower(measure)
        assert Fraction(lower) <= truth_of(measure, Z, np.ones(1), RELU)


def test_the_upper_end_is_rounded_up_by_the_mass_of_the_adversary():
    for seed in range(200):
        rng = np.random.default_rng(seed)
        p, bound = rng.random(9), float(rng.random())
        exact = Fraction(bound) / sum(Fraction(float(v)) for v in p)
        assert exact <= Fraction(_per_mass(bound, p))


def test_the_bound_over_a_dictionary_covers_payoffs_that_cancel():
    for seed in range(60):
        rng = np.random.default_rng(seed)
        Z = rng.normal(size=(6, 3))
        y = np.tile([1.0, -1.0], 3)
        Z[1::2] = Z[::2] + 1e-9 * rng.normal(size=(3, 3))
        A = rng.normal(size=(4, 3))
        p = np.full(6, 1.0 / 6.0)
        bound = DictionaryGame(Z, y, RELU, "path", directions=A).responses(p, 1).bound
        assert max(exact_payoffs(Z, p * y, RELU, A)) <= Fraction(bound)


def test_lengths_of_directions_are_rounded_up():
    A = np.array([[3, 4], [1, 1], [7, 11], [10**20 + 1, 3]], dtype=object)
    for row, length in zip(A, _lengths(A, 1), strict=True):
        square = int(row @ row) << 128
        assert (int(length) - 2) ** 2 < square < int(length) ** 2 or int(length) == math.isqrt(square) + 1
        assert int(length) ** 2 > square


def test_multipliers_below_the_length_of_omega_are_raised():
    forms = lifted_proof.leaf_forms(np.eye(2), ())
    leaf = {"value": 1.0, "rho": 0.0, "mu": [0.0] * 4, "omega": [[3.0, 4.0]] * 4, "rows": [], "cols": [], "values": []}
    assert (lifted_proof.unpack(leaf, forms, 2)["mu"] >= 5.0).all()


def test_points_outside_the_support_of_a_proof_add_what_they_can_pay():
    Z, q = np.array([[3.0, 4.0], [1.0, 0.0], [0.0, 2.0]]), np.array([0.5, 0.25, -0.25])
    left_out = lifted_proof._left_out(Z, q, Feature("f", 1, 1.0, -3.0), np.array([1]))
    assert left_out == pytest.approx(3.0 * (0.5 * 5.0 + 0.25 * 2.0), rel=1e-12)
    assert left_out >= 3.0 * (0.5 * 5.0 + 0.25 * 2.0)
    bound = spectral.verify(Z, np.ones(3), RELU, np.array([0.0, 0.25, 0.0]), spectral_proof(Z, [0.0, 0.25, 0.0]))
    assert bound >= 0.25


def spectral_proof(Z, q):
    return spectral.SpectralOracle(Z, RELU)(np.array(q)).proof


@pytest.mark.parametrize("n", [2, 5, 30])
def test_matrices_that_are_semidefinite_up_to_their_error_only_are_not_proved_so(n):
    """Smallest eigenvalue of order -u tr: Cholesky in floats may run to its end, and the shift must refuse."""
    refused_ones = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        U = np.linalg.qr(rng.normal(size=(n, n)))[0]
        S = (U * np.r_[-1e-17, np.ones(n - 1)]) @ U.T
        S = 0.5 * (S + S.T)
        assert not lifted_proof.is_positive_semidefinite(S, 0.0)
        refused_ones += 1
        assert lifted_proof.is_positive_semidefinite(S + 1e-12 * np.eye(n), 0.0)
        assert not lifted_proof.is_positive_semidefinite(S + 1e-12 * np.eye(n), 1e-11)
    assert refused_ones == 40


def test_the_referee_counts_negative_products_of_its_forms_as_zero():
    from maxmargin.check.claim import Activation
    from maxmargin.check.relaxation import Cone, Points, _forms, _multipliers

    L, _, _, complementary = _forms(np.eye(2), np.ones(2), Activation(1, 1.0, 0.0), Cone())
    leaf = {"mu": [0.0] * 4, "omega": [[0.0, 0.0]] * 4, "rows": [0, 0], "cols": [1, 2], "values": [-3.0, -2.0]}
    pairs = _multipliers(leaf, len(L), Points(np.eye(2), 2, None, False), complementary)[2]
    assert pairs[0, 1] == pairs[1, 0] == 0.0  # h_1 h_2 >= 0 may only be subtracted
    assert pairs[0, 2] == pairs[2, 0] == -1.0  # h_1 (h_1 - z_1.a) = 0 may have any sign


def test_the_referee_refuses_weights_below_zero_however_small():
    X, y, classifier, _, gamma = xor()
    for least in (-1e-9, -1e-12, -5e-324):
        p = [0.25, 0.25, 0.25, least]
        p[0] += 0.25 - least
        document = certificate(X, y, classifier, p, (0.0, 2.0 * gamma), bias=False)
        verdict = check_certificate(document, X, y)
        assert refused(verdict) and "weights must be >= 0" in verdict.reason


def test_the_referee_leaves_faces_open_that_only_rounding_settles():
    """|P v| within the error of the bound, and a sign within the error of zero, settle nothing."""
    forms = np.array([[[1.0, 0.0], [1.0, 0.0]]])
    batch = Batch(forms, np.array([[0]]), np.array([[0, 1]], dtype=np.int8))
    normals = np.array([[0.0, 1.0], [1.0, 0.0]])
    open_at = {e: sum(len(cells) for _, cells in linear.open_faces(batch, normals, 1.0, e)) for e in (0.0, 1e-12)}
    assert open_at[1e-12] > 0
    within = linear.open_faces(batch, normals, 1.0 + 1e-13, 1e-12)  # longer than the bound by less than the error
    assert sum(len(cells) for _, cells in within) > 0
    assert sum(len(cells) for _, cells in linear.open_faces(batch, normals, 1.0 - 1e-9, 0.0)) > 0
    assert sum(len(cells) for _, cells in linear.open_faces(batch, normals, 1.0 + 1e-9, 1e-12)) == 0
