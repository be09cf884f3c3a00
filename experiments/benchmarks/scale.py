"""Many points: seconds and memory of certified margins from 8,000 to a million points, and how they grow.

    python experiments/benchmarks/scale.py [--seeds 1 2 3 4 5] [--only plane line circle f2 deep] [--large]

One line a case and seed: wall and process seconds of `max_margin` (data are made before), peak memory of the process
that solved it, the bracket, its relative gap.  `--large` adds the cases of a minute and more: F2 of 100,000 points in
D = 15, and the lower end in D = 15 after 60 seconds.  The last lines are, for each series, the slope of the logarithm
of the time in that of n.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections import defaultdict

import numpy as np

CHILD = """
import sys, time
import numpy as np
import maxmargin as mm
from maxmargin import memory
source, options = sys.argv[1], eval(sys.argv[2])
if source.startswith("line:"):
    x = np.linspace(-10 * np.pi, 10 * np.pi, int(source[5:]))
    data = mm.load((x[:, None], np.where(np.sin(x) + np.sin(2 * x) > 0.0, 1.0, -1.0)))
else:
    data = mm.load(source)
mm.max_margin("xor")
wall, process = time.perf_counter(), time.process_time()
found = mm.max_margin(data, **options)
wall, process = time.perf_counter() - wall, time.process_time() - process
print(wall, process, memory.peak() / 2**20, found.status, found.scope, found.lower, found.upper, found.relative_gap)
"""
PLANE = [(f"plane {n}", "clusters:n={n},d=3,k=4,seed={seed}", n, {}) for n in (8_000, 100_000, 1_000_000)]
LINE = [(f"line {n}", "line:{n}", n, {}) for n in (400, 401, 601)]
CIRCLE = [
    (f"circle {n}", "clusters:n={n},d=3,k=4,seed={seed}", n, {"bias": False, "time_limit": 60.0})
    for n in (500, 2_000, 5_000)
]
KERNEL = [
    (f"f2 D=3 {n}", "clusters:n={n},d=3,k=4,seed={seed}", n, {"norm": "f2", "tol": 1e-8})
    for n in (10_000, 100_000, 1_000_000)
]
DEEP = [(f"deep {n}", "clusters:n={n},d=15,k=3,seed={seed}", n, {"time_limit": 120.0}) for n in (1_000, 4_000)]
LARGE = [
    (f"f2 D=15 {n}", "clusters:n={n},d=15,k=3,seed={seed}", n, {"norm": "f2", "tol": 1e-3, "time_limit": 900.0})
    for n in (20_000, 100_000)
]


def measured(source: str, options: dict[str, object]) -> tuple[float, list[str]]:
    """Wall seconds, and all that a fresh process printed."""
    arguments = [sys.executable, "-c", CHILD, source, repr(options)]
    words = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout.split()
    return float(words[0]), words


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--only", nargs="+", default=["plane", "line", "circle", "f2", "deep"])
    parser.add_argument("--large", action="store_true")
    options = parser.parse_args()
    series: dict[str, list[tuple[int, float]]] = defaultdict(list)
    cases = PLANE + LINE + CIRCLE + KERNEL + (DEEP + LARGE if options.large else [])
    print(f"{'case':16} seed   wall process   MiB status       scope         lower        upper        gap")
    for name, source, n, limits in cases:
        if name.split()[0] not in options.only:
            continue
        for seed in options.seeds if "seed" in source else [0]:
            wall, words = measured(source.format(n=n, seed=seed), limits)
            series[name.rpartition(" ")[0]].append((n, wall))
            _, process, mib, status, scope, lower, upper, gap = words
            ends = f"{float(lower):12.6g} {float(upper):12.6g} {float(gap):8.1e}"
            cost = f"{wall:6.1f} {float(process):7.1f} {float(mib):5.0f}"
            print(f"{name:16} {seed:4d} {cost} {status:12} {scope:12} {ends}", flush=True)
    for name, points in series.items():
        n, wall = np.array(points).T
        if len(np.unique(n)) > 2 and name != "line":
            print(f"{name}: slope of log time in log n {np.polyfit(np.log(n), np.log(wall), 1)[0]:.2f}")


if __name__ == "__main__":
    main()
