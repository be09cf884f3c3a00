"""gamma_2 known by hand (docs/theory.rst, closed forms), reached and certified by the min-norm point."""

import numpy as np
import pytest

from maxmargin.features.kernels import arc_cosine
from maxmargin.games.rkhs import KernelGame
from maxmargin.solvers.min_norm_point import min_norm_point


def certified(K, y):
    y = np.asarray(y, dtype=float)
    proposal = min_norm_point(K, y)
    return KernelGame(K, y).certify(proposal.learner, proposal.p)


def test_one_point():
    z = np.array([[0.3, -1.2, 0.5]])
    bracket = certified(arc_cosine(z), [1])
    assert bracket.lower == pytest.approx(np.linalg.norm(z) / np.sqrt(6), rel=1e-14)


@pytest.mark.parametrize("labels", [(1, 1), (1, -1)])
def test_antipodal_points(labels):
    z = np.array([1.0, 2.0])
    bracket = certified(arc_cosine(np.array([z, -z])), labels)
    assert bracket.lower == pytest.approx(np.sqrt(5) / (2 * np.sqrt(2)), rel=1e-13)


def test_xor_with_and_without_bias():
    X = np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])
    y = X[:, 0] * X[:, 1]
    assert certified(arc_cosine(X), y).upper == pytest.approx(np.sqrt((1 - 2 / np.pi) / 8), rel=1e-13)
    assert certified(arc_cosine(np.c_[X, np.ones(4)]), y).upper == pytest.approx(0.143107, abs=5e-7)


def test_odd_polygon_is_not_separable():
    angles = np.arange(6) * np.pi / 3
    bracket = certified(arc_cosine(np.c_[np.cos(angles), np.sin(angles)]), (-1.0) ** np.arange(6))
    assert bracket.lower == 0.0
    assert bracket.upper < 1e-7
