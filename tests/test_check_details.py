"""The referee in small: what it names, what it compares, and what it builds on the way to a proof."""

import math
from fractions import Fraction as F
from types import SimpleNamespace

import numpy as np
import pytest
from check_support import certificate, refused, xor
from test_check_dependence import possible
from test_check_norms import document as norm_document

from maxmargin.check import check_certificate, interpolant, kernel, precise, spectral, sphere, status
from maxmargin.check import norm as norms
from maxmargin.check.claim import Activation, read_claim
from maxmargin.check.dictionary import check_dictionary, check_lower, dictionary_hash
from maxmargin.check.verdict import NotSettled, Refusal
from maxmargin.features import Feature
from maxmargin.oracles.enumeration.degree1 import ArrangementOracle
from maxmargin.oracles.enumeration.degree2 import QuadraticCellOracle

RELU = Activation(1, 1.0, 0.0)


def test_the_direction_furthest_from_unit_length_is_named():
    X, y, _, p, _ = xor()
    classifier = {"directions": [[1.0, 0.0], [0.5, 0.0], [0.0, 1.0]], "weights": [0.5, 0.25, 0.25]}
    verdict = check_certificate(certificate(X, y, classifier, p, (0.1, 0.5), bias=False), X, y)
    assert refused(verdict) and "direction 1 has norm" in verdict.reason


@pytest.mark.parametrize(("right", "holds"), [(1.0, True), (2.0, False)])
def test_a_known_name_may_be_spelled_out_with_its_own_coefficients(right, holds):
    X, y, classifier, p, margin = xor()
    feature = {"name": "relu", "degree": 1, "right": right, "left": 0.0}
    ends = margin * (1.0 - 1e-14), margin * (1.0 + 1e-14)
    assert check_certificate(certificate(X, y, classifier, p, ends, bias=False, feature=feature), X, y).holds == holds


@pytest.mark.parametrize("labels", [[1, -1], [1, 1]])
def test_even_functions_of_opposite_points_cancel_if_the_labels_differ(labels):
    """c (a.z)^2 - c (a.(-z))^2 = 0: no kink keeps the two sides of a line apart."""
    square = {"degree": 2, "right": 0.5, "left": 0.5}
    assert possible([[1.0, 2.0], [-1.0, -2.0]], labels, [0.5, 0.5], feature=square) == (labels[1] < 0)


@pytest.mark.parametrize("p", [[0.5, -0.4, 0.0], [-0.5, 0.4, 0.0]])
def test_weights_that_do_not_cancel_prove_no_infinite_norm(p):
    claim = SimpleNamespace(game=SimpleNamespace(Z=np.array([[1.0], [1.0], [2.0]])), p=np.array(p))
    with pytest.raises(Refusal, match="cancel on equal points"):
        norms._pays_nothing(claim)
    claim.p = np.array([-0.5, 0.5, 0.0])
    assert "no function" in norms._pays_nothing(claim)


def dictionary_claim(directions, upper, degree=2):
    """Two points on the axes with weights 1/2: the neuron along either earns |a|^degree / 2."""
    X, y = np.eye(2), np.array([1.0, -1.0])
    classifier = {"directions": np.eye(2).tolist(), "weights": [0.5, -0.5]}
    feature = "squared-relu" if degree == 2 else "relu"
    claim = certificate(X, y, classifier, [0.5, 0.5], (0.5, upper), bias=False, feature=feature, scope="dictionary")
    return read_claim(claim | {"dictionary_sha256": dictionary_hash(directions)}, X, y)


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("length", [0.25, 1.0, 2.0, 8.0])
def test_a_dictionary_of_any_lengths_is_judged_by_its_directions(length, degree):
    """The claim 1/2 is attained exactly: equality is compared without rounding, and scales with |a|^degree."""
    directions = np.vstack([length * np.eye(2), np.zeros((1, 2))])
    assert "3 compared exactly" in check_dictionary(dictionary_claim(directions, 0.5, degree), directions)
    less = dictionary_claim(directions, math.nextafter(0.5, 1.0), degree)
    claim = SimpleNamespace(**{**vars(less), "upper": math.nextafter(0.5, 0.0)})
    with pytest.raises(Refusal, match="paid more"):
        check_dictionary(claim, directions)


