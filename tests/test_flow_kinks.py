"""Neurons that slide along kinks: Filippov's velocity, solved for inside the step."""

from __future__ import annotations

import numpy as np
import pytest

import maxmargin as mm
from maxmargin.features import RELU
from maxmargin.flow.both_layers import BothLayers
from maxmargin.flow.implicit import proximal_adversary
from maxmargin.flow.kinks import Kinks, Pull, _descend, _orthonormal, hyperbolic, settled, slide
from maxmargin.flow.loss import Loss


def pull_of(A, b, Z, q, eta):
    G = (((Z @ A.T) > 0) * q[:, None]).T @ Z
    return Pull(G, hyperbolic(A, b, G, eta)[0], Z, q, np.arange(len(q)), 1.0, Z.shape[1] - 1)


def test_a_neuron_stops_at_a_concave_kink_and_slides_along_it():
    """One point attracts along e1, one repels across the plane of e2: the velocity is the projection on that plane."""
    Z, q = np.array([[1.0, 0.5], [0.0, 1.0]]), np.array([1.0, -2.0])
    A, b = np.array([[1.0, 0.01]]), np.array([1.0])
    G, kinks = slide(A, pull_of(A, b, Z, q, 0.1), Kinks.none(1, 2), slots=4)
    s, _ = hyperbolic(A, b, G, 0.1)
    end = A + s[:, None] * G
    assert kinks.pairs[0].tolist() == [1] and abs(end[0, 1]) < 1e-3
    # at rest the gate solves  (q1 z1 + mu q2 z2).e2 = 0:  0.5 - 2 mu = 0
    A = np.array([[1.0, 0.0]])
    G, kinks = slide(A, pull_of(A, b, Z, q, 0.1), kinks, slots=4)
    assert kinks.gates[0, 0] == pytest.approx(0.25, abs=1e-4)
    np.testing.assert_allclose(G, [[1.0, 0.0]], atol=1e-3)


def test_a_convex_kink_holds_nobody():
    Z, q = np.array([[1.0, 0.5], [0.0, 1.0]]), np.array([1.0, 2.0])
    A, b = np.array([[1.0, -0.01]]), np.array([1.0])
    pull = pull_of(A, b, Z, q, 0.1)
    G, kinks = slide(A, pull, Kinks.none(1, 2), slots=4)
    assert not len(kinks.neurons)
    np.testing.assert_array_equal(G, pull.G)


def test_dependent_normals_span_no_more_than_they_are():
    """A point, its antipode and a third: rank two, and the third is orthogonalised against the first alone."""
    normals = np.array([[-1.0, -1, 1, -1], [1, 1, -1, 1], [-1, -1, 1, 1]])[:, None, :]
    basis = _orthonormal(normals, rank=3)[0]
    assert np.linalg.matrix_rank(basis) == 2
    np.testing.assert_allclose(basis @ (basis.T @ normals[:, 0].T), normals[:, 0].T, atol=1e-14)


def couplings(rng, neurons, k, D):
    """Distances and couplings (neurons, k), (neurons, k, k) of random kinks with random weights."""
    normals, way = rng.standard_normal((neurons, k, D)), rng.exponential(size=(neurons, k))
    return rng.standard_normal((neurons, k)), normals @ normals.transpose(0, 2, 1) * way[:, None, :]


@pytest.mark.parametrize("k, D, worst", [(1, 3, 1e-6), (4, 6, 1e-6), (8, 3, 0.03)])
def test_settled_gates_are_optimal(k, D, worst):
    """Open gates leave a.z_i >= 0, closed ones a.z_i <= 0, those in between a.z_i = 0, and pads stay closed.

    With more kinks than dimensions one neuron in fifty may be left to the descent, which stops after 30 sweeps.
    """
    rng = np.random.default_rng(k)
    closed, coupling = couplings(rng, 300, k, D)
    valid = rng.random(closed.shape) < 0.8
    coupling = np.where(valid[:, None, :], coupling, 0.0)
    gates = settled(closed, coupling, rng.choice([0.0, 0.3, 1.0], closed.shape), valid)
    assert np.all((gates >= 0) & (gates <= 1)) and not gates[~valid].any()
    x = closed - np.einsum("jkl,jl->jk", coupling, gates)
    wrong = np.maximum(np.where(gates < 1, x, 0.0), np.where(gates > 0, -x, 0.0))
    share = np.where(valid, wrong, 0.0) / np.where(valid, np.einsum("jkk->jk", coupling), 1.0)
    assert share.max() < worst and np.mean(share.max(axis=1) > 1e-6) < 0.04


def test_where_the_active_set_has_not_settled_descent_takes_over(monkeypatch):
    closed, coupling = couplings(np.random.default_rng(0), 50, 5, 9)
    valid, start = np.full(closed.shape, True), np.zeros(closed.shape)
    expected = settled(closed, coupling, start, valid)
    monkeypatch.setattr("maxmargin.flow.kinks._ROUNDS", 1)
    monkeypatch.setattr("maxmargin.flow.kinks._SWEEPS", 10_000)
    monkeypatch.setattr("maxmargin.flow.kinks._SETTLED", 1e-12)
    np.testing.assert_allclose(settled(closed, coupling, start, valid), expected, atol=1e-6)
    np.testing.assert_allclose(_descend(closed, coupling, start.copy()), expected, atol=1e-6)


@pytest.mark.parametrize("name", ["parity:d=4", "xor", "polygon:k=4"])
def test_a_short_step_moves_little_from_anywhere(name):
    """No jump is left as the step shrinks, also where antipodal points make normals dependent."""
    data, loss, rng = mm.load(name), Loss("exp"), np.random.default_rng(0)
    Z = data.inputs(False)
    dynamics = BothLayers(Z, data.y, (rng.standard_normal((60, Z.shape[1])), rng.standard_normal(60)), RELU, "float64")
    for _ in range(200):
        u, everything = dynamics.outputs(), np.arange(len(data.y))
        K = dynamics.tangent_kernel(everything)
        dynamics.ascend(proximal_adversary(0.2 * K, loss.linearise(u)))
        dynamics.flow(0.2)
    for eta in (1e-4, 1e-6):
        u = dynamics.outputs()
        K = dynamics.tangent_kernel(everything)
        p = proximal_adversary(eta * K, loss.linearise(u))
        state = dynamics.state()
        dynamics.ascend(p)
        assert dynamics.flow(eta) < 100.0 * eta
        moved, predicted = dynamics.outputs() - u, eta * (K @ p)
        assert np.abs(moved - predicted).max() <= 0.05 * np.abs(predicted).max()
        dynamics.restore(state)


def test_balance_is_conserved_on_kinks():
    """|a_j|^2 - b_j^2 does not change along the flow (Lemma 26), at rest on kinks either."""
    data = mm.load("clusters:n=60,d=3,k=3,seed=2")
    run = mm.train(data, width=100, steps=80, schedule="flow", init="balanced", seed=0)
    a, b = np.linalg.norm(run.network.hidden, axis=1), np.abs(run.network.output)
    np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-7 * b.max())


@pytest.mark.parametrize("seed", [40, 41])
def test_the_flow_reaches_its_limit_and_proves_it(seed):
    """300 steps: 99 % of gamma_1 is attained, and the run's own weights prove that no more than 1.05 is possible."""
    data = mm.load(f"clusters:n=80,d=3,k=3,seed={seed}")
    limit = mm.max_margin(data)
    run = mm.train(data, steps=300, schedule="flow", init="gaussian:60", certify_every=300, seed=0)
    assert 0.99 * limit.upper <= run.margin_best <= limit.upper <= run.upper <= 1.05 * limit.upper
