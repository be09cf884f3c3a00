"""The master over many points: an LP on some of them has the optimum of the LP on all, whatever is left out first."""

import numpy as np
import pytest

from maxmargin.errors import SolverError
from maxmargin.solvers.master import Master
from maxmargin.solvers.sifting import SiftedMaster

N, K = 2_000, 60


def columns(seed=0):
    """What K random neurons contribute to the margins of N points, some of them much larger than others."""
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((K, N)) + 3.0) * np.exp(rng.standard_normal(N)), np.where(
        rng.random(N) < 0.3, 1.0, -1.0
    )


@pytest.mark.parametrize("cap", [1.0, 1.0 / (0.1 * N)])
def test_the_optimum_is_that_of_all_points(cap):
    H, y = columns()
    sizes = np.abs(H).max(axis=0)
    whole, sifted = Master(N, cap, sizes), SiftedMaster(y, cap, sizes)
    whole.add(H)
    sifted.add(H)
    wanted, found = whole.solve(), sifted.solve()
    assert len(sifted.inside) < N / 2
    assert found.value == pytest.approx(wanted.value, rel=1e-8)  # HiGHS' tolerance is 1e-10 in the unit of the margin
    assert found.margin == pytest.approx(wanted.margin, rel=1e-8)
    assert found.p.sum() == pytest.approx(1.0) and found.p.max() <= cap * (1.0 + 1e-12)


def test_both_ends_hold_over_all_points_when_it_stops_early():
    H, y = columns(1)
    sifted = SiftedMaster(y, 1.0, np.ones(N))
    sifted.add(H)
    rough = sifted.solve(enough=0.5)
    assert rough.margin == pytest.approx((rough.weights @ H).min(), abs=1e-15)
    assert rough.value == pytest.approx((H @ rough.p).max(), abs=1e-15)
    exact = sifted.solve()
    assert rough.margin <= exact.margin * (1 + 1e-9) <= rough.value * (1 + 2e-9)


def test_columns_and_points_come_and_go():
    H, y = columns(2)
    sifted, whole = SiftedMaster(y, 1.0, np.ones(N)), Master(N)
    kept = np.arange(0)
    for part in np.array_split(np.arange(K), 4):
        sifted.add(H[part])
        whole.add(H[part])
        kept = np.append(kept, part)
        found = sifted.solve()
        assert found.value == pytest.approx(whole.solve().value, rel=1e-8)
        before = len(sifted.inside)
        left = sifted.drop(np.flatnonzero(H[kept] @ found.p > 0.9 * found.value), found)
        kept = kept[left]
        assert sifted.size == len(kept) and len(sifted.inside) <= before
        np.testing.assert_array_equal(sifted.columns, H[kept])
        assert sifted.solve().value == pytest.approx(found.value, rel=1e-8)


def test_refinement_is_that_of_the_points_in_play():
    H, y = columns(3)
    sifted = SiftedMaster(y, 1.0, np.ones(N))
    sifted.add(H)
    refined = sifted.refine(sifted.solve())
    assert abs(refined.value - refined.margin) < 1e-14 * refined.value  # HiGHS alone leaves 1e-10


def test_without_time_for_an_lp_it_says_so():
    H, y = columns()
    sifted = SiftedMaster(y, 1.0, np.ones(N))
    sifted.add(H)
    with pytest.raises(SolverError, match="HiGHS"):
        sifted.solve(time_limit=0.0)
