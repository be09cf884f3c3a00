"""Two-layer linear networks on fewer points than parameters: which interpolant the gradient flow picks.

f(x) = a.Wx with theta = W'a, loss |y - X theta|^2 / 2, flow on (a, W). With g = X'(y - X theta) the flow is a' = Wg,
W' = a g', and g lies in the row space of X, so that W P never moves, where P projects on the complement. Hence

    theta(inf) = theta_ols + P W(0)' a(inf)                                       any width, any start
    theta(inf) = theta_ols + a(inf) P w,      a(inf)^2 = (V + sqrt(V^2 + 4 Y)) / 2      one neuron (a, w)
    V = |P w|^2 + a(0)^2 - |w|^2,   Y = |theta_ols|^2

A balanced network, a a' = W W' at the start, behaves like the neuron a(0) = |w|, w = theta(0) / sqrt|theta(0)|. Its
limit is the interpolant of least |theta|^(3/2) - (3/2) w.theta, because d/dt grad |theta|^(3/2) = (3/2) sqrt|theta| g.
Equation (1) of the paper lacks this 3/2; Lemma 11 and the recipe for a start at a guess inherit the slip.

Recipe: with the guess theta*, s the sum of the variances of its directions, r = s / n and noise of variance 1, start
at theta* |theta*| sqrt(r); the paper prints 9/4 of it. Y is about 1 / (r (1 - n/p)), the trained network sees mu theta*
off the row space and keeps (mu - 1)^2 of the bias of a zero start. As r, n/p -> 0, mu -> 1, and 3/2 as printed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..plots.style import F1, F2, MUTED
from ..theory.ledger import Finding
from .panels import finish, two_panels
from .shape import Lab, LabFinding, LabResult, compare

Array = NDArray[np.float64]

RECIPES = {"zero start": 0.0, "corrected recipe": 1.0, "printed recipe": 2.25}  # multiples of the corrected start
ASPECT = 10  # parameters a point in the recipe's experiment


@dataclass(frozen=True)
class Settings:
    """Trained networks: n points, p parameters. Recipe: k directions of variance 1, the others of variance `tail`."""

    seed: int = 0
    n: int = 5
    p: int = 12
    widths: tuple[int, ...] = (1, 3)
    scales: tuple[float, ...] = (1.0, 0.4, 0.05)
    recipe_n: tuple[int, ...] = (50, 100, 200)
    draws: int = 6
    trained_n: int = 50
    k: int = 5
    tail: float = 0.005


class Regression(NamedTuple):
    """X (n, p), y (n,), the least-norm interpolant `ols`, and an orthonormal basis Q of the row space."""

    X: Array
    y: Array
    ols: Array
    Q: Array

    @classmethod
    def of(cls, X: Array, y: Array) -> Regression:
        """From X (n, p) of full row rank and y (n,)."""
        Q, R = np.linalg.qr(X.T)
        return cls(X, y, Q @ np.linalg.solve(R.T, y), Q)

    def off(self, v: Array) -> Array:
        """P v: what the data do not see of v (p,) or of the rows of v (m, p)."""
        return v - (v @ self.Q) @ self.Q.T

    def limit(self, w: Array, delta: float = 0.0) -> Array:
        """theta(inf) of a neuron with input weights w (p,) and imbalance delta = a(0)^2 - |w|^2."""
        Pw, Y = self.off(w), self.ols @ self.ols
        V = Pw @ Pw + delta
        return self.ols + np.sqrt((V + np.sqrt(V * V + 4.0 * Y)) / 2.0) * Pw

    def printed(self, w: Array) -> Array:
        """Lemma 11 of the paper: the minimiser of |theta|^(3/2) - w.theta among the interpolants."""
        Pw, Y = self.off(w), self.ols @ self.ols
        V = Pw @ Pw
        return self.ols + np.sqrt((8.0 * V + np.sqrt(64.0 * V * V + 1296.0 * Y)) / 81.0) * Pw


def flow(data: Regression, a: Array, W: Array) -> tuple[Array, Array]:
    """(a, W) where the flow has brought the residual to 1e-10 of the labels."""
    from scipy.integrate import solve_ivp

    X, y, m = data.X, data.y, len(a)

    def field(_: float, state: Array) -> Array:
        a, W = state[:m], state[m:].reshape(m, -1)
        g = (y - X @ (a @ W)) @ X
        return np.concatenate([W @ g, np.outer(a, g).ravel()])

    def left(_: float, state: Array) -> float:
        residual = y - X @ (state[:m] @ state[m:].reshape(m, -1))
        return float(np.linalg.norm(residual) / np.linalg.norm(y) - 1e-10)

    left.terminal = True  # type: ignore[attr-defined]
    start = np.concatenate([a, W.ravel()])
    path = solve_ivp(field, (0.0, 1e4), start, method="DOP853", rtol=1e-11, atol=1e-13, events=left)
    return path.y[:m, -1], path.y[m:, -1].reshape(m, -1)


def distance(found: Array, wanted: Array) -> float:
    """Relative distance."""
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


def descend(data: Regression, a: Array, W: Array, step: float) -> Array:
    """theta where gradient descent with a fixed step has brought the residual to 1e-10."""
    X, y = data.X, data.y
    while np.linalg.norm(r := y - X @ (a @ W)) > 1e-10 * np.linalg.norm(y):
        g = r @ X
        a, W = a + step * W @ g, W + step * np.outer(a, g)
    return a @ W


def balanced(rng: np.random.Generator, m: int, theta: Array) -> tuple[Array, Array, Array]:
    """A random balanced start of width m at theta: a, W = a u', and w = theta / sqrt|theta|."""
    size = np.linalg.norm(theta)
    a = rng.standard_normal(m)
    a *= np.sqrt(size) / np.linalg.norm(a)
    return a, np.outer(a, theta / size), theta / np.sqrt(size)


