"""Finitely many neurons in exact arithmetic: the F1 lower bound, and the upper bound of scope "dictionary".

    lower:  factor * min_i y_i sum_k w_k sigma(a_k.z_i)  >=  lower * sum_k |w_k| |a_k|^degree
    upper:  factor * |sum_i p_i y_i sigma(a_k.z_i)|  <=  upper * sum_i p_i * |a_k|^degree   for each direction a_k

Both sides are integers times powers of two, except |a_k|: its square is one, and the root is rounded outward.
"""

from __future__ import annotations

import hashlib
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from . import soft
from .claim import Activation, Array, Claim
from .exact import Integers, exact_sum, integers, power_of_two, relative_error, sqrt_above
from .verdict import Refusal

BLOCK = 1 << 20  # pre-activations held at once


def check_lower(claim: Claim) -> str:
    """The classifier's own margin, recomputed without rounding, reaches the claimed lower end."""
    if claim.directions is None or claim.weights is None:
        raise Refusal("classifier: a finite measure over neurons was expected")
    if claim.lower == 0.0:
        return "lower = 0 holds for every data set (f = 0)"
    norm = sum(
        (
            abs(Fraction(float(w))) * length_above(a, claim.activation.degree)
            for w, a in zip(claim.weights, claim.directions, strict=True)
        ),
        Fraction(0),
    )
    if claim.nu is None:
        rows = _doubtful(claim, float(Fraction(claim.lower) * norm / Fraction(claim.factor)))
        margin, worst = _least_margin(claim, rows)
    else:
        rows = np.arange(len(claim.y))
        margin, worst = _mean_of_the_worst(claim)
    if margin < Fraction(claim.lower) * norm:
        reached = float(margin / norm) if norm else 0.0
        raise Refusal(
            f"lower: the classifier reaches {reached:.17g} (at point {worst}), below the claimed {claim.lower!r}"
        )
    return f"the classifier's margin is at least {claim.lower!r} ({len(rows)} of {len(claim.y)} points exactly)"


