"""Equal points with opposite labels are found among many others; what lies between the attempts is told too."""

import numpy as np
import pytest

import maxmargin as mm
from maxmargin import atomic
from maxmargin.margins.f1 import _opposed


@pytest.mark.parametrize("n", [50, 20_000])
@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_one_pair_is_found(n, zero):
    rng = np.random.default_rng(n)
    Z, y = rng.standard_normal((n, 3)), np.where(np.arange(n) % 2, 1.0, -1.0)
    assert _opposed(Z, y) is None
    Z[17], Z[30] = (1.0, 0.0, 2.0), (1.0, zero, 2.0)
    assert _opposed(Z, y) == (30, 17)
    y[30] = 1.0
    assert _opposed(Z, y) is None


def test_points_with_one_combination_are_not_taken_for_equal():
    Z = np.full((4, 2), 1e308)  # every combination overflows or is the same
    Z[:, 0] *= [1.0, 0.9, 0.8, 0.7]
    assert _opposed(Z, np.array([1.0, -1.0, 1.0, -1.0])) is None
    assert _opposed(np.vstack([Z, Z[:1]]), np.array([1.0, -1.0, 1.0, -1.0, -1.0])) == (4, 0)


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
