"""Kernel margins in integers: entries against mpmath, brackets against extended precision, refinement to the end."""

import mpmath
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import maxmargin as mm
from maxmargin.features.homogeneous import Feature, get_feature
from maxmargin.features.kernels import Kernel, derivative
from maxmargin.features.kernels_exact import BITS, LARGEST, ExactGram
from maxmargin.games.exact import ExactKernelGame
from maxmargin.games.rkhs import KernelExpansion, network_game
from maxmargin.solvers.min_norm_exact import refine
from maxmargin.solvers.min_norm_point import min_norm_point

FEATURES = ["relu", "squared-relu", Feature("tilted", 1, 1.0, -0.1), Feature("bowl", 2, 0.5, 0.75)]


def moment(activation, z, w, gaussian):
    """E[sigma(a.z) sigma(a.w)] to 60 digits, from the formula of Cho and Saul; and z.w."""
    D, k = len(z), activation.degree
    z, w = ([mpmath.mpf(float(v)) for v in vector] for vector in (z, w))
    A, B, G = (sum(a * b for a, b in zip(u, v, strict=True)) for u, v in ((z, z), (w, w), (z, w)))
    theta = mpmath.atan2(mpmath.sqrt(max(A * B - G * G, 0)), G) if A * B else mpmath.pi / 2

    def J(angle):
        s, c, psi = mpmath.sin(angle), mpmath.cos(angle), mpmath.pi - angle
        return (psi, s + psi * c, 3 * s * c + psi * (1 + 2 * c * c))[k]

    r, l = mpmath.mpf(activation.right), mpmath.mpf(activation.left)
    law = 1 if gaussian else (1, D, D * (D + 2))[k]
    value = ((r * r + l * l) * J(theta) + 2 * r * l * J(mpmath.pi - theta)) * mpmath.sqrt(A * B) ** k
    return value / (2 * mpmath.pi * law), G


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: getattr(feature, "name", feature))
@pytest.mark.parametrize("tangent", [False, True])
@pytest.mark.parametrize("weights", ["sphere", "gaussian"])
@pytest.mark.parametrize("bits", [BITS, 4 * BITS])
def test_entries_within_their_stated_error(feature, tangent, weights, bits):
    feature, rng = get_feature(feature), np.random.default_rng(2)
    for D in (1, 2, 5):
        Z = rng.normal(size=(8, D))
        Z[1], Z[2], Z[3], Z[4] = Z[0], -Z[0], Z[0] * (1 + 1e-9), Z[0] + 1e-12 * rng.normal(size=D)
        Z[5], Z[6] = 0.0, 1e-20 * Z[6]
        Z /= 1.01 * np.abs(Z).max()
        gram = ExactGram(Kernel(feature, weights, tangent), Z, bits)
        matrix = gram.matrix()
        assert (matrix == matrix.T).all() and gram.affordable
        with mpmath.workprec(bits + 80):
            for i, j in np.ndindex(8, 8):
                exact, dot = moment(derivative(feature) if tangent else feature, Z[i], Z[j], weights == "gaussian")
                if tangent:
                    exact *= dot
                    if feature.degree == 1:
                        exact += moment(feature, Z[i], Z[j], weights == "gaussian")[0]
                assert abs(int(matrix[i, j]) - exact * mpmath.mpf(2) ** bits) <= gram.error


def games(norm, Z, y):
    game = network_game(norm, "relu", Z, y)
    gram = ExactGram(game.K.kernel, game.K.Z)
    return game, ExactKernelGame(gram.matrix(), gram.error, y, game.scale)


