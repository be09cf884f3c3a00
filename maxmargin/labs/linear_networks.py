"""Two-layer linear networks on fewer points than parameters: which interpolant the gradient flow picks.

f(x) = a.Wx with theta = W'a, loss |y - X theta|^2 / 2, flow on (a, W). From a balanced start, with w = theta(0) /
sqrt|theta(0)|, the limit has the least |theta|^(3/2) - (3/2) w.theta of the interpolants. The paper prints w.theta; its
Lemma 11 and its recipe for a start at a guess theta* inherit the slip.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from ..conventions import Array
from ..flow.fields import flow_until
from ..plots.panels import Mark, dots, level, line, panel
from ..plots.style import F1, F2, MUTED
from .shape import Items, Lab, compare, distance, halves, mistake

# Multiples of the corrected start, and their colours.
RECIPES = {"zero start": (0.0, MUTED), "corrected recipe": (1.0, F1), "printed recipe": (2.25, F2)}
# Recipe: parameters a point, directions of variance 1, variance of the others, draws of the data.
ASPECT, STRONG, TAIL, DRAWS = 10, 5, 0.005, 6


@dataclass(frozen=True)
class Settings:
    """Widths of the trained networks; recipe: numbers of points, points of the trained network."""

    seed: int = 0
    widths: tuple[int, ...] = (1, 3)
    recipe_n: tuple[int, ...] = (50, 100, 200)
    trained_n: int = 50


class Regression:
    """X (n, p) of full row rank, y (n,); theta_ols of least norm; an orthonormal basis of the row space."""

    def __init__(self, X: Array, y: Array):
        self.X, self.y, self.ols, self.rows = X, y, np.linalg.pinv(X) @ y, np.linalg.qr(X.T)[0]

    def off(self, v: Array) -> Array:
        """P v: what the data do not see of v (p,) or of the rows of v (m, p)."""
        return v - (v @ self.rows) @ self.rows.T

    def limit(self, w: Array, delta: float = 0.0) -> Array:
        """theta(inf) = theta_ols + a P w of a neuron with input weights w (p,) and imbalance delta = a(0)^2 - |w|^2.

        a^2 = (V + sqrt(V^2 + 4 |theta_ols|^2)) / 2 with V = |P w|^2 + delta; a balanced network is such a neuron.
        """
        Pw, Y = self.off(w), self.ols @ self.ols
        V = Pw @ Pw + delta
        return self.ols + np.sqrt((V + np.sqrt(V * V + 4.0 * Y)) / 2.0) * Pw

    def printed(self, w: Array) -> Array:
        """Lemma 11 of the paper: the minimiser of |theta|^(3/2) - w.theta among the interpolants."""
        Pw, Y = self.off(w), self.ols @ self.ols
        V = Pw @ Pw
        return self.ols + np.sqrt((8.0 * V + np.sqrt(64.0 * V * V + 1296.0 * Y)) / 81.0) * Pw

    def train(self, net: Array, step: float | None = None) -> Array:
        """The network where the flow, or descent with that step, has brought the residual to 1e-10 of the labels."""

        def left(net: Array) -> float:
            return distance(self.X @ theta(net), self.y)

        def velocity(net: Array) -> Array:
            g = (self.y - self.X @ theta(net)) @ self.X
            return np.column_stack([net[:, 1:] @ g, np.outer(net[:, 0], g)])  # a' = W g, W' = a g'

        while step and left(net) > 1e-10:
            net = net + step * velocity(net)
        return net if step else flow_until(velocity, net, left)


def theta(net: Array) -> Array:
    """W'a of the network whose neurons are the rows (a_j, w_j)."""
    return net[:, 0] @ net[:, 1:]


def balanced(rng: np.random.Generator, m: int, theta: Array) -> tuple[Array, Array]:
    """A random balanced network of width m at theta, a a' = W W'; and w = theta / sqrt|theta|."""
    size, a = np.linalg.norm(theta), rng.standard_normal((m, 1))
    a *= np.sqrt(size) / np.linalg.norm(a)
    return np.hstack([a, a * theta / size]), theta / np.sqrt(size)


