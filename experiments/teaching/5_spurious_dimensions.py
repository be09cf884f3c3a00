# %% [markdown]
# # 5. Why the margin does not see spurious dimensions
#
# All corners of the cube `{-1, 1}^d`, labels `y = x1 x2`, no bias: XOR plus `d - 2` coordinates that mean
# nothing. The F1 margin is `sqrt(2)/4` (path convention) for *every* d. The F2 margin falls like `1/d`. Both
# facts have short proofs.
#
# **F1, lower bound.** Padding the four neurons of XOR with zeros costs nothing: they are still unit vectors,
# blind to the noise. Neurons that may be *chosen* can choose not to look.
#
# **F1, upper bound.** Take the uniform adversary. For a neuron `a`, write `S = a3 x3 + ... + ad xd`, which is
# symmetric, and use `(u)_+ = (u + |u|)/2`; the linear parts cancel:
#
#     g(a) = E[y (a.x)_+] = (E|u + S| - E|v + S|)/4,      u = a1 + a2,  v = a1 - a2
#
# `E|v + S| >= E|S|` (Jensen) and `E|u + S| <= |u| + E|S|`, so `g(a) <= |u|/4 <= sqrt(2)/4`; for `-g` exchange `u`
# and `v`. The noise can only hurt the neuron, never help it.

# %%
import sys
from itertools import product

import numpy as np
from matplotlib import pyplot as plt

import maxmargin as mm
from maxmargin.plots import style


def claim(sentence: str, holds: bool) -> None:
    """Say what was checked, or stop."""
    if not holds:
        raise SystemExit(f"refuted: {sentence}")
    print(f"  checked: {sentence}")


def cube(d: int) -> tuple[np.ndarray, np.ndarray]:
    """All corners and their labels."""
    X = np.array(list(product([-1.0, 1.0], repeat=d)))
    return X, X[:, 0] * X[:, 1]


dimensions = [2, 3, 4, 5, 6, 8, 10]
level, rng = np.sqrt(2) / 4, np.random.default_rng(0)
chosen, paid = [], []
for d in dimensions:
    X, y = cube(d)
    neurons = np.zeros((4, d))
    neurons[:, :2] = np.array([[1, 1], [-1, -1], [1, -1], [-1, 1]]) / np.sqrt(2)
    chosen.append((y * (np.maximum(X @ neurons.T, 0) @ np.array([1, 1, -1, -1]) / 4)).min())
    a = rng.standard_normal((2000, d))
    a /= np.linalg.norm(a, axis=1, keepdims=True)
    paid.append(np.abs(np.maximum(a @ X.T, 0) @ y / len(y)).max())
    print(
        f"d = {d:2d}: four chosen neurons reach {chosen[-1]:.6f}; the best of 2000 random ones is paid {paid[-1]:.6f}"
    )
claim("the four neurons reach sqrt(2)/4 in every dimension", bool(np.allclose(chosen, level)))
claim("no random neuron is paid more", max(paid) <= level + 1e-12)
for d in (2, 3, 4):
    proved = mm.max_margin(cube(d), norm="f1", bias=False, convention="path")
    claim(
        f"d = {d}: proved over all neurons, {proved.lower:.9f} <= gamma_1 <= {proved.upper:.9f}",
        bool(np.isclose(proved.lower, level) and np.isclose(proved.upper, level)),
    )

# %% [markdown]
# Note the last number of the first lines: even the best of many random neurons sees less and less of the label.
# That is all an F2 network has, a uniform crowd of neurons, of which nobody may be preferred. A direction drawn
# at random spends a share `2/d` of its squared length on the two coordinates that matter, and the F2 margin pays
# for it:
#
#     gamma_2^2 = (1/8) E_S[kappa((2 + S)/d) + kappa((S - 2)/d) - 2 kappa(S/d)] ,      S = sum of d - 2 signs
#
# is a second difference of `kappa`, with `kappa'' ~ 1/pi` at zero: `gamma_2 ~ 1/(d sqrt(2 pi))`.

# %%
margins = [mm.max_margin(cube(d), norm="f2", bias=False) for d in dimensions]
gamma_2 = np.array([certificate.lower for certificate in margins])
asymptotic = 1 / (np.array(dimensions) * np.sqrt(2 * np.pi))
for d, value, limit in zip(dimensions, gamma_2, asymptotic, strict=True):
    print(f"d = {d:2d}: gamma_2 = {value:.6f}, d sqrt(2 pi) gamma_2 = {value / limit:.4f}, ratio {level / value:.2f}")
table = {2: 0.213126, 3: 0.143107, 4: 0.106563, 6: 0.069758, 8: 0.051660}
claim("gamma_2 is the closed form", all(abs(gamma_2[dimensions.index(d)] - value) < 1e-6 for d, value in table.items()))
claim("gamma_2 falls like 1/d", bool(abs(gamma_2[-1] / asymptotic[-1] - 1) < 0.03 and (np.diff(gamma_2) < 0).all()))

# %% [markdown]
# Generalisation bounds go like `1/(gamma sqrt(n))`. F1, the limit of training both layers, therefore needs a
# number of examples that does not depend on d (up to the radius of the data); F2, the limit of training the
# output layer alone, needs `d^2` times as many by the same bound. The flow that moves the hidden neurons finds
# the two coordinates by itself.

# %%
figure, axis = plt.subplots(figsize=(5.6, 3.8), layout="constrained")
axis.loglog(dimensions, chosen, "o-", color=style.F1, label="F1: sqrt(2)/4 (path convention)")
axis.loglog(dimensions, gamma_2, "s-", color=style.F2, label="F2")
axis.loglog(dimensions, asymptotic, "--", color="0.4", lw=1, label="1/(d sqrt(2 pi))")
axis.loglog(dimensions, paid, ":", color="0.6", label="best of 2000 random neurons is paid")
axis.set(
    xlabel="dimension d",
    ylabel="margin",
    xticks=dimensions,
    xticklabels=dimensions,
    title="Two coordinates matter, d - 2 do not",
)
axis.minorticks_off()
axis.spines[["top", "right"]].set_visible(False)
axis.legend(frameon=False)
if "--out" in sys.argv:
    figure.savefig(sys.argv[sys.argv.index("--out") + 1], dpi=160)
