"""Real data that comes with scikit-learn (imported here only when asked for), two classes at a time."""

from __future__ import annotations

import numpy as np

from ..conventions import Array
from ..errors import InputError
from .registry import builtin
from .values import Dataset, make_dataset

REST = "rest"


@builtin("iris")
def iris(pair: str = "rest-setosa", standardize: bool = False, unique: bool = False) -> Dataset:
    """Fisher's iris, 150 x 4 in cm: two of setosa, versicolor, virginica, or one of them against the rest."""
    from sklearn.datasets import load_iris

    return _binary(load_iris(), "iris", pair, standardize, unique)


@builtin("wine")
def wine(pair: str = "class_0-rest", standardize: bool = True, unique: bool = False) -> Dataset:
    """Wine cultivars, 178 x 13: two of class_0, class_1, class_2, or one against the rest."""
    from sklearn.datasets import load_wine

    return _binary(load_wine(), "wine", pair, standardize, unique)


@builtin("breast-cancer")
def breast_cancer(standardize: bool = True, unique: bool = False) -> Dataset:
    """Wisconsin diagnostic breast cancer, 569 x 30: benign -1, malignant +1."""
    from sklearn.datasets import load_breast_cancer

    return _binary(load_breast_cancer(), "breast-cancer", "benign-malignant", standardize, unique)


@builtin("digits")
def digits(pair: str = "0-1", standardize: bool = False, unique: bool = False) -> Dataset:
    """Handwritten digits, 8 x 8 pixels in [0, 1]: two of 0..9, or one against the rest (3-rest)."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    bunch.data = bunch.data / 16.0
    return _binary(bunch, "digits", pair, standardize, unique)


def _binary(bunch: dict, name: str, pair: str, standardize: bool, unique: bool) -> Dataset:
    """The rows of the two classes; -1/+1 by sorted order of the two names, whichever way round the pair is written.

    ``standardize``: subtract the mean of the selected rows and divide by their standard deviation; by default where
    the columns carry different units (wine, breast-cancer). ``unique``: of rows with equal features keep the first
    (two that carry different labels make every margin 0, and stay).
    """
    known = [str(label) for label in bunch["target_names"]]
    asked = pair.split("-")
    if len(asked) != 2 or asked[0] == asked[1] or not set(asked) <= {*known, REST} or asked == [REST, REST]:
        raise InputError(
            f"{name}:pair: found {pair!r}, wanted two different ones of {', '.join(known)}, {REST}, joined by -"
        )
    labels = np.array(known)[bunch["target"]]
    if REST in asked:
        labels = np.where(np.isin(labels, asked), labels, REST)
    keep = np.isin(labels, asked)
    X, y = np.array(bunch["data"][keep], dtype=float), labels[keep]
    if unique:
        _, codes = np.unique(y, return_inverse=True)
        _, first = np.unique(np.column_stack([X, codes]), axis=0, return_index=True)
        X, y = X[np.sort(first)], y[np.sort(first)]
    if standardize:
        X = _standardized(X)
    features = [str(feature) for feature in bunch["feature_names"]]
    return make_dataset(X, y, name, feature_names=features, recipe={"bias": True})


def _standardized(X: Array) -> Array:
    """(X - mean) / standard deviation; a constant column becomes 0."""
    deviation = X.std(axis=0)
    return (X - X.mean(axis=0)) / np.where(deviation > 0.0, deviation, 1.0)
