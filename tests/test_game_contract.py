"""The contract of a game: a new one in a few lines, one pipeline for all, and how far one margin walks."""

from __future__ import annotations

import ast
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linprog

import maxmargin as mm
from maxmargin.conventions import digest
from maxmargin.dataset import make_dataset
from maxmargin.features import RELU, Feature
from maxmargin.games.game import Game, Pair, Response
from maxmargin.games.measure import Measure
from maxmargin.games.problem import Problem
from maxmargin.margins.prove import Budget, prove
from maxmargin.outcome import Outcome, Reason, Scope, Status

PACKAGE = Path(mm.__file__).parent
ROOT = Path(__file__).resolve().parent.parent  # of the checkout: an installed package has no data beside it


class ColumnGame(Game):
    """The l1 ball over given columns (K, n) of votes y_i f_k(x_i): f = sum_k w_k f_k, norm sum_k |w_k|."""

    def __init__(self, columns):
        self.columns = columns
        self.error = 2e-16 * (2 * sum(columns.shape) + 8)

    def margins(self, w):
        return w @ self.columns

    def norm(self, w):
        return float(np.abs(w).sum())

    def lower(self, w):
        reach = self.error * float((np.abs(w) @ np.abs(self.columns)).max())
        return max(0.0, (float(self.margins(w).min()) - reach) / self.norm(w) * (1 - self.error))

    def best_response(self, p):
        payoffs = self.columns @ p
        k = int(np.argmax(np.abs(payoffs)))
        w = np.zeros(len(payoffs))
        w[k] = np.sign(payoffs[k])
        bound = (abs(payoffs[k]) + self.error * float((np.abs(self.columns) @ p).max())) / p.sum() * (1 + self.error)
        return Response(w, abs(payoffs[k]), bound, Scope.DICTIONARY)

    def negligible(self, p):
        return self.error * float(np.abs(self.columns).max())


def lp(game):
    def propose(_):
        K, n = game.columns.shape
        A = np.hstack([-game.columns.T, game.columns.T, np.ones((n, 1))])  # t <= margins of w = u - v
        cost = np.r_[np.zeros(2 * K), -1.0]
        found = linprog(
            cost, A, np.zeros(n), [np.r_[np.ones(2 * K), 0.0]], [1.0], [(0, None)] * (2 * K) + [(None, None)]
        )
        return Pair(found.x[:K] - found.x[K : 2 * K], np.maximum(-found.ineqlin.marginals, 0.0), Reason.CONVERGED)

    return propose


def document(certificate, X, y):
    """What the referee reads: f_k is the linear feature of coordinate k, so the columns are a dictionary of neurons."""
    unit, w = np.eye(X.shape[1]), certificate.classifier
    data = make_dataset(X, y, classes=(-1, 1))
    problem = replace(certificate.problem, norm="f1", data_sha256=data.sha256)
    found = replace(certificate, problem=problem, classifier=Measure(unit, w / np.abs(w).sum()), dictionary=unit)
    return replace(found, dictionary_sha256=digest(unit)).to_json()


