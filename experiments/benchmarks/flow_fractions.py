"""The share of the proved margin that the both-layer run of `compare` reaches.

    python experiments/benchmarks/flow_fractions.py [--steps 1000] [--only held-back plane high iris] [--out FILE.csv]

Each row: the certified margin, the best margin of the run over its lower end, the upper end that the run's own averaged
soft-min weights prove over that lower end (exact for D <= 3, spectral above), and process seconds.  The start, the step
rule and the width are those of `compare`.  Rows already in FILE are kept.
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path

import maxmargin as mm
from maxmargin.comparison import _lazy_start


def plane(first: int) -> list[str]:
    """Twenty sets in the plane, of seeds `first`, `first` + 1, ..."""
    return [
        f"clusters:n={n},d=3,k={k},seed={first + 5 * row + column}"
        for row, k in enumerate((2, 3, 4, 5))
        for column, n in enumerate((40, 80, 160, 300, 512))
    ]


SETS = {
    "held-back": plane(200),
    "plane": plane(100),
    "high": [f"clusters:n=256,d=15,k=3,seed={seed}" for seed in range(6)],
    "iris": ["iris:versicolor-virginica"],
}
FIELDS = (
    "set",
    "steps",
    "gamma_1",
    "fraction",
    "own_upper",
    "scope",
    "cpu_seconds",
    "cpu_seconds_margin",
    "step_of_best",
)


def measured(name: str, steps: int) -> dict[str, object]:
    """One row."""
    data, began = mm.load(name), time.process_time()
    gamma = mm.max_margin(data, branching_rounds=0, self_check=False).lower
    solved = time.process_time()
    run = mm.train(data, steps=steps, schedule="flow", init=_lazy_start(data, True), certify_every=steps, seed=0)
    return {
        "set": name, "steps": run.steps, "gamma_1": f"{gamma:.9g}", "fraction": f"{run.margin_best / gamma:.6f}",
        "own_upper": f"{run.upper / gamma:.6f}", "scope": run.scope, "step_of_best": run.step_of_best,
        "cpu_seconds": f"{time.process_time() - solved:.1f}", "cpu_seconds_margin": f"{solved - began:.1f}",
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--only", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--out", type=Path, default=Path("flow_fractions.csv"))
    options = parser.parse_args()
    done = set()
    if options.out.exists():
        with options.out.open(newline="") as file:
            done = {row["set"] for row in csv.DictReader(file)}
    with options.out.open("a", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        if not done:
            writer.writeheader()
        for name in (name for part in options.only for name in SETS[part] if name not in done):
            row = measured(name, options.steps)
            writer.writerow(row)
            file.flush()
            print(*row.values(), flush=True)


if __name__ == "__main__":
    main()
