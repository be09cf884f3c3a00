"""F1 over the whole sphere: accuracy and cost, beside random neurons in CVXPY and beside the flow.

    python experiments/benchmarks/sphere_margin.py [exact] [enumerated] [local] [real] [--seeds 1 2 3 4 5]

exact       D <= 3: certified relative gap; times faster than CVXPY's default on the LP over 10,000 random neurons
enumerated  D = 4, 5: the local search first, then the enumeration, which proves the upper end
local       D = 15, n = 256: seconds until within 1e-3 and 1e-4 of the best value of several long runs, and how
            many times faster that is than 50,000 steps of the authors' loop (400 steps of
            `flow_speed.transcription` are timed)
real        iris, wine, breast-cancer, standardised: agreement of two seeds

Margins in the path convention; times are processor times of one thread, all measured in this run.  Clusters are drawn
with each of the seeds; the last two rows of their tables are the least and the most of every column.
"""

from __future__ import annotations

import argparse
import re
import time
import warnings
from collections.abc import Iterator
from functools import partial
from itertools import product

import numpy as np
from threadpoolctl import threadpool_limits

import maxmargin as mm
from maxmargin.features import RELU
from maxmargin.games.variation import VariationGame
from maxmargin.oracles.ascent.steps import ZonotopeOracle
from maxmargin.oracles.enumeration.degree1 import ArrangementOracle
from maxmargin.solvers.column_generation import ColumnGeneration

FLOW_STEPS, FLOW_TIMED = 50_000, 400


class Table:
    """Rows printed as they come, below a heading; `columns` are (name, format) pairs."""

    def __init__(self, title: str, *columns: tuple[str, str]) -> None:
        self.rows: list[tuple[float, ...]] = []
        self.formats = [form for _, form in columns]
        widths = [int(re.match(r"\d+", form)[0]) for form in self.formats]
        names = (f"{name:>{width}s}" for (name, _), width in zip(columns, widths, strict=True))
        print(f"\n{title:24s}", *names)

    def row(self, name: str, *values: float) -> None:
        self.rows.append(values)
        self._print(name, values)

    def spread(self) -> None:
        """The least and the most of each column."""
        for name, pick in (("least", min), ("most", max)):
            self._print(name, tuple(map(pick, zip(*self.rows, strict=True))))

    def _print(self, name: str, values: tuple[float, ...]) -> None:
        cells = (format(value, form) for value, form in zip(values, self.formats, strict=True))
        print(f"{name:24s}", *cells, flush=True)


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


