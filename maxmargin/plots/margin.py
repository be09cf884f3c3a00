"""The margin against log time, inside the proved bracket of the margin that it should converge to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from matplotlib.transforms import blended_transform_factory

from ..conventions import Array
from ..text import percent, short
from . import style
from .views import TRAINED

_DASHED, _DOTTED = (0, (5, 3)), (0, (1, 1.6))
_ZERO = 1e-12  # a proved upper end below this is rounding around 0
_NEAR = 1e-4  # the time axis ends well after the margin is within this relative distance of its best
_PAPER = {"facecolor": style.PAPER, "alpha": 0.85, "linewidth": 0, "pad": 1.0}  # behind text over a curve
_BELOW = 0.35  # share of the reference down to which the negative beginning is shown


@style.styled
def margin_curve(comparison: Any) -> Figure:
    """One panel a reference: F1 for both-layer runs, the random features' own margin for output-layer runs.

    Thin line: normalised margin of each recorded iterate; thick line: best so far (as in Propositions 6 and 7);
    band and dashed lines: the proved bracket of the reference.
    """
    references = [name for name in ("f1", "f2m") if any(item.reference == name for item in comparison.runs)]
    figure = style.new_figure(9.6, 4.7)
    panels = figure.subplots(1, max(1, len(references)), squeeze=False)[0]
    for axes, reference in zip(panels, references, strict=False):
        margin_panel(axes, comparison, reference)
    figure.legend(handles=_handles(panels), loc="outside lower center", ncols=4, columnspacing=1.6)
    return figure


def _handles(panels: Sequence[Axes]) -> list[Line2D]:
    """Legend of the visible curves: the run's own upper bounds may lie above the axes."""
    own = [(axes, line) for axes in panels for line in axes.lines if line.get_gid() == "own"]
    lines = [
        style.key("best iterate so far", style.MUTED, linewidth=2.4),
        style.key("each iterate", style.MUTED, linewidth=1.0, alpha=0.6),
        style.key("proved bracket of the reference", linewidth=1.1, linestyle=_DASHED),
    ]
    if any(np.min(line.get_ydata()) < axes.get_ylim()[1] for axes, line in own):
        own_end = style.key("upper end from the run's own weights", style.MUTED, linewidth=1.3, linestyle=_DOTTED)
        lines.insert(2, own_end)
    return lines


def margin_panel(axes: Axes, comparison: Any, reference: str) -> None:
    """Trace and bracket of all runs with that reference."""
    items = [item for item in comparison.runs if item.reference == reference]
    bracket = items[0].bracket
    colour = style.OBJECT[reference]
    for item in items:
        draw_trace(axes, item.run, colour)
    limits = [height_limits(item.run, bracket.lower, bracket.upper) for item in items]
    floor, ceiling = min(low for low, _ in limits), max(high for _, high in limits)
    axes.set_ylim(floor, ceiling)
    time_axis(axes, [item.run for item in items], floor)
    if bracket.lower > 0.0 or np.isfinite(bracket.upper):  # else nothing is known of the limit
        draw_bracket(axes, bracket.lower, bracket.upper, colour, name_of(reference, items[0].run))
    style.light_grid(axes)
    axes.axhline(0.0, color=style.MUTED, linewidth=0.8)
    axes.set_xlabel("time (sum of step sizes)")
    axes.set_title(f"{TRAINED[reference]}, m = {items[0].run.width}", color=colour)
    axes.set_ylabel(_unit(reference, items[0].run))
    style.note(axes, _reached(items[0]))


def _time_limits(all_series: Sequence[tuple[Array, Array, Array]], floor: float) -> tuple[float, float]:
    """From a decade before the margin is positive (else above `floor`) to well after its best is near."""
    starts, ends = [], []
    for time, margin, best in all_series:
        if len(time):
            visible = time[margin > 0] if (margin > 0).any() else time[margin > floor]
            starts.append(max(time[0], visible[0] / 10.0) if len(visible) else time[0])
            near = time[best >= best[-1] - _NEAR * abs(best[-1])]
            ends.append(min(time[-1], 30.0 * near[0]) if best[-1] > 0 else time[-1])
    start, end = min(starts, default=0.1), max(ends, default=1.0)
    return start, max(1.02 * end, 10.0 * start if end <= start else 0.0)


