"""`assess`: how far a network of your own is from the limit of training, in proved numbers.

in  : data and the arrays of a two-layer ReLU network.   out : an `Assessment`.
The network is treated as a proposer: its neurons are the learner, its soft-min weights the adversary.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..archives import read_arrays
from ..conventions import Array
from ..dataset import Dataset, load
from ..errors import InputError
from ..features import RELU
from ..games.certificate import Certificate
from ..games.game import Pair
from ..games.measure import Measure
from ..games.variation import VariationGame
from ..oracles.selection import Proving
from ..outcome import Attempt, Reason
from ..progress import Progress, silent
from ..result import Result
from ..text import bracket_text
from .api import margin as solve
from .prove import Budget, conclude, judged, one_thread, softmin_weights
from .request import Request

FORMAT, VERSION = "maxmargin-assessment", 1
_TOL = 1e-3  # relative gap that a trained network can be expected to reach
_RANGE = 1e75  # largest magnitude of a layer's weights; its inverse is the smallest


@dataclass(frozen=True)
class Assessment(Result):
    """A network beside the limit that training drives it to.

    Attributes
    ----------
    margin : ``raw_margin / norm``; negative where the network does not separate the data.
    margin_mass : the same with half the mass, ``sum_j (|a_j|^2 + b_j^2) / 2``, for ``sum_j |a_j| |b_j|``; equal for
        balanced networks and smaller for others.
    raw_margin : ``min_i y_i f(x_i)``.  norm : variation norm of the network in the convention asked for.
    active, dead : neurons that are positive at some data point, and the others (which only cost norm).
    imbalance : ``1 - 2 sum |a_j| |b_j| / sum (|a_j|^2 + b_j^2)``: 0 for a balanced network, towards 1 for others.
    reference : certificate of gamma_1.
    fraction_of_lower, fraction_of_upper : margin over each end of the reference; None where that end is 0. The network
        reaches a fraction of the max margin between the second number and the first.
    own_upper : upper end of gamma_1 that the network's soft-min weights prove.
    certificate : the network as classifier with those weights.
    """

    margin: float
    margin_mass: float
    raw_margin: float
    norm: float
    active: int
    dead: int
    imbalance: float
    reference: Certificate
    fraction_of_lower: float | None
    fraction_of_upper: float | None
    own_upper: float
    certificate: Certificate

    def to_json(self) -> dict[str, Any]:
        """The JSON document."""
        parts = {name: getattr(self, name) for name in self.__dataclass_fields__}
        proofs = {"reference": self.reference.to_json(), "certificate": self.certificate.to_json()}
        return {"format": FORMAT, "version": VERSION} | parts | proofs

    def __str__(self) -> str:
        """One line each: the network's margin, the limit, the fraction reached, the bound that the network proves."""
        reference = self.reference
        limit = bracket_text(reference.lower, reference.upper)
        if self.raw_margin <= 0.0:
            reached = "nothing: the network does not separate the data"
        elif self.fraction_of_upper is None or self.fraction_of_lower is None:
            reached = "a share that is not known: the reference has no positive lower end"
        else:
            reached = f"{100 * self.fraction_of_upper:.4g} % to {100 * self.fraction_of_lower:.4g} % of the max margin"
        return "\n".join(
            [
                f"margin    {self.margin:.9g}   (least y f(x) = {self.raw_margin:.6g} over the norm {self.norm:.6g})",
                f"by mass   {self.margin_mass:.9g}   imbalance of the layers {self.imbalance:.2g}",
                f"neurons   {self.active} active, {self.dead} positive on no point",
                f"limit     {limit}   ({reference.scope}, {reference.status.value})",
                f"reaches   {reached}",
                f"proves    no margin is above {self.own_upper:.9g}, by the network's own soft-min weights",
            ]
        )


