"""Memory is estimated before it is spent: a clear sentence instead of a killed process."""

import numpy as np
import pytest

from maxmargin import memory
from maxmargin.errors import InputError
from maxmargin.features.kernels import arc_cosine
from maxmargin.games.rkhs import network_game
from maxmargin.solvers.min_norm_point import min_norm_point, nnls_point


def test_refusals_name_the_size_and_a_remedy(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 1000.0)
    game = network_game("f2", "relu", np.random.default_rng(0).normal(size=(50, 3)), np.ones(50))
    for call in (lambda: arc_cosine(np.ones((50, 3))), lambda: np.asarray(game.K), lambda: nnls_point(game.K, game.y)):
        with pytest.raises(InputError, match="memory: .* GiB available; use"):
            call()


def test_rows_on_demand_need_no_square_of_n():
    """20,000 points, whose Gram matrix would take 3.2 GB, certified in a fraction of that."""
    import tracemalloc

    rng = np.random.default_rng(1)
    X = rng.normal(size=(20_000, 2))
    y = np.where(X[:, 0] > 0, 1.0, -1.0)
    X[:, 0] += y
    game = network_game("f2", "relu", np.c_[X, np.ones(len(X))], y)
    tracemalloc.start()
    proposal = min_norm_point(game.K, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8e8
    assert proposal.p.min() >= 0