@pytest.mark.parametrize("total", [1.0 + 4e-10, 1.0 - 4e-10])
def test_a_dictionary_claim_is_about_weights_divided_by_their_sum(total):
    """p = total (1/2, 1/2) earns total/2, and the claim 1/2 allows exactly that."""
    claim = SimpleNamespace(**{**vars(dictionary_claim(np.eye(2), 0.5)), "p": np.full(2, 0.5 * total)})
    assert "2 compared exactly" in check_dictionary(claim, np.eye(2))
    claim.upper = math.nextafter(0.5, 0.0)
    with pytest.raises(Refusal, match="paid more"):
        check_dictionary(claim, np.eye(2))


def test_a_classifier_over_a_dictionary_has_no_other_neurons():
    directions = np.array([[1.0, 0.0], [0.6, 0.8]])  # the neuron along the second axis is missing
    claim = dictionary_claim(directions, 0.5)
    with pytest.raises(Refusal, match="direction 1 is not in the dictionary"):
        check_dictionary(claim, directions)
    check_dictionary(SimpleNamespace(**{**vars(claim), "lower": 0.0}), directions)  # f = 0 needs no neuron


def test_only_points_near_the_lower_end_are_computed_exactly():
    """Margins 1/2 at the first point and 1 at the others: floats settle those."""
    X, y = np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 2.0]]), np.array([1.0, 1.0, -1.0])
    classifier = {"directions": np.eye(2).tolist(), "weights": [0.5, -0.5]}
    document = certificate(X, y, classifier, [1.0, 0.0, 0.0], (0.5 * (1 - 1e-15), 1.0), bias=False)
    assert "(1 of 3 points exactly)" in check_lower(read_claim(document, X, y))


def test_quadratic_forms_with_too_many_entries_are_not_tried(monkeypatch):
    """Four points in three coordinates have 36 entries."""
    X, y = (
        np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 1.0, 1.0]]),
        np.array([1.0, -1.0, 1.0, 1.0]),
    )
    classifier = {"directions": np.eye(3)[:1].tolist(), "weights": [1.0]}
    document = certificate(X, y, classifier, [0.25] * 4, (0.0, 2.0), bias=False, feature="squared-relu")
    claim = read_claim(document, X, y)
    monkeypatch.setattr(sphere, "MOST_ENTRIES", 36)
    assert "4 hyperplanes" in sphere.check_sphere(claim)
    monkeypatch.setattr(sphere, "MOST_ENTRIES", 35)
    with pytest.raises(NotSettled, match="4 quadratic forms in 3"):
        sphere.check_sphere(claim)


@pytest.mark.parametrize(
    ("norm", "degree", "law", "diagonal"),
    [
        ("f2", 1, "sphere", 1 / 6),
        ("f2", 1, "gaussian", 1 / 2),
        ("f2", 2, "sphere", 1 / 10),
        ("f2", 2, "gaussian", 3 / 2),
        ("ntk", 1, "sphere", 1 / 2 + 1 / 6),
        ("ntk", 1, "gaussian", 1 / 2 + 1 / 2),
        ("ntk", 2, "sphere", 2 / 3),
        ("ntk", 2, "gaussian", 2.0),
    ],
)
def test_what_counts_as_zero_is_a_millionth_of_the_root_of_the_kernels_diagonal(norm, degree, law, diagonal):
    """D = 3, unit points; with left = 2 the diagonal is 1 + 4 times that of the ReLU or its square."""
    claim = SimpleNamespace(norm=norm, law=law, factor=1.0, Z=np.eye(3), p=np.full(3, 1 / 3))
    claim.activation = Activation(degree, 1.0, 2.0)
    assert status._negligible(claim) == pytest.approx(1e-6 * math.sqrt(5.0 * diagonal), rel=1e-12)


def test_an_ascent_starts_from_unit_directions_of_axes_points_and_neurons():
    rng = np.random.default_rng(0)
    Z, neurons = rng.normal(size=(5, 3)), rng.normal(size=(4, 3))
    Z[2] = 0.0
    A = sphere._starts(SimpleNamespace(directions=neurons), Z)
    np.testing.assert_allclose(np.linalg.norm(A, axis=1), 1.0)
    wanted = np.vstack([np.eye(3), Z[[0, 1, 3, 4]], neurons])
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    np.testing.assert_allclose(A, np.vstack([wanted, -wanted]))


