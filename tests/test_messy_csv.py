"""scikit-learn around the classifiers: the example from a messy file to a report, probabilities, what `fit` refuses."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import maxmargin as mm

SCRIPT = Path(__file__).resolve().parent.parent / "experiments" / "messy_csv.py"
MODELS = [
    mm.VariationMaxMarginClassifier(nu=0.3, random_state=0),
    mm.KernelMaxMarginClassifier(nu=0.3),
    mm.GradientFlowClassifier(width=20, steps=30, random_state=0),
]


def test_the_worked_example_runs(tmp_path, monkeypatch, capsys):
    pytest.importorskip("pandas")
    monkeypatch.setattr(sys, "argv", ["messy_csv.py", "--out", str(tmp_path)])
    example = runpy.run_path(str(SCRIPT))
    said = capsys.readouterr().out
    assert "column 'age': found '?', wanted a finite number; pandas: frame = frame.dropna()" in said
    assert "soft margin in [" in said and (tmp_path / "report.html").exists()
    assert example["pipeline"].score(example["X_test"], example["y_test"]) > 0.75
    probability = example["calibrated"].predict_proba(example["X_test"])
    np.testing.assert_allclose(probability.sum(axis=1), 1.0)
    assert example["classifier"].margin_ > 0.0 and 0.0 < example["probability"].mean() < 1.0


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_weights_and_sparse_matrices_are_refused_clearly(model):
    X, y = mm.load("xor").X, mm.load("xor").y
    with pytest.raises(mm.InputError, match="fit: found sample_weight, wanted X and y alone"):
        clone(model).fit(X, y, sample_weight=np.ones(4))
    clone(model).fit(X, y, sample_weight=None)
    with pytest.raises(TypeError, match="toarray"):
        clone(model).fit(sparse.csr_matrix(X), y)


@pytest.mark.parametrize("model", MODELS[1:], ids=lambda model: type(model).__name__)
def test_calibration_gives_probabilities(model):
    data = mm.load("clusters:n=36,d=3,k=2,seed=1")
    calibrated = CalibratedClassifierCV(make_pipeline(StandardScaler(), clone(model)), cv=2).fit(data.X, data.y)
    probability = calibrated.predict_proba(data.X)
    assert probability.shape == (36, 2) and ((probability >= 0) & (probability <= 1)).all()


def test_registered_features_reach_worker_processes_by_name():
    mm.register(mm.Feature("people-leaky", 1, 1.0, -0.2))
    data = mm.load("clusters:n=24,d=3,k=2,seed=1")
    search = GridSearchCV(
        mm.KernelMaxMarginClassifier(feature="people-leaky"), {"nu": [0.3, 0.6]}, cv=2, n_jobs=2, error_score="raise"
    )
    assert search.fit(data.X, data.y).best_estimator_.margin_ > 0.0
