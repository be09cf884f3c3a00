"""Where the neurons are: the trained network's as dots, the optimal atoms as stars, on the sphere of directions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

from ..conventions import Array, Mask
from ..games.measure import Measure
from . import geometry, style
from .views import best_network, coordinate_names, first_run, shares, sign_colours


@style.styled
def neurons(comparison: Any) -> Figure:
    """Dots: neurons of the both-layer network, area proportional to their share of the total variation. Stars: the
    atoms of the F1 classifier. Colour: the class that a neuron votes for.

    D = 2: the circle, with a rose of the mass. D = 3: two half spheres, equal area. Else: the plane of the atoms'
    two principal directions, its unit circle as the rim.
    """
    certificate = comparison.margins["f1"]
    item = first_run(comparison, "f1")
    trained = None if item is None else best_network(item.run).measure()
    D = certificate.classifier.directions.shape[1]
    figure = style.new_figure(9.6, {2: 6.4, 3: 5.6}.get(D, 5.7), "compressed")
    panels = [figure.subplots()] if D == 2 else list(figure.subplots(1, 2))
    draw_neurons(panels, comparison, certificate, trained)
    handles = [star_handle("atom of the F1 max-margin classifier")]
    if trained is not None:
        handles.insert(0, style.key("trained neuron (area: share of mass)", style.MUTED, marker="o", markersize=7))
    for colour, sign in ((style.POSITIVE, "positive"), (style.NEGATIVE, "negative")):
        handles.append(style.key(f"{sign} output weight", colour, marker="s", markersize=8))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), handletextpad=0.4, columnspacing=1.5)
    return figure


def draw_neurons(panels: Sequence[Axes], comparison: Any, certificate: Any, trained: Measure | None) -> None:
    """The neurons on one panel (D = 2) or two (the half spheres of D = 3; solved and trained for D > 3)."""
    D = certificate.classifier.directions.shape[1]
    {2: _circle, 3: _hemispheres}.get(D, _disc)(panels, comparison, certificate, trained)


def panels_within(axes: Axes, D: int, height: float) -> list[Axes]:
    """The axes itself for the circle (D = 2), else two panels side by side in it, of this relative height."""
    if D == 2:
        return [axes]
    axes.set_axis_off()
    return [axes.inset_axes((0.02 + 0.5 * k, 0.0, 0.46, height)) for k in range(2)]


def star_handle(label: str) -> Line2D:
    """Legend entry of the atoms."""
    return style.key(label, marker="*", markersize=14, markerfacecolor="white")


def stars(axes: Axes, points: Array, weights: Array, largest: float = 230.0, keep: Any = slice(None)) -> None:
    """The atoms `keep` out of all (K, 2) points, area by their share, never too small to see."""
    if not np.any(weights):
        return
    share = np.abs(weights) / np.abs(weights).max()
    area = largest * (0.35 + 0.65 * np.sqrt(share))
    axes.scatter(
        points[keep, 0],
        points[keep, 1],
        s=area[keep],
        marker="*",
        c=np.array(sign_colours(weights))[keep],
        edgecolors=style.INK,
        linewidths=0.9,
        zorder=6,
        gid="atoms",
    )


def _dots(axes: Axes, points: Array, measure: Measure, keep: Mask | None = None) -> None:
    keep = np.ones(len(points), bool) if keep is None else keep
    share = shares(measure)
    area = 5.0 + 560.0 * share / max(0.05, share.max())
    colours = np.array(sign_colours(measure.weights))
    x, y = points[keep].T
    axes.scatter(x, y, s=area[keep], c=colours[keep], alpha=0.45, linewidths=0, zorder=4, gid="neurons")


def _rim(axes: Axes, **options: Any) -> None:
    axes.add_patch(Circle((0, 0), 1.0, fill=False, edgecolor="#999999", linewidth=1.0, **options))


def _circle(panels: Sequence[Axes], comparison: Any, certificate: Any, trained: Measure | None) -> None:
    """D = 2: dots on the circle, outside it a rose of the trained mass (bars outward), stars at the atoms."""
    (axes,) = panels
    style.bare(axes, 1.46)
    _rim(axes)
    names = coordinate_names(comparison.dataset, certificate.problem.bias)
    for angle, text in ((0.0, names[0]), (np.pi / 2, names[1])):
        x, y = np.cos(angle), np.sin(angle)
        axes.annotate(
            "", (0.3 * x, 0.3 * y), (0, 0), arrowprops={"arrowstyle": "-|>", "color": style.MUTED, "linewidth": 1.0}
        )
        axes.annotate(
            text,
            (0.34 * x, 0.34 * y),
            ha="left" if angle == 0 else "center",
            va="center" if angle == 0 else "bottom",
            color=style.MUTED,
        )
    if trained is not None:
        _rose(axes, trained)
        _dots(axes, trained.directions, trained)
    stars(axes, certificate.classifier.directions, certificate.classifier.weights)
    axes.set_title("Neurons on the circle of directions")
    style.note(
        axes,
        "bars: share of the trained network's mass per 3 degrees (length: its square root); stars: the optimal atoms"
        if trained is not None
        else "stars: the atoms, which are the solved network's neurons",
    )


def _rose(axes: Axes, measure: Measure, bins: int = 120) -> None:
    """Trained mass per angle: outward bars whose length is the square root of the share."""
    angle = np.mod(np.arctan2(measure.directions[:, 1], measure.directions[:, 0]), 2 * np.pi)
    share = shares(measure)
    edges = np.linspace(0.0, 2 * np.pi, bins + 1)
    signs = ((style.POSITIVE, measure.weights > 0), (style.NEGATIVE, measure.weights < 0))
    heights = [np.sqrt(np.histogram(angle[chosen], edges, weights=share[chosen])[0]) for _, chosen in signs]
    tallest = max(height.max() for height in heights)
    for (colour, _), height in zip(signs, heights, strict=True):
        for k in np.flatnonzero(height > 1e-3):
            arc = np.linspace(edges[k], edges[k + 1], 5)
            inner, outer = 1.03, 1.03 + 0.38 * height[k] / max(0.3, tallest)
            ring = [np.column_stack([r * np.cos(a), r * np.sin(a)]) for r, a in ((inner, arc), (outer, arc[::-1]))]
            axes.fill(*np.vstack(ring).T, color=colour, alpha=0.35, linewidth=0, zorder=2)


def _hemispheres(panels: Sequence[Axes], comparison: Any, certificate: Any, trained: Measure | None) -> None:
    """D = 3: two equal-area discs."""
    names = coordinate_names(comparison.dataset, certificate.problem.bias)
    for axes, upper in zip(panels, (True, False), strict=True):
        half_sphere(axes, names)
        half_sphere_title(axes, names[2], upper)
        kinks(axes, comparison.dataset.inputs(certificate.problem.bias), certificate.adversary, upper)
        if trained is not None:
            points, side = geometry.lambert(trained.directions)
            _dots(axes, points, trained, side == upper)
        points, side = geometry.lambert(certificate.classifier.directions)
        stars(axes, points, certificate.classifier.weights, keep=side == upper)


def half_sphere(axes: Axes, names: list[str]) -> None:
    """An empty equal-area disc with its rim and the names of its axes."""
    style.bare(axes, 1.09)
    _rim(axes, zorder=5)
    for k, (text, place) in enumerate(((names[0], (1.0, 0.0)), (names[1], (0.0, 1.0)))):
        axes.annotate(
            text, place, (4, 0) if k == 0 else (0, 3), textcoords="offset points", color=style.MUTED,
            ha="left" if k == 0 else "center", va="center" if k == 0 else "bottom", fontsize=9.0,
        )  # fmt: skip


def half_sphere_title(axes: Axes, name: str, upper: bool) -> None:
    """Title of a half sphere; `name` is the coordinate that points at the reader."""
    axes.set_title(f"{name} \u2265 0" if upper else f"{name} < 0")
    style.note(axes, "half sphere of directions, equal area" if upper else "the other half, seen through the first")


def kinks(axes: Axes, Z: Array, p: Array, upper: bool) -> None:
    """Great circles of the support points: a neuron that lies on one has its kink at that point."""
    for z in Z[p > 1e-9 * p.max(initial=0.0)]:
        if not np.any(z):
            continue
        points, side = geometry.lambert(geometry.great_circle(z))
        shown = np.where((side == upper)[:, None], points, np.nan)
        axes.plot(*shown.T, color=style.MUTED, linewidth=0.6, alpha=0.5, zorder=1.5)


def _disc(panels: Sequence[Axes], comparison: Any, certificate: Any, trained: Measure | None) -> None:
    """D > 3: projections on the plane of the atoms' two principal directions; the rim is its unit circle."""
    atoms = certificate.classifier
    plane = geometry.top_axes(atoms.directions, atoms.weights)
    names = coordinate_names(comparison.dataset, certificate.problem.bias)
    for axes, measure, title in zip(
        panels, (atoms, trained), ("F1 max-margin classifier", "trained, both layers"), strict=True
    ):
        style.bare(axes, 1.12)
        _rim(axes)
        axes.axhline(0.0, 0.05, 0.95, color="#ECECEC", linewidth=0.8, zorder=0)
        axes.axvline(0.0, 0.05, 0.95, color="#ECECEC", linewidth=0.8, zorder=0)
        if measure is None:
            axes.set_visible(False)
            continue
        points = measure.directions @ plane
        share = shares(measure)
        inside = share @ (points**2).sum(axis=1)
        axes.set_title(f"{title}: {len(measure)} neurons")
        style.note(axes, f"mass of their directions inside this plane: {100 * inside:.0f} %")
        if measure is atoms:
            stars(axes, points, measure.weights)
        else:
            _dots(axes, points, measure)
    placed: tuple[tuple[tuple[float, float], dict[str, Any]], ...] = (
        ((0.5, 0.0), {"va": "top", "ha": "center"}),
        ((0.0, 0.5), {"va": "center", "ha": "right", "rotation": 90}),
    )
    for k, (spot, how) in enumerate(placed):
        label = geometry.wrapped(geometry.axis_label(plane[:, k], names).removesuffix(", standardised"))
        panels[0].text(*spot, label, transform=panels[0].transAxes, color=style.MUTED, fontsize=9.0, **how)
