"""`VariationMaxMarginClassifier`: the F1 max margin, all neurons of the sphere, as a scikit-learn classifier."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..features.homogeneous import Feature, get_feature
from ..games.bracket import Bracket
from ..games.certificate import Certificate
from ..games.measure import Measure
from ..games.soft import capped, largest_weight, soft_variation_bracket
from ..games.variation import VariationGame
from ..margins import Request, max_margin
from ..oracles.oracle import SPHERE_EXACT
from ..oracles.selection import EXACT_DIMENSION, exact_oracle, local_oracle, proving_oracle
from ..outcome import Status
from ..solvers.column_generation import ColumnGeneration
from ..solvers.proposal import INTERRUPTED, Proposal
from .base import seed_of
from .soft import SoftCertificate, SoftMarginClassifier

Array = NDArray[np.float64]


class VariationMaxMarginClassifier(SoftMarginClassifier):
    r"""The classifier of largest margin over the F1 (variation norm) ball: what both-layer training converges to.

    ::

        gamma_1 = max_{||f||_F1 <= 1} min_i y_i f(x_i)                    (Eq. 4 of Chizat and Bach, COLT 2020)
        gamma_1(nu) = max_{||f||_F1 <= 1} mean of the worst fraction nu of the y_i f(x_i)            (soft margin)

    The solution is a finite network f(x) = sum_k w_k sigma(a_k . z), found neuron by neuron, z = (x, 1) with a bias.

    Parameters
    ----------
    feature : str or Feature, default="relu"
        Activation: "relu", "squared-relu" or a `Feature`.
    bias : bool, default=True
        The activation sees z = (x, 1); else z = x.
    convention : {"sphere", "path"}, default="sphere"
        Unit of the margin: the paper's gamma_1, or twice that (for ReLU).
    nu : float in (0, 1] or None, default=None
        Soft margin: the mean of the worst fraction nu of the margins is maximised.  As soon as it is positive, fewer
        than a fraction nu of the training points are on the wrong side.  None asks for the hard margin.
    on_inseparable : {"soften", "warn", "error"}, default="soften"
        What to do if no classifier has a positive margin: solve the soft problem with the least nu of 0.1, 0.2,
        0.4, 0.8, 1 (or, from a nu that was given, the next 2 nu, 4 nu, ..., 1) that has one, silently or with a
        `UserWarning`; or raise.  `status_`, `separable_` and `nu_` say what was done.
    certify : bool, default=False
        In dimension D > 3 prove the upper end of the hard margin by enumeration or relaxation, which may take a
        minute; else it is a quick spectral bound.  Up to D = 3 the proof is complete anyway.
    tol : float, default=1e-4
        Relative gap at which the search for neurons ends.
    time_limit : float or None, default=None
        Seconds for each problem solved; the best classifier so far is kept.
    random_state : int, RandomState instance or None, default=None
        Of the random starts of local searches (D > 3).

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        The labels; f > 0 means ``classes_[1]``.
    margin_ : float
        Proved margin of the classifier, the lower end of `bracket_`; ``min_i y_i f(x_i)`` if hard.
    bracket_ : tuple of two floats
        Proved lower and upper end of the best margin of all classifiers in the ball.
    certificate_ : Certificate
        The pair that proves the bracket; a `SoftCertificate` if the margin is soft.
    dual_weights_ : ndarray of shape (n_samples,)
        The adversary's weights p on the points, sum one: the points with p_i > 0 are the support vectors.
    directions_, weights_ : ndarrays of shapes (K, D) and (K,)
        The neurons: unit a_k and signed w_k with ``sum |w_k| = 1``.
    separable_ : bool
        Whether the margin that was asked for is positive.  False is proved if `inseparability_.status` is
        "not-separable"; else no classifier was found.
    nu_ : float or None
        nu of the problem solved, None if hard.
    status_ : str
        One sentence: which problem, and how far its bracket is closed.
    inseparability_ : Certificate or None
        Certificate of the problem that was asked for, when its margin is 0 and a softer one was solved.
    n_features_in_, feature_names_in_ : as in scikit-learn.

    See Also
    --------
    KernelMaxMarginClassifier, GradientFlowClassifier

    Examples
    --------
    >>> import maxmargin as mm
    >>> X, y = [[1, 1], [-1, -1], [1, -1], [-1, 1]], ["same", "same", "other", "other"]
    >>> model = mm.VariationMaxMarginClassifier(random_state=0).fit(X, y)
    >>> round(model.margin_, 6)                     # XOR: sqrt(2)/8
    0.176777
    >>> model.predict([[2, 3]]).tolist()
    ['same']
    """

    def __init__(
        self,
        feature: str | Feature = "relu",
        *,
        bias: bool = True,
        convention: str = "sphere",
        nu: float | None = None,
        on_inseparable: str = "soften",
        certify: bool = False,
        tol: float = 1e-4,
        time_limit: float | None = None,
        random_state: Any = None,
    ) -> None:
        self.feature = feature
        self.bias = bias
        self.convention = convention
        self.nu = nu
        self.on_inseparable = on_inseparable
        self.certify = certify
        self.tol = tol
        self.time_limit = time_limit
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> VariationMaxMarginClassifier:
        """Find the network of largest margin.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features).
        y : array-like of shape (n_samples,), two classes.

        Returns
        -------
        self

        Raises
        ------
        InputError : a parameter or the data are refused; a ValueError, in one sentence.
        """
        self._solve(
            Request(
                data=self._training_set(X, y),
                norm="f1",
                feature=get_feature(self.feature),
                bias=self.bias,
                convention=self.convention,
                tol=self.tol,
                time_limit=self.time_limit,
                seed=seed_of(self.random_state),
            )
        )
        measure = self.certificate_.classifier
        if isinstance(measure, Measure):
            self.directions_, self.weights_ = measure.directions, measure.weights
        return self

    def _hard(self, request: Request) -> Certificate:
        if (pair := _contradiction(request)) is not None:
            return pair
        if self.certify or request.Z.shape[1] <= EXACT_DIMENSION:
            return max_margin(
                request.data,
                "f1",
                feature=request.feature,
                bias=request.bias,
                convention=request.convention,
                tol=request.tol,
                time_limit=request.time_limit,
                seed=request.seed,
            )
        game, measure, proposal = _searched(request, 1.0)
        proof = game.best_response(proposal.p, count=1).proof or {}
        bracket = game.certify_with(proof, measure, proposal.p)
        return Certificate(**_fields(request, game, bracket, measure, proposal), proof=proof)

    def _soft(self, request: Request, nu: float) -> SoftCertificate:
        cap = largest_weight(nu, request.data.n)
        game, measure, proposal = _searched(request, cap)
        bracket = soft_variation_bracket(game, measure, proposal.p, cap)
        return SoftCertificate(**_fields(request, game, bracket, measure, proposal), nu=nu)


def _contradiction(request: Request) -> Certificate | None:
    """Margin 0, exactly: half the weight on each of two equal points with opposite labels; None if there are none."""
    Z, y = request.Z, request.data.y
    _, group = np.unique(Z, axis=0, return_inverse=True)
    both = np.intersect1d(group[y > 0], group[y < 0])
    if not len(both):
        return None
    p = np.zeros(len(y))
    for label in (-1.0, 1.0):
        p[np.flatnonzero((group == both[0]) & (y == label))[0]] = 0.5
    return Certificate(
        problem=request.problem,
        bracket=Bracket(0.0, 0.0, SPHERE_EXACT),
        status=Status.NOT_SEPARABLE,
        classifier=Measure(np.eye(1, Z.shape[1]), np.zeros(1)),
        adversary=p,
        tol=request.tol,
    )


def _searched(request: Request, cap: float) -> tuple[VariationGame, Measure, Proposal]:
    """Column generation: exact best responses in low dimension, local ones above; the game only proves cheaply."""
    Z, y, feature = request.Z, request.data.y, request.feature
    unit = np.ldexp(Z, -int(np.frexp(float(np.abs(Z).max()))[1]))  # a power of two: nothing is rounded
    exact = Z.shape[1] <= EXACT_DIMENSION
    oracle = exact_oracle(unit, feature) if exact else local_oracle(unit, feature, request.seed)
    limit = np.inf if request.time_limit is None else request.time_limit
    proposal = ColumnGeneration(tol=request.tol, time_limit=limit, cap=cap)(unit, y, feature, oracle)
    game = VariationGame(Z, y, feature, request.convention, oracle=proving_oracle(Z, feature))
    return game, proposal.measure.normalised(feature.degree), replace(proposal, p=capped(proposal.p, cap))


def _fields(
    request: Request, game: VariationGame, bracket: Bracket, measure: Measure, found: Proposal
) -> dict[str, Any]:
    """What hard and soft certificates share."""
    return {
        "problem": request.problem,
        "bracket": bracket,
        "status": bracket.status(request.tol, game.negligible(found.p), found.hint == INTERRUPTED),
        "classifier": measure,
        "adversary": found.p,
        "tol": request.tol,
        "attempts": found.attempts,
        "iterations": found.rounds,
        "seconds": sum(attempt.seconds for attempt in found.attempts),
    }
