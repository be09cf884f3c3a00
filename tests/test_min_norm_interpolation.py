"""Minimum-norm interpolation against closed forms, duality, other programs, and itself under scalings."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy.optimize import linprog, minimize

import maxmargin as mm
from maxmargin.cli import main
from maxmargin.features import RELU
from maxmargin.features.kernels import Kernel
from maxmargin.oracles.selection import exact_oracle

ULPS = 1e-12  # the closed forms are rounded
ANGLE = 0.7


def encloses(found, value):
    return found.lower <= value * (1 + ULPS) and value * (1 - ULPS) <= found.upper


CLOSED = {
    "one point": (([[3.0, 4.0]], [2.0]), 2 / 5),
    "two points": (([[1, 0], [math.cos(ANGLE), math.sin(ANGLE)]], [1.0, 0.0]), 1 / math.sin(ANGLE)),
    "orthogonal": ((np.diag([1.0, 2.0, 4.0]), [1, 2, 3]), math.sqrt(1 + 1 + 9 / 16)),
    "orthogonal, two signs": ((np.diag([1.0, 2.0, 4.0]), [1, -2, 3]), math.sqrt(1 + 9 / 16) + 1),
    "xor": ("xor", 2 * math.sqrt(2)),
    "polygon": ("polygon:k=4", 8 / math.tan(math.pi / 8)),
}


@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.parametrize(("convention", "factor"), [("path", 1.0), ("sphere", 2.0)])
def test_closed_forms(name, convention, factor):
    data, value = CLOSED[name]
    found = mm.min_norm(data, bias=False, convention=convention)
    assert encloses(found, factor * value)
    assert found.status == "certified" and found.relative_gap < 1e-8


@pytest.mark.parametrize("s", [0.5, 1.0, 2.0])
def test_three_points_on_a_line(s):
    assert encloses(mm.min_norm(f"three-points:s={s}", convention="path"), (4 + s) / s)


@pytest.mark.parametrize("data", ["xor", "polygon:k=4", "clusters:n=16,d=3", "line:n=6"])
def test_labels_have_at_least_the_norm_of_one_over_the_margin(data):
    points = mm.load(data)
    for norm in ("f1", "f2"):
        assert mm.min_norm(points, norm).upper * mm.max_margin(points, norm).upper >= 1 - 1e-9


def test_the_function_takes_the_values_with_the_norm_of_the_upper_end():
    rng = np.random.default_rng(0)
    X, t = rng.standard_normal((12, 2)), rng.standard_normal(12)
    for convention, factor in (("path", 1.0), ("sphere", 0.5)):
        found = mm.min_norm((X, t), convention=convention)
        a, w = found.classifier.directions, found.classifier.weights
        values = factor * RELU.evaluate(a, np.column_stack([X, np.ones(12)])).T @ w
        np.testing.assert_allclose(values, t, atol=1e-9)
        np.testing.assert_allclose(found.decision_function(X), t, atol=1e-9)
        assert np.abs(w).sum() == pytest.approx(found.upper, rel=1e-9)


def test_the_adversary_proves_the_lower_end():
    rng = np.random.default_rng(1)
    X, t, tube = rng.standard_normal((15, 1)), rng.standard_normal(15), 0.2
    found = mm.min_norm((X, t), tube=tube, convention="path")
    Z, p = np.column_stack([X, np.ones(15)]), found.adversary
    earned = exact_oracle(Z, RELU)(p, 1).bound
    assert found.lower == pytest.approx((p @ t - tube * np.abs(p).sum()) / earned, rel=1e-9)
    assert np.abs(found.decision_function(X) - t).max() <= tube


@pytest.mark.parametrize("tube", [0.0, 0.1])
def test_on_a_line_against_a_fine_dictionary(tube):
    """A dictionary of 20,000 neurons allows no smaller norm, and nearly as small a one (the grid is 3e-4 wide)."""
    rng = np.random.default_rng(2)
    X = np.sort(rng.uniform(-1, 1, 7))[:, None]
    t = np.sin(4 * X[:, 0])
    angles = np.linspace(0, 2 * np.pi, 20_001)
    Phi = RELU.evaluate(np.column_stack([np.cos(angles), np.sin(angles)]), np.column_stack([X, np.ones(7)]))
    columns = np.hstack([Phi.T, -Phi.T])
    program = linprog(np.ones(columns.shape[1]), np.vstack([columns, -columns]), np.r_[t + tube, tube - t])
    found = mm.min_norm((X, t), tube=tube, convention="path")
    assert found.lower <= program.fun * (1 + 1e-6)
    assert program.fun <= found.upper * 1.02


@pytest.mark.parametrize("norm", ["f2", "ntk"])
@pytest.mark.parametrize("law", ["sphere", "gaussian"])
def test_kernels_against_their_closed_form(norm, law):
    rng = np.random.default_rng(3)
    X, t = rng.standard_normal((20, 3)), rng.standard_normal(20)
    K = Kernel(RELU, law, tangent=norm == "ntk")(np.column_stack([X, np.ones(20)]))
    found = mm.min_norm((X, t), norm, law=law)
    assert encloses(found, math.sqrt(t @ np.linalg.solve(K, t)))
    assert found.relative_gap < 1e-6 and found.scope == "kernel"
    np.testing.assert_allclose(found.decision_function(X), t, atol=1e-8)


def test_a_kernel_within_a_tube_against_a_general_purpose_minimiser():
    rng = np.random.default_rng(4)
    X, t, tube = rng.standard_normal((10, 2)), rng.standard_normal(10), 0.3
    K = Kernel(RELU, "sphere")(np.column_stack([X, np.ones(10)]))
    inside = {"type": "ineq", "fun": lambda c: np.r_[tube - (K @ c - t), tube + (K @ c - t)]}
    start = np.linalg.solve(K, t)
    general = minimize(lambda c: c @ K @ c, start, constraints=inside, options={"maxiter": 1000, "ftol": 1e-14})
    found = mm.min_norm((X, t), "f2", tube)
    assert found.status == "certified"
    assert found.upper <= math.sqrt(general.fun) * (1 + 1e-4)


@pytest.mark.parametrize("norm", ["f1", "f2"])
def test_scalings_and_more_points(norm):
    rng = np.random.default_rng(5)
    X, t = rng.standard_normal((9, 2)), rng.standard_normal(9)
    base = mm.min_norm((X, t), norm, bias=False)
    for data, factor in (((X, 3 * t), 3), ((X, -t), 1), ((2 * X, t), 0.5), ((np.vstack([X, X]), np.r_[t, t]), 1)):
        other = mm.min_norm(data, norm, bias=False)
        assert other.lower <= factor * base.upper * (1 + ULPS) and factor * base.lower <= other.upper * (1 + ULPS)
    fewer = mm.min_norm((X[:6], t[:6]), norm, bias=False)
    assert fewer.lower <= base.upper * (1 + ULPS)
    wider = mm.min_norm((X, t), norm, 0.2, bias=False)
    assert wider.lower <= base.upper
    assert mm.min_norm((X, t), norm, 10.0).upper == 0.0


@pytest.mark.parametrize("norm", ["f1", "f2"])
def test_what_no_function_does_is_infeasible(norm):
    X, t = [[0.0], [0.0], [1.0]], [1.0, 3.0, 0.0]
    found = mm.min_norm((X, t), norm, tube=0.5)
    assert found.status == "infeasible" and found.lower == found.upper == math.inf
    assert found.adversary @ np.array(t) - 0.5 * np.abs(found.adversary).sum() > 0.0
    assert mm.min_norm((X, t), norm, tube=1.0).status == "certified"
    assert mm.min_norm(([[0.0, 0.0], [1.0, 0.0]], [1.0, 1.0]), norm, bias=False).status == "infeasible"


def test_the_command_reads_real_labels(tmp_path, capsys):
    table, out = tmp_path / "t.csv", tmp_path / "n.json"
    table.write_text("x,y\n0,0.5\n1,-1.25\n2,3\n")
    assert main(["norm", str(table), "--json", str(out)]) == 0
    document = json.loads(out.read_text())
    assert document["format"] == "maxmargin-norm" and document["version"] == 1
    assert document["problem"]["tube"] == 0.0 and document["problem"]["n"] == 3
    assert document["lower"] <= document["upper"] <= document["lower"] * (1 + 1e-6)
    arrays = tmp_path / "t.npz"
    np.savez(arrays, X=[[0.0], [1.0], [2.0]], y=[0.5, -1.25, 3.0])
    capsys.readouterr()
    assert main(["norm", str(arrays), "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["problem"] == document["problem"]
    assert main(["norm", str(table), "--tube", "5", "--quiet"]) == 0
    table.write_text("x,y\n0,a\n1,b\n2,c\n")
    assert main(["norm", str(table)]) == 2
    assert "line 2, column 'y'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"norm": "f3"}, "norm: found 'f3'"),
        ({"tube": -1}, "tube: found -1"),
        ({"tube": math.inf}, "tube"),
        ({"tol": 0}, "tol"),
        ({"convention": "half"}, "convention"),
        ({"time_limit": -1}, "time_limit"),
        ({"norm": "f2", "law": "cube"}, "cube"),
    ],
)
def test_bad_options_are_named(options, words):
    with pytest.raises(mm.InputError, match=words):
        mm.min_norm(([[0.0], [1.0]], [1.0, 2.0]), **options)


def test_bad_targets_are_named():
    for targets in ([1.0], [1.0, math.nan], ["a", "b"]):
        with pytest.raises(mm.InputError, match="targets"):
            mm.min_norm(([[0.0], [1.0]], targets))


def test_neurons_that_are_nearly_equal_end_the_search():
    """More equations than a linear function can meet: the programs of many nearly equal neurons are never solved."""
    rng = np.random.default_rng(0)
    X, targets = rng.integers(-2, 3, (27, 6)).astype(float), rng.normal(size=27)
    linear = mm.Feature("linear", 1, 1.0, -1.0)
    found = mm.min_norm((X, targets), tube=0.1, feature=linear)
    assert found.lower > 0.0
    assert found.upper == np.inf
    again = mm.min_norm((X, targets), tube=0.1, feature=linear)
    assert (again.lower, again.upper, again.rounds) == (found.lower, found.upper, found.rounds)


def test_points_nearly_equal_with_different_targets():
    """A function of norm N (path convention, ReLU) has slope at most N: the price of a miss is not refined in vain."""
    rng = np.random.default_rng(1)
    X, targets = rng.normal(size=(8, 4)), rng.normal(size=8)
    X[1], targets[:2] = X[0] + 1e-9, (1.0, -1.0)
    found = mm.min_norm((X, targets), convention="path")
    slope = 2.0 / float(np.linalg.norm(X[1] - X[0]))
    assert found.upper >= slope * (1.0 - 1e-6)
    assert found.lower >= 0.1 * slope  # what proves this is the miss at a high price, bounded by the relaxation
    assert found.rounds < 20


def test_rounds_that_lower_no_payoff_end_the_search():
    """Columns of very different sizes: the best payoff stays a little above 1, whatever neurons are added."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(16, 5)) * 10.0 ** rng.integers(-8, 9, size=(1, 5))
    found = mm.min_norm((X, rng.normal(size=16)), feature=mm.Feature("odd", 1, -0.5, 2.0))
    assert found.rounds < 100
    assert 0.0 < found.lower < found.upper < np.inf
