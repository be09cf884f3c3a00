"""Registered features in worker processes; messages that read like values, not like NumPy."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, cross_val_score

import maxmargin as mm
from maxmargin.datasets.values import make_dataset
from maxmargin.features import homogeneous

X = np.random.default_rng(0).normal(size=(16, 2))
Y = np.arange(16) % 2
ONE_HOT = np.eye(2)[Y]


@pytest.fixture
def leaky(monkeypatch):
    monkeypatch.setattr(homogeneous, "_REGISTERED", dict(homogeneous._REGISTERED))
    return homogeneous.register(homogeneous.Feature("field-leaky", 1, 1.0, -0.1))


def test_a_registered_feature_passed_by_name_reaches_the_workers(leaky):
    """In the estimator itself, and among the values of a search: the workers hear of all of them."""
    model = mm.KernelMaxMarginClassifier(feature="field-leaky")
    assert np.isfinite(cross_val_score(model, X, Y, cv=2, n_jobs=2, error_score="raise")).all()
    search = GridSearchCV(
        mm.KernelMaxMarginClassifier(), {"feature": ["relu", "field-leaky"]}, cv=2, n_jobs=2, error_score="raise"
    )
    assert search.fit(X, Y).best_params_["feature"] in ("relu", "field-leaky")


def test_a_pickled_estimator_predicts_in_a_process_that_never_heard_of_its_feature(leaky, tmp_path):
    model = mm.VariationMaxMarginClassifier(feature="field-leaky").fit(X, Y)
    (tmp_path / "model.pickle").write_bytes(pickle.dumps((model, X)))
    code = (
        "import pickle, sys; model, X = pickle.load(open(sys.argv[1], 'rb'));"
        "print(model.fit(X, model.predict(X)).predict(X).tolist() == model.predict(X).tolist())"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "model.pickle")], capture_output=True, text=True)
    assert done.stdout.strip() == "True", done.stderr


def test_an_unknown_name_says_what_to_pass():
    with pytest.raises(mm.InputError, match="pass the Feature itself"):
        mm.max_margin("xor", feature="field-leaky")


@pytest.mark.parametrize(
    ("y", "advice"),
    [
        (ONE_HOT, "y = np.argmax(y, axis=1)"),
        (ONE_HOT.astype(bool), "y = np.argmax(y, axis=1)"),
        (Y[:, None], "y = np.ravel(y)"),
        (np.column_stack([Y, Y]), "y = y[:, 0]"),
    ],
)
def test_labels_in_columns_are_advised_what_gives_a_vector(y, advice):
    with pytest.raises(mm.InputError) as error:
        mm.max_margin((X, y))
    assert advice in str(error.value)
    named = {"np": np, "y": y}
    exec(advice, named)
    assert np.shape(named["y"]) == (16,)


def test_estimators_give_the_same_advice():
    for model in (mm.VariationMaxMarginClassifier(), mm.KernelMaxMarginClassifier(), mm.GradientFlowClassifier()):
        with pytest.raises(ValueError, match=r"np.argmax\(y, axis=1\)"):
            model.fit(X, ONE_HOT)


CALLS = {
    "one class": lambda: mm.VariationMaxMarginClassifier().fit(X, np.zeros(16, int)),
    "one class of strings": lambda: mm.KernelMaxMarginClassifier().fit(X, np.array(["a"] * 16)),
    "classes": lambda: make_dataset(X, Y, classes=(np.int64(0), np.int64(3))),
    "tol": lambda: mm.max_margin("xor", tol=np.float64(2.0)),
    "time_limit": lambda: mm.max_margin("xor", time_limit=np.float32(-1.0)),
    "norm": lambda: mm.max_margin("xor", norm=np.str_("f3")),
    "nu": lambda: mm.KernelMaxMarginClassifier(nu=np.float64(2.0)).fit(X, Y),
    "width": lambda: mm.train("xor", width=np.int64(0)),
    "degree": lambda: mm.Feature("cubic", np.int64(3)),
}


@pytest.mark.parametrize("name", CALLS)
def test_no_message_shows_the_type_of_a_numpy_scalar(name):
    with pytest.raises(mm.InputError) as error:
        CALLS[name]()
    assert "np." not in str(error.value)
    assert str(pickle.loads(pickle.dumps(error.value))) == str(error.value)
