"""The F2 margin: ours against CVXPY and scikit-learn on the same Gram matrices, in one run.

    python experiments/benchmarks/kernel_margin.py [--only small conic svc large random] [--seeds 1 2 3 4 5]

Clusters of the paper (k = 3, D = 15), drawn with each of the seeds.  Times are process times, gaps are our own
certified relative gaps of whatever pair the solver returned ("margin" 1.0 means that nothing was proved).
"""

from __future__ import annotations

import argparse
import time
import warnings
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from maxmargin import memory
from maxmargin.dataset import load
from maxmargin.games.rkhs import KernelExpansion, KernelGame, network_game
from maxmargin.solvers import conic
from maxmargin.solvers.min_norm_point import min_norm_point, nnls_point


def paper(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs z (n, 15) and labels of the paper's clusters."""
    data = load(f"clusters:n={n},d=15,k=3,seed={seed}")
    return data.inputs(bias=True), data.y


def timed(function, *arguments, repeat: int = 1):
    """(result, least process seconds)."""
    seconds = []
    for _ in range(repeat):
        start = time.process_time()
        result = function(*arguments)
        seconds.append(time.process_time() - start)
    return result, min(seconds)


def ours(K, y):
    proposal = min_norm_point(K, y)
    return proposal.learner.coefficients, proposal.p


def by_nnls(K, y):
    proposal = nnls_point(K, y)
    return proposal.learner.coefficients, proposal.p


def by_cvxpy(solver):
    def propose(K, y):
        solution = conic.solve(conic.kernel_program(K, y), solver)
        return solution.variable, solution.dual / solution.dual.sum()

    return propose


def by_clarabel_dual(K, y):
    """min |L' Y p|^2 over the simplex, K = L L': the formulation that suits Clarabel best (one dense matrix)."""
    import cvxpy as cp

    factor = np.linalg.cholesky(K + 1e-15 * np.trace(K) * np.eye(len(K))).T * y
    p = cp.Variable(len(y), nonneg=True)
    problem = cp.Problem(cp.Minimize(cp.sum_squares(factor / np.sqrt(K.max()) @ p)), [cp.sum(p) == 1])
    problem.solve(solver="CLARABEL", **conic.SOLVER_OPTIONS["CLARABEL"])
    weights = np.maximum(p.value, 0.0)
    return y * weights, weights / weights.sum()


def routes(n: int, names: dict, seed: int) -> None:
    """Every route on one stored Gram matrix."""
    Z, y = paper(n, seed)
    K = np.asarray(network_game("f2", "relu", Z, y).K)
    game, reference = KernelGame(K, y), None
    for name, propose in names.items():
        (c, p), seconds = timed(propose, K, y)
        bracket = game.certify(KernelExpansion(c), p)
        reference = reference or seconds
        print(f"n={n:6d}  {name:12s} {seconds:8.2f} s  {seconds / reference:6.1f} x   gap {bracket.relative_gap:.1e}")


def against_svc(n: int, seed: int) -> None:
    """Same Gram matrix as scikit-learn's SVC, which solves the problem with a free intercept."""
    from sklearn.svm import SVC

    Z, y = paper(n, seed)
    K, gram = timed(np.asarray, network_game("f2", "relu", Z, y).K)
    (c, p), seconds = timed(ours, K, y, repeat=3)
    bracket, proof = timed(KernelGame(K, y).certify, KernelExpansion(c), p)
    times = f"Gram matrix {gram:.2f} s, ours {seconds:.2f} s, certificate {proof:.2f} s"
    print(f"n={n:6d}  {times}, gap {bracket.relative_gap:.1e}")
    for tol in (1e-3, 1e-6):
        _, svc = timed(SVC(kernel="precomputed", C=1e10, tol=tol).fit, K, y, repeat=3)
        print(f"n={n:6d}  SVC(tol={tol:.0e}) {svc:.2f} s: ours takes {seconds / svc:.2f} times that")


def on_demand(n: int, seed: int) -> None:
    """From the points to a bracket of the true kernel's margin, rows of the Gram matrix on demand."""
    Z, y = paper(n, seed)
    game = network_game("f2", "relu", Z, y)
    (c, p), seconds = timed(ours, game.K, y)
    bracket, proof = timed(game.certify, KernelExpansion(c), p, 1e-9)
    peak = memory.peak() / 2**30
    support = np.count_nonzero(p)
    print(
        f"n={n:6d}  rows on demand: solve {seconds:.2f} s, certify {proof:.2f} s, support {support}, "
        f"gap {bracket.relative_gap:.1e}, gamma_2 in [{bracket.lower:.12g}, {bracket.upper:.12g}], peak {peak:.2f} GiB"
    )


def random_sets(count: int = 200) -> None:
    """Random data sets, n <= 600, D <= 30, near-duplicates and condition numbers up to 1e12 and beyond."""
    rng = np.random.default_rng(0)
    rows = []
    for index in range(count):
        n, D = int(rng.integers(2, 601)), int(rng.integers(2, 31))
        X = rng.normal(size=(n, D - 1))
        y = np.where(rng.random(n) < 0.5, -1.0, 1.0)
        if index % 2:  # near-duplicates, labels a function of the point
            X = np.vstack([X, X[: n // 2] + 10.0 ** -rng.integers(2, 8) * rng.normal(size=(n // 2, D - 1))])[:600]
            y = np.where(X[:, 0] > 0, 1.0, -1.0)
        game = network_game("f2", "relu", np.c_[X, np.ones(len(X))], y)
        (c, p), seconds = timed(ours, game.K, y)
        bracket = game.certify(KernelExpansion(c), p)
        radii = game.scale * np.sqrt(game.K.diagonal())
        limit = 2.0**-53 * radii.max() * (p @ radii) / bracket.upper**2
        rows.append((bracket.relative_gap, limit, seconds, np.linalg.cond(np.asarray(game.K))))
    gaps, limits, seconds, conditions = np.array(rows).T
    good, allowed = gaps <= 1e-10, np.maximum(1e-10, limits)
    print(f"{count} random sets: gap <= 1e-10 on {np.mean(good):.1%}, worst {gaps.max():.1e}")
    print(f"  gap over max(1e-10, what weights of 53 bits allow): worst {np.max(gaps / allowed):.1f}")
    print(f"  {seconds.sum():.1f} s in all; condition numbers up to {conditions.max():.0e}")


ALL = {"ours": ours, "nnls": by_nnls, "clarabel": by_cvxpy("clarabel"), "scs": by_cvxpy("scs")}
PARTS = {
    "small": partial(routes, 256, ALL),
    "conic": partial(routes, 2000, {"ours": ours, "clarabel": by_clarabel_dual}),
    "svc": partial(against_svc, 5000),
    "medium": partial(on_demand, 5000),
    "large": partial(on_demand, 20_000),
    "random": None,  # 200 samples of its own
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    import sklearn.svm  # noqa: F401  (its import is not part of any time)

    with threadpool_limits(options.threads):
        for part in options.only:
            if part == "random":
                random_sets()
                continue
            for seed in options.seeds:
                PARTS[part](seed)
