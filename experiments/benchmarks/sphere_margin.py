"""F1 over the whole sphere: accuracy and cost, beside random neurons in CVXPY and beside the flow.

    python experiments/benchmarks/sphere_margin.py [exact] [enumerated] [local] [real]

exact       D <= 3: certified relative gap; times faster than CVXPY's default solver on the LP over 10,000 random neurons
enumerated  D = 4, 5: the local search first, then the enumeration, which proves the upper end
local       D = 15, n = 256: seconds until within 1e-3 and 1e-4 of the best value of several long runs, and how many times
            faster that is than 50,000 steps of the authors' loop (`flow_speed.transcription`; 400 steps are timed)
real        iris, wine, breast-cancer, standardised: agreement of two seeds

Margins in the path convention; times are processor times of one thread, all measured in this run.
"""

from __future__ import annotations

import sys
import time
import warnings

import numpy as np
from threadpoolctl import threadpool_limits

import maxmargin as mm
from maxmargin.features import RELU
from maxmargin.games.variation import VariationGame
from maxmargin.oracles.arrangement import ArrangementOracle
from maxmargin.oracles.zonotope import ZonotopeOracle
from maxmargin.solvers.column_generation import ColumnGeneration

FLOW_STEPS, FLOW_TIMED = 50_000, 400


def timed(run):
    """Result and processor seconds."""
    start = time.process_time()
    result = run()
    return result, time.process_time() - start


