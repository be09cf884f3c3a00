"""The dual potential: what the adversary's weights pay to every neuron, and the level that none exceeds."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..conventions import Array
from ..features.directions import random_directions
from ..text import percent, short, upper_text
from . import geometry, style
from .neurons import star_handle, stars
from .views import Payoff, best_network, coordinate_names, first_run, payoff_of, shares, sign_colours

_PAID = 0.05  # latitudes whose largest payoff is below this share of the proved level are not drawn
_LEVELS = [0.25, 0.5, 0.75, 0.9, 0.97]  # contour lines on the sphere, as shares of the proved level
_RANDOM, _SEED = 20_000, 0  # directions drawn for comparison in D > 3


@style.styled
def dual_potential(comparison: Any) -> Figure:
    """theta -> |sum_i p_i y_i phi(theta, x_i)| of the F1 adversary: no neuron above the proved level, the atoms on it
    (Prop. 12: the support of an optimal measure lies in the argmax).

    D = 2: a curve over the angle. D = 3: a map of the two half spheres. Else: payoffs of atoms, trained and random
    neurons.
    """
    certificate = comparison.margins["f1"]
    payoff = payoff_of(comparison.dataset, certificate)
    D = payoff.Z.shape[1]
    item = first_run(comparison, "f1")
    trained = None if item is None else best_network(item.run).measure()
    if D == 3:
        return _sphere(comparison, certificate, payoff)
    figure = style.new_figure(9.6, 4.6 if D == 2 else 4.9)
    draw_potential(figure.subplots(), comparison, certificate, payoff, trained)
    if D == 2:
        _sign_legend(figure)
    return figure


def draw_potential(axes: Axes, comparison: Any, certificate: Any, payoff: Payoff, trained: Any) -> None:
    """The potential as one panel: over the angle (D = 2), its maximum over latitude (D = 3), else rows of payoffs."""
    D = payoff.Z.shape[1]
    if D == 2:
        _curve(axes, comparison, certificate, payoff)
    elif D == 3:
        _skyline(axes, comparison, certificate, payoff)
    else:
        _ridges(axes, certificate, payoff, trained)


def angles_with_kinks(Z: Array, count: int = 2000) -> Array:
    """A grid of [-pi, pi] that contains every angle at which the potential has a kink (D = 2)."""
    normal = np.arctan2(Z[:, 0], -Z[:, 1])
    kinks = np.concatenate([normal, normal + np.pi])
    wrapped = np.mod(kinks + np.pi, 2 * np.pi) - np.pi
    return np.unique(np.concatenate([np.linspace(-np.pi, np.pi, count), wrapped]))


def _level_text(certificate: Any) -> str:
    return f"proved: no neuron is paid more than {upper_text(certificate.upper, 4)}"


def _curve(axes: Axes, comparison: Any, certificate: Any, payoff: Payoff) -> None:
    angle = angles_with_kinks(payoff.Z)
    value = payoff(np.column_stack([np.cos(angle), np.sin(angle)]))
    for colour, part in ((style.POSITIVE, np.maximum(value, 0)), (style.NEGATIVE, np.maximum(-value, 0))):
        axes.fill_between(angle, part, color=colour, alpha=0.13, linewidth=0)
        axes.plot(angle, np.where(part > 1e-9 * payoff.level, part, np.nan), color=colour, linewidth=2.0)
    _around(axes, comparison, certificate, payoff, payoff.level)
    axes.annotate(
        _level_text(certificate), (-np.pi, payoff.level), (4, 9), textcoords="offset points", fontsize=9.5, va="bottom"
    )
    axes.set(ylim=(0.0, payoff.level * 1.2), ylabel="payoff")
    axes.set_title("Dual potential: what the adversary pays to a neuron in each direction")
    style.note(
        axes, "$\\theta \\mapsto |\\Sigma_i\\, p_i y_i \\varphi(\\theta, x_i)|$; colour: the output sign that earns it"
    )


def _around(axes: Axes, comparison: Any, certificate: Any, payoff: Payoff, level: float) -> None:
    """The axis of angles, the proved `level`, and the atoms as stars at it or below."""
    atoms, names = payoff.atoms, coordinate_names(comparison.dataset, certificate.problem.bias)
    angle = np.arctan2(atoms.directions[:, 1], atoms.directions[:, 0])
    stars(axes, np.column_stack([angle, np.abs(payoff(atoms.directions)) * level / payoff.level]), atoms.weights)
    axes.axhline(level, color=style.INK, linewidth=1.1, linestyle=(0, (5, 3)), gid="level")
    axes.set_xlim(-np.pi, np.pi)
    axes.set_xticks(np.pi * np.linspace(-1, 1, 5), ["$-\\pi$", "$-\\pi/2$", "$0$", "$\\pi/2$", "$\\pi$"])
    kind = "angle" if len(names) == 2 else "longitude"
    axes.set_xlabel(f"{kind} of the neuron's direction: 0 = {names[0]}, $\\pi/2$ = {names[1]}")
    style.light_grid(axes)


def _sign_legend(figure: Figure) -> None:
    handles = [
        style.key("output weight > 0", style.POSITIVE, linewidth=2.0),
        style.key("output weight < 0", style.NEGATIVE, linewidth=2.0),
        star_handle("atom of the F1 max-margin classifier"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)


def _sphere(comparison: Any, certificate: Any, payoff: Payoff) -> Figure:
    """D = 3: the band of the sphere on which neurons are paid, and below it the highest payoff at each longitude."""
    figure = style.new_figure(9.6, 8.0, "constrained")
    band, sky = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [1.3, 1.0]})
    _band(band, comparison, certificate, payoff)
    _skyline(sky, comparison, certificate, payoff)
    _sign_legend(figure)
    return figure


def _band(axes: Axes, comparison: Any, certificate: Any, payoff: Payoff) -> None:
    """Payoffs over longitude and latitude, cut to the latitudes at which some neuron is paid."""
    longitude = np.linspace(-np.pi, np.pi, 721)
    latitude = np.linspace(-np.pi / 2, np.pi / 2, 361)
    paid = np.abs(_on_sphere(payoff, longitude[::8], latitude)).max(axis=1) > _PAID
    low, high = latitude[paid].min(initial=np.pi / 2), latitude[paid].max(initial=-np.pi / 2)
    latitude = np.linspace(max(low - 0.06, -np.pi / 2), min(high + 0.06, np.pi / 2), 361)
    relative = _on_sphere(payoff, longitude, latitude)
    axes.imshow(
        relative, cmap=style.PAYOFF, vmin=-1, vmax=1, extent=(-np.pi, np.pi, latitude[0], latitude[-1]),
        origin="lower", interpolation="bilinear", aspect="auto",
    )  # fmt: skip
    widths = np.linspace(0.4, 1.2, len(_LEVELS))
    axes.contour(longitude, latitude, np.abs(relative), levels=_LEVELS, colors=[style.INK], linewidths=widths)
    atoms = payoff.atoms
    east, north, up = atoms.directions.T
    stars(axes, np.column_stack([np.arctan2(north, east), np.arcsin(np.clip(up, -1, 1))]), atoms.weights, 190.0)
    axes.set_yticks(*_angles(latitude[0], latitude[-1]))
    name = coordinate_names(comparison.dataset, certificate.problem.bias)[2]
    axes.set_ylabel(f"latitude ($\\pi/2$ = {name})")
    axes.set_title("Dual potential on the sphere of directions, where it pays")
    lines = ", ".join(f"{level:g}" for level in _LEVELS)
    style.note(axes, f"lines at {lines} of the proved level; colour: output sign")


def _angles(low: float, high: float) -> tuple[list[float], list[str]]:
    """The multiples of pi/8 or, on a narrow band, pi/16 between two angles, with their names."""
    parts = 8 if high - low > 0.8 else 16
    found = [k for k in range(-parts // 2, parts // 2 + 1) if low <= k * np.pi / parts <= high]
    names = [f"{k}$\\pi$/{parts}".replace("-", "\u2212").replace("1$", "$") if k else "0" for k in found]
    return [k * np.pi / parts for k in found], names


def _on_sphere(payoff: Payoff, longitude: Array, latitude: Array) -> Array:
    """Payoff / level, one row a latitude, one column a longitude."""
    flat, height = np.cos(latitude)[:, None], np.repeat(np.sin(latitude)[:, None], len(longitude), axis=1)
    nodes = np.stack([flat * np.cos(longitude), flat * np.sin(longitude), height], axis=-1).reshape(-1, 3)
    return geometry.in_blocks(payoff, nodes).reshape(len(latitude), len(longitude)) / payoff.level


def skyline(payoff: Payoff, count: int = 361) -> tuple[Array, Array]:
    """Longitudes (with those of the atoms) and max over latitude of |potential| / level (D = 3).

    The latitudes of the atoms are on the grid too, so that the curve touches 1 where an atom stands.
    """
    atoms = payoff.atoms.directions
    longitude = np.union1d(np.linspace(-np.pi, np.pi, count), np.arctan2(atoms[:, 1], atoms[:, 0]))
    latitude = np.union1d(np.linspace(-np.pi / 2, np.pi / 2, 181), np.arcsin(np.clip(atoms[:, 2], -1, 1)))
    best = np.zeros(len(longitude))
    for k, angle in enumerate(longitude):
        flat = np.cos(latitude)
        meridian = np.column_stack([flat * np.cos(angle), flat * np.sin(angle), np.sin(latitude)])
        best[k] = np.abs(payoff(meridian)).max()
    return longitude, best / payoff.level


def _skyline(axes: Axes, comparison: Any, certificate: Any, payoff: Payoff) -> None:
    longitude, height = skyline(payoff)
    axes.fill_between(longitude, height, color=style.F1, alpha=0.13, linewidth=0)
    axes.plot(longitude, height, color=style.F1, linewidth=2.0)
    _around(axes, comparison, certificate, payoff, 1.0)
    axes.set(ylim=(0.0, 1.18), ylabel="payoff / proved level")
    axes.set_title("Dual potential: the highest over all latitudes")
    style.note(axes, f"dashed: {_level_text(certificate)} (rounded up); stars: the atoms touch it")


def _ridges(axes: Axes, certificate: Any, payoff: Payoff, trained: Any) -> None:
    """Rows of |payoff| / level: random directions, trained neurons, atoms."""
    D = payoff.Z.shape[1]
    blind = np.abs(payoff(random_directions(_RANDOM, D, _SEED))) / payoff.level
    _ridge(axes, 0, blind, np.full(_RANDOM, 1.0 / _RANDOM), style.MUTED)
    count = f"{_RANDOM:,}".replace(",", "\u2009")
    rows = [f"{count} random\ndirections"]
    if trained is not None:
        share, value = shares(trained), payoff(trained.directions) / payoff.level * np.sign(trained.weights)
        _ridge(axes, 1, value, share, style.F1)
        _row_dots(axes, 1, value, 5.0 + 300.0 * share / max(1.0, 12.0 * share.max()), trained.weights)
        rows.append(f"{len(trained)} trained\nneurons (by mass)")
    atoms = payoff.atoms
    value = payoff(atoms.directions) / payoff.level * np.sign(atoms.weights)
    stars(axes, np.column_stack([value, len(rows) + _jitter(len(value))]), atoms.weights, 90.0)
    rows.append(f"{len(atoms)} atoms of the\nF1 classifier")
    axes.axvline(1.0, color=style.INK, linewidth=1.1, linestyle=(0, (5, 3)), gid="level")
    axes.annotate(
        f"proved level {short(certificate.lower, certificate.upper)}", (1.0, 1.0), (-5, -5),
        xycoords=("data", "axes fraction"), textcoords="offset points", ha="right", va="top", fontsize=9.5,
    )  # fmt: skip
    axes.set_yticks(np.arange(len(rows)) + 0.12, rows)
    axes.tick_params(axis="y", length=0, labelcolor=style.INK)
    axes.spines["left"].set_visible(False)
    axes.set(ylim=(-0.15, len(rows) - 0.12), xlim=(min(0.0, axes.get_xlim()[0]), 1.04))
    axes.set_xlabel("what the adversary pays to the neuron / proved level")
    style.light_grid(axes, "x")
    touching = ", the atoms on it" if certificate.relative_gap < 1e-3 else ""
    axes.set_title(f"Dual potential: no neuron beyond the dashed line{touching}")
    style.note(axes, f"D = {D}; the best of {count} random directions is paid {percent(blind.max())} of the level")


def _jitter(count: int) -> Array:
    """Deterministic heights in [0.03, 0.53], so that stars at the same payoff stay apart."""
    return 0.03 + 0.5 * np.mod(np.arange(count) * 0.6180339887498949, 1.0)


def _row_dots(axes: Axes, row: int, value: Array, area: Array, weights: Array) -> None:
    height = row - 0.02 - 0.1 * np.mod(np.arange(len(value)) * 0.6180339887498949, 1.0)
    axes.scatter(value, height, s=area, c=sign_colours(weights), alpha=0.5, linewidths=0, zorder=4)


def _ridge(axes: Axes, row: int, value: Array, weights: Array, colour: str) -> None:
    """A histogram of `value` with that row as its ground."""
    bins = np.linspace(0.0, 1.0, 81)
    height = np.histogram(np.clip(value, bins[0], bins[-1]), bins, weights=weights)[0]
    height = 0.62 * height / (height.max() or 1.0)
    axes.stairs(row + height, bins, baseline=row, fill=True, color=colour, alpha=0.35)
    axes.stairs(row + height, bins, baseline=row, color=colour, linewidth=1.2)
