"""The relative gap and the status that follow from a bracket.

The margin is zero if the supported features are dependent with weights >= 0, which is decided in fractions:
gamma = 0 means ``sum_i p_i y_i sigma(a.z_i) = 0`` for every a.  Across the hyperplane of each line through the origin
the kinks must cancel, and what has no kink must cancel as a whole: with e on the line of z_i = t_i e,

    degree 1:  sum p_i y_i |t_i| = 0  on each line,        sum p_i y_i s_i z_i      = 0,   s_i = -left, right
    degree 2:  sum p_i y_i t_i |t_i| = 0  on each line,    sum p_i y_i s_i z_i z_i' = 0,   s_i = left, right

(s_i for t_i > 0 and t_i < 0).  A sigma without a kink (u or u^2) is free of the first condition, and a finite
dictionary, which need not tell two functions apart, of both.  Kernels of such functions inherit them.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from .claim import Activation, Claim, unit_square
from .exact import Array, Integers, integers
from .verdict import Refusal

ATTAINED = 1e-6  # relative gap at which the classifier shows that a dual bound is attained
NEAR = 1e-12  # a screen in floats: pairs with |cos| below 1 - NEAR are on different lines
LARGEST = 100  # largest number of points of a system in fractions


def check_dependence(claim: Claim) -> None:
    """`Refusal` unless some weights on the adversary's points make its function zero."""
    support = np.flatnonzero(claim.p)
    Z, y = claim.Z[support], [int(label) for label in claim.y[support]]
    activation = claim.activation
    if claim.scope == "dictionary" or not Z.any(axis=1).all() or activation.right == activation.left == 0.0:
        return
    points = integers(Z)[0]
    lines = _lines(Z, points) if _has_kink(activation) else np.zeros(len(y), dtype=int)
    if _has_kink(activation):
        if _contradiction(points, y, lines):
            return
        shared = _opposed(points, y, lines, activation.degree)
        points, y, lines, support = points[shared], [y[i] for i in shared], lines[shared], support[shared]
    if not y:
        raise Refusal(
            "status: 'not-separable' needs an adversary with a point at zero or two points that cancel on one line, "
            "but it has neither, so that some f has a positive payoff"
        )
    if len(y) > LARGEST:
        raise Refusal(f"status: 'not-separable' rests on {len(y)} points, more than the {LARGEST} that can be decided")
    weights = [Fraction(float(weight)) for weight in claim.p[support]]
    if not _cancels(_conditions(points, y, lines, activation), weights):
        raise Refusal("status: 'not-separable' needs weights that cancel exactly; no weights near the adversary's do")


def _has_kink(activation: Activation) -> bool:
    """sigma is neither linear (degree 1) nor a square (degree 2)."""
    return activation.right != (-activation.left if activation.degree == 1 else activation.left)


def _lines(Z: Array, points: Integers) -> NDArray[np.intp]:
    """The number of the line of each point: that of the first point on it."""
    units = Z / np.abs(Z).max(axis=1, keepdims=True)
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    lines = np.arange(len(Z))
    for i in range(len(Z)):
        for j in i + 1 + np.flatnonzero(~(np.abs(units[i + 1 :] @ units[i]) < 1.0 - NEAR)):
            z, w = points[i], points[j]
            if int(z @ z) * int(w @ w) == int(z @ w) ** 2:
                lines[j] = lines[i]
    return lines


def _contradiction(points: Integers, y: list[int], lines: NDArray[np.intp]) -> bool:
    """Two points on one ray with opposite labels: weights like 1/|z|^degree cancel whatever sigma is."""
    for line in np.unique(lines):
        here = np.flatnonzero(lines == line)
        sides = {(int(points[i] @ points[here[0]]) > 0, y[i]) for i in here}
        if any((side, -label) in sides for side, label in sides):
            return True
    return False


def _opposed(points: Integers, y: list[int], lines: NDArray[np.intp], degree: int) -> list[int]:
    """The points on lines whose kinks have both signs: elsewhere the weights must be zero."""
    opposed: list[int] = []
    for line in np.unique(lines):
        here = np.flatnonzero(lines == line)
        votes = {y[i] if degree == 1 or int(points[i] @ points[here[0]]) > 0 else -y[i] for i in here}
        opposed += here.tolist() if len(votes) > 1 else []
    return sorted(opposed)


