"""The referee reads minimum norms: it accepts what is true of both ends, and neither end moved across the other."""

import hashlib
import json
import math
import re
from fractions import Fraction

import numpy as np
import pytest
from check_support import refused

import maxmargin as mm
from maxmargin.check import check_certificate, norm
from maxmargin.cli import main
from maxmargin.errors import InputError


def document(X, targets, classifier, adversary, bracket, **problem):
    """A norm's document by hand; nothing here calls a solver."""
    X, targets = np.asarray(X, dtype=float), np.asarray(targets, dtype=float)
    lower, upper = bracket
    parts = np.array(X.shape, dtype="<i8"), X, targets
    fields = {"norm": "f1", "feature": "relu", "bias": False, "convention": "path", "n": len(X), "d": X.shape[1]}
    fields |= {"tube": 0.0, "data_sha256": hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()}
    scope = "kernel" if "norm" in problem else "sphere-exact"
    return {
        "format": "maxmargin-norm",
        "version": 1,
        "problem": fields | problem,
        "status": "bracketed",
        "scope": scope,
        "lower": lower,
        "upper": upper,
        "relative_gap": (upper - lower) / upper if upper else 0.0,
        "tol": 1e-6,
        "classifier": classifier,
        "adversary": list(adversary),
    }


def one_point():
    """|z| = 5, target 2: the neuron along z is the best, norm 2/5."""
    return [[3.0, 4.0]], [2.0], {"directions": [[0.6, 0.8]], "weights": [0.4]}, [0.2], 0.4


def orthogonal():
    """Points e_1, 2 e_2 with targets 1 and -2: one neuron for each sign, norm 1 + 1."""
    classifier = {"directions": [[1.0, 0.0], [0.0, 1.0]], "weights": [1.0, -1.0]}
    return [[1.0, 0.0], [0.0, 2.0]], [1.0, -2.0], classifier, [1.0, -0.5], 2.0


def within_a_tube():
    """The same point with a tube of 1/2: the value 3/2 is enough, norm 3/10."""
    return [[3.0, 4.0]], [2.0], {"directions": [[0.6, 0.8]], "weights": [0.3]}, [0.2], 0.3


HAND = {"one point": (one_point, 0.0), "orthogonal": (orthogonal, 0.0), "tube": (within_a_tube, 0.5)}


@pytest.mark.parametrize("name", HAND)
@pytest.mark.parametrize(("convention", "factor"), [("path", 1.0), ("sphere", 2.0)])
def test_closed_forms_are_proved_and_nothing_sharper(name, convention, factor):
    make, tube = HAND[name]
    X, t, classifier, p, norm = make()
    classifier = classifier | {"weights": [factor * w for w in classifier["weights"]]}

    def verdict(low, high):
        ends = factor * norm * (1 + low), factor * norm * (1 + high)
        return check_certificate(document(X, t, classifier, p, ends, convention=convention, tube=tube), X, t)

    assert verdict(-1e-14, 1e-14).holds
    assert refused(verdict(1e-14, 2e-14)) and verdict(1e-14, 2e-14).checks[-1].name == "lower"
    assert refused(verdict(-2e-14, -1e-14)) and verdict(-2e-14, -1e-14).checks[-1].name == "upper"


def test_a_kernel_by_hand():
    """One point, uniform directions: K = |z|^2 / (2 D), norm t / sqrt(K)."""
    X, t = [[3.0, 4.0]], [2.0]
    K = 25.0 / 4.0
    norm, classifier = 2.0 / math.sqrt(K), {"coefficients": [2.0 / K]}
    for low, high, name in ((-1e-14, 1e-14, None), (1e-14, 2e-14, "lower"), (-2e-14, -1e-14, "upper")):
        claim = document(X, t, classifier, [1.0], (norm * (1 + low), norm * (1 + high)), norm="f2", weights="sphere")
        verdict = check_certificate(claim, X, t)
        assert verdict.holds if name is None else refused(verdict) and verdict.checks[-1].name == name


def values(d, n, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)), rng.standard_normal(n)


