"""Accuracy of a classifier on its training data and on held-out data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .conventions import NORMS, Array
from .dataset import Dataset, load, make_dataset
from .datasets.scaling import standardized_columns
from .errors import InputError

Predict = Callable[[Array], Array]  # X (N, d) -> signs (N,)


@dataclass(frozen=True)
class Counts:
    """The confusion counts of one classifier on one data set; positive is the second class, +1.

    Attributes
    ----------
    true_negative, false_positive, false_negative, true_positive : numbers of points.
    """

    true_negative: int
    false_positive: int
    false_negative: int
    true_positive: int

    @property
    def accuracy(self) -> float:
        """Share of the points that are classified correctly."""
        right = self.true_negative + self.true_positive
        return right / (right + self.false_positive + self.false_negative)

    @property
    def texts(self) -> tuple[str, str]:
        """Accuracy, and the numbers of both kinds of mistakes: -1 as +1, +1 as -1."""
        return f"{100 * self.accuracy:.1f} %", f"{self.false_positive}, {self.false_negative}"

    def to_json(self) -> dict[str, Any]:
        """Accuracy and the confusion matrix: one row per class (-1, +1), with the counts predicted -1 and +1."""
        rows = [[self.true_negative, self.false_positive], [self.false_negative, self.true_positive]]
        return {"accuracy": self.accuracy, "confusion": rows}


@dataclass(frozen=True)
class Score:
    """One classifier's counts on the training data and, where there are any, on the test data.

    Attributes
    ----------
    key : name of the object in the JSON.  title : its name in tables.
    train, test : counts; `test` is None without held-out data.
    """

    key: str
    title: str
    train: Counts
    test: Counts | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain Python: the counts on the training data, and on the test data where there are any."""
        document = {"object": self.key, "title": self.title, "train": self.train.to_json()}
        return document if self.test is None else document | {"test": self.test.to_json()}


def counts(predict: Predict, data: Dataset) -> Counts:
    """Confusion counts of the signs that `predict` gives."""
    positive, truth = np.asarray(predict(data.X)) > 0, data.y > 0
    pairs = ((~positive & ~truth), (positive & ~truth), (~positive & truth), (positive & truth))
    return Counts(*(int(np.count_nonzero(pair)) for pair in pairs))


def score(key: str, title: str, predict: Predict, train: Dataset, test: Dataset | None) -> Score:
    """The counts of one classifier on both sets."""
    return Score(key, title, counts(predict, train), None if test is None else counts(predict, test))


def result_scores(margins: Mapping[str, Any], runs: Iterable[Any], train: Dataset, test: Dataset | None) -> list[Score]:
    """Accuracies of the solved classifiers (not of one proved to be zero) and of the trained networks."""
    found = [
        score(name, NORMS[name], certificate.decision_function, train, test)
        for name, certificate in margins.items()
        if certificate.lower > 0
    ]
    for item in runs:
        network = item.run.network_best if item.run.margin_best > 0 else item.run.network
        key, title = ("both", "both layers trained") if item.reference == "f1" else ("output", "output layer trained")
        found.append(score(key, title, network.decision_function, train, test))
    return found


def usual_scores(train: Dataset, test: Dataset | None) -> list[Score]:
    """Accuracies of two common classifiers of scikit-learn, with their defaults, on standardised features."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    usual = (("svc", "SVC (RBF, C = 1)", SVC()), ("logistic", "logistic regression (C = 1)", LogisticRegression()))
    found = []
    for key, title, model in usual:
        fitted = make_pipeline(StandardScaler(), model).fit(train.X, train.y)
        found.append(score(key, title, fitted.predict, train, test))
    return found


def split(data: Dataset, share: float, seed: int) -> tuple[Dataset, Dataset]:
    """Training and test part: `share` of each class is held out at random, and the training part alone sets the units.

    Raises
    ------
    InputError : the share is not between 0 and 1, or a class is too small to be in both parts.
    """
    if not 0.0 < share < 1.0:
        raise InputError(f"test_size: found {share!r}, wanted a share between 0 and 1, e.g. 0.25")
    rng, held = np.random.default_rng(seed), np.zeros(data.n, dtype=bool)
    for label, name in zip((-1.0, 1.0), data.classes, strict=True):
        rows = np.flatnonzero(data.y == label)
        count = round(share * len(rows))
        if not 0 < count < len(rows):
            raise InputError(
                f"test_size: found {share:g} of the {len(rows)} points of class {name!r}, wanted at least one point in "
                "each part; take another share or a second file"
            )
        held[rng.permutation(rows)[:count]] = True
    X_train, X_test = data.X[~held], data.X[held]
    if data.standardized:
        joint = standardized_columns(X_train, X_test)
        X_train, X_test = joint[: len(X_train)], joint[len(X_train) :]
    common: dict[str, Any] = {"classes": data.classes, "feature_names": data.feature_names, "label": data.label}
    parts = (("training part", X_train, data.y[~held]), ("test part", X_test, data.y[held]))
    train, test = (
        make_dataset(X, [data.classes[int(sign > 0)] for sign in y], f"{data.name}, {part}", **common)
        for part, X, y in parts
    )
    units: dict[str, Any] = {"standardized": data.standardized, "remarks": data.remarks}
    return replace(train, **units), replace(test, **units)


def matched(train: Dataset, test: Dataset) -> Dataset:
    """A second data set with the classes, the features and, if the first is standardised, the units of the first.

    Raises
    ------
    InputError : other features or other classes.
    """
    if test.d != train.d or (train.feature_names and test.feature_names and test.feature_names != train.feature_names):
        raise InputError(
            f"test data: found the features {test.feature_names or test.d}, wanted {train.feature_names or train.d} as "
            "in the training data"
        )
    if set(test.classes) != set(train.classes):
        raise InputError(f"test data: found the classes {test.classes}, wanted {train.classes} as in the training data")
    raw = (train.recipe or {}).get("raw")
    if not train.standardized or raw is None or test.standardized:
        return test
    return replace(test, X=standardized_columns(raw, test.X)[len(raw) :], standardized=True)


def parts(data: Dataset, test: Any, share: float | None, seed: int) -> tuple[Dataset, Dataset | None]:
    """Training data and test data, if any: a second set, or this `share` of the first."""
    if test is not None and share is not None:
        raise InputError("test_size: found together with test, wanted one of them")
    if share is not None:
        return split(data, share, seed)
    return data, None if test is None else matched(data, load(test))