def time_axis(axes: Axes, runs: Sequence[Any], floor: float) -> None:
    """Logarithmic, from a decade before a margin above `floor`; labels 1, 10, 100 (and 2, 5)."""
    start, end = _time_limits([series(run) for run in runs], floor)
    axes.set_xlim(start, end)
    few = np.log10(end / start) < 2.2
    axes.xaxis.set_major_locator(LogLocator(10.0, subs=(1.0, 2.0, 5.0) if few else (1.0,)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    if start > 1e-3 and end < 1e6:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}".replace(",", "\u2009")))


def height_limits(run: Any, lower: float, upper: float) -> tuple[float, float]:
    """Ends of the margin axis: they show the proved bracket, and the best margin of a run that never separates."""
    margins = series(run)[1]
    best = float(margins.max(initial=-np.inf))
    top = upper if np.isfinite(upper) else max(lower, best)
    if top <= _ZERO:  # the margin is zero: the curve approaches it from below
        depth = float(-margins.min(initial=0.0)) or 1.0
        return -1.1 * depth, 0.35 * depth
    top = max(top, best)
    floor = min(-_BELOW * top, 1.5 * best if np.isfinite(best) else 0.0)
    return floor, top + 0.22 * (top - floor)


def name_of(reference: str, run: Any) -> str:
    """The mathematical name of the reference."""
    return r"$\gamma_1$" if reference == "f1" else rf"$\gamma_2^{{({run.width})}}$"


def _reached(item: Any) -> str:
    if item.run.margin_best <= 0:
        return f"not positive after {item.run.steps} steps"
    fraction = item.fraction_of_lower
    return f"best {item.run.margin_best:.4g}" + ("" if fraction is None else f" = {percent(fraction)} of the lower end")


def _unit(reference: str, run: Any) -> str:
    if reference == "f1":
        return f"margin per unit of F1 norm ({getattr(run, 'convention', 'sphere')})"
    return "margin per unit of L2 norm (own features)"


def series(run: Any) -> tuple[Array, Array, Array]:
    """Positive times, margins, and best margins so far, of a run; the best iterate is in it, recorded or not.

    The zero function that output-layer runs start from has no normalised margin and is left out.
    """
    rows = [(row["step"], row.get("time", row["step"]), row["margin"]) for row in run.trace if row.get("mass", 1.0) > 0]
    if not rows:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    step, time, _ = np.array(rows, dtype=float).T
    if run.margin_best > 0:
        rows.append((run.step_of_best, float(np.interp(run.step_of_best, step, time)), run.margin_best))
    _, time, margin = np.array(sorted(rows), dtype=float).T
    later = time > 0
    return time[later], margin[later], np.maximum.accumulate(margin)[later]


def draw_trace(axes: Axes, run: Any, colour: str) -> None:
    """Iterates thin, best so far thick, on a logarithmic time axis; proved upper bounds of the run itself dotted."""
    time, margin, best = series(run)
    axes.set_xscale("log")
    axes.plot(time, margin, color=colour, linewidth=1.0, alpha=0.5)
    axes.plot(time, best, color=colour, linewidth=2.4)
    bounds = [(row.get("time", row["step"]), row["upper"]) for row in run.trace if row.get("upper") is not None]
    above = np.array([pair for pair in bounds if pair[0] > 0], dtype=float)
    if len(above):
        least = np.minimum.accumulate(above[:, 1])
        axes.plot(above[:, 0], least, color=colour, linewidth=1.3, linestyle=_DOTTED, gid="own")


def draw_bracket(axes: Axes, lower: float, upper: float, colour: str, name: str) -> None:
    """Dashed lines at `lower` and `upper`, a band between them, and the reference's name and value above."""
    top = upper if np.isfinite(upper) else axes.get_ylim()[1]
    axes.axhspan(lower, top, color=colour, alpha=0.15, linewidth=0)
    for value in {lower, upper}:
        if np.isfinite(value):
            axes.axhline(value, color=style.INK, linewidth=1.1, linestyle=_DASHED, gid="bracket")
    place = blended_transform_factory(axes.transAxes, axes.transData)
    number = short(lower, upper)
    text = f"{name} $\\in$ {number}, proved" if "[" in number else f"{name} = {number}, proved"
    if upper <= _ZERO:
        text = f"{name} = 0, proved"
    axes.annotate(
        text, (0.02, top), (0, 5), xycoords=place, textcoords="offset points", fontsize=9.5, va="bottom", bbox=_PAPER
    )
