# %% [markdown]
# # 4. Lazy and rich
#
# The same network, the same data (XOR, no bias), the same flow; only the size `s` of the initial weights differs.
# Neurons come in pairs `(a, b), (a, -b)`, so that the network starts as the zero function, and `|a| = |b| = s`.
#
# How far must the weights move before the data are fitted? The output changes by `<grad h(w0), w - w0>`, and the
# gradient is of size `s`. So a displacement of order `1/s` is enough, which is `1/s^2` of the weights' own length:
#
# * `s` **large**: the data are fitted before any neuron has turned. The network equals its linearisation: a kernel
#   method with the *tangent kernel*. This is the **lazy** regime, and its margin tends to `gamma_ntk`.
# * `s` **small**: fitting needs the neurons to turn. They turn towards the points: the **rich** regime.
#
# A wide ReLU network stays lazy only for a while: the loss has its infimum at infinity, and the weights grow without
# bound, so that the start no longer matters. In the limit both runs have the F1 max margin (Fig. 3 of Chizat and
# Bach).

# %%
import sys

import numpy as np
from matplotlib import pyplot as plt

import maxmargin as mm
from maxmargin.flow.network import Network
from maxmargin.plots import style


def claim(sentence: str, holds: bool) -> None:
    """Print what was checked, or stop."""
    if not holds:
        raise SystemExit(f"refuted: {sentence}")
    print(f"  checked: {sentence}")


data = mm.load("xor")
X, y = data.X, data.y
gamma_1 = mm.max_margin(data, norm="f1", bias=False)
gamma_ntk = mm.max_margin(data, norm="ntk", bias=False)
print(f"proved limits: gamma_1 = {gamma_1.lower:.6f} (rich), gamma_ntk = {gamma_ntk.lower:.6f} (lazy)")

pairs = 400
angle = 2 * np.pi * (np.arange(pairs) + 0.5) / pairs
start = np.vstack([np.column_stack([np.cos(angle), np.sin(angle)])] * 2)
signs = np.repeat([1.0, -1.0], pairs)


# %% [markdown]
# Two normalisations of one and the same output `h`. In the lazy regime the norm that matters is the displacement,
# `|w - w0|/sqrt(m)`, times the size `s` of the gradient; in the rich one it is the mass `(1/m) sum_j |w_j|^2`.


# %%
def follow(s: float) -> np.ndarray:
    """Rows (min_i y_i h(x_i), relative displacement, lazy margin, rich margin, mean turn in degrees) along the flow."""
    init = Network(s * start, s * signs, bias=False)
    run = mm.train(data, layers="both", bias=False, init=init, steps=2500, schedule="flow")
    rows = []
    for _, hidden, output in run.snapshots[1:]:
        h = np.maximum(X @ hidden.T, 0) @ output / len(output)
        moved = np.sqrt((((hidden - s * start) ** 2).sum() + ((output - s * signs) ** 2).sum()) / len(output))
        mass = ((hidden**2).sum() + (output**2).sum()) / len(output)
        cosine = (hidden * start).sum(axis=1) / np.linalg.norm(hidden, axis=1)
        turn = np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean()
        least = (y * h).min()
        rows.append((least, moved / s, least / (s * moved), least / mass, turn))
    return np.array(rows)


paths = {s: follow(s) for s in (1.0, 10.0, 100.0)}
turns = {}
for s, rows in paths.items():
    fitted = int(np.argmax(rows[:, 0] > 3))  # all margins above 3: the loss is below exp(-3)
    turns[s] = rows[fitted, 4]
    print(
        f"s = {s:5g}: when fitted, neurons had turned by {turns[s]:7.3f} degrees, lazy margin/gamma_ntk"
        f" = {rows[fitted, 2] / gamma_ntk.lower:.4f}; last margin/gamma_1 = {rows[:, 3].max() / gamma_1.upper:.4f}"
    )
claim("large s: fitted before any neuron has turned by one degree", turns[100.0] < 1)
claim("small s: fitting takes turns of tens of degrees", turns[1.0] > 20)
lazy = paths[100.0]
early = lazy[(lazy[:, 0] > 3) & (lazy[:, 1] < 0.05)]
claim(
    "while it is lazy, its margin is gamma_ntk to 2 %", bool((np.abs(early[:, 2] / gamma_ntk.lower - 1) < 0.02).all())
)
claim(
    "in the end every run has at least 99 % of gamma_1",
    all(rows[:, 3].max() > 0.99 * gamma_1.upper for rows in paths.values()),
)
claim("no run has more", all(rows[:, 3].max() <= gamma_1.upper for rows in paths.values()))

# %% [markdown]
# The three curves below are one curve: by the symmetry of XOR the adversary stays uniform, so that in units of
# `s` all networks follow the same path. The difference is *where on the path the data are fitted* (dots): on the
# tangent-kernel plateau for large `s`, past it for small `s`. All networks then continue to F1. The lazy regime is
# an early part of the same path.

# %%
figure, axes = plt.subplots(1, 2, figsize=(8.8, 3.7), layout="constrained")
for (s, rows), colour in zip(paths.items(), (style.F1, style.F2, style.NTK), strict=True):
    early = rows[rows[:, 1] < 3]
    axes[0].loglog(rows[:, 1], np.maximum(rows[:, 4], 1e-3), color=colour, lw=2, label=f"s = {s:g}")
    fitted = rows[int(np.argmax(rows[:, 0] > 3))]
    axes[0].plot(fitted[1], fitted[4], "o", color=colour)
    axes[1].semilogx(early[:, 1], early[:, 2] / gamma_ntk.lower, color=colour, ls="--", lw=1.5)
    axes[1].plot(fitted[1], fitted[3] / gamma_1.upper, "o", color=colour)
    axes[1].semilogx(rows[:, 1], rows[:, 3] / gamma_1.upper, color=colour, lw=2, label=f"s = {s:g}")
axes[0].set(
    xlabel="displacement |w - w0|/|w0|",
    ylabel="mean turn (degrees)",
    title="How far the neurons turn (dots: data fitted)",
)
axes[1].set(
    xlabel="displacement |w - w0|/|w0|",
    ylabel="margin / its limit",
    ylim=(0, 1.6),
    title="Two limits on one path",
)
axes[1].plot([], [], color=style.MUTED, ls="--", label="tangent-kernel margin / gamma_ntk")
axes[1].plot([], [], color=style.MUTED, label="F1 margin / gamma_1")
for axis in axes:
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, fontsize=8)
if "--out" in sys.argv:
    figure.savefig(sys.argv[sys.argv.index("--out") + 1], dpi=160)
