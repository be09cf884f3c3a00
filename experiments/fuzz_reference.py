"""The independent judgement of `fuzz.py`: fractions, high precision and attacks, none of it from the package.

Each function returns a sentence that says what is wrong, or None.
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations, product
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Vector = list[Fraction]

ENUMERATED = 5  # points up to which all 2^n sign patterns are tried in fractions
ATTACKS = 24


class Exact:
    """The data of a document as fractions."""

    def __init__(self, document: dict[str, Any], X: Array, y: Array) -> None:
        problem = document["problem"]
        feature = problem["feature"]
        known = {"relu": (1, 1.0, 0.0), "squared-relu": (2, 1.0, 0.0)}
        named = isinstance(feature, str)
        degree, right, left = known[feature] if named else [feature[k] for k in ("degree", "right", "left")]
        self.degree, self.right, self.left = degree, Fraction(right), Fraction(left)
        self.Z = np.hstack([X, np.ones((len(X), 1))]) if problem["bias"] else X
        self.z = [[Fraction(float(v)) for v in row] for row in self.Z]
        self.y = [int(label) for label in y]
        self.p = [Fraction(float(v)) for v in document["adversary"]]
        half = problem["convention"] == "sphere" and degree == 1 and problem["norm"] == "f1"
        self.factor = Fraction(1, 2) if half else Fraction(1)
        self.nu = problem.get("nu")

    def sigma(self, u: Fraction) -> Fraction:
        return self.right * u**self.degree if u > 0 else self.left * (-u) ** self.degree

    def payoff_square(self, a: Vector) -> Fraction:
        """(factor g(a) / |a|^degree)^2."""
        g = sum(p * y * self.sigma(dot(a, z)) for p, y, z in zip(self.p, self.y, self.z, strict=True) if p)
        return (self.factor * g) ** 2 / dot(a, a) ** self.degree

    def allowed_square(self, upper: float) -> Fraction:
        """What a neuron may be paid at most: (upper sum p)^2."""
        return (Fraction(upper) * sum(self.p)) ** 2


def dot(a: Vector, b: Vector) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))


def root_above(square: Fraction) -> Fraction:
    """At least the root, within 2**-100 of it."""
    if square == 0:
        return Fraction(0)
    shift = 110 - (square.numerator.bit_length() - square.denominator.bit_length()) // 2
    return (math.isqrt(math.ceil(square * Fraction(4) ** shift)) + 1) / Fraction(2) ** shift


def lower_end(document: dict[str, Any], exact: Exact) -> str | None:
    """The classifier's margin over its norm, in fractions, is at least `lower` (F1)."""
    if document["lower"] == 0.0:
        return None
    atoms = [[Fraction(float(v)) for v in row] for row in document["classifier"]["directions"]]
    weights = [Fraction(float(w)) for w in document["classifier"]["weights"]]
    margins = sorted(
        y * sum(w * exact.sigma(dot(a, z)) for w, a in zip(weights, atoms, strict=True))
        for y, z in zip(exact.y, exact.z, strict=True)
    )
    lengths = [root_above(dot(a, a)) if exact.degree == 1 else dot(a, a) for a in atoms]
    norm = sum(abs(w) * length for w, length in zip(weights, lengths, strict=True))
    least = exact.factor * worst(margins, exact.nu)
    # the root is above by 2**-100, and a lower end that is attained to the last bit would otherwise be refused
    if least < Fraction(document["lower"]) * norm * (1 - Fraction(1, 2**90)):
        return f"lower: the classifier reaches {float(least / norm)!r}"
    return None


def worst(margins: list[Fraction], nu: float | None) -> Fraction:
    """The smallest, or the mean of the worst fraction nu."""
    share = Fraction(1) if nu is None else max(Fraction(1), Fraction(nu) * len(margins))
    whole = math.floor(share)
    rest = (share - whole) * margins[whole] if whole < len(margins) else Fraction(0)
    return (sum(margins[:whole], Fraction(0)) + rest) / share


