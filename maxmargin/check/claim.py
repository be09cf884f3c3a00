"""Reading a certificate: its claim, its data, and whether it is complete and consistent with itself."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ..errors import InputError
from .fields import Array, choice, field, number, numbers, shown
from .verdict import Refusal

FORMAT, VERSION = "maxmargin-certificate", 1
NORMS, CONVENTIONS, WEIGHTS = ("f1", "f2", "ntk"), ("sphere", "path"), ("sphere", "gaussian")
SCOPES = {"f1": ("sphere-exact", "sphere-bound", "dictionary"), "f2": ("kernel",), "ntk": ("kernel",)}
STATUSES = ("certified", "bracketed", "not-separable", "interrupted")
# name -> degree, right, left of sigma(u) = right (u)_+^degree + left (-u)_+^degree, restated on purpose
FEATURES = {"relu": (1, 1.0, 0.0), "squared-relu": (2, 1.0, 0.0)}
ROUNDED = 1e-6  # how far the mean and the deviation of a standardised column may be off; no bound depends on it
UNIT = 1e-9  # how far "unit norm" and "sum 1" may be off; the exact checks divide by the actual values


@dataclass(frozen=True)
class Activation:
    """sigma(u) = right (u)_+^degree + left (-u)_+^degree, by value."""

    degree: int
    right: float
    left: float


@dataclass(frozen=True)
class Claim:
    """A structurally sound certificate with its data.

    Attributes
    ----------
    Z : (n, D) what the activation sees.  y : (n,) labels +-1.
    directions, weights : F1 classifier, (K, D) and (K,); None for kernels.
    coefficients : kernel classifier, (parts, n) whose rows add up to it; None for F1.
    p : (n,) adversary, and p_parts : (parts, n) rows that add up to it, p first.
    factor : 1/2 for degree 1 in the sphere convention of F1, else 1.
    norm, law, scope, status, nu : as the certificate states them.
    lower, upper, gap, tol : its numbers; upper is inf when it claims none, a fraction when another claim implies it.
    proof : its dual multipliers.  dictionary_sha256 : of the directions of scope "dictionary".
    """

    norm: str
    activation: Activation
    law: str
    factor: float
    scope: str
    status: str
    lower: float
    upper: float | Fraction
    gap: float | None
    tol: float
    Z: Array
    y: Array
    directions: Array | None
    weights: Array | None
    coefficients: Array | None
    p: Array
    p_parts: Array
    proof: dict[str, Any] | None
    dictionary_sha256: str | None
    nu: float | None = None  # of a soft margin


def unit_square(claim: Claim) -> Fraction:
    """The square of the largest value of a function of the norm's unit ball on a point with |z| = 1.

    F1: that of one neuron. Kernels: K(z, z) = (right^2 + left^2) times E (a.z)_+^2 = 1/(2D) for degree 1 and
    E (a.z)_+^4 = 3/(2D(D+2)) for degree 2 (f2), P(a.z > 0) = 1/2 more or E (2 (a.z)_+)^2 = 2/D instead (ntk); D and
    D + 2 are 1 for Gaussian a.
    """
    degree, D = claim.activation.degree, claim.Z.shape[1]
    right, left = Fraction(claim.activation.right), Fraction(claim.activation.left)
    if claim.norm == "f1":
        return (Fraction(claim.factor) * max(abs(right), abs(left))) ** 2
    gaussian = claim.law == "gaussian"
    second, fourth = Fraction(1, 2 if gaussian else 2 * D), Fraction(3, 2 if gaussian else 2 * D * (D + 2))
    if claim.norm == "f2":
        return (right**2 + left**2) * (second if degree == 1 else fourth)
    return (right**2 + left**2) * (second + Fraction(1, 2) if degree == 1 else 4 * second)


def data_hash(X: Array, y: Array) -> str:
    """SHA-256 of n and d (little-endian int64), X (little-endian float64, row by row) and y (int8)."""
    digest = hashlib.sha256(np.array(X.shape, dtype="<i8").tobytes())
    digest.update(np.ascontiguousarray(X, dtype="<f8").tobytes())
    digest.update(y.astype(np.int8).tobytes())
    return digest.hexdigest()


def read_data(X: Any, y: Any) -> tuple[Array, Array]:
    """The data as float arrays (n, d) and (n,); `InputError` when they are not labelled points."""
    try:
        X, y = np.array(X, dtype=float) + 0.0, np.array(y, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(f"data: X and y must be numbers ({error})") from error
    if len(values := np.unique(y)) == 2:
        y = np.where(y == values[1], 1.0, -1.0)
    if X.ndim != 2 or y.shape != X.shape[:1] or not X.size:
        raise InputError(f"data: found X of shape {X.shape} and y of shape {y.shape}, wanted (n, d) and (n,)")
    if not np.isfinite(X).all() or not np.isin(y, (-1.0, 1.0)).all():
        raise InputError("data: found a non-finite coordinate or a label other than -1 and +1; clean the data first")
    return X, y


def read_claim(document: dict[str, Any], X: Array, y: Array) -> Claim:
    """Every field of the contract with its type, length and range; `Refusal` names the first that is wrong."""
    problem = field(document, "problem", dict)
    norm = choice(problem, "norm", NORMS)
    activation = _activation(field(problem, "feature", (str, dict)))
    convention = choice(problem, "convention", CONVENTIONS)
    name = "law" if "law" in problem and "weights" not in problem else "weights"
    law = choice(problem, name, WEIGHTS) if norm != "f1" else "sphere"
    Z = np.hstack([X, np.ones((len(X), 1))]) if field(problem, "bias", bool) else X
    n, D = Z.shape
    classifier = field(document, "classifier", dict)
    directions = weights = coefficients = None
    if norm == "f1":
        weights = numbers(classifier, "weights", (None,))
        directions = numbers(classifier, "directions", (len(weights), D))
    else:
        coefficients = _parts(classifier, "coefficients", "coefficients_low", n)
    p_parts = _parts(document, "adversary", "adversary_low", n)
    if norm == "f1" and len(p_parts) > 1:
        raise Refusal("adversary_low: found in a certificate of norm 'f1', wanted in kernel certificates only")
    upper = math.inf if document.get("upper", 0.0) is None else number(document, "upper")
    return Claim(
        norm=norm,
        activation=activation,
        law=law,
        factor=0.5 if norm == "f1" and activation.degree == 1 and convention == "sphere" else 1.0,
        scope=choice(document, "scope", SCOPES[norm]),
        status=choice(document, "status", STATUSES),
        lower=number(document, "lower"),
        upper=upper,
        gap=None if document.get("relative_gap", 0.0) is None else number(document, "relative_gap"),
        tol=number(document, "tol"),
        Z=Z,
        y=y,
        directions=directions,
        weights=weights,
        coefficients=coefficients,
        p=p_parts[0],
        p_parts=p_parts,
        proof=field(document, "proof", dict) if document.get("proof") is not None else None,
        dictionary_sha256=document.get("dictionary_sha256"),
        nu=_fraction(problem, "nu"),
    )


def _fraction(problem: dict[str, Any], name: str) -> float | None:
    """A number above 0 and at most 1, or None where the margin is hard."""
    if problem.get(name) is None:
        return None
    value = number(problem, name)
    if not 0.0 < value <= 1.0:
        raise Refusal(f"{name}: found {value!r}, wanted a fraction of the points above 0 and at most 1")
    return value


def _parts(document: dict[str, Any], name: str, low: str, n: int) -> Array:
    """A vector (n,) and the further parts (k, n) that a certificate may add where doubles lose the margin."""
    first = numbers(document, name, (n,))[None, :]
    return np.concatenate([first, numbers(document, low, (None, n))]) if low in document else first


def check_data(document: dict[str, Any], X: Array, y: Array) -> str:
    """n, d and the hash of the certificate are those of the data."""
    problem = field(document, "problem", dict)
    for name, actual in zip(("n", "d"), X.shape, strict=True):
        if field(problem, name, int) != actual:
            raise Refusal(f"problem.{name}: the certificate says {shown(problem[name])}, the data have {actual}")
    digest = data_hash(X, y)
    if field(problem, "data_sha256", str) != digest:
        units = " of standardised data: standardise these" if problem.get("standardized") is True else ""
        raise Refusal(
            f"data: their hash is {digest[:12]}..., the certificate speaks of {problem['data_sha256'][:12]}...{units}"
        )
    check_units(problem.get("standardized", False), X)
    return f"n, d and the hash {digest[:12]}... are those of the certificate"


def check_units(standardized: Any, X: Array) -> None:
    """Data that the certificate calls standardised have columns of mean 0 and standard deviation 1 (or 0)."""
    if standardized not in (True, False):
        raise Refusal(f"problem.standardized: found {shown(standardized)}, wanted true or false")
    deviation = X.std(axis=0)
    if standardized and max(np.abs(X.mean(axis=0)).max(), np.minimum(deviation, abs(deviation - 1.0)).max()) > ROUNDED:
        raise Refusal("problem.standardized: the certificate says so, but a column has not mean 0 and deviation 1")


def check_structure(claim: Claim) -> str:
    """Unit directions, absolute weights summing to one, adversary in the simplex (to 1e-9), 0 <= lower <= upper."""
    if claim.p.min() < 0.0:
        raise Refusal(f"adversary: entry {int(claim.p.argmin())} is {claim.p.min()!r}, weights must be >= 0")
    if abs(claim.p.sum() - 1.0) > UNIT:
        raise Refusal(f"adversary: its weights sum to {claim.p.sum()!r}, not to 1")
    if claim.nu is not None and claim.p_parts.max() * claim.nu * len(claim.y) > 1.0 + UNIT and len(claim.y) > 1:
        most = 1.0 / (claim.nu * len(claim.y))
        raise Refusal(f"adversary: found a weight of {claim.p.max()!r}, wanted at most 1/(nu n) = {most!r}")
    if claim.nu is not None and len(claim.p_parts) > 1:
        raise Refusal("adversary_low: found with nu, wanted in certificates of hard margins only")
    if claim.directions is not None and claim.weights is not None:
        norms = np.linalg.norm(claim.directions, axis=1)
        if norms.size and np.abs(norms - 1.0).max() > UNIT:
            worst = int(np.abs(norms - 1.0).argmax())
            raise Refusal(f"classifier: direction {worst} has norm {norms[worst]!r}, not 1")
        if claim.lower > 0.0 and abs(np.abs(claim.weights).sum() - 1.0) > UNIT:
            raise Refusal(f"classifier: the absolute weights sum to {np.abs(claim.weights).sum()!r}, not to 1")
    if not 0.0 <= claim.lower <= claim.upper:
        raise Refusal(
            f"bracket: lower {claim.lower!r} and upper {claim.upper!r} are not ordered as 0 <= lower <= upper"
        )
    return f"n = {claim.Z.shape[0]}, D = {claim.Z.shape[1]}, all fields present, finite and normalised"


def _activation(feature: str | dict[str, Any]) -> Activation:
    if isinstance(feature, dict):
        degree = field(feature, "degree", int)
        if degree not in (1, 2):
            raise Refusal(f"problem.feature: degree {shown(degree)} is neither 1 nor 2")
        activation = Activation(degree, number(feature, "right"), number(feature, "left"))
        name = feature.get("name")
        if isinstance(name, str) and name in FEATURES and activation != Activation(*FEATURES[name]):
            raise Refusal(f"problem.feature: the coefficients are not those of {name!r}")
        return activation
    if feature not in FEATURES:
        raise Refusal(
            f"problem.feature: {shown(feature)} is none of {', '.join(FEATURES)}; "
            "store others with degree, right and left"
        )
    return Activation(*FEATURES[feature])
