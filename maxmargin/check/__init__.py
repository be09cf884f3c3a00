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
from typing import Any

import numpy as np

from ..errors import InputError
from . import dictionary, kernel, norm
from .claim import FORMAT, VERSION, Array, Claim, check_data, check_structure, read_claim, read_data
from .fields import numbers, shown
from .limits import SECONDS, Limits
from .soft import allowing_for_rounding
from .sphere import check_proof, check_sphere
from .status import check_gap, check_status
from .verdict import Check, NotSettled, Refusal, Report, Verdict

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
    report, limits = Report(), Limits(time_limit)
    try:
        # extreme numbers overflow to inf or nan in the float filters, which then decide nothing
        with np.errstate(all="ignore"):
            if document["format"] == norm.FORMAT:
                held = norm.check_norm(document, *norm.read_values(X, y), report, limits)
            else:
                held = _check_margin(document, read_data(X, y), directions, report, limits)
    except Refusal as refusal:
        return Verdict(False, str(refusal), tuple(report.checks), not isinstance(refusal, NotSettled))
    return Verdict(True, held, tuple(report.checks))


def _check_margin(
    document: dict[str, Any], data: tuple[Array, Array], directions: Array | None, report: Report, limits: Limits
) -> str:
    """A margin's certificate, argument by argument; what holds."""
    claim = _check_itself(document, *data, report)
    report.record("dictionary", "comparison", lambda: _check_stated(document))
    _check_bounds(claim, _stated(document) if directions is None else directions, report, limits)
    return f"{claim.lower!r} <= margin <= {claim.upper!r} holds in scope {claim.scope!r}"


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


def _check_itself(document: dict[str, Any], X: Array, y: Array, report: Report) -> Claim:
    """Checks of data, structure, gap and status, before any proof is verified."""
    report.record("data", "SHA-256", lambda: check_data(document, X, y))
    report.record("structure", "comparison", lambda: check_structure(read_claim(document, X, y)))
    claim = read_claim(document, X, y)
    report.record("relative gap", "comparison", lambda: check_gap(claim))
    report.record("status", "comparison, exact integers", lambda: check_status(claim))
    return claim


def _stated(document: dict[str, Any]) -> Array | None:
    """The dictionary that the certificate itself states, if it does; its hash is checked with the rest."""
    return None if document.get("dictionary") is None else numbers(document, "dictionary", (None, None))


def _check_stated(document: dict[str, Any]) -> str:
    directions = _stated(document)
    return "none is stated" if directions is None else f"{len(directions)} directions are stated"


def _check_bounds(claim: Claim, directions: Array | None, report: Report, limits: Limits) -> None:
    claim = allowing_for_rounding(claim)
    if claim.norm != "f1":
        images = kernel.Images(claim, limits)
        report.record("lower", "fixed point, 160 bits or more", lambda: kernel.check_lower(images))
        if not math.isinf(claim.upper):
            report.record("upper", "fixed point, 160 bits or more", lambda: kernel.check_upper(images))
        return
    report.record("lower", "exact integers", lambda: dictionary.check_lower(claim))
    if math.isinf(claim.upper):
        return
    arithmetic = "floats with rigorous error bounds, exact integers where they cannot decide"
    if claim.scope == "dictionary":
        report.record("upper", arithmetic, lambda: dictionary.check_dictionary(claim, directions))
    elif claim.proof is not None:
        proof, arithmetic = claim.proof, "Cholesky factors with Rump's error bound"
        report.record("upper", arithmetic, lambda: check_proof(claim, proof, limits))
    else:
        report.record("upper", arithmetic, lambda: check_sphere(claim, limits))
