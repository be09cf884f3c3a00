"""Panels in a row: a panel has a title, axes and marks; a mark draws itself on its axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .style import INK, MUTED, light_grid, new_figure, note, styled

Mark = Callable[[Axes], Any]


def mark(method: str, *data: Any, **options: Any) -> Mark:
    """What this method of `Axes` draws."""
    return lambda axes: getattr(axes, method)(*data, **options)


def line(x: Any, y: Any, colour: str = INK, label: Any = None, style: str = "-", **options: Any) -> Mark:
    """A curve; `style` and `options` as of `Axes.plot`."""
    return mark("plot", x, y, style, **{"color": colour, "label": label, "linewidth": 1.2, **options})


def dots(x: Any, y: Any, colour: str = INK, label: str | None = None, *, size: float = 5.0, style: str = "o") -> Mark:
    """Single points."""
    return line(x, y, colour, label, style, markersize=size)


def level(y: float, label: str | None = None, colour: str = MUTED) -> Mark:
    """A dashed horizontal line."""
    return mark("axhline", y, color=colour, linestyle="--", linewidth=1.2, label=label)


def upright(x: float, label: str | None = None, colour: str = MUTED) -> Mark:
    """A dashed vertical line."""
    return mark("axvline", x, color=colour, linestyle="--", linewidth=1.0, label=label)


def panel(title: str, *marks: Mark, below: str = "", log: str = "", legend: str = "best", **settings: Any) -> Mark:
    """Marks on axes with a title, and a muted line `below` it.

    `log` names the logarithmic axes, `legend` its place ("" for none). `settings` are those of `Axes.set`: `xlabel`,
    `ylim`, ...; and `ticks`: the values of x to be marked, and no others.
    """
    ticks = settings.pop("ticks", None)

    def draw(axes: Axes) -> None:
        axes.set_title(title)
        if below:
            note(axes, below)
        axes.set(**{f"{name}scale": "log" for name in log})
        if "y" not in log:
            light_grid(axes)
        for add in marks:
            add(axes)
        axes.set(**settings)
        if ticks is not None:
            axes.set_xticks(ticks, [str(tick) for tick in ticks])
            axes.minorticks_off()
        if legend:
            axes.legend(loc=legend)

    return draw


@styled
def row(panels: Sequence[Mark]) -> Figure:
    """A figure of all panels, side by side."""
    drawing = new_figure(5.0 * len(panels), 4.3)
    for axes, draw in zip(drawing.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        draw(axes)
    return drawing