def planar(seeds: list[int]) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Sets with D <= 3: name, points, labels."""
    for k, n in ((3, 512), (4, 512), (5, 512), (4, 120)):
        for seed in seeds:
            data = mm.load(f"clusters:n={n},d=3,k={k},seed={seed}")
            yield f"clusters k={k} n={n}, {seed}", data.inputs(True), data.y
    x = np.sort(np.random.default_rng(0).uniform(-1, 1, 60))
    yield "line n=60, 7 intervals", np.column_stack([x, np.ones(60)]), np.where(np.arange(60) // 9 % 2, 1.0, -1.0)
    Z, y = standardised("iris")
    yield "iris, petals", Z[:, 2:], y


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


def exact(seeds: list[int]) -> None:
    table = Table(
        "D <= 3", ("n", "4d"), ("rounds", "6d"), ("neurons", "7d"), ("margin", "11.4e"), ("gap", "8.1e"),
        ("seconds", "8.2f"), ("cvxpy", "8.2f"), ("ratio", "7.1f"), ("random/sphere", "13.4f"),
    )  # fmt: skip
    for name, Z, y in planar(seeds):
        oracle = ArrangementOracle(Z, RELU)
        found, seconds = timed(partial(ColumnGeneration(), Z, y, RELU, oracle))
        bracket = VariationGame(Z, y, RELU, "path", oracle=oracle).certify(found.measure, found.p)
        random, other = cvxpy_seconds(Z, y)
        result = (found.rounds, len(found.measure), bracket.lower, bracket.relative_gap)
        table.row(name, len(y), *result, seconds, other, other / seconds, random / bracket.lower)
    table.spread()


def enumerated(seeds: list[int]) -> None:
    columns = ("n", "4d"), ("support", "7d"), ("margin", "11.4e"), ("gap", "8.1e")
    table = Table("D = 4, 5", *columns, ("local s", "8.2f"), ("exact s", "8.2f"))
    for (D, n), data_seed in product(((4, 60), (5, 60), (4, 150), (5, 150)), seeds):
        data = mm.load(f"clusters:n={n},d={D},k=3,seed={data_seed}")
        Z, y = data.inputs(True), data.y
        local, first = timed(partial(ColumnGeneration(), Z, y, RELU, ZonotopeOracle(Z, RELU)))
        oracle = ArrangementOracle(Z, RELU)
        search = ColumnGeneration(tol=1e-9, time_limit=60.0)
        found, second = timed(partial(search, Z, y, RELU, oracle, initial=local.measure))
        bracket = VariationGame(Z, y, RELU, "path", oracle=oracle).certify(found.measure, found.p)
        support = np.count_nonzero(found.p)
        table.row(f"clusters D={D}, {data_seed}", n, support, bracket.lower, bracket.relative_gap, first, second)
    table.spread()


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


def local(seeds: list[int]) -> None:
    from flow_speed import transcription

    table = Table(
        "D = 15, n = 256, k = 3", ("lower", "12.8f"), ("of best", "8.1e"), ("to 1e-3", "7.2f"), ("to 1e-4", "7.2f"),
        ("seconds", "7.2f"), ("rounds", "6d"), ("neurons", "7d"), ("flow s", "6.0f"), ("flow/1e-3", "9.1f"),
        ("flow/end", "8.1f"),
    )  # fmt: skip
    for data_seed in seeds:
        data = mm.load(f"clusters:n=256,d=15,k=3,seed={data_seed}")
        Z, y = data.inputs(True), data.y
        runs = [watched(Z, y, seed) for seed in range(3)]
        best = max(found.lower for found, _ in runs)
        W = np.random.default_rng(0).standard_normal((1000, Z.shape[1] + 1))
        flow = timed(partial(transcription, Z, y, W, FLOW_TIMED))[1] * FLOW_STEPS / FLOW_TIMED
        for seed, (found, clock) in enumerate(runs):
            rough, fine = (reached(found.trace, clock, best * (1 - part)) for part in (1e-3, 1e-4))
            end = max(clock.values())
            ours = (found.lower, 1 - found.lower / best, rough, fine, end, found.rounds, len(found.measure))
            table.row(f"clusters {data_seed}, run {seed}", *ours, flow, flow / rough, flow / end)
    table.spread()


def real(_: list[int]) -> None:
    columns = ("n", "4d"), ("D", "3d"), ("lower, seed 0", "14.8f"), ("seed 1", "14.8f")
    table = Table("standardised", *columns, ("differ", "8.1e"), ("seconds", "7.2f"))
    for name in ("iris", "wine", "breast-cancer"):
        Z, y = standardised(name)
        (one, first), (two, second) = (watched(Z, y, seed) for seed in range(2))
        seconds = max(*first.values(), *second.values())
        table.row(name, *Z.shape, one.lower, two.lower, abs(1 - one.lower / two.lower), seconds)


def main() -> None:
    """Print the tables asked for, or all."""
    parts = {"exact": exact, "enumerated": enumerated, "local": local, "real": real}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"some of {', '.join(parts)}")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    options = parser.parse_args()
    if unknown := set(options.parts) - set(parts):
        parser.error(f"part: found {', '.join(unknown)}, wanted some of {', '.join(parts)}")
    with threadpool_limits(1):
        for name in options.parts or parts:
            parts[name](options.seeds)


if __name__ == "__main__":
    main()
