"""Integrators of the continuous flow: orders, invariants, and the long implicit steps against the reference."""

import numpy as np
import pytest

from maxmargin.errors import SolverError
from maxmargin.features import RELU, SQUARED_RELU
from maxmargin.flow import Gaussian, Network, train_flow
from maxmargin.flow.implicit import proximal_adversary
from maxmargin.flow.loss import Loss
from maxmargin.flow.ode import distances_to_widest, trajectory, vector_field, wasserstein
from maxmargin.games.measure import Measure

XOR = np.array([[1.0, 1], [-1, -1], [1, -1], [-1, 1]]), np.array([1.0, 1, -1, -1])


def start(m=12, feature=RELU, seed=0):
    A, b = Gaussian().draw(np.random.default_rng(seed), m, 2)
    return Network(A, np.sign(b) if feature.degree == 2 else b, bias=False, feature=feature)


@pytest.mark.parametrize("feature", [RELU, SQUARED_RELU], ids=lambda f: f.name)
@pytest.mark.parametrize("loss", ["exp", "logistic"])
def test_continuous_flow_conserves_and_ascends(feature, loss):
    Z, y = XOR
    first = start(feature=feature)
    horizon = 0.5 if feature.degree == 1 else 3.0
    path = trajectory(first, Z, y, np.linspace(0.1 * horizon, horizon, 10), loss=loss)
    balance = [np.sum(net.hidden**2, 1) - net.output**2 for net in (first, *path)]
    if feature.degree == 1:
        assert max(np.abs(later - balance[0]).max() for later in balance) < 1e-8
    S = [Loss(loss).evaluate(y * net.outputs(Z))[0] for net in (first, *path)]
    assert (np.diff(S) > 0).all()


@pytest.mark.parametrize("method, order", [("euler", 1), ("heun", 2), ("rk4", 4), ("implicit", 1)])
def test_order_of_convergence(method, order):
    """S-ReLU is smooth, so that each method shows its order against DOP853."""
    Z, y = XOR
    first = start(feature=SQUARED_RELU)
    exact = trajectory(first, Z, y, [0.5], tol=1e-13)[0].hidden
    counts = np.array([16, 32, 64]) if order == 4 else np.array([64, 128, 256])
    errors = [np.abs(trajectory(first, Z, y, [0.5], method=method, steps=k)[0].hidden - exact).max() for k in counts]
    slope = -np.polyfit(np.log(counts), np.log(errors), 1)[0]
    assert slope == pytest.approx(order, abs=0.15 * order)


def test_sliding_along_a_kink_is_told():
    with pytest.raises(SolverError, match="kink"):
        trajectory(start(seed=4), *XOR, [0.1])


def test_implicit_step_is_first_order_for_relu_while_no_kink_is_crossed():
    Z, y = XOR
    first = start(feature=RELU)
    exact = trajectory(first, Z, y, [0.1], tol=1e-12)[0].hidden
    paths = [trajectory(first, Z, y, [0.1], method="implicit", steps=k) for k in (50, 400)]
    errors = [np.abs(path[0].hidden - exact).max() for path in paths]
    assert errors[1] < errors[0] / 6


def test_long_steps_follow_the_flow():
    """The default rule against short Heun steps at the same flow time: within its own tolerance."""
    Z, y = XOR
    first = start(m=40)
    run = train_flow(Z, y, init=first, steps=150, schedule="flow", bias=False)
    times = [row["time"] for row in run.trace if 0.5 < row["time"] < 12][::4]
    reference = trajectory(first, Z, y, times, method="heun", steps=1000)
    rows = [row for row in run.trace if row["time"] in times]
    for row, network in zip(rows, reference, strict=True):
        margin = (y * network.outputs(Z)).min() / network.mass
        assert row["margin"] == pytest.approx(margin, abs=0.02)
        assert row["mass"] == pytest.approx(network.mass, rel=0.15)


def test_proximal_adversary_solves_its_fixed_point():
    rng = np.random.default_rng(0)
    for scale in (1e-3, 1.0, 1e4):
        B = rng.standard_normal((20, 6))
        K, u = scale * B @ B.T, scale * rng.standard_normal(20)
        p = proximal_adversary(K, Loss("exp").linearise(u))
        answer = Loss("exp").evaluate(u + K @ p)[1]
        np.testing.assert_allclose(p, answer, atol=1e-6)


def test_fields_agree_with_the_trainer():
    Z, y = XOR
    first = start(m=5)
    w = np.hstack([first.hidden, first.output[:, None]]).ravel()
    moved = train_flow(Z, y, init=first, steps=1, schedule="constant", step_size=1e-3, bias=False).network
    np.testing.assert_allclose(
        np.hstack([moved.hidden, moved.output[:, None]]).ravel(), w + 1e-3 * vector_field(first, Z, y)(w), rtol=1e-14
    )


def test_wasserstein_by_hand():
    east, north = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    one = np.ones(1)
    assert wasserstein(Measure(east, one), Measure(east, 3 * one)) == pytest.approx(0, abs=1e-12)
    assert wasserstein(Measure(east, one), Measure(north, one)) == pytest.approx(1.0)  # |(a - a')|/sqrt2
    assert wasserstein(Measure(east, one), Measure(east, -one)) == pytest.approx(np.sqrt(2))
    half = Measure(np.vstack([east, north]), np.array([0.5, 0.5]))
    assert wasserstein(half, Measure(east, one)) == pytest.approx(0.5)
    assert wasserstein(half, Measure(east, one), order=2) == pytest.approx(np.sqrt(0.5))


def test_normalised_neurons_approach_the_optimal_atoms():
    """Theorem 3 on XOR: the optimum is four neurons along the points."""
    Z, y = XOR
    optimum = Measure(Z / np.sqrt(2), y / 4)
    run = train_flow(Z, y, width=60, steps=250, schedule="flow", bias=False)
    networks = [Network(A, b, bias=False) for _, A, b in run.snapshots]
    distance = [wasserstein(net.measure(), optimum) for net in (networks[0], networks[-1])]
    assert distance[1] < 0.1 and distance[0] > 0.5


def test_wider_networks_approach_each_other():
    """Theorem 2: at bounded times the distance to a very wide network falls like m^(-1/2)."""
    widths = [16, 64, 256, 4096]
    D = np.mean([distances_to_widest(*XOR, widths, [0.5, 1.0], seed=s, steps=40) for s in range(6)], axis=0)
    slope = np.polyfit(np.log(widths[:-1]), np.log(D.mean(axis=1)), 1)[0]
    assert -0.75 < slope < -0.3