def standardised(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Points (x, 1) with every feature centred and scaled."""
    data = mm.load(name)
    X = (data.X - data.X.mean(axis=0)) / data.X.std(axis=0)
    return np.hstack([X, np.ones((len(X), 1))]), data.y


def planar() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Sets with D <= 3."""
    sets = {f"clusters k={k} n=512": mm.load(f"clusters:n=512,d=3,k={k},seed=0") for k in (3, 4, 5)}
    sets["clusters k=4 n=120"] = mm.load("clusters:n=120,d=3,k=4,seed=0")
    found = {name: (data.inputs(True), data.y) for name, data in sets.items()}
    x = np.sort(np.random.default_rng(0).uniform(-1, 1, 60))
    found["line n=60, 7 intervals"] = np.column_stack([x, np.ones(60)]), np.where(np.arange(60) // 9 % 2, 1.0, -1.0)
    Z, y = standardised("iris")
    found["iris, petals"] = Z[:, 2:], y
    return found


def cvxpy_seconds(Z: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """CVXPY's own choice of solver on 10,000 random neurons: its margin, recomputed, and its seconds."""
    directions = np.random.default_rng(0).standard_normal((10_000, Z.shape[1]))
    directions /= np.linalg.norm(directions, axis=1)[:, None]

    def run() -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = mm.Dataset(Z[:, :-1], y) if (Z[:, -1] == 1).all() else mm.Dataset(Z, y)
            problem = mm.as_cvxpy(data, norm="f1", directions=directions, bias=bool((Z[:, -1] == 1).all()))
            problem.solve()
        weights = problem.variables()[0].value
        if weights is None:
            return 0.0
        outputs = y * (weights @ RELU.evaluate(directions, Z))
        return float(outputs.min() / np.abs(weights).sum())

    return timed(run)


def exact() -> None:
    print(f"\n{'D <= 3':24s} {'n':>4s} {'rounds':>6s} {'neurons':>7s} {'margin':>11s} {'gap':>8s} {'seconds':>8s}"
          f" {'cvxpy':>8s} {'ratio':>7s} {'random/sphere':>13s}")
    for name, (Z, y) in planar().items():
        oracle = ArrangementOracle(Z, RELU)
        proposal, seconds = timed(lambda: ColumnGeneration()(Z, y, RELU, oracle))  # noqa: B023
        bracket = VariationGame(Z, y, RELU, "path", oracle=oracle).certify(proposal.measure, proposal.p)
        margin, other = cvxpy_seconds(Z, y)
        print(f"{name:24s} {len(y):4d} {proposal.rounds:6d} {len(proposal.measure):7d} {bracket.lower:11.4e} {bracket.relative_gap:8.1e}"
              f" {seconds:8.2f} {other:8.2f} {other / seconds:7.1f} {margin / bracket.lower if bracket.lower else 0:13.4f}", flush=True)


def enumerated() -> None:
    print(f"\n{'D = 4, 5':24s} {'n':>4s} {'support':>7s} {'margin':>11s} {'gap':>8s} {'local s':>8s} {'exact s':>8s}")
    for d, n in ((4, 60), (5, 60), (4, 150), (5, 150)):
        data = mm.load(f"clusters:n={n},d={d},k=3,seed=0")
        Z, y = data.inputs(True), data.y
        local, first = timed(lambda: ColumnGeneration()(Z, y, RELU, ZonotopeOracle(Z, RELU)))  # noqa: B023
        oracle = ArrangementOracle(Z, RELU)
        search = ColumnGeneration(tol=1e-9, time_limit=60.0)
        proposal, second = timed(lambda: search(Z, y, RELU, oracle, initial=local.measure))  # noqa: B023
        bracket = VariationGame(Z, y, RELU, "path", oracle=oracle).certify(proposal.measure, proposal.p)
        print(f"{f'clusters D={d}':24s} {n:4d} {np.count_nonzero(proposal.p):7d} {bracket.lower:11.4e} {bracket.relative_gap:8.1e}"
              f" {first:8.2f} {second:8.2f}", flush=True)


def reached(trace, seconds_of, value: float) -> float:
    """Seconds at which the lower bound first was at least this value."""
    return next((seconds_of[item.number] for item in trace if item.lower >= value), np.nan)


def watched(Z: np.ndarray, y: np.ndarray, seed: int, time_limit: float = 60.0):
    """A local run, and the processor seconds after each of its rounds."""
    start, clock = time.process_time(), {}

    def note(item) -> None:
        clock[item.number] = time.process_time() - start

    search = ColumnGeneration(time_limit=time_limit, progress=note, seed=seed)
    return search(Z, y, RELU, ZonotopeOracle(Z, RELU, seed=seed)), clock


def local() -> None:
    from flow_speed import transcription

    print(f"\n{'D = 15, n = 256, k = 3':24s} {'lower':>12s} {'of best':>10s} {'to 1e-3':>8s} {'to 1e-4':>8s} {'seconds':>8s}"
          f" {'rounds':>6s} {'neurons':>7s} {'flow s':>7s} {'flow/1e-3':>9s} {'flow/end':>9s}")
    data = mm.load("clusters:n=256,d=15,k=3,seed=0")
    Z, y = data.inputs(True), data.y
    runs = [watched(Z, y, seed) for seed in range(3)]
    best = max(proposal.lower for proposal, _ in runs)
    W = np.random.default_rng(0).standard_normal((1000, Z.shape[1] + 1))
    flow = timed(lambda: transcription(Z, y, W, FLOW_TIMED))[1] * FLOW_STEPS / FLOW_TIMED
    for seed, (proposal, clock) in enumerate(runs):
        rough, fine = (reached(proposal.trace, clock, best * (1 - part)) for part in (1e-3, 1e-4))
        end = max(clock.values())
        print(f"{f'seed {seed}':24s} {proposal.lower:12.8f} {1 - proposal.lower / best:10.1e} {rough:8.2f} {fine:8.2f} {end:8.2f}"
              f" {proposal.rounds:6d} {len(proposal.measure):7d} {flow:7.0f} {flow / rough:9.1f} {flow / end:9.1f}", flush=True)


def real() -> None:
    print(f"\n{'standardised':24s} {'n':>4s} {'D':>3s} {'lower, seed 0':>14s} {'lower, seed 1':>14s} {'differ':>8s} {'seconds':>15s}")
    for name in ("iris", "wine", "breast-cancer"):
        Z, y = standardised(name)
        (one, first), (two, second) = (watched(Z, y, seed) for seed in range(2))
        print(f"{name:24s} {len(y):4d} {Z.shape[1]:3d} {one.lower:14.8f} {two.lower:14.8f} {abs(1 - one.lower / two.lower):8.1e}"
              f" {max(first.values()):7.2f} {max(second.values()):7.2f}", flush=True)


def main() -> None:
    """Print the tables asked for, or all."""
    parts = {"exact": exact, "enumerated": enumerated, "local": local, "real": real}
    with threadpool_limits(1):
        for name in sys.argv[1:] or parts:
            parts[name]()


if __name__ == "__main__":
    main()
