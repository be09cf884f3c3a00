"""The figure of most laboratories: two panels side by side, each with a title, a muted line and plain axes."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..plots.style import light_grid, new_figure, note


def two_panels(height: float = 4.2, **options: Any) -> tuple[Figure, Axes, Axes]:
    """A figure and its two panels; `options` as of `Figure.subplots`."""
    drawing = new_figure(10.0, height)
    left, right = drawing.subplots(1, 2, **options)
    return drawing, left, right


def finish(axes: Axes, title: str, below: str = "", *, x: str = "", log: str = "", legend: str = "best") -> None:
    """Title, line below it, name of the x-axis, logarithmic axes ("", "x", "y" or "xy"), legend ("" for none)."""
    axes.set_title(title)
    if below:
        note(axes, below)
    axes.set_xlabel(x)
    for name, set_scale in (("x", axes.set_xscale), ("y", axes.set_yscale)):
        if name in log:
            set_scale("log")
    if "y" not in log:
        light_grid(axes)
    if legend:
        axes.legend(loc=legend)
