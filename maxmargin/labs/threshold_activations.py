"""Threshold activations: training with weight decay is a LASSO over patterns, the max margin a game over patterns.

A unit s 1{u.z >= 0} shows the n points one of finitely many patterns D_k in {0, 1}^n. With a trainable amplitude s,
weight decay (beta/2)(s^2 + w^2) costs beta |w_k| a pattern, so that

    min_w (1/2) |D w - y|^2 + beta |w|_1       and       gamma = max_{|w|_1 <= 1} min_i y_i (D w)_i

are the trained optimum and the max margin. Every residual r proves a lower bound: nu = r min(1, beta / max_k |D_k.r|)
has the dual value y.nu - |nu|^2 / 2. Patterns of all faces of the arrangement of the z_i count, u = 0 included: a unit
is on where u.z = 0. The closed forms of the margins and of the shattered case are derived here.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import cast

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..features import RELU
from ..games.measure import Measure
from ..margins import max_margin
from ..plots.style import DECISION, F1, F2, INK, MUTED, NEGATIVE, POSITIVE
from ..theory.ledger import Finding
from .panels import finish, two_panels
from .shape import Lab, LabResult, compare

Array = NDArray[np.float64]
ZERO = 1e-11  # |u.z| below this, for unit u and |z| of order 1, is a point on the hyperplane


@dataclass(frozen=True)
class Settings:
    """n points in the plane with a bias, penalty beta = `penalty` n, and straight-through training."""

    points: int = 20
    penalty: float = 0.02
    width: int = 200
    steps: int = 4000
    step: float = 0.02
    hidden_step: float = 0.2
    runs: int = 2
    sampled: int = 50
    seed: int = 3


def patterns(Z: Array, *, closed: bool = True) -> tuple[Array, Array]:
    """All patterns (n, K) of 1{Z u >= 0} over u in R^D, D <= 3, and a u (K, 3) for each; `closed=False`: open cells.

    On each great circle u.z_i = 0 the crossings with the others and the midpoints between them meet every face.
    """
    Z = np.pad(np.asarray(Z, dtype=float), [(0, 0), (0, 3 - np.shape(Z)[1])])
    found: dict[bytes, tuple[Array, Array]] = {}

    def add(on: Array, u: Array) -> None:
        found.setdefault(on.tobytes(), (on.astype(float), u))

    for z in Z / np.linalg.norm(Z, axis=1)[:, None]:
        crossings = np.cross(z, Z)
        lengths = np.linalg.norm(crossings, axis=1)
        others = crossings[lengths > ZERO] / lengths[lengths > ZERO, None]
        e = others[0] if len(others) else np.linalg.svd(z[None])[2][1]
        f = np.cross(z, e)
        angles = np.sort(np.concatenate([np.arctan2(s * others @ f, s * others @ e) for s in (1, -1)]) % (2 * np.pi))
        angles = angles[np.diff(angles, prepend=-1.0) > ZERO]
        middles = (angles + np.append(angles[1:], angles[:1] + 2 * np.pi)) / 2 if len(angles) else np.zeros(1)
        for place, corner in [*((t, True) for t in angles), *((t, False) for t in middles)]:
            u = np.cos(place) * e + np.sin(place) * f
            heights = Z @ u
            heights[np.abs(heights) < ZERO] = 0.0
            if closed:
                add(heights >= 0, u)
            if not corner:  # the two cells beside this edge: a step across it, shorter than to any other hyperplane
                away = np.abs(heights[heights != 0]).min(initial=1.0) / 2 / np.linalg.norm(Z, axis=1).max()
                for side in (away, -away):
                    add(np.where(heights == 0, side * (Z @ z), heights) >= 0, u + side * z)
    if closed:
        add(np.ones(len(Z), dtype=bool), np.zeros(3))
    return np.array([on for on, _ in found.values()]).T, np.array([u for _, u in found.values()])


def margin(D: Array, y: Array) -> tuple[float, float, Array]:
    """Bracket of the max margin of the dictionary of patterns, and its weights: the package's game over K neurons.

    With the patterns as inputs and the coordinate directions as neurons, neuron k shows exactly D_k.
    """
    found = max_margin((D, y), bias=False, convention="path", directions=np.eye(D.shape[1]))
    network = cast(Measure, found.classifier)
    return found.lower, found.upper, network.directions.T @ network.weights


def lasso(D: Array, y: Array, beta: float) -> tuple[float, float, Array]:
    """Bracket of the least objective, and weights that attain its upper end."""
    from sklearn.linear_model import Lasso

    solver = Lasso(alpha=beta / len(y), fit_intercept=False, tol=1e-13, max_iter=1_000_000)
    w = solver.fit(D, y).coef_
    r = y - D @ w
    nu = r * min(1.0, beta / np.abs(D.T @ r).max())
    return float(y @ nu - nu @ nu / 2), float(r @ r / 2 + beta * np.abs(w).sum()), w


def shattered(y: Array, beta: float) -> float:
    """The least objective over all 2^n patterns: clip positive and negative targets at levels that cost beta."""
    value = 0.0
    for part in (np.maximum(y, 0.0), np.maximum(-y, 0.0)):
        heights = np.sort(part)[::-1]
        levels = (np.cumsum(heights) - beta) / np.arange(1, len(y) + 1)
        t = max(0.0, levels.max())
        value += 0.5 * float((np.maximum(part - t, 0.0) ** 2).sum()) + beta * t
    return value


def straight_through(Z: Array, y: Array, settings: Settings, seed: int, clipped: bool) -> Array:
    """Objective after each step of descent that differentiates 1{t >= 0} like t, or like clip(t, -1, 1)."""
    rng, m, beta = np.random.default_rng(seed), settings.width, settings.penalty * len(y)
    u, s, w = rng.standard_normal((m, Z.shape[1])), 0.1 * rng.standard_normal(m), 0.1 * rng.standard_normal(m)
    objective = np.empty(settings.steps)
    for k in range(settings.steps):
        heights = Z @ u.T
        on = (heights >= 0).astype(float)
        r = on @ (s * w) - y
        objective[k] = r @ r / 2 + beta * np.abs(s * w).sum()
        gate = (np.abs(heights) < 1) * 1.0 if clipped else np.ones_like(heights)
        pull = on.T @ r
        left = 1.0 - k / settings.steps
        h = settings.step * left
        u = u - settings.hidden_step * left * (s * w)[:, None] * ((gate * r[:, None]).T @ Z)
        s, w = s - h * (w * pull + beta * s), w - h * (s * pull + beta * w)
    return objective


def _closed_forms() -> tuple[list[tuple[str, float, float]], float]:
    """(name, closed form, solved margin) of small data, and the margin of XOR over open cells."""
    found = []
    for n in (2, 3, 5, 8):
        line, signs = np.array([(float(x), 1.0) for x in range(n)]), np.array([(-1.0) ** x for x in range(n)])
        found.append((f"line, {n - 1} changes", 0.5 / (n - 1), margin(patterns(line)[0], signs)[1]))
    cross, labels = np.array([[1.0, 0], [0, 1], [-1, 0], [0, -1]]), np.array([1.0, -1, 1, -1])
    found.append(("XOR", 0.25, margin(patterns(cross)[0], labels)[1]))
    cube = np.array(list(product((0.0, 1.0), repeat=5))).T
    found.append(("shattered", 0.5, margin(cube, np.array([1.0, -1, 1, 1, -1]))[1]))
    return found, margin(patterns(cross, closed=False)[0], labels)[1]


def sample(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Gaussian points with a bias, balanced labels of a smooth function."""
    Z = np.column_stack([rng.standard_normal((n, 2)), np.ones(n)])
    target = np.sin(2.0 * Z[:, 0]) + Z[:, 0] * Z[:, 1]
    return Z, np.where(target > np.median(target), 1.0, -1.0)


