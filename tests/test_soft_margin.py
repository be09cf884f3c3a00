"""Soft margins asked of `max_margin`: certificates that `check` verifies, and theorems about nu."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest

import maxmargin as mm
from maxmargin.cli import main
from maxmargin.features import RELU
from maxmargin.games.exact import ExactKernelGame
from maxmargin.games.random_features import RandomFeatureGame
from maxmargin.games.soft import Capped, mean_below

ROUTES = (
    {},
    {"feature": "squared-relu"},
    {"norm": "f2"},
    {"norm": "ntk", "weights": "gaussian"},
    {"convention": "path"},
    {"directions": np.random.default_rng(0).standard_normal((40, 3))},
)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(1)
    return mm.load((rng.standard_normal((24, 2)), np.where(rng.random(24) < 0.5, -1.0, 1.0)))


@pytest.mark.parametrize("nu", [0.03, 0.25, 0.97, 1.0])
@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_certificates_are_verified(data, route, nu):
    certificate = mm.max_margin(data, nu=nu, **route)
    document = certificate.to_json()
    assert document["problem"]["nu"] == nu
    verdict = mm.check_certificate(document, data.X, data.y)
    assert verdict.holds, verdict.reason


@pytest.mark.parametrize("route", ROUTES[:3], ids=str)
def test_a_false_nu_or_a_raised_end_is_refused(data, route):
    document = mm.max_margin(data, nu=0.25, **route).to_json()
    for change in (
        {"problem": document["problem"] | {"nu": 0.5}},  # the adversary puts more than 1/(0.5 n) on a point
        {"problem": {key: value for key, value in document["problem"].items() if key != "nu"}},  # the hard margin
        {"lower": document["lower"] * (1.0 + 1e-6), "upper": document["lower"] * (1.0 + 1e-6), "relative_gap": 0.0},
        {"upper": document["lower"], "lower": document["lower"] * (1.0 - 1e-6)},
        {"problem": document["problem"] | {"nu": 1.5}},
    ):
        assert not mm.check_certificate(document | change, data.X, data.y).holds, change


def test_the_soft_margin_grows_with_nu_and_begins_at_the_hard_one(data):
    hard = mm.max_margin(data)
    margins = [mm.max_margin(data, nu=nu) for nu in (0.01, 1 / 24, 0.2, 0.5, 1.0)]
    for first in margins[:2]:
        assert first.lower <= hard.upper * (1 + 1e-12) and hard.lower <= first.upper * (1 + 1e-12)
    for harder, softer in zip(margins, margins[1:], strict=False):
        assert harder.lower <= softer.upper * (1 + 1e-12)


def test_a_soft_margin_of_all_points_is_the_best_response_to_uniform_weights(data):
    certificate = mm.max_margin(data, nu=1.0, convention="path")
    angles = np.linspace(0.0, 2 * np.pi, 721)
    plane = np.column_stack([np.cos(angles), np.sin(angles)])
    heights = np.linspace(-1.0, 1.0, 181)
    a = np.concatenate([np.column_stack([np.sqrt(1 - h * h) * plane, np.full(len(plane), h)]) for h in heights])
    grid = np.abs(RELU.evaluate(a, data.inputs(True)) @ data.y).max() / data.n
    # the payoff has slope at most max |z|, and the grid is 0.01 wide
    assert grid <= certificate.upper <= grid + 0.01 * np.linalg.norm(data.inputs(True), axis=1).max()


def test_inseparable_data_have_a_soft_margin():
    X, y = [[0.0], [0.0], [1.0], [2.0]], [1, -1, 1, 1]
    assert mm.max_margin((X, y)).status == "not-separable"
    soft = mm.max_margin((X, y), nu=1.0)
    assert soft.lower > 0.0
    points = mm.load((X, y))
    assert mm.check_certificate(soft.to_json(), points.X, points.y).holds


@pytest.mark.parametrize("nu", [0.0, -1, 1.2, True, "a"])
def test_an_impossible_fraction_is_named(nu):
    with pytest.raises(mm.InputError, match="nu: found .* wanted a fraction"):
        mm.max_margin("xor", nu=nu)


def test_a_solver_of_hard_margins_is_refused():
    with pytest.raises(mm.InputError, match="with nu, which auto and highs solve"):
        mm.max_margin("xor", nu=0.5, solver="clarabel")


def test_a_game_without_error_bounds_is_told_what_it_lacks():
    game = RandomFeatureGame(np.ones((2, 2)), np.array([1.0, -1.0]))
    with pytest.raises(mm.InputError, match="needs margins, margin_errors, .*RandomFeatureGame has no margin_errors"):
        Capped(game, 0.5)
    with pytest.raises(mm.InputError, match="ExactKernelGame has no margins"):
        Capped(ExactKernelGame(np.eye(2, dtype=object), 0, np.ones(2)), 0.5)


def test_the_command_writes_a_certificate_with_nu(tmp_path, capsys):
    path = tmp_path / "soft.json"
    assert main(["margin", "clusters:n=32,d=3", "--nu", "0.2", "--json", str(path)]) == 0
    assert json.loads(path.read_text())["problem"]["nu"] == 0.2
    assert main(["check", str(path), "clusters:n=32,d=3"]) == 0
    assert main(["margin", "xor", "--nu", "2"]) == 2
    assert "nu" in capsys.readouterr().err.splitlines()[-1]


def test_in_high_dimension_the_relaxation_proves_the_upper_end_of_the_capped_adversary():
    points = mm.load("clusters:n=32,d=8")
    certificate = mm.max_margin(points, nu=0.5)
    assert certificate.scope == "sphere-bound" and certificate.proof is not None
    assert certificate.adversary.max() <= (1 + 1e-9) / (0.5 * 32)
    assert certificate.relative_gap < 0.5  # the spectral bound alone: 0.9
    verdict = mm.check_certificate(certificate, points.X, points.y)
    assert verdict.holds, verdict.reason
    document = certificate.to_json()
    lowered = document | {"upper": document["lower"] * (1 + 1e-3), "relative_gap": 1 - 1 / (1 + 1e-3)}
    assert not mm.check_certificate(lowered, points.X, points.y).holds


@pytest.mark.parametrize("share", [Fraction(1), Fraction(3, 2), Fraction(7, 3), Fraction(4)], ids=str)
def test_the_mean_of_the_worst_rounded_down(share):
    """Against fractions: below, and by a few units of the terms at most, however much they cancel."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        margins = rng.standard_normal(4) * 10.0 ** rng.integers(-3, 4, 4)
        if rng.random() < 0.5:
            margins[1] = -margins[0] * (1.0 + 1e-13)
        ordered, whole = sorted(map(Fraction, margins.tolist())), int(share)
        rest = (share - whole) * ordered[whole] if whole < 4 else 0
        exact = (sum(ordered[:whole]) + rest) / share
        size = sum(map(abs, ordered[: whole + 1])) / share
        assert exact - size * Fraction(9, 2**53) <= mean_below(margins, share) <= exact


@pytest.mark.parametrize("norm", ["f1", "f2", "ntk"])
def test_a_cap_just_below_what_cancels_leaves_a_positive_margin(norm):
    """Two equal points with opposite labels need half the weight each; with nu n > 2 no point may have as much."""
    X = np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [2.0, 1.0], [1.0, 3.0]])
    y = np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0])
    found = mm.max_margin((X, y), norm, nu=2.00000001 / 6)
    assert found.status != "not-separable" and found.upper > 0.0
    false = found.to_json() | {"status": "not-separable", "lower": 0.0, "relative_gap": 1.0}
    assert not mm.check_certificate(false, X, y).holds
