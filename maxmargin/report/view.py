"""The values of the report's template: plain text and numbers, already rounded, never HTML.

`caption` says what to see in each figure.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from typing import Any

from .. import conventions
from ..comparison_table import ONE_NORM, conflicts, more_time
from ..text import gap_text, lower_text, percent, shared_digits, short, upper_text

OBJECTS = {norm: title[0].upper() + title[1:] for norm, title in conventions.NORMS.items()}
_COVERS = {
    "sphere-exact": "all neurons; the maximum itself is proved",
    "sphere-bound": "all neurons; a proved bound that need not be tight",
    "dictionary": "the given neurons only",
    "kernel": "the whole unit ball of the kernel space",
}
_COLOURS = {"both": "f1", "output": "f2m", "svc": "", "logistic": ""}
_CURVE = (
    "Thick: the best margin so far; thin: recorded iterates. The dashed lines are the two ends of the proved bracket "
    "(one line where they agree); the curve cannot cross the upper one. Both-layer margins are divided by the F1 "
    "norm, output-layer margins by the L2 norm over that network's own random features, so each panel has its own "
    "reference."
)
_SUPPORT = (
    "Rings mark the points that the adversary weights (trained panels: the points within 10 % of the network's "
    "margin). If the theory holds at this width and time, the lower panels look like those above them."
)
_DECISION = {
    1: "Each f is divided by its own margin, so it has to pass every point's triangle at height +1 or \u22121 on "
    "the side the triangle points to. F1 bends at few places, F2 everywhere. ",
    2: "Colour: f(x) in units of its own margin; solid: the decision boundary; dashed: f = \u00b1margin, which no "
    "point may enter. F1 draws straight pieces from few neurons, F2 smooth curves. ",
}
_PLANE = (
    "The plane is that of the F1 neurons' two principal directions; its axes name the features they combine. Colour: "
    "f averaged over the other coordinates of the data, so a point may lie on the wrong side here and on the right "
    "one in full space. "
)
_DOTS = (
    "Each dot is the direction of a trained neuron, its area the share of the network's mass, its colour the class "
    "it votes for; stars are the atoms of the F1 max-margin classifier. As the margin approaches its limit, the mass "
    "gathers at the stars; small dots elsewhere are neurons that carry almost no mass."
)
_NEURONS = {
    2: f"The circle holds every possible neuron. {_DOTS}",
    3: f"The two discs hold every possible neuron (equal-area maps of the half spheres). {_DOTS} The thin lines "
    "are the places where a neuron's kink passes through a support point.",
}
_SHADOWS = f"The unit sphere projected on the atoms' principal plane (rim: directions inside the plane). {_DOTS}"
_PAYS = (
    "The adversary puts weight p on the points; a neuron is paid the correlation of its output with the weighted "
    "labels. The proved upper end of the margin is at least the largest payment that any neuron gets. "
)
_BAND = " Above: the band of the sphere on which neurons are paid; below: the highest payment at each longitude."


def values(comparison: Any) -> dict[str, Any]:
    """Everything that the template prints of a comparison, except the figures."""
    data, margins = comparison.dataset, comparison.margins
    f1, scores = margins.get("f1"), getattr(comparison, "scores", ())
    test = getattr(comparison, "test", None)
    return {
        "data": data,
        "facts": list(_facts(comparison)),
        "ball": _ball(f1),
        "f1": None if f1 is None else _margin("f1", f1),
        "margins": [_margin(name, certificate) for name, certificate in margins.items()],
        "references": [_reference(item) for item in comparison.runs if item.reference == "f2m"],
        "runs": [_run(item) for item in comparison.runs],
        "small_start": _run(small) if (small := getattr(comparison, "small_start", None)) is not None else None,
        "scores": [_score(row) for row in scores],
        "tested": 0 if test is None else test.n,
        "negative": minus(data.classes[0]),
        "positive": minus(data.classes[1]),
        "scopes": {str(certificate.scope) for certificate in margins.values()},
        "conflicts": conflicts(comparison),
        "more_time": more_time(comparison),
        "one_norm": ONE_NORM,
        "command": comparison.command,
        "saved": data.words is None,
        "commands": list(_commands(comparison)),
        "provenance": list(_provenance(comparison)),
    }


def minus(value: Any) -> str:
    """A label or a number with minus signs as such: -1, 7.2e-11."""
    return re.sub(r"^-(?=\d)|(?<=\de)-(?=\d)", "\u2212", str(value))


def _facts(comparison: Any) -> Iterable[tuple[str, Any]]:
    """(what, value) of the problem, for the line under the title."""
    data = comparison.dataset
    yield from (("points", data.n), ("features, standardised" if data.standardized else "features", data.d))
    if data.label is not None:
        yield "label column", data.label
    for label, name in ((1.0, data.classes[1]), (-1.0, data.classes[0])):
        sign, shown = "+1" if label > 0 else "\u22121", minus(name)
        own = "" if shown == sign.lstrip("+") else f" ({sign})"
        yield f"class {shown}{own}", int((data.y == label).sum())
    problem = next((certificate.problem for certificate in comparison.margins.values()), None)
    if problem is not None:
        yield from (("activation", problem.feature.name), ("bias", "z = (x, 1)" if problem.bias else "none: z = x"))
        yield "convention", problem.convention
    yield "seconds", f"{comparison.seconds:.1f}"


def _ball(f1: Any) -> str:
    norm = "path" if f1 is not None and f1.problem.convention == "path" else "F1"
    return f"wide two-layer network of {norm} norm one"


def _margin(key: str, certificate: Any) -> dict[str, Any]:
    problem, separable = certificate.problem, certificate.status.value != "not-separable"
    low, high, nu = certificate.lower, certificate.upper, getattr(certificate, "nu", None)
    return {
        "key": key,
        "title": OBJECTS.get(key, key) + (f", soft (nu = {nu:g})" if nu is not None else ""),
        "unit": _unit(key, problem.convention, problem.law),
        "short": short(low, high),
        "bracket": shared_digits(low, high) if separable else _zero(high),
        "gap": minus(gap_text(certificate.relative_gap)) if separable else "\u2013",
        "scope": str(certificate.scope),
        "covers": _COVERS[certificate.scope],
        "status": certificate.status.value,
        "separable": separable,
    }


def _reference(item: Any) -> dict[str, Any]:
    low, high = item.bracket.lower, item.bracket.upper
    zero = low <= 0 < 1e-12 - high
    return {
        "width": item.run.width,
        "bracket": _zero(high) if zero else shared_digits(low, high),
        "gap": "\u2013" if zero else minus(gap_text(conventions.relative_gap(low, high))),
    }


def _run(item: Any) -> dict[str, Any]:
    run, fraction, separates = item.run, item.fraction_of_lower, item.run.margin_best > 0
    low, high = percent(item.fraction_of_upper), percent(fraction)
    own = "L\u00b2 norm over its own random features"
    return {
        "key": item.reference,
        "width": run.width,
        "status": getattr(run, "status", "finished"),
        "unit": _unit("f1", getattr(run, "convention", "sphere"), None) if item.reference == "f1" else own,
        "separates": separates,
        "reached": None if fraction is None else (high if low == high else f"{low} to {high}"),
        "share": high if fraction is not None and separates else None,
        "bar": f"{100 * min(max(fraction or 0.0, 0.0), 1.0):.1f}",
        "best": minus(lower_text(run.margin_best)),
        "last": minus(lower_text(run.margin_last)),
        "step_of_best": _thousands(run.step_of_best),
        "steps": _thousands(run.steps),
        "seconds": f"{run.seconds:.1f}",
    }


def _score(row: Any) -> dict[str, Any]:
    shown = {"title": row.title, "colour": _COLOURS.get(row.key, row.key)}
    for part in ("train", "test"):
        found = getattr(row, part)
        if found is not None:
            shown |= dict(zip((part, f"{part}_wrong"), found.texts, strict=True))
    return shown


def _thousands(count: int) -> str:
    return f"{count:,}".replace(",", "\u202f")


def _unit(norm: str, convention: str, weights: str | None) -> str:
    """Norm and unit, Greek letters and powers as such."""
    text = conventions.describe(norm, convention, weights)
    return text.replace("gamma_1", "\u03b3\u2081").replace("L2(tau)", "L\u00b2(\u03c4)")


def _zero(upper: float) -> str:
    """A margin of zero, with the proved upper end."""
    return "0" if upper == 0 else f"0 (at most {minus(upper_text(upper, 2))})"


def _commands(comparison: Any) -> Iterable[str]:
    """The commands that compute each certificate again and check it, ready to paste."""
    data = getattr(comparison, "source", None) or shlex.quote(str(comparison.dataset.name))
    options = getattr(comparison, "options", {})
    for name, certificate in comparison.margins.items():
        flags = _flags(certificate.problem)
        for option, default in (("tol", 1e-9), ("time_limit", None), ("seed", 0)):
            if options.get(option, default) != default:
                flags += f" --{option.replace('_', '-')} {options[option]}"
        if getattr(certificate, "nu", None) is not None:
            flags += f" --nu {certificate.nu:g}"
        yield f"maxmargin margin {data} --norm {name}{flags} --json {name}.json"
        yield f"maxmargin check {name}.json {data}"


def _flags(problem: Any) -> str:
    flags = "" if problem.bias else " --no-bias"
    if problem.feature.name != "relu":
        flags += f" --feature {problem.feature.name}"
    if problem.convention != "sphere":
        flags += f" --convention {problem.convention}"
    return flags + (" --law gaussian" if problem.law == "gaussian" else "")


def _provenance(comparison: Any) -> Iterable[tuple[str, list[str]]]:
    """Data hash, versions, solver attempts and seconds."""
    data = comparison.dataset
    versions: dict[str, str] = {}
    for certificate in comparison.margins.values():
        versions |= certificate.versions
    attempts = [
        f"{OBJECTS.get(name, name)}: {attempt.name} ({attempt.status}, {attempt.seconds:.2g} s)"
        for name, certificate in comparison.margins.items()
        for attempt in certificate.attempts
    ]
    yield "Data", [data.text]
    yield "SHA-256 of the data", [data.sha256]
    if attempts:
        yield "Solver attempts", attempts
    if versions:
        yield "Versions", [", ".join(f"{name} {number}" for name, number in versions.items())]
    yield "Time", [f"{comparison.seconds:.1f} s in all (reading the data left out)"]


def caption(comparison: Any, name: str) -> tuple[str, str]:
    """(title, what to see) of a figure; unknown names get their name."""
    d, certificate = comparison.dataset.d, comparison.margins.get("f1")
    D = d + (certificate is None or certificate.problem.bias)
    tight = certificate is not None and certificate.relative_gap < 1e-3
    touching = "An optimal classifier uses only neurons that get it: the stars touch the level."
    pays = _PAYS + (touching if tight else "The bracket is still open: the stars need not touch the level yet.")
    pays += _BAND if D == 3 else ""
    pays += " Random directions, the textbook discretisation, are shown for comparison." if D > 3 else ""
    return {
        "decision_map": ("Solved above, trained below.", _DECISION.get(d, _PLANE) + _SUPPORT),
        "margin_curve": ("The margin climbs towards a proved line.", _CURVE),
        "neurons": ("Where the neurons went.", _NEURONS.get(D, _SHADOWS)),
        "dual_potential": ("Why no neuron can do better.", pays),
    }.get(name, (name.replace("_", " ").capitalize() + ".", ""))