@given(st.integers(0, 10_000), st.sampled_from(["f2", "ntk"]), st.floats(1e-6, 1e6))
@example(11, "f2", 40.0)  # the two points nearly cancel: p'YKYp is 3e-3 of p'Kp
@settings(max_examples=60, deadline=None)
def test_any_pair_gives_brackets_that_overlap_and_the_exact_one_lies_inside(seed, norm, size):
    rng = np.random.default_rng(seed)
    n, D = int(rng.integers(2, 9)), int(rng.integers(1, 5))
    y = np.where(rng.random(n) < 0.5, -1.0, 1.0)
    game, exact = games(norm, size * rng.normal(size=(n, D)), y)
    learner, p = KernelExpansion(y * rng.exponential(size=n)), rng.dirichlet(np.ones(n))
    wide, narrow = game.certify(learner, p, tol=0.0), exact.certify(learner, p)
    assert wide.lower <= narrow.lower * (1 + 1e-15) and narrow.upper <= wide.upper * (1 + 1e-15)
    # the rounding of p'YKYp is relative to p'Kp (K >= 0): what cancels is lost from the digits of the upper end
    payoff = game.scale**2 * float(p @ game.K[np.arange(n)] @ p)
    assert narrow.upper == pytest.approx(wide.upper, rel=1e-12 * max(1.0, payoff / wide.upper**2))


def tight():
    """Points of a line with random labels: margin 1e-5 of their size, condition 1e12."""
    rng = np.random.default_rng(4)
    X = np.sort(rng.uniform(-1, 1, size=(60, 1)), axis=0)
    return X, np.where(rng.random(60) < 0.5, -1.0, 1.0)


def test_refinement_takes_a_gap_that_doubles_leave_to_1e_12():
    X, y = tight()
    game, exact = games("f2", np.hstack([X, np.ones((60, 1))]), y)
    start = min_norm_point(game.K, y)
    rough = exact.certify(start.learner, start.p)
    minimiser, attempt = refine(exact.matrix, y, start.p, game.scale)
    refined = minimiser.rounded(1)
    fine = exact.certify(KernelExpansion(refined.coefficients), refined.p)
    assert attempt.status == "converged, 144 bits"
    assert fine.relative_gap < 1e-12 < 1e3 * 1e-12 < rough.relative_gap
    assert rough.lower <= fine.lower <= fine.upper <= rough.upper * (1 + 1e-15)


def test_refined_coefficients_have_norm_one_and_the_referee_agrees():
    X, y = tight()
    certificate = mm.max_margin((X, y), norm="f2", tol=1e-10)
    assert certificate.status.value == "certified"
    assert [item.name for item in certificate.attempts] == ["min-norm-point", "exact-refinement"]
    game = network_game("f2", "relu", np.hstack([X, np.ones((60, 1))]), y)
    assert game.norm(certificate.classifier) == pytest.approx(1.0, rel=1e-5)
    assert mm.check_certificate(certificate.to_json(), X, y).holds


@pytest.mark.parametrize("scale", [1e-70, 1e70])
def test_refinement_at_extreme_scales(scale):
    X, y = tight()
    Z = np.hstack([X, np.ones((60, 1))])
    certificate = mm.max_margin((scale * Z, y), norm="f2", bias=False, tol=1e-10)
    plain = mm.max_margin((Z, y), norm="f2", bias=False, tol=1e-10)
    assert certificate.relative_gap < 1e-10 and plain.relative_gap < 1e-10
    # rounding the scaled inputs alone moves this margin by u r^2/gamma^2
    assert certificate.upper == pytest.approx(scale * plain.upper, rel=1e-4)


def test_a_support_that_is_no_solution_is_exchanged():
    X, y = tight()
    game, exact = games("f2", np.hstack([X, np.ones((60, 1))]), y)
    p = min_norm_point(game.K, y).p
    wrong = np.where(np.arange(60) == np.flatnonzero(p)[0], 0.0, p)
    refined, right = (refine(exact.matrix, y, guess, game.scale)[0].rounded(1) for guess in (wrong, p))
    np.testing.assert_allclose(refined.p, right.p, rtol=1e-12, atol=1e-15)


def test_contradictory_points_get_the_weights_that_prove_it():
    y = np.array([1.0, -1.0])
    game, exact = games("f2", np.array([[0.3, 1.0], [0.3, 1.0]]), y)
    pair = refine(exact.matrix, y, np.array([0.9, 0.1]), game.scale)[0].rounded(1)
    bracket = exact.certify(KernelExpansion(pair.coefficients), pair.p)
    assert pair.p.tolist() == [0.5, 0.5]
    assert bracket.lower == 0.0 and bracket.upper < 1e-19


