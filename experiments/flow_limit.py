"""Does the flow reach its limit?  Share of gamma_1 against start, width, accuracy and activation, and what is missing.

    python experiments/flow_limit.py [--part finding held-back] [--csv FILE] [--figure FILE.png] [--draw]

Twenty sets in the plane (the paper's clusters, D = 3 with the bias), where gamma_1 and best responses are exact; ten
for finding out, ten held back.  The start is N(0, s^2) with s^2 |z| = level^2, |z| the root mean square, or the
paper's N(0, 1).  Rows in the CSV are kept, so that a stopped study can continue.  `--draw` only draws.

At the end of each run the exact oracle answers the run's averaged soft-min weights.  "excess" is the payoff of its best
neuron over the margin, less one.  "angle" is the distance of that neuron to the nearest living one of its sign,
"left_at" the mass, over the mass at the start, at the last recorded step at which one was within 0.3 (empty: one is
there at the end; 0: none ever was).
"""

from __future__ import annotations

import argparse
import csv
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import maxmargin as mm
from maxmargin.features import get_feature
from maxmargin.flow import Flow
from maxmargin.oracles.selection import exact_oracle
from maxmargin.plots import save_figure
from maxmargin.plots.style import F1, F2, light_grid, new_figure
from maxmargin.theory.claims_rates import with_neuron

SHAPES = {
    "finding": [(2, 40), (2, 120), (3, 40), (3, 80), (3, 200), (4, 60), (4, 120), (4, 200), (5, 80), (5, 150)],
    "held-back": [(2, 60), (2, 512), (3, 60), (3, 150), (3, 256), (4, 40), (4, 160), (5, 60), (5, 100), (5, 200)],
}
SEEDS = {"finding": 1, "held-back": 501}
LIVING = 1e-7  # share of the mass below which a neuron counts as dead
NEAR = 0.3  # angle, in radians, of a neighbourhood
HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Variant:
    """One way to run: level of the start (None: N(0, 1)), width, accuracy of a step, activation, steps."""

    name: str
    level: float | None = 64.0
    width: int = 300
    accuracy: float = 0.02
    feature: str = "relu"
    steps: int = 300


VARIANTS = [
    Variant("large"),
    Variant("middle", level=16.0),
    Variant("small", level=4.0),
    Variant("N(0, 1)", level=None),
    Variant("large wider", width=1000),
    Variant("large finer", accuracy=0.005, steps=900),
    Variant("large s-ReLU", feature="squared-relu"),
    Variant("N(0, 1) wider", level=None, width=1000),
]
ADDITIONS = {1: "N(0, 1) one added", 5: "N(0, 1) five added"}
FIELDS = (
    "part", "set", "variant", "gamma_1", "fraction", "excess", "angle", "left_at", "log_mass", "steps", "cpu_seconds",
)  # fmt: skip


def sets(part: str) -> list[str]:
    return [f"clusters:n={n},d=3,k={k},seed={SEEDS[part] + i}" for i, (k, n) in enumerate(SHAPES[part])]


# %%
def missing(data: mm.Dataset, run: mm.Run, gamma: float) -> tuple[dict[str, object], np.ndarray, float]:
    """Largest payoff at the end, its direction and sign, and when the last neuron left it."""
    feature = get_feature(run.feature)
    answer = exact_oracle(data.inputs(True), feature)(run.adversary * data.y, count=1)
    direction, sign = answer.directions[0], float(answer.signs[0])
    payoff = float(answer.values[0]) * (0.5 if feature.degree == 1 else 1.0)
    angles = [_nearest(A, b, direction, sign) for _, A, b in run.snapshots]
    masses = {row["step"]: row["mass"] for row in run.trace}
    left: object = ""
    if angles[-1] > NEAR:
        there = [masses[step] for (step, _, _), angle in zip(run.snapshots, angles, strict=True) if angle <= NEAR]
        left = f"{max(there, default=0.0) / run.trace[0]['mass']:.3g}"
    excess = payoff / run.margin_best - 1.0 if run.margin_best > 0 else np.inf
    found = {"excess": f"{excess:.3e}", "angle": f"{angles[-1]:.4f}", "left_at": left}
    return found | {"fraction": f"{run.margin_best / gamma:.6f}"}, direction, sign


def _nearest(A: np.ndarray, b: np.ndarray, direction: np.ndarray, sign: float) -> float:
    """Angle from the direction to the nearest neuron of that sign that has a share of the mass."""
    length = np.linalg.norm(A, axis=1)
    mass = length**2 + b**2
    living = (mass > LIVING * mass.sum()) & (np.sign(b) == sign) & (length > 0)
    if not living.any():
        return np.pi
    return float(np.arccos(np.clip(A[living] @ direction / length[living], -1.0, 1.0)).min())


# %%
def trained(data: mm.Dataset, variant: Variant) -> mm.Run:
    Z, init = data.inputs(True), "gaussian"
    if variant.level is not None:
        square = float(np.einsum("id,id->", Z, Z)) / len(Z)
        init = f"gaussian:{variant.level * square**-0.25:.3g}"
    rule = Flow(accuracy=variant.accuracy)
    options = {"feature": variant.feature, "width": variant.width, "steps": variant.steps}
    return mm.train(data, init=init, schedule=rule, seed=0, **options)


