"""What the worker processes compute. Every function takes a checked request and a progress, and returns plain JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from ..check import check_certificate
from ..conventions import NORMS
from ..film.encode import REACH, pack
from ..games.certificate import Certificate
from ..games.measure import Measure
from ..games.rkhs import KernelExpansion
from ..margins import max_margin
from ..margins.min_norm import MinimumNorm, min_norm
from ..plots import geometry
from ..plots.views import separable
from ..progress import Progress
from ..text import bracket_text, gap_text
from .limits import TOLERANCE
from .requests import Regression, Solve

_NODES = 241  # samples of a smooth interpolant
_DOUBLED = 1e-6  # kinks closer than this fraction of the span are drawn as one
_FLAT = 1e-12  # a unit neuron with a slope below this has its kink out of sight
GRID = 56  # nodes of a kernel classifier's map, each way

_neurons: dict[str, Measure] = {}  # of the last answer of this process: the next one starts from them


def solve(request: Solve, progress: Progress) -> dict[str, Any]:
    """Brackets, support and classifiers of the norms asked for; ``certificates`` stay on the server."""
    answers: dict[str, Any] = {}
    certificates: dict[str, Any] = {}
    options: dict[str, Any] = {"tol": TOLERANCE, "time_limit": request.time_limit, "progress": progress}
    for norm in request.norms:
        progress(norm)
        certificate = max_margin(request.data, norm, start=_neurons.get(norm), **options)
        if isinstance(certificate.classifier, Measure):
            _neurons[norm] = certificate.classifier
        progress(norm)
        answers[norm] = described(certificate, request.box)
        certificates[norm] = certificate.to_json()
    points = {"X": request.data.X, "y": request.data.y}
    return {"answer": {"solved": answers, "n": request.data.n}, "certificates": certificates, "data": points}


def first(progress: Progress) -> None:
    """Solve a small problem, so that the solvers are loaded before the first request."""
    solve(Solve.read({"points": [[-1, 0, -1], [0, 0, 1], [1, 0, -1]], "norms": list(NORMS)}), progress)


def described(certificate: Certificate, box: tuple[float, float, float, float]) -> dict[str, Any]:
    """A certificate as the page shows it; all numbers are the certificate's own."""
    answer = _proved(certificate)
    answer |= {"gap": gap_text(certificate.relative_gap), "separable": separable(certificate)}
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


def norm(request: Regression, progress: Progress) -> dict[str, Any]:
    """The smallest F1 and F2 norms of functions through points of the line, with the functions."""
    answers = {}
    for name in ("f1", "f2"):
        progress(name)
        points = request.x, request.targets
        found = min_norm(points, name, request.tube, time_limit=request.time_limit, progress=progress)
        answers[name] = _interpolant(found, request)
    return {"answer": {"solved": answers, "n": len(request.targets)}}


def _interpolant(found: MinimumNorm, request: Regression) -> dict[str, Any]:
    """A `MinimumNorm` as the page shows it, with f at the kinks (piecewise linear between) or on a grid."""
    finite = bool(np.isfinite(found.upper))
    low, high = request.span
    kinks, nodes = np.zeros(0), np.linspace(low, high, _NODES)
    if isinstance(found.classifier, Measure) and finite:
        heavy = found.classifier.directions[found.classifier.weights != 0.0]
        kinks = np.array(sorted({-c / a for a, c in heavy[np.abs(heavy[:, 0]) > _FLAT].tolist()}))
        kinks = kinks[(kinks > low) & (kinks < high)]
        nodes = np.union1d([low, high], kinks)
    curve = _graph(found, nodes) if finite else []
    return _proved(found) | {"curve": curve, "kinks": _graph(found, _apart(kinks, high - low)) if len(kinks) else []}


def _proved(found: Certificate | MinimumNorm) -> dict[str, Any]:
    """What is proved, by whom, and in what time."""
    lower, upper = (end if np.isfinite(end) else None for end in (found.lower, found.upper))
    return {
        "lower": lower,
        "upper": upper,
        "bracket": bracket_text(found.lower, found.upper),
        "scope": str(found.scope),
        "status": found.status.value,
        "sentence": found.status.sentence,
        "seconds": found.seconds,
        "adversary": found.adversary.tolist(),
    }


def _apart(kinks: np.ndarray, span: float) -> np.ndarray:
    """The kinks, each once: a neuron and its mirror image have the same kink up to rounding."""
    return kinks[np.concatenate([[True], np.diff(kinks) > _DOUBLED * span])]


def _graph(found: MinimumNorm, x: np.ndarray) -> list[list[float]]:
    return np.column_stack([x, found.decision_function(x[:, None])]).tolist()


def nothing(request: Any, progress: Progress) -> dict[str, Any]:
    """The job that replaces a cancelled one."""
    return {"answer": {}}


JOBS: dict[str, Callable[[Any, Progress], dict[str, Any]]] = {
    "solve": solve,
    "check": check,
    "norm": norm,
    "nothing": nothing,
}
