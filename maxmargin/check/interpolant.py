"""The upper end of a minimum norm: a function that meets all targets within the tube, with its norm.

The stated function f meets them up to rounding.  What it misses, r_k at the m distinct points, other functions of the
same space add, first one of nearly these values, then for the rest r' one by

    F1:  norm <= |r'|_1 max_k sum_j |a_j|^degree |W_jk| / (1 - delta),   |1 - Phi W|_1 <= delta < 1
    F2:  norm <= |r'|_2 / sqrt(lambda),                                  K - lambda I positive semidefinite,

where Phi_kj is what a unit weight on neuron j adds at point k; or, where points depend on each other, by a combination
of neurons with exactly these values in fractions.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from . import kernel
from .claim import Claim
from .dictionary import exact_features, length_above, sigma
from .exact import Array, integers, power_of_two, relative_error, sqrt_above
from .semidefinite import lacking
from .verdict import Limits, NotSettled, Refusal

HELPERS = 4  # random neurons a point, besides those of the function and those with a kink at a point of the plane
EXACT_WORK = 5_000_000  # products of integers: some seconds
MOST_RATIONAL = 40  # points that are eliminated in fractions
STEPS = 3  # of refinement of a kernel function


def check_variation(claim: Claim, targets: Array, upper: float, tube: Fraction, limits: Limits) -> str:
    """A measure that meets the targets has total variation at most `upper`."""
    A, w = np.asarray(claim.directions), np.asarray(claim.weights)
    points, ends = _tubes(claim.Z, targets, tube)
    norm = _total_variation(A, w, claim.activation.degree)
    wanted = [_outside(value, *end) for value, end in zip(_values(claim, A, w, points), ends, strict=True)]
    used = np.asarray(points.any(axis=1))  # all functions vanish at 0
    if any(r for r, inside in zip(wanted, used, strict=True) if not inside):
        raise Refusal("upper: a point at zero has a target outside of the tube, which no function meets")
    points, wanted = points[used], [r for r, inside in zip(wanted, used, strict=True) if inside]
    missed = sum(1 for r in wanted if r)
    if missed:
        limits.demand()
        norm += _added(claim, A, points, wanted, limits)
    if norm > Fraction(upper):
        raise Refusal(f"upper: the function that meets the targets has norm {float(norm):.17g}, above {upper!r}")
    return f"a function of norm at most {upper!r} meets all targets ({missed} of {len(ends)} after a correction)"


def check_kernel(claim: Claim, targets: Array, upper: float, tube: Fraction, limits: Limits) -> str:
    """A kernel expansion that meets the targets has norm at most `upper`."""
    rows = np.unique(claim.Z, axis=0, return_index=True)[1]
    ends = _tubes(claim.Z, targets, tube)[1]
    parts, K, least = np.asarray(claim.coefficients), np.empty((0, 0)), Fraction(0)
    norm, values = _expansion(claim, parts, rows, limits)
    for step in range(STEPS + 1):
        wanted = [_furthest(interval, *end) for interval, end in zip(values, ends, strict=True)]
        if not any(wanted):
            break
        if not step:
            K = _gram(claim, rows, limits)
            least = _least_eigenvalue(K)
        rest = sqrt_above(sum((r * r for r in wanted), Fraction(0)) / least)
        if norm + rest <= Fraction(upper) or step == STEPS:
            norm += rest
            break
        more = np.zeros((1, len(claim.Z)))
        more[0, rows] = np.linalg.solve(K, np.array([float(r) for r in wanted]))
        parts = np.concatenate([parts, more])
        norm, values = norm + _expansion(claim, more, rows, limits)[0], _expansion(claim, parts, rows, limits)[1]
    if norm > Fraction(upper):
        raise Refusal(f"upper: the function that meets the targets has norm {float(norm):.17g}, above {upper!r}")
    return f"a function of norm at most {upper!r} meets all targets (after {step} corrections)"


def _tubes(Z: Array, targets: Array, tube: Fraction) -> tuple[Array, list[tuple[Fraction, Fraction]]]:
    """The distinct points (m, D) and the interval that the value at each has to be in."""
    points, group = np.unique(Z, axis=0, return_inverse=True)
    group = group.reshape(-1)
    least, most = np.full(len(points), np.inf), np.full(len(points), -np.inf)
    np.minimum.at(least, group, targets)
    np.maximum.at(most, group, targets)
    ends = [(Fraction(float(b)) - tube, Fraction(float(a)) + tube) for a, b in zip(least, most, strict=True)]
    for k, (low, high) in enumerate(ends):
        if low > high:
            raise Refusal(f"upper: equal points {points[k].tolist()} have targets more than two tubes apart")
    return points, ends


def _outside(value: Fraction, low: Fraction, high: Fraction) -> Fraction:
    """What has to be added to a value to bring it into the interval."""
    return low - value if value < low else high - value if value > high else Fraction(0)


def _furthest(value: tuple[Fraction, Fraction], low: Fraction, high: Fraction) -> Fraction:
    """The same for a value that is known up to an interval: the larger of both additions."""
    return max((_outside(v, low, high) for v in value), key=abs)


def _total_variation(A: Array, w: Array, degree: int) -> Fraction:
    """sum_k |w_k| |a_k|^degree, rounded up."""
    both = zip(w, A, strict=True)
    return sum((abs(Fraction(float(v))) * length_above(a, degree) for v, a in both if v), Fraction(0))


def _values(claim: Claim, A: Array, w: Array, points: Array) -> list[Fraction]:
    """f at the points, without rounding."""
    features, exponent = exact_features(claim.activation, A, points)
    weights, unit = integers(w)
    scale = Fraction(claim.factor) * power_of_two(exponent + unit)
    return [int(value) * scale for value in weights @ features]


def _added(claim: Claim, A: Array, points: Array, wanted: list[Fraction], limits: Limits) -> Fraction:
    """The norm of a function with these values."""
    exponent, degree = int(np.frexp(np.abs(points).max())[1]), claim.activation.degree
    X = np.ldexp(points, -exponent)  # lengths near one, nothing is rounded
    A = np.vstack([A, _helpers(X)])
    Phi = sigma(claim.activation, X @ A.T)
    W = np.linalg.pinv(Phi)
    terms = relative_error(2 * (len(A) + degree * X.shape[1]) + 8)
    size = max(abs(claim.activation.right), abs(claim.activation.left))
    reach = size * (np.abs(X) @ np.abs(A).T) ** degree
    wrong = np.abs(np.eye(len(X)) - Phi @ W) + terms * (reach @ np.abs(W)) + 2.0**-51
    delta = float(wrong.sum(axis=0).max()) * (1.0 + relative_error(len(X) + 4))
    rest, scale = wanted, Fraction(claim.factor) * power_of_two(degree * exponent)
    if not delta < 0.5:
        return _in_fractions(claim, A, Phi, points, wanted)
    lengths = np.linalg.norm(A, axis=1) ** degree * (1.0 + terms)
    widest = Fraction(float((lengths @ np.abs(W)).max() * (1.0 + terms) / (1.0 - delta)) * (1.0 + 2.0**-50))
    norm = Fraction(0)
    if A.size * len(X) <= EXACT_WORK:
        limits.demand()
        largest = max(map(abs, wanted))
        weights = W @ np.array([float(r / largest) for r in wanted])
        w = weights * float(largest / scale)
        rest = [r - value for r, value in zip(wanted, _values(claim, A, w, points), strict=True)]
        norm = _total_variation(A, w, degree)
    return norm + sum(map(abs, rest), Fraction(0)) * widest / scale


def _helpers(X: Array) -> Array:
    """Neurons from which functions of small norm with given values are built; any are valid."""
    fresh = np.random.default_rng(0).standard_normal((HELPERS * len(X), X.shape[1]))
    fresh /= np.linalg.norm(fresh, axis=1, keepdims=True)
    if X.shape[1] != 2:
        return fresh
    across = np.column_stack([-X[:, 1], X[:, 0]]) / np.linalg.norm(X, axis=1, keepdims=True)
    return np.vstack([fresh, across, -across])


def _in_fractions(claim: Claim, A: Array, Phi: Array, points: Array, wanted: list[Fraction]) -> Fraction:
    """The norm of neurons A with exactly these values: elimination, on pivots that floats choose."""
    if len(points) > MOST_RATIONAL:
        raise NotSettled(f"upper: {len(points)} points that depend on each other are too many to settle in fractions")
    columns = _independent(Phi)
    features, exponent = exact_features(claim.activation, A[columns], points)
    scale = Fraction(claim.factor) * power_of_two(exponent)
    table = [[int(v) * scale for v in row] + [r] for row, r in zip(features.T, wanted, strict=True)]
    for k in range(len(columns)):
        best = max(range(k, len(table)), key=lambda i: abs(table[i][k]))
        table[k], table[best] = table[best], table[k]
        if not table[k][k]:
            raise NotSettled("upper: the points depend on each other in a way that floats misjudge")
        for i, row in enumerate(table):
            if i != k and row[k]:
                ratio = row[k] / table[k][k]
                table[i] = [a - ratio * b for a, b in zip(row, table[k], strict=True)]
    if any(row[-1] for row in table[len(columns) :]):
        raise NotSettled("upper: the values at points that depend on each other could not be met")
    weights = [abs(table[k][-1] / table[k][k]) for k in range(len(columns))]
    lengths = [length_above(a, claim.activation.degree) for a in A[columns]]
    return sum((w * length for w, length in zip(weights, lengths, strict=True)), Fraction(0))


def _independent(Phi: Array) -> NDArray[np.intp]:
    """Columns that span all others, as far as floats tell: the longest remainder first."""
    rest = Phi / (np.abs(Phi).max() or 1.0)
    chosen: list[int] = []
    first = float(np.linalg.norm(rest, axis=0).max(initial=0.0))
    while len(chosen) < len(Phi):
        lengths = np.linalg.norm(rest, axis=0)
        k = int(lengths.argmax())
        if lengths[k] <= 1e-9 * first:
            break
        chosen.append(k)
        q = rest[:, k] / lengths[k]
        rest = rest - np.outer(q, q @ rest)
    return np.array(chosen, dtype=np.intp)


def _expansion(
    claim: Claim, coefficients: Array, rows: kernel.Index, limits: Limits
) -> tuple[Fraction, list[tuple[Fraction, Fraction]]]:
    """sqrt(c'Kc), rounded up, and (K c)_i at these points between two fractions; c the sum of all parts (k, n)."""
    whole, exponent = integers(coefficients)
    c, unit = whole.sum(axis=0), power_of_two(exponent)
    image, _ = kernel.images(claim, np.stack([c, 0 * c], axis=1), kernel.FixedPoint(kernel.FIRST_BITS), limits)
    values = []
    for i in rows:
        low, high = ((int(image.values[i]) + sign * int(image.errors[i])) * image.unit * unit for sign in (-1, 1))
        values.append((low / image.two_pi(low >= 0), high / image.two_pi(high < 0)))
    return unit * sqrt_above(image.square(above=True) / image.two_pi(above=False)), values


def _gram(claim: Claim, rows: kernel.Index, limits: Limits) -> Array:
    """K at these points, each entry within three roundoffs."""
    K, fixed = np.empty((len(rows), len(rows))), kernel.FixedPoint(kernel.FIRST_BITS)
    step = max(1, kernel.BLOCK // len(rows))
    for start in range(0, len(rows), step):
        limits.demand()
        N, _, unit = kernel.gram(claim, rows[start : start + step], rows, fixed)
        K[start : start + step] = [[float(int(v) * unit) / (2.0 * math.pi) for v in row] for row in N]
    return 0.5 * (K + K.T)


def _least_eigenvalue(K: Array) -> Fraction:
    """A lower bound > 0 on the smallest eigenvalue of every matrix within the rounding of K."""
    least = 0.5 * float(np.linalg.eigvalsh(K)[0])
    for _ in range(60):
        if least <= 0.0:
            break
        error = 2.0**-50 * np.abs(K) + 2.0**-52 * least
        if lacking(K - least * np.eye(len(K)), error, lambda e: math.inf) == 0.0:
            return Fraction(least)
        least *= 0.5
    raise NotSettled("upper: no positive lower bound on the eigenvalues of the kernel matrix is proved")
