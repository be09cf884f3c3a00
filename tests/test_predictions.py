"""A classifier predicts what was certified: sums that cancel are made in the arithmetic that the margin needs."""

import numpy as np
import pytest

import maxmargin as mm
from maxmargin.features import RELU
from maxmargin.features.kernels import Kernel
from maxmargin.games.measure import Measure
from maxmargin.games.rkhs import KernelExpansion
from maxmargin.games.values import kernel_values, measure_values

FAR = np.array([[1e5, 0.0], [1e5, 1.0], [2e5, 0.0], [2e5, 1.0]]), np.array([0, 1, 1, 0])


def column(median, seed=0):
    """A standard normal column beside a log-normal one in raw units, with random labels."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.standard_normal(60), median * np.exp(0.5 * rng.standard_normal(60))])
    return X, rng.random(60) < 0.5


def near(distance):
    X = np.random.default_rng(3).random((12, 1))
    y = X[:, 0] > 0.5
    return np.r_[X, X[:1] + distance], np.r_[y, ~y[:1]]


CASES = {"salary": column(1e5), "bytes": column(1e9), "near": near(1e-9), "nearer": near(2e-16), "far": FAR}


@pytest.mark.parametrize("kernel", ["f2", "ntk"])
@pytest.mark.parametrize("name", CASES)
def test_kernel_classifiers_predict_what_they_certified(name, kernel):
    X, y = CASES[name]
    model = mm.KernelMaxMarginClassifier(kernel).fit(X, y)
    assert model.nu_ is None and model.margin_ > 0.0
    assert model.score(X, y) == 1.0
    margins = np.where(y, 1.0, -1.0) * model.decision_function(X)
    assert margins.min() == pytest.approx(model.margin_, rel=2e-6)
    assert (model.certificate_.decision_function(X) > 0).tolist() == y.astype(bool).tolist()


@pytest.mark.parametrize("name", ["salary", "bytes", "near"])
def test_variation_classifiers_predict_what_they_certified(name):
    X, y = CASES[name]
    model = mm.VariationMaxMarginClassifier().fit(X, y)
    assert model.nu_ is None and model.score(X, y) == 1.0


def test_values_far_from_the_training_points_and_one_at_a_time():
    X, y = CASES["bytes"]
    model = mm.KernelMaxMarginClassifier().fit(X, y)
    new = np.concatenate([X[:3] * [1.0, 1.001], [[0.0, 0.0], [3.0, -1e12]]])
    together = model.decision_function(new)
    assert together.tolist() == [float(model.decision_function(row[None])[0]) for row in new]


def test_coefficients_count_with_all_their_parts():
    """A coefficient and its further parts may cancel exactly; a single one gives the kernel itself."""
    training, z = np.array([[0.3, 1.0], [0.3 + 1e-9, 1.0]]), np.array([[0.2, 1.0]])
    relu = Kernel(RELU)
    single = kernel_values(relu, KernelExpansion([1.0, 0.0]), training, z, 0.0)
    assert single[0] == pytest.approx(float(relu(z, training[:1])[0, 0]), rel=1e-14)
    cancelled = KernelExpansion([1.0, 0.0], np.array([[-1.0, 0.0]]))
    assert kernel_values(relu, cancelled, training, z, 0.0)[0] == 0.0
    assert kernel_values(relu, KernelExpansion([0.0, 0.0]), training, z, 0.0)[0] == 0.0


def test_an_f1_value_that_doubles_lose():
    measure = Measure([[0.6, 0.8], [0.6, 0.8], [1.0, 0.0]], [1.0, -1.0, 1e-18])
    Z = np.array([[1e5, 1.0]])
    assert measure_values(measure, Z, RELU, 0.0)[0] == pytest.approx(1e-13, rel=1e-15)


def test_sentences_assert_no_more_than_what_is_proved():
    same = np.array([[0.0], [0.0], [1.0]]), [0, 1, 1]
    proved = mm.KernelMaxMarginClassifier().fit(*same)
    assert "the data are not separable (margin 0)" in proved.status_
    assert mm.KernelMaxMarginClassifier().fit(*FAR).status_.startswith("hard margin; certified")
    X, y = near(2e-16)
    unproved = mm.VariationMaxMarginClassifier().fit(X, y)
    if unproved.nu_ is not None:
        assert "no classifier of positive margin was found" in unproved.status_
        with pytest.raises(mm.InputError, match="no classifier of positive margin was found"):
            mm.VariationMaxMarginClassifier(on_inseparable="error").fit(X, y)


def test_where_rounding_is_the_limit_time_is_not_recommended():
    X, y = near(2e-16)
    certificate = mm.max_margin((X, y), "f2", solver="nnls")
    assert certificate.status.value == "bracketed"
    assert "rescale" in certificate.sentence and "time" not in certificate.sentence
