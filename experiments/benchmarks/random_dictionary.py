"""How far random neurons are from all neurons: the dictionary margin against gamma_1, and what it costs.

    python experiments/benchmarks/random_dictionary.py [DATA ...] [--seeds 1 2 3 4 5]

Default data: clusters n = 256, k = 3, D = 3, 5, 10, 15, drawn with each of the seeds.  Path convention; processor
seconds of one thread in this run.  "all" is the margin over the whole sphere by column generation, local oracle.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from threadpoolctl import threadpool_limits

import maxmargin as mm
from maxmargin.features import RELU
from maxmargin.oracles.ascent.steps import ZonotopeOracle
from maxmargin.solvers.column_generation import ColumnGeneration
from maxmargin.solvers.search import max_margin_dictionary

SIZES = (1_000, 10_000, 100_000)
DIMENSIONS = (3, 5, 10, 15)


def main() -> None:
    """One table a data set; dictionaries are nested, so that margins grow down a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="*")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    options = parser.parse_args()
    clusters = [f"clusters:n=256,d={d},k=3,seed={seed}" for d in DIMENSIONS for seed in options.seeds]
    for name in options.data or clusters:
        data = mm.load(name)
        Z, y = data.inputs(True), data.y
        directions = np.random.default_rng(1).standard_normal((max(SIZES), Z.shape[1]))
        directions /= np.linalg.norm(directions, axis=1)[:, None]
        start = time.process_time()
        sphere = ColumnGeneration(time_limit=60.0, local_tol=1e-6)(Z, y, RELU, ZonotopeOracle(Z, RELU)).lower
        cost = time.process_time() - start
        print(f"\n{name}\n{'neurons':>12s} {'margin':>12s} {'fraction':>9s} {'seconds':>8s} {'gap':>8s}")
        for size in SIZES:
            start = time.process_time()
            proposal = max_margin_dictionary(Z, y, RELU, directions[:size])
            seconds = time.process_time() - start
            gap = 1 - proposal.lower / proposal.upper if proposal.lower else np.nan
            print(
                f"{size:12,d} {proposal.lower:12.6f} {proposal.lower / sphere:9.3f} {seconds:8.2f} {gap:8.1e}",
                flush=True,
            )
        print(f"{'all':>12s} {sphere:12.6f} {1.0:9.3f} {cost:8.2f}", flush=True)


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
