"""The exact kernel solver on random, degenerate and badly conditioned games: independent routes, KKT, symmetries."""

import numpy as np
import pytest

import maxmargin as mm
from maxmargin.games.rkhs import KernelExpansion, KernelGame, network_game
from maxmargin.outcome import Reason
from maxmargin.solvers import affine_hull
from maxmargin.solvers.min_norm_point import min_norm_point, nnls_point


def certified(game, propose=min_norm_point):
    proposal = propose(game.K, game.y)
    return proposal, game.certify(proposal.learner, proposal.p)


def data(kind, rng):
    """Random points with a bias coordinate: (Z, y)."""
    n, D = int(rng.integers(2, 601)), int(rng.integers(2, 31))
    X = rng.normal(size=(n, D - 1))
    y = np.where(rng.random(n) < 0.5, -1.0, 1.0)
    if kind == "separated":
        y = np.where(X[:, 0] > 0, 1.0, -1.0)
        X[:, 0] += 0.3 * y
    if kind == "near-duplicates":
        half = n // 2 + 1
        noise = 10.0 ** -rng.integers(2, 8) * rng.normal(size=(half, D - 1))
        X, y = np.vstack([X[:half], X[:half] + noise]), np.tile(np.where(X[:half, 0] > 0, 1.0, -1.0), 2)
    if kind == "duplicates":
        X = np.round(X)
        y = np.where(X @ rng.normal(size=D - 1) > 0.1, 1.0, -1.0)
    return np.hstack([X, np.ones((len(X), 1))]), y


@pytest.mark.parametrize("kind", ["random", "separated", "near-duplicates", "duplicates"])
@pytest.mark.parametrize("norm", ["f2", "ntk"])
def test_two_hundred_data_sets(kind, norm):
    rng = np.random.default_rng(sum(map(ord, kind + norm)))
    for _ in range(25):
        Z, y = data(kind, rng)
        assert mm.max_margin((Z, y), norm=norm, bias=False, tol=1e-10).relative_gap <= 1e-10


def test_condition_1e12():
    rng = np.random.default_rng(12)
    conditions = []
    for exponent in (3, 4, 5, 6):
        X = rng.normal(size=(150, 9))
        X = np.vstack([X, X + 10.0**-exponent * rng.normal(size=X.shape)])
        game = network_game("f2", "relu", np.c_[X, np.ones(300)], np.tile(np.where(X[:150, 0] > 0, 1.0, -1.0), 2))
        conditions.append(np.linalg.cond(np.asarray(game.K)))
        assert certified(game)[1].relative_gap <= 1e-10
    assert max(conditions) > 1e12


def test_solution_built_backwards():
    """Choose p* and level: M = level 1 on its support and above elsewhere, then Q = the Gram matrix of such points."""
    rng = np.random.default_rng(5)
    for support in (1, 3, 8):
        p = np.zeros(12)
        p[:support] = rng.dirichlet(np.ones(support))
        w = np.append(0.3, np.zeros(10))  # the least-norm point
        points = rng.normal(size=(12, 11))
        points[:, 0] = 0.3 + np.where(p > 0, 0.0, rng.exponential(size=12))
        points[:support, 1:] -= p[:support] @ points[:support, 1:]  # so that p* averages to w
        y = np.where(rng.random(12) < 0.5, -1.0, 1.0)
        proposal, bracket = certified(KernelGame(points @ points.T * np.outer(y, y), y))
        assert bracket.lower == pytest.approx(np.linalg.norm(w), rel=1e-12)
        np.testing.assert_allclose(proposal.p, p, atol=1e-10)


def test_kkt_conditions():
    game = network_game("f2", "relu", *data("random", np.random.default_rng(9)))
    proposal, bracket = certified(game)
    Q = np.asarray(game.K) * np.outer(game.y, game.y)
    margins, level = Q @ proposal.p, proposal.p @ Q @ proposal.p
    assert proposal.p.min() >= 0 and proposal.p.sum() == pytest.approx(1, abs=1e-14)
    np.testing.assert_allclose(margins[proposal.p > 0], level, rtol=1e-8)
    assert margins.min() >= level * (1 - 1e-8)
    assert game.norm(proposal.learner) == pytest.approx(game.scale, rel=1e-9)


def test_nnls_agrees_within_the_gaps():
    rng = np.random.default_rng(3)
    for kind in ("random", "separated", "near-duplicates", "duplicates"):
        Z, y = data(kind, rng)
        game = network_game("f2", "relu", Z[:150], y[:150])
        ours, theirs = certified(game)[1], certified(game, nnls_point)[1]
        assert ours.lower <= theirs.upper and theirs.lower <= ours.upper
        assert theirs.relative_gap < 1e-4


