"""The classifiers behave as scikit-learn's: its own checks, pipelines, searches, copies, labels, refusals."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import maxmargin as mm

FLOW = mm.GradientFlowClassifier(random_state=0)
KERNEL = mm.KernelMaxMarginClassifier()
VARIATION = mm.VariationMaxMarginClassifier(random_state=0)
ALL = [VARIATION, KERNEL, FLOW]
XOR = np.array([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]])


def name(value: object) -> str:
    return type(value).__name__


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return X, load_iris().target_names[y]


@parametrize_with_checks(ALL)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.mark.parametrize("estimator", ALL, ids=name)
def test_two_species_of_iris_in_a_pipeline(estimator, iris):
    X, y = iris[0][50:, :2], iris[1][50:]
    model = make_pipeline(StandardScaler(), clone(estimator))
    assert model.fit(X, y).score(X, y) > 0.7
    assert set(model.predict(X)) <= {"versicolor", "virginica"}


@pytest.mark.parametrize("estimator", ALL, ids=name)
def test_cross_validation_on_real_data(estimator):
    X, y = load_breast_cancer(return_X_y=True)
    rows = np.random.default_rng(0).permutation(len(y))[:90]
    model = make_pipeline(StandardScaler(), estimator)
    scores = cross_val_score(model, X[rows, :8], y[rows], cv=3, error_score="raise")
    assert scores.mean() > 0.85


@pytest.mark.parametrize("estimator", ALL, ids=name)
def test_one_versus_rest_makes_it_multi_class(estimator, iris):
    X, y = iris[0][::3], iris[1][::3]
    model = OneVsRestClassifier(make_pipeline(StandardScaler(), estimator)).fit(X, y)
    assert list(model.classes_) == ["setosa", "versicolor", "virginica"]
    assert model.score(X, y) > 0.9


def test_grid_search_over_the_softness(iris):
    X, y = iris[0][50:], iris[1][50:]
    search = GridSearchCV(
        make_pipeline(StandardScaler(), mm.KernelMaxMarginClassifier()),
        {"kernelmaxmarginclassifier__nu": [None, 0.1, 0.3], "kernelmaxmarginclassifier__kernel": ["f2", "ntk"]},
        cv=3,
        error_score="raise",
    ).fit(X, y)
    assert search.best_score_ > 0.9


@pytest.mark.parametrize("estimator", ALL, ids=name)
def test_pickle_keeps_everything(estimator):
    model = clone(estimator).fit(XOR, list("aabb"))
    twin = pickle.loads(pickle.dumps(model))
    X = np.random.default_rng(0).standard_normal((50, 2))
    assert np.array_equal(twin.decision_function(X), model.decision_function(X))
    assert np.array_equal(twin.predict(X), model.predict(X))
    assert twin.bracket_ == model.bracket_
    assert np.array_equal(twin.dual_weights_, model.dual_weights_)


@pytest.mark.parametrize("estimator", ALL, ids=name)
@pytest.mark.parametrize("labels", [(0, 1), (-1, 1), (False, True), (3, 7), ("no", "yes"), (1.5, 2.5)], ids=str)
def test_any_two_labels(estimator, labels):
    codes = np.array([1, 1, 0, 0])
    if labels == (1.5, 2.5):  # scikit-learn takes fractional targets for regression
        with pytest.raises(ValueError, match="continuous"):
            clone(estimator).fit(XOR, np.array(labels)[codes])
        return
    model = clone(estimator).fit(XOR, np.array(labels)[codes])
    assert model.classes_.tolist() == list(labels)
    assert np.array_equal(model.predict(XOR), np.array(labels)[codes])
    assert ((model.decision_function(XOR) > 0) == (codes > 0)).all()


@pytest.mark.parametrize("estimator", ALL, ids=name)
def test_refusals_are_one_sentence(estimator):
    with pytest.raises(NotFittedError):
        clone(estimator).predict(XOR)
    for y, words in (([1, 1, 1, 1], "found 1 class"), ([0, 1, 2, 1], "Only binary classification")):
        with pytest.raises(mm.InputError, match=words) as refusal:
            clone(estimator).fit(XOR, y)
        assert "\n" not in str(refusal.value)
    with pytest.raises(mm.InputError, match="feature: found 'tanh'"):
        clone(estimator).set_params(feature="tanh").fit(XOR, [0, 0, 1, 1])


@pytest.mark.parametrize(
    ("estimator", "words"),
    [
        (mm.KernelMaxMarginClassifier("f1"), "kernel: found 'f1'"),
        (mm.KernelMaxMarginClassifier(weights="uniform"), "weights: found 'uniform'"),
        (mm.KernelMaxMarginClassifier(nu=0), "nu: found 0"),
        (mm.VariationMaxMarginClassifier(nu=1.5), "nu: found 1.5"),
        (mm.VariationMaxMarginClassifier(on_inseparable="maybe"), "on_inseparable: found 'maybe'"),
        (mm.VariationMaxMarginClassifier(tol=2), "tol: found 2"),
        (mm.VariationMaxMarginClassifier(convention="mean"), "convention: found 'mean'"),
        (mm.GradientFlowClassifier("hidden"), "layers: found 'hidden'"),
        (mm.GradientFlowClassifier(width=0), "width: found 0"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_parameters_are_named(estimator, words):
    with pytest.raises(mm.InputError, match=words):
        estimator.fit(XOR, [0, 0, 1, 1])


@pytest.mark.parametrize("estimator", [VARIATION, FLOW], ids=name)
def test_same_random_state_same_bytes(estimator):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((30, 4)), rng.integers(0, 2, 30)
    first, second = (clone(estimator).fit(X, y).decision_function(X) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_random_state_may_be_a_generator_of_numpy_or_nothing():
    for state in (None, 3, np.random.RandomState(3)):
        assert mm.GradientFlowClassifier(width=50, steps=50, random_state=state).fit(XOR, [0, 0, 1, 1]).n_iter_ == 50


def test_the_package_does_not_load_scikit_learn():
    code = "import sys, maxmargin; maxmargin.InputError; assert not {'sklearn', 'scipy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
