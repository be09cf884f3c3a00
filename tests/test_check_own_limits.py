"""The referee's own limits: one witness first, bounded memory, a clock, and documents that no parser expects."""

import json
import tracemalloc
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from check_support import certificate, refused, xor

import maxmargin as mm
from maxmargin.check import cells, check_certificate, linear, quadratic, sphere
from maxmargin.check.claim import read_claim
from maxmargin.check.pieces import make_pieces
from maxmargin.cli import main


def false_claim(n, d=2, feature="relu"):
    """Uniform weights, and an upper end that any neuron exceeds."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(n, d)), rng.choice([-1.0, 1.0], n)
    classifier = {"directions": [np.eye(d + 1)[0].tolist()] * 2, "weights": [0.5, -0.5]}
    return certificate(X, y, classifier, [1.0 / n] * n, (0.0, 1e-6), feature=feature), X, y


@pytest.mark.parametrize("feature", ["relu", "squared-relu"])
def test_a_false_claim_is_refused_by_one_witness_before_any_cell_is_visited(feature, monkeypatch):
    document, X, y = false_claim(1500, feature=feature)
    monkeypatch.setattr(cells, "_forms", lambda *_: pytest.fail("a cell was visited"))
    verdict = check_certificate(document, X, y)
    assert refused(verdict) and verdict.settled
    assert "paid more than the claim allows" in verdict.reason


@pytest.mark.parametrize("feature", ["relu", "squared-relu"])
def test_without_a_witness_the_first_open_cells_refuse_it_in_bounded_memory(feature, monkeypatch):
    """Every cell is open here; keeping them all took 388 MiB at n = 600."""
    document, X, y = false_claim(300, feature=feature)
    monkeypatch.setattr(sphere, "refute", lambda claim: None)
    tracemalloc.start()
    verdict = check_certificate(document, X, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refused(verdict) and verdict.settled
    assert peak < 250e6


def test_cells_are_settled_once_and_all_of_them(monkeypatch):
    """The queue hands over every cell exactly once, however few wait at a time."""
    monkeypatch.setattr(sphere, "TOGETHER", 3)
    monkeypatch.setattr(sphere, "SETTLED", 2)
    seen = []
    queue = sphere._Queue(
        lambda part, output, limits: seen.extend((output, tuple(row)) for row in part), -1, sphere.UNLIMITED
    )
    rows = np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)], dtype=np.int8)
    queue.add(rows)
    queue.add(rows[::-1])
    queue.empty()
    assert sorted(seen) == sorted((-1, tuple(row)) for row in rows)
    assert queue.count == len(rows)


@pytest.mark.parametrize("feature", ["relu", "squared-relu"])
def test_the_clock_is_looked_at_before_each_cell_that_is_settled_alone(feature, monkeypatch):
    """One such cell may take a tenth of a second in fractions."""
    document, X, y = false_claim(12, feature=feature)
    pieces = make_pieces(replace(read_claim(document, X, y), upper=1e3))
    argument = (linear.linear_cells if pieces.degree == 1 else quadratic.quadratic_cells)(pieces)
    for open_ in ("outside", "_excluded"):  # nothing is settled in floats, everything in fractions
        monkeypatch.setattr(quadratic, open_, lambda *a: np.zeros(len(a[-2]), dtype=bool) if len(a) == 5 else False)
    monkeypatch.setattr(linear.LinearCells, "_settled_together", lambda self, cells, output: np.zeros(len(cells), bool))
    normals, looks = pieces.normals, []
    signs = np.sign(np.random.default_rng(0).normal(size=(9, normals.shape[1])) @ normals.T).astype(np.int8)
    argument.settle(signs, 1, SimpleNamespace(demand=lambda: looks.append(1)))
    assert len(looks) == 1 + len(signs)


@pytest.mark.parametrize("norm", ["f1", "f2"])
def test_the_time_limit_ends_in_not_settled_and_exit_status_one(norm, tmp_path, capsys):
    path, data = tmp_path / "c.json", "clusters:n=40,d=4,k=3,seed=0"
    assert main(["margin", data, "--norm", norm, "--json", str(path), "--quiet"]) == 0
    document, dataset = json.loads(path.read_text()), mm.load(data)
    verdict = check_certificate(document, dataset.X, dataset.y, time_limit=0.0)
    assert refused(verdict) and not verdict.settled and "not settled" in verdict.reason
    assert main(["check", str(path), data, "--time-limit", "0"]) == 1
    out = capsys.readouterr().out
    assert "not settled" in out and "the claim does not hold" not in out
    assert main(["check", str(path), data, "--time-limit", "500", "--quiet"]) == 0


def test_a_genuine_certificate_of_the_zero_feature_holds():
    """K = 0: the kernel has no terms at all."""
    X, y = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.5]]), np.array([1.0, -1.0, 1.0])
    for norm in ("f1", "f2", "ntk"):
        for degree in (1, 2):
            zero = mm.max_margin((X, y), norm, feature=mm.Feature("zero", degree, 0.0, 0.0))
            assert (zero.lower, zero.upper) == (0.0, 0.0)
            assert check_certificate(zero.to_json(), X, y).holds


ODD = {"1e400": 10**400, "-1e400": -(10**400), "1e5000": 10**5000, "inf": float("inf"), "none": None, "true": True}
ODD |= {"text": "1", "list": [1], "object": {"a": 1}, "huge list": [10**5000]}


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
@pytest.mark.parametrize("where", ["lower", "upper", "tol", "dictionary", "n", "adversary", "weights", "degree"])
def test_huge_integers_and_other_types_are_refused_in_one_sentence(value, where):
    X, y, classifier, p, gamma = xor()
    document = certificate(X, y, classifier, p, (0.0, 2.0 * gamma), bias=False)
    inside = {
        "n": {"problem": document["problem"] | {"n": value}},
        "adversary": {"adversary": [value] * 4},
        "weights": {"classifier": classifier | {"weights": [value] * 4}},
        "degree": {"problem": document["problem"] | {"feature": {"degree": value, "right": value, "left": value}}},
    }
    verdict = check_certificate(document | inside.get(where, {where: value}), X, y)
    if not verdict.holds:
        assert refused(verdict)
    else:
        # what is absent is no claim, and an upper end may be as wide as it likes if its gap says so
        assert value is None


@pytest.mark.parametrize("value", [10**5000, [10**5000], {"x": 10**5000}], ids=["number", "list", "object"])
def test_proofs_of_huge_integers_are_refused(value):
    X, y, classifier, p, gamma = xor()
    proofs = [
        {"kind": value, "version": 1},
        {"kind": "spectral", "version": value, "signs": []},
        {"kind": "lifted-relaxation", "version": 1, "support": [value], "trees": []},
        {"kind": "lifted-relaxation", "version": 1, "support": [0], "trees": [{"sign": 1, "tree": {"point": value}}]},
    ]
    for proof in proofs:
        document = certificate(X, y, classifier, p, (0.0, 2.0 * gamma), bias=False, scope="sphere-bound", proof=proof)
        assert refused(check_certificate(document, X, y))