def _trained(settings: Settings) -> tuple[list[LabFinding], dict[str, Array]]:
    rng, s = np.random.default_rng(settings.seed), settings
    X = rng.standard_normal((s.n, s.p))
    data = Regression.of(X, X @ rng.standard_normal(s.p) + rng.standard_normal(s.n))
    rows, identity, unbalanced = [], [0.0], []
    for m in s.widths:
        for scale in s.scales:
            direction = rng.standard_normal(s.p)
            a, W, w = balanced(rng, m, scale**2 * direction / np.linalg.norm(direction))
            found = np.matmul(*flow(data, a, W))
            rows.append((scale, distance(found, data.limit(w)), distance(found, data.printed(w))))
            if m > 1:
                a, W = scale * rng.standard_normal(m), scale * rng.standard_normal((m, s.p)) / np.sqrt(s.p)
                theta, (a, after) = a @ W, flow(data, a, W)
                identity += [distance(a @ after, data.ols + data.off(a @ W)), float(abs(data.off(after - W)).max())]
                unbalanced.append(distance(a @ after, data.limit(theta / np.sqrt(np.linalg.norm(theta)))))
    scale, corrected, printed = np.array(rows).T
    tilted = np.zeros((2, 2))
    for column, (output, size) in enumerate(((2.0, 0.5), (1.3, 0.5))):
        w = size * rng.dirichlet(np.ones(s.p)) ** 0.5
        found = np.matmul(*flow(data, np.array([output]), w[None]))
        forms = data.limit(w, output**2 - size**2), data.limit(w * np.sqrt(output / size))
        tilted[:, column] = [distance(found, form) for form in forms]
    a, W, w = balanced(rng, s.widths[-1], data.ols / 2.0 + rng.standard_normal(s.p) / s.p)
    rough, fine = (distance(descend(data, a, W, step), data.limit(w)) for step in (0.001, 0.0005))
    findings = [
        compare("trained-limit",
                "A balanced network minimises |theta|^(3/2) - (3/2) w.theta among the interpolants; printed: w.theta.",
                max(corrected), "=", 0.0, within=1e-8, printed=Finding(0.0, min(printed), 1e-8)),
        compare("imbalance", "One neuron of any imbalance has its closed form.", tilted[0].max(), "=", 0, within=1e-8),
        compare("any-start", "At any width and start, theta(inf) = theta_ols + P W(0)' a(inf).",
                max(identity), "=", 0.0, within=1e-8),
        compare("descent-order", "The distance of descent from the limit of the flow halves with the step.",
                rough / fine, "=", 2.0, within=0.1, note=f"distances {rough:.1e}, {fine:.1e}"),
        compare("unbalanced-start", "The balanced form describes networks that start unbalanced.",
                min(unbalanced), "=", 0.0, within=1e-8, broken=True),
        compare("unbalanced-neuron", "The balanced form describes an unbalanced neuron.",
                tilted[1].min(), "=", 0.0, within=1e-8, broken=True),
    ]  # fmt: skip
    return findings, {"scale": scale, "corrected": corrected, "printed": printed}


def spiked(settings: Settings, n: int, seed: int) -> tuple[Regression, Array, Array, float]:
    """Noise of variance 1, a unit theta* off the k strong directions: data, theta*, variances (p,), and r = s / n."""
    rng, k, weak = np.random.default_rng(seed), settings.k, ASPECT * n - settings.k
    variances = np.r_[np.ones(k), np.full(weak, settings.tail)]
    X = rng.standard_normal((n, len(variances))) * np.sqrt(variances)
    star = np.r_[np.zeros(k), rng.standard_normal(weak)]
    star /= np.linalg.norm(star)
    return Regression.of(X, X @ star + rng.standard_normal(n)), star, variances, settings.tail * weak / n


