"""The film as GIF or MP4: the same four pictures drawn with matplotlib, one frame per recorded moment."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from matplotlib import animation
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .. import atomic
from ..conventions import Array, Mask
from ..errors import InputError
from ..plots import geometry, style
from ..plots.decision import gates, scatter
from ..plots.margin import draw_bracket, draw_trace, height_limits, time_axis
from ..plots.neurons import half_sphere, star_handle, stars
from ..plots.views import plain, separable, sign_colours
from ..text import share_text
from . import frames as film

SECONDS, HOLD, DPI = 15.0, 16, 100  # length in seconds, frames for which the last picture stays, dots per inch
_TAIL = 5


def writer_name(path: str | os.PathLike[str]) -> str:
    """Which of matplotlib's writers makes this file, or an InputError where it is missing."""
    kind = "ffmpeg" if os.fspath(path).lower().endswith(".mp4") else "pillow"
    if not animation.writers.is_available(kind):
        raise InputError(
            f"film: found no {kind} for {os.fspath(path)!r}, wanted it installed; .html and .gif need none"
        )
    return kind


@style.styled
def write_movie(dataset: Any, run: Any, certificate: Any, path: str | os.PathLike[str]) -> None:
    """Write ``.gif`` with Pillow or ``.mp4`` with ffmpeg, whole or not at all.

    Raises
    ------
    InputError : .mp4 where matplotlib finds no ffmpeg.
    """
    frames = film.build(dataset, run, certificate)
    rate: Any = (len(frames.moments) + HOLD) / SECONDS  # matplotlib's types want a whole number, its writers do not
    writer = animation.writers[writer_name(path)](fps=rate)
    figure = style.new_figure(9.6, 8.0, None)
    panels = figure.subplots(
        2, 2, gridspec_kw={"height_ratios": [1.75, 1], "left": 0.075, "right": 0.98, "top": 0.89, "bottom": 0.115}
    )
    figure.subplots_adjust(hspace=0.34, wspace=0.24)
    handles = _handles(dataset, certificate)
    figure.legend(handles=handles, loc="lower center", ncols=len(handles), handletextpad=0.4, columnspacing=1.4)
    figure.text(0.02, 0.955, f"{plain(dataset.name)}: {run.width} neurons", fontsize=14, fontweight="bold")
    with atomic.replacing(path, suffix=os.path.splitext(path)[1]) as temporary, writer.saving(figure, temporary, DPI):
        for k in [*range(len(frames.moments)), *[len(frames.moments) - 1] * HOLD]:
            for axes in panels.flat:
                axes.clear()
            draw(panels, (dataset, run, certificate), frames, k)
            writer.grab_frame()


def draw(panels: Any, parts: tuple[Any, Any, Any], frames: film.Frames, k: int) -> Figure:
    """The k-th recorded moment on four axes (neurons, classifier; potential, margin)."""
    dataset, run, certificate = parts
    moment = frames.moments[k]
    _neurons(panels[0, 0], frames, k)
    (_line if frames.scene == "line" else _map)(panels[0, 1], dataset, certificate, frames, k)
    _potential(panels[1, 0], frames, k, float(separable(certificate)))
    _margin(panels[1, 1], run, certificate, moment)
    positive = certificate.lower > 0 and moment.margin > 0
    share = f" = {share_text(moment.margin / certificate.lower)} of $\\gamma_1$" if positive else ""
    panels[0, 0].set_title(f"Neurons, step {moment.step}")
    panels[0, 1].set_title("Classifier")
    unit = "proved level" if separable(certificate) else "what equal weights pay"
    panels[1, 0].set_title(f"Dual potential / {unit}")
    panels[1, 1].set_title(f"Margin {moment.margin:.3g}{share}".replace("-", "\u2212"))
    return panels[0, 0].figure


def _handles(dataset: Any, certificate: Any) -> list[Line2D]:
    """Legend of all four pictures."""
    negative, positive = map(plain, dataset.classes)
    handles = [
        style.key(f"class {name}, and neurons that vote for it", colour, marker="o")
        for colour, name in ((style.POSITIVE, positive), (style.NEGATIVE, negative))
    ]
    if separable(certificate):
        handles.append(star_handle("atom of the F1 classifier"))
    return [*handles, style.key("$f = 0$", linewidth=1.6), style.key("proved", linewidth=1.1, linestyle=(0, (5, 3)))]


def _flat(frames: film.Frames, directions: Array) -> tuple[Array, Mask]:
    """Where directions are drawn, and which of them are in front (the sphere is seen from its upper side)."""
    if frames.kind != "sphere":
        return directions, np.ones(len(directions), bool)
    return geometry.lambert(directions)


