"""The cost of a proof of the best neuron: the exact oracles beside 10,000 random directions.

Each row is one adversary q, centred so that many neurons earn nothing (as near the optimum of the game): seconds of the
enumeration, its ratio to the evaluation of 10,000 random directions, the fraction of the maximum that these reach, and
the proved relative slack (bound - best) / best.

    python experiments/benchmarks/exact_oracle.py [--large]
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from maxmargin.features import RELU, SQUARED_RELU
from maxmargin.oracles.enumeration.degree1 import ArrangementOracle
from maxmargin.oracles.enumeration.degree2 import QuadraticCellOracle

SIZES = {
    "relu": [(2, 60), (2, 512), (3, 60), (3, 100), (3, 150), (3, 512), (4, 60), (4, 150), (5, 30), (5, 60)],
    "squared-relu": [(2, 60), (3, 60), (3, 150), (4, 40), (4, 60), (5, 30)],
}
LARGE = {"relu": [(5, 100), (5, 150)], "squared-relu": [(4, 150), (5, 60)]}


def adversary(feature, D: int, N: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Points (x, 1) and a q orthogonal to the outputs of N/2 random neurons."""
    Z = np.hstack([rng.normal(size=(N, D - 1)), np.ones((N, 1))])
    outputs = feature.evaluate(rng.normal(size=(N // 2, D)), Z)
    q = rng.normal(size=N)
    return Z, q - outputs.T @ np.linalg.lstsq(outputs.T, q, rcond=None)[0]


def seconds(run, repeat: int) -> float:
    """Least processor time of some calls."""
    times = []
    for _ in range(repeat):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


def row(feature, D: int, N: int, seed: int = 0) -> str:
    rng = np.random.default_rng(seed)
    Z, q = adversary(feature, D, N, rng)
    oracle = (ArrangementOracle if feature.degree == 1 else QuadraticCellOracle)(Z, feature)
    directions = rng.normal(size=(10_000, D))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    response = oracle(q)
    exact = seconds(lambda: oracle(q), 3 if D < 5 else 1)
    random = seconds(lambda: np.abs(feature.evaluate(directions, Z) @ q).max(), 3)
    reached = np.abs(feature.evaluate(directions, Z) @ q).max() / response.values[0]
    slack = response.bound / response.values[0] - 1.0
    return f"{feature.name:13s} {D:2d} {N:4d} {exact:10.4f} {exact / random:10.1f} {reached:9.4f} {slack:10.1e}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", action="store_true", help="also sizes that take minutes")
    large = parser.parse_args().large
    print(f"{'feature':13s} {'D':>2s} {'N':>4s} {'seconds':>10s} {'x random':>10s} {'reached':>9s} {'slack':>10s}")
    for feature in (RELU, SQUARED_RELU):
        for D, N in SIZES[feature.name] + (LARGE[feature.name] if large else []):
            print(row(feature, D, N), flush=True)


if __name__ == "__main__":
    main()