@dataclass(frozen=True)
class Layers:
    """f(x) = sum_j b_j (a_j.z)_+, z = (x, 1) or x: an output bias is one more neuron, which sees the bias alone.

    Attributes
    ----------
    a : (m, D).  b : (m,).  hidden : the number of neurons of the user, which come first.
    """

    a: Array
    b: Array
    hidden: int

    @property
    def lengths(self) -> Array:
        """|a_j|, shape (m,)."""
        return np.linalg.norm(self.a, axis=1)

    @property
    def path_norm(self) -> float:
        """sum_j |a_j| |b_j|."""
        return float(np.abs(self.b) @ self.lengths)

    @property
    def half_mass(self) -> float:
        """sum_j (|a_j|^2 + b_j^2) / 2; the output bias counts as a balanced neuron."""
        squares = 0.5 * (self.lengths**2 + self.b**2)
        constant = np.abs(self.b[self.hidden :]) @ self.lengths[self.hidden :]
        return float(squares[: self.hidden].sum() + constant)

    def measure(self) -> Measure:
        """The same function over unit directions."""
        lengths = self.lengths
        alive = (lengths > 0.0) & (self.b != 0.0)
        if not alive.any():
            return Measure(np.eye(1, self.a.shape[1]), np.zeros(1))
        return Measure(self.a[alive] / lengths[alive, None], self.b[alive] * lengths[alive])