def _conditions(
    points: Integers, y: list[int], lines: NDArray[np.intp], activation: Activation
) -> list[list[Fraction]]:
    """The rows of the linear system in p."""
    right, left, degree = Fraction(activation.right), Fraction(activation.left), activation.degree
    t = [int(points[i] @ points[np.flatnonzero(lines == lines[i])[0]]) for i in range(len(y))]
    rows = []
    if _has_kink(activation):
        for line in np.unique(lines):
            size = [abs(v) if degree == 1 else v * abs(v) for v in t]
            rows.append([Fraction(y[i] * size[i] if lines[i] == line else 0) for i in range(len(y))])
    sides = [right if v < 0 else (-left if degree == 1 else left) for v in t]
    D = points.shape[1]
    for a in range(D):
        for b in range(a, D) if degree == 2 else (None,):
            values = [int(z[a]) * (1 if b is None else int(z[b])) for z in points]
            rows.append([y[i] * sides[i] * values[i] for i in range(len(y))])
    return rows


def _cancels(rows: list[list[Fraction]], weights: list[Fraction]) -> bool:
    """Whether rows x = 0 has a solution x >= 0, x != 0: the weights where x is free, what follows elsewhere."""
    solved: dict[int, list[Fraction]] = {}
    for source in rows:
        row = list(source)
        for column, known in solved.items():
            if row[column]:
                factor = row[column]
                row = [a - factor * b for a, b in zip(row, known, strict=True)]
        pivot = next((column for column, value in enumerate(row) if value), None)
        if pivot is None:
            continue
        row = [value / row[pivot] for value in row]
        for column, known in solved.items():
            if known[pivot]:
                factor = known[pivot]
                solved[column] = [a - factor * b for a, b in zip(known, row, strict=True)]
        solved[pivot] = row
    free = [column for column in range(len(weights)) if column not in solved]
    return bool(free) and all(
        sum((row[column] * weights[column] for column in free), Fraction(0)) <= 0 for row in solved.values()
    )


def check_gap(claim: Claim) -> str:
    """relative_gap = (upper - lower) / upper, and 0 when both are 0."""
    if math.isinf(claim.upper):
        if claim.gap not in (None, 1.0):
            raise Refusal(f"relative_gap: found {claim.gap!r} although no upper end is claimed")
        return "no upper end is claimed, hence no gap"
    gap = 0.0 if claim.upper == claim.lower else (claim.upper - claim.lower) / claim.upper
    if claim.gap is None or abs(claim.gap - gap) > 1e-15 + 1e-9 * gap:
        raise Refusal(f"relative_gap: found {claim.gap!r}, but lower and upper give {gap!r}")
    return f"relative_gap = {gap:.3g} agrees with lower and upper"


def check_status(claim: Claim) -> str:
    """certified: gap <= tol; not-separable: both ends zero, for a reason; the others claim nothing more."""
    if not 0.0 <= claim.tol < 1.0:
        raise Refusal(f"tol: found {claim.tol!r}, wanted a relative gap in [0, 1)")
    if claim.status == "certified":
        if claim.gap is None or claim.gap > claim.tol:
            raise Refusal(f"status: 'certified' needs relative_gap <= tol, found {claim.gap!r} and tol {claim.tol!r}")
        if claim.scope == "dictionary" and claim.dictionary_sha256 is None:
            raise Refusal(
                "status: 'certified' in scope 'dictionary' needs the hash of the dictionary that was asked for"
            )
    if claim.status == "not-separable":
        soft = claim.nu is not None and claim.nu * len(claim.y) > 1.0
        # weights that cancel exactly may exceed the cap of a soft margin: there only an upper end of 0 is a proof
        zero = 0.0 if soft else _negligible(claim) * (1.0 + 1e-9)
        if claim.lower > 0.0 or claim.upper > zero:
            raise Refusal(
                f"status: 'not-separable' needs lower = 0, upper <= {zero:.3g}, found {claim.lower!r}, {claim.upper!r}"
            )
        check_dependence(claim)
    if claim.scope == "sphere-exact" and claim.proof is not None and (claim.gap is None or claim.gap > ATTAINED):
        raise Refusal(
            f"scope: a dual proof is 'sphere-exact' only if the lower end meets it, found relative_gap {claim.gap!r}"
        )
    return f"status {claim.status!r} follows from the gap, tol = {claim.tol:.3g} and scope {claim.scope!r}"


def _negligible(claim: Claim) -> float:
    """The payoff that counts as zero: 1e-12 of a bound over neurons, 1e-6 (a root) of a bound over the unit ball."""
    sizes = claim.p @ np.linalg.norm(claim.Z, axis=1) ** claim.activation.degree
    return float((1e-12 if claim.norm == "f1" else 1e-6) * math.sqrt(unit_square(claim)) * sizes)