def run(settings: Settings) -> LabResult:
    """Closed forms, the certified optimum, and two straight-through estimators beside it."""
    rng, n, beta = np.random.default_rng(settings.seed), settings.points, settings.penalty * settings.points
    Z, y = sample(n, rng)
    D, u = patterns(Z)
    lower, upper, w = lasso(D, y, beta)
    least, most, nu = margin(D, y)
    some = rng.standard_normal((settings.sampled, 3)) @ Z.T >= 0
    coarse = lasso(np.unique(some, axis=0).T.astype(float), y, beta)
    runs = {
        name: [straight_through(Z, y, settings, seed, name == "clipped") for seed in range(settings.runs)]
        for name in ("clipped", "identity")
    }
    ends = {name: np.array([path[-1] for path in paths]) for name, paths in runs.items()}
    shuffled = rng.permutation(y)
    harder = min(straight_through(Z, shuffled, settings, seed, True)[-1] for seed in range(settings.runs))
    forms, open_xor = _closed_forms()
    name, form, solved = max(forms, key=lambda one: abs(one[1] - one[2]))
    targets = np.array([1.0, -0.7, 0.4, 0.9, -0.2, 0.15])
    cube = np.array(list(product((0.0, 1.0), repeat=6))).T
    w1, w2 = np.sqrt(np.abs(w)), np.sign(w) * np.sqrt(np.abs(w))
    rebuilt = (Z @ u.T >= -ZERO) @ (w1 * w2) - y
    misfit = rebuilt @ rebuilt / 2
    cells = 2 * sum([1, n - 1, (n - 1) * (n - 2) // 2])
    findings = (
        compare("margin-closed-forms",
                "Max margins over all patterns: 1/(2 changes) on a line, 1/4 for XOR, 1/2 if shattered.",
                solved, "=", form, within=1e-9, note=f"worst: {name}"),
        compare("open-cells", "The patterns of the open cells suffice for XOR.",
                open_xor, "=", 0.25, within=1e-9, broken=True),
        compare("count", "Points in general position show as many patterns as the arrangement has cells.",
                D.shape[1], "=", cells),
        compare("margin-gap", "The max margin of the sample is certified: relative gap of its bracket.",
                (most - least) / most, "=", 0.0, within=1e-9, note=f"gamma in [{least:.9f}, {most:.9f}]"),
        compare("lasso-gap", "The least objective is certified: gap of its primal-dual bracket.",
                upper - lower, "=", 0.0, within=1e-6,
                note=f"[{lower:.9f}, {upper:.9f}], {np.count_nonzero(np.abs(w) > 1e-9)} patterns"),
        compare("rebuilt", "The net built from the LASSO has its objective, with decay of squares (the code: norms).",
                misfit + beta / 2 * (w1 @ w1 + w2 @ w2), "=", upper, within=1e-9,
                printed=Finding(upper, float(misfit + beta / 2 * np.linalg.norm(w2)), 1e-9)),
        compare("shattered", "With all 2^n patterns the LASSO clips the targets at two levels.",
                lasso(cube, targets, 0.3)[1], "=", shattered(targets, 0.3), within=1e-8),
        compare("never-below", "No training run ends below the proved lower bound.",
                min(e.min() for e in ends.values()), ">=", lower, within=1e-9),
        compare("clipped",
                "Straight-through training with a clipped gate reaches it on these smooth labels (worst ratio).",
                ends["clipped"].max() / upper, "<=", 1.01),
        compare("identity", "With the identity as its gate it reaches the optimum, too (best ratio).",
                ends["identity"].min() / upper, "<=", 1.01, broken=True),
        compare("clipped-random", "The clipped gate reaches it on random labels, too (best ratio).",
                harder / lasso(D, shuffled, beta)[1], "<=", 1.01, broken=True),
        compare("half-penalty", "The penalty (beta/2) |w|_1 has the trained objective.",
                lasso(D, y, beta / 2)[1], "=", ends["clipped"].min(), within=0.01 * upper, broken=True),
        compare("sampled", f"{settings.sampled} random directions reach the optimum (ratio).",
                coarse[0] / upper, "<=", 1.01, broken=True,
                note="lower bound of the sampled program over the true optimum"),
    )  # fmt: skip
    smooth = max_margin((Z[:, :2], y), convention="path")
    arrays = {"smooth": smooth, "Z": Z, "y": y, "u": u, "nu": nu, "margin": most, "runs": runs, "optimum": upper}
    return LabResult(findings, arrays)


def figure(result: LabResult) -> Figure:
    """Left: the threshold max-margin classifier and the border of the ReLU one. Right: training on the proved line."""
    (drawing, left, right), a = two_panels(4.4), result.arrays
    Z, y = a["Z"], a["y"]
    reach = 1.15 * np.abs(Z[:, :2]).max()
    axis = np.linspace(-reach, reach, 301)
    grid = np.column_stack([part.ravel() for part in (*np.meshgrid(axis, axis), np.ones((301, 301)))])
    f = ((grid @ a["u"].T >= 0) @ a["nu"]).reshape(301, 301)
    left.imshow(f, DECISION, extent=(-reach, reach) * 2, origin="lower", vmin=-abs(f).max(), vmax=abs(f).max())
    border = a["smooth"].classifier.outputs(grid, RELU).reshape(301, 301)
    left.contour(axis, axis, border, levels=[0.0], colors=INK, linewidths=1.0)
    left.scatter(Z[:, 0], Z[:, 1], c=np.where(y > 0, POSITIVE, NEGATIVE), edgecolors="white", s=35, zorder=3)
    about = f"certified over all patterns; black: border of ReLU, {a['smooth'].upper:.4f}"
    finish(left, f"Threshold max margin {a['margin']:.4f}", about, legend="")
    left.grid(False)
    for (name, paths), colour in zip(a["runs"].items(), (F1, F2), strict=True):
        for number, path in enumerate(paths):
            steps = np.unique(np.geomspace(1, len(path), 300).astype(int)) - 1
            right.plot(steps + 1, path[steps], color=colour, linewidth=1.0, label=None if number else f"{name} gate")
    right.axhline(a["optimum"], color=MUTED, linestyle="--", linewidth=1.2, label="proved optimum")
    finish(right, "Objective of straight-through training", x="steps", log="xy")
    return drawing


LAB = Lab(
    name="threshold-activations",
    paper="Globally optimal training of neural networks with threshold activations (ICLR 2023, arXiv 2303.03382)",
    compares="straight-through training with the LASSO over all patterns; max margins over patterns with closed forms",
    smoke=Settings(),
    full=Settings(runs=5, steps=20000),
    seconds=(2.0, 8.0),
    run=run,
    figure=figure,
)
