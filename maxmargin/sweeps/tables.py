"""The numbers of each figure from the rows of its store, beside the paper's printed ones."""

from __future__ import annotations

import csv
import io
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import text
from . import printed

Row = tuple[dict[str, Any], dict[str, Any]]  # parameters, result

NAMES = {"both": "both layers", "output": "output layer", "f1": "F1 solved", "f2": "F2 solved"}

_DIGITS = 12  # significant digits of a number in a CSV file


@dataclass(frozen=True)
class Table:
    """Named columns of numbers; None for an empty cell.

    Attributes
    ----------
    header : column names.
    rows : one tuple per line.
    notes : sentences under the table.
    """

    header: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    notes: tuple[str, ...] = ()

    def text(self) -> str:
        """For people."""
        return "\n".join([text.table(self.header, [[_cell(value) for value in row] for row in self.rows]), *self.notes])

    def csv(self) -> str:
        """For programs: the digits that do not depend on how a version of NumPy adds; empty cells for None."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(self.header)
        writer.writerows(
            [f"{value:.{_DIGITS}g}" if isinstance(value, float) else value for value in row] for row in self.rows
        )
        return buffer.getvalue()

    def to_json(self) -> dict[str, Any]:
        """Header, rows and notes as plain data."""
        return {"header": self.header, "rows": self.rows, "notes": self.notes}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def mean_and_error(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and its standard error; None from a single value."""
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else None
    return float(np.mean(values)), error


def classifier(parameters: dict[str, Any]) -> str:
    """A key of `NAMES`: what a row of figure 2(b) or (c) is about."""
    return parameters.get("layers") or parameters["norm"]


def grouped_errors(rows: list[Row], axis: str) -> dict[tuple[int, str], dict[int, float]]:
    """(n or d, classifier) -> data seed -> test error; d as the paper's axis counts it."""
    groups: dict[tuple[int, str], dict[int, float]] = defaultdict(dict)
    for parameters, result in rows:
        data = parameters["data"]
        groups[_axis(data, axis), classifier(parameters)][data["seed"]] = result["test_error"]
    return groups


def _axis(data: dict[str, Any], axis: str) -> int:
    return data[axis] - (axis == "d" and data["variant"] == "paper")


def comparable(rows: list[Row], axis: str = "") -> bool:
    """Whether the samples have the paper's n and d, the one on the axis left out."""
    fixed = {name: size for name, size in (("n", printed.N), ("d", printed.D)) if name != axis}
    samples = [parameters["data"] for parameters, _ in rows]
    return all(_axis(data, name) == size for data in samples for name, size in fixed.items())


def errors(rows: list[Row], axis: str) -> Table:
    """Figure 2(b) or (c), n or d on its axis: means with standard errors beside the printed ones.

    The printed ones are shown where the fixed size is the paper's.
    """
    paper = {"n": printed.FIG2B, "d": printed.FIG2C}[axis]
    groups, like_paper = grouped_errors(rows, axis), comparable(rows, axis)
    lines = []
    for at, name in sorted(groups, key=lambda pair: (pair[0], list(NAMES).index(pair[1]))):
        mean, error = mean_and_error(list(groups[at, name].values()))
        there = paper.get(name, {}).get(at) if like_paper else None
        theirs = (None, None, None) if there is None else (*there, _sigmas(mean, error, there))
        lines.append((at, NAMES[name], len(groups[at, name]), mean, error, *theirs))
    header = (axis, "classifier", "runs", "test error", "std error", "printed", "std error printed", "sigmas apart")
    return Table(header, lines, _wins(groups))


def _sigmas(mean: float, error: float | None, there: printed.Printed) -> float | None:
    """Difference of the means over its standard error."""
    return None if error is None else (mean - there.mean) / math.hypot(error, there.error)


def _wins(groups: dict[tuple[int, str], dict[int, float]]) -> tuple[str, ...]:
    """How often training both layers has the smaller test error, on the same points."""
    told = []
    for at in sorted({at for at, name in groups if name == "both"}):
        both, output = groups[at, "both"], groups.get((at, "output"), {})
        pairs = [(both[seed], output[seed]) for seed in both if seed in output]
        told.append(f"{sum(one < other for one, other in pairs)} of {len(pairs)} at {at}")
    return ("both layers err less than the output layer on the same points: " + ", ".join(told),) if told else ()


