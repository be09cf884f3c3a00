"""Flat pictures of points and of the sphere of neurons; no optimisation, only linear algebra."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..conventions import Array, Mask

_UNLIKE = 5.0  # two coordinates whose ranges differ by more than this factor are in different units
_ROWS = 4096  # rows evaluated at a time: a kernel classifier forms rows x n numbers


def in_blocks(f: Callable[[Array], Array], X: Array) -> Array:
    """f at many points, a few thousand rows at a time."""
    return np.concatenate([np.asarray(f(X[k : k + _ROWS]), dtype=float) for k in range(0, len(X), _ROWS)])


def padded_limits(values: Array, pad: float = 0.12) -> tuple[float, float]:
    """Range of the values, widened on both sides; never empty."""
    low, high = float(np.min(values)), float(np.max(values))
    margin = pad * (high - low) or 1.0
    return low - margin, high + margin


def square_limits(points: Array, pad: float = 0.12) -> tuple[tuple[float, float], tuple[float, float]]:
    """Limits for both axes of (n, 2) points; a much shorter side is widened, so that maps are never slivers."""
    limits = [padded_limits(points[:, k], pad) for k in range(2)]
    widths = [high - low for low, high in limits]
    wanted = max(widths) * 0.6
    grown = [
        (low - max(0.0, wanted - width) / 2, high + max(0.0, wanted - width) / 2)
        for (low, high), width in zip(limits, widths, strict=True)
    ]
    return grown[0], grown[1]


def map_limits(points: Array) -> tuple[tuple[float, float], tuple[float, float], bool]:
    """Limits for both axes, and whether their units are alike: then both are drawn to one scale."""
    widths = [np.ptp(values) for values in points.T]
    if min(widths) > 0.0 and max(widths) > _UNLIKE * min(widths):
        return padded_limits(points[:, 0]), padded_limits(points[:, 1]), False
    return *square_limits(points), True


def mesh(xlim: tuple[float, float], ylim: tuple[float, float], count: int) -> tuple[Array, Array, Array]:
    """Axes values and the (count^2, 2) grid points, row by row from below."""
    x, y = np.linspace(*xlim, count), np.linspace(*ylim, count)
    return x, y, np.stack([a.ravel() for a in np.meshgrid(x, y)], axis=1)


@dataclass(frozen=True)
class Plane:
    """Coordinates u = V'((x - centre) / scale) on a two-dimensional plane of standardised features.

    Attributes
    ----------
    centre, scale : (d,) mean and standard deviation of the features (1 where constant).
    axes : (d, 2) orthonormal columns V.
    labels : what the two coordinates mean.
    """

    centre: Array
    scale: Array
    axes: Array
    labels: tuple[str, str]

    def coordinates(self, X: Array) -> Array:
        """(n, 2) coordinates of the rows of X."""
        return ((X - self.centre) / self.scale) @ self.axes

    def averaged(self, f: Callable[[Array], Array], X: Array, points: Array, samples: int = 24) -> Array:
        """Mean of f over rows of X moved to the plane's coordinates `points` (N, 2), their other coordinates kept."""
        chosen = X[np.unique(np.linspace(0, len(X) - 1, samples).round().astype(int))]
        standard = (chosen - self.centre) / self.scale
        rest = standard - (standard @ self.axes) @ self.axes.T
        inside = points @ self.axes.T
        total = sum(in_blocks(f, self.centre + self.scale * (inside + row)) for row in rest)
        return np.asarray(total) / len(rest)


def principal_plane(X: Array, directions: Array | None, weights: Array | None, names: Sequence[str]) -> Plane:
    """The plane of the neurons' two principal directions: top eigenvectors of sum_k |w_k| b_k b_k', b_k = scale * a_k.

    Falls back to the principal components of X without neurons, and where they span less than a plane. Within the
    plane the first axis points along the feature that lies closest to it: a plane of two features is drawn upright.
    """
    centre, scale = X.mean(axis=0), X.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    standard = (X - centre) / scale
    second_moment = 1e-9 * standard.T @ standard / len(X)
    if directions is not None and weights is not None and len(weights):
        looks = directions[:, : X.shape[1]] * scale
        second_moment = second_moment + (looks.T * np.abs(weights)) @ looks
    axes = upright(np.linalg.eigh(second_moment)[1][:, :-3:-1])
    labels = (axis_label(axes[:, 0], names), axis_label(axes[:, 1], names))
    return Plane(centre, scale, axes, labels)


def upright(axes: Array) -> Array:
    """Rotate two orthonormal columns within their span: the closest coordinate first, the next one upward."""
    leading = int(np.argmax((axes**2).sum(axis=1)))
    first = axes[leading] / np.linalg.norm(axes[leading])
    rotated = axes @ np.array([[first[0], -first[1]], [first[1], first[0]]])
    flip = np.sign(rotated[np.argmax(np.abs(rotated[:, 1])), 1]) or 1.0
    return rotated * np.array([1.0, flip])


def axis_label(axis: Array, names: Sequence[str], terms: int = 2) -> str:
    """``petal width`` for an axis close to one feature, else its largest terms: ``0.7 petal width - 0.5 ...``."""
    order = np.argsort(-np.abs(axis), kind="stable")
    if abs(axis[order[0]]) > 0.95:
        return f"{names[order[0]]}, standardised"
    shown = [k for k in order[:terms] if abs(axis[k]) > 0.15]
    if not shown:
        return ""
    parts = [f"{'-' if axis[k] < 0 else '+'} {abs(axis[k]):.2f} {names[k]}" for k in shown]
    text = " ".join(parts).removeprefix("+ ").replace("- ", "\u2212 ")
    text = "\u2212" + text.removeprefix("\u2212 ") if axis[shown[0]] < 0 else text
    return text if len(shown) == np.count_nonzero(np.abs(axis) > 0.15) else f"{text} + \u2026"


def wrapped(label: str, width: int = 34) -> str:
    """A long axis label on two or more lines, broken between its terms."""
    if len(label) <= width:
        return label
    return label.replace(" + ", "\n+ ").replace(" \u2212 ", "\n\u2212 ").replace("\n+ \u2026", " + \u2026")


def top_axes(directions: Array, weights: Array) -> Array:
    """(D, 2) principal plane of a measure on the sphere itself; on the line (D = 1) the second axis is zero."""
    if directions.shape[1] == 1:
        return np.array([[1.0, 0.0]])
    second_moment = (directions.T * np.abs(weights)) @ directions
    return upright(np.linalg.eigh(second_moment)[1][:, :-3:-1])


def lambert(directions: Array) -> tuple[Array, Mask]:
    """Equal-area discs of the two half spheres (D = 3), seen along the last coordinate.

    Returns
    -------
    points (K, 2) in the unit disc, upper (K,) bool: whether the last coordinate is >= 0. The lower half sphere is seen
    through the upper one: the same (a_1, a_2) direction lies in the same place on both discs.
    """
    height = np.abs(directions[:, 2])
    return directions[:, :2] / np.sqrt(1.0 + height)[:, None], directions[:, 2] >= 0.0


def great_circle(z: Array, count: int = 721) -> Array:
    """(count, 3) unit vectors orthogonal to z: where a neuron's kink passes through the point."""
    normal = z / np.linalg.norm(z)
    helper = np.eye(3)[np.argmin(np.abs(normal))]
    first = np.cross(normal, helper)
    first /= np.linalg.norm(first)
    angle = np.linspace(0.0, 2.0 * np.pi, count)[:, None]
    return np.cos(angle) * first + np.sin(angle) * np.cross(normal, first)
