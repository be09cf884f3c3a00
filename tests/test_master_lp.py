"""The restricted master: linear programs built backwards from a chosen optimum, and what must not go wrong."""

import numpy as np
import pytest

import maxmargin as mm
from maxmargin.errors import SolverError
from maxmargin.solvers import lp_refinement
from maxmargin.solvers.master import Master


def game_with_known_value(seed, n, K, support, gamma):
    """Columns (K, n) whose game has value gamma at a chosen (p, w) with complementary supports.

    Inside the supports, w'B = gamma and B p = gamma; every other column pays less, every other point has more margin.
    """
    rng = np.random.default_rng(seed)
    p, w = np.zeros(n), np.zeros(K)
    p[:support], w[:support] = rng.dirichlet(np.ones(support)), rng.dirichlet(np.ones(support))
    R = rng.standard_normal((support, support))
    row, column = w[:support] @ R, R @ p[:support]
    H = rng.standard_normal((K, n))
    H[:support, :support] = R - row - column[:, None] + row @ p[:support] + gamma
    outside = H[support:, :support] @ p[:support]
    H[support:, :support] -= (outside - gamma + 0.3 * (1 + rng.random(K - support)))[:, None]
    outside = w[:support] @ H[:support, support:]
    H[:support, support:] -= outside - gamma - 0.3 * (1 + rng.random(n - support))
    return H, p, w


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("gamma", [0.5, 1e-3, 1e-6])
def test_a_chosen_optimum_is_found(seed, gamma):
    H, p, w = game_with_known_value(seed, n=30, K=80, support=7, gamma=gamma)
    master = Master(30)
    master.add(H)
    solution = master.refine(master.solve())
    assert solution.value == pytest.approx(gamma, abs=1e-12)
    assert solution.margin == pytest.approx(gamma, abs=1e-12)
    np.testing.assert_allclose(solution.p, p, atol=1e-8)
    np.testing.assert_allclose(solution.weights, w, atol=1e-8)


def test_values_bracket_and_grow_as_columns_come_in():
    H = np.random.default_rng(0).standard_normal((120, 25)) + 0.2
    master, last = Master(25), -np.inf
    for k in range(0, 120, 20):
        master.add(H[k : k + 20])
        solution = master.solve()
        assert solution.margin <= solution.value + 1e-15
        assert solution.value - solution.margin < 1e-9
        assert solution.value >= last - 1e-9
        last = solution.value


def test_shrinking_to_the_active_columns_changes_nothing():
    H = np.random.default_rng(1).standard_normal((90, 20)) + 0.3
    master = Master(20)
    master.add(H)
    before = master.solve()
    master.shrink(np.flatnonzero(H @ before.p > before.value - 0.2))
    after = master.solve()
    assert after.value == pytest.approx(before.value, rel=1e-9)
    assert len(after.weights) == master.size < 90


def test_the_solution_is_basic():
    H = np.random.default_rng(2).standard_normal((500, 12)) + 0.3
    master = Master(12)
    master.add(H)
    assert np.count_nonzero(master.solve().weights) <= 13


@pytest.mark.parametrize("seed", range(6))
def test_refinement_never_loses_and_leaves_no_gap(seed):
    """Value and margin enclose the game's value; HiGHS' 1e-10 is not the end."""
    H = np.random.default_rng(seed).standard_normal((60, 15)) + 0.4
    master = Master(15)
    master.add(H)
    rough = master.solve()
    refined = master.refine(rough)
    assert refined.value <= rough.value + 1e-16
    assert refined.margin >= rough.margin - 1e-16
    assert -1e-15 <= refined.value - refined.margin < 1e-14


@pytest.mark.parametrize("ratio", [1e3, 1e6, 1e12])
def test_points_of_very_different_sizes(ratio):
    """Neuron k sees point k alone, which is ratio^k times as large: gamma = 1/sum_k ratio^-k, p_k ~ w_k ~ ratio^-k."""
    sizes = ratio ** np.arange(3.0)
    master = Master(3, sizes=sizes)
    master.add(np.diag(sizes))
    solution = master.refine(master.solve())
    gamma = 1.0 / (1.0 / sizes).sum()
    assert solution.value == pytest.approx(gamma, rel=1e-14)
    assert solution.margin == pytest.approx(gamma, rel=1e-14)
    np.testing.assert_allclose(solution.weights * sizes, gamma, rtol=1e-12)