@pytest.mark.parametrize("seed", range(6))
def test_more_points_than_the_feature_space_has_dimensions(seed):
    """u and u^2 span D and D (D + 1)/2 dimensions: beyond that Q is singular; the margin is settled all the same."""
    rng = np.random.default_rng(seed)
    X, y = 1e4 + rng.normal(size=(12, 1)), np.where(rng.random(12) < 0.5, 1.0, -1.0)
    for feature in (Feature("linear", 1, 1.0, -1.0), Feature("square", 2, 1.0, 1.0)):
        certificate = mm.max_margin((X, y), "ntk", feature=feature)
        assert certificate.status.value in ("certified", "not-separable")
        assert mm.check_certificate(certificate.to_json(), X, y).holds


def test_what_is_not_affordable():
    kernel = Kernel(get_feature("relu"))
    assert not ExactGram(kernel, np.ones((LARGEST + 1, 2))).affordable
    assert ExactGram(kernel, np.array([[1.0, 1e-300]])).affordable


RIGHT = 1e-6 * np.array([[1.5, 2.5], [2.5, 1.5], [2.5, 2.5]]), np.array([1.0, 1.0, -1.0])
FOUR = np.array([[1e5, 0.0], [1e5, 1.0], [2e5, 0.0], [2e5, 1.0]]), np.array([-1.0, 1.0, 1.0, -1.0])


def truth(X, y, norm="f2", digits=120):
    """gamma by solving Q x = 1 in many digits: the answer when all weights come out positive."""
    with mpmath.workdps(digits):
        Z = np.hstack([X, np.ones((len(X), 1))])
        Q = mpmath.matrix(len(y))
        for i, j in np.ndindex(len(y), len(y)):
            value, dot = moment(get_feature("relu"), Z[i], Z[j], False)
            step = moment(derivative(get_feature("relu")), Z[i], Z[j], False)[0] * dot if norm == "ntk" else 0
            Q[i, j] = y[i] * y[j] * (value + step)
        x = mpmath.lu_solve(Q, mpmath.matrix([1] * len(y)))
        assert min(x) > 0
        return 1 / mpmath.sqrt(sum(x))


@pytest.mark.parametrize("norm", ["f2", "ntk"])
@pytest.mark.parametrize("name, X, y", [("tiny", *RIGHT), ("far", *FOUR), ("farther", 1e3 * FOUR[0], FOUR[1])])
def test_few_points_at_any_condition(norm, name, X, y):
    certificate = mm.max_margin((X, y), norm)
    gamma = truth(X, y, norm)
    assert certificate.status.value == "certified" and certificate.relative_gap <= 1e-10
    assert certificate.lower <= gamma <= certificate.upper
    document = certificate.to_json()
    assert mm.check_certificate(document, X, y).holds
    again = mm.Certificate.from_json(document, certificate.training)
    assert again.to_json() == document


def test_published_values():
    assert mm.max_margin(FOUR, "f2").lower == pytest.approx(1.5199159e-4, rel=1e-7)


@pytest.mark.parametrize("move", [lambda X: X * 1e-4, lambda X: X * 1e-7, lambda X: X + 1e3, lambda X: X + 1e6])
@pytest.mark.parametrize("norm", ["f2", "ntk"])
def test_offsets_and_tiny_data_cost_no_digits(move, norm):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((12, 2))
    X, y = move(X), np.where(X[:, 0] * X[:, 1] > 0, 1.0, -1.0)
    certificate = mm.max_margin((X, y), norm)
    assert certificate.relative_gap <= 1e-10
    assert mm.check_certificate(certificate.to_json(), X, y).holds


def test_low_parts_count_in_the_referee_and_cannot_hide_a_negative_weight():
    X, y = 1e6 * FOUR[0], FOUR[1]
    document = mm.max_margin((X, y), "f2").to_json()
    assert len(document["classifier"]["coefficients_low"]) >= 1 and len(document["adversary_low"]) >= 1
    without = {key: value for key, value in document.items() if key != "adversary_low"}
    assert not mm.check_certificate(without, X, y).holds
    classifier = {"coefficients": document["classifier"]["coefficients"]}
    assert not mm.check_certificate(document | {"classifier": classifier}, X, y).holds
    low = [[-2 * value for value in document["adversary"]]]
    assert "negative" in mm.check_certificate(document | {"adversary_low": low}, X, y).reason
