"""The referee shares nothing with those it judges, and still counts the same factors."""

import ast
import itertools
from pathlib import Path

import numpy as np
import pytest
from check_support import certificate

import maxmargin.check
from maxmargin.check.angles import FixedPoint
from maxmargin.check.claim import FEATURES, STATUSES, read_claim
from maxmargin.conventions import CONVENTIONS, WEIGHTS, inputs, kernel_factor, variation_factor
from maxmargin.features import RELU, SQUARED_RELU
from maxmargin.outcome import Status

STANDARD = {"__future__", "collections", "dataclasses", "fractions", "functools", "hashlib", "itertools", "math"}
ALLOWED = STANDARD | {"json", "numpy", "os", "sys", "time", "typing"}
FILES = sorted(Path(maxmargin.check.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_it_imports_numpy_the_standard_library_and_the_errors_only(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert all(alias.name.split(".")[0] in ALLOWED for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            own = node.level == 1 or (node.level == 2 and node.module == "errors")
            assert own or (node.level == 0 and node.module.split(".")[0] in ALLOWED)


def read(X, **problem):
    n = len(X)
    kernel = problem.get("norm", "f1") != "f1"
    classifier = {"coefficients": [0.0] * n} if kernel else {"directions": [], "weights": []}
    scope = "kernel" if kernel else "sphere-exact"
    document = certificate(X, np.ones(n), classifier, [1.0 / n] * n, (0.0, 1.0), scope=scope, **problem)
    return read_claim(document, X, np.ones(n))


@pytest.mark.parametrize(("feature", "convention"), list(itertools.product([RELU, SQUARED_RELU], CONVENTIONS)))
def test_the_factor_of_each_convention(feature, convention):
    claim = read(np.eye(3), feature=feature.name, convention=convention)
    assert claim.factor == variation_factor(feature.degree, convention)
    assert vars(claim.activation).items() <= vars(feature).items()


@pytest.mark.parametrize("bias", [True, False])
def test_the_bias_is_the_last_coordinate(bias):
    X = np.random.default_rng(0).normal(size=(4, 2))
    assert np.array_equal(read(X, bias=bias).Z, inputs(X, bias))


@pytest.mark.parametrize(("feature", "law", "D"), list(itertools.product([RELU, SQUARED_RELU], WEIGHTS, [1, 3, 8])))
def test_the_factor_of_each_law_of_directions(feature, law, D):
    X = np.random.default_rng(0).normal(size=(2, D))
    grams = []
    for weights in ("sphere", law):
        claim = read(X, norm="f2", feature=feature.name, weights=weights, bias=False)
        N, _, unit = maxmargin.check.kernel.gram(claim, np.arange(2), np.arange(2), FixedPoint(160))
        grams.append(float(N[0, 1] * unit))
    assert grams[1] == pytest.approx(kernel_factor(feature.degree, D, law) ** 2 * grams[0], rel=1e-14)


def test_it_knows_every_status():
    assert set(STATUSES) == {status.value for status in Status} - {"infeasible"}  # said of norms only
    assert set(FEATURES) == {"relu", "squared-relu"}
