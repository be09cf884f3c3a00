"""Certified means checked: the referee checks a certificate before it is returned.

The check is run when its expected cost is below the time of the solve (or one second) and below a bound on memory.  A
certificate that the referee refuses is not issued: the bracket is widened until both agree.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace

from ..conventions import Array
from ..games.certificate import Certificate
from ..outcome import Attempt, Scope, Status

LEAST_SECONDS = 1.0  # a check of at most this many seconds is always made
MEMORY = 1e9  # bytes a check may use
OVERRUN = 2.0  # a check is given up after so many times `LEAST_SECONDS`, or when it has taken as long as the solve
WIDENINGS = (1e-12, 1e-9, 1e-6, 1e-3, math.inf)  # relative widenings of a refused end, tried in this order


def self_checked(certificate: Certificate, X: Array, y: Array, time_limit: float | None = None) -> Certificate:
    """The certificate with the referee's verdict, or with its bracket widened until the referee accepts it.

    Parameters
    ----------
    certificate : as a game issues it.
    X, y : its data (n, d) and labels +-1.
    time_limit : of the solve, in seconds; a check of more than a second may take only the time that is left.

    Returns
    -------
    Certificate : `checked` is True if the referee has accepted exactly these numbers, with `check_seconds`; a refusal,
        or a check that was given up, is among its `attempts`.
    """
    from ..check import check_certificate
    from ..check.cost import expected_cost

    left = math.inf if time_limit is None else time_limit - certificate.seconds
    allowed = max(LEAST_SECONDS, min(certificate.seconds, left))
    document = certificate.to_json()
    cost = expected_cost(document)
    if cost.seconds > allowed or cost.bytes > MEMORY:
        return certificate
    start = time.perf_counter()
    end = start + min(OVERRUN * allowed, max(OVERRUN * LEAST_SECONDS, allowed))
    attempts: list[Attempt] = []
    current, tried = certificate, {"lower": 0, "upper": 0, "status": len(WIDENINGS) - 1}
    while True:
        left = end - time.perf_counter()
        verdict = check_certificate(document, X, y, time_limit=max(left, 0.0))
        seconds = time.perf_counter() - start
        if verdict.holds or not (verdict.settled or attempts):
            word = () if verdict.holds else (Attempt("check", f"gave up: {verdict.reason}", seconds),)
            return _signed(current, verdict.holds, seconds, (*attempts, *word))
        # after a refusal, only a bracket that the referee accepts is issued
        attempts.append(Attempt("check", f"refused: {verdict.reason}", seconds))
        end_refused = verdict.checks[-1].name if verdict.checks else ""
        if left <= 0.0 or tried.get(end_refused, len(WIDENINGS)) >= len(WIDENINGS):
            return _signed(_bracket(certificate, 0.0, math.inf), False, seconds, tuple(attempts))
        factor = WIDENINGS[tried[end_refused]]
        tried[end_refused] += 1
        lower, upper = current.lower, current.upper
        if end_refused == "lower":
            lower = certificate.lower * (1.0 - factor) if factor < 1.0 else 0.0
        if end_refused == "upper":
            upper = certificate.upper * (1.0 + factor) if certificate.upper else math.inf
        current = _bracket(certificate, lower, upper)
        document = current.to_json()


def _bracket(certificate: Certificate, lower: float, upper: float) -> Certificate:
    """The certificate with these ends and the status that follows from them."""
    bracket = replace(certificate.bracket, lower=lower, upper=upper)
    if certificate.proof is not None and certificate.scope == Scope.SPHERE_EXACT:
        bracket = replace(bracket, scope=Scope.SPHERE_BOUND)
    status = certificate.status
    if status in (Status.CERTIFIED, Status.NOT_SEPARABLE):
        status = Status.CERTIFIED if bracket.relative_gap <= certificate.tol else Status.BRACKETED
    return replace(certificate, bracket=bracket, status=status)


def _signed(certificate: Certificate, checked: bool, seconds: float, attempts: tuple[Attempt, ...]) -> Certificate:
    """The certificate with the referee's verdict, and with its refusals among the attempts."""
    everyone = (*certificate.attempts, *attempts)
    return replace(certificate, checked=checked, check_seconds=seconds, attempts=everyone)
