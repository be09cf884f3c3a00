"""Linearly implicit integrator of the gradient flow: the adversary and the kinks are solved implicitly.

Along the flow (Eq. 7) the outputs obey du/dt = K(w) p(u), with K the tangent kernel of the present network and
p = grad S(u) the adversary.  The mass beta grows like exp(4 gamma_1 t), and p, a soft-min at inverse temperature beta,
answers ever faster: an explicit step must stay below 2/(beta |K|) or the adversary overshoots.  Neurons reach kinks of
the ReLU and slide along them; an explicit step crosses and comes back for ever.  Both take millions of steps, while the
network itself moves slowly: in one unit of log mass each neuron turns by an angle of order one.  Hence one step

1. solves  p+ = grad S(u + eta K p+)  for the adversary at the *end* of the step: the optimality condition of the
   convex problem  min over the simplex of  eta/2 p'Kp + u.p + sum p log p  (Newton, a few small linear systems);
2. moves all neurons for the time eta by the exact flow with p+ and activation patterns frozen, except at concave kinks
   that they reach, where it solves for the sliding motion (`kinks`).  For ReLU (a_j . G/|G|, b_j) turns hyperbolically
   by eta |G_j|: magnitudes move multiplicatively, signs are kept, and |a_j|^2 - b_j^2 is conserved, whatever eta;
3. compares the outputs with those predicted, u + eta K p+.  Their difference (turning neurons, new kinks) is second
   order in eta; eta is adapted to keep it below accuracy * |min u| or one unit of u (the soft-min's own resolution;
   100 accuracy units if that is less), whichever is larger, and the turning of the directions below 5 accuracy and
   1/10.

What it guarantees: it is a consistent first-order integrator of the flow (eta -> 0 with the accuracy), unconditionally
stable in the adversary.  It is neither a line search nor an annealing: the temperature 1/beta falls as the flow itself
dictates, only the time steps are long.  Past mass `cap` the soft-min and the minimum agree to log(n)/cap; the mass is
then held there, which is Eq. 12 at that temperature.

Mini-batches do not go with it. A step is long against 1/mass, and ends where the outputs that carry weight are nearly
equal. With the points of a batch alone it would equalise these, and the outputs of all others would be left behind by
more than the soft-min's resolution.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..conventions import Array
from .dynamics import Dynamics
from .loss import Linearised, Loss

Step = Callable[[int, float, Array], tuple[float, Array]]

_SLACK = 40.0  # rows this far above the minimum weigh e^-40
_LONGEST = 1e6  # upper limit of eta K, relative to the outputs
_GROWTH = 2.0  # largest growth of log(mass) in one step
_SHARE = 0.2  # and rows within this share of the minimum may become active in one long step


@dataclass(frozen=True)
class Flow:
    """Linearly implicit, error-controlled integration of the flow; see the module docstring.

    Parameters
    ----------
    accuracy : relative tolerance of one step.
    cap : mass beyond which the temperature is held.
    settle : from then on the tolerance falls like 1/sqrt(1 + k/settle) in k more steps, so that neurons that slide
        along kinks come to rest.
    """

    accuracy: float = 0.02
    cap: float = 1e8
    settle: float = 2000.0

    def stepper(self, dynamics: Dynamics, loss: Loss) -> Step:
        """The function that takes one step of a run; it keeps the adaptive time step."""
        eta, beyond = 1e-3, 0

        def step(t: int, S: float, p: Array) -> tuple[float, Array]:
            nonlocal eta, beyond
            accuracy = self.accuracy / np.sqrt(1.0 + beyond / self.settle)
            taken, eta, p = _step(dynamics, loss, eta, accuracy)
            size = dynamics.size()
            if size > self.cap:
                dynamics.scale(self.cap / size)
                beyond += 1
            return taken, p

        return step


def _step(dynamics: Dynamics, loss: Loss, eta: float, accuracy: float) -> tuple[float, float, Array]:
    """One accepted step; returns the time covered, a proposal for the next one, and the adversary p+."""
    u, state = dynamics.outputs(), dynamics.state()
    least = float(u.min())
    rows = np.flatnonzero(u <= least + _SLACK + _SHARE * max(least, 0.0))  # <=: the slack may drown in 1e20
    K = dynamics.tangent_kernel(rows)
    tolerance = max(min(100.0 * accuracy, 1.0), accuracy * abs(least))
    # at an equilibrium (data that cannot be separated) nothing else would bound the step
    eta = min(eta, _LONGEST * (1.0 + float(np.abs(u).max())) / max(float(K.max()), 1e-300))
    if dynamics.homogeneity == 2 and least > 0:  # d log(mass)/dt = 4 p.u / mass, and p.u >= min u
        eta = min(eta, 0.25 * _GROWTH * dynamics.size() / least)
    p = np.zeros(len(u))
    for _ in range(60):
        p[rows] = proximal_adversary(eta * K, loss.linearise(u)[rows])
        dynamics.ascend(p)
        error = dynamics.flow(eta) / min(5.0 * accuracy, 0.1)
        error = max(error, _surprise(dynamics.outputs(), u[rows] + eta * (K @ p[rows]), rows) / tolerance)
        if error <= 1.5:
            break
        dynamics.restore(state)
        dynamics.outputs()
        eta *= max(0.2, 0.9 / np.sqrt(error))
    else:
        return 0.0, eta, p
    return eta, eta * min(1.5, max(0.5, 0.9 / np.sqrt(error + 1e-12))), p


def _surprise(u: Array, predicted: Array, rows: NDArray[np.int64]) -> float:
    """Largest error of the predicted outputs among those that carry weight; inf if a row left out could carry some."""
    near = predicted < predicted.min() + 0.5 * _SLACK
    outside = np.delete(u, rows)
    if len(outside) and outside.min() < u[rows].min() + 5.0:
        return np.inf
    surprise = np.abs(u[rows] - predicted)[near]
    return float(surprise.max()) if len(surprise) and np.isfinite(surprise).all() else np.inf


def proximal_adversary(K: Array, at: Linearised, tol: float = 1e-8) -> Array:
    """The p with  log p_i + potential_i + slope_i (K p)_i = constant,  sum p = total.

    For the exponential loss this is  argmin over the simplex of  p'Kp/2 + u.p + sum p log p.

    Parameters
    ----------
    K : (r, r) symmetric positive semidefinite (the step size times the tangent kernel).
    at : the loss linearised at u, r rows.
    tol : largest change of a p_i in the last Newton step.
    """
    potential = at.potential - at.potential.min()
    p = np.maximum(np.exp(-potential), 1e-6)
    p *= at.total / p.sum()
    unit = 1.0 / at.slope
    for _ in range(100):
        residual = unit * (np.log(p) + potential) + K @ p
        root = np.sqrt(at.slope * p)
        M = root[:, None] * K * root
        M.flat[:: len(p) + 1] += 1.0
        toward, level = np.linalg.solve(M, np.stack([root * residual, root * unit], axis=1)).T
        multiplier = -(root @ toward) / (root @ level)
        relative = -root * (toward + multiplier * level) / p
        change = np.abs(relative * p).max()
        # growth is linear and decay exponential in p: log p is concave, and no weight may turn negative
        p *= np.where(relative > 0, 1.0 + relative, np.exp(np.clip(relative, -4.0, 0.0)))
        np.maximum(p, 1e-300, out=p)
        p *= at.total / p.sum()
        if change < tol:
            break
    return p
