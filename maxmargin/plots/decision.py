"""Decision maps: the classifiers of a comparison side by side, each in units of its own margin."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..conventions import Array
from . import geometry, style
from .views import View, classifier_views, feature_names, plain

REACH = 3.0  # colours saturate at three margins
_GRID = {"map": 220, "projection": 60}


@style.styled
def decision_map(comparison: Any) -> Figure:
    """One panel per classifier: solved above, trained below; F1 left, F2 right.

    d = 1: f over the line, which has to pass every point's gate. d = 2: filled map, contours at f = -1, 0, 1.
    d > 2: the plane of the F1 neurons' two principal directions, f averaged over the other coordinates of the data.
    Rings: support points, area growing with the adversary's p_i (of a network: the points within 10 % of its margin).
    """
    views = classifier_views(comparison)
    d = comparison.dataset.X.shape[1]
    if d == 1:
        return _lines(comparison, views)
    draw = map_of(comparison, views)
    rows, columns = (2, 2) if len(views) > 2 else (1, max(1, len(views)))
    aspect = float(np.clip(np.diff(draw.ylim)[0] / np.diff(draw.xlim)[0], 0.6, 1.25)) if draw.equal else 0.8
    layout: style.Layout = "compressed" if draw.equal else "constrained"
    figure = style.new_figure(9.6, 1.0 + rows * (3.85 * aspect + 0.8), layout)
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    places = {"f1": (0, 0), "f2": (0, 1), "both": (1, 0), "output": (1, 1)}
    for axes in panels.flat:
        axes.set_visible(False)
    for k, (name, view) in enumerate(views.items()):
        axes = panels[places[name]] if rows == 2 else panels[0, k]
        axes.set_visible(True)
        draw.panel(axes, view)
    for axes in panels[-1]:
        axes.set_xlabel(geometry.wrapped(draw.labels[0]))
    for axes in panels[:, 0]:
        axes.set_ylabel(geometry.wrapped(draw.labels[1]))
    _finish(figure, panels, comparison, draw.contours)
    return figure


class _Map:
    """d = 2: f itself."""

    contours = True

    def __init__(self, comparison: Any, views: dict[str, View]):
        self.X, self.y = comparison.dataset.X, comparison.dataset.y
        self.points = self.X
        self.labels = feature_names(comparison.dataset)
        self.xlim, self.ylim, self.equal = geometry.map_limits(self.points)

    def values(self, view: View, nodes: Array) -> Array:
        return geometry.in_blocks(view.f, nodes)

    def panel(self, axes: Axes, view: View) -> None:
        """Filled map, zero set, margin contours, points, support rings."""
        x, y, nodes = geometry.mesh(self.xlim, self.ylim, _GRID["map" if self.contours else "projection"])
        values = self.values(view, nodes).reshape(len(y), len(x))
        axes.imshow(
            np.clip(values, -REACH, REACH),
            cmap=style.DECISION,
            vmin=-REACH,
            vmax=REACH,
            extent=(*self.xlim, *self.ylim),
            origin="lower",
            interpolation="bilinear",
            aspect="equal" if self.equal else "auto",
        )
        if values.min() < 0 < values.max():
            axes.contour(x, y, values, levels=[0.0], colors=[style.INK], linewidths=1.6)
        if self.contours and view.separates:
            axes.contour(x, y, values, levels=[-1.0, 1.0], colors=[style.INK], linewidths=0.9, linestyles=[(0, (4, 3))])
        scatter(axes, self.points, self.y, view.rings)
        axes.set_title(view.title, color=view.colour)
        style.note(axes, view.subtitle)
        axes.locator_params(nbins=6)
        axes.set(xlim=self.xlim, ylim=self.ylim)


class _Projection(_Map):
    """d > 2: f averaged over the coordinates outside the plane."""

    contours = False

    def __init__(self, comparison: Any, views: dict[str, View]):
        super().__init__(comparison, views)
        certificate = comparison.margins.get("f1")
        measure = None if certificate is None else certificate.classifier
        self.plane = geometry.principal_plane(
            self.X,
            getattr(measure, "directions", None),
            getattr(measure, "weights", None),
            feature_names(comparison.dataset),
        )
        self.points, self.labels = self.plane.coordinates(self.X), list(self.plane.labels)
        self.xlim, self.ylim, self.equal = geometry.map_limits(self.points)

    def values(self, view: View, nodes: Array) -> Array:
        return self.plane.averaged(view.f, self.X, nodes)


def scatter(axes: Axes, points: Array, y: Array, rings: Array) -> None:
    """Points by class (colour and shape), rings around the support points."""
    _rings(axes, points[:, 0], points[:, 1], rings, 34.0)
    size = 26.0 if len(y) < 200 else 14.0
    positives = set(map(tuple, points[y > 0]))
    disputed = np.array([tuple(point) in positives for point in points[y < 0]], dtype=bool)
    x1, x2 = points[y < 0][disputed].T  # points of both classes in one place: draw both visibly
    axes.scatter(x1, x2, s=5 * size, c=style.NEGATIVE, marker="o", edgecolors="white", linewidths=0.6, zorder=4.5)
    for label, colour, marker in ((-1.0, style.NEGATIVE, "o"), (1.0, style.POSITIVE, "D")):
        x1, x2 = points[y == label].T
        shrink = 0.72 if marker == "D" else 1.0
        axes.scatter(x1, x2, s=size * shrink, c=colour, marker=marker, edgecolors="white", linewidths=0.6, zorder=5)


def _rings(axes: Axes, x: Array, y: Array, rings: Array, least: float) -> None:
    """Rings of that area and more at the support points."""
    held = rings > 0.01
    look: dict[str, Any] = {"facecolors": "none", "edgecolors": style.INK, "linewidths": 1.1, "zorder": 4}
    axes.scatter(x[held], y[held], s=least + 190.0 * rings[held], **look)


def _class_handles(comparison: Any) -> list[Line2D]:
    names = getattr(comparison.dataset, "classes", (-1, 1))
    shapes = ((names[1], style.POSITIVE, "D", 6.0), (names[0], style.NEGATIVE, "o", 7.0))
    edge = {"markeredgecolor": "white"}
    return [
        style.key(f"class {plain(name)}".replace("-", "\u2212"), colour, marker=marker, markersize=size, **edge)
        for name, colour, marker, size in shapes
    ]


def _ring_handle() -> Line2D:
    return style.key("support point (larger: more weight $p_i$)", marker="o", markersize=10.0, markerfacecolor="none")


def _finish(figure: Figure, panels: Any, comparison: Any, contours: bool) -> None:
    """Legend below, one colour bar for all panels."""
    handles = [*_class_handles(comparison), _ring_handle()]
    handles.append(style.key("$f = 0$", linewidth=1.6))
    if contours:
        handles.append(style.key("$f = \\pm$margin", linewidth=0.9, linestyle=(0, (4, 3))))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), handletextpad=0.4, columnspacing=1.6)
    scale = ScalarMappable(Normalize(-REACH, REACH), style.DECISION)
    bar = figure.colorbar(
        scale, ax=panels, shrink=0.6, aspect=30, pad=0.02, extend="both", ticks=[-3, -2, -1, 0, 1, 2, 3]
    )
    averaged = "" if contours else ", mean over the\nother coordinates of the data"
    unit = "the margin" if any(view.separates for view in classifier_views(comparison).values()) else "its mean size"
    bar.set_label(f"$f(x)$ in units of {unit}{averaged}")
    bar.outline.set_visible(False)


def _lines(comparison: Any, views: dict[str, View]) -> Figure:
    """d = 1: solved and trained f over each other, F1 left and F2 right."""
    groups = [[views[k] for k in pair if k in views] for pair in (("f1", "both"), ("f2", "output"))]
    groups = [group for group in groups if group]
    figure = style.new_figure(9.6, 4.4)
    panels = figure.subplots(1, len(groups), squeeze=False, sharex=True, sharey=True)[0]
    x = line_nodes(comparison.dataset)
    for axes, group in zip(panels, groups, strict=True):
        line_panel(axes, comparison, group, x)
    unit = "the margin" if any(view.separates for view in views.values()) else "its mean size"
    panels[0].set_ylabel(f"$f(x)$ in units of {unit}")
    heights = [np.abs(line.get_ydata()).max() for axes in panels for line in axes.lines]
    limit = 1.05 * min(4.0, max(2.2, *heights))
    panels[0].set_ylim(-limit, limit)
    handles = [
        style.key("solved", style.MUTED, **_SOLVED),
        style.key("trained", **_TRAINED),
        style.key("$f$ must pass above", style.POSITIVE, marker="^", markersize=8),
        style.key("$f$ must pass below", style.NEGATIVE, marker="v", markersize=8),
        _ring_handle(),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), columnspacing=1.6)
    return figure


def line_nodes(dataset: Any) -> Array:
    """Where a function of one variable is drawn."""
    return np.linspace(*geometry.padded_limits(dataset.X[:, 0], 0.15), 1200)


def line_panel(axes: Axes, comparison: Any, group: list[View], x: Array) -> None:
    """d = 1: the first function of the group as a wide line, a second one dashed, and the gates to pass."""
    X, y = comparison.dataset.X, comparison.dataset.y
    for view, style_of in zip(group, (_SOLVED, _TRAINED), strict=False):
        colour = view.colour if style_of is _SOLVED else style.INK
        axes.plot(x, geometry.in_blocks(view.f, x[:, None]), color=colour, **style_of)
    gates(axes, X[:, 0], y, group[0].rings)
    axes.axhline(0.0, color=style.MUTED, linewidth=0.8, zorder=0)
    axes.set_title(group[0].title, color=group[0].colour)
    style.note(axes, group[0].subtitle if len(group) == 1 else _both(group))
    axes.set(xlabel=feature_names(comparison.dataset)[0], xlim=(x[0], x[-1]))


def map_of(comparison: Any, views: dict[str, View]) -> _Map:
    """The function that draws these views: f itself for d = 2, its mean over the other coordinates for d > 2."""
    return _Map(comparison, views) if comparison.dataset.d == 2 else _Projection(comparison, views)


_SOLVED: dict[str, Any] = {"linewidth": 5.0, "alpha": 0.45}
_TRAINED: dict[str, Any] = {"linewidth": 1.5, "linestyle": (0, (5, 2))}


def _both(group: list[View]) -> str:
    solved, trained = (view.subtitle.split(" (")[0].removeprefix("margin ").removeprefix("in ") for view in group[:2])
    if not group[0].separates:
        return "the margin is 0, proved: nothing to converge to"
    return f"solved {solved}; trained {trained}"


def gates(axes: Axes, x: Array, y: Array, rings: Array) -> None:
    """A triangle at (x_i, y_i), pointing to where f has to be; rings at support points."""
    _rings(axes, x, y, rings, 90.0)
    for label, colour, marker in ((-1.0, style.NEGATIVE, "v"), (1.0, style.POSITIVE, "^")):
        chosen = y == label
        axes.scatter(
            x[chosen], y[chosen], s=64.0, c=colour, marker=marker, edgecolors="white", linewidths=0.8, zorder=5
        )
