"""Shared by the classifiers: scikit-learn's checks of X and y, and a decision function taken from the certificate.

`SoftMarginClassifier` solves the hard or the soft margin, as asked; if it is zero, it softens, raises or warns.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from ..conventions import Array
from ..dataset import Dataset
from ..datasets.checks import check_labels
from ..errors import InputError
from ..features import homogeneous
from ..features.homogeneous import Feature, get_feature
from ..games.certificate import Certificate
from ..margins import Request, margin
from ..options import choice
from ..outcome import Status

ON_INSEPARABLE = ("soften", "warn", "error")
FIRST_NU = 0.1


class MarginClassifier(ClassifierMixin, BaseEstimator):
    """A binary classifier sign f(x) whose f comes with a proved bracket of the margin that it competes for."""

    certificate_: Certificate
    classes_: NDArray[Any]

    def __getstate__(self) -> dict[str, Any]:
        """Pickle with the features registered here: a worker process knows only the built-in names."""
        state: dict[str, Any] = super().__getstate__()
        return state | {"_registered": homogeneous.custom()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        homogeneous.remember(state.pop("_registered", ()))
        super().__setstate__(state)

    def fit(self, X: ArrayLike, y: ArrayLike, **refused: Any) -> Self:
        """Solve or train on these points.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features).
        y : array-like of shape (n_samples,), two classes.
        refused : no further arguments; ``sample_weight`` is refused, because the margin is set by the worst point.

        Returns
        -------
        self

        Raises
        ------
        InputError : a parameter or the data are refused; a ValueError, in one sentence.
        """
        if any(value is not None for value in refused.values()):
            raise InputError(
                f"fit: found {', '.join(refused)}, wanted X and y alone: the margin is set by the worst point, so that "
                "weights change nothing; leave them out, or leave out points"
            )
        self._fit(self._training_set(X, y))
        return self

    def _fit(self, data: Dataset) -> None:
        """Set the fitted attributes."""
        raise NotImplementedError

    def _training_set(self, X: ArrayLike, y: ArrayLike) -> Dataset:
        """Checked data with labels -1/+1; sets `classes_` and scikit-learn's attributes of X."""
        shape = np.asarray(y).shape
        if len(shape) == 2 and shape[1] > 1:
            check_labels(y)  # says how to undo a one-hot coding
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise InputError(f"y: found 1 class ({self.classes_[0]!r}), wanted two classes")
        if len(self.classes_) > 2:
            raise InputError(
                "Only binary classification is supported. The type of the target is multiclass (y: found "
                f"{len(self.classes_)} classes); wrap the classifier in sklearn.multiclass.OneVsRestClassifier."
            )
        return Dataset(np.asarray(X), np.where(codes > 0, 1.0, -1.0))

    def _proved(self, certificate: Certificate) -> None:
        """Set the fitted attributes that a certificate gives."""
        self.certificate_ = certificate
        self.bracket_ = (certificate.lower, certificate.upper)
        self.margin_ = certificate.lower
        self.dual_weights_ = certificate.adversary

    def decision_function(self, X: ArrayLike) -> Array:
        """f(x), positive for ``classes_[1]``, in units of the margin (f has norm one).

        Parameters
        ----------
        X : (N, d) inputs.

        Returns
        -------
        values : (N,).  On the training points ``min_i y_i f(x_i) = margin_`` up to rounding if the margin is hard.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return self.certificate_.decision_function(np.asarray(X))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Labels (N,) of the inputs X (N, d): ``classes_[1]`` where f(x) > 0, else ``classes_[0]``."""
        values = self.decision_function(X)
        return self.classes_[(values > 0.0).astype(int)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


def seed_of(random_state: Any) -> int:
    """One seed from scikit-learn's `random_state`: an int is the seed itself, None is fresh entropy."""
    if random_state is None:
        return int(np.random.default_rng().integers(2**31))
    if isinstance(random_state, (int, np.integer)):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


class SoftMarginClassifier(MarginClassifier):
    """Chooses between the two problems."""

    feature: str | Feature
    nu: float | None
    on_inseparable: str
    nu_: float | None
    inseparability_: Certificate | None

    def _solve(self, data: Dataset, norm: str, **options: Any) -> None:
        """Set the fitted attributes of the problem that applies; `options` are those of `Request` that differ."""
        shared: dict[str, Any] = {name: getattr(self, name) for name in ("bias", "tol", "time_limit")}
        request = Request(data, norm, get_feature(self.feature), **shared, **options)
        choice("on_inseparable", self.on_inseparable, ON_INSEPARABLE)
        certificate = margin(replace(request, nu=self.nu))
        self.nu_, self.inseparability_ = self.nu, None
        self.separable_ = certificate.lower > 0.0
        if not self.separable_:
            self.inseparability_, certificate = certificate, self._softened(request, certificate)
        self.status_ = self._sentence(certificate)
        self._proved(certificate)

    def _softened(self, request: Request, failed: Certificate) -> Certificate:
        """The soft problem of the least nu = 0.1, 0.2, 0.4, 0.8, 1 (above the one asked for) with a positive margin."""
        found = _why(failed)
        if self.on_inseparable == "error":
            remedy = "set a larger nu, e.g. nu=0.4, or on_inseparable='soften'"
            raise InputError(f"X, y: {found}, wanted a positive margin; {remedy}")
        nu = FIRST_NU if self.nu is None else min(1.0, 2.0 * self.nu)
        while (soft := margin(replace(request, nu=nu))).lower <= 0.0 and nu < 1.0:
            nu = min(1.0, 2.0 * nu)
        self.nu_ = nu
        if self.on_inseparable == "warn":
            message = f"{found}: solved the soft margin with nu={nu:g} instead"
            warnings.warn(message, UserWarning, stacklevel=5)
        return soft

    def _sentence(self, certificate: Certificate) -> str:
        proved = f"{certificate.status.value}, bracket closed to {100 * certificate.relative_gap:.2g} %"
        if self.nu_ is None:
            return f"hard margin; {proved}"
        reason = "as asked" if self.inseparability_ is None else f"because {_why(self.inseparability_)}"
        return f"soft margin with nu={self.nu_:g}, {reason}; {proved}"


def _why(failed: Certificate) -> str:
    """Why a softer margin is solved: a proof that there is no positive one, or only that none was found."""
    if failed.status is Status.NOT_SEPARABLE:
        return "the data are not separable (margin 0)"
    return f"no classifier of positive margin was found (the margin is at most {failed.upper:.2g})"