def _neurons(axes: Axes, frames: film.Frames, k: int) -> None:
    if frames.kind == "sphere":
        half_sphere(axes, frames.labels["neurons"])
    style.bare(axes, 1.12)
    angle = np.linspace(0, 2 * np.pi, 361)
    axes.plot(np.cos(angle), np.sin(angle), color="#999999", linewidth=1.0)
    share = np.abs(frames.shares[k])
    heavy = share / (share.max() or 1.0)
    colours = np.array(sign_colours(frames.shares[k]))
    radius = _radii(frames, k)
    places, front = _flat(frames, frames.neurons[k])
    for back in range(max(0, k - _TAIL), k):
        old, old_front = _flat(frames, frames.neurons[back])
        keep = front & old_front & (np.linalg.norm(old - places, axis=1) < 0.5)
        tails = np.stack([old * _radii(frames, back)[:, None], places * radius[:, None]], axis=1)[keep]
        for colour in (style.POSITIVE, style.NEGATIVE):
            chosen = colours[keep] == colour
            joined = np.concatenate([tails[chosen], np.full((chosen.sum(), 1, 2), np.nan)], axis=1).reshape(-1, 2)
            axes.plot(*joined.T, color=colour, alpha=0.08, linewidth=1.0)
    for seen, alpha in ((~front, 0.12), (front, 0.6)):
        x, y = (places * radius[:, None])[seen].T
        axes.scatter(x, y, s=6 + 150 * heavy[seen], c=colours[seen], alpha=alpha, linewidths=0, zorder=4)
    spots, _ = _flat(frames, frames.atoms)
    stars(axes, spots, frames.weights, 200.0)
    if frames.kind != "sphere":
        right, top = frames.labels["neurons"]
        axes.text(1.04, 0.0, right, va="center", rotation=-90 if len(right) > 12 else 0, color=style.MUTED, fontsize=9)
        axes.text(0.0, 1.04, top, ha="center", va="bottom", color=style.MUTED, fontsize=9)


def _radii(frames: film.Frames, k: int) -> Array:
    """On the circle the distance from the centre shows the share of mass, as on the page."""
    share = np.abs(frames.shares[k])
    return 0.16 + 0.84 * (share / (share.max() or 1.0)) ** 0.3 if frames.kind == "circle" else np.ones(len(share))


def _map(axes: Axes, dataset: Any, certificate: Any, frames: film.Frames, k: int) -> None:
    x0, x1, y0, y1 = frames.limits
    field, side = frames.field[k], frames.field.shape[1]
    x, y = np.linspace(x0, x1, side), np.linspace(y0, y1, side)
    axes.imshow(
        field, cmap=style.DECISION, vmin=-3, vmax=3, extent=(x0, x1, y0, y1), origin="lower", interpolation="bilinear",
        aspect="equal" if geometry.map_limits(frames.points)[2] else "auto",
    )  # fmt: skip
    for values, colour, dashes in ((frames.target, style.F1, (0, (1, 1.5))), (field, style.INK, "solid")):
        if values.min() < 0 < values.max():
            axes.contour(x, y, values, levels=[0.0], colors=[colour], linewidths=1.6, linestyles=[dashes])
    scatter(axes, frames.points, dataset.y, frames.adversaries[k] / frames.adversaries[k].max())
    axes.set(xlim=(x0, x1), ylim=(y0, y1), xlabel=frames.labels["scene"][0])
    axes.set_ylabel(frames.labels["scene"][1], labelpad=1.0)


def _line(axes: Axes, dataset: Any, certificate: Any, frames: film.Frames, k: int) -> None:
    x = np.linspace(frames.limits[0], frames.limits[1], frames.field.shape[1])
    if separable(certificate):
        axes.plot(x, frames.target, color=style.F1, alpha=0.4, linewidth=6.0)
    axes.plot(x, frames.field[k], color=style.INK, linewidth=1.6)
    axes.axhline(0.0, color=style.MUTED, linewidth=0.8)
    gates(axes, frames.points[:, 0], dataset.y, frames.adversaries[k] / frames.adversaries[k].max())
    axes.set_xlim(*frames.limits)
    axes.set(ylim=(-3.4, 3.4), xlabel=frames.labels["scene"][0])


def _potential(axes: Axes, frames: film.Frames, k: int, level: float) -> None:
    live = np.abs(frames.live[k])
    if frames.kind == "disc":
        share = np.maximum(np.abs(frames.shares[k]), 1e-6)
        axes.scatter(share, live, s=12, c=sign_colours(frames.shares[k]), alpha=0.5, linewidths=0)
        axes.set(xscale="log", xlim=(8e-7, 1.2), xlabel="share of the mass")
    else:
        proved = np.abs(frames.payoff)
        if frames.kind == "sphere":
            turn = film.LONGITUDES // 2
            live, proved = (np.roll(values.max(axis=0), turn) for values in (live, proved))
        angle = np.linspace(-np.pi, np.pi, len(live), endpoint=frames.kind == "circle")
        axes.fill_between(angle, proved, color="#000000", alpha=0.08, linewidth=0)
        axes.plot(angle, live, color=style.F1, linewidth=1.6)
        places = np.column_stack([np.arctan2(frames.atoms[:, 1], frames.atoms[:, 0]), np.ones(len(frames.atoms))])
        stars(axes, places, frames.weights, 90.0)
        axes.set_xlim(-np.pi, np.pi)
        axes.set_xticks([-np.pi, 0, np.pi], ["$-\\pi$", "0", "$\\pi$"])
        axes.set_xlabel("angle" if frames.kind == "circle" else "longitude (highest over latitude)")
    axes.axhline(level, color=style.INK, linewidth=1.1, linestyle=(0, (5, 3)))
    axes.set_ylim(-0.02, 1.8)


def _margin(axes: Axes, run: Any, certificate: Any, moment: film.Moment) -> None:
    draw_trace(axes, run, style.F1)
    lower, upper = (certificate.lower, certificate.upper) if separable(certificate) else (0.0, 0.0)
    floor, ceiling = height_limits(run, lower, upper)
    axes.set_ylim(floor, ceiling)
    time_axis(axes, [run], floor)
    draw_bracket(axes, lower, upper, style.F1, "$\\gamma_1$")
    time, height = np.clip(moment.time, *axes.get_xlim()), np.clip(moment.margin, floor, ceiling)
    shape = "o" if height > floor else "v"
    axes.plot([time], [height], shape, color=style.INK, markersize=7, zorder=6, clip_on=False)
    axes.set_xlabel("time (sum of step sizes)")
