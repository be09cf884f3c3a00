# %% [markdown]
# # 1. Two points and a neuron, by hand
#
# Two points of opposite label, `z1 = (1, 0)` with `y1 = +1`, and `z2` of length `r` at an angle `theta <= 90
# degrees` with `y2 = -1`. A neuron is a unit vector `a` and computes `(a.z)_+`. A network of F1 norm one is
# `f(z) = (1/2) sum_k w_k (a_k.z)_+` with `sum_k |w_k| = 1`. The factor 1/2 is the paper's unit: there a neuron
# with its output weight is one point `(a, b)` of a unit sphere, and `|a||b| <= 1/2`. How large can
# `min_i y_i f(z_i)` be?
#
# Neuron 1 must be active at `z1`. Its output at `z2` has the wrong sign, so choose it perpendicular to `z2`, on the
# side of `z1`. Its output at `z1` is then `sin(theta)`. Neuron 2 is chosen in the same way; its output at `z2` is
# `r sin(theta)`. Share the total variation so that both margins agree:
#
#     w1 sin(theta) = w2 r sin(theta),   w1 + w2 = 1     =>     gamma = sin(theta) r/(2 (1 + r))

# %%
import sys

import numpy as np
from matplotlib import pyplot as plt

import maxmargin as mm
from maxmargin.plots import style


def claim(sentence: str, holds: bool) -> None:
    """Print what was checked, or stop."""
    if not holds:
        raise SystemExit(f"refuted: {sentence}")
    print(f"  checked: {sentence}")


theta, r = 1.0, 2.5
z = np.array([[1.0, 0.0], [r * np.cos(theta), r * np.sin(theta)]])
y = np.array([1.0, -1.0])

gamma = np.sin(theta) * r / (1 + r) / 2
a = np.array([[np.sin(theta), -np.cos(theta)], [0.0, 1.0]])
w = np.array([r, -1.0]) / (1 + r)
margins = y * (np.maximum(z @ a.T, 0) @ w) / 2
print(f"two neurons by hand: margins {margins}, total variation {np.abs(w).sum():.3f}")
claim("both margins equal sin(theta) r/(2(1+r))", bool(np.allclose(margins, gamma)))

# %% [markdown]
# This is a lower bound: one network has this margin. Why does no other network have more? Let an adversary put
# weights `p1, p2` (sum one) on the points. For any `f` of F1 norm one,
#
#     min_i y_i f(z_i)  <=  sum_i p_i y_i f(z_i)  <=  max_a |g(a)|,      g(a) = (1/2) sum_i p_i y_i (a.z_i)_+
#
# and the right-hand side is about single neurons. Choose `p` inversely proportional to the lengths. With `phi` the
# angle of `a`, `g = (cos(phi)_+ - cos(phi - theta)_+) r/(2(1+r))`: between two kinks it rises, then it falls. Its
# largest value is `sin(theta) r/(2(1+r))`, at the two neurons above. Both bounds agree: the margin is proved.

# %%
p = np.array([r, 1.0]) / (1 + r)
phi = np.linspace(-np.pi, np.pi, 20_001)
circle = np.column_stack([np.cos(phi), np.sin(phi)])
potential = np.maximum(circle @ z.T, 0) @ (p * y) / 2
print(f"best neuron against p = {p}: {np.abs(potential).max():.9f}; margin by hand {gamma:.9f}")
claim("no neuron is paid more than gamma", bool(np.abs(potential).max() <= gamma + 1e-12))
claim(
    "the two neurons by hand are paid exactly gamma",
    bool(np.allclose(np.maximum(a @ z.T, 0) @ (p * y) / 2, [gamma, -gamma])),
)

# %% [markdown]
# The maximum of `g` is at a *kink*, where a point enters the neuron's half-plane. This is typical. Plain gradient
# ascent over neurons has trouble there, because the gradient does not vanish. The package examines every cell
# between kinks instead, and returns the same two neurons.

# %%
certificate = mm.max_margin((z, y), norm="f1", bias=False)
print(f"certified: {certificate.lower:.12f} <= gamma <= {certificate.upper:.12f} ({certificate.scope})")
claim("the package proves the same number", certificate.lower <= gamma * (1 + 1e-9) <= certificate.upper * (1 + 2e-9))

# %%
figure, axis = plt.subplots(figsize=(7, 3.6), layout="constrained")
axis.plot(np.degrees(phi), potential, color=style.F1, lw=2, label="payoff g(a) of the neuron at angle phi")
axis.axhline(gamma, color=style.MUTED, ls="--", lw=1)
axis.axhline(-gamma, color=style.MUTED, ls="--", lw=1, label="plus and minus gamma, the proved level")
axis.plot(
    np.degrees(np.arctan2(a[:, 1], a[:, 0])), [gamma, -gamma], "*", ms=15, color=style.POSITIVE, label="the two neurons"
)
axis.set(
    xlabel="angle phi of the neuron (degrees)",
    ylabel="payoff",
    title="No neuron is paid more than gamma; two neurons are paid gamma",
    xlim=(-180, 180),
    ylim=(-0.5, 0.375),
    xticks=range(-180, 181, 60),
)
axis.spines[["top", "right"]].set_visible(False)
axis.legend(frameon=False, loc="lower left", fontsize=8)
if "--out" in sys.argv:
    figure.savefig(sys.argv[sys.argv.index("--out") + 1], dpi=160)
