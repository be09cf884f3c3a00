"""Certificates written by hand, for the tests of the checker: nothing here calls a solver or an oracle."""

import hashlib
import math

import numpy as np

HALF = math.sqrt(0.5)


def data_hash(X, y):
    parts = (np.array(X.shape, dtype="<i8"), np.asarray(X, dtype="<f8"), np.asarray(y).astype(np.int8))
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


def certificate(X, y, classifier, adversary, bracket, **problem):
    """A certificate with (lower, upper) = bracket; keywords override fields of "problem", and scope, status, proof."""
    lower, upper = bracket
    top = {name: problem.pop(name) for name in ("scope", "status", "proof") if name in problem}
    fields = {"norm": "f1", "feature": "relu", "bias": True, "convention": "path", "n": len(X), "d": X.shape[1]}
    gap = 0.0 if lower == upper else (upper - lower) / upper
    return {
        "format": "maxmargin-certificate",
        "version": 1,
        "problem": fields | {"data_sha256": data_hash(X, y)} | problem,
        "status": "bracketed",
        "scope": "sphere-exact",
        "lower": lower,
        "upper": upper,
        "relative_gap": gap,
        "tol": 1e-9,
        "classifier": classifier,
        "adversary": list(adversary),
        "solver": {"attempts": [], "iterations": 1},
        "seconds": 0.1,
        "versions": {"maxmargin": "0"},
    } | top


def xor():
    """XOR without bias (closed form C5, k = 2): margin sqrt(2)/4, four neurons along the points."""
    X = np.array([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]])
    y = np.array([1.0, 1.0, -1.0, -1.0])
    classifier = {"directions": (X * HALF).tolist(), "weights": [0.25, 0.25, -0.25, -0.25]}
    return X, y, classifier, [0.25] * 4, math.sqrt(2.0) / 4.0


def line(s=1.5):
    """The three points -s, 0, s with a bias and labels +, -, + (closed form C4): margin s / (4 + s)."""
    X, y = np.array([[-s], [0.0], [s]]), np.array([1.0, -1.0, 1.0])
    # alpha |x| - alpha s / 4: kinks at 0, and the constant as the neuron of the bias alone
    alpha = 2.0 / (4.0 + s)
    weights = np.array([alpha, alpha, -alpha * s / 2.0])
    directions = [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]]
    p = np.array([1.0, 2.0 + s, 1.0]) / (4.0 + s)
    classifier = {"directions": directions, "weights": (weights / np.abs(weights).sum()).tolist()}
    return X, y, classifier, p.tolist(), s / (4.0 + s)


def around(value, width=1e-14):
    return value * (1.0 - width), value * (1.0 + width)


def refused(verdict):
    """The refusal is one sentence, and the last check says the same."""
    last = verdict.checks[-1]
    return not verdict.holds and not last.holds and last.detail == verdict.reason and "\n" not in verdict.reason
