"""`KernelMaxMarginClassifier`: the F2 or tangent-kernel max margin as a scikit-learn classifier."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from ..conventions import law_of
from ..dataset import Dataset
from ..features.homogeneous import Feature
from ..games.rkhs import KernelExpansion
from ..options import choice
from .base import SoftMarginClassifier


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
    feature : str or Feature, default="relu"
        Activation: "relu", "squared-relu" or a `Feature`.
    bias : bool, default=True
        The activation sees z = (x, 1); else z = x.
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
    time_limit : float or None, default=None
        Seconds for each problem solved.
    weights : str or None, default=None
        The older name of `law`.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        The labels; f > 0 means ``classes_[1]``.
    margin_, bracket_, certificate_, dual_weights_ : as in `VariationMaxMarginClassifier`.
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
