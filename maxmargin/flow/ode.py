"""The continuous-time flow dw/dt = m grad F_m(w) (Eq. 7), integrated as an ordinary differential equation.

`trajectory` is the reference for small networks (scipy's DOP853 to 1e-10, or fixed steps of known order); `Flow` in
`implicit` is what trains large ones.  The vector field here is written out plainly and shares no code with
`both_layers`, so that each checks the other.

Two distances make the limits visible: between neuron measures on the sphere, and between widths (Theorem 2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..conventions import Array
from ..errors import InputError, SolverError
from ..features import RELU
from ..games.measure import Measure
from .both_layers import BothLayers
from .implicit import proximal_adversary
from .loss import Loss
from .network import Network, neurons

Field = Callable[[Array], Array]


def vector_field(network: Network, Z: Array, y: Array, loss: str = "exp") -> Field:
    """w -> m grad F_m(w) for networks of the shape of `network`; w (m, D+1) flattened, the output weight last.

    For degree 2 the output weights are signs and do not move.
    """
    feature, shape, S = network.feature, (network.width, network.hidden.shape[1] + 1), Loss(loss)

    def field(flat: Array) -> Array:
        w = flat.reshape(shape)
        preactivation = w[:, :-1] @ Z.T
        values = feature(preactivation)
        p = S.evaluate(y * (w[:, -1] @ values) / len(w))[1]
        hidden = w[:, -1:] * ((feature.derivative(preactivation) * (p * y)) @ Z)
        output = values @ (p * y) if feature.degree == 1 else np.zeros(len(w))
        return np.hstack([hidden, output[:, None]]).ravel()

    return field


def _euler(f: Field, w: Array, h: float) -> Array:
    return w + h * f(w)


def _heun(f: Field, w: Array, h: float) -> Array:
    slope = f(w)
    return w + 0.5 * h * (slope + f(w + h * slope))


def _rk4(f: Field, w: Array, h: float) -> Array:
    k1 = f(w)
    k2 = f(w + 0.5 * h * k1)
    k3 = f(w + 0.5 * h * k2)
    return w + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + f(w + h * k3))


_MOST_EVALUATIONS = 100_000
EXPLICIT = {"euler": _euler, "heun": _heun, "rk4": _rk4}


def trajectory(
    network: Network,
    Z: Array,
    y: Array,
    times: Sequence[float],
    *,
    method: str = "dop853",
    steps: int = 100,
    loss: str = "exp",
    tol: float = 1e-10,
) -> list[Network]:
    """The flow from `network` at time 0, at each of the increasing `times`.

    Parameters
    ----------
    method : "dop853" (adaptive, tolerance `tol`); "euler", "heun", "rk4" of order 1, 2, 4; or "implicit", the linearly
        implicit step of `Flow` (order 1); the last four with `steps` equal steps between two successive times.

    Raises
    ------
    InputError : times that do not increase from a number >= 0, or an unknown method.
    SolverError : neurons slide along a kink (the flow is a differential inclusion there), which dop853 cannot follow.
    """
    if method not in (*EXPLICIT, "dop853", "implicit"):
        raise InputError(f"method: found {method!r}, wanted 'dop853', 'implicit', {', '.join(map(repr, EXPLICIT))}")
    if len(times) == 0 or times[0] < 0 or np.any(np.diff(times) <= 0):
        raise InputError("times: wanted increasing numbers, the first of them >= 0")
    if method == "implicit":
        return _implicit(network, Z, y, times, steps=steps, loss=Loss(loss))
    field = vector_field(network, Z, y, loss)
    w = np.hstack([network.hidden, network.output[:, None]]).astype(float).ravel()
    if method == "dop853":
        path = list(_adaptive(field, w, times, tol))
    else:
        path, now = [], 0.0
        for then in times:
            for _ in range(steps):
                w = EXPLICIT[method](field, w, (then - now) / steps)
            now = then
            path.append(w)
    return [_network(w, network) for w in path]


def _adaptive(field: Field, w: Array, times: Sequence[float], tol: float) -> Array:
    from scipy.integrate import solve_ivp

    evaluations = 0

    def counted(t: float, w: Array) -> Array:
        nonlocal evaluations
        evaluations += 1
        if evaluations > _MOST_EVALUATIONS:
            raise SolverError(
                f"flow: dop853 stopped at time {t:.6g}, where neurons slide along a kink of the ReLU and the field "
                "jumps; take earlier times, a larger tol, or method='implicit'"
            )
        return field(w)

    return solve_ivp(counted, (0.0, times[-1]), w, method="DOP853", t_eval=times, rtol=tol, atol=tol).y.T


def _network(flat: Array, like: Network) -> Network:
    w = flat.reshape(like.width, -1)
    return Network(w[:, :-1].copy(), w[:, -1].copy(), like.bias, like.feature)


def _implicit(network: Network, Z: Array, y: Array, times: Sequence[float], *, steps: int, loss: Loss) -> list[Network]:
    dynamics = BothLayers(Z, y, (network.hidden, network.output), network.feature, "float64")
    everything, path, now = np.arange(len(y)), [], 0.0
    for then in times:
        h = (then - now) / steps
        for _ in range(steps):
            u = dynamics.outputs()
            dynamics.ascend(proximal_adversary(h * dynamics.tangent_kernel(everything), loss.linearise(u), tol=1e-13))
            dynamics.flow(h)
        now = then
        path.append(dynamics.network(network.bias))
    return path


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
