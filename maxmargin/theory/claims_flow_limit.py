"""Where the flow of finite ReLU networks ends: at gamma_1 from a large start, below it from a small one, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from .. import conventions
from ..conventions import Array
from ..dataset import load
from ..flow import Network, Run
from ..margins import max_margin
from ..oracles.selection import exact_oracle
from ..training import train
from .ledger import Chapter, Finding

FLOW_LIMIT = Chapter()

_SHORT = "clusters:n=40,d=3,k=4,seed=5"  # from N(0, 1) the flow ends below the limit here
_OTHER = "clusters:n=80,d=3,k=4,seed=111"
_ADDED = 0.01  # share of the mass of a neuron that is added


@cache
def _gamma(name: str) -> float:
    return max_margin(load(name)).lower


@dataclass(frozen=True)
class _SmallStart:
    """Shares of gamma_1: of the run from N(0, 1), of as many steps more, and of these with one neuron more.

    `excess` is what the best neuron is paid by the run's adversary, over the margin, less one.

    Attributes
    ----------
    reached, continued, added : shares of gamma_1.  excess : relative payoff above the margin.
    """

    reached: float
    continued: float
    added: float
    excess: float


@cache
def _small_start() -> _SmallStart:
    data, gamma = load(_SHORT), _gamma(_SHORT)
    run = train(data, width=100, steps=200, schedule="flow", seed=0)
    answer = exact_oracle(data.inputs(True), run.network.feature)(run.adversary * data.y, count=1)
    excess = conventions.variation_factor(1, conventions.SPHERE) * float(answer.values[0]) / run.margin_best - 1.0
    grown = with_neuron(run.network, answer.directions[0], float(answer.signs[0]))
    continued, added = (_more(_SHORT, network).margin_best / gamma for network in (run.network, grown))
    return _SmallStart(run.margin_best / gamma, continued, added, excess)


def _more(name: str, network: Network) -> Run:
    return train(load(name), init=network, steps=100, schedule="flow", seed=0)


def with_neuron(network: Network, direction: Array, sign: float, share: float = _ADDED) -> Network:
    """The network with one balanced neuron more, of this share of its mass; the function of the others stays.

    Parameters
    ----------
    direction : (D,) unit input weight.  sign : of its output weight.  share : of the mass (1/m) sum |w_j|^2.
    """
    m = network.width
    size, grown = np.sqrt(0.5 * share * network.mass * (m + 1)), np.sqrt((m + 1) / m)
    hidden = np.vstack([network.hidden * grown, size * direction])
    return replace(network, hidden=hidden, output=np.append(network.output * grown, sign * size))


@FLOW_LIMIT.claim(
    "flow-reaches-the-limit",
    "From a large Gaussian start the flow of a ReLU network on a finite sample reaches gamma_1 in a few hundred steps.",
    "Corollary 4, which proves it for squared ReLU; measured for ReLU",
    "least best margin over the certified gamma_1 of two samples in the plane, m = 300, scale 60, 300 steps",
)
def _reaches() -> Finding:
    shares = {
        name: train(load(name), init="gaussian:60", width=300, steps=300, schedule="flow", seed=0).margin_best
        / _gamma(name)
        for name in (_SHORT, _OTHER)
    }
    worst = min(shares, key=lambda name: shares[name])
    return Finding(0.99, shares[worst], 0.0, ">=", worst)


@FLOW_LIMIT.claim(
    "small-start-stays-below",
    "From the start N(0, 1) a network of 100 neurons ends below gamma_1, and stays there.",
    "Theorem 3 (full support is needed); measured",
    "best margin over the certified gamma_1 after half as many steps again, m = 100",
)
def _stays_below() -> Finding:
    found = _small_start()
    return Finding(0.95, found.continued, 0.0, "<=", f"{found.reached:.4f} before the last third")


@FLOW_LIMIT.claim(
    "small-start-loses-directions",
    "A small start ends below gamma_1 because a direction has no neurons: one neuron there raises the margin.",
    "Theorem 3 (full support is needed); measured",
    "gain in best margin over gamma_1 by one neuron where the oracle pays most, above that of as many steps without it",
)
def _loses_directions() -> Finding:
    found = _small_start()
    note = f"the neuron is paid {100.0 * found.excess:.0f} per cent above the margin"
    return Finding(0.02, found.added - found.continued, 0.0, ">=", note)