FOUND = [
    ("line", values(1, 9), {}),
    ("line, tube", values(1, 9), {"tube": 0.3}),
    ("plane", values(2, 12), {}),
    ("plane, tube", values(2, 12), {"tube": 0.3, "convention": "path"}),
    ("three dimensions", values(3, 8), {"bias": False}),
    ("a bound", values(7, 10), {}),
    ("squares", values(2, 6), {"feature": "squared-relu"}),
    ("points that depend on each other", ([[1.0, 0], [2, 0], [0, 1]], [1.0, 2, 1]), {"bias": False}),
    ("equal points", ([[1.0], [1.0], [2.0]], [1.0, 1.2, 0.5]), {"tube": 0.2}),
    ("polygon", "polygon:k=3", {}),
    ("f2", values(2, 9), {"norm": "f2"}),
    ("f2, tube", values(3, 9), {"norm": "f2", "tube": 0.3}),
    ("f2, gaussian", values(3, 7), {"norm": "f2", "law": "gaussian"}),
    ("ntk", values(2, 9), {"norm": "ntk"}),
    ("ntk, equal points", ([[1.0], [1.0], [2.0]], [1.0, 1.2, 0.5]), {"norm": "ntk", "tube": 0.2}),
]


def data_of(data):
    return (mm.load(data).X, mm.load(data).y) if isinstance(data, str) else data


@pytest.mark.parametrize(("data", "options"), [case[1:] for case in FOUND], ids=[case[0] for case in FOUND])
def test_what_is_found_holds_and_neither_end_across_the_other(data, options):
    X, t = data_of(data)
    claim = mm.min_norm(data, **options).to_json()
    assert check_certificate(claim, X, t).holds
    lower, upper = claim["lower"], claim["upper"]
    for ends, name in (((upper, upper), "lower"), ((lower, lower), "upper")):
        # both ends on one side, beyond the other one by more than what separates them
        ends = [end * (1.0 + 1e-9) if name == "lower" else end * (1.0 - 1e-9) for end in ends]
        moved = claim | {"lower": ends[0], "upper": ends[1], "relative_gap": 0.0}
        verdict = check_certificate(moved, X, t)
        assert not verdict.holds and verdict.checks[-1].name == name


@pytest.mark.parametrize("tube", [0.0, 0.1])
@pytest.mark.parametrize(("d", "n"), [(1, 12), (1, 30), (2, 60)])
def test_kernels_of_large_condition_are_certified(d, n, tube):
    """Condition 1e8 to 1e12: in floats alone the ends stay 1e-6 to 1e-5 apart; a second double a coefficient closes."""
    X, t = values(d, n, seed=1)
    found = mm.min_norm((X, t), "f2", tube)
    assert found.status == "certified" and found.relative_gap < 1e-6
    assert mm.check_certificate(found, X, t).holds
    lower = found.lower * (1 + 3 * found.relative_gap + 1e-12)
    claim = found.to_json() | {"lower": lower, "upper": lower, "relative_gap": 0.0}
    assert not check_certificate(claim, X, t).holds


@pytest.mark.parametrize("norm", ["f1", "f2"])
def test_what_no_function_does(norm):
    X, t = [[0.0], [0.0], [1.0]], [1.0, 3.0, 0.0]
    found = mm.min_norm((X, t), norm, tube=0.5)
    assert found.status == "infeasible" and mm.check_certificate(found, X, t).holds
    claim = found.to_json()
    assert check_certificate(claim, X, t).holds
    for p in ([0.5, -0.4, 0.0], [0.5, -0.5, 0.1], [0.0, 0.0, 0.0]):
        assert refused(check_certificate(claim | {"adversary": p}, X, t))
    assert refused(check_certificate(claim | {"status": "bracketed"}, X, t))
    wide = claim["problem"] | {"tube": 1.0}
    assert refused(check_certificate(claim | {"problem": wide}, X, t))


