"""What a film shows, computed once: every recorded moment of a run as arrays, in units of the proved margin.

Nothing is solved or trained here.  S snapshots, m neurons, n points; gamma is the certificate's `lower`.  Where the
margin is zero, f is in units of its largest value on the data in the end, payoffs in units of what equal weights pay.

A scene is where f is drawn: the line (d = 1), the plane (d = 2), or the plane of the atoms' two principal directions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..conventions import Array
from ..features.homogeneous import get_feature
from ..flow.network import Network
from ..margins.prove import softmin_weights
from ..oracles.selection import proving_oracle
from ..plots import geometry
from ..plots.potential import angles_with_kinks
from ..plots.views import Payoff, coordinate_names, feature_names, payoff_of, separable

ANGLES, LATITUDES, LONGITUDES = 1441, 61, 120
GRID, LINE = 72, 241  # nodes of a decision map (each way), samples of a function of one variable
_SAMPLES = 12  # rows of the data over which a projected map averages


@dataclass(frozen=True)
class Moment:
    """One snapshot: the network, its unit (f = unit * h has the recorded margin), and u_i = y_i f(x_i).

    Attributes
    ----------
    step, time, margin : as recorded; time is the sum of step sizes.  network : of this step.
    unit : factor with f = unit * h.  u : (n,) y_i f(x_i).
    """

    step: int
    time: float
    margin: float
    network: Network
    unit: float
    u: Array


def moments(dataset: Any, run: Any) -> list[Moment]:
    """The recorded moments in order; output-layer runs start at f = 0, which has no margin and is left out."""
    rows = {row["step"]: row for row in run.trace}
    feature, found = get_feature(run.feature), []
    for step, hidden, output in run.snapshots:
        row = rows.get(step)
        if row is None or not np.any(output):
            continue
        network = Network(np.asarray(hidden, dtype=float), np.asarray(output, dtype=float), run.bias, feature)
        u = dataset.y * network.decision_function(dataset.X)
        least = float(u.min())
        unit = row["margin"] / least if row["margin"] * least > 0 else 1.0 / row["mass"]
        found.append(Moment(step, float(row.get("time", step)), row["margin"], network, unit, unit * u))
    return found


def adversaries(story: list[Moment], y: Array, payoff: Payoff, directions: Array) -> list[Array]:
    """For each moment the best adversary that the run has shown so far: soft-min weights of its margins, (n,).

    Among soft-mins of all temperatures, now and before, it is the one whose largest payoff over `directions` is least.
    Any weights are a valid adversary. The flow's own, at the inverse temperature of its mass, jump between the support
    points in discrete steps once that is large.
    """
    columns, found = payoff.feature.evaluate(directions, payoff.Z) * y, [np.full(len(y), 1.0 / len(y))]
    for moment in story:
        found.append(softmin_weights(moment.u, columns, found[-1][:, None]))
    return found[1:]


@dataclass(frozen=True)
class Frames:
    """The arrays of a film.

    Attributes
    ----------
    moments : the S recorded moments.
    kind : "circle" (D = 2), "sphere" (D = 3) or "disc" (else): how neurons are drawn.
    neurons : (S, m, 2 or 3) unit directions, or their projection on the atoms' plane for "disc".
    shares : (S, m) signed share of the total variation.
    atoms : (K, 2 or 3) directions of the certificate's classifier, drawn like `neurons`; weights (K,).
    payoff, live : the certificate's and each moment's dual potential relative to the level, on the grid of `kind`:
        angles (circle), latitudes x longitudes (sphere); for "disc" each neuron's payoff, with `payoff` empty.
    adversaries : (S, n) the weights that `live` belongs to, one adversary in all pictures of a moment.
    highest : (S,) the exact oracle's maximum of |live| over all directions, rounded up (D = 2, 3); else None.
    scene : how the classifier is drawn: "line" (d = 1), "map" (d = 2) or "projection" (d > 2).
    field : (S, LINE) or (S, GRID, GRID), f in units of gamma; target : the same for the certificate's classifier.
    limits : (xmin, xmax[, ymin, ymax]) of the scene.  points : (n, 1 or 2) where the data are drawn.
    labels : of the scene's axes, of the neurons' axes.
    """

    moments: list[Moment]
    kind: str
    neurons: Array
    shares: Array
    atoms: Array
    weights: Array
    payoff: Array
    live: Array
    adversaries: Array
    highest: Array | None
    scene: str
    field: Array
    target: Array
    limits: tuple[float, ...]
    points: Array
    labels: dict[str, list[str]]


def build(dataset: Any, run: Any, certificate: Any) -> Frames:
    """Everything that a film of this run, beside this F1 certificate, shows."""
    story = moments(dataset, run)
    bias, gamma = certificate.problem.bias, _unit(certificate, story[-1])
    neurons, shares = _neurons(story)
    payoff = reference(dataset, certificate)
    D = payoff.Z.shape[1]
    kind = {2: "circle", 3: "sphere"}.get(D, "disc")
    star, live, weights = _potentials(kind, dataset, payoff, story, neurons)
    highest = None if kind == "disc" else _highest(payoff, weights, dataset.y)
    atoms = certificate.classifier
    plane = geometry.top_axes(atoms.directions, atoms.weights) if kind == "disc" else np.eye(D)
    names = coordinate_names(dataset, bias)
    axes = [geometry.axis_label(column, names).removesuffix(", standardised") for column in plane.T]
    scene, points, limits, nodes, labels = scene_of(dataset, certificate)
    field = np.stack([values_of(scene, item.network.decision_function, nodes) * item.unit / gamma for item in story])
    target = values_of(scene, certificate.decision_function, nodes) / gamma
    return Frames(
        story, kind, neurons @ plane, shares, atoms.directions @ plane, atoms.weights, star, live,
        weights, highest, scene, field, target, limits, points, {"scene": labels, "neurons": axes},
    )  # fmt: skip


def _unit(certificate: Any, last: Moment) -> float:
    """gamma; where the margin is zero, the largest |f(x_i)| of the last moment."""
    return certificate.lower if certificate.lower > 0 else float(np.abs(last.u).max()) or 1.0


def _neurons(story: list[Moment]) -> tuple[Array, Array]:
    """Unit directions (S, m, D) and signed shares (S, m); a neuron with a = 0 keeps its last direction."""
    directions: list[Array] = []
    shares: list[Array] = []
    for moment in story:
        network = moment.network
        length = np.linalg.norm(network.hidden, axis=1)
        unit = network.hidden / np.where(length > 0, length, 1.0)[:, None]
        if directions:
            unit = np.where((length > 0)[:, None], unit, directions[-1])
        weight = network.output * length**network.feature.degree
        directions.append(unit)
        shares.append(weight / (np.abs(weight).sum() or 1.0))
    return np.stack(directions), np.stack(shares)


def _highest(payoff: Payoff, weights: Array, y: Array) -> Array:
    """The largest payoff of any neuron at each moment, relative to the level, as the exact oracle bounds it."""
    oracle = proving_oracle(payoff.Z, payoff.feature)
    _, first, place = np.unique(weights, axis=0, return_index=True, return_inverse=True)
    bounds = [payoff.factor * oracle(weights[k] * y, 1).bound / payoff.level for k in first]
    return np.array(bounds)[place.ravel()]


def _potentials(
    kind: str, dataset: Any, payoff: Payoff, story: list[Moment], neurons: Array
) -> tuple[Array, Array, Array]:
    """The certificate's potential and each moment's, relative to the level, and the weights of each moment."""
    grids = {"circle": circle_grid, "sphere": sphere_grid}
    grid = grids[kind]() if kind in grids else None
    flat = np.vstack([payoff.atoms.directions, neurons[-1]]) if grid is None else grid.reshape(-1, grid.shape[-1])
    weights = adversaries(story, dataset.y, payoff, flat)
    others = [replace(payoff, q=p * dataset.y) for p in weights]
    if grid is None:
        live = [other(unit) for other, unit in zip(others, neurons, strict=True)]
        return np.zeros(0), np.stack(live) / payoff.level, np.stack(weights)
    shape = grid.shape[:-1]
    live = [other(flat).reshape(shape) for other in others]
    return payoff(flat).reshape(shape) / payoff.level, np.stack(live) / payoff.level, np.stack(weights)


def reference(dataset: Any, certificate: Any) -> Payoff:
    """The certificate's potential; where it is zero everywhere, that of equal weights, relative to its largest."""
    payoff = payoff_of(dataset, certificate)
    if separable(certificate):
        return payoff
    equal, D = replace(payoff, q=dataset.y / dataset.n), payoff.Z.shape[1]
    grid = {2: circle_grid, 3: sphere_grid}.get(D, lambda: payoff.Z / np.linalg.norm(payoff.Z, axis=1, keepdims=True))()
    return replace(equal, level=float(np.abs(equal(grid.reshape(-1, D))).max()) or 1.0)


