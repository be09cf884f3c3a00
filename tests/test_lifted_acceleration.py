"""Anderson acceleration of a fixed-point map: exact on linear maps of few dimensions, the same with threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from maxmargin.oracles.lifted import splitting
from maxmargin.oracles.lifted.splitting import Anderson


def run(memory, interval, calls, *, size=12, rank=3, pool=None, dtype=np.float64):
    """Distances to the fixed point 0 of x -> x - A x, where A has `rank` eigenvalues in (0, 1), the others 1."""
    rng = np.random.default_rng(0)
    levels = np.concatenate([np.geomspace(0.05, 0.3, rank), np.ones(size - rank)])
    x = rng.normal(size=size).astype(dtype)
    acceleration, path = Anderson(memory, interval, pool), []
    for _ in range(calls):
        acceleration.advance(x, (-levels * x).astype(dtype))
        path.append(x.copy())
    return np.array(path)


def test_a_linear_map_that_is_slow_in_three_directions_is_solved_by_three_differences():
    """After the first step only the slow directions are left; four differences span them and the step itself."""
    slow, fast = run(0, 1, 8), run(5, 1, 8)
    assert np.linalg.norm(slow[-1]) > 0.05
    assert np.linalg.norm(fast[-1]) < 1e-3 * np.linalg.norm(slow[-1])


def test_without_memory_and_between_two_calls_it_is_the_map_itself():
    assert np.array_equal(run(0, 1, 4), run(5, 5, 4))
    levels = np.concatenate([np.geomspace(0.05, 0.3, 3), np.ones(9)])
    start = np.random.default_rng(0).normal(size=12)
    np.testing.assert_allclose(run(0, 1, 4)[-1], (1.0 - levels) ** 4 * start, atol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_threads_do_not_change_a_byte(dtype, monkeypatch):
    monkeypatch.setattr(splitting, "LONG", 100)
    alone = run(5, 2, 20, size=1001, dtype=dtype)
    with ThreadPoolExecutor(2) as pool:
        assert run(5, 2, 20, size=1001, pool=pool, dtype=dtype).tobytes() == alone.tobytes()


def test_it_starts_again_after_a_step_that_is_much_longer_than_the_shortest():
    acceleration, x = Anderson(3, 1), np.zeros(2)
    for size in (1.0, 0.5, 0.4):
        acceleration.advance(x, np.array([size, -size]))
    assert acceleration._count == 2
    acceleration.advance(x, np.array([1.0, 1.0]))  # 2.5 times the shortest
    assert acceleration._count == 0
