"""The F1 margin over a finite dictionary: column generation beside general solvers, all certified by the same game.

    python experiments/benchmarks/dictionary_lp.py [--neurons 10000] [--slow]

Data: clusters, D = 15, n = 256, k = 3; random unit directions.  Times are processor times of one thread in this run;
`gap` is the certified relative gap of the solver's pair (its own report is not used). CVXPY's HIGHS and SciPy
take minutes and run with --slow only.
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np
from threadpoolctl import threadpool_limits

import maxmargin as mm
from maxmargin.features import RELU
from maxmargin.games.measure import Measure
from maxmargin.games.variation import DictionaryGame
from maxmargin.solvers import conic
from maxmargin.solvers.search import max_margin_dictionary


def columns(Z, y, directions):
    proposal = max_margin_dictionary(Z, y, RELU, directions)
    return proposal.measure, proposal.p


def through_cvxpy(solver):
    def propose(Z, y, directions):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            solution = conic.solve(conic.variation_program(RELU.evaluate(directions, Z), y), solver)
        if solution.variable is None or solution.dual is None:
            return Measure(directions[:1], np.zeros(1)), np.full(len(y), 1 / len(y))
        p = np.maximum(solution.dual, 0)
        return Measure(directions, solution.variable), p / p.sum()

    return propose


def main() -> None:
    """Print one row per solver."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--neurons", type=int, default=10_000)
    parser.add_argument("--slow", action="store_true")
    arguments = parser.parse_args()
    data = mm.load("clusters:n=256,d=15,k=3,seed=0")
    Z, y = data.inputs(True), data.y
    directions = np.random.default_rng(1).standard_normal((arguments.neurons, Z.shape[1]))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    game = DictionaryGame(Z, y, RELU, "path", directions=directions)
    routes = {
        "column generation": columns,
        "cvxpy/SCS": through_cvxpy("scs"),
        "cvxpy/CLARABEL": through_cvxpy("clarabel"),
    }
    if arguments.slow:
        routes |= {"cvxpy/SCIPY": through_cvxpy("scipy"), "cvxpy/HIGHS": through_cvxpy("highs")}
    print(f"{'route':20s} {'seconds':>8s} {'ratio':>7s} {'lower':>12s} {'upper':>12s} {'gap':>8s} {'neurons':>7s}")
    with threadpool_limits(1):
        columns(Z, y, directions[:100])  # HiGHS and the pages of BLAS are loaded once, for all
        reference = None
        for name, propose in routes.items():
            start = time.process_time()
            measure, p = propose(Z, y, directions)
            seconds = time.process_time() - start
            reference = reference or seconds
            bracket = game.certify(measure, p)
            atoms = np.count_nonzero(np.abs(measure.weights) > 1e-9 * np.abs(measure.weights).sum())
            print(
                f"{name:20s} {seconds:8.2f} {seconds / reference:7.1f} {bracket.lower:12.8f} {bracket.upper:12.8f}"
                f" {bracket.relative_gap:8.1e} {atoms:7d}",
                flush=True,
            )


if __name__ == "__main__":
    main()
