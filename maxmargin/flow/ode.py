"""The continuous-time flow dw/dt = m grad F_m(w) (Eq. 7), integrated as an ordinary differential equation.

`trajectory` is the reference for small networks (scipy's DOP853 to 1e-10, or fixed steps of known order); `Flow` in
`implicit` is what trains large ones.  The vector field here is written out plainly and shares no code with
`both_layers`, so that each checks the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..conventions import Array
from ..errors import InputError, SolverError
from .both_layers import BothLayers
from .implicit import proximal_adversary
from .loss import Loss
from .network import Network

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
