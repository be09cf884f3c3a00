"""Data frames: names are learnt, kept and required; labels of every kind; nothing missing is guessed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import maxmargin as mm
from maxmargin.dataset import load, save

ALL = [
    mm.VariationMaxMarginClassifier(random_state=0),
    mm.KernelMaxMarginClassifier(nu=0.1),
    mm.GradientFlowClassifier(random_state=0),
]
KINDS = ["object", "string", "category"]
each = pytest.mark.parametrize("estimator", ALL, ids=lambda estimator: type(estimator).__name__)


@pytest.fixture
def iris():
    """Petals of two species, and which species, with an index that is not 0, 1, 2."""
    data = load("iris")
    X = pd.DataFrame(data.X, columns=list(data.feature_names), index=range(1000, 1000 + data.n))
    return X, pd.Series(data.labels, index=X.index, name="species")


@each
def test_names_are_learnt_and_required(estimator, iris):
    X, y = iris
    model = clone(estimator).fit(X, y)
    assert model.feature_names_in_.tolist() == X.columns.tolist()
    assert set(model.predict(X)) <= set(y) and model.score(X, y) > 0.9
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(X[X.columns[::-1]])
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(X.rename(columns={X.columns[0]: "other"}))


@each
@pytest.mark.parametrize("kind", KINDS)
def test_text_labels_of_every_kind(estimator, kind, iris):
    X, y = iris
    model = clone(estimator).fit(X, y.astype(kind))
    assert model.classes_.tolist() == sorted(set(y))
    assert np.array_equal(model.predict(X), clone(estimator).fit(X.to_numpy(), y.to_numpy()).predict(X.to_numpy()))


@each
def test_after_a_column_transformer_that_gives_frames(estimator, iris):
    X, y = iris
    X = X.assign(size=np.where(X[X.columns[0]] > X[X.columns[0]].median(), "large", "small"))
    columns = ColumnTransformer(
        [("scale", StandardScaler(), list(X.columns[:-1])), ("text", OneHotEncoder(sparse_output=False), ["size"])],
        verbose_feature_names_out=False,
    )
    model = make_pipeline(columns, clone(estimator)).set_output(transform="pandas").fit(X, y)
    assert model[-1].feature_names_in_.tolist() == [*X.columns[:-1], "size_large", "size_small"]
    assert model.score(X, y) > 0.9
    assert np.array_equal(model.predict(X[X.columns[::-1]]), model.predict(X))  # the transformer goes by name


def test_a_pair_of_frame_and_series_is_a_data_set(iris, tmp_path):
    X, y = iris
    data = load((X, y))
    assert data.feature_names == tuple(X.columns) and data.sha256 == load("iris").sha256
    save(data, tmp_path / "iris.csv")
    assert load(tmp_path / "iris.csv").feature_names == data.feature_names
    for call in (mm.max_margin, lambda pair: mm.train(pair, width=10, steps=10)):
        by_arrays, by_frame = call((X.to_numpy(), y.tolist())), call((X, y))
        assert getattr(by_frame, "lower", None) == getattr(by_arrays, "lower", None)


@pytest.mark.parametrize("kind", [*KINDS, "boolean", "Int64", bool, int, float])
def test_labels_and_columns_of_every_kind(kind):
    X = pd.DataFrame({"a": [1, 2, 3], "b": [True, False, True], "c": [0.5, 1.5, 2.5]})
    y = pd.Series(["no", "no", "yes"] if kind in KINDS else [0, 0, 1]).astype(kind)
    for frame in (X, X.astype("Float64"), X.astype(object)):
        data = load((frame, y))
        assert data.X.tolist() == [[1.0, 1.0, 0.5], [2.0, 0.0, 1.5], [3.0, 1.0, 2.5]]
        assert data.y.tolist() == [-1.0, -1.0, 1.0] and data.feature_names == ("a", "b", "c")


@pytest.mark.parametrize("columns", [[0, 1], ["a", "a"], ["y", "a"], [("a", 1), ("a", 2)]], ids=str)
def test_columns_that_are_no_names_leave_none(columns):
    assert load((pd.DataFrame(np.eye(2), columns=columns), [0, 1])).feature_names is None


@pytest.mark.parametrize(
    ("X", "y", "words"),
    [
        (pd.DataFrame({"a": pd.array([1, None], "Int64")}), [0, 1], "X: found (<NA>|nan) in row 1, column 0"),
        (pd.DataFrame({"a": [1.0, np.nan]}), [0, 1], "X: found nan in row 1, column 0"),
        (pd.DataFrame({"a": [1, 2], "b": ["u", "v"]}), [0, 1], "X: found 'u' in row 0, column 1"),
        (pd.DataFrame({"a": [1, 2]}), pd.Series(["u", None]), "y: found (None|nan) at position 1 .* beside 'u'"),
        (pd.DataFrame({"a": [1, 2]}), pd.Series(["u", 1], dtype=object), "y: found 1 at position 1 .* beside 'u'"),
        (pd.DataFrame({"a": [1, 2]}), pd.array([1, None], "Int64"), "y: found (<NA> at position 1|nan among)"),
        (pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"y": [0, 1]}), r"shape \(2, 1\), wanted a vector .*np.ravel"),
        (pd.DataFrame({"a": [1, 2]}), pd.Series([0, 1, 1]), "found 3 labels for 2 rows"),
    ],
)
def test_what_is_missing_or_mixed_is_named(X, y, words):
    with pytest.raises(mm.InputError, match=words) as refusal:
        load((X, y))
    assert "\n" not in str(refusal.value)


def test_a_frame_alone_is_refused(iris):
    with pytest.raises(mm.InputError, match="found DataFrame, wanted a Dataset, a pair"):
        load(iris[0])
