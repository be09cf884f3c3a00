"""What the worker processes compute. Every function takes a checked request and a progress, and returns plain JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from ..check import check_certificate
from ..film.encode import REACH, pack
from ..games.certificate import Certificate
from ..games.measure import Measure
from ..games.rkhs import KernelExpansion
from ..margins import max_margin
from ..plots import geometry
from ..plots.views import separable
from ..progress import Progress
from ..text import bracket_text, gap_text
from .limits import TOLERANCE
from .requests import Solve

GRID = 56  # nodes of a kernel classifier's map, each way


def solve(request: Solve, progress: Progress) -> dict[str, Any]:
    """Brackets, support and classifiers of the norms asked for; ``certificates`` stay on the server."""
    answers: dict[str, Any] = {}
    certificates: dict[str, Any] = {}
    for norm in request.norms:
        progress(norm)
        certificate = max_margin(request.data, norm, tol=TOLERANCE, time_limit=request.time_limit, progress=progress)
        progress(norm)
        answers[norm] = described(certificate, request.box)
        certificates[norm] = certificate.to_json()
    points = {"X": request.data.X, "y": request.data.y}
    return {"answer": {"solved": answers, "n": request.data.n}, "certificates": certificates, "data": points}


def described(certificate: Certificate, box: tuple[float, float, float, float]) -> dict[str, Any]:
    """A certificate as the page shows it; all numbers are the certificate's own."""
    answer: dict[str, Any] = {
        "lower": certificate.lower,
        "upper": certificate.upper if np.isfinite(certificate.upper) else None,
        "bracket": bracket_text(certificate.lower, certificate.upper),
        "gap": gap_text(certificate.relative_gap),
        "scope": certificate.scope,
        "status": certificate.status.value,
        "sentence": certificate.status.sentence,
        "separable": separable(certificate),
        "seconds": certificate.seconds,
        "adversary": certificate.adversary.tolist(),
    }
    classifier = certificate.classifier
    if isinstance(classifier, Measure):
        answer["atoms"] = classifier.directions.tolist()
        answer["weights"] = classifier.weights.tolist()
        return answer
    return answer | {"map": kernel_map(certificate, box), "side": GRID}


def kernel_map(certificate: Certificate, box: tuple[float, float, float, float]) -> dict[str, Any]:
    """A kernel classifier in units of its margin, on a grid of the box, packed like the film's maps."""
    nodes = geometry.mesh(box[:2], box[2:], GRID)[2]
    values = np.zeros(len(nodes))
    expansion, Z = certificate.classifier, certificate.training
    if separable(certificate) and isinstance(expansion, KernelExpansion) and Z is not None:
        support = np.flatnonzero(expansion.coefficients)
        small = replace(certificate, classifier=KernelExpansion(expansion.coefficients[support]), training=Z[support])
        values = geometry.in_blocks(small.decision_function, nodes) / (certificate.lower or 1.0)
    return pack(values.reshape(GRID, GRID), REACH)


def check(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """The verdict of the independent checker on a certificate that was shown."""
    verdict = check_certificate(request["certificate"], request["X"], request["y"])
    return {"answer": {"format": "maxmargin-verdict", "version": 1, **asdict(verdict)}}


def regression_available() -> bool:
    """Whether this version computes minimum-norm interpolation."""
    import maxmargin

    return "min_norm" in maxmargin.__all__


def nothing(request: Any, progress: Progress) -> dict[str, Any]:
    """What replaces a job that is cancelled."""
    return {"answer": {}}


JOBS: dict[str, Callable[[Any, Progress], dict[str, Any]]] = {"solve": solve, "check": check, "nothing": nothing}
