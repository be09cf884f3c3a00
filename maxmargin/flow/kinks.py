"""Neurons on kinks: the flow of ReLU networks is a differential inclusion, and one step solves for where it slides.

For frozen adversary weights p, neuron j climbs the potential  b_j sum_i q_i sigma(a.z_i),  q_i = p_i y_i.  Across the
hyperplane a.z_i = 0 its gradient jumps by kappa b_j q_i z_i, kappa = right + left.  Where kappa b_j q_i < 0 the kink is
concave.  Both sides push the neuron onto it, and the flow (in the sense of Filippov) slides along it.  An explicit
step overshoots and comes back for ever, at an amplitude that is lost from the margin.

`slide` treats these kinks implicitly.  With s_j = int b_j dt over the step it finds gates mu_ij in [0, 1] such that

    a_j+ = a_j + s_j sum_i q_i (-left + kappa mu_ij) z_i,     mu_ij = 1 where a_j+.z_i > 0, 0 where a_j+.z_i < 0,

the optimality conditions of a proximal step: a small bounded quadratic program per neuron, solved for all neurons at
once by an active-set method.  A neuron with 0 < mu_ij < 1 rests on kink i.  Its velocity is the projection of the
gradient on the kinks that it rests on, and so is its part of the tangent kernel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..conventions import Array

Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]

_ROUNDS = 8  # rounds of the active set, which starts at the gates of the last step
_RIDGE = 1e-9  # share of the diagonal that is added to the diagonal, for kinks whose normals depend on each other
_SWEEPS = 30  # sweeps of coordinate descent, for the neurons that have not settled by then
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

    def blocked(self, moving: Array, Z: Array) -> Array:
        """(rows, c) components along all bases of ``moving[i, j] z_i``: what resting takes from the tangent kernel."""
        columns = self.basis.transpose(0, 2, 1)
        neurons, slots = np.nonzero(columns.any(axis=2))
        return moving[:, self.neurons[neurons]] * (Z @ columns[neurons, slots].T)

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


def slide(A: Array, pull: Pull, kinks: Kinks, slots: int) -> tuple[Array, Kinks]:
    """The gradient (m, D) that drives each neuron over the step, and the kinks that it then rests on.

    Parameters
    ----------
    A : (m, D) neurons.  pull : see `Pull`.  kinks : of the last step, for its gates.
    slots : the number of kinks per neuron that are solved for, the nearest ones.
    """
    near = _nearest(A, pull, slots)
    if near is None:
        return pull.G, Kinks.none(*A.shape)
    moved, which, valid, open_at_start = near
    gates, start = _gates(np.where(open_at_start, 1.0, 0.0), moved, pull.points[which], valid, kinks)
    normals = pull.Z[which]
    way = np.where(valid, -pull.s[moved, None] * pull.q[which] * pull.jump, 0.0)  # a_j moves back by this times z_i
    coupling = np.matmul(normals, normals.transpose(0, 2, 1)) * way[:, None, :]
    closed = np.einsum("jkd,jd->jk", normals, A[moved] + pull.s[moved, None] * pull.G[moved])
    closed += np.einsum("jkl,jl->jk", coupling, gates)
    solved = settled(closed, coupling, start, valid)
    change = np.where(valid, pull.q[which] * pull.jump * (solved - gates), 0.0)
    G = pull.G.copy()
    G[moved] += np.einsum("jk,jkd->jd", change, normals)
    distance = np.abs(closed - np.einsum("jkl,jl->jk", coupling, solved))
    whole = np.einsum("jkk->jk", coupling)
    resting = valid & (solved > _INSIDE) & (solved < 1.0 - _INSIDE) & (distance <= _REACHED * whole)
    return G, _kinks(resting, (moved, pull.points[which], solved, normals), A.shape, pull.rank)


def _nearest(A: Array, pull: Pull, slots: int) -> tuple[Indices, Indices, Flags, Flags] | None:
    """The neurons (r,) with concave kinks in reach, and for each the nearest ones.

    Rows of `pull` (r, k), nearest first in no order, which of them count, and which gates are open now.
    """
    weight = np.abs(pull.q)
    heavy = np.flatnonzero(weight > _WEIGHTY * weight.max(initial=0.0))
    if not len(heavy):
        return None
    P = pull.Z[heavy] @ A.T
    length = np.linalg.norm(pull.Z[heavy], axis=1)[:, None]
    way = _NEAR * np.abs(pull.s) * np.linalg.norm(pull.G, axis=1)
    close = np.abs(P) <= way * length
    close &= (pull.jump * pull.q[heavy][:, None] * pull.s) < 0
    moved = np.flatnonzero(close.any(axis=0))
    if not len(moved):
        return None
    P = P[:, moved].T
    distance = np.where(close[:, moved].T, np.abs(P) / length.T, np.inf)
    count = min(slots, int(np.isfinite(distance).sum(axis=1).max()))
    chosen = np.argpartition(distance, min(count, len(heavy)) - 1, axis=1)[:, :count]
    valid = np.isfinite(np.take_along_axis(distance, chosen, axis=1))
    return moved, heavy[chosen], valid, np.take_along_axis(P, chosen, axis=1) > 0


def _gates(gates: Array, moved: Indices, points: Indices, valid: Flags, kinks: Kinks) -> tuple[Array, Array]:
    """Gates that `Pull.G` was computed with (closed where a neuron rests), and those of the last step to start from."""
    start = gates.copy()
    rows, last = kinks.rows[moved], kinks.gates[moved]
    for slot in range(rows.shape[1]):
        hit = valid & (points == rows[:, slot, None])
        gates[hit] = 0.0
        start[hit] = np.broadcast_to(last[:, slot, None], hit.shape)[hit]
    return gates, start


def settled(closed: Array, coupling: Array, gates: Array, valid: Flags) -> Array:
    """Gates (r, k) in [0, 1] with x = closed - coupling gates >= 0 where open, <= 0 where closed, 0 in between.

    A primal-dual active set: guess which gates are in between, solve for them, correct the guess.  Where the guess
    has not settled after a few rounds coordinate descent takes over, for a fixed number of sweeps.

    Parameters
    ----------
    closed : (r, k) distances at the end of the step with all these gates closed.
    coupling : (r, k, k) what opening gate l takes from distance i.
    gates : (r, k) first guess.  valid : (r, k) which count.
    """
    gates = np.where(valid, gates, 0.0)
    between, opened = valid & (gates > 0.0) & (gates < 1.0), valid & (gates >= 1.0)
    left, eye = np.arange(len(gates)), np.arange(gates.shape[1])
    for _ in range(_ROUNDS):
        C, base, use = coupling[left], closed[left], valid[left]
        size = C[:, eye, eye]
        matrix = np.where(between[:, :, None] & between[:, None, :], C, 0.0)
        matrix[:, eye, eye] = np.where(between, size * (1.0 + _RIDGE), 1.0)
        base = base - np.einsum("jkl,jl->jk", C, opened)
        inner = np.linalg.solve(matrix, np.where(between, base, 0.0)[:, :, None])[:, :, 0]
        x = base - np.einsum("jkl,jl->jk", C, inner)
        slack = _RIDGE * size
        over, under = between & (inner > 1.0), between & (inner < 0.0)
        turns = use & ~between & np.where(opened, x < -slack, x > slack)
        gates[left] = np.where(between, np.clip(inner, 0.0, 1.0), opened)
        opened = over | (opened & ~turns)
        between = (between & ~over & ~under) | turns
        restless = (over | under | turns).any(axis=1)
        left, between, opened = left[restless], between[restless], opened[restless]
        if not len(left):
            return gates
    gates[left] = _descend(closed[left], coupling[left], gates[left])
    return gates


def _descend(closed: Array, coupling: Array, gates: Array) -> Array:
    """Coordinate descent: gate i closes or opens until x_i has its sign, or vanishes with the gate in between."""
    size = np.einsum("jkk->jk", coupling)
    safe = np.where(size > 0, size, np.inf)
    x = closed - np.einsum("jkl,jl->jk", coupling, gates)
    for _ in range(_SWEEPS):
        before = gates.copy()
        for slot in range(gates.shape[1]):
            toward = np.clip(gates[:, slot] + x[:, slot] / safe[:, slot], 0.0, 1.0)
            x -= coupling[:, :, slot] * (toward - gates[:, slot])[:, None]
            gates[:, slot] = toward
        if np.abs(gates - before).max(initial=0.0) < _SETTLED:
            break
    return gates


def _kinks(resting: Flags, pairs: tuple[Indices, Indices, Array, Array], shape: tuple[int, int], rank: int) -> Kinks:
    """Pack the resting pairs (neurons, points, gates, normals), and an orthonormal basis of their normals."""
    moved, points, gates, normals = pairs
    count, (m, D) = resting.sum(axis=1), shape
    widest = int(count.max())
    if not widest:
        return Kinks.none(m, D)
    rests = np.flatnonzero(count)
    order = np.argsort(~resting[rests], axis=1, kind="stable")[:, :widest]
    held = np.take_along_axis(resting[rests], order, axis=1)
    rows, kept = np.full((m, widest), -1), np.zeros((m, widest))
    rows[moved[rests]] = np.where(held, np.take_along_axis(points[rests], order, axis=1), -1)
    kept[moved[rests]] = np.where(held, np.take_along_axis(gates[rests], order, axis=1), 0.0)
    chosen = np.where(held[:, :, None], np.take_along_axis(normals[rests], order[:, :, None], axis=1), 0.0)
    return Kinks(rows, kept, moved[rests], _orthonormal(chosen.transpose(1, 0, 2), rank))


def _orthonormal(normals: Array, rank: int) -> Array:
    """Bases (r, D, c) of the spans of normals (k, r, D): Gram-Schmidt, done twice; dependent normals give no column."""
    k, r, D = normals.shape
    basis, filled = np.zeros((r, D, min(k, rank))), np.zeros(r, dtype=np.int64)
    for normal in normals:
        some = np.flatnonzero(normal.any(axis=1) & (filled < basis.shape[2]))
        left, before = normal[some], basis[some]
        for _ in range(2):
            left = left - np.einsum("jdc,jc->jd", before, np.einsum("jdc,jd->jc", before, left))
        length = np.linalg.norm(left, axis=1)
        new = length > _FLAT * np.linalg.norm(normal[some], axis=1)
        basis[some[new], :, filled[some[new]]] = left[new] / length[new, None]
        filled[some[new]] += 1
    return basis