def upper_end(document: dict[str, Any], exact: Exact, rng: np.random.Generator, directions: Any = None) -> str | None:
    """No neuron that an ascent, or an enumeration in fractions, finds is paid more than `upper` (F1)."""
    if document["upper"] is None:
        return None
    allowed = exact.allowed_square(document["upper"])
    found = np.asarray(directions, dtype=float) if directions is not None else ascent(exact, document, rng)
    candidates = [[Fraction(float(v)) for v in a] for a in found]
    if directions is None and exact.degree == 1 and len(exact.z[0]) <= 3 and len(exact.z) <= ENUMERATED:
        candidates += faces(exact)
    for a in candidates:
        if any(a) and exact.payoff_square(a) > allowed:
            paid = float(root_above(exact.payoff_square(a)) / sum(exact.p))
            return f"upper: the neuron {[float(v) for v in a]} is paid {paid!r}"
    return None


def faces(exact: Exact) -> list[Vector]:
    """Maximisers of all faces of all sign patterns (degree 1, D <= 3), feasible or not."""
    D, found = len(exact.z[0]), []
    q = [p * y for p, y in zip(exact.p, exact.y, strict=True)]
    for pattern in product((exact.right, -exact.left), repeat=len(q)):
        v = [sum(w * side * z[d] for w, side, z in zip(q, pattern, exact.z, strict=True)) for d in range(D)]
        found.append(v)
        for z in exact.z:
            if square := dot(z, z):
                t = dot(v, z) / square
                found.append([x - t * u for x, u in zip(v, z, strict=True)])
    if D == 3:
        found += [[a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
                  for a, b in combinations(exact.z, 2)]  # fmt: skip
    return found + [[-x for x in a] for a in found]


def ascent(exact: Exact, document: dict[str, Any], rng: np.random.Generator) -> Array:
    """Directions that random ascent finds, and the best three of the classifier's own neurons."""
    Z, q = exact.Z, np.array(document["adversary"]) * np.array(exact.y)
    right, left, k = float(exact.right), float(exact.left), exact.degree
    own = np.array(document["classifier"]["directions"], dtype=float).reshape(-1, Z.shape[1])
    # starts on the scale of the points, too: the best neurons of tiny features are nearly orthogonal to the bias
    frame = rng.normal(size=(ATTACKS, len(Z))) @ (Z / np.maximum(np.abs(Z).max(axis=0), 1e-300) ** 2)
    A = np.vstack([own, rng.normal(size=(ATTACKS, Z.shape[1])), frame])
    A = A[np.abs(A).max(axis=1) > 0.0]

    def unit(B: Array) -> Array:
        B = B / np.maximum(np.abs(B).max(axis=1, keepdims=True), 1e-300)
        return B / np.linalg.norm(B, axis=1, keepdims=True)

    def value(B: Array) -> Array:
        U = B @ Z.T
        return np.abs((right * np.maximum(U, 0.0) ** k + left * np.maximum(-U, 0.0) ** k) @ q)

    A = unit(A)
    for step in (1.0, 0.3, 0.1, 0.03, 0.01, 1e-3):
        U = A @ Z.T
        slopes = k * (right * np.maximum(U, 0.0) ** (k - 1) * (U > 0) - left * np.maximum(-U, 0.0) ** (k - 1) * (U < 0))
        g = (right * np.maximum(U, 0.0) ** k + left * np.maximum(-U, 0.0) ** k) @ q
        gradient = np.sign(g)[:, None] * ((slopes * q) @ Z)
        size = np.linalg.norm(gradient, axis=1, keepdims=True)
        moved = unit(A + step * gradient / np.where(size > 0.0, size, 1.0))
        better = value(moved) > value(A)
        A[better] = moved[better]
    return A[np.argsort(-value(A))[:3]]


def kernel_ends(document: dict[str, Any], exact: Exact, norm: str, law: str) -> str | None:
    """Both ends of a kernel bracket with Gram matrices of 60 digits and twice those that the margin is smaller by."""
    least = document["lower"] or document["upper"] or 1.0
    with mpmath.workdps(80 + math.ceil(2.2 * max(0.0, -math.log10(least)))):
        K = gram(exact, norm, law)
        n = len(exact.y)
        c = parts(document["classifier"], "coefficients")
        p = parts(document, "adversary")
        Kc = [mpmath.fsum(K[i, j] * c[j] for j in range(n)) for i in range(n)]
        square = mpmath.fsum(c[i] * Kc[i] for i in range(n))
        least = min(exact.y[i] * Kc[i] for i in range(n))
        claimed = document["lower"] * mpmath.sqrt(square) * (1 - mpmath.mpf(10) ** -40)
        if document["lower"] > 0.0 and least < claimed:
            return f"lower: the classifier reaches {mpmath.nstr(least / mpmath.sqrt(square), 20)}"
        q = [p[i] * exact.y[i] for i in range(n)]
        paid = mpmath.fsum(q[i] * q[j] * K[i, j] for i in range(n) for j in range(n))
        total = mpmath.fsum(p)
        rounding = mpmath.mpf(10) ** -70 * max(abs(v) for v in K)
        if paid > (document["upper"] * total) ** 2 * (1 + mpmath.mpf(10) ** -40) + rounding:
            return f"upper: the ball is paid {mpmath.nstr(mpmath.sqrt(paid) / total, 20)}"
    return None


def parts(document: dict[str, Any], name: str) -> list[Any]:
    """A vector with the further parts that the certificate may add."""
    rows = [document[name], *document.get(f"{name}_low", ())]
    return [mpmath.fsum(mpmath.mpf(float(row[i])) for row in rows) for i in range(len(rows[0]))]


def gram(exact: Exact, norm: str, law: str) -> Any:
    """E[sigma(a.z) sigma(a.z')], plus z.z' E[sigma'(a.z) sigma'(a.z')] for the tangent kernel."""
    n, D, k = len(exact.z), len(exact.z[0]), exact.degree
    z = [[mpmath.mpf(v.numerator) / v.denominator for v in row] for row in exact.z]
    right, left = (mpmath.mpf(v.numerator) / v.denominator for v in (exact.right, exact.left))
    K = mpmath.zeros(n)
    for i in range(n):
        for j in range(i + 1):
            A, B, G = (mpmath.fsum(a * b for a, b in zip(z[s], z[t], strict=True)) for s, t in ((i, i), (j, j), (i, j)))
            total = mpmath.mpf(0)
            if norm == "f2" or k == 1:
                total += product_moment(k, (right, left), (A, B, G), scale(k, D, law))
            if norm == "ntk":
                total += G * product_moment(k - 1, (k * right, -k * left), (A, B, G), scale(k - 1, D, law))
            K[i, j] = K[j, i] = total
    return K


def scale(k: int, D: int, law: str) -> Any:
    return mpmath.mpf(1) if law == "gaussian" else mpmath.mpf(1) / [1, D, D * (D + 2)][k]


def product_moment(k: int, sides: tuple[Any, Any], products: tuple[Any, Any, Any], factor: Any) -> Any:
    right, left = sides
    A, B, G = products
    return factor * ((right**2 + left**2) * moment(k, A, B, G) + 2 * right * left * moment(k, A, B, -G))


def moment(k: int, A: Any, B: Any, G: Any) -> Any:
    """E[(a.z)_+^k (a.z')_+^k] for a Gaussian a."""
    if A == 0 or B == 0:
        return mpmath.mpf(0)
    h = mpmath.sqrt(max(A * B - G * G, mpmath.mpf(0)))
    psi = mpmath.pi - mpmath.atan2(h, G)
    if k == 0:
        return psi / (2 * mpmath.pi)
    if k == 1:
        return (h + psi * G) / (2 * mpmath.pi)
    return (3 * h * G + psi * (A * B + 2 * G * G)) / (2 * mpmath.pi)
