"""The F1 search on all points at once, or, where there are many, on a working set of them; and over a dictionary.

Over a finite dictionary of directions the oracle of column generation looks at every direction:
gamma_1^(m) = max of ``min_i y_i sum_k w_k sigma(a_k.z_i)`` over signed weights w on a_1..a_m with ``sum |w_k| <= 1``.

`prune` gives fewer neurons for the same classifier, by Caratheodory's theorem for two-layer networks.  A measure sum_k
w_k delta_{a_k} acts on n points and has one total variation: n + 1 numbers, linear in |w|.  Whenever it has more than n
+ 1 atoms there is a change of |w| that alters none of them, and following it removes an atom.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from ..conventions import Array, Indices
from ..features.homogeneous import Feature
from ..games.measure import Measure
from ..games.variation import DictionaryOracle
from ..oracles.oracle import Oracle
from ..oracles.span import Span, wide
from .column_generation import ColumnGeneration
from .proposal import Proposal, Round
from .working_set import WorkingSet

MakeOracle = Callable[..., Oracle]  # of inputs (k, D); an oracle's `pool` is passed to the next as `starts` (K, D)

MANY = 400  # points from which a working set is faster
_RANK = 1e-12


def search(
    options: ColumnGeneration,
    Z: Array,
    y: Array,
    feature: Feature,
    make_oracle: MakeOracle,
    *,
    initial: Measure | None = None,
    many: int = MANY,
) -> Proposal:
    """Propose the max-margin pair over the neurons that the oracles search.

    Parameters
    ----------
    Z : (n, D) what the activation sees.  y : (n,) labels +-1.
    make_oracle : the oracle of some of the points.
    initial : neurons to start from (with the signs of their weights).
    many : points from which a working set is used.
    """
    if wide(Z):
        span = Span.of(Z)
        directions = None if initial is None else span.coordinates(initial.directions)
        known = initial if initial is None or directions is None else replace(initial, directions=directions)
        found = search(options, span.X, y, feature, make_oracle, initial=known, many=many)
        return replace(found, measure=replace(found.measure, directions=span.lift(found.measure.directions)))
    if len(y) < many or options.cap < 1.0:
        return options(Z, y, feature, make_oracle(Z), initial)
    game = VariationPoints(options, Z, y, feature, make_oracle, initial)
    return WorkingSet(tol=options.tol, seed=options.seed)(game, y, options.time_limit)


@dataclass
class VariationPoints:
    """The F1 game for a `WorkingSet`: column generation on the points asked for, from the neurons of the last round.

    Attributes
    ----------
    options : of column generation.  Z : (n, D) what the activation sees.  y : (n,) labels +-1.
    feature : the activation.
    make_oracle : the oracle of some of the points.  known : neurons of the last round.
    lower : the best margin over all points so far.  rounds : so far.  starts : what the next oracle starts from.
    """

    options: ColumnGeneration
    Z: Array
    y: Array
    feature: Feature
    make_oracle: MakeOracle
    known: Measure | None = None
    lower: float = 0.0
    rounds: int = 0
    starts: dict[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.n = len(self.y)

    def solve(self, points: Indices, tol: float, left: float) -> Proposal:
        """Column generation; without a proving oracle `tol` is by how much a neuron must pay more to be added."""
        Z, y = self.Z[points], self.y[points]
        oracle = self.make_oracle(Z, **self.starts)
        options = replace(
            self.options,
            tol=max(tol, self.options.tol),
            local_tol=max(0.1 * tol, self.options.local_tol),
            time_limit=left,
            max_rounds=max(1, self.options.max_rounds - self.rounds),
            progress=self._show if self.options.progress else None,
        )
        found = options(Z, y, self.feature, oracle, initial=self.known)
        self.rounds += found.rounds
        if hasattr(oracle, "pool"):
            self.starts = {"starts": oracle.pool}
        if found.measure.weights.any():
            self.known = found.measure
        return replace(found, trace=tuple(item._replace(lower=self.lower) for item in found.trace))

    def margins(self, measure: Measure) -> Array:
        """y_i f(x_i) per unit of total variation, path convention."""
        norm = measure.total_variation(self.feature.degree)
        margins: Array = self.y * measure.outputs(self.Z, self.feature) / norm
        self.lower = max(self.lower, float(margins.min()))
        return margins

    def _show(self, item: Round) -> None:
        """Progress with the margin over all points, not over the working set."""
        if self.options.progress is not None:
            self.options.progress(item._replace(number=item.number + self.rounds, lower=self.lower))


def max_margin_dictionary(
    Z: Array, y: Array, feature: Feature, directions: Array, options: ColumnGeneration | None = None
) -> Proposal:
    """Propose the max-margin pair over a dictionary.

    Parameters
    ----------
    Z : (n, D) what the activation sees.  y : (n,) labels +-1.
    directions : (K, D) unit rows.
    options : limits and tolerance (scouting is left out: it would leave the dictionary).
    """
    options = replace(options or ColumnGeneration(tol=1e-12), scouts=0)
    return options(Z, y, feature, DictionaryOracle(Z, feature, directions))


def prune(measure: Measure, Z: Array, feature: Feature) -> Measure:
    """A measure on at most n + 1 of the same neurons, with the same outputs at Z and the same total variation.

    Parameters
    ----------
    measure : K atoms of any norm; unit rows and non-zero weights come out.
    Z : (n, D) points at which the outputs are kept (up to rounding: certify the result, not the argument).
    """
    measure = measure.normalised(feature.degree) if measure.weights.any() else measure
    total = float(np.abs(measure.weights).sum())
    sizes, signs = np.abs(measure.weights), np.sign(measure.weights)
    moments = np.vstack([(feature.evaluate(measure.directions, Z) * signs[:, None]).T, np.ones(len(sizes))])
    sizes = caratheodory(moments, sizes)
    kept = sizes > 0.0
    if not kept.any():
        return measure
    weights = sizes[kept] * (total / sizes.sum())
    return Measure(measure.directions[kept], weights * signs[kept])


def caratheodory(moments: Array, sizes: Array) -> Array:
    """x >= 0 with ``moments @ x = moments @ sizes`` and at most rank(moments) non-zero entries.

    Parameters
    ----------
    moments : (r, K).  sizes : (K,) >= 0.
    """
    x = sizes.copy()
    kernel = _kernel(moments)
    for _ in range(kernel.shape[1]):
        direction = kernel[:, np.argmax(np.abs(kernel).max(axis=0))]
        if direction.max() <= 0.0:
            direction = -direction
        ratios = np.divide(x, direction, out=np.full(len(x), np.inf), where=direction > 0.0)
        gone = int(np.argmin(ratios))
        x = np.maximum(x - ratios[gone] * direction, 0.0)
        x[gone] = 0.0
        kernel = _without(kernel, gone)
    return x


def _without(kernel: Array, row: int) -> Array:
    """Basis of the kernel vectors that vanish at `row`: a reflection gathers the row in one column, which goes."""
    v = kernel[row].copy()
    v[0] += np.copysign(np.linalg.norm(v), v[0])
    kernel = kernel - np.outer(kernel @ v, v * (2.0 / (v @ v)))
    kernel[row] = 0.0
    return kernel[:, 1:]


def _kernel(matrix: Array) -> Array:
    """Orthonormal basis (K, K - rank) of {v : matrix v = 0}."""
    scales = np.linalg.norm(matrix, axis=1)
    _, values, rows = np.linalg.svd(matrix / np.where(scales > 0.0, scales, 1.0)[:, None], full_matrices=True)
    rank = int((values > _RANK * values[0]).sum())
    return rows[rank:].T
