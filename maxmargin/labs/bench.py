"""The bench of all laboratories: solutions of small flows and slopes of fits; the panels of a figure.

A panel has a title, axes and marks; a mark draws itself on its axes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..conventions import Array
from ..plots.style import INK, MUTED, light_grid, new_figure, note

Mark = Callable[[Axes], Any]


def flow(field: Callable[[Array], Array], start: Array, times: Array, **options: Any) -> Array:
    """The solution of S' = field(S), S(0) = start, at these times, shape (T, *start.shape).

    `options` are those of `scipy.integrate.solve_ivp`, which computes it; by default DOP853, rtol 1e-11, atol 1e-13.
    """
    from scipy.integrate import solve_ivp

    options = {"method": "DOP853", "rtol": 1e-11, "atol": 1e-13, "t_eval": times, **options}
    path = solve_ivp(lambda _, S: field(S.reshape(start.shape)).ravel(), (0.0, times[-1]), start.ravel(), **options)
    return path.y.T.reshape(-1, *start.shape)


def flow_until(field: Callable[[Array], Array], start: Array, size: Callable[[Array], float], **options: Any) -> Array:
    """The state of the flow where ``size`` has come down to 1e-10 (or time 1e6 is over)."""

    def left(_: float, state: Array) -> float:
        return size(state.reshape(start.shape)) - 1e-10

    left.terminal = True  # type: ignore[attr-defined]
    return flow(field, start, np.array([1e6]), events=left, t_eval=None, **options)[-1]


def exponent(x: Any, y: Any) -> float:
    """The slope of log y over log x, by least squares."""
    return decay(np.log(x), y)


def decay(t: Any, y: Any) -> float:
    """The slope of log y over t, by least squares."""
    return float(np.polyfit(t, np.log(y), 1)[0])


def distance(found: Array, wanted: Array) -> float:
    """|found - wanted| / |wanted|, all entries taken together."""
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


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


def figure(panels: Sequence[Mark]) -> Figure:
    """All panels, in a row."""
    drawing = new_figure(5.0 * len(panels), 4.3)
    for axes, draw in zip(drawing.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        draw(axes)
    return drawing