def study(part: str, name: str, done: set[tuple[str, str]], only: list[str]):
    """Rows of one set that are not there yet."""
    data, margins = mm.load(name), {}
    for variant in (item for item in VARIANTS if item.name in only):
        wanted = {variant.name} | (set(ADDITIONS.values()) if variant.name == "N(0, 1)" else set())
        if all((name, title) in done for title in wanted):
            continue
        if variant.feature not in margins:
            margins[variant.feature] = mm.max_margin(data, feature=variant.feature, self_check=False).lower
        gamma, began = margins[variant.feature], time.process_time()
        run = trained(data, variant)
        found, direction, sign = missing(data, run, gamma)
        yield _row((part, name, variant.name), gamma, run, began) | found
        if variant.name == "N(0, 1)":
            yield from _added(part, (name, data, gamma), run, (direction, sign))


def _added(part: str, problem: tuple[str, mm.Dataset, float], run: mm.Run, best: tuple[np.ndarray, float]):
    """The same run with the best paid neuron added, and again."""
    name, data, gamma = problem
    began = time.process_time()
    for count in range(1, max(ADDITIONS) + 1):
        run = mm.train(data, init=with_neuron(run.network, *best), schedule="flow", steps=150, seed=0)
        found, *best = missing(data, run, gamma)
        if count in ADDITIONS:
            yield _row((part, name, ADDITIONS[count]), gamma, run, began) | found


def _row(where: tuple[str, str, str], gamma: float, run: mm.Run, began: float) -> dict[str, object]:
    grown = np.log(run.trace[-1]["mass"] / run.trace[0]["mass"])
    seconds = f"{time.process_time() - began:.1f}"
    row = dict(zip(FIELDS[:3], where, strict=True)) | {"gamma_1": f"{gamma:.8g}", "steps": run.steps}
    return row | {"log_mass": f"{grown:.2f}", "cpu_seconds": seconds}


# %%
def table(rows: list[dict[str, str]]) -> str:
    """For each part and variant: how many sets, least, median and largest share, sets with 99 %, median excess."""
    heads = "  least  median largest   >= .99   excess  angle > 0.3"
    lines = [f"{'part':10s} {'variant':20s} sets {heads}"]
    for part in SHAPES:
        for title in [*(variant.name for variant in VARIANTS), *ADDITIONS.values()]:
            chosen = [row for row in rows if row["part"] == part and row["variant"] == title]
            if not chosen:
                continue
            share = np.array([float(row["fraction"]) for row in chosen])
            excess = np.median([float(row["excess"]) for row in chosen])
            gone = sum(float(row["angle"]) > NEAR for row in chosen)
            numbers = f"{share.min():7.4f} {np.median(share):7.4f} {share.max():7.4f}"
            count = f"{(share >= 0.99).sum():4d}/{len(share)}"
            lines.append(f"{part:10s} {title:20s} {len(share):4d} {numbers}  {count:>7s}  {excess:.1e}  {gone:4d}")
    return "\n".join(lines)


def draw(rows: list[dict[str, str]], path: Path) -> None:
    """Missing share by start, and the gain by added neurons."""
    figure = new_figure(9.0, 3.6)
    panels = [
        ("the start", ["N(0, 1)", "small", "middle", "large"]),
        ("from the large start", ["large", "large wider", "large finer", "large s-ReLU"]),
        ("from N(0, 1)", ["N(0, 1)", "N(0, 1) wider", *ADDITIONS.values()]),
    ]
    for axes, (title, variants) in zip(figure.subplots(1, 3, sharey=True), panels, strict=True):
        for name in {row["set"]: None for row in rows}:
            share = {row["variant"]: float(row["fraction"]) for row in rows if row["set"] == name}
            held = any(row["set"] == name and row["part"] == "held-back" for row in rows)
            points = [(i, max(1.0 - share[v], 1e-6)) for i, v in enumerate(variants) if v in share]
            if points:
                axes.plot(*zip(*points, strict=True), "o-", color=F1 if held else F2, ms=3, lw=0.7, alpha=0.8)
        short = [name.replace("N(0, 1) ", "").replace("large ", "") for name in variants]
        labels = [name if name == "N(0, 1)" else name.replace(" ", "\n") for name in short]
        axes.set_xticks(range(len(variants)), labels, fontsize=8)
        light_grid(axes)
        axes.axhline(0.01, color="0.4", lw=0.8, ls="--")
        axes.set_title(title, fontsize=9)
    first = figure.axes[0]  # the y axes are shared
    first.set_yscale("log")
    first.set_ylabel("1 - margin / gamma_1")
    first.plot([], [], "o-", color=F2, ms=3, lw=0.7, label="ten sets for finding out")
    first.plot([], [], "o-", color=F1, ms=3, lw=0.7, label="ten sets held back")
    first.legend(fontsize=7, loc="lower left")
    save_figure(figure, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", nargs="+", choices=SHAPES, default=list(SHAPES))
    names = [variant.name for variant in VARIANTS]
    parser.add_argument("--variants", nargs="+", choices=names, default=names)
    parser.add_argument("--csv", type=Path, default=HERE / "figures" / "flow_limit.csv")
    parser.add_argument("--figure", type=Path, default=HERE / "figures" / "flow_limit.png")
    parser.add_argument("--draw", action="store_true", help="only draw the rows that exist")
    options = parser.parse_args()
    rows: list[dict[str, str]] = []
    if options.csv.exists():
        with options.csv.open(newline="") as file:
            rows = list(csv.DictReader(file))
    if not options.draw:
        done = {(row["set"], row["variant"]) for row in rows}
        with options.csv.open("a", newline="") as file:
            writer = csv.DictWriter(file, FIELDS)
            if not rows:
                writer.writeheader()
            for part, name in ((p, name) for p in options.part for name in sets(p)):
                for row in study(part, name, done, options.variants):
                    writer.writerow(row)
                    file.flush()
                    rows.append({key: str(value) for key, value in row.items()})
                    print(*row.values(), flush=True)
    print(table(rows))
    draw(rows, options.figure)


if __name__ == "__main__":
    main()
