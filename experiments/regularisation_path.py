"""The regularisation path ends at the max margin: F2 and F1, logistic and hinge loss.

    python experiments/regularisation_path.py [--data clusters:n=120,d=3,k=3,seed=1] [--out FIGURE.png]

Each regularised solution is a proposal for the max-margin game: its normalised margin is a lower end, its dual weights
give an upper end.  The figure shows how far either end is from the certified max margin.  With the hinge both ends meet
at a positive lambda; with the logistic loss the lower end closes like log n / log(1/lambda).
"""

# %%
from __future__ import annotations

import argparse

import numpy as np

from maxmargin.margins import max_margin
from maxmargin.margins.path import margin_path
from maxmargin.plots import style

NORMS = {"f2": (r"$F_2$: $\gamma_2$", style.F2), "f1": (r"$F_1$: $\gamma_1$", style.F1)}
LAMBDAS = 10.0 ** -np.concatenate([np.arange(0, 12, 0.5), np.arange(12, 100, 8), [100, 150, 200]])


# %%
def paths(data: str) -> dict[tuple[str, str], np.ndarray]:
    """(norm, loss) -> array with columns lambda, lower / gamma, upper / gamma."""
    rows = {}
    for norm in NORMS:
        best = max_margin(data, norm=norm)
        for loss in ("logistic", "hinge"):
            points = margin_path(data, norm, LAMBDAS, loss)
            rows[norm, loss] = np.array(
                [(q.lam, q.bracket.lower / best.lower, q.bracket.upper / best.upper) for q in points]
            )
            last = rows[norm, loss][-1]
            ends = f"{last[1]:.6f} .. {last[2]:.6f}"
            print(f"{norm} {loss:9s} gamma = {best.lower:.9g}; at lambda = {last[0]:.0e}: {ends} of it")
    return rows


# %%
def figure(rows: dict[tuple[str, str], np.ndarray], path: str) -> None:
    """Brackets in units of the max margin against log10(1/lambda), one panel per loss."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    fig, axes = plt.subplots(1, 2, figsize=(9.2, 3.9), sharey=True, layout="constrained")
    for axis, loss in zip(axes, ("hinge", "logistic"), strict=True):
        for norm, (label, colour) in NORMS.items():
            lam, lower, upper = rows[norm, loss].T
            axis.fill_between(-np.log10(lam), lower, np.minimum(upper, 3), color=colour, alpha=0.18, lw=0)
            axis.plot(-np.log10(lam), lower, color=colour, lw=2, label=label)
            axis.plot(-np.log10(lam), upper, color=colour, lw=1)
        axis.axhline(1.0, color=style.MUTED, lw=1, ls="--")
        axis.set(title=f"{loss} loss", xlabel=r"$\log_{10}(1/\lambda)$", ylim=(0, 2.2))
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_xlim(0, 12)
    axes[1].set_xscale("symlog", linthresh=12)
    axes[1].set_xlim(0, 200)
    axes[1].set_xticks([0, 4, 8, 12, 50, 100, 200], ["0", "4", "8", "12", "50", "100", "200"])
    axes[1].minorticks_off()
    axes[0].set_ylabel("normalised margin / max margin")
    axes[1].legend(frameon=False, loc="upper right")
    fig.savefig(path, dpi=160)


# %%
if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="clusters:n=120,d=3,k=3,seed=1")
    parser.add_argument("--out", default="regularisation_path.png", help="where the figure goes")
    options = parser.parse_args()
    figure(paths(options.data), options.out)
