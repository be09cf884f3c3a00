# %% [markdown]
# # 5. Why the margin does not see spurious dimensions
#
# All corners of the cube `{-1, 1}^d`, labels `y = x1 x2`, no bias: XOR plus `d - 2` coordinates without information.
# The F1 margin is `sqrt(2)/8` for *every* d. The F2 margin falls like `1/d`. Both facts have short proofs.
#
# **F1, lower bound.** The four neurons of XOR, padded with zeros, are still unit vectors, and their outputs do not
# depend on the noise. F1 may *choose* such neurons.
#
# **F1, upper bound.** Take the uniform adversary. For a neuron `a`, write `S = a3 x3 + ... + ad xd`, which is
# symmetric, and use `(u)_+ = (u + |u|)/2`; the linear parts cancel:
#
#     g(a) = E[y (a.x)_+]/2 = (E|u + S| - E|v + S|)/8,      u = a1 + a2,  v = a1 - a2
#
# `E|v + S| >= E|S|` (Jensen) and `E|u + S| <= |u| + E|S|`, so `g(a) <= |u|/8 <= sqrt(2)/8`; for `-g` exchange `u`
# and `v`. Weight on the noise never raises the payoff of a neuron.

# %%
import sys
from itertools import product

import numpy as np
from matplotlib import pyplot as plt

import maxmargin as mm
from maxmargin.plots import style


def claim(sentence: str, holds: bool) -> None:
    """Print what was checked, or stop."""
    if not holds:
        raise SystemExit(f"refuted: {sentence}")
    print(f"  checked: {sentence}")


def cube(d: int) -> tuple[np.ndarray, np.ndarray]:
    """All corners and their labels."""
    X = np.array(list(product([-1.0, 1.0], repeat=d)))
    return X, X[:, 0] * X[:, 1]


dimensions = [2, 3, 4, 5, 6, 8, 10]
level, rng = np.sqrt(2) / 8, np.random.default_rng(0)
chosen, paid = [], []
for d in dimensions:
    X, y = cube(d)
    neurons = np.zeros((4, d))
    neurons[:, :2] = np.array([[1, 1], [-1, -1], [1, -1], [-1, 1]]) / np.sqrt(2)
    chosen.append((y * (np.maximum(X @ neurons.T, 0) @ np.array([1, 1, -1, -1]) / 8)).min())
    a = rng.standard_normal((2000, d))
    a /= np.linalg.norm(a, axis=1, keepdims=True)
    paid.append(np.abs(np.maximum(a @ X.T, 0) @ y / len(y)).max() / 2)
    print(
        f"d = {d:2d}: four chosen neurons reach {chosen[-1]:.6f}; the best of 2000 random ones is paid {paid[-1]:.6f}"
    )
claim("the four neurons reach sqrt(2)/8 in every dimension", bool(np.allclose(chosen, level)))
claim("no random neuron is paid more", max(paid) <= level + 1e-12)
for d in (2, 3, 4):
    proved = mm.max_margin(cube(d), norm="f1", bias=False)
    claim(
        f"d = {d}: proved over all neurons, {proved.lower:.9f} <= gamma_1 <= {proved.upper:.9f}",
        bool(np.isclose(proved.lower, level) and np.isclose(proved.upper, level)),
    )

# %% [markdown]
# Note the last number of the first lines: the payoff of the best of many random neurons falls with d. An F2 network
# has only such neurons, spread uniformly. A random direction has a share `2/d` of its squared length in the two
# coordinates that matter, and the F2 margin falls accordingly:
#
#     gamma_2^2 = (1/8) E_S[kappa((2 + S)/d) + kappa((S - 2)/d) - 2 kappa(S/d)] ,      S = sum of d - 2 signs
#
# is a second difference of `kappa`, with `kappa'' ~ 1/pi` at zero: `gamma_2 ~ 1/(d sqrt(2 pi))`.

# %%
margins = [mm.max_margin(cube(d), norm="f2", bias=False) for d in dimensions]
gamma_2 = np.array([certificate.lower for certificate in margins])
asymptotic = 1 / (np.array(dimensions) * np.sqrt(2 * np.pi))
for d, value, limit in zip(dimensions, gamma_2, asymptotic, strict=True):
    scaled, factor = value / limit, 2 * level / value
    print(f"d = {d:2d}: gamma_2 = {value:.6f}, d sqrt(2 pi) gamma_2 = {scaled:.4f}, 2 gamma_1/gamma_2 = {factor:.2f}")
table = {2: 0.213126, 3: 0.143107, 4: 0.106563, 6: 0.069758, 8: 0.051660}
claim("gamma_2 is the closed form", all(abs(gamma_2[dimensions.index(d)] - value) < 1e-6 for d, value in table.items()))
claim("gamma_2 falls like 1/d", bool(abs(gamma_2[-1] / asymptotic[-1] - 1) < 0.03 and (np.diff(gamma_2) < 0).all()))

# %% [markdown]
# Generalisation bounds go like `1/(gamma sqrt(n))`. F1, the limit of training both layers, therefore needs a
# number of examples that does not depend on d (up to the radius of the data); F2, the limit of training the
# output layer alone, needs `d^2` times as many by the same bound. Training the hidden layer finds the two coordinates.

# %%
figure, axis = plt.subplots(figsize=(5.6, 3.8), layout="constrained")
axis.loglog(dimensions, chosen, "o-", color=style.F1, label="F1: sqrt(2)/8")
axis.loglog(dimensions, gamma_2, "s-", color=style.F2, label="F2")
axis.loglog(dimensions, asymptotic, "--", color=style.MUTED, lw=1, label="1/(d sqrt(2 pi))")
axis.loglog(dimensions, paid, ":", color=style.MUTED, label="payoff of the best of 2000 random neurons")
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
