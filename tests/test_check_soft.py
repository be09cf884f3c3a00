"""The referee's soft margins: the mean of the worst margins, and adversaries whose weights exceed the cap a little."""

import math
from dataclasses import replace
from fractions import Fraction as F

import numpy as np
import pytest
from check_support import certificate, refused, xor

import maxmargin as mm
from maxmargin.check import check_certificate
from maxmargin.check.claim import Activation, read_claim
from maxmargin.check.soft import _radius, allowing_for_rounding, worst
from maxmargin.errors import InputError
from maxmargin.features.kernels import Activation as Function
from maxmargin.features.kernels import Kernel

MARGINS = [3, 1, 2, 10]


@pytest.mark.parametrize(
    ("nu", "wanted"),
    [(None, F(1)), (0.125, F(1)), (0.25, F(1)), (0.375, F(4, 3)), (0.5, F(3, 2)), (0.625, F(9, 5)), (1.0, F(4))],
)
def test_the_worst_fraction_counts_a_part_of_one_margin(nu, wanted):
    assert worst(np.array(MARGINS, dtype=object), nu) == wanted


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_least_mean_of_weights_below_the_cap(seed):
    rng = np.random.default_rng(seed)
    margins, nu = rng.integers(-9, 10, size=7), float(rng.uniform(0.2, 1.0))
    cap, left, least = 1 / (F(nu) * 7), F(1), F(0)
    for margin in sorted(margins):
        weight = min(cap, left)
        least, left = least + weight * int(margin), left - weight
    assert worst(margins, nu) == least


def soft(p, upper, nu=0.5):
    X, y, classifier, weights, _ = xor()
    claim = read_claim(certificate(X, y, classifier, weights, (0.0, 1.0), bias=False), X, y)
    return replace(claim, nu=nu, p=np.array(p), upper=upper)


def test_weights_below_the_cap_leave_the_claim_as_it_is():
    for claim in (soft([0.5, 0.5, 0.0, 0.0], 0.3), soft([0.9, 0.1, 0.0, 0.0], 0.3, nu=None)):
        assert allowing_for_rounding(claim) is claim
    assert math.isinf(allowing_for_rounding(soft([0.9, 0.1, 0.0, 0.0], math.inf)).upper)


@pytest.mark.parametrize("total", [1.0, 4.0])
@pytest.mark.parametrize("excess", [2.0**-40, 2.0**-10])
def test_weights_above_it_cost_twice_their_mass_on_the_longest_point(excess, total):
    claim = soft(total * np.array([0.5 + excess, 0.5 - excess, 0.0, 0.0]), 0.3)
    room = 0.3 - 2.0 * excess * math.sqrt(2.0)  # |x| = sqrt(2) for every point
    assert room - 1e-15 < allowing_for_rounding(claim).upper < room


def test_weights_far_above_it_leave_no_claim():
    assert allowing_for_rounding(soft([0.9, 0.1, 0.0, 0.0], 0.3)).upper == 0.0


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("factor", [0.5, 1.0])
def test_a_neuron_pays_at_most_its_larger_slope_times_the_longest_point(degree, factor):
    claim = replace(soft([0.25] * 4, 0.3), factor=factor, activation=Activation(degree, 0.5, -2.0))
    claim = replace(claim, Z=np.array([[3.0, 4.0], [1.0, 0.0]]))
    assert float(_radius(claim)) == pytest.approx(factor * 2.0 * 5.0**degree, rel=1e-15)


@pytest.mark.parametrize("law", ["sphere", "gaussian"])
@pytest.mark.parametrize("norm", ["f2", "ntk"])
@pytest.mark.parametrize("degree", [1, 2])
def test_a_function_of_a_kernels_ball_pays_at_most_the_root_of_the_diagonal(norm, law, degree):
    Z = np.array([[3.0, 4.0, 1.0], [1.0, 0.0, 0.0]])
    claim = replace(soft([0.25] * 4, 0.3), norm=norm, law=law, activation=Activation(degree, 1.0, 0.25), Z=Z)
    kernel = Kernel(Function(degree, 1.0, 0.25), law, tangent=norm == "ntk")
    assert float(_radius(claim)) == pytest.approx(math.sqrt(kernel(Z)[0, 0]), rel=1e-13)


