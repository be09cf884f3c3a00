"""A comparison as text for the terminal: one row per number, and the sentences that explain the rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import conventions
from .text import bracket_text, gap_text, lower_text, share_text, table

ONE_NORM = "Each row is in its own norm: compare a run with the margin it should reach, not one row with another."
_SCOPES = {
    "sphere-exact": "both ends, over all neurons",
    "sphere-bound": "both ends, over all neurons (upper end not tight)",
    "dictionary": "both ends, over the given neurons only",
    "kernel": "both ends, over the RKHS ball",
}


def comparison_text(comparison: Any) -> str:
    """Data and notes, the margins and runs, accuracies, and what more time would buy."""
    rows = [_margin_row(name, certificate) for name, certificate in comparison.margins.items()]
    rows += [_run_row(item) for item in comparison.runs]
    if getattr(comparison, "small_start", None) is not None:
        rows.append(("the same from the small start N(0, 1)", *_run_row(comparison.small_start)[1:]))
    data = comparison.dataset
    parts = [
        "\n".join([data.text, *(f"note: {note}" for note in data.notes)]),
        table(("object", "norm and unit", "margin", "gap", "what is proved"), rows),
        "\n".join([ONE_NORM, *conflicts(comparison), *more_time(comparison)]),
    ]
    if comparison.scores:
        parts.insert(2, accuracy_table(comparison.scores))
    return "\n\n".join(parts)


def _margin_row(name: str, certificate: Any) -> tuple[str, ...]:
    problem = certificate.problem
    unit = conventions.describe(name, problem.convention, problem.law)
    proved = (
        _SCOPES[certificate.scope] if certificate.status.value != "not-separable" else "not separable: the margin is 0"
    )
    return (
        conventions.NORMS.get(name, name),
        unit,
        bracket_text(certificate.lower, certificate.upper),
        gap_text(certificate.relative_gap),
        f"{certificate.status.value}: {proved}",
    )


def _run_row(item: Any) -> tuple[str, ...]:
    run, bracket = item.run, item.bracket
    if item.reference == "f1":
        name, unit = f"both-layer flow, m={run.width}", conventions.describe("f1", run.convention, None)
    else:
        name, unit = f"output-layer flow, m={run.width}", f"L2 over its own {run.width} random features"
    reached = f"attained; its limit is in {bracket_text(bracket.lower, bracket.upper)}"
    gap = "" if item.fraction_of_upper is None else f"{share_text(item.fraction_of_upper)} of upper"
    if run.margin_best <= 0:
        gap = "does not separate"
    return (name, unit, lower_text(run.margin_best), gap, reached)


def accuracy_table(scores: Any) -> str:
    """Accuracy and confusion counts of every classifier, on the training data and on the test data where given."""
    tested = any(score.test is not None for score in scores)
    header = ("classifier", "train accuracy", "wrong: -1 as +1, +1 as -1")
    rows = []
    for score in scores:
        rows.append((score.title, *score.train.texts, *(score.test.texts if tested else ())))
    return table(header + (("test accuracy", "wrong: -1 as +1, +1 as -1") if tested else ()), rows)


def conflicts(comparison: Any) -> list[str]:
    """For margins proved to be zero: which rows of the data contradict each other."""
    return [
        f"{conventions.NORMS.get(name, name)}: {conflict_text(comparison.dataset, certificate)}"
        for name, certificate in comparison.margins.items()
        if certificate.status.value == "not-separable"
    ]


def conflict_text(data: Any, certificate: Any, most: int = 8) -> str:
    """Which rows prove a margin of zero: equal points with different labels, or all rows that carry weight."""
    support = np.flatnonzero(certificate.adversary > 0)
    points: dict[bytes, list[int]] = {}
    for row in support:
        points.setdefault(data.X[row].tobytes(), []).append(int(row))
    for rows in points.values():
        sides = [next((row for row in rows if data.y[row] == sign), None) for sign in (-1.0, 1.0)]
        if None not in sides:
            first, second = sorted(row + 1 for row in sides if row is not None)
            return f"rows {first} and {second} have equal features and different labels (rows counted from 1)"
    listed = ", ".join(str(row + 1) for row in support[:most]) + (", ..." if len(support) > most else "")
    return f"weights on the rows {listed} leave every neuron without gain (rows counted from 1)"


def more_time(comparison: Any) -> list[str]:
    """What a longer time limit would improve; nothing where it would improve nothing."""
    said = []
    f1 = comparison.margins.get("f1")
    if f1 is not None and f1.scope == "sphere-bound" and f1.status.value in ("bracketed", "interrupted"):
        said.append("More time: --time-limit 300 (seconds for each row) lowers the upper end of F1 further.")
    for item in comparison.runs:
        run, asked = item.run, comparison.options.get("steps")
        if run.status == "interrupted" and asked and run.steps < asked:
            said.append(
                f"More time: the flow of {'both layers' if item.reference == 'f1' else 'the output layer'} stopped "
                f"after {run.seconds:.0f} s, at step {run.steps:,} of {asked:,}; --time-limit 120 lets it continue."
            )
    return said
