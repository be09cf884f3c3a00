"""Default calls on at most 50 points in D <= 8: none may take more than 20 seconds of a core.

    python experiments/slow_calls.py --calls 200             # the ten slowest are listed
    python experiments/slow_calls.py --only f1,soft --seed 1 # some of the questions
    python experiments/slow_calls.py --n 50 --d 7            # the largest

A series of questions that are known to be long: many points for their dimension, lattices and near duplicates, features
of size 1e-6 beside the bias, one huge coordinate; all features and norms.  CPU seconds are counted, so that other
processes do not matter.  The exit status is 1 if a call takes more than --limit.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

import maxmargin as mm  # noqa: E402

Array = NDArray[np.float64]
SLOPES = {"relu": 0.0, "leaky": -0.1, "abs": 1.0, "nearly-linear": -(1.0 - 1e-6)}
FEATURES = [mm.Feature(name, 1, 1.0, left) for name, left in SLOPES.items()]
FEATURES += [mm.Feature("squared-relu", 2), mm.Feature("square", 2, 1.0, 1.0)]
DATA = ("general", "lattice", "clusters", "near-duplicates", "tiny", "huge-coordinate", "collinear", "xor-signs")
NORMS = ("f1", "soft", "dictionary", "f2", "ntk", "min-norm")


@dataclass(frozen=True)
class Question:
    """One default call: `norm` (F1 with a soft margin or a dictionary, too), kind of data, and what is asked."""

    norm: str
    kind: str
    feature: mm.Feature
    X: Array
    y: Array
    bias: bool

    def __str__(self) -> str:
        n, d = self.X.shape
        return f"{self.norm:10} {self.kind:16} {self.feature.name:14} n={n} d={d} bias={self.bias}"


def question(seed: int, index: int, n: int | None = None, d: int | None = None, bias: bool = True) -> Question:
    """The question of this number; n points of d coordinates instead of random numbers, if given."""
    rng = np.random.default_rng([seed, index])
    norm, kind = NORMS[index % len(NORMS)], str(rng.choice(DATA))
    drawn = int(rng.integers(20, 51)), int(rng.integers(3, 8))
    n, d = n or drawn[0], d or drawn[1]
    y = np.where(rng.random(n) < 0.5, 1.0, -1.0)
    y[:2] = 1.0, -1.0
    X = rng.normal(size=(n, d))
    if kind == "lattice":
        X = rng.integers(-1, 2, size=(n, d)).astype(float)
    elif kind == "clusters":
        X = 3.0 * rng.integers(0, 2, size=(n, d)) + 0.1 * X
        y = np.where(X.sum(axis=1) > 1.5 * d, 1.0, -1.0)
    elif kind == "near-duplicates":
        half = n // 2
        X[half : 2 * half] = X[:half] + 10.0 ** rng.integers(-12, -3) * rng.normal(size=(half, d))
    elif kind == "tiny":
        X *= 10.0 ** rng.integers(-8, -2)
    elif kind == "huge-coordinate":
        X[:, 0] *= 10.0 ** rng.integers(4, 9)
    elif kind == "collinear":
        X = rng.normal(size=d) + np.outer(rng.normal(size=n), rng.normal(size=d))
    elif kind == "xor-signs":
        y = np.where(np.prod(X[:, :2], axis=1) > 0.0, 1.0, -1.0)
    return Question(norm, kind, FEATURES[int(rng.integers(len(FEATURES)))], X, y, bias)


def call(asked: Question, rng: np.random.Generator) -> Callable[[], Any]:
    """The default call; it returns a bracket with its status."""
    X, y, given = asked.X, asked.y, {"feature": asked.feature, "bias": asked.bias}
    if asked.norm == "soft":
        return lambda: mm.max_margin((X, y), nu=0.3, **given)
    if asked.norm == "dictionary":
        theta = rng.normal(size=(500, X.shape[1] + asked.bias))
        return lambda: mm.max_margin((X, y), directions=theta, **given)
    if asked.norm == "min-norm":
        target = X[:, 0] * X[:, 1] + 0.1 * rng.normal(size=len(y))
        return lambda: mm.min_norm((X, target), **given)
    return lambda: mm.max_margin((X, y), asked.norm, **given)


def outcome(found: Any) -> str:
    """Status, relative gap, and the referee's seconds where there are any."""
    checked = f", checked in {found.check_seconds:.1f} s" if getattr(found, "checked", False) else ""
    return f"{found.status.value} {found.relative_gap:.1e}{checked}"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Find default calls on few points that take long.")
    parser.add_argument("--calls", type=int, default=60, help="questions of the series (default 60)")
    parser.add_argument("--start", type=int, default=0, help="the first of them (default 0)")
    parser.add_argument("--seed", type=int, default=0, help="which series (default 0)")
    parser.add_argument("--only", default=",".join(NORMS), help=f"some of {', '.join(NORMS)}")
    parser.add_argument("--limit", type=float, default=20.0, help="seconds of a core that a call may take (default 20)")
    parser.add_argument("--n", type=int, help="points of every question")
    parser.add_argument("--d", type=int, help="coordinates of every question")
    parser.add_argument("--no-bias", action="store_true", help="the activation sees x alone")
    arguments = parser.parse_args(argv)
    found = []
    for index in range(arguments.start, arguments.start + arguments.calls):
        asked = question(arguments.seed, index, arguments.n, arguments.d, not arguments.no_bias)
        if asked.norm not in arguments.only.split(","):
            continue
        ask = call(asked, np.random.default_rng([arguments.seed, index, 1]))
        begun = time.process_time()
        try:
            answer = outcome(ask())
        except mm.InputError as refused:
            answer = f"refused: {refused}"
        seconds = time.process_time() - begun
        found.append((seconds, f"{index:5d} {asked}  {answer}"))
        if seconds > arguments.limit:
            print(f"{seconds:7.1f} s {found[-1][1]}", flush=True)
    for seconds, text in sorted(found, reverse=True)[:10]:
        print(f"{seconds:7.1f} s {text}")
    print(f"{len(found)} calls, {sum(seconds for seconds, _ in found):.0f} s of a core")
    return int(any(seconds > arguments.limit for seconds, _ in found))


if __name__ == "__main__":
    raise SystemExit(main())