@pytest.fixture(scope="module", params=["f1", "f2", "ntk"])
def solved(request):
    data = mm.load("clusters:n=24,d=3,k=2,seed=1")
    return data, mm.max_margin(data, norm=request.param, nu=0.3, self_check=False).to_json()


def changed(document, **problem):
    return document | {"problem": document["problem"] | problem}


def test_certificates_of_soft_margins_hold_and_nothing_sharper(solved):
    data, document = solved
    assert document["problem"]["nu"] == 0.3
    assert check_certificate(document, data.X, data.y).holds
    lower, upper = document["lower"], document["upper"]
    room = 1e-7 * upper  # far above the gap of these certificates
    for ends in ((lower + room, upper + room), (lower - room, lower - 0.5 * room)):
        other = document | {"lower": ends[0], "upper": ends[1], "relative_gap": 1.0 - ends[0] / ends[1]}
        assert refused(check_certificate(other | {"status": "bracketed"}, data.X, data.y))


def test_a_fraction_of_another_size_has_another_margin(solved):
    """More points at fault raise the lower end and lower the cap; fewer lower the mean."""
    data, document = solved
    for nu, named in ((0.31, "adversary"), (0.29, "lower"), (None, "lower")):
        verdict = check_certificate(changed(document, nu=nu), data.X, data.y)
        assert refused(verdict)
        assert named in verdict.reason


@pytest.mark.parametrize("nu", [0.0, -0.1, 1.0 + 1e-12])
def test_a_fraction_of_the_points_is_above_0_and_at_most_1(solved, nu):
    data, document = solved
    verdict = check_certificate(changed(document, nu=nu), data.X, data.y)
    assert refused(verdict)
    assert "fraction" in verdict.reason


def test_adversaries_of_soft_margins_have_no_further_parts(solved):
    data, document = solved
    verdict = check_certificate(document | {"adversary_low": [[0.0] * 24]}, data.X, data.y)
    assert refused(verdict)
    assert "adversary_low" in verdict.reason


def test_adversaries_of_f1_have_no_further_parts():
    X, y, classifier, p, gamma = xor()
    document = certificate(X, y, classifier, p, (0.5 * gamma, 2.0 * gamma), bias=False)
    assert check_certificate(document, X, y).holds
    verdict = check_certificate(document | {"adversary_low": [[0.0] * 4]}, X, y)
    assert not verdict.holds
    assert "adversary_low" in verdict.reason


@pytest.mark.parametrize("shapes", [((4, 2), (3,)), ((4,), (4,)), ((4, 2, 1), (4,)), ((0, 2), (0,))])
def test_data_are_points_and_as_many_labels(shapes):
    X, y, classifier, p, gamma = xor()
    document = certificate(X, y, classifier, p, (0.5 * gamma, 2.0 * gamma), bias=False)
    with pytest.raises(InputError, match="wanted"):
        check_certificate(document, np.ones(shapes[0]), np.ones(shapes[1]))


def test_columns_that_are_called_standardised_have_mean_0_and_deviation_1(solved):
    data, document = solved
    unit = (data.X - data.X.mean(axis=0)) / data.X.std(axis=0)
    flat = unit * np.array([1.0, 0.0])
    for X, holds in ((unit, True), (flat, True), (data.X, False), (unit + 1e-3, False), (unit * 1.001, False)):
        plain = mm.max_margin((X, data.y), norm=document["problem"]["norm"], nu=0.3, self_check=False).to_json()
        assert check_certificate(plain, X, data.y).holds
        assert check_certificate(changed(plain, standardized=True), X, data.y).holds == holds
    assert refused(check_certificate(changed(document, standardized="yes"), data.X, data.y))
