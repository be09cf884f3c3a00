"""The games of `fuzz.py`: random and degenerate data, features, norms; game k of a seed is always the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import maxmargin as mm

Array = NDArray[np.float64]

KINDS = (
    "general", "duplicates", "antipodal", "collinear", "coplanar", "lattice", "tiny-features", "mixed-scales",
    "near-duplicates",
)  # fmt: skip
CLOSE_KINDS = ("twins", "tiny-twins", "tiny-lattice", "nearly-flat", "nearly-on-a-line")
CLOSE = 1000  # seeds from here on: the kinds above in D = 4 to 8, up to 13 points, F1 and soft margins
NORMS = ("f1", "f1", "f1", "f2", "ntk", "soft", "dictionary")
ROUNDS = 25  # of column generation
DIMENSIONS = (1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 4, 5, 6, 7)  # d of the data; D = d + 1 with a bias


@dataclass(frozen=True)
class Game:
    """One question to `max_margin`, with the labels of the groups it is counted in."""

    seed: int
    index: int
    kind: str
    norm: str
    X: Array
    y: Array
    options: dict[str, Any] = field(default_factory=dict)

    def solve(self) -> Any:
        """The certificate as the games issue it, before the referee checks it."""
        norm = self.norm if self.norm in ("f1", "f2", "ntk") else "f1"
        return mm.max_margin((self.X, self.y), norm, **self.options, self_check=False)

    def without(self, i: int) -> Game:
        """The same game without point i."""
        keep = np.arange(len(self.y)) != i
        return Game(self.seed, self.index, self.kind, self.norm, self.X[keep], self.y[keep], self.options)

    def to_json(self) -> dict[str, Any]:
        """Everything needed to repeat the game; hexadecimal floats are exact."""
        options = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in self.options.items()}
        feature = options["feature"]
        options["feature"] = [feature.name, feature.degree, feature.right, feature.left]
        hexadecimal = [[float(x).hex() for x in row] for row in self.X]
        return {"seed": self.seed, "index": self.index, "kind": self.kind, "norm": self.norm, "options": options,
                "X": self.X.tolist(), "X_hex": hexadecimal, "y": self.y.tolist()}  # fmt: skip


def game(seed: int, index: int) -> Game:
    """Game `index` of the series `seed`."""
    rng, close = np.random.default_rng([seed, index]), seed >= CLOSE
    kinds, norms, dimensions = (
        (CLOSE_KINDS, ("f1", "f1", "soft"), (3, 4, 5, 6, 7)) if close else (KINDS, NORMS, DIMENSIONS)
    )
    kind, norm = kinds[index % len(kinds)], str(rng.choice(norms))
    d = int(rng.choice(dimensions))
    n = int(rng.integers(6, 14)) if close else int(rng.integers(2, 10 if d <= 2 else 8))
    y = np.where(rng.random(n) < 0.5, 1.0, -1.0)
    y[:2] = 1.0, -1.0
    X = close_points(rng, kind, n, d, y) if close else points(rng, kind, n, d, y)
    if abs(y.sum()) == n:
        y[0] = -y[0]
    feature = features(rng)
    options: dict[str, Any] = {"feature": feature, "bias": kind.startswith("tiny") or bool(rng.random() < 0.6)}
    if norm in ("f1", "dictionary", "soft"):
        options["convention"] = str(rng.choice(["sphere", "path"]))
    if norm in ("f2", "ntk"):
        options["weights"] = str(rng.choice(["sphere", "gaussian"]))
    if norm == "soft":
        options["nu"] = float(rng.uniform(0.05, 1.0))
    if norm == "dictionary":
        options["directions"] = rng.normal(size=(int(rng.integers(2, 30)), d + options["bias"]))
    if norm in ("f1", "soft", "dictionary"):
        # any pair makes a bracket: rounds that only narrow it are left out, so that more games are asked
        options |= {"max_rounds": ROUNDS, "branching_rounds": 1}
    return Game(seed, index, kind, norm, X, y, options)


def points(rng: np.random.Generator, kind: str, n: int, d: int, y: Array) -> Array:
    """n points of R^d of that kind; y may be changed where a kind needs equal or opposite votes."""
    X = rng.normal(size=(n, d))
    pairs = [(i, int(rng.integers(0, i))) for i in range(1, n) if rng.random() < 0.5] or [(1, 0)]
    if kind == "duplicates":
        for i, j in pairs:
            X[i] = X[j] * rng.choice([1.0, 1.0, 2.0, 0.3])
    elif kind == "antipodal":
        for i, j in pairs:
            X[i] = -X[j] * rng.choice([1.0, 1.0, 0.5, 3.0])
    elif kind == "collinear":
        X = rng.normal(size=d) + np.outer(rng.integers(-3, 4, n), rng.normal(size=d))
    elif kind == "coplanar":
        X = rng.integers(-2, 3, size=(n, min(2, d))) @ rng.integers(-2, 3, size=(min(2, d), d)) + rng.integers(-1, 2, d)
    elif kind == "lattice":
        X = rng.integers(-2, 3, size=(n, d)).astype(float)
    elif kind == "tiny-features":
        X = X * 10.0 ** rng.integers(-12, -2)
    elif kind == "mixed-scales":
        X = X * 10.0 ** rng.integers(-8, 9, size=(1, d) if rng.random() < 0.5 else (n, 1))
    elif kind == "near-duplicates":
        for i, j in pairs:
            X[i] = X[j] + 10.0 ** rng.integers(-16, -5) * rng.normal(size=d)
            y[i] = y[j] * rng.choice([1.0, -1.0])
    return np.asarray(X, dtype=float)


def close_points(rng: np.random.Generator, kind: str, n: int, d: int, y: Array) -> Array:
    """n points of R^d of which many lie close together, nearly in few dimensions, or close to 0 beside the bias."""
    X = rng.normal(size=(n, d))
    if kind == "tiny-lattice":
        X = rng.integers(-2, 3, size=(n, d)).astype(float)
    elif kind.endswith("twins"):
        for i in range(n // 2, n):
            X[i] = X[i - n // 2] * rng.choice([1.0, 1.0, -1.0, 2.0]) + 10.0 ** rng.integers(-14, -2) * rng.normal(
                size=d
            )
            y[i] = y[i - n // 2] * rng.choice([1.0, -1.0])
    else:
        rank = 1 if kind == "nearly-on-a-line" else max(2, d - 2)
        X = rng.normal(size=(n, rank)) @ rng.normal(size=(rank, d)) + 10.0 ** rng.integers(-14, -2) * X
    return X * 10.0 ** rng.integers(-9, -1) if kind.startswith("tiny") else X


def features(rng: np.random.Generator) -> mm.Feature:
    """ReLU, leaky of all slopes, absolute value, linear, squares: nearly so and exactly so."""
    near = 10.0 ** rng.integers(-9, -1)
    named = [("relu", 1, 1.0, 0.0), ("relu", 1, 1.0, 0.0), ("abs", 1, 1.0, 1.0), ("linear", 1, 1.0, -1.0)]
    named += [("leaky", 1, 1.0, float(rng.uniform(-1.0, 1.0))), ("nearly-linear", 1, 1.0, -(1.0 - near))]
    named += [("nearly-abs", 1, 1.0, 1.0 - near), ("odd", 1, -0.5, 2.0)]
    named += [("squared-relu", 2, 1.0, 0.0), ("square", 2, 1.0, 1.0), ("odd-square", 2, 1.0, -1.0)]
    named += [("leaky-square", 2, 1.0, float(rng.uniform(-1.0, 1.0))), ("nearly-square", 2, 1.0, 1.0 - near)]
    return mm.Feature(*named[int(rng.integers(len(named)))])
