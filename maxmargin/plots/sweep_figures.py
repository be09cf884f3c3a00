"""The paper's figures, drawn from the rows of a store; only means are computed here."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..conventions import Array
from ..sweeps import printed, tables
from ..sweeps.works import REACH
from . import style

Row = tables.Row

# classifier -> colour, line, marker; solved ones are dashed
_LOOK: dict[str, tuple[str, str, str]] = {
    "both": (style.F1, "-", "o"),
    "output": (style.F2, "-", "s"),
    "f1": (style.F1, "--", "^"),
    "f2": (style.F2, "--", "v"),
}
_LEVELS = (-2.0, 2.0)  # maps are in units of their own root mean square


@style.styled
def sweep_figure(name: str, rows: list[Row]) -> Figure:
    """The figure of an experiment.

    Parameters
    ----------
    name : fig1, fig2b, fig2c, fig2d, fig3 or rates.
    rows : (parameters, result) of its finished tasks; at least one.
    """
    return _FIGURES[name](rows)


def _errors(rows: list[Row], axis: str, paper: dict[str, dict[int, printed.Printed]], label: str) -> Figure:
    """Thin: runs; thick: means with standard errors; grey: the printed means."""
    figure = style.new_figure(6.4, 4.4)
    axes = figure.subplots()
    groups = tables.grouped_errors(rows, axis)
    for name, (colour, line, marker) in _LOOK.items():
        x = sorted(at for at, who in groups if who == name)
        _thin(axes, [groups[at, name] for at in x], x, colour, line)
        stats = [tables.mean_and_error(list(groups[at, name].values())) for at in x]
        bars = [error or 0.0 for _, error in stats]
        look: dict[str, Any] = {"color": colour, "linestyle": line, "marker": marker, "label": tables.NAMES[name]}
        axes.errorbar(x, [mean for mean, _ in stats], yerr=bars, linewidth=2.2, capsize=3, **look)
    known = sorted({at for at, _ in groups})
    if tables.comparable(rows, axis):
        _printed_errors(axes, paper, known)
    if axis == "n":
        axes.set_xscale("log", base=2)
    _ticks(axes, known)
    axes.set(xlabel=label, ylabel="test error", ylim=(-0.01, None))
    style.light_grid(axes, "y")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=4, columnspacing=1.2)  # clear of every curve
    return figure


def _thin(axes: Axes, runs: list[dict[int, float]], x: list[int], colour: str, line: str) -> None:
    for seed in sorted({seed for group in runs for seed in group}):
        values = [group.get(seed, math.nan) for group in runs]
        axes.plot(x, values, color=colour, linestyle=line, linewidth=0.6, alpha=0.3)


def _printed_errors(axes: Axes, paper: dict[str, dict[int, printed.Printed]], known: list[int]) -> None:
    for name, series in paper.items():
        x = [at for at in known if at in series]
        marker, label = _LOOK[name][2], f"{tables.NAMES[name]}, printed"
        y, bars = [series[at].mean for at in x], [series[at].error for at in x]
        axes.errorbar(x, y, yerr=bars, color=style.MUTED, linestyle=":", marker=marker, mfc="white", label=label)


def _ticks(axes: Axes, values: list[int]) -> None:
    """Exactly these, as plain numbers."""
    axes.set_xticks(values, [str(value) for value in values])
    axes.set_xticks([], minor=True)


def _fig2d(rows: list[Row]) -> Figure:
    """Every run a dot, means a line, the certified gamma_1 a band between its proved ends."""
    figure = style.new_figure(6.4, 4.4)
    axes = figure.subplots()
    groups = tables.margins(rows)
    for m, values in groups.items():
        axes.plot([m] * len(values), values, "o", color=style.F1, markersize=4, alpha=0.45, linestyle="")
    x = sorted(groups)
    axes.plot(x, [np.mean(groups[m]) for m in x], color=style.F1, linewidth=2.2, label="both layers, best margin")
    gamma = tables.certified(rows)
    if gamma is not None:
        lower, upper = gamma
        axes.axhline(lower, color=style.INK, linewidth=1.4, label=r"$\gamma_1$, attained")
        if math.isfinite(upper):
            axes.axhline(upper, color=style.INK, linewidth=1.4, linestyle="--", label=r"$\gamma_1$, proved limit")
    axes.set_xscale("log", base=2)
    _ticks(axes, x)
    axes.set(xlabel="neurons $m$", ylabel="F1 margin (sphere convention)")
    style.light_grid(axes, "y")
    axes.legend(loc="lower right")
    return figure


def _fig1(rows: list[Row]) -> Figure:
    """One row per training set, one column per classifier."""
    seeds = list(dict.fromkeys(parameters["data"]["seed"] for parameters, _ in rows))
    columns = ("f1", "both", "f2", "output")
    figure = style.new_figure(9.6, 0.5 + 2.4 * len(seeds), "compressed")
    panels = figure.subplots(len(seeds), len(columns), squeeze=False, sharex=True, sharey=True)
    for axes in panels.flat:
        axes.set_visible(False)
    for parameters, result in rows:
        name = parameters["classifier"]
        axes = panels[seeds.index(parameters["data"]["seed"]), columns.index(name)]
        axes.set_visible(True)
        _map(axes, result["map"], result)
        if axes in panels[0]:
            axes.set_title(tables.NAMES[name], color=_LOOK[name][0])
    for axes in panels[-1]:
        axes.set_xlabel("$x_1$")
    for axes in panels[:, 0]:
        axes.set_ylabel("$x_2$")
    _map_legend(figure)
    return figure


def _map_legend(figure: Any) -> None:
    """Legend of the points, colours and lines of the maps."""
    handles = [
        style.key("class +1", style.POSITIVE, marker="D", markersize=5),
        style.key("class \u22121", style.NEGATIVE, marker="o", markersize=5),
        style.key("$f = 0$; colour: $f$ over its root mean square", linewidth=1.3),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)


def _map(axes: Axes, values: list[float], points: dict[str, Any]) -> None:
    """Filled map, zero set, points."""
    count = math.isqrt(len(values))
    image = np.array(values).reshape(count, count)
    extent = (-REACH, REACH, -REACH, REACH)
    look: dict[str, Any] = {"origin": "lower", "extent": extent}
    axes.imshow(image, cmap=style.DECISION, vmin=_LEVELS[0], vmax=_LEVELS[1], interpolation="bilinear", **look)
    if image.min() < 0 < image.max():
        axes.contour(image, levels=[0.0], colors=[style.INK], linewidths=1.3, **look)
    X, y = np.array(points["X"]), np.array(points["y"])
    for label, colour, marker in ((-1.0, style.NEGATIVE, "o"), (1.0, style.POSITIVE, "D")):
        x1, x2 = X[y == label].T
        axes.scatter(x1, x2, s=9.0, c=colour, marker=marker, edgecolors="white", linewidths=0.3, zorder=5)
    style.bare(axes, REACH)
    axes.set_xticks([-REACH, 0.0, REACH])
    axes.set_yticks([-REACH, 0.0, REACH])
    axes.tick_params(labelsize=7.0, length=2.0)


def _fig3(rows: list[Row]) -> Figure:
    """One row per start: maps over time between the two solved maps; below, the distances to both."""
    columns = 2 + max(len(result["times"]) for _, result in rows)
    figure = style.new_figure(1.75 * columns, 0.4 + 2.0 * len(rows) + 3.6)
    parts: Any = figure.subfigures(2, 1, height_ratios=(2.0 * len(rows) + 0.4, 3.6))
    panels = parts[0].subplots(len(rows), columns, squeeze=False)
    below = parts[1].subplots(1, len(rows), squeeze=False, sharey=True)
    for line, axes, (parameters, result) in zip(panels, below[0], rows, strict=True):
        _lazy_maps(line, result)
        line[0].set_ylabel(_STARTS[parameters["training"]["init"].partition(":")[0]])
        _lazy_distances(axes, result)
        axes.set_title("start " + _STARTS[parameters["training"]["init"].partition(":")[0]])
    _map_legend(parts[0])
    below[0, 0].set_ylabel("distance of classifiers")
    below[0, -1].legend(*below[0, 0].get_legend_handles_labels(), loc="upper right")  # the emptier corner
    return figure


_STARTS = {"gaussian": "N(0, 40²)", "paired": "N(0, 40²), output zero"}


def _lazy_maps(line: Array, result: dict[str, Any]) -> None:
    shown = [("tangent kernel", result["limits"]["ntk"])]
    shown += [(f"step {step}", values) for step, values in zip(result["times"], result["maps"], strict=True)]
    shown.append(("F1", result["limits"]["f1"]))
    for axes, (title, values) in zip(line, shown, strict=False):
        _map(axes, values, result)
        axes.set_title(title, color={"tangent kernel": style.NTK, "F1": style.F1}.get(title, style.INK))


def _lazy_distances(axes: Axes, result: dict[str, Any]) -> None:
    axes.plot(result["step"], result["to_ntk"], color=style.NTK, linewidth=2.2, label="to the tangent kernel's")
    if result["to_ntk"] != result["learnt_to_ntk"]:
        look: dict[str, Any] = {"color": style.NTK, "linewidth": 1.2, "linestyle": ":"}
        axes.plot(result["step"], result["learnt_to_ntk"], label="the same, less the start's output", **look)
    axes.plot(result["step"], result["to_f1"], color=style.F1, linewidth=2.2, label="to F1's")
    axes.axhline(result["apart"], color=style.INK, linewidth=1.0, linestyle="--", label="between the two")
    axes.set(xscale="log", xlim=(1, None), xlabel="step", ylim=(0.0, None))
    style.light_grid(axes, "y")


def _rates(rows: list[Row]) -> Figure:
    """Gap to the finite margin: actual, and what the propositions promise."""
    figure = style.new_figure(9.6, 4.8)
    panels = figure.subplots(1, 2, sharex=True)
    colours = {1.0: style.F1, 16.0: style.NTK}
    for parameters, result in rows:
        axes = panels[parameters["proposition"] - 6]
        multiple = parameters["multiple"]
        label = "actual gap" if multiple == 1.0 else f"actual gap, {multiple:g} times the step"
        axes.plot(result["step"], result["gap"], color=colours[multiple], linewidth=2.2, label=label)
        if multiple == 1.0:
            axes.plot(result["step"], result["promised"], color=style.INK, linestyle="--", label="promised gap")
            axes.axhline(result["upper"], color=style.MUTED, linewidth=0.8, label="the margin itself")
    for proposition, axes in zip((6, 7), panels, strict=True):
        axes.set(xscale="log", yscale="log", xlabel="step", title=f"Proposition {proposition}")
        if axes.lines:
            axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)
    panels[0].set_ylabel("gap to the finite margin")
    return figure


_FIGURES: dict[str, Callable[[list[Row]], Figure]] = {
    "fig1": _fig1,
    "fig2b": lambda rows: _errors(rows, "n", printed.FIG2B, "points $n$"),
    "fig2c": lambda rows: _errors(rows, "d", printed.FIG2C, "dimension $d$"),
    "fig2d": _fig2d,
    "fig3": _fig3,
    "rates": _rates,
}