def test_a_new_game_is_certified_and_checked():
    """The toy game's document passes the referee; with either end moved across the other it does not."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((5, 6)), np.array([1.0, -1.0, 1.0, 1.0, -1.0])
    game = ColumnGame((X * y[:, None]).T)
    problem = Problem("l1", Feature("linear", 1, 1.0, -1.0), False, "path", *X.shape, "")
    certificate = prove(problem, game, [lp(game)], Budget(1e-6))
    assert certificate.status is Status.CERTIFIED and certificate.scope is Scope.DICTIONARY
    claim = document(certificate, X, y)
    assert mm.check_certificate(claim, X, y).holds
    for name, end in (("lower", certificate.upper * (1 + 1e-9)), ("upper", certificate.lower * (1 - 1e-9))):
        verdict = mm.check_certificate(claim | {"lower": end, "upper": end, "relative_gap": 0.0}, X, y)
        assert not verdict.holds and verdict.checks[-1].name == name


def test_proposers_are_asked_until_the_bracket_is_closed_and_the_best_ends_are_kept():
    game, asked = ColumnGame(np.eye(3)), []

    def pair(w, p, name, **more):
        def propose(found):
            asked.append(name)
            return Pair(np.array(w), np.array(p), **more)

        return propose

    uniform, third = [1 / 3] * 3, [1.0, 1.0, 1.0]
    proposers = [
        pair([1.0, 1.0, 2.0], [1.0, 0.0, 0.0], "poor"),
        pair([1.0, 0.0, 0.0], uniform, "good adversary"),
        lambda _: None,
        pair(third, [0.0, 1.0, 0.0], "good learner"),
        pair(third, uniform, "never"),
    ]
    certificate = prove(Problem("l1", RELU, False, "path", 3, 3, ""), game, proposers, Budget(1e-9))
    assert asked == ["poor", "good adversary", "good learner"]
    assert certificate.status is Status.CERTIFIED
    assert certificate.classifier.tolist() == third and certificate.adversary.tolist() == uniform
    assert certificate.lower == pytest.approx(1 / 3) == certificate.upper


def test_ctrl_c_keeps_what_there_is():
    game = ColumnGame(np.eye(2))

    def stopped(_):
        raise KeyboardInterrupt

    problem, good = Problem("l1", RELU, False, "path", 2, 2, ""), Pair(np.array([3.0, 1.0]), np.array([0.5, 0.5]))
    certificate = prove(problem, game, [lambda _: good, stopped, lambda _: pytest.fail("asked again")], Budget())
    assert certificate.status is Status.INTERRUPTED and 0.0 < certificate.lower < certificate.upper
    with pytest.raises(KeyboardInterrupt):
        prove(problem, game, [stopped], Budget())


def test_a_pair_with_a_proof_needs_a_game_that_reads_it():
    pair = Pair(np.ones(2), np.ones(2) / 2, proof={"kind": "spectral"})
    with pytest.raises(mm.InputError, match="needs response_from of the game; ColumnGame has none"):
        prove(Problem("l1", RELU, False, "path", 2, 2, ""), ColumnGame(np.eye(2)), [lambda _: pair], Budget())


@pytest.mark.parametrize("data", ["clusters:n=24,d=3", "clusters:n=24,d=6"])
def test_a_trained_network_is_a_proposer(data):
    run = mm.train(data, width=40, steps=60, schedule="flow", seed=0)
    cold, warm = (mm.max_margin(data, branching_rounds=0, start=start) for start in (None, run.network_best))
    assert warm.lower <= cold.upper * (1 + 1e-12) and cold.lower <= warm.upper * (1 + 1e-12)
    assert warm.lower == pytest.approx(cold.lower, rel=1e-6)
    assert warm.lower > run.margin_best * (1 - 1e-9)
    with pytest.raises(mm.InputError, match="start: found neurons in dimension 2"):
        mm.max_margin(data, start=Measure(np.eye(2), np.ones(2)))


def test_every_outcome_has_its_sentence():
    for kind in Outcome.__subclasses__():
        for member in kind:
            assert len(member.sentence.split()) > 4 and kind(str(member)) is member


def test_one_place_makes_a_certificate():
    """Reading JSON aside: the constructor is called in `margins/prove.py` and nowhere else."""
    places = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Certificate":
                places.append(str(path.relative_to(PACKAGE)))
    assert places == ["margins/prove.py"]


def traced(run):
    """Files of the package whose functions `run` calls, and the pairs (caller's file, file)."""
    files, calls = set(), set()

    def name(frame):
        return os.path.relpath(frame.f_code.co_filename, PACKAGE) if frame else ".."

    def see(frame, event, _):
        if event == "call" and not name(frame).startswith("..") and frame.f_code.co_name != "<module>":
            files.add(name(frame))
            calls.add((name(frame.f_back), name(frame)))

    sys.setprofile(see)
    try:
        run()
    finally:
        sys.setprofile(None)
    return files, calls


def test_how_many_files_a_margin_runs_through():
    """Files whose functions run in an F1 margin of loaded data, the referee left out: what a reader has to open."""
    mm.max_margin("clusters:n=24,d=3", self_check=False)  # imports
    data = mm.load(ROOT / "data" / "clusters.csv")
    files, _ = traced(lambda: mm.max_margin(data, self_check=False))
    assert len(files) <= 25, sorted(files)


@pytest.mark.parametrize(
    ("data", "options"),
    [
        ("clusters:n=24,d=3", {}),
        ("clusters:n=24,d=3", {"feature": "squared-relu"}),
        ("clusters:n=24,d=3", {"nu": 0.2}),
        ("clusters:n=24,d=3", {"norm": "f2"}),
        ("clusters:n=24,d=6", {"branching_rounds": 1}),
        ("data/clusters.csv", {}),
    ],
)
def test_no_two_files_call_each_other(data, options):
    """What a file asks of another one it gets as a value, or is handed on to it: margin and referee together."""
    data = mm.load(ROOT / data if data.endswith(".csv") else data)
    mm.max_margin(data, **options)  # imports
    _, calls = traced(lambda: mm.max_margin(data, **options))
    assert not {(one, other) for one, other in calls if one < other and (other, one) in calls and ".." not in one}


@pytest.mark.parametrize("norm", ["f1", "f2"])
def test_no_two_files_call_each_other_for_a_smallest_norm(norm):
    X = np.linspace(-1.0, 1.0, 9)[:, None]
    run = lambda: mm.check_certificate(mm.min_norm((X, np.sin(3 * X[:, 0])), norm), X, np.sin(3 * X[:, 0]))  # noqa: E731
    run()  # imports
    _, calls = traced(run)
    assert not {(one, other) for one, other in calls if one < other and (other, one) in calls and ".." not in one}
