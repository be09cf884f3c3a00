"""Where f is drawn: the line (d = 1), the plane (d = 2), or the plane of the atoms' two principal directions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..conventions import Array
from ..plots import geometry
from ..plots.views import feature_names

GRID, LINE = 72, 241  # nodes of a decision map (each way), samples of a function of one variable
_SAMPLES = 12  # rows of the data over which a projected map averages


def scene_of(dataset: Any, certificate: Any) -> tuple[str, Array, tuple[float, ...], Any, list[str]]:
    """(kind, points, limits, nodes at which f is wanted, axis labels)."""
    X, names = dataset.X, feature_names(dataset)
    if X.shape[1] == 1:
        limits = geometry.padded_limits(X[:, 0], 0.15)
        return "line", X, limits, np.linspace(*limits, LINE)[:, None], names
    if X.shape[1] == 2:
        xlim, ylim, _ = geometry.map_limits(X)
        return "map", X, (*xlim, *ylim), geometry.mesh(xlim, ylim, GRID)[2], names
    atoms = certificate.classifier
    plane = geometry.principal_plane(X, atoms.directions, atoms.weights, names)
    points = plane.coordinates(X)
    xlim, ylim, _ = geometry.map_limits(points)
    return "projection", points, (*xlim, *ylim), (plane, X, geometry.mesh(xlim, ylim, GRID // 2)[2]), list(plane.labels)


def values_of(scene: str, f: Any, nodes: Any) -> Array:
    """f on the nodes of the scene."""
    if scene == "line":
        return np.asarray(f(nodes), dtype=float)
    if scene == "map":
        return geometry.in_blocks(f, nodes).reshape(GRID, GRID)
    plane, X, grid = nodes
    return plane.averaged(f, X, grid, _SAMPLES).reshape(GRID // 2, GRID // 2)