def circle_grid() -> Array:
    """(ANGLES, 2) unit vectors."""
    angle = np.linspace(-np.pi, np.pi, ANGLES)
    return np.column_stack([np.cos(angle), np.sin(angle)])


def sphere_grid() -> Array:
    """(LATITUDES, LONGITUDES, 3) unit vectors: south to north, longitudes from 0 without the closing 2 pi."""
    latitude = np.linspace(-np.pi / 2, np.pi / 2, LATITUDES)[:, None]
    longitude = np.linspace(0.0, 2 * np.pi, LONGITUDES, endpoint=False)[None, :]
    flat = np.cos(latitude)
    height = np.broadcast_to(np.sin(latitude), (LATITUDES, LONGITUDES))
    return np.stack([flat * np.cos(longitude), flat * np.sin(longitude), height], axis=-1)


def exact_curve(payoff: Payoff) -> tuple[Array, Array]:
    """Angles (with every kink and atom) and the certificate's potential / level: no maximum is missed (D = 2)."""
    atoms = np.arctan2(payoff.atoms.directions[:, 1], payoff.atoms.directions[:, 0])
    angle = np.union1d(angles_with_kinks(payoff.Z, 400), atoms)
    return angle, payoff(np.column_stack([np.cos(angle), np.sin(angle)])) / payoff.level


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
