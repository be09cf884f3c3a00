"""Neurons on kinks: the flow of ReLU networks is a differential inclusion, and one step solves for where it slides.

For frozen adversary weights p, neuron j climbs the potential  b_j sum_i q_i sigma(a.z_i),  q_i = p_i y_i.  Across the
hyperplane a.z_i = 0 its gradient jumps by kappa b_j q_i z_i, kappa = right + left.  Where kappa b_j q_i < 0 the kink is
concave.  Both sides push the neuron onto it, and the flow (in the sense of Filippov) slides along it.  An explicit
step overshoots and comes back for ever, at an amplitude that is lost from the margin.

`slide` treats these kinks implicitly.  With s_j = int b_j dt over the step it finds gates mu_ij in [0, 1] such that

    a_j+ = a_j + s_j sum_i q_i (-left + kappa mu_ij) z_i,     mu_ij = 1 where a_j+.z_i > 0, 0 where a_j+.z_i < 0,

the optimality conditions of a proximal step: a small bounded quadratic program per neuron, solved for all neurons at
once by coordinate descent.  A neuron with 0 < mu_ij < 1 rests on kink i.  Its velocity is the projection of the
gradient on the kinks that it rests on, and so is its part of the tangent kernel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

_SWEEPS = 20  # sweeps of coordinate descent, which starts at the gates of the last step
_SETTLED = 1e-5  # largest change of a gate in the last sweep
_INSIDE = 1e-6  # a neuron rests on a kink if its gate is at least this far from 0 and 1 ...
_REACHED = 1e-3  # ... and its distance from the kink is below this share of the motion by the whole gate
_NEAR = 2.0  # kinks within this multiple of the length of the step are solved for
_WEIGHTY = 1e-9  # points with less than this share of the largest weight have kinks too weak to matter
_FLAT = 1e-9  # a normal depends on the earlier ones if less than this share of it is orthogonal to them


@dataclass(frozen=True)
class Kinks:
    """Which neurons rest on which kinks.

    Attributes
    ----------
    rows : (m, k) points whose hyperplane neuron j lies on; -1 pads.
    gates : (m, k) the gate mu of each.
    neurons, basis : indices (r,) of the neurons that rest on some kink, and orthonormal normals (r, D, c) of theirs;
        columns of zeros pad.
    """

    rows: Indices
    gates: Array
    neurons: Indices
    basis: Array

    @classmethod
    def none(cls, m: int, D: int) -> Kinks:
        """No neuron of the m rests on a kink."""
        return cls(np.full((m, 1), -1), np.zeros((m, 1)), np.empty(0, dtype=np.int64), np.empty((0, D, 0)))

    @property
    def pairs(self) -> tuple[Indices, Indices]:
        """(points, neurons) of all pairs at rest."""
        neurons, slots = np.nonzero(self.rows >= 0)
        return self.rows[neurons, slots], neurons

    def blocked(self, moving: Array, Z: Array) -> list[Array]:
        """(rows, r) components along the basis of ``moving[i, j] z_i``: what resting takes from the tangent kernel."""
        gates = moving[:, self.neurons]
        return [gates * (Z @ self.basis[:, :, c].T) for c in range(self.basis.shape[2])]

    def project(self, A: Array) -> None:
        """Put resting neurons on their kinks, in place and with their lengths kept."""
        if not len(self.neurons):
            return
        a = A[self.neurons]
        before = np.einsum("jd,jd->j", a, a)
        a = a - np.einsum("jdc,jc->jd", self.basis, np.einsum("jdc,jd->jc", self.basis, a))
        after = np.einsum("jd,jd->j", a, a)
        A[self.neurons] = a * np.sqrt(before / np.where(after > 0, after, 1.0))[:, None]


def hyperbolic(A: Array, b: Array, G: Array, eta: float) -> tuple[Array, Array]:
    """(s, db) of da/dt = b G, db/dt = a.G over the time eta: a moves by s G, b by db.

    With e = G/|G| the pair (a.e, b) turns hyperbolically by eta |G|.  Signs of b stay, |a|^2 - b^2 is conserved.
    """
    length = np.sqrt(np.einsum("jd,jd->j", G, G))
    safe = np.where(length > 0, length, 1.0)
    along = np.einsum("jd,jd->j", A, G) / safe
    x = eta * length
    cosh_minus_1, sinh = 2.0 * np.sinh(0.5 * x) ** 2, np.sinh(x)
    return (cosh_minus_1 * along + sinh * b) / safe, cosh_minus_1 * b + sinh * along


@dataclass(frozen=True)
class Pull:
    """The forces on the neurons during one step.

    Attributes
    ----------
    G : (m, D) sum_i q_i sigma'(a_j.z_i) z_i with the one-sided slopes at the start.
    s : (m,) int b_j dt.
    Z, q : the points with weight, (r, D), and their signed weights (r,).
    points : (r,) their indices among all points.
    jump : kappa = right + left of the activation.
    rank : the largest number of independent kinks on which a neuron rests, D - 1 without padding.
    """

    G: Array
    s: Array
    Z: Array
    q: Array
    points: Indices
    jump: float
    rank: int


def slide(A: Array, b: Array, pull: Pull, kinks: Kinks, slots: int) -> tuple[Array, Kinks]:
    """The gradient (m, D) that drives each neuron over the step, and the kinks that it then rests on.

    Parameters
    ----------
    A : (m, D), b : (m,) neurons.  pull : see `Pull`.  kinks : of the last step, for its gates.
    slots : the number of kinks per neuron that are solved for, the nearest ones.
    """
    near = _nearest(A, b, pull, slots)
    if near is None:
        return pull.G, Kinks.none(*A.shape)
    which, valid, open_at_start = near
    gates, start = _gates(np.where(open_at_start, 1.0, 0.0), pull.points[which], valid, kinks)
    normals = pull.Z[which]
    step = pull.s * pull.q[which] * pull.jump  # (k, m): opening gate i moves a_j by this times z_i
    a = A + pull.s[:, None] * pull.G
    a += np.einsum("kj,kjd->jd", np.where(valid, step * (start - gates), 0.0), normals)
    solved = _descend(a, start, step, normals, valid)
    change = np.where(valid, pull.q[which] * pull.jump * (solved - gates), 0.0)
    G = pull.G + np.einsum("kj,kjd->jd", change, normals)
    distance, whole = (np.abs(np.einsum("kjd,kjd->kj", normals, way)) for way in (a[None], step[:, :, None] * normals))
    resting = valid & (solved > _INSIDE) & (solved < 1.0 - _INSIDE) & (distance <= _REACHED * whole)
    return G, _kinks(resting, pull.points[which], solved, normals, pull.rank)


def _nearest(A: Array, b: Array, pull: Pull, slots: int) -> tuple[Indices, NDArray[np.bool_], NDArray[np.bool_]] | None:
    """For each neuron its nearest concave kinks: rows of `pull` (k, m), which count, and which gates are open now."""
    weight = np.abs(pull.q)
    heavy = np.flatnonzero(weight > _WEIGHTY * weight.max(initial=0.0))
    if not len(heavy):
        return None
    P = pull.Z[heavy] @ A.T
    length = np.linalg.norm(pull.Z[heavy], axis=1)[:, None]
    way = _NEAR * np.abs(pull.s) * np.linalg.norm(pull.G, axis=1)
    concave = (pull.jump * pull.q[heavy][:, None] * b) < 0
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.where(concave & (np.abs(P) <= way * length), np.abs(P) / length, np.inf)
    count = min(slots, int(np.isfinite(distance).sum(axis=0).max()))
    if not count:
        return None
    chosen = np.argpartition(distance, min(count, len(heavy)) - 1, axis=0)[:count]
    valid = np.isfinite(np.take_along_axis(distance, chosen, axis=0))
    order = np.argsort(~valid, axis=0, kind="stable")
    chosen, valid = np.take_along_axis(chosen, order, axis=0), np.take_along_axis(valid, order, axis=0)
    return heavy[chosen], valid, np.take_along_axis(P, chosen, axis=0) > 0


def _gates(gates: Array, points: Indices, valid: NDArray[np.bool_], kinks: Kinks) -> tuple[Array, Array]:
    """Gates that `Pull.G` was computed with (closed where a neuron rests), and those of the last step to start from."""
    start = gates.copy()
    for slot in range(kinks.rows.shape[1]):
        hit = valid & (points == kinks.rows[:, slot])
        gates[hit] = 0.0
        start[hit] = np.broadcast_to(kinks.gates[:, slot], hit.shape)[hit]
    return gates, start


def _descend(a: Array, gates: Array, step: Array, normals: Array, valid: NDArray[np.bool_]) -> Array:
    """Coordinate descent: gate i closes or opens until a.z_i has its sign, or vanishes with the gate in between."""
    order = np.argsort(-valid.sum(axis=0), kind="stable")
    active = [order[: int(row.sum())] for row in valid[:, order]]
    curvature = step * np.einsum("kjd,kjd->kj", normals, normals)
    for _ in range(_SWEEPS):
        largest = 0.0
        for slot, j in enumerate(active):
            z = normals[slot, j]
            slope = curvature[slot, j]
            toward = gates[slot, j] - np.einsum("jd,jd->j", a[j], z) / np.where(slope == 0, -np.inf, slope)
            change = np.clip(toward, 0.0, 1.0) - gates[slot, j]
            gates[slot, j] += change
            a[j] += (step[slot, j] * change)[:, None] * z
            largest = max(largest, float(np.abs(change).max(initial=0.0)))
        if largest < _SETTLED:
            break
    return gates


def _kinks(resting: Any, points: Indices, gates: Array, normals: Array, rank: int) -> Kinks:
    """Pack the resting pairs, and an orthonormal basis of their normals."""
    count, (_, m, D) = resting.sum(axis=0), normals.shape
    widest = int(count.max())
    if not widest:
        return Kinks.none(m, D)
    order = np.argsort(~resting, axis=0, kind="stable")[:widest]
    resting = np.take_along_axis(resting, order, axis=0)
    rows = np.where(resting, np.take_along_axis(points, order, axis=0), -1).T
    kept = np.where(resting, np.take_along_axis(gates, order, axis=0), 0.0).T
    neurons = np.flatnonzero(count)
    chosen = np.take_along_axis(normals, order[:, :, None], axis=0)[:, neurons]
    return Kinks(rows, kept, neurons, _orthonormal(np.where(resting[:, neurons, None], chosen, 0.0), rank))


def _orthonormal(normals: Array, rank: int) -> Array:
    """Bases (r, D, c) of the spans of normals (k, r, D): Gram-Schmidt, done twice; dependent normals give no column."""
    k, r, D = normals.shape
    basis, filled = np.zeros((r, D, min(k, rank))), np.zeros(r, dtype=np.int64)
    for normal in normals:
        left = normal
        for _ in range(2):
            left = left - np.einsum("jdc,jc->jd", basis, np.einsum("jdc,jd->jc", basis, left))
        length = np.linalg.norm(left, axis=1)
        new = np.flatnonzero((length > _FLAT * np.linalg.norm(normal, axis=1)) & (filled < basis.shape[2]))
        basis[new, :, filled[new]] = left[new] / length[new, None]
        filled[new] += 1
    return basis