def overshoot(multiple: float, r: float) -> float:
    """mu: the network trained from multiple theta* sqrt(r) sees mu theta* off the row space, for large n."""
    size, seen = multiple * np.sqrt(r), 1.0 / ASPECT
    V, Y = size * (1.0 - seen), 1.0 / (r * (1.0 - seen)) + seen
    return float(np.sqrt(size * (V + np.sqrt(V * V + 4.0 * Y)) / 2.0))


def _recipe(settings: Settings) -> tuple[list[LabFinding], dict[str, Array]]:
    """Bias off the row space, in the risk's metric, after three starts; two networks trained from two of them."""
    bias = np.zeros((len(settings.recipe_n), len(RECIPES)))
    for row, n in enumerate(settings.recipe_n):
        for draw in range(settings.draws):
            data, star, variances, r = spiked(settings, n, settings.seed + draw)
            for column, multiple in enumerate(RECIPES.values()):
                w = np.sqrt(multiple * np.sqrt(r)) * star  # theta(0) / sqrt|theta(0)|
                bias[row, column] += variances @ data.off(data.limit(w) - star) ** 2 / settings.draws
    predicted = np.array([(overshoot(multiple, r) - 1.0) ** 2 for multiple in RECIPES.values()])
    data, star, variances, r = spiked(settings, settings.trained_n, settings.seed)
    rng, errors, trained = np.random.default_rng(settings.seed), [], []
    for multiple in list(RECIPES.values())[1:]:
        a, W, w = balanced(rng, 4, multiple * np.sqrt(r) * star)
        found = np.matmul(*flow(data, a, W))
        errors.append(distance(found, data.limit(w)))
        trained.append(variances @ data.off(found - star) ** 2)
    kept = bias[-1] / bias[-1, 0]
    # |theta_ols|^2 fluctuates by sqrt(2/n) of itself; 1.5 is three times its effect on (mu - 1)^2.
    noise = 1.5 * np.sqrt(2.0 / (settings.recipe_n[-1] * settings.draws))
    findings = [
        compare("recipe-trained", "Networks trained from both recipes end there.", max(errors), "=", 0, within=1e-8),
        compare("recipe-bias",
                "The recipe for a start at the true parameter leaves no bias; as printed, it leaves a part.",
                kept[1], "=", 0.0, within=0.02, note=f"printed: {kept[2]:.3f}", printed=Finding(0.0, kept[2], 0.02)),
        compare("recipe-height", "The part of the bias that the printed recipe leaves is (mu - 1)^2.",
                kept[2], "=", predicted[2], within=noise),
    ]  # fmt: skip
    arrays = {"n": np.array(settings.recipe_n), "bias": bias, "predicted": predicted}
    return findings, {**arrays, "trained_n": np.array(settings.trained_n), "trained": np.array([np.nan, *trained])}


def run(settings: Settings) -> LabResult:
    """Both halves."""
    trained, arrays = _trained(settings)
    recipe, more = _recipe(settings)
    return LabResult((*trained, *recipe), {**arrays, **more})


def figure(result: LabResult) -> Figure:
    """Left: distance of trained networks from both forms. Right: bias after three starts; crosses are trained."""
    (drawing, left, right), a = two_panels(), result.arrays
    for name, colour in (("printed", F2), ("corrected", F1)):
        left.plot(a["scale"], a[name], "o", color=colour, label=f"{name} form")
    left.axhline(1e-10, color=MUTED, linestyle="--", linewidth=1.0, label="residual at which the flow stops")
    below = "relative; every dot is one network"
    finish(left, "Distance of trained networks from the form", below, x="size of the start, |a|", log="xy")
    n, bias = a["n"], a["bias"]
    for column, (name, colour) in enumerate(zip(RECIPES, (MUTED, F1, F2), strict=True)):
        right.plot(n, bias[:, column], "o", color=colour, markersize=5, label=name)
        label = "predicted: (mu - 1)² of the zero start" if column == 2 else None
        right.plot(n, a["predicted"][column] * bias[:, 0], "--", color=colour, linewidth=1.2, label=label)
        right.plot(a["trained_n"], a["trained"][column], "x", color=colour, markersize=9)
    below = "dots: closed form, mean; crosses: one trained network"
    finish(right, "Bias after a start at the true parameter", below, x="points n", log="xy", legend="center left")
    right.set_xticks(n, [str(k) for k in n])
    right.minorticks_off()
    return drawing


LAB = Lab(
    "linear-networks",
    "Chatterji, Long and Bartlett, two-layer linear networks (JMLR 23, 2022)",
    "trained networks with the closed form of their limit, as corrected and as printed",
    Settings(), Settings(widths=(1, 3, 7), recipe_n=(50, 100, 200, 400), draws=6, trained_n=100),
    (1.0, 3.0), run, figure,
)  # fmt: skip
