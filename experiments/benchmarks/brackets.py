"""Brackets of sixty fixed problems: every norm, activation, convention and route to a margin.

``python experiments/benchmarks/brackets.py > tests/data/brackets.json`` records them with the package on the path;
``tests/test_unchanged_values.py`` compares those of today with those recorded at commit 841c927.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import maxmargin as mm
from maxmargin.margins.path import margin_path
from maxmargin.sweeps.works import solve

Bracket = dict[str, Any]

F1 = (
    ("xor", {}),
    ("xor", {"bias": False, "convention": "path"}),
    ("xor", {"feature": "squared-relu"}),
    ("polygon:k=4", {"bias": False}),
    ("polygon:k=5", {"bias": False}),
    ("polygon:k=3", {}),
    ("polygon:k=4", {"bias": False, "feature": "squared-relu"}),
    ("two-points", {}),
    ("three-points", {}),
    ("line:n=6", {}),
    ("line:n=12", {"convention": "path"}),
    ("line:n=8", {"feature": "squared-relu"}),
    ("orthogonal:k=3", {"bias": False}),
    ("antipodal:d=2", {"bias": False}),
    ("parity:d=3", {}),
    ("parity:d=4", {"bias": False}),
    ("wei:d=4", {"bias": False}),
    ("clusters:n=64,d=3", {}),
    ("clusters:n=64,d=3", {"feature": "squared-relu"}),
    ("clusters:n=64,d=3", {"bias": False}),
    ("clusters:n=16,d=4", {}),
    ("clusters:n=16,d=5", {"branching_rounds": 2}),
    ("clusters:n=16,d=5", {"feature": "squared-relu", "branching_rounds": 1}),
    ("clusters:n=64,d=8", {"branching_rounds": 0}),
    ("clusters:n=64,d=8", {"branching_rounds": 1, "seed": 3}),
    ("clusters:n=64,d=3", {"solver": "clarabel"}),
    ("clusters:n=64,d=8", {"solver": "highs", "branching_rounds": 0}),
    ("clusters:n=64,d=3", {"max_rounds": 2}),
    ("clusters:n=64,d=3", {"time_limit": 0.0}),
    ("clusters:n=64,d=3", {"tol": 1e-4}),
)
KERNELS = (
    ("xor", {"norm": "f2"}),
    ("xor", {"norm": "ntk", "bias": False}),
    ("clusters:n=64,d=3", {"norm": "f2"}),
    ("clusters:n=64,d=3", {"norm": "ntk"}),
    ("clusters:n=64,d=8", {"norm": "f2", "weights": "gaussian"}),
    ("clusters:n=64,d=8", {"norm": "ntk", "weights": "gaussian"}),
    ("iris", {"norm": "f2"}),
    ("clusters:n=64,d=3", {"norm": "f2", "feature": "squared-relu"}),
    ("line:n=12", {"norm": "f2"}),
    ("clusters:n=64,d=3", {"norm": "f2", "solver": "nnls"}),
    ("clusters:n=32,d=3", {"norm": "f2", "solver": "clarabel"}),
    ("polygon:k=3", {"norm": "f2", "bias": False}),
    ("digits:pair=0-1", {"norm": "f2", "time_limit": 0.0}),
)
DICTIONARIES = (
    ("clusters:n=64,d=3", {}),
    ("clusters:n=64,d=8", {}),
    ("xor", {"solver": "clarabel"}),
    ("clusters:n=64,d=3", {"feature": "squared-relu", "convention": "path"}),
    ("clusters:n=64,d=3", {"solver": "scs"}),
)
ESTIMATORS = (
    ("VariationMaxMarginClassifier", "clusters:n=64,d=3", {}),
    ("VariationMaxMarginClassifier", "clusters:n=64,d=8", {}),
    ("VariationMaxMarginClassifier", "clusters:n=64,d=3", {"nu": 0.2}),
    ("VariationMaxMarginClassifier", "clusters:n=64,d=8", {"nu": 0.2}),
    ("VariationMaxMarginClassifier", "clusters:n=64,d=3", {"nu": 0.2, "feature": "squared-relu"}),
    ("KernelMaxMarginClassifier", "clusters:n=64,d=3", {}),
    ("KernelMaxMarginClassifier", "clusters:n=64,d=3", {"nu": 0.2}),
    ("KernelMaxMarginClassifier", "iris", {"nu": 0.5, "kernel": "ntk"}),
    ("GradientFlowClassifier", "clusters:n=64,d=3", {"width": 50, "steps": 60}),
    ("GradientFlowClassifier", "clusters:n=64,d=8", {"width": 50, "steps": 60}),
    ("GradientFlowClassifier", "clusters:n=64,d=3", {"width": 50, "steps": 60, "layers": "output"}),
)
PATHS = (("xor", {}), ("clusters:n=32,d=3", {}), ("clusters:n=16,d=3", {"norm": "f1", "lambdas": [1e-3, 1e-6]}))
SOLVED = (("f1", {"n": 64, "d": 8, "k": 3, "seed": 0}), ("f2", {"n": 64, "d": 3, "k": 3, "seed": 0}))


def problems() -> Iterator[tuple[str, Callable[[], list[Bracket]]]]:
    """(name, computation) of each; a name is JSON, so that a record explains itself."""
    for data, options in (*F1, *KERNELS):
        yield json.dumps(["max_margin", data, options]), lambda d=data, o=options: [_of(mm.max_margin(d, **o))]
    for data, options in DICTIONARIES:
        yield json.dumps(["dictionary", data, options]), lambda d=data, o=options: [_dictionary(d, o)]
    for kind, data, options in ESTIMATORS:
        yield json.dumps([kind, data, options]), lambda k=kind, d=data, o=options: [_estimator(k, d, o)]
    for data, options in PATHS:
        yield json.dumps(["margin_path", data, options]), lambda d=data, o=options: _path(d, o)
    for norm, data in SOLVED:
        yield json.dumps(["sweeps.solve", norm, data]), lambda n=norm, d=data: [_solved(n, d)]


def _of(certificate: Any) -> Bracket:
    scope, status = str(certificate.scope), getattr(certificate.status, "value", str(certificate.status))
    return {"lower": certificate.lower, "upper": _finite(certificate.upper), "scope": scope, "status": status}


def _dictionary(data: str, options: dict[str, Any]) -> Bracket:
    points = mm.load(data)
    theta = np.random.default_rng(0).standard_normal((300, points.d + 1))
    return _of(mm.max_margin(points, directions=theta, **options))


def _estimator(kind: str, data: str, options: dict[str, Any]) -> Bracket:
    points, seed = mm.load(data), {} if kind.startswith("Kernel") else {"random_state": 0}
    return _of(getattr(mm, kind)(**options, **seed).fit(points.X, points.y).certificate_)


def _path(data: str, options: dict[str, Any]) -> list[Bracket]:
    brackets = [point.bracket for point in margin_path(data, **options)]
    return [{"lower": b.lower, "upper": _finite(b.upper), "scope": str(b.scope), "status": ""} for b in brackets]


def _solved(norm: str, data: dict[str, Any]) -> Bracket:
    found = solve(data, norm)
    return {"lower": found["lower"], "upper": found["upper"], "scope": str(found["scope"]), "status": ""}


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def main() -> None:
    record = {}
    for name, compute in problems():
        start = time.process_time()
        record[name] = compute()
        print(f"{time.process_time() - start:6.2f} s  {name}", file=sys.stderr)
    json.dump(record, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