def tampered(claim):
    """(what, document): one change each, none of which leaves it true."""
    problem = claim["problem"]
    yield "other targets", claim | {"problem": problem | {"data_sha256": "0" * 64}}
    yield "another tube", claim | {"problem": problem | {"tube": 0.5}, "lower": claim["lower"]}
    yield "a negative tube", claim | {"problem": problem | {"tube": -0.1}}
    yield "a smaller size", claim | {"problem": problem | {"n": problem["n"] - 1}}
    yield "weights of the other sign", claim | {"adversary": [-p for p in claim["adversary"]]}
    yield "one weight", claim | {"adversary": [claim["adversary"][0] + 1.0, *claim["adversary"][1:]]}
    yield "certified", claim | {"tol": 0.0, "status": "certified"}
    yield "a gap", claim | {"relative_gap": 0.5}
    yield "infeasible", claim | {"status": "infeasible"}
    yield "a margin's weights", claim | {"problem": problem | {"nu": 0.5}}
    yield "a dictionary", claim | {"scope": "dictionary"}
    yield "ends in the wrong order", claim | {"lower": claim["upper"] + 1.0}
    name = "weights" if "weights" in claim["classifier"] else "coefficients"
    parts = claim["classifier"][name]
    yield "another function", claim | {"classifier": claim["classifier"] | {name: [v * 1.001 for v in parts]}}
    for missing in ("adversary", "classifier", "lower", "status", "scope", "tol", "problem"):
        yield f"no {missing}", {key: value for key, value in claim.items() if key != missing}


@pytest.mark.parametrize("norm", ["f1", "f2"])
def test_every_tampering_is_refused(norm):
    X, t = values(2, 8, seed=3)
    claim = mm.min_norm((X, t), norm).to_json()
    assert check_certificate(claim, X, t).holds
    for what, document_ in tampered(claim):
        assert not check_certificate(document_, X, t).holds, what
    assert refused(check_certificate(claim, X, t + 1e-9))
    for wrong in (t[:-1], [math.inf] * 8, ["a"] * 8):
        with pytest.raises(mm.InputError, match="data: "):
            check_certificate(claim, X, wrong)


def test_other_data_are_told_by_the_first_digits_of_their_hash():
    X, targets, classifier, adversary, value = one_point()
    claim = document(X, targets, classifier, adversary, (value, value))
    reason = check_certificate(claim, X, [3.0]).reason
    assert re.fullmatch(r"data: their hash is [0-9a-f]{12}\.\.\., the document speaks of [0-9a-f]{12}\.\.\.", reason)


@pytest.mark.parametrize(
    ("X", "targets"),
    [(np.ones((2, 2, 2)), np.ones(2)), (np.ones(2), np.ones(2)), (np.ones((2, 1)), np.ones(3)), (np.ones((0, 2)), [])],
)
def test_points_and_targets_have_two_and_one_dimensions(X, targets):
    with pytest.raises(InputError, match=r"wanted finite \(n, d\) and \(n,\)"):
        norm.read_values(X, targets)
    with pytest.raises(InputError, match="wanted finite"):
        norm.read_values(np.ones((2, 1)), [1.0, math.inf])


def test_the_upper_end_is_attained_without_rounding():
    """In fractions, beside the referee: the function meets the targets to 1e-9 and has the norm that is claimed."""
    X, t = values(1, 7, seed=5)
    found = mm.min_norm((X, t), convention="path")
    points = [[Fraction(float(x)), Fraction(1)] for x in X[:, 0]]
    atoms = [[Fraction(float(v)) for v in a] for a in found.classifier.directions]
    weights = [Fraction(float(w)) for w in found.classifier.weights]
    for z, target in zip(points, t, strict=True):
        value = sum(w * max(Fraction(0), a[0] * z[0] + a[1] * z[1]) for w, a in zip(weights, atoms, strict=True))
        assert abs(value - Fraction(float(target))) < Fraction(1, 10**9)
    assert mm.check_certificate(found, X, t).holds


def test_the_command_checks_norms(tmp_path, capsys):
    table, out = tmp_path / "t.csv", tmp_path / "n.json"
    table.write_text("x,y\n0,0.5\n1,-1.25\n2,3\n4,1\n")
    assert main(["norm", str(table), "--json", str(out), "--quiet"]) == 0
    assert main(["check", str(out), str(table)]) == 0
    printed = capsys.readouterr().out
    assert "<= norm <=" in printed and "the claim holds" in printed
    claim = json.loads(out.read_text())
    out.write_text(json.dumps(claim | {"upper": claim["lower"] * (1 - 1e-6), "lower": 0.0, "relative_gap": 1.0}))
    assert main(["check", str(out), str(table)]) == 1
    assert main(["check", str(out), "xor"]) == 1
    out.write_text(json.dumps(claim | {"version": 7}))
    assert main(["check", str(out), str(table)]) == 2
