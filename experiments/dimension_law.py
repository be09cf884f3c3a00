"""Does a margin see spurious dimensions?  Parity and Wei's set, exactly (docs/theory.rst, C7, C8).

    python experiments/dimension_law.py [--out FIGURE.png] [--largest 10]

2-sparse parity on the cube {-1, 1}^d and Wei's set have gamma_1 = sqrt(2)/8 and 1/8 for EVERY d, while
gamma_2 falls like 1/d.  gamma_1 is drawn at its closed form (``maxmargin margin parity:d=3 --norm f1 --no-bias``
certifies it where enumeration reaches); gamma_2 is certified on all 2^d points, beside its closed form.
"""

# %%
from __future__ import annotations

import argparse
import math

import numpy as np

from maxmargin.dataset import load
from maxmargin.features.kernels import kappa
from maxmargin.games.rkhs import network_game
from maxmargin.plots import style
from maxmargin.solvers.min_norm_point import min_norm_point

FAMILIES = {"parity": math.sqrt(2.0) / 8.0, "wei": 0.125}


# %%
def closed_form(family: str, d: int) -> float:
    """gamma_2, sphere convention, by the binomial law of the spurious signs' sum S."""
    free = d - 2
    S = free - 2.0 * np.arange(free + 1)
    law = np.array([math.comb(free, j) for j in range(free + 1)]) / 2.0**free
    if family == "parity":
        profile = kappa((2 + S) / d) + kappa((S - 2) / d) - 2 * kappa(S / d)
        return math.sqrt(law @ profile / 8)
    size = d - 1  # |x|^2
    profile = kappa((1 + S) / size) + kappa((S - 1) / size) - 2 * kappa(S / size)
    return math.sqrt(size / (8 * d) * (law @ profile))


def measured(family: str, d: int):
    """Certified bracket of gamma_2 on the whole set, no bias."""
    data = load(f"{family}:d={d}")
    game = network_game("f2", "relu", data.inputs(bias=False), data.y)
    proposal = min_norm_point(game.K, data.y)
    return game.certify(proposal.learner, proposal.p)


def table(largest: int) -> dict[str, list[tuple[int, float, float, float]]]:
    """Rows (d, closed form, lower, upper) of each family, printed."""
    rows: dict[str, list[tuple[int, float, float, float]]] = {}
    for family, gamma_1 in FAMILIES.items():
        print(f"{family}: gamma_1 = {gamma_1:.6f} for every d")
        print("   d      gamma_2, closed form   certified relative gap   |upper/closed - 1|   gamma_1/(d gamma_2)")
        rows[family] = []
        for d in range(2 if family == "parity" else 3, largest + 1):
            exact, bracket = closed_form(family, d), measured(family, d)
            rows[family].append((d, exact, bracket.lower, bracket.upper))
            off, ratio = abs(bracket.upper / exact - 1), gamma_1 / (d * exact)
            gap = bracket.relative_gap
            print(f"  {d:2d}      {exact:.15f}      {gap:8.1e}                 {off:8.1e}           {ratio:.4f}")
    return rows


# %%
def figure(rows: dict[str, list[tuple[int, float, float, float]]], path: str) -> None:
    """Both families: gamma_1 level, gamma_2 closed form (line) and certified (dots), slope -1 for the eye."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    fig, axes = plt.subplots(1, 2, figsize=(9.2, 3.9), sharey=True, layout="constrained")
    titles = {"parity": "2-sparse parity on the cube", "wei": "Wei's set"}
    for axis, (family, gamma_1) in zip(axes, FAMILIES.items(), strict=True):
        d = np.array([row[0] for row in rows[family]], dtype=float)
        far = np.arange(d[0], 101)
        law = np.array([closed_form(family, int(value)) for value in far])
        axis.axhline(gamma_1, color=style.F1, lw=2, label=r"$\gamma_1$, every $d$")
        axis.plot(far, law, color=style.F2, lw=2, label=r"$\gamma_2$, closed form")
        certified = [row[3] for row in rows[family]]
        axis.plot(d, certified, "o", color=style.F2, mfc="white", label=r"$\gamma_2$, certified")
        axis.plot(far, law[-1] * far[-1] / far, "--", color=style.MUTED, lw=1, label="slope $-1$")
        axis.set(xscale="log", yscale="log", xlabel="dimension $d$", title=titles[family])
        axis.xaxis.set_major_formatter("{x:.0f}")
        axis.set_xticks([2, 3, 5, 10, 20, 50, 100])
        axis.minorticks_off()
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("max margin")
    axes[0].legend(frameon=False, loc="lower left")
    fig.savefig(path, dpi=160)


# %%
if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default="dimension_law.png", help="where the figure goes")
    parser.add_argument("--largest", type=int, default=10, help="largest dimension solved numerically (2^d points)")
    options = parser.parse_args()
    figure(table(options.largest), options.out)
