"""The F1, F2 and tangent-kernel max margins as scikit-learn classifiers, which are solved, not trained."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any

from ..conventions import law_of
from ..dataset import Dataset
from ..features.homogeneous import Feature
from ..games.measure import Measure
from ..games.rkhs import KernelExpansion
from ..options import choice
from .base import SoftMarginClassifier, seed_of


@dataclass(eq=False, repr=False)
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
        Seed of the random starts of local searches (D > 3).

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

    feature: str | Feature = "relu"
    _: KW_ONLY
    bias: bool = True
    convention: str = "sphere"
    nu: float | None = None
    on_inseparable: str = "soften"
    certify: bool = False
    tol: float = 1e-4
    time_limit: float | None = None
    random_state: Any = None

    def _fit(self, data: Dataset) -> None:
        """Find the network of largest margin."""
        seed = seed_of(self.random_state)
        self._solve(data, "f1", convention=self.convention, seed=seed, quick=not self.certify)
        measure = self.certificate_.classifier
        if isinstance(measure, Measure):
            self.directions_, self.weights_ = measure.directions, measure.weights


@dataclass(eq=False, repr=False)
class KernelMaxMarginClassifier(SoftMarginClassifier):
    r"""The classifier of largest margin over the RKHS ball of an infinitely wide network; no intercept.

    ::

        gamma_2 = max_{||f|| <= 1} min_i y_i f(x_i),      gamma_2^2 = min_{p in simplex} p' Y K Y p          (Eq. 5)
        gamma_2(nu) = max_{||f|| <= 1} mean of the worst fraction nu of the y_i f(x_i)               (soft margin)

    With "f2" the kernel is the arc-cosine kernel E[sigma(a.z) sigma(a.z')], z = (x, 1) with a bias, which training the
    output layer converges to; with "ntk" it is the tangent kernel of both layers.

    Parameters
    ----------
    kernel : {"f2", "ntk"}, default="f2"
        Fixed hidden layer, or tangent kernel.
    feature, bias, time_limit : as in `VariationMaxMarginClassifier`.
    law : {"sphere", "gaussian"}, default="sphere"
        Law of the random directions; "gaussian" multiplies f2 margins by sqrt(D) for ReLU.
    nu : float in (0, 1] or None, default=None
        Fraction of the points that the soft margin averages over (the nu of a nu-SVM without intercept); None asks
        for the hard margin.
    on_inseparable : {"soften", "warn", "error"}, default="soften"
        As in `VariationMaxMarginClassifier`.  Kernels separate nearly all data with distinct points.
    solver : str, default="auto"
        Solver of the hard margin: "auto" (our exact active-set method), or another one of `max_margin`.
    tol : float, default=1e-6
        Relative gap at which the status is "certified".
    weights : str or None, default=None
        The older name of `law`.

    Attributes
    ----------
    classes_, margin_, bracket_, certificate_, dual_weights_ : as in `VariationMaxMarginClassifier`.
    coefficients_ : ndarray of shape (n_samples,)
        c of f(x) = sum_i c_i K(x_i, x), with c'Kc = 1.
    separable_, nu_, status_, inseparability_ : as in `VariationMaxMarginClassifier`.
    n_features_in_, feature_names_in_ : as in scikit-learn.

    See Also
    --------
    sklearn.svm.SVC : solves another problem, with a free intercept.

    Examples
    --------
    >>> import maxmargin as mm
    >>> X, y = [[1, 1], [-1, -1], [1, -1], [-1, 1]], [1, 1, 0, 0]
    >>> round(mm.KernelMaxMarginClassifier(bias=False).fit(X, y).margin_, 6)     # sqrt((1 - 2/pi)/8)
    0.213126
    """

    kernel: str = "f2"
    _: KW_ONLY
    feature: str | Feature = "relu"
    bias: bool = True
    law: str = "sphere"
    nu: float | None = None
    on_inseparable: str = "soften"
    solver: str = "auto"
    tol: float = 1e-6
    time_limit: float | None = None
    weights: str | None = None

    def _fit(self, data: Dataset) -> None:
        """Find the function of largest margin."""
        choice("kernel", self.kernel, ("f2", "ntk"))
        self._solve(data, self.kernel, law=law_of(self.law, self.weights), solver=self.solver)
        expansion = self.certificate_.classifier
        if isinstance(expansion, KernelExpansion):
            self.coefficients_ = expansion.coefficients