def _doubtful(claim: Claim, wanted: float) -> NDArray[np.intp]:
    """Points that floats, with their error bound, do not put above the margin `wanted`; at least one point."""
    activation, (K, D) = claim.activation, claim.directions.shape if claim.directions is not None else (0, 0)
    A, w, degree = np.asarray(claim.directions), np.asarray(claim.weights), activation.degree
    size = max(abs(activation.right), abs(activation.left))
    doubtful = []
    for start in range(0, len(claim.y), max(1, BLOCK // max(1, K))):
        rows = slice(start, start + max(1, BLOCK // max(1, K)))
        U = claim.Z[rows] @ A.T
        margins = claim.y[rows] * (sigma(activation, U) @ w)
        reach = (np.abs(claim.Z[rows]) @ np.abs(A).T) ** degree @ np.abs(w)
        # K products of degree pre-activations, D terms each, and the coefficient
        errors = relative_error(4 * (K + degree * D) + 20) * (size * reach + abs(wanted)) + 1e-300
        doubtful.append(start + np.flatnonzero(~(margins - errors > wanted)))
    found = np.concatenate(doubtful)
    return found if len(found) else np.zeros(1, dtype=np.intp)


def _least_margin(claim: Claim, rows: NDArray[np.intp]) -> tuple[Fraction, int]:
    """The smallest margin among some points, without rounding, and where."""
    weights, weight_exponent = integers(np.asarray(claim.weights))
    least, worst = None, 0
    step = max(1, BLOCK // (16 * max(1, len(weights))))
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        features, exponent = exact_features(claim.activation, np.asarray(claim.directions), claim.Z[part])
        outputs = (weights @ features) * claim.y[part].astype(int).astype(object)
        k = int(np.argmin(outputs))
        margin = Fraction(claim.factor) * int(outputs[k]) * power_of_two(exponent + weight_exponent)
        if least is None or margin < least:
            least, worst = margin, int(part[k])
    return least or Fraction(0), worst


def _mean_of_the_worst(claim: Claim) -> tuple[Fraction, int]:
    """The soft margin of the classifier without rounding, and the point of the smallest margin."""
    weights, weight_exponent = integers(np.asarray(claim.weights))
    features, exponent = exact_features(claim.activation, np.asarray(claim.directions), claim.Z)
    outputs = (weights @ features) * claim.y.astype(int).astype(object)
    unit = Fraction(claim.factor) * power_of_two(exponent + weight_exponent)
    return soft.worst(outputs, claim.nu) * unit, int(np.argmin(outputs))


def sigma(activation: Activation, U: Array) -> Array:
    k = activation.degree
    return np.asarray(activation.right * np.maximum(U, 0.0) ** k + activation.left * np.maximum(-U, 0.0) ** k)


def check_dictionary(claim: Claim, directions: Array | None) -> str:
    """No neuron of the given dictionary is paid more than `upper`, and the classifier uses no other neuron."""
    if directions is None:
        raise Refusal("upper: scope 'dictionary' can only be checked with its directions (--directions)")
    directions = np.asarray(directions, dtype=float)
    if directions.ndim != 2 or directions.shape[1] != claim.Z.shape[1] or not np.isfinite(directions).all():
        raise Refusal(f"directions: found shape {directions.shape}, wanted (K, {claim.Z.shape[1]}) finite numbers")
    if dictionary_hash(directions) != claim.dictionary_sha256:
        raise Refusal("directions: their hash is not the certificate's dictionary_sha256")
    _check_atoms(claim, directions)
    bound = Fraction(claim.upper) * exact_sum(claim.p) / Fraction(claim.factor)
    undecided = _undecided(claim, directions, float(bound))
    for k in undecided:
        payoff = abs(exact_payoff(claim.activation, directions[k], claim.Z, claim.p * claim.y))
        square = sum((Fraction(float(v)) ** 2 for v in directions[k]), Fraction(0))
        if payoff * payoff > bound * bound * square**claim.activation.degree:
            raise Refusal(f"upper: direction {k} of the dictionary is paid more than the claimed {claim.upper!r}")
    return f"none of {len(directions)} directions is paid more than {claim.upper!r} ({len(undecided)} compared exactly)"


def dictionary_hash(directions: Array) -> str:
    """SHA-256 of the shape (little-endian int64) and the directions (little-endian float64, row by row)."""
    digest = hashlib.sha256(np.array(directions.shape, dtype="<i8").tobytes())
    digest.update(np.ascontiguousarray(directions, dtype="<f8").tobytes())
    return digest.hexdigest()


def exact_features(activation: Activation, directions: Array, Z: Array) -> tuple[Integers, int]:
    """sigma(a_k . z_i) as integers (K, n) times a power of two."""
    A, a_exponent = integers(directions)
    points, z_exponent = integers(Z)
    U = A @ points.T
    (right, left), s_exponent = integers(np.array([activation.right, activation.left]))
    positive, negative = np.maximum(U, 0), np.maximum(-U, 0)
    values = right * positive**activation.degree + left * negative**activation.degree
    return values, activation.degree * (a_exponent + z_exponent) + s_exponent


def exact_payoff(activation: Activation, a: Array, Z: Array, q: Array) -> Fraction:
    """g(a) = sum_i q_i sigma(a.z_i) without rounding."""
    features, exponent = exact_features(activation, a[None, :], Z)
    weights, q_exponent = integers(q)
    return int((features @ weights)[0]) * power_of_two(exponent + q_exponent)


def length_above(a: Array, degree: int) -> Fraction:
    """|a|^degree, rounded up by less than 2**-120."""
    whole, exponent = integers(a)
    square = int(whole @ whole) * power_of_two(2 * exponent)
    return square if degree == 2 else sqrt_above(square)


def _undecided(claim: Claim, directions: Array, bound: float) -> list[int]:
    """Directions whose payoff floating point, with its error bound, cannot tell from the bound times |a|^degree."""
    support = np.flatnonzero(claim.p)
    Z, q, degree = claim.Z[support], (claim.p * claim.y)[support], claim.activation.degree
    U = directions @ Z.T
    values = sigma(claim.activation, U)
    lengths = np.linalg.norm(directions, axis=1) ** degree
    reach = (np.abs(directions) @ np.abs(Z).T) ** degree @ np.abs(q)
    size = max(abs(claim.activation.right), abs(claim.activation.left))
    error = relative_error(4 * (len(q) + degree * Z.shape[1]) + 20) * (size * reach + bound * lengths) + 1e-300
    return [int(k) for k in np.flatnonzero(~(np.abs(values @ q) + error < bound * lengths))]


def _check_atoms(claim: Claim, directions: Array) -> None:
    if claim.lower == 0.0 or claim.directions is None:
        return
    known = {row.tobytes() for row in directions + 0.0}
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    known |= {row.tobytes() for row in directions / np.where(lengths > 0.0, lengths, 1.0) + 0.0}
    for k, atom in enumerate(claim.directions + 0.0):
        if atom.tobytes() not in known:
            raise Refusal(f"classifier: direction {k} is not in the dictionary")
