"""Distances that make the limits visible: between neuron measures on the sphere, and between widths (Theorem 2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..conventions import Array
from ..features import RELU
from ..games.measure import Measure
from .initial import neurons
from .network import Network
from .ode import trajectory


def wasserstein(first: Measure, second: Measure, order: int = 1) -> float:
    """Wasserstein distance of two normalised neuron measures, W_1 or W_2.

    A neuron of direction a and sign s is the point (a, s)/sqrt2 of the unit sphere (balanced, Prop. 9), its mass |w_k|
    divided by the total; the cost is the chord to that order.  Solved as a transport problem by linear programming:
    keep one of the two measures to some hundred atoms.
    """
    from scipy.optimize import linprog
    from scipy.sparse import identity, kron, vstack
    from scipy.spatial.distance import cdist

    (P, p), (Q, q) = _points(first), _points(second)
    cost = cdist(P, Q) ** order
    rows = kron(identity(len(p)), np.ones((1, len(q))))
    columns = kron(np.ones((1, len(p))), identity(len(q)))
    # one marginal equation is implied by the others; without it rounding cannot make the problem infeasible
    A = vstack([rows, columns]).tocsr()[:-1]
    result = linprog(cost.ravel(), A_eq=A, b_eq=np.concatenate([p, q])[:-1], method="highs")
    return float(max(result.fun, 0.0) ** (1.0 / order))


def _points(measure: Measure) -> tuple[Array, Array]:
    heavy = np.abs(measure.weights) > 0
    points = np.hstack([measure.directions[heavy], np.sign(measure.weights[heavy])[:, None]]) / np.sqrt(2.0)
    weights = np.abs(measure.weights[heavy])
    return points, weights / weights.sum()


def distances_to_widest(
    Z: Array,
    y: Array,
    widths: Sequence[int],
    times: Sequence[float],
    *,
    seed: int = 0,
    steps: int = 200,
) -> Array:
    """max_i |u_i(t; m) - u_i(t; largest m)| for each width but the largest, shape (len(widths) - 1, len(times)).

    Theorem 2: trajectories of growing m approach the mean-field limit; coupled by one seed (a narrower network is the
    first neurons of a wider one) and for bounded times they do so like m^(-1/2).
    """
    path = []
    for m in sorted(widths):
        start = Network(*neurons("gaussian", np.random.default_rng(seed), m, Z.shape[1], RELU))
        path.append([y * network.outputs(Z) for network in trajectory(start, Z, y, times, method="heun", steps=steps)])
    u = np.array(path)
    return np.abs(u[:-1] - u[-1]).max(axis=2)
