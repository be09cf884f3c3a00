"""`GradientFlowClassifier`: a network trained by gradient ascent on the smooth margin, with its certificate."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from typing import Any

import numpy as np

from ..conventions import PATH, Array
from ..dataset import Dataset
from ..features.homogeneous import Feature, get_feature
from ..flow.network import Network
from ..flow.run import Run
from ..games.certificate import Certificate
from ..games.game import Game, Pair
from ..games.measure import Measure
from ..games.problem import Problem
from ..games.random_features import RandomFeatureGame
from ..games.variation import VariationGame
from ..margins.prove import Budget, conclude, judged, softmin_weights
from ..oracles.selection import proving_oracle
from ..outcome import Attempt, Reason
from ..training import train
from .base import MarginClassifier, seed_of

# Rules whose constant is a step in flow time, which has the unit 1 / |z|^degree.
_TIMED = ("paper", "constant")
_TOL = 1e-3  # relative gap that a trained network can be expected to reach


@dataclass(eq=False, repr=False)
class GradientFlowClassifier(MarginClassifier):
    r"""A two-layer network trained by gradient ascent on the smooth margin: the paper's dynamics, as a classifier.

    ::

        h_m(w, x) = (1/m) sum_j b_j sigma(a_j . z),     dw/dt = m grad S(y_i h_m(w, x_i)),    S(u) = -log mean l(-u_i)

    (Eqs. 1, 6, 7).  Both layers: its normalised margin tends to that of `VariationMaxMarginClassifier` as width and
    time grow (Cor. 4); output layer only: to that of `KernelMaxMarginClassifier` (kernel "f2").

    Parameters
    ----------
    layers : {"both", "output", "magnitudes"}, default="both"
        What is trained: both layers, the output layer on random features (Prop. 7), or |w_j| only (Prop. 6).
    width : int, default=256
        Number of neurons m.
    steps : int, default=200
        Number of gradient steps.  The default is for classifying; to see the limit take more, and a width of 1000.
    schedule : str, default="flow"
        Step rule: "flow" (the flow itself, error-controlled implicit steps), "paper" (eta_t = s/sqrt(t+1)), "constant",
        "loss-based", "theorem"; see `maxmargin.flow.schedules`.
    step_size : float or None, default=None
        The rule's constant s.  None takes 1/max_i |z_i|^degree for "paper" and "constant", so that the unit of X does
        not matter, and the rule's own default else.
    loss : {"exp", "logistic"}, default="exp"
        l of the smooth margin.
    init : str, default="gaussian"
        "gaussian", "balanced" or "paired", with a scale if wanted, as "gaussian:40".
    feature, bias, convention : as in `VariationMaxMarginClassifier`.
    law : {"sphere", "gaussian"}, default="sphere"
        Law of the random features of ``layers="output"``.
    batch_size : int or None, default=None
        Points per step; None for all.
    time_limit : float or None, default=None
        Seconds for training.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights and of mini-batches.
    weights : str or None, default=None
        The older name of `law`.

    Attributes
    ----------
    classes_ : as in `VariationMaxMarginClassifier`.
    network_ : Network
        The network that predicts: the iterate of the best normalised margin if that separates the data, else the
        last iterate.  `decision_function` is this network divided by its norm: the total variation of its output
        measure (F1; never above the mass (1/m) sum |w_j|^2 of `history_`) or sqrt(mean r_j^2).
    margin_ : float
        Its proved margin ``min_i y_i f(x_i)``; 0 if it does not separate the data.
    bracket_ : tuple of two floats
        `margin_`, and a proved upper bound on every classifier's margin from the soft-min weights: over F1, or over
        this network's own random features for ``layers="output"``.
    certificate_ : Certificate
        The pair that proves it.  For ``layers="output"`` its norm is called "f2m", gamma_2^(m) of Prop. 7.
    dual_weights_ : ndarray of shape (n_samples,)
        Soft-min weights exp(-beta y_i f(x_i)) of `network_`, at the temperature that proves most.
    separable_ : bool
        Whether `network_` separates the training data.
    status_ : str
        How training ended: "finished", "interrupted", "collapsed" or "diverged".
    history_ : list of dict
        Rows "step", "time", "margin", "smooth_margin", "mass", ... at geometrically spaced steps.
    run_ : Run
        The whole training run.
    n_iter_ : int
        Steps taken.
    n_features_in_, feature_names_in_ : as in scikit-learn.

    Examples
    --------
    >>> import maxmargin as mm
    >>> X, y = [[1, 1], [-1, -1], [1, -1], [-1, 1]], [1, 1, 0, 0]
    >>> model = mm.GradientFlowClassifier(width=100, random_state=0).fit(X, y)
    >>> model.predict(X).tolist()
    [1, 1, 0, 0]
    """

    layers: str = "both"
    _: KW_ONLY
    width: int = 256
    steps: int = 200
    schedule: str = "flow"
    step_size: float | None = None
    loss: str = "exp"
    init: str = "gaussian"
    feature: str | Feature = "relu"
    bias: bool = True
    law: str = "sphere"
    convention: str = "sphere"
    batch_size: int | None = None
    time_limit: float | None = None
    random_state: Any = None
    weights: str | None = None

    def _fit(self, data: Dataset) -> None:
        """Train the network."""
        feature = get_feature(self.feature)
        options = self.get_params(deep=False) | {"feature": feature, "step_size": self._step_size(data, feature)}
        seed = seed_of(options.pop("random_state"))
        run = self.run_ = train(data, **options, seed=seed)
        self.network_ = run.network_best if run.margin_best > 0.0 else run.network
        self.history_, self.n_iter_, self.status_ = run.trace, run.steps, run.status
        self._proved(_certificate(self.network_, run, data))
        self.separable_ = self.margin_ > 0.0

    def _step_size(self, data: Dataset, feature: Feature) -> float | None:
        if self.step_size is not None or self.schedule not in _TIMED:
            return self.step_size
        return float(1.0 / (np.linalg.norm(data.inputs(self.bias), axis=1).max() or 1.0) ** feature.degree)


def _certificate(network: Network, run: Run, data: Dataset) -> Certificate:
    """The network as a proposer: its function and its soft-min weights, certified by its game."""
    output = run.layers == "output"
    problem = Problem(
        norm="f2m" if output else "f1",
        feature=network.feature,
        bias=network.bias,
        convention=PATH if output else run.convention,
        n=data.n,
        d=data.d,
        data_sha256=data.sha256,
        law=run.weights,
    )
    game, learner, p = (_random_features if output else _variation)(network, run, data)
    reason = Reason.INTERRUPTED if run.status == "interrupted" else Reason.STALLED
    attempt = Attempt(f"gradient flow, {run.layers}", run.status, run.seconds)
    found = judged(game, Pair(learner, p, reason, (attempt,), run.steps))
    if output:
        measure = network.measure()
        found = replace(found, learner=Measure(measure.directions, measure.weights / (game.norm(learner) or 1.0)))
    return replace(conclude(problem, game, found, Budget(_TOL)), seconds=run.seconds)


def _variation(network: Network, run: Run, data: Dataset) -> tuple[Game, Measure, Array]:
    """In the F1 game, as a measure of total variation one."""
    Z, feature = data.inputs(network.bias), network.feature
    game = VariationGame(Z, data.y, feature, run.convention, oracle=proving_oracle(Z, feature))
    measure = network.measure().normalised(feature.degree)
    columns = feature.evaluate(measure.directions, Z) * data.y
    return game, measure, softmin_weights(game.margins(measure), columns, run.adversary)


def _random_features(network: Network, run: Run, data: Dataset) -> tuple[Game, Array, Array]:
    """In the game of its own features, over sqrt(mean r_j^2) (Prop. 7)."""
    Z, r = data.inputs(network.bias), network.output
    game = RandomFeatureGame(network.feature.evaluate(network.hidden, Z), data.y)
    return game, r, softmin_weights(game.margins(r), game.Phi * data.y, run.adversary, order=2)