def margins_by_width(rows: list[Row]) -> Table:
    """Figure 2(d): margins, their share of the certified gamma_1 and of the widest network's."""
    gamma, groups, like_paper = certified(rows), margins(rows), comparable(rows)
    widest = float(np.mean(groups[max(groups)])) if groups else math.nan
    last = printed.FIG2D[max(printed.FIG2D)].mean
    lines = []
    for m in sorted(groups):
        mean, error = mean_and_error(groups[m])
        there = printed.FIG2D.get(m) if like_paper else None
        theirs = (None, None) if there is None else (there.mean, there.mean / last)
        share = mean / gamma[0] if gamma else None
        lines.append((m, len(groups[m]), mean, error, share, mean / widest, *theirs))
    header = ("m", "runs", "F1 margin", "std error", "of gamma_1", "of the widest", "printed", "printed, of m = 1024")
    return Table(header, lines, (bracket_note(gamma),) if gamma else ())


def margins(rows: list[Row]) -> dict[int, list[float]]:
    """m -> best margins of its runs."""
    groups: dict[int, list[float]] = defaultdict(list)
    for parameters, result in rows:
        if "width" in parameters:
            groups[parameters["width"]].append(result["margin_best"])
    return groups


def certified(rows: list[Row]) -> tuple[float, float] | None:
    """Mean certified lower and upper end of gamma_1 over the samples; upper infinite if one has none."""
    ends = [
        (result["lower"], math.inf if result["upper"] is None else result["upper"])
        for parameters, result in rows
        if "width" not in parameters
    ]
    return (float(np.mean([low for low, _ in ends])), float(np.mean([high for _, high in ends]))) if ends else None


def bracket_note(gamma: tuple[float, float]) -> str:
    """The note of a table that states the certified bracket."""
    return f"certified gamma_1 in {text.bracket_text(*gamma)}; shares are of its lower end"


def planes(rows: list[Row]) -> Table:
    """Figure 1: margins, and how far each trained map is from the two solved ones."""
    solved = {
        (parameters["data"]["seed"], parameters["classifier"]): np.array(result["map"]) for parameters, result in rows
    }
    lines = []
    for parameters, result in rows:
        data, name = parameters["data"], parameters["classifier"]
        far = [_apart(np.array(result["map"]), solved.get((data["seed"], norm))) for norm in ("f1", "f2")]
        margin = result.get("margin_best", result.get("lower"))
        lines.append((data["k"], data["seed"], NAMES[name], margin, result.get("upper"), *far))
    return Table(
        ("k", "seed", "classifier", "margin", "proved at most", "distance to F1", "distance to F2"),
        lines,
        ("distance: rms of the difference of two maps, each in units of its own rms; sqrt(2) for unrelated ones",),
    )


def _apart(one: Any, other: Any) -> float | None:
    return None if other is None else float(np.sqrt(np.mean((one - other) ** 2)))


def lazy_to_rich(rows: list[Row]) -> Table:
    """Figure 3: distances to the tangent-kernel and to the F1 max-margin classifier over time."""
    lines, notes = [], []
    for parameters, result in rows:
        start = parameters["training"]["init"]
        columns = (result[name] for name in ("step", "margin", "to_ntk", "learnt_to_ntk", "to_f1"))
        lines += [(start, *values) for values in zip(*columns, strict=True)]
        best = int(np.argmin(result["to_ntk"]))
        notes.append(
            f"{start}: nearest to the tangent-kernel classifier at step {result['step'][best]}, "
            f"{result['to_ntk'][best]:.3f} from it and {result['to_f1'][best]:.3f} from F1's; "
            f"in the end {result['to_ntk'][-1]:.3f} and {result['to_f1'][-1]:.3f}"
        )
    for _, result in rows[:1]:
        gamma = text.bracket_text(result["lower"], result["upper"])
        notes.append(f"the two solved classifiers are {result['apart']:.3f} apart; certified gamma_1 in {gamma}")
    header = ("start", "step", "F1 margin", "distance to tangent kernel", "less the start", "distance to F1")
    return Table(header, lines, tuple(notes))


def rates(rows: list[Row]) -> Table:
    """The propositions at the last step, and the fitted exponent of the gap."""
    lines = []
    for parameters, result in rows:
        name, multiple = f"Prop. {parameters['proposition']}", parameters["multiple"]
        # the proposition promises nothing about longer steps
        promised, holds = (result["promised"][-1], result["holds"]) if multiple == 1.0 else (None, None)
        lines.append(
            (name, multiple, result["upper"], result["step"][-1], result["gap"][-1], promised, result["slope"], holds)
        )
    header = ("", "step multiple", "gamma", "steps", "gap", "promised gap", "fitted exponent", "holds at every step")
    return Table(header, lines)
