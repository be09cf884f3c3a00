"""Every face of the arrangement (about) once: a face is visited from its lowest vertex.

Seen in the chart where the hyperplane of x_0 lies at infinity, with heights ``f.a / x_0.a`` for a fixed generic f,
a face that is bounded below has one lowest vertex.  In general position D-1 hyperplanes S meet there, and on those of S
that do not contain the face it lies on the sides on which the edges rise.  So each pair (vertex, subset of S that
contains the face) gives exactly one face, up to a -> -a.  A face that is not bounded below touches the hyperplane of
x_0, where the same argument holds with x_1 at infinity, and so on: it is visited from both sides of x_0, ..., x_{l-1}.

Around circles in which too many hyperplanes meet, and from vertices at which a slope is too small to have a sure sign
or two hyperplanes can not be told apart, the arcs are walked on all sides instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from .great_circles import Arcs, Array, Index, Mask, height

LEVEL = 1e-9  # slopes below this are not trusted
TIED = 1e-11  # crossings closer than this can not be told apart
CLEAR = 1e-5  # hyperplanes that meet the circle, or each other, under smaller angles make slopes of mere rounding


@dataclass(frozen=True)
class Faces:
    """K faces: arcs they touch, and the sides on which they lie.

    Attributes
    ----------
    zeros : positions m in T of the hyperplanes that contain the faces.
    at : (K,) flat indices of arcs.  circle : (K,) rows of T.
    sides : (D-2, K) the side +-1 of x_{T_m}, 0 for m in zeros.
    """

    zeros: tuple[int, ...]
    at: Index
    circle: Index
    sides: Array


@dataclass(frozen=True)
class Slopes:
    """From which arcs a face is visited.

    Attributes
    ----------
    sure : (C, M) vertices at which the slopes tell of which faces they are the lowest; from the others all faces that
        touch the arc are visited.
    rising : (D-2, C, M) the side of x_{T_m} on which the edge at the arc's beginning rises.
    """

    sure: Mask
    rising: Array


def slopes(block: Arcs, X: Array) -> Slopes:
    """Slopes of the edges that leave the circles at the beginnings of the arcs.

    With p_m the dual basis of x_T (in its span), tau the circle's direction and e the edge that is crossed at a, the
    edge on the side +1 of x_{T_m} is ``d = p_m - (e.p_m / e.tau) tau``, and ``f.a / x.a`` has along d the slope
    ``(f.d) (x.a) - (x.d) (f.a)``.
    """
    k = block.T.shape[1]
    x = np.einsum("cd,cdj->jc", X[block.infinity], block.frame)
    f = np.einsum("d,cdj->jc", height(X.shape[1]), block.frame)
    turn = f[k + 1] * x[k] - f[k] * x[k + 1]
    e1, e2 = block.edges[k], block.edges[k + 1]
    length = np.sqrt(e1 * e1 + e2 * e2)
    circle = ~block.crowded & (turn > LEVEL) & (np.hypot(x[k], x[k + 1]) > CLEAR)
    circle &= np.diagonal(block.triangle, axis1=1, axis2=2).min(axis=1, initial=1.0) > CLEAR
    sure = circle[:, None] & ~_ties(e1, e2, length) & (length > CLEAR)
    rising = np.empty((k, *length.shape), length.dtype)
    if k == 0:
        return Slopes(sure, rising)
    inverse = 1.0 / block.triangle if k == 1 else np.linalg.inv(block.triangle)
    dual = inverse.transpose(1, 2, 0)  # [m, coordinate, circle]
    with np.errstate(divide="ignore", invalid="ignore"):
        cos, sin = e2 / length, -e1 / length
        x_a = x[k][:, None] * cos + x[k + 1][:, None] * sin
        f_a = f[k][:, None] * cos + f[k + 1][:, None] * sin
        for m, p in enumerate(dual):
            across = sum(p[d][:, None] * block.edges[d] for d in range(k)) / length
            rising[m] = (f[:k] * p).sum(axis=0)[:, None] * x_a - (x[:k] * p).sum(axis=0)[:, None] * f_a
            rising[m] -= across * turn[:, None]
            trusted = np.abs(rising[m]) > LEVEL * np.abs(p).sum(axis=0)[:, None]
            trusted |= block.crossing == block.infinity[:, None]  # a vertex at infinity is never a face's lowest vertex
            sure &= trusted | (block.infinity > m)[:, None]
    return Slopes(sure, np.sign(rising))


def _ties(e1: Array, e2: Array, length: Array) -> Mask:
    """Crossings that can not be told apart from one of their neighbours, (C, M)."""
    area = np.abs(e1 * np.roll(e2, -1, axis=1) - e2 * np.roll(e1, -1, axis=1))
    tied: Mask = area <= TIED * (length + np.roll(length, -1, axis=1))
    return tied | np.roll(tied, 1, axis=1)


def faces(block: Arcs, slope: Slopes, zeros: tuple[int, ...]) -> Faces:
    """The faces inside x_{T_m}, m in zeros, that touch the block's arcs and are to be visited from there."""
    k, M = block.T.shape[1], block.crossing.shape[1]
    free = [m for m in range(k) if m not in zeros]
    if not free:
        at = np.arange(len(block.T) * M)
        return Faces(zeros, at, at // M, np.zeros((k, len(at))))
    parts = []
    unsure = np.flatnonzero(~slope.sure)
    if len(unsure):
        parts += _both_sides(k, free, unsure, {})
    for l in range(k + 1):
        circles = np.flatnonzero(slope.sure.any(axis=1) & (block.infinity == l))
        if not len(circles):
            continue
        above = [m for m in free if m >= l]
        crossing = block.crossing[circles]
        last = block.T[circles][:, above].max(axis=1, initial=-1)
        # T is increasing and misses l, so that a crossing beyond those above l is not l itself
        lowest = slope.sure[circles] & (crossing > last[:, None])
        row, arc = np.nonzero(lowest)
        at = circles[row] * M + arc
        rising = {m: slope.rising[m].take(at) for m in above}
        parts += _both_sides(k, [m for m in free if m < l], at, rising)
    at = np.concatenate([arcs for arcs, _ in parts])
    return Faces(zeros, at, at // M, np.concatenate([sides for _, sides in parts], axis=1))


def _both_sides(k: int, free: list[int], at: Index, sides: dict[int, Array]) -> list[tuple[Index, Array]]:
    """The arcs with the sides given, and all choices of those in `free`."""
    out = []
    for choice in product((-1.0, 1.0), repeat=len(free)):
        t = np.zeros((k, len(at)))
        for m, side in sides.items():
            t[m] = side
        t[free] = np.array(choice)[:, None]
        out.append((at, t))
    return out
