"""Time limits that hold: 40 problems of every kind and size return a valid bracket within 1.2 T + 2 seconds.

    python experiments/benchmarks/time_limits.py [--seconds 1 5 30] [--only wide ...]

One line a problem and limit: wall and process seconds of `max_margin` (data are made before), what the attempts of the
certificate account for, the bracket, and whether it came in time.  The exit status is 1 if one came late.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

import maxmargin as mm

LEAKY, LINEAR = mm.Feature("leaky", 1, 1.0, -0.1), mm.Feature("linear", 1, 1.0, -1.0)
Problem = tuple[str, Callable[[], object], dict[str, object]]


def normal(n: int, d: int, rule: str = "xor") -> tuple[np.ndarray, np.ndarray]:
    """Normal points with the labels of XOR on the first two features, or random ones."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    votes = X[:, 0] * X[:, min(1, d - 1)] if rule == "xor" else rng.standard_normal(n)
    return X, np.where(votes > 0.0, 1.0, -1.0)


def line(n: int) -> tuple[np.ndarray, np.ndarray]:
    """An even grid with 30 changes of the label."""
    x = np.linspace(-10 * np.pi, 10 * np.pi, n)
    return x[:, None], np.where(np.sin(x) + np.sin(2 * x) > 0.0, 1.0, -1.0)


def one_large_column(n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    X, y = normal(n, d, "random")
    X[:, 0] *= 1e8
    return X, y


def clusters(n: int, d: int, k: int = 3) -> Callable[[], object]:
    return lambda: mm.load(f"clusters:n={n},d={d},k={k},seed=1")


def problems() -> list[Problem]:
    """Name, data, options; every route of the package occurs."""
    listed: list[Problem] = [("xor", lambda: mm.load("xor"), {}), ("iris", lambda: mm.load("iris"), {})]
    listed += [(f"plane {n}", clusters(n, 3, 4), {}) for n in (500, 8_000, 100_000)]
    listed += [(f"circle {n}", clusters(n, 3, 4), {"bias": False}) for n in (300, 2_000)]
    listed += [(f"line {n}", lambda n=n: line(n), {}) for n in (400, 601, 20_000)]
    listed += [(f"normal {n}x2", lambda n=n: normal(n, 2), {}) for n in (100_000, 300_000)]
    small = ((200, 2), (60, 4), (40, 5))
    listed += [(f"random {n}x{d}", lambda n=n, d=d: normal(n, d, "random"), {}) for n, d in small]
    listed += [(f"clusters {n} D=15", clusters(n, 15), {}) for n in (64, 256, 1_000, 4_000, 20_000, 100_000)]
    listed += [(f"normal {n}x{d}", lambda n=n, d=d: normal(n, d), {}) for n, d in ((2_000, 8), (50_000, 40))]
    sizes = ((30, 200), (62, 2_000), (20, 10_000), (400, 1_000), (3_000, 784))
    listed += [(f"wide {n}x{d}", lambda n=n, d=d: normal(n, d, "random"), {}) for n, d in sizes]
    listed += [(f"one large column {n}x{d}", lambda n=n, d=d: one_large_column(n, d), {}) for n, d in ((5, 3), (60, 4))]
    squared = {"feature": "squared-relu"}
    listed += [(f"squared {n} D={D}", clusters(n, D), squared) for n, D in ((3_000, 3), (100, 5), (256, 15))]
    listed += [("leaky 500x2", lambda: normal(500, 2), {"feature": LEAKY})]
    listed += [("linear 60x4", lambda: normal(60, 4, "random"), {"feature": LINEAR})]
    listed += [(f"f2 {n} D=15", clusters(n, 15), {"norm": "f2"}) for n in (2_000, 20_000, 100_000)]
    listed += [("f2 100000 D=3", clusters(100_000, 3, 4), {"norm": "f2"})]
    listed += [("f2 62x2000", lambda: normal(62, 2_000, "random"), {"norm": "f2"})]
    listed += [("ntk 5000 D=15", clusters(5_000, 15), {"norm": "ntk"})]
    return listed


def row(problem: Problem, limit: float) -> bool:
    """One line; whether the answer came in time."""
    name, make, options = problem
    data = mm.load(make())
    wall, process = time.monotonic(), time.process_time()
    found = mm.max_margin(data, time_limit=limit, **options)
    wall, process = time.monotonic() - wall, time.process_time() - process
    told = sum(attempt.seconds for attempt in found.attempts)
    late = wall > 1.2 * limit + 2.0 or not 0.0 <= found.lower <= found.upper < np.inf
    print(
        f"{name:24} {limit:4g} s  wall {wall:6.2f}  process {process:6.2f}  attempts {told:6.2f}  "
        f"{found.status:13} [{found.lower:.6g}, {found.upper:.6g}]{'  LATE' if late else ''}",
        flush=True,
    )
    return not late


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, nargs="+", default=[1.0, 5.0, 30.0], help="limits T")
    parser.add_argument("--only", nargs="+", default=[""], help="parts of names")
    options = parser.parse_args()
    chosen = [problem for problem in problems() if any(part in problem[0] for part in options.only)]
    return 0 if all([row(problem, limit) for limit in options.seconds for problem in chosen]) else 1


if __name__ == "__main__":
    raise SystemExit(main())
