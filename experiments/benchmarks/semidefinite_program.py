"""An anchor for the upper end of F1: the semidefinite relaxation of the literature in CVXPY, beside ours.

    python experiments/benchmarks/semidefinite_program.py [--points 20] [--seeds 0 1 2 3 4] [--seconds 30]

Clusters, k = 3. For each sample the values over the lower end, with process seconds, of: the relaxation of Prakhya,
Birdal and Yurtsever (ICLR 2025) in CVXPY with SCS; the same with norm products; ours at the root; ours branched.  What
CVXPY says is an estimate, ours are proved bounds.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import cvxpy

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from lifted_program import lifted_program  # noqa: E402

from maxmargin.clock import Clock  # noqa: E402
from maxmargin.dataset import load  # noqa: E402
from maxmargin.features import RELU  # noqa: E402
from maxmargin.oracles.ascent.steps import ZonotopeOracle  # noqa: E402
from maxmargin.oracles.lifted.branch import tighten  # noqa: E402
from maxmargin.oracles.lifted.root import lifted_bound  # noqa: E402
from maxmargin.solvers.column_generation import ColumnGeneration  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=20)
    parser.add_argument("--dimension", type=int, default=15)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--seconds", type=float, default=30.0, help="wall seconds of each of our proofs")
    options = parser.parse_args()
    print("seed      lower | literature, seconds | norm products, seconds | our root, seconds | branched, seconds")
    for seed in options.seeds:
        data = load(f"clusters:n={options.points},d={options.dimension},k=3,seed={seed}")
        Z, y = data.inputs(bias=True), data.y
        found = ColumnGeneration(time_limit=options.seconds)(Z, y, RELU, ZonotopeOracle(Z, RELU, seed=0))
        lower, cells = found.lower, []
        for products in (False, True):
            start, program = time.process_time(), lifted_program(Z, y, RELU, lower, norm_products=products)
            program.solve(solver=cvxpy.SCS, eps=1e-4, max_iters=20_000)
            cells.append(f"{program.value:8.4f} {time.process_time() - start:8.1f}")
        for bound in (lifted_bound, tighten):
            start = time.process_time()
            proved = bound(Z, y, RELU, p=found.p, lower=lower, clock=Clock(options.seconds), tolerance=1e-3)
            cells.append(f"{proved.bound / lower:8.4f} {time.process_time() - start:8.1f}")
        print(f"{seed:4d} {lower:10.6f} | " + " | ".join(cells), flush=True)


if __name__ == "__main__":
    main()