def test_helpers_in_the_plane_hold_the_perpendiculars_of_the_points():
    X = np.array([[3.0, 4.0], [1.0, -2.0]])
    A = interpolant._helpers(X)
    np.testing.assert_allclose(np.linalg.norm(A, axis=1), 1.0)
    np.testing.assert_allclose(A[-4:], np.array([[-4, 3], [2, 1], [4, -3], [-2, -1]]) / [[5], [5**0.5], [5], [5**0.5]])
    assert interpolant._helpers(np.eye(3)).shape[1] == 3


def test_the_norm_in_fractions_counts_the_lengths_of_the_neurons():
    """Neurons 2 e_1 and 4 e_2 take the values 1 and -2 with weights 1/2 and -1/2: norm 1/2 * 2 + 1/2 * 4."""
    claim = SimpleNamespace(activation=RELU, factor=1.0)
    A, points = np.diag([2.0, 4.0]), np.eye(2)
    found = interpolant._in_fractions(claim, A, points @ A.T, points, [F(1), F(-2)])
    assert F(3) <= found <= F(3) * (1 + F(1, 2**100))


def test_a_least_eigenvalue_is_found_however_far_it_is_from_the_largest():
    for least in (1.0, 1e-10, 1e-20):
        found = interpolant._least_eigenvalue(np.diag([1.0, least]))
        assert least / 4 <= found <= least


def test_what_no_correction_meets_is_bounded_by_the_least_eigenvalue(monkeypatch):
    """One point, K = 25/4, target 2: norm 0.8; without a correction |r| / sqrt(K/2) = 1.13 is all that is known."""
    X, t, zero = [[3.0, 4.0]], [2.0], {"coefficients": [0.0]}

    def holds(upper):
        claim = norm_document(X, t, zero, [1.0], (0.0, upper), norm="f2", weights="sphere")
        return check_certificate(claim, X, t).holds

    assert holds(0.8 * (1 + 1e-14)) and not holds(0.79)
    monkeypatch.setattr(interpolant, "STEPS", 0)
    assert holds(1.14) and not holds(1.0)


@pytest.mark.parametrize(("needed", "taken"), [(100, 160), (161, 320), (1000, 1280), (10**6, 2560)])
def test_digits_are_doubled_until_an_argument_decides(needed, taken):
    X, y = np.array([[1.0, 0.0], [0.6, 0.8]]), np.array([1.0, -1.0])
    claim = read_claim(
        certificate(
            X, y, {"coefficients": [1.0, -1.0]}, [0.5, 0.5], (0.0, 1.0), norm="f2", scope="kernel", weights="sphere"
        ),
        X,
        y,
    )
    tried = []

    def decides(_, image):
        tried.append(image.fixed.one.bit_length() - 1)
        return None if tried[-1] < needed else True

    image = kernel.Images(claim).settled(0, decides)
    assert image.fixed.one.bit_length() - 1 == taken
    assert tried == [160 * 2**k for k in range(len(tried))]


def test_directions_that_leave_nearly_half_a_turn_open_surround_nothing():
    """The largest gap has to be below pi by more than the angles may err; then every c has a row with row.c <= -r."""
    for missing, surrounded in ((2.0 * precise.REACH, True), (0.5 * precise.REACH, False), (-0.5, False), (0.5, True)):
        angles = np.array([0.0, np.pi - missing, 1.5 * np.pi])
        found = precise._surrounded(np.stack([np.cos(angles), np.sin(angles)], axis=1))
        assert (found > 0.0) == surrounded and (surrounded or found == 0.0)
    c = np.stack([np.cos(t := np.linspace(0.0, 2.0 * np.pi, 1000)), np.sin(t)])
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert (rows @ c).min(axis=0).max() <= -found


