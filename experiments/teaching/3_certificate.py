# %% [markdown]
# # 3. Watching the certificate close
#
# The F1 max margin is a game over infinitely many neurons. *Column generation* plays it with finitely many:
#
# 1. solve the game over the neurons found so far: a linear program. Its network gives a **lower** bound;
# 2. find the neuron with the largest payoff against the program's adversary p. Its payoff is an **upper** bound, valid
#    for *all* neurons, because of `min_i y_i f(z_i) <= sum_i p_i y_i f(z_i) <= max_a |g(a)|` (script 1);
# 3. add that neuron (the program may use it with either sign), repeat until the bounds meet.
#
# Here it is in NumPy and SciPy, in the plane (D = 2), where step 2 can be done exactly: `g` is a sine wave
# between kinks, so its maximum is at a kink or at the crest of an arc. Both bounds are recomputed from the network
# and from p.

# %%
import sys

import numpy as np
from matplotlib import pyplot as plt
from scipy.optimize import linprog

import maxmargin as mm
from maxmargin.plots import style


def claim(sentence: str, holds: bool) -> None:
    """Print what was checked, or stop."""
    if not holds:
        raise SystemExit(f"refuted: {sentence}")
    print(f"  checked: {sentence}")


rng = np.random.default_rng(3)
angle = np.sort(rng.uniform(0, 2 * np.pi, 24))
Z = np.column_stack([np.cos(angle), np.sin(angle)])  # 24 random points on the circle
y = rng.choice([-1.0, 1.0], 24)  # with random labels


# %%
def best_neuron(p: np.ndarray) -> tuple[np.ndarray, float]:
    """The unit vector a with the largest |g(a)|, g(a) = (1/2) sum_i p_i y_i (a.z_i)_+, over the whole circle."""
    normals = np.vstack([Z @ [[0, 1], [-1, 0]], Z @ [[0, -1], [1, 0]]])  # kinks: a perpendicular to a point
    breaks = np.sort(np.arctan2(normals[:, 1], normals[:, 0]))
    middles = (breaks + np.roll(breaks, -1) + 2 * np.pi * (np.arange(len(breaks)) == len(breaks) - 1)) / 2
    inside = np.column_stack([np.cos(middles), np.sin(middles)])
    sums = ((inside @ Z.T > 0) * (p * y)) @ Z / 2  # on an arc g(a) = v.a with v its sum: the crest is v/|v|
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    crests = np.divide(sums, lengths, out=inside.copy(), where=lengths > 1e-12)
    candidates = np.vstack([normals / np.linalg.norm(normals, axis=1, keepdims=True), crests, -crests])
    payoffs = np.abs(np.maximum(candidates @ Z.T, 0) @ (p * y)) / 2
    return candidates[payoffs.argmax()], payoffs.max()


def restricted_game(neurons: np.ndarray) -> tuple[float, np.ndarray]:
    """Margin of the best network over these neurons, recomputed; adversary: min t, |g(a_k)| <= t, p on the simplex."""
    G = np.maximum(neurons @ Z.T, 0) * y / 2
    A = np.hstack(
        [1000 * np.vstack([G, -G]), -np.ones((2 * len(G), 1))]
    )  # tolerances are absolute, margins small: scale
    cost, simplex = np.append(np.zeros(len(Z)), 1.0), np.append(np.ones(len(Z)), 0.0)[None]
    tight = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    bounds = [(0, None)] * len(Z) + [(None, None)]
    program = linprog(
        cost, A_ub=A, b_ub=np.zeros(len(A)), A_eq=simplex, b_eq=[1.0], bounds=bounds, method="highs", options=tight
    )
    shares = -program.ineqlin.marginals  # the dual values are the network's weights
    w = (shares[: len(G)] - shares[len(G) :]) / shares.sum()
    p = np.maximum(program.x[:-1], 0)
    return (w @ G).min(), p / p.sum()


# %%
neurons, lower, upper, rounds = Z[:1], 0.0, np.inf, []
while lower < upper * (1 - 1e-8) and len(rounds) < 100:
    margin, p = restricted_game(neurons)
    a, payoff = best_neuron(p)
    lower, upper = max(lower, margin), min(upper, payoff)
    rounds.append((lower, upper))
    neurons = np.vstack([neurons, a])
    if len(rounds) % 5 == 1:
        print(f"round {len(rounds):2d}: {lower:.9f} <= gamma <= {upper:.9f}   {len(neurons)} neurons")
print(f"round {len(rounds):2d}: {lower:.9f} <= gamma <= {upper:.9f}   closed")

# %% [markdown]
# The bracket of every round contains the max margin: this is what "certificate" means. One may stop at any round
# and has a proof, with a wider bracket. The package does the same with HiGHS, adds rounding errors outward, and
# works in more dimensions.

# %%
certificate = mm.max_margin((Z, y), norm="f1", bias=False)
print(f"the package, rounding included: [{certificate.lower:.15f}, {certificate.upper:.15f}]")
brackets = np.array(rounds)
low, high = brackets.T
claim(
    "every round's bracket contains the certified margin",
    bool((low <= certificate.upper + 1e-12).all() and (certificate.lower - 1e-12 <= high).all()),
)
claim("brackets only shrink", bool((np.diff(low) >= 0).all() and (np.diff(high) <= 0).all()))
claim("the last one is closed to eight digits", upper - lower <= 1e-8 * upper)
claim(
    "and agrees with the package", bool(np.allclose([lower, upper], [certificate.lower, certificate.upper], rtol=1e-8))
)

# %% [markdown]
# A polygon whose corners alternate has a closed form to compare with, `tan(delta/2)/(4k)`, `delta = pi/k`, for
# `2k` corners, k even:

# %%
polygon = mm.max_margin("polygon:k=8", norm="f1", bias=False)
exact = np.tan(np.pi / 16) / 32
print(f"alternating 16-gon: [{polygon.lower:.15f}, {polygon.upper:.15f}]; tan(pi/16)/32 = {exact:.15f}")
claim(
    "the closed form is inside, up to its own rounding",
    polygon.lower <= exact * (1 + 1e-14) and exact <= polygon.upper * (1 + 1e-14),
)

# %%
figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.6), layout="constrained")
number = np.arange(1, len(rounds) + 1)
axes[0].fill_between(number, *brackets.T, color=style.F1, alpha=0.2, step="post")
axes[0].step(number, brackets[:, 0], number, brackets[:, 1], where="post", color=style.F1)
axes[0].plot([], [], color=style.F1, label="lower and upper end")
axes[0].axhline(certificate.lower, color=style.INK, ls="--", label="certified margin")
axes[0].set(xlabel="round", ylabel="F1 margin", title="The bracket closes")
axes[0].set_ylim(0, 5 * certificate.upper)
axes[0].legend(frameon=False)
axes[1].semilogy(
    number, np.maximum((brackets[:, 1] - brackets[:, 0]) / brackets[:, 1], 1e-16), "o-", ms=4, color=style.F1
)
axes[1].set(xlabel="round", ylabel="(upper - lower) / upper", title="Its relative gap")
for axis in axes:
    axis.spines[["top", "right"]].set_visible(False)
if "--out" in sys.argv:
    figure.savefig(sys.argv[sys.argv.index("--out") + 1], dpi=160)