def _trained(s: Settings) -> Items:
    rng, p = np.random.default_rng(s.seed), 12
    X = rng.standard_normal((5, p))
    data = Regression(X, X @ rng.standard_normal(p) + rng.standard_normal(5))
    rows, identity, unbalanced, tilted = [], [0.0], [], []
    for m, scale in product(s.widths, (1.0, 0.4, 0.05)):
        direction = rng.standard_normal(p)
        net, w = balanced(rng, m, scale**2 * direction / np.linalg.norm(direction))
        found = theta(data.train(net))
        rows.append((scale, distance(found, data.limit(w)), distance(found, data.printed(w))))
        if m > 1:
            net = scale * np.column_stack([rng.standard_normal(m), rng.standard_normal((m, p)) / np.sqrt(p)])
            end, began = data.train(net), theta(net)
            identity.append(distance(theta(end), data.ols + data.off(end[:, 0] @ net[:, 1:])))
            identity.append(float(np.abs(data.off(end[:, 1:] - net[:, 1:])).max()))  # W P never moves
            unbalanced.append(distance(theta(end), data.limit(began / np.sqrt(np.linalg.norm(began)))))
    for output in (2.0, 1.3):
        w = 0.5 * rng.dirichlet(np.ones(p)) ** 0.5  # |w| = 1/2
        found = theta(data.train(np.r_[output, w][None]))
        forms = data.limit(w, output**2 - 0.25), data.limit(w * np.sqrt(output / 0.5))
        tilted.append([distance(found, form) for form in forms])
    (scales, corrected, printed), (right, wrong) = np.transpose(rows), np.transpose(tilted)
    net, w = balanced(rng, s.widths[-1], data.ols / 2.0 + rng.standard_normal(p) / p)
    return [
        panel("Distance of trained networks from the form",
              dots(scales, printed, F2, "printed form"), dots(scales, corrected, F1, "corrected form"),
              level(1e-10, "residual at which the flow stops"),
              below="relative; every dot is one network", xlabel="size of the start, |a|", log="xy"),
        compare("trained-limit", "A balanced network minimises |theta|^(3/2) - (3/2) w.theta; printed: w.theta.",
                max(corrected), within=1e-8, printed=min(printed)),
        compare("imbalance", "One neuron of any imbalance has its closed form.", max(right), within=1e-8),
        compare("any-start", "From any start theta(inf) = theta_ols + P W(0)' a(inf).", max(identity), within=1e-8),
        halves("The distance of descent from the limit of the flow",
               [distance(theta(data.train(net, step)), data.limit(w)) for step in (0.001, 0.0005)]),
        mistake("unbalanced-start", "The balanced form describes any start.", min(unbalanced), within=1e-8),
        mistake("unbalanced-neuron", "The balanced form describes an unbalanced neuron.", min(wrong), within=1e-8),
    ]  # fmt: skip


def spiked(n: int, seed: int) -> tuple[Regression, Array, Array, float]:
    """Noise of variance 1, a unit theta* off the strong directions: data, theta*, variances (p,), and r.

    r = s / n with s the sum of the variances of the directions of theta*.
    """
    rng, weak = np.random.default_rng(seed), ASPECT * n - STRONG
    variances = np.r_[np.ones(STRONG), np.full(weak, TAIL)]
    X = rng.standard_normal((n, len(variances))) * np.sqrt(variances)
    star = np.r_[np.zeros(STRONG), rng.standard_normal(weak)]
    star /= np.linalg.norm(star)
    return Regression(X, X @ star + rng.standard_normal(n)), star, variances, TAIL * weak / n


def overshoot(multiple: Array, r: float) -> Array:
    """mu: the network trained from multiple theta* sqrt(r) sees mu theta* off the row space, for large n."""
    size, seen = multiple * np.sqrt(r), 1.0 / ASPECT
    V, Y = size * (1.0 - seen), 1.0 / (r * (1.0 - seen)) + seen
    return np.sqrt(size * (V + np.sqrt(V * V + 4.0 * Y)) / 2.0)


def _recipe(s: Settings) -> Items:
    """Bias off the row space, in the risk's metric, after three starts; two networks trained from two of them."""
    multiples = np.array([multiple for multiple, _ in RECIPES.values()])
    bias = np.zeros((len(s.recipe_n), len(multiples)))
    for row, draw in product(range(len(s.recipe_n)), range(DRAWS)):
        data, star, variances, r = spiked(s.recipe_n[row], s.seed + draw)
        limits = [data.limit(scale * star) for scale in np.sqrt(multiples * np.sqrt(r))]
        bias[row] += [variances @ data.off(limit - star) ** 2 / DRAWS for limit in limits]
    predicted = (overshoot(multiples, r) - 1.0) ** 2
    data, star, variances, r = spiked(s.trained_n, s.seed)
    rng, errors, marks = np.random.default_rng(s.seed), [], list[Mark]()
    for (name, (multiple, colour)), part, height in zip(RECIPES.items(), bias.T, predicted, strict=True):
        marks += [dots(s.recipe_n, part, colour, name), line(s.recipe_n, height * bias[:, 0], colour, style="--")]
        if multiple:
            net, w = balanced(rng, 4, multiple * np.sqrt(r) * star)
            found = theta(data.train(net))
            errors.append(distance(found, data.limit(w)))
            left = variances @ data.off(found - star) ** 2
            marks.append(dots([s.trained_n], [left], colour, size=9, style="x"))
    kept = bias[-1] / bias[-1, 0]
    # |theta_ols|^2 fluctuates by sqrt(2/n) of itself; 1.5 is three times its effect on (mu - 1)^2.
    noise = 1.5 * np.sqrt(2.0 / (s.recipe_n[-1] * DRAWS))
    return [
        panel("Bias after a start at the true parameter", *marks,
              below="dots: closed form; dashed: (mu - 1)² of the zero start; crosses: trained",
              xlabel="points n", log="xy", legend="center left", ticks=s.recipe_n),
        compare("recipe-trained", "Networks trained from both recipes end there.", max(errors), within=1e-8),
        compare("recipe-bias", "The recipe for a start at the truth leaves no bias; as printed, it leaves a part.",
                kept[1], "=", 0.0, within=0.02, note=f"printed: {kept[2]:.3f}", printed=kept[2]),
        compare("recipe-height", "The part of the bias that the printed recipe leaves is (mu - 1)^2.",
                kept[2], "=", predicted[2], within=noise),
    ]  # fmt: skip


LAB = Lab(
    "linear-networks", "Chatterji, Long and Bartlett, two-layer linear networks (JMLR 23, 2022)",
    "trained networks with the closed form of their limit, as corrected and as printed",
    (_trained, _recipe), (1.0, 3.0), Settings(widths=(1, 3, 7), recipe_n=(50, 100, 200, 400), trained_n=100),
)  # fmt: skip
