"""Equal points with opposite labels are found among many others; what lies between the attempts is told too."""

import numpy as np
import pytest

import maxmargin as mm
from maxmargin import atomic
from maxmargin.features import RELU, SQUARED_RELU
from maxmargin.games.opposed_points import ray_pair
from maxmargin.games.variation import equal_pair


@pytest.mark.parametrize("n", [50, 20_000])
@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_one_pair_is_found(n, zero):
    rng = np.random.default_rng(n)
    Z, y = rng.standard_normal((n, 3)), np.where(np.arange(n) % 2, 1.0, -1.0)
    assert equal_pair(Z, y) is None
    Z[17], Z[30] = (1.0, 0.0, 2.0), (1.0, zero, 2.0)
    p = equal_pair(Z, y)
    assert p is not None and np.flatnonzero(p).tolist() == [17, 30] and p.max() == p[17] == 0.5
    y[30] = 1.0
    assert equal_pair(Z, y) is None


def test_points_with_one_combination_are_not_taken_for_equal():
    Z = np.full((4, 2), 1e308)  # every combination overflows or is the same
    Z[:, 0] *= [1.0, 0.9, 0.8, 0.7]
    assert equal_pair(Z, np.array([1.0, -1.0, 1.0, -1.0])) is None
    p = equal_pair(np.vstack([Z, Z[:1]]), np.array([1.0, -1.0, 1.0, -1.0, -1.0]))
    assert p is not None and p.tolist() == [0.5, 0.0, 0.0, 0.0, 0.5]


@pytest.mark.parametrize("D", [2, 3, 7])
@pytest.mark.parametrize("feature", [RELU, SQUARED_RELU], ids=str)
def test_opposite_labels_on_one_ray_have_no_margin_without_a_bias(D, feature):
    """f(3 z) = 3^k f(z), so that one of the two margins is <= 0; among 1,000 points it is found at once."""
    rng = np.random.default_rng(D)
    Z, y = rng.standard_normal((1000, D)), np.where(np.arange(1000) % 2, 1.0, -1.0)
    assert ray_pair(Z, y, feature) is None
    Z[8], Z[15] = np.arange(1.0, D + 1.0), 3.0 * np.arange(1.0, D + 1.0)
    p = ray_pair(Z, y, feature)
    k = feature.degree
    assert p is not None and np.flatnonzero(p).tolist() == [8, 15]
    assert p[[8, 15]] == pytest.approx([3.0**k / (1.0 + 3.0**k), 1.0 / (1.0 + 3.0**k)], rel=1e-15)
    found = mm.max_margin((Z, y), feature=feature, bias=False)
    assert found.status == "not-separable" and found.lower == 0.0 and found.upper < 1e-14 and found.iterations == 0
    assert ray_pair(Z, np.abs(y), feature) is None
    Z[15] *= -1.0  # the antipode is on the line, not on the ray
    assert ray_pair(Z, y, feature) is None
    Z[15, 0] *= -1.0 - 1e-15
    assert ray_pair(Z, y, feature) is None


def test_an_input_of_zero_has_no_margin_without_a_bias():
    Z, y = np.array([[1.0, 2.0], [0.0, 0.0], [2.0, 1.0]]), np.array([1.0, -1.0, -1.0])
    p = ray_pair(Z, y, RELU)
    assert p is not None and p.tolist() == [0.0, 1.0, 0.0]
    assert mm.max_margin((Z, y), bias=False).status == "not-separable"
    assert mm.max_margin((Z, y)).status == "certified"


def test_the_document_is_what_its_text_says():
    document = {
        "a": np.array([1.0, np.inf]),
        "b": [np.float64(2.0), {"c": np.arange(3)}],
        "d": (None, True, "x", -np.inf),
    }
    assert atomic.plain(document) == atomic.loads(atomic.dumps(document))
    for value in (float("nan"), np.array([0.0, np.nan])):
        with pytest.raises(ValueError, match="JSON"):
            atomic.plain({"a": value})


def test_attempts_add_up_to_the_wall_time():
    found = mm.max_margin("clusters:n=50000,d=3,k=4,seed=1", self_check=False)
    told = sum(attempt.seconds for attempt in found.attempts)
    assert found.seconds - told <= max(0.1, 0.1 * found.seconds)  # below a tenth of a second nobody looks
