"""The dual potential: what the adversary's weights pay to every neuron, and the level that none exceeds."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ..text import upper_text
from . import geometry, style
from .neurons import half_sphere, half_sphere_title, star_handle, stars
from .numbers import percent, short
from .views import Payoff, best_network, coordinate_names, first_run, payoff_of, shares, sign_colours

Array = NDArray[np.float64]

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
    if D == 2:
        return _curve(comparison, certificate, payoff)
    if D == 3:
        return _maps(comparison, certificate, payoff)
    return _ridges(certificate, payoff, trained)


def angles_with_kinks(Z: Array, count: int = 2000) -> Array:
    """A grid of [-pi, pi] that contains every angle at which the potential has a kink (D = 2)."""
    normal = np.arctan2(Z[:, 0], -Z[:, 1])
    kinks = np.concatenate([normal, normal + np.pi])
    wrapped = np.mod(kinks + np.pi, 2 * np.pi) - np.pi
    return np.unique(np.concatenate([np.linspace(-np.pi, np.pi, count), wrapped]))


def _level_text(certificate: Any) -> str:
    return f"proved: no neuron is paid more than {upper_text(certificate.upper, 4)}"


def _curve(comparison: Any, certificate: Any, payoff: Payoff) -> Figure:
    figure = style.new_figure(9.6, 4.6)
    axes = figure.subplots()
    angle = angles_with_kinks(payoff.Z)
    value = payoff(np.column_stack([np.cos(angle), np.sin(angle)]))
    for colour, part in ((style.POSITIVE, np.maximum(value, 0)), (style.NEGATIVE, np.maximum(-value, 0))):
        axes.fill_between(angle, part, color=colour, alpha=0.13, linewidth=0)
        axes.plot(angle, np.where(part > 1e-9 * payoff.level, part, np.nan), color=colour, linewidth=2.0)
    atoms = payoff.atoms
    places = np.column_stack(
        [np.arctan2(atoms.directions[:, 1], atoms.directions[:, 0]), np.abs(payoff(atoms.directions))]
    )
    stars(axes, places, atoms.weights)
    axes.axhline(payoff.level, color=style.INK, linewidth=1.1, linestyle=(0, (5, 3)), gid="level")
    axes.annotate(
        _level_text(certificate), (-np.pi, payoff.level), (4, 9), textcoords="offset points", fontsize=9.5, va="bottom"
    )
    axes.set_xlim(-np.pi, np.pi)
    axes.set_ylim(0.0, payoff.level * 1.2)
    axes.set_xticks(np.pi * np.linspace(-1, 1, 5), ["$-\\pi$", "$-\\pi/2$", "$0$", "$\\pi/2$", "$\\pi$"])
    names = coordinate_names(comparison.dataset, certificate.problem.bias)
    axes.set_xlabel(f"angle of the neuron's direction: 0 = {names[0]}, $\\pi/2$ = {names[1]}")
    axes.set_ylabel("payoff")
    style.light_grid(axes)
    axes.set_title("Dual potential: what the adversary pays to a neuron in each direction")
    style.note(
        axes, "$\\theta \\mapsto |\\Sigma_i\\, p_i y_i \\varphi(\\theta, x_i)|$; colour: the output sign that earns it"
    )
    _sign_legend(figure)
    return figure


def _sign_legend(figure: Figure) -> None:
    handles = [
        Line2D([], [], color=style.POSITIVE, linewidth=2.0, label="output weight > 0"),
        Line2D([], [], color=style.NEGATIVE, linewidth=2.0, label="output weight < 0"),
        star_handle("atom of the F1 max-margin classifier"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)


def _maps(comparison: Any, certificate: Any, payoff: Payoff, count: int = 420) -> Figure:
    figure = style.new_figure(9.6, 6.0, "compressed")
    panels = figure.subplots(1, 2)
    names = coordinate_names(comparison.dataset, certificate.problem.bias)
    axis, _, nodes = geometry.mesh((-1.0, 1.0), (-1.0, 1.0), count)
    outside = (np.linalg.norm(nodes, axis=1) > 1.0).reshape(count, count)
    places, side = geometry.lambert(payoff.atoms.directions)
    for axes, upper in zip(panels, (True, False), strict=True):
        values = geometry.in_blocks(payoff, geometry.inverse_lambert(nodes, upper)).reshape(count, count)
        relative = np.ma.masked_array(values / payoff.level, outside)
        half_sphere(axes, names)
        half_sphere_title(axes, names[2], upper)
        axes.imshow(
            relative,
            cmap=style.PAYOFF,
            vmin=-1,
            vmax=1,
            extent=(-1, 1, -1, 1),
            origin="lower",
            interpolation="bilinear",
            zorder=1,
        )
        levels = [0.5, 0.8, 0.95]
        axes.contour(
            axis, axis, np.ma.abs(relative), levels=levels, colors=[style.INK], linewidths=[0.4, 0.7, 1.0], zorder=2
        )
        stars(axes, places, payoff.atoms.weights, 190.0, side == upper)
        style.bare(axes, 1.09)
    figure.legend(handles=[star_handle("atom of the F1 max-margin classifier")], loc="outside lower center")
    bar = figure.colorbar(
        ScalarMappable(Normalize(-1, 1), style.PAYOFF), ax=panels, orientation="horizontal",
        shrink=0.5, aspect=45, pad=0.03, ticks=[-1, -0.95, -0.8, -0.5, 0, 0.5, 0.8, 0.95, 1],
    )  # fmt: skip
    bar.ax.set_xticklabels(["1", "", "0.8", "0.5", "0", "0.5", "0.8", "", "1"])
    bar.set_label("\u2190 output weight < 0      payoff / proved level      output weight > 0 \u2192")
    bar.outline.set_visible(False)
    figure.suptitle(
        f"Dual potential on the sphere of directions; {_level_text(certificate)}",
        x=0.01,
        ha="left",
        fontsize=11,
        fontweight="bold",
    )
    return figure


def _ridges(certificate: Any, payoff: Payoff, trained: Any) -> Figure:
    """Rows of |payoff| / level: random directions, trained neurons, atoms."""
    D = payoff.Z.shape[1]
    random = np.random.default_rng(_SEED).standard_normal((_RANDOM, D))
    random /= np.linalg.norm(random, axis=1, keepdims=True)
    figure = style.new_figure(9.6, 4.9)
    axes = figure.subplots()
    blind = np.abs(payoff(random)) / payoff.level
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
    axes.set_ylim(-0.15, len(rows) - 0.12)
    axes.set_xlim(min(0.0, axes.get_xlim()[0]), 1.04)
    axes.set_xlabel("what the adversary pays to the neuron / proved level")
    style.light_grid(axes, "x")
    touching = ", the atoms on it" if certificate.relative_gap < 1e-3 else ""
    axes.set_title(f"Dual potential: no neuron beyond the dashed line{touching}")
    style.note(axes, f"D = {D}; the best of {count} random directions is paid {percent(blind.max())} of the level")
    return figure


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
