"""The referee: `check_certificate` verifies a margin's bracket from its JSON and the data alone.

It shares no code with the rest of the package (NumPy, fractions and the package's `InputError` only): factors,
activations, kernels and enumerations are restated here, and every decision is made in exact arithmetic.

=================  ==============================================================================================
scope              how the upper end is proved
=================  ==============================================================================================
``sphere-exact``   all cells of the arrangement of the adversary's points are enumerated; on each the payoff is bounded
``sphere-bound``   the stored dual certificates are verified, and their cones cover the sphere
``dictionary``     every direction of the given dictionary is evaluated
``kernel``         ``p'YKYp`` in fixed point of 160 bits or more
=================  ==============================================================================================
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import InputError
from . import dictionary, kernel, norm
from .claim import FORMAT, VERSION, Array, Claim, check_data, check_structure, read_claim, read_data
from .fields import numbers, shown
from .soft import allowing_for_rounding
from .sphere import check_proof, check_sphere
from .status import check_gap, check_status
from .verdict import SECONDS, Check, Limits, NotSettled, Refusal, Verdict

_VERSIONS = {FORMAT: VERSION, norm.FORMAT: norm.VERSION}

__all__ = ["Check", "Verdict", "check_certificate"]


def check_certificate(
    certificate: Any,
    X: Any,
    y: Any,
    directions: Array | None = None,
    time_limit: float | None = SECONDS,
) -> Verdict:
    """Does the bracket of this certificate hold for these data?

    Parameters
    ----------
    certificate : the JSON document of ``maxmargin margin --json`` or ``maxmargin norm --json`` as parsed, the path of
        its file, or the `Certificate` or `MinimumNorm` itself.
    X, y : the data (n, d) and labels (n,), -1/+1 or any two numbers (the larger one is +1); for a norm the targets.
    directions : (K, D) the dictionary, for scope "dictionary"; by default the one that the certificate states.
    time_limit : seconds after which the verdict is "not settled"; None for no limit.

    Returns
    -------
    Verdict : holds or not, the reason, and one `Check` per line of argument.  A true claim that this
        checker cannot prove does not hold; its verdict says that it is not settled.

    Raises
    ------
    InputError : the document is no certificate of a known version, or the data are no labelled points.
    """
    document = _recognise(_document(certificate))
    checks: list[Check] = []
    limits = Limits(time_limit)
    try:
        # extreme numbers overflow to inf or nan in the float filters, which then decide nothing
        with np.errstate(all="ignore"):
            if document["format"] == norm.FORMAT:
                for step in norm.steps(document, *norm.read_values(X, y), limits):
                    _record(checks, *step)
            else:
                _check_margin(document, read_data(X, y), directions, checks, limits)
    except Refusal as refusal:
        return Verdict(False, str(refusal), tuple(checks), not isinstance(refusal, NotSettled))
    lower, upper = (math.inf if document[end] is None else float(document[end]) for end in ("lower", "upper"))
    what = "norm" if document["format"] == norm.FORMAT else "margin"
    return Verdict(True, f"{lower!r} <= {what} <= {upper!r} holds in scope {document['scope']!r}", tuple(checks))


def _check_margin(
    document: dict[str, Any], data: tuple[Array, Array], directions: Array | None, checks: list[Check], limits: Limits
) -> None:
    """A margin's certificate, argument by argument."""
    claim = _check_itself(document, *data, checks)
    _record(checks, "dictionary", "comparison", lambda: _check_stated(document))
    _check_bounds(claim, _stated(document) if directions is None else directions, checks, limits)


def _recognise(document: Any) -> dict[str, Any]:
    """The document, if it is of a kind and version that this checker knows; else `InputError`."""
    found = document.get("format") if isinstance(document, dict) else type(document).__name__
    if not isinstance(document, dict) or not isinstance(found, str) or found not in _VERSIONS:
        wanted = f"wanted format {FORMAT!r} (maxmargin margin --json) or {norm.FORMAT!r} (maxmargin norm --json)"
        raise InputError(f"certificate: found {shown(found)}, {wanted}")
    known, version = _VERSIONS[found], document.get("version")
    if isinstance(version, bool) or version != known:
        raise InputError(f"certificate: found version {shown(version)}, this checker knows {known}; update maxmargin")
    return document


def _document(certificate: Any) -> Any:
    """The JSON document: given as a dict, by an object with `to_json`, or in a file."""
    if hasattr(certificate, "to_json"):
        return certificate.to_json()
    if not isinstance(certificate, (str, os.PathLike)):
        return certificate
    try:
        with open(certificate, encoding="utf-8") as stream:
            return json.load(stream)
    except OSError as error:
        found = f"certificate {str(certificate)!r} cannot be read ({error.strerror})"
        raise InputError(f"{found}; name an existing JSON file") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"certificate {str(certificate)!r} is not JSON ({error})") from None


def _check_itself(document: dict[str, Any], X: Array, y: Array, checks: list[Check]) -> Claim:
    """Checks of data, structure, gap and status, before any proof is verified."""
    _record(checks, "data", "SHA-256", lambda: check_data(document, X, y))
    _record(checks, "structure", "comparison", lambda: check_structure(read_claim(document, X, y)))
    claim = read_claim(document, X, y)
    _record(checks, "relative gap", "comparison", lambda: check_gap(claim))
    _record(checks, "status", "comparison, exact integers", lambda: check_status(claim))
    return claim


def _stated(document: dict[str, Any]) -> Array | None:
    """The dictionary that the certificate itself states, if it does; its hash is checked with the rest."""
    return None if document.get("dictionary") is None else numbers(document, "dictionary", (None, None))


def _check_stated(document: dict[str, Any]) -> str:
    directions = _stated(document)
    return "none is stated" if directions is None else f"{len(directions)} directions are stated"


def _check_bounds(claim: Claim, directions: Array | None, checks: list[Check], limits: Limits) -> None:
    claim = allowing_for_rounding(claim)
    if claim.norm != "f1":
        images = kernel.Images(claim, limits)
        _record(checks, "lower", "fixed point, 160 bits or more", lambda: kernel.check_lower(images))
        if not math.isinf(claim.upper):
            _record(checks, "upper", "fixed point, 160 bits or more", lambda: kernel.check_upper(images))
        return
    _record(checks, "lower", "exact integers", lambda: dictionary.check_lower(claim))
    if math.isinf(claim.upper):
        return
    arithmetic = "floats with rigorous error bounds, exact integers where they cannot decide"
    if claim.scope == "dictionary":
        _record(checks, "upper", arithmetic, lambda: dictionary.check_dictionary(claim, directions))
    elif claim.proof is not None:
        proof, arithmetic = claim.proof, "Cholesky factors with Rump's error bound"
        _record(checks, "upper", arithmetic, lambda: check_proof(claim, proof, limits))
    else:
        _record(checks, "upper", arithmetic, lambda: check_sphere(claim, limits))


def _record(checks: list[Check], name: str, arithmetic: str, argument: Callable[[], str]) -> None:
    """Run one argument and write its line; a `Refusal` writes a failing line and ends the check."""
    try:
        checks.append(Check(name, True, argument(), arithmetic))
    except Refusal as refusal:
        checks.append(Check(name, False, str(refusal), arithmetic))
        raise