def test_conic_solver_agrees_within_the_gaps():
    from maxmargin.solvers import conic

    Z, y = data("separated", np.random.default_rng(4))
    game = network_game("f2", "relu", Z[:80], y[:80])
    solution = conic.solve(conic.kernel_program(np.asarray(game.K), game.y), "clarabel")
    p = solution.dual / solution.dual.sum()
    theirs, ours = game.certify(KernelExpansion(solution.variable), p), certified(game)[1]
    assert ours.lower <= theirs.upper and theirs.lower <= ours.upper
    assert theirs.relative_gap < 1e-5


@pytest.mark.parametrize("scale", [1e-150, 1e-20, 3.0, 1e150])
def test_scale_equivariance(scale):
    Z, y = data("random", np.random.default_rng(6))
    for norm, feature, degree in (("f2", "relu", 1), ("ntk", "relu", 1), ("f2", "squared-relu", 2)):
        if degree == 2 and not 1e-100 < scale < 1e100:
            continue  # the margin itself would leave the range of floats
        reference = certified(network_game(norm, feature, Z, y))[1]
        scaled = certified(network_game(norm, feature, scale * Z, y))[1]
        assert scaled.upper == pytest.approx(scale**degree * reference.upper, rel=1e-7)
        assert scaled.relative_gap < 1e-7


def test_stored_gram_matrices_at_extreme_scales():
    Z, y = data("separated", np.random.default_rng(7))
    K = np.asarray(network_game("f2", "relu", Z[:60], y[:60]).K)
    reference = certified(KernelGame(K, y[:60]))[1]
    for scale in (1e-280, 1e280):
        bracket = certified(KernelGame(scale * K, y[:60]))[1]
        assert bracket.upper == pytest.approx(np.sqrt(scale) * reference.upper, rel=1e-9)
        assert bracket.relative_gap < 1e-9


def test_order_of_points_does_not_matter():
    rng = np.random.default_rng(8)
    Z, y = data("duplicates", rng)
    order = rng.permutation(len(y))
    first, second = (certified(network_game("f2", "relu", Z[i], y[i]))[1] for i in (np.arange(len(y)), order))
    assert first.lower <= second.upper and second.lower <= first.upper


def test_duplicating_changes_nothing_and_adding_points_never_helps():
    Z, y = data("random", np.random.default_rng(10))
    all_points = certified(network_game("f2", "relu", Z, y))[1]
    twice = certified(network_game("f2", "relu", np.vstack([Z, Z]), np.tile(y, 2)))[1]
    fewer = certified(network_game("f2", "relu", Z[::2], y[::2]))[1]
    assert twice.upper == pytest.approx(all_points.upper, rel=1e-8)
    assert fewer.upper >= all_points.lower


def test_contradicting_labels_are_not_separable():
    Z = np.array([[0.3, 1.0], [0.3, 1.0], [2.0, 1.0]])
    for norm in ("f2", "ntk"):
        game = network_game(norm, "relu", Z, np.array([1.0, -1.0, 1.0]))
        proposal, bracket = certified(game)
        assert bracket.lower == 0.0
        assert bracket.upper <= 1e-7 * game.size(proposal.p)
        np.testing.assert_allclose(proposal.p, [0.5, 0.5, 0.0], atol=1e-6)


def test_time_limit_still_returns_a_valid_pair():
    game = network_game("f2", "relu", *data("random", np.random.default_rng(11)))
    proposal = min_norm_point(game.K, game.y, time_limit=0.0)
    assert proposal.reason is Reason.INTERRUPTED
    bracket = game.certify(proposal.learner, proposal.p)
    assert bracket.lower <= certified(game)[1].upper <= bracket.upper


@pytest.mark.parametrize("rank", [40, 7])
def test_the_hull_is_the_same_in_blocks_and_of_a_part(monkeypatch, rank):
    """Blocks change no operation; the part of a matrix is a matrix."""
    rng = np.random.default_rng(rank)
    X = rng.standard_normal((30, rank))
    Q, some = X @ X.T, rng.random(30) < 0.6
    whole = affine_hull.AffineHull(Q[np.ix_(some, some)])
    part = affine_hull.AffineHull(Q, some)
    np.testing.assert_array_equal(part.minimiser(), whole.minimiser())
    monkeypatch.setattr(affine_hull, "_BLOCK", 50)
    blocks = affine_hull.AffineHull(Q, some)
    np.testing.assert_array_equal(blocks.minimiser(), whole.minimiser())
    np.testing.assert_allclose(blocks.refined(), whole.refined(), rtol=1e-12)  # sums of other lengths
    if rank == 40:
        margins = Q[np.ix_(some, some)] @ blocks.refined()
        assert np.ptp(margins) < 1e-12 * margins.mean()