def test_large_terms_that_cancel_survive_the_rounding_of_the_weights():
    """Two neurons +-1e6 on the second point: its margin is a difference of 1e6-fold terms, which u would spoil."""
    H = np.array([[1.0, 1e12], [1.0, -0.7e12]])
    master = Master(2, sizes=np.array([1.0, 1e12]))
    master.add(H)
    solution = master.refine(master.solve())
    assert solution.margin == pytest.approx(1.0, rel=1e-12)
    assert solution.value == pytest.approx(1.0, rel=1e-12)


def test_refinement_after_columns_were_forgotten():
    H = np.random.default_rng(2).standard_normal((90, 20)) + 0.3
    master = Master(20)
    master.add(H)
    solution = master.solve()
    kept = np.flatnonzero(H @ solution.p > solution.value - 0.2)
    master.shrink(kept)
    refined = master.refine(solution._replace(weights=solution.weights[kept]))
    assert refined.value - refined.margin < 1e-14
    assert refined.value == pytest.approx(solution.value, rel=1e-9)


def test_the_model_is_as_before_after_a_refinement():
    """Columns added after a refinement meet the original costs and bounds."""
    H = np.random.default_rng(1).standard_normal((90, 20)) + 0.3
    once, twice = Master(20), Master(20)
    once.add(H)
    twice.add(H[:45])
    twice.refine(twice.solve())
    twice.add(H[45:])
    assert twice.solve().value == pytest.approx(once.solve().value, rel=1e-8)


def test_nothing_to_solve_is_an_error():
    with pytest.raises(SolverError, match="no columns"):
        Master(3).solve()


def test_no_time_is_an_error_and_nothing_is_printed(capfd):
    H = np.random.default_rng(5).standard_normal((2000, 200))
    master = Master(200)
    master.add(H)
    with pytest.raises(SolverError, match="Time limit"):
        master.solve(time_limit=0.0)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("factor", [1e20, 1e28])
def test_columns_that_dwarf_all_known_ones_begin_a_new_unit(factor):
    """HiGHS takes no entries above 1e15: the first neurons may be paid nothing beside those found later."""
    rng = np.random.default_rng(0)
    small, large = rng.random((3, 4)), rng.random((5, 4)) + 0.1
    master = Master(4)
    master.add(small / factor)
    master.solve()
    master.add(large)
    found = master.solve()
    fresh = Master(4)
    fresh.add(large)
    wanted = fresh.solve()
    assert found.margin == pytest.approx(wanted.margin, rel=1e-9) and found.value == pytest.approx(
        wanted.value, rel=1e-9
    )


def test_the_inverse_of_a_refinement_has_zeros_where_a_row_or_column_is_empty():
    """A column that pays nothing, or a point whose payoffs vanish, of any size beside the others."""
    M = np.array([[1.0, 0.0, 2.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1e-9]])
    inverse = lp_refinement._inverse(M)
    assert not inverse[1].any()
    assert not inverse[:, 1].any()
    kept = np.ix_([0, 2], [0, 2])
    np.testing.assert_allclose(inverse[kept], np.linalg.inv(M[kept]), atol=1e-12)


def test_payoffs_that_vanish_beside_others_are_refined_to_a_bracket():
    """Squares of points of size 1e7 and 1e-9: in the restricted program of some round a row is zero."""
    X = np.array(
        [
            [1679.5138956840287, -382.5244729975376],
            [6.41700030897464e-09, -1.5078658274309653e-09],
            [-0.004475365783688679, 0.19971484562132064],
            [-2.0002174356398827e-09, -8.268146699274019e-09],
            [-14045426.552057132, 5059828.593414429],
            [-0.2716462048229587, 3.7107272824960176],
            [-6457636.959305681, -2305859.4909332506],
            [1.3128838846102568, -3.522430506626795],
        ]
    )
    y = np.array([1.0, -1.0, -1.0, -1.0, -1.0, 1.0, -1.0, 1.0])
    uneven = mm.Feature("test-uneven-square", 2, 1.0, -0.7158539183998711)
    certificate = mm.max_margin((X, y), feature=uneven, bias=False, convention="path", max_rounds=25)
    assert 0.0 < certificate.lower <= certificate.upper < 1e-18
    assert mm.check_certificate(certificate.to_json(), X, y).holds