@pytest.mark.parametrize("feature", ["relu", "squared-relu"])
def test_a_false_claim_is_refuted_by_a_neuron_of_its_cells(feature, monkeypatch):
    """Without the witness that comes first, a projection or an eigenvector of an open cell is compared exactly."""
    X, y = np.array([[3.0, 4.0], [2.0, 0.0]]), np.array([1.0, 1.0])
    most = (
        math.sqrt(41.0) / 2.0 if feature == "relu" else 7.25 + math.sqrt(0.5625 + 36.0)
    )  # |z_1 + z_2|/2; an eigenvalue
    classifier = {"directions": [[0.6, 0.8]], "weights": [1.0]}
    monkeypatch.setattr(sphere, "refute", lambda claim: None)
    for upper, word in ((0.998 * most, "paid more"), (most * (1.0 + 1e-14), None)):
        document = certificate(X, y, classifier, [0.5, 0.5], (0.0, upper), bias=False, feature=feature)
        claim = read_claim(document, X, y)
        if word is None:
            assert "2 hyperplanes" in sphere.check_sphere(claim)
            continue
        with pytest.raises(Refusal, match=word) as refusal:
            sphere.check_sphere(claim)
        assert not isinstance(refusal.value, NotSettled)


def test_an_ascent_of_many_points_has_few_starts(monkeypatch):
    """One step evaluates all starts and their opposites at all points: at most `WORK` numbers."""
    Z = np.random.default_rng(0).normal(size=(5, 3))
    monkeypatch.setattr(sphere, "WORK", 40)
    assert len(sphere._starts(SimpleNamespace(directions=None), Z)) == 2 * 4
    monkeypatch.setattr(sphere, "WORK", 1)
    assert len(sphere._starts(SimpleNamespace(directions=None), Z)) == 2


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("left", [0.0, -0.6, 0.6])
def test_a_claim_that_is_one_per_cent_too_low_meets_a_witness(degree, left):
    """Short ascents from axes, points and neurons reach the maximum of small random games, both signs of it."""
    found, feature = 0, {"name": "bent", "degree": degree, "right": 1.0, "left": left}
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X, y, p = rng.normal(size=(8, 3)), rng.choice([-1.0, 1.0], 8), rng.dirichlet(np.ones(8))
        most = best_payoff(X, p * y, Activation(degree, 1.0, left))
        classifier = {"directions": np.eye(3)[:1].tolist(), "weights": [1.0]}
        document = certificate(X, y, classifier, p, (0.0, 0.99 * most), bias=False, feature=feature)
        try:
            sphere.refute(read_claim(document, X, y))
        except Refusal:
            found += 1
        document |= {"upper": most * (1.0 + 1e-12)}
        sphere.refute(read_claim(document, X, y))
    assert found >= 19  # an ascent may end at a lesser maximum; then the cells decide


def best_payoff(Z, q, activation):
    """The maximum of |g| over the sphere of R^3, by the enumeration that the referee does not know."""
    oracle = ArrangementOracle if activation.degree == 1 else QuadraticCellOracle
    return oracle(Z, Feature("bent", activation.degree, activation.right, activation.left))(q).values[0]


def test_what_is_lost_in_few_coordinates_is_weighed_by_the_adversary(monkeypatch):
    """The distances of the points from their span are paid by |q_i| = p_i, whatever the label."""
    seen = []
    monkeypatch.setattr(spectral, "_leaf_bound", lambda *a: 2.0)
    monkeypatch.setattr(spectral.Reduction, "bound", lambda self, bound, q, activation: seen.append(q) or bound)
    Z, y, p = np.random.default_rng(0).normal(size=(3, 40)), np.array([1.0, -1.0, 1.0]), np.array([0.5, 0.25, 0.25])
    claim = SimpleNamespace(Z=Z, y=y, p=p, activation=RELU)
    assert spectral.proved_bound(claim, {"signs": [{"sign": 1}, {"sign": -1}]}) == (2.0, 2)
    np.testing.assert_array_equal(seen, [[0.5, -0.25, 0.25]])


def test_a_norm_without_weights_is_the_sum_of_the_targets_times_the_dearest_value(monkeypatch):
    """Where there are too many neurons to compute the weights: values 1 and -2 at e_1 and 2 e_2 cost 2 at least."""
    monkeypatch.setattr(interpolant, "EXACT_WORK", 0)
    claim = SimpleNamespace(activation=RELU, factor=1.0)
    points = np.array([[1.0, 0.0], [0.0, 2.0]])
    limits = SimpleNamespace(demand=lambda: None)
    found = interpolant._added(claim, np.eye(2), points, [F(1), F(-2)], limits)
    assert 2.0 <= found <= 12.0
    assert found == pytest.approx(3.0 * float(interpolant._added(claim, np.eye(2), points, [F(1), F(0)], limits)))
