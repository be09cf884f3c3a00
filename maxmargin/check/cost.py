"""Time and memory of a check, estimated from the document alone.

The constants are seconds on one core of 2020 or later, measured on certificates of D = 3 to 6 and rounded up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

_RAY, _SIGN = 1e-5, 1.5e-7  # seconds per ray, and per sign of a ray
_FACE, _CELL = 6e-7, 6e-6  # seconds per face around a ray (3^(r-1) faces, degree 1), per cell (2^r cells, degree 2)
_PAIR = 2.5e-5  # seconds per entry of a Gram matrix, in 160 bits and sometimes more
_PRODUCT = 2e-9  # seconds per multiplication inside a matrix product or a Cholesky factorisation
_SPAN = 1.0  # products for each of the D R^2 of a basis of R vectors, with its errors
_EXACT = 6e-8  # seconds per product of two floats as integers (margins computed again exactly)
_NUMBER, _NUMBER_BYTES = (
    1e-6,
    60.0,
)  # seconds and bytes per number of the proof: to read it, and to hold it as an object
_START = 0.01
_PAIR_BYTES, _BATCH_BYTES = 2_000.0, 200e6


@dataclass(frozen=True)
class Cost:
    """Expected seconds and bytes of a check; inf where it would be declined."""

    seconds: float
    bytes: float


def expected_cost(certificate: dict[str, Any]) -> Cost:
    """Cost of `check_certificate` for a valid document; nearly zero for anything else, which is refused early."""
    try:
        return _of(certificate)
    except (KeyError, TypeError, ValueError, AttributeError):
        return Cost(_START, 0.0)


def _of(document: dict[str, Any]) -> Cost:
    problem = document["problem"]
    n, D = int(problem["n"]), int(problem["d"]) + bool(problem["bias"])
    support = sum(weight != 0 for weight in document["adversary"])
    if problem["norm"] != "f1":
        pairs = zip(document["adversary"], document["classifier"]["coefficients"], strict=True)
        support = sum(any(pair) for pair in pairs)
        return Cost(_START + _PAIR * n * support, _PAIR_BYTES * min(n * support, 50_000) + 300.0 * n * D)
    atoms = len(document["classifier"]["weights"])
    exactly = _EXACT * (support + 1.0) * atoms * D
    lower = Cost(_START + _PRODUCT * 4.0 * n * atoms * D + exactly, 8.0 * (n * D + 3.0 * min(n * atoms, 1 << 20)))
    if document["scope"] == "dictionary":
        size = len(document.get("dictionary") or ()) * float(support)
        return Cost(lower.seconds + _PRODUCT * 4.0 * size * D, lower.bytes + 40.0 * size)
    proof = document.get("proof")
    upper = _enumeration(support, D, problem) if proof is None else _proof(proof, support, D)
    return Cost(lower.seconds + upper.seconds, lower.bytes + upper.bytes)


def _enumeration(support: int, D: int, problem: dict[str, Any]) -> Cost:
    r = min(support, D)
    rays = math.comb(support, max(r - 1, 0))
    feature = problem["feature"]
    quadratic = feature == "squared-relu" or (isinstance(feature, dict) and feature.get("degree") == 2)
    around = _CELL * 2.0**r * (r / 3.0) ** 2 if quadratic else _FACE * 3.0 ** (r - 1)
    return Cost(rays * (_RAY + _SIGN * support + around), _BATCH_BYTES if rays > 1000 else 1e7)


def _proof(proof: dict[str, Any], support: int, D: int) -> Cost:
    # with fewer points than coordinates, the check works in their span
    if proof["kind"] == "spectral":
        R = min(D, support)
        return Cost(_PRODUCT * (20.0 * (R**3 + support * R * R) + _SPAN * D * R * R), 100.0 * D * (R + support))
    N = len(proof["support"])
    R = min(D, N)
    seconds, largest, stack = _PRODUCT * _SPAN * D * R * R, 0.0, [(tree["tree"], 0) for tree in proof["trees"]]
    while stack:
        node, depth = stack.pop()
        if "value" in node:
            forms, order = len(node["mu"]), 1.0 + R + N
            length = D if "omega" in node else N
            seconds += (
                _PRODUCT * (10.0 * (forms * forms * order + order**3) + forms * length * R) + _NUMBER * forms * length
            )
            largest = max(largest, 100.0 * forms * forms + _NUMBER_BYTES * forms * length)
        else:
            stack += [(node["plus"], depth + 1), (node["minus"], depth + 1)]
    return Cost(seconds, largest)
