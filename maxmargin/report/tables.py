"""The numbers of the report: one row an object, the digits that both ends share printed once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from .. import conventions
from ..plots.numbers import percent, shared_digits
from ..text import gap_text, lower_text, upper_text

OBJECTS = {"f1": "F1 max margin", "f2": "F2 max margin", "ntk": "Tangent-kernel max margin"}
_SCOPES = {
    "sphere-exact": "all neurons; the maximum itself is proved",
    "sphere-bound": "all neurons; a proved bound that need not be tight",
    "dictionary": "the given neurons only",
    "kernel": "the whole unit ball of the kernel space",
}


def margins(comparison: Any) -> str:
    """The solved margins: norm, bracket, gap, scope, status."""
    header = (
        "object",
        "norm and unit",
        "margin: [lower, upper]",
        "relative gap",
        "what the upper end covers",
        "status",
    )
    rows = [_margin_row(name, certificate) for name, certificate in comparison.margins.items()]
    rows += [_reference_row(item) for item in comparison.runs if item.reference == "f2m"]
    note = "Digits that both ends share are printed once: 0.123[4, 6] stands for [0.1234, 0.1236]."
    return f'{_table(header, rows)}<p class="quiet">{note}</p>'


def _margin_row(name: str, certificate: Any) -> list[str]:
    problem = certificate.problem
    number, gap = bracket(certificate.lower, certificate.upper), gap_text(certificate.relative_gap)
    if certificate.status.value == "not-separable":
        number, gap = _zero(certificate.upper), "\u2013"
    return [
        f'<span class="object {name}">{OBJECTS[name]}</span>',
        _unit(name, problem.convention, problem.weights),
        number,
        minus(gap),
        escape(_SCOPES[certificate.scope]),
        f'<span class="tag {name}">{escape(certificate.status.value)}</span>',
    ]


def _reference_row(item: Any) -> list[str]:
    low, high = item.bracket.lower, item.bracket.upper
    zero = low <= 0 < 1e-12 - high
    return [
        f'<span class="object f2m">\u03b3\u2082<sup>({item.run.width})</sup></span>',
        f"F2, with the {item.run.width} random features of the trained network",
        _zero(high) if zero else bracket(low, high),
        "\u2013" if zero else minus(gap_text(conventions.relative_gap(low, high))),
        escape(_SCOPES["kernel"]),
        '<span class="tag f2m">reference</span>',
    ]


def minus(value: Any) -> str:
    """A label or a number as HTML, minus signs as such: -1, 7.2e-11."""
    return re.sub(r"^-(?=\d)|(?<=\de)-(?=\d)", "\u2212", escape(str(value)))


def _unit(norm: str, convention: str, weights: str | None) -> str:
    """Norm and unit as HTML: Greek letters and powers as such."""
    text = escape(conventions.describe(norm, convention, weights))
    return text.replace("gamma_1", "\u03b3\u2081").replace("L2(tau)", "L\u00b2(\u03c4)")


def _zero(upper: float) -> str:
    """A margin of zero, and what of it is proved."""
    return "0" if upper == 0 else f"0<br><small>at most {minus(upper_text(upper, 2))}</small>"


def bracket(lower: float, upper: float) -> str:
    """A bracket as HTML, nowrap."""
    return f'<span style="white-space:nowrap">{escape(shared_digits(lower, upper))}</span>'


def runs(comparison: Any) -> str:
    """The trained networks: best and last margin, and the fraction of the margin that they should converge to."""
    header = ("training", "norm and unit", "best margin", "last margin", "of its reference", "steps", "seconds")
    return _table(header, [_run_row(item) for item in comparison.runs]) if comparison.runs else ""


def _run_row(item: Any) -> list[str]:
    run, layer = item.run, "both layers" if item.reference == "f1" else "output layer"
    convention = getattr(run, "convention", "sphere")
    unit = _unit("f1", convention, None) if item.reference == "f1" else "L\u00b2 norm over its own random features"
    name = "\u03b3\u2081" if item.reference == "f1" else f"\u03b3\u2082<sup>({run.width})</sup>"
    fraction = item.fraction_of_lower
    share = f"{percent(fraction)} of {name}<small> (lower end)</small>" if fraction is not None else "\u2013"
    if run.margin_best <= 0:
        fraction, share = None, "does not separate"
    note = "" if getattr(run, "status", "finished") == "finished" else f"<br><small>{escape(run.status)}</small>"
    return [
        f'<span class="object {item.reference}">{layer}</span><br><small>m = {run.width}</small>{note}',
        unit,
        minus(lower_text(run.margin_best))
        + f"<br><small>step {run.step_of_best:,}</small>".replace(",", "\u2009"),
        minus(lower_text(run.margin_last)),
        share + _bar(fraction, item.reference),
        f"{run.steps:,}".replace(",", "\u2009"),
        f"{run.seconds:.1f}",
    ]


def _bar(fraction: float | None, name: str) -> str:
    if fraction is None or not np.isfinite(fraction):
        return ""
    width = 100 * min(max(fraction, 0.0), 1.0)
    return f'<div class="bar {name}"><i style="width:{width:.1f}%"></i></div>'


def provenance(comparison: Any) -> str:
    """Data hash, versions, solver attempts and seconds."""
    data = comparison.dataset
    versions: dict[str, str] = {}
    for certificate in comparison.margins.values():
        versions |= certificate.versions
    attempts = [
        f"{OBJECTS[name]}: {attempt.name} ({attempt.status}, {attempt.seconds:.2g} s)"
        for name, certificate in comparison.margins.items()
        for attempt in certificate.attempts
    ]
    pairs = [
        ("Data", f"{escape(str(data.name))}, {data.n} points, {data.d} features"),
        ("SHA-256 of the data", f'<code class="hash">{escape(data.sha256)}</code>'),
        ("Solver attempts", "<br>".join(map(escape, attempts))),
        ("Versions", escape(", ".join(f"{name} {number}" for name, number in versions.items()))),
        ("Time", f"{comparison.seconds:.1f} s in all (reading the data left out)"),
    ]
    return "<dl>" + "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in pairs if value) + "</dl>"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; cells are HTML, those that start with a digit or a bracket are numbers."""
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join("<tr>" + "".join(_cell(cell) for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(cell: str) -> str:
    numeric = cell.startswith('<span style="white-space') or cell[:1].isdigit() or cell[:1] in "\u2212["
    return f'<td class="number">{cell}</td>' if numeric else f"<td>{cell}</td>"
