"""The lower end in D = 15 with many points: how much of its final value the search has, after how many seconds.

    python experiments/benchmarks/lower_bounds.py [--points 1000 4000] [--seeds 1 2 3 4 5] [--seconds 480]

Column generation alone, as `max_margin` runs it (clusters, k = 3); one line a sample: the margin over all points after
15, 30, 60, ... seconds of process time, then what the value after 60 seconds lacks of the last one, in per cent. The
search ends after `--seconds` of process time, or once no neuron found pays more.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

import maxmargin as mm
from maxmargin.features import RELU
from maxmargin.margins.f1 import Search
from maxmargin.margins.prove import one_thread
from maxmargin.margins.request import Request

MARKS = (15, 30, 60, 120, 240, 480, 960, 1800)


def curve(n: int, seed: int, seconds: float) -> list[tuple[float, float]]:
    """(process seconds, lower end in the sphere convention) at each mark, and at the end."""
    data = mm.load(f"clusters:n={n},d=15,k=3,seed={seed}")
    request = Request(data=data, norm="f1", feature=RELU, time_limit=100.0 * seconds)
    start, reached = time.process_time(), []

    def note(round_) -> None:
        now = time.process_time() - start
        if len(reached) < len(MARKS) and now >= MARKS[len(reached)]:
            reached.append((now, unit * round_.lower))
        if now > seconds:
            raise KeyboardInterrupt  # the search returns what it has

    class Watched(Search):
        def _rounds(self):
            return note

    search = Watched(request, request.budget())
    unit = 0.5 * float(np.abs(request.Z).max() / np.abs(search.unit).max())
    with one_thread():
        pair = search.columns(None)
    margins = request.data.y * pair.learner.outputs(request.Z, request.feature)
    last = 0.5 * float(margins.min()) / pair.learner.total_variation(request.feature.degree)
    return [*reached, (time.process_time() - start, last)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, nargs="+", default=[1_000, 4_000])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--seconds", type=float, default=480.0, help="process seconds of a search")
    options = parser.parse_args()
    for n in options.points:
        lacking = []
        for seed in options.seeds:
            points = curve(n, seed, options.seconds)
            at = [value for mark, (_, value) in zip(MARKS, points, strict=False) if mark <= 60]
            lacking.append(100.0 * (1.0 - at[-1] / points[-1][1]))
            text = "  ".join(f"{seconds:.0f} s {value:.6f}" for seconds, value in points)
            print(f"n = {n}, seed {seed}: {text}  lacking after 60 s: {lacking[-1]:.2f} %", flush=True)
        print(f"n = {n}: lacking after 60 s, {min(lacking):.2f} to {max(lacking):.2f} % over {len(lacking)} samples")


if __name__ == "__main__":
    main()
