"""The restricted master: linear programs built backwards from a chosen optimum, and what must not go wrong."""

import numpy as np
import pytest

from maxmargin.errors import SolverError
from maxmargin.solvers.master import Master, evaluate
from maxmargin.solvers.polish import polish


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
    solution = polish(H, master.solve())
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


def test_polish_never_loses():
    H = np.random.default_rng(3).standard_normal((40, 15)) + 0.4
    master = Master(15)
    master.add(H)
    exact = master.solve()
    noise = np.random.default_rng(4)
    p = np.maximum(exact.p + 1e-7 * noise.standard_normal(15) * (exact.p > 0), 0)
    rough = evaluate(H, p / p.sum(), exact.weights)
    refined = polish(H, rough)
    assert refined.value <= rough.value
    assert refined.margin >= rough.margin
    assert refined.value - refined.margin < 1e-13


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