def assess(
    data: Dataset | Any,
    hidden: ArrayLike,
    output: ArrayLike,
    hidden_bias: ArrayLike | None = None,
    output_bias: float = 0.0,
    *,
    bias: bool = True,
    convention: str = "sphere",
    tol: float = 1e-9,
    time_limit: float | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> Assessment:
    """The margin of ``f(x) = output . relu(hidden x + hidden_bias) + output_bias`` beside the max margin gamma_1.

    Parameters
    ----------
    data : as in `max_margin`; any two labels, the larger one is positive.
    hidden : (m, d) input weights, one row per neuron.  output : (m,) output weights.
    hidden_bias : (m,), None for zeros.  output_bias : a number: the neuron (0, ..., 0, 1) with that output weight.
    bias : the norm counts the biases and the reference has them: z = (x, 1). False compares with networks without.
    convention, tol, time_limit, seed, progress : as in `max_margin`, for the reference.

    Raises
    ------
    InputError : shapes that do not fit, numbers that are not finite, a bias where the norm has none.
    """
    dataset = load(data)
    arrays = {"hidden": hidden, "output": output, "hidden_bias": hidden_bias, "output_bias": output_bias}
    layers = read_layers(dataset.d, arrays, bias)
    request = Request(
        data=dataset, norm="f1", feature=RELU, bias=bias, convention=convention, tol=tol, time_limit=time_limit,
        seed=seed, progress=progress,
    )  # fmt: skip
    reference = solve(request)
    own = _certificate(request, layers)
    Z, y = request.Z, dataset.y
    inside = Z @ layers.a.T > 0.0
    raw = float((y * (np.maximum(Z @ layers.a.T, 0.0) @ layers.b)).min())
    factor = VariationGame(Z, y, RELU, convention, oracle=Proving(Z, RELU)).factor
    norm = layers.path_norm / factor
    active = int(inside[:, : layers.hidden].any(axis=0).sum())
    reached = raw / norm if norm > 0.0 else 0.0
    mass = layers.half_mass
    return Assessment(
        margin=reached,
        margin_mass=factor * raw / mass if mass > 0.0 else 0.0,
        raw_margin=raw,
        norm=norm,
        active=active,
        dead=layers.hidden - active,
        imbalance=max(0.0, 1.0 - layers.path_norm / mass) if mass > 0.0 else 0.0,
        reference=reference,
        fraction_of_lower=reached / reference.lower if reference.lower > 0.0 else None,
        fraction_of_upper=reached / reference.upper if reference.upper > 0.0 else None,
        own_upper=own.upper,
        certificate=own,
    )


def _certificate(request: Request, layers: Layers) -> Certificate:
    """The certificate of the network's own pair."""
    Z, y = request.Z, request.data.y
    game = VariationGame(Z, y, RELU, request.convention, oracle=Proving(Z, RELU))
    measure = layers.measure().normalised(RELU.degree)
    p = softmin_weights(game.margins(measure), RELU.evaluate(measure.directions, Z) * y)
    pair = Pair(measure, p, Reason.STALLED, (Attempt("network given", "assessed", 0.0),))
    with one_thread():
        return conclude(request.problem, game, judged(game, pair), Budget(_TOL), Z)


def read_layers(d: int, arrays: dict[str, Any], bias: bool) -> Layers:
    """The arguments of `assess`, checked, as neurons over z; d features."""
    A, b = _numbers("hidden", arrays["hidden"]), _numbers("output", arrays["output"])
    if A.ndim != 2 or A.shape[1] != d or not len(A):
        turned = "; pass hidden.T" if A.ndim == 2 and A.shape[0] == d else ""
        wanted = f"wanted (m, {d}), one row per neuron, for {d} features{turned}"
        raise InputError(f"hidden: found shape {A.shape}, {wanted}")
    m = len(A)
    if b.size != m or max(b.shape, default=1) != m:
        raise InputError(f"output: found shape {b.shape}, wanted ({m},), one weight per neuron of hidden {A.shape}")
    given = arrays["hidden_bias"]
    offsets = np.zeros(m) if given is None else _numbers("hidden_bias", given)
    if offsets.size != m or max(offsets.shape, default=1) != m:
        raise InputError(f"hidden_bias: found shape {offsets.shape}, wanted ({m},), one number per neuron")
    constant = _numbers("output_bias", arrays["output_bias"])
    if constant.size != 1:
        raise InputError(f"output_bias: found shape {constant.shape}, wanted one number")
    b, offsets, constant = b.reshape(-1), offsets.reshape(-1), constant.reshape(-1)
    if not bias:
        for name, values in (("hidden_bias", offsets), ("output_bias", constant)):
            if values.any():
                found = float(values[np.flatnonzero(values)[0]])
                raise InputError(f"{name}: found {found!r} without a bias in the norm, wanted 0; leave bias=True")
        return Layers(A, b, m)
    A = np.column_stack([A, offsets])
    if constant[0] == 0.0:
        return Layers(A, b, m)
    return Layers(np.vstack([A, np.eye(1, d + 1, d)]), np.append(b, constant), m)


def read_network(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The arguments of `assess` from an ``.npz`` file: hidden, output, and hidden_bias, output_bias where present.

    A file of `Network.save` is also read: its 1/m goes into the output weights, its last column into the biases.
    """
    arrays = read_arrays(Path(path))
    if missing := {"hidden", "output"} - set(arrays):
        found = f"{path}: found arrays {sorted(arrays)}, missing {sorted(missing)}"
        wanted = "wanted hidden (m, d), output (m,), optionally hidden_bias (m,) and output_bias"
        raise InputError(f"{found}; {wanted}: np.savez('network.npz', hidden=..., output=...)")
    names = ("hidden", "output", "hidden_bias", "output_bias")
    network = {name: arrays[name] for name in names if name in arrays}
    if "feature" in arrays and "bias" in arrays:  # ours
        if str(arrays["feature"]) != RELU.name:
            raise InputError(f"{path}: found the feature {str(arrays['feature'])!r}, wanted a network of ReLUs")
        network["output"] = network["output"] / len(network["output"])
        if bool(arrays["bias"]):
            network |= {"hidden": network["hidden"][:, :-1], "hidden_bias": network["hidden"][:, -1]}
    return network


def _numbers(name: str, values: Any) -> Array:
    if np.iscomplexobj(values):
        raise InputError(f"{name}: found complex numbers, wanted real ones")
    try:
        array = np.array(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}: found values that are no numbers ({error}), wanted an array of numbers") from None
    if not np.isfinite(array).all():
        raise InputError(f"{name}: found a number that is not finite, wanted finite numbers only")
    largest = float(np.abs(array).max(initial=0.0))
    if largest and not 1.0 / _RANGE <= largest <= _RANGE:
        wanted = f"0 or {1.0 / _RANGE:g} to {_RANGE:g}, where squares neither over- nor underflow"
        raise InputError(f"{name}: found largest magnitude {largest:.3g}, wanted {wanted}: rescale the network")
    return array
