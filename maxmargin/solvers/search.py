"""The F1 search on all points at once, or, where there are many, on a working set of them; and over a dictionary.

Over a finite dictionary of directions the oracle of column generation looks at every direction:
gamma_1^(m) = max of ``min_i y_i sum_k w_k sigma(a_k.z_i)`` over signed weights w on a_1..a_m with ``sum |w_k| <= 1``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

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
