"""The trainer: the authors' loop, conserved quantities, growth laws, margins below their proved upper ends."""

import numpy as np
import pytest

from maxmargin.errors import InputError
from maxmargin.features import RELU, SQUARED_RELU
from maxmargin.features.kernels import Kernel
from maxmargin.flow import Balanced, Constant, Gaussian, Network, train_flow
from maxmargin.oracles.enumeration.degree1 import ArrangementOracle
from maxmargin.theory.rates import growth_rate

XOR = np.array([[1.0, 1], [-1, -1], [1, -1], [-1, 1]]), np.array([1.0, 1, -1, -1])
GAMMA_XOR = np.sqrt(2) / 8


def blobs(seed, n=12, D=2):
    rng = np.random.default_rng(seed)
    return np.hstack([rng.uniform(-1, 1, (n, D)), np.ones((n, 1))]), np.where(rng.random(n) < 0.5, -1.0, 1.0)


def restated_loop(Z, y, W, steps):
    """The authors' code: soft-min weights, m grad F_m, step 0.5/sqrt(t+1) with t from 1."""
    margins = []
    for t in range(1, steps + 1):
        act = np.maximum(W[:, :-1] @ Z.T, 0)
        u = y * (W[:, -1] @ act) / len(W)
        margins.append(u.min() / (np.sum(W**2) / len(W)))
        p = np.exp(u.min() - u)
        p /= p.sum()
        hidden = (W[:, -1:] * (act > 0) * (y * p)) @ Z
        W = W + 0.5 * np.column_stack([hidden, act @ (y * p)]) / np.sqrt(t + 1)
    return np.array(margins), W


@pytest.mark.parametrize("dtype, tol", [("float64", 1e-9), ("float32", 1e-3)])
def test_equals_the_authors_loop(dtype, tol):
    Z, y = blobs(3, n=30)
    W = np.random.default_rng(7).standard_normal((40, 4))
    margins, last = restated_loop(Z, y, W, 1500)
    run = train_flow(Z, y, width=40, steps=1499, seed=7, dtype=dtype)
    assert run.margin_best == pytest.approx(margins.max(), rel=tol, abs=tol * 1e-2)
    for row in run.trace:
        assert row["margin"] == pytest.approx(margins[row["step"]], rel=100 * tol, abs=tol)


def test_same_seed_same_bytes():
    for options in ({}, {"batch_size": 5}, {"schedule": "flow"}, {"layers": "output"}, {"layers": "magnitudes"}):
        first, second = (train_flow(*blobs(0), width=30, steps=200, seed=4, **options) for _ in range(2))
        assert first.network.hidden.tobytes() == second.network.hidden.tobytes()
        assert first.network.output.tobytes() == second.network.output.tobytes()
        assert first.trace == second.trace


@pytest.mark.parametrize("init", ["gaussian", "balanced", "gaussian:3", "paired"])
def test_small_steps_conserve_the_balance(init):
    """|a_j|^2 - b_j^2 is constant along the flow: Euler violates it by O(step), hence ten times less for a tenth."""
    Z, y = XOR
    drifts = []
    for s in (1e-2, 1e-3):
        run = train_flow(Z, y, width=50, steps=round(1 / s), schedule=Constant(s), init=init, bias=False)
        _, A, b = run.snapshots[0]
        start, end = np.sum(A**2, 1) - b**2, np.sum(run.network.hidden**2, 1) - run.network.output**2
        drifts.append(np.abs(start - end).max())
    assert drifts[1] < 0.15 * drifts[0]


def test_flow_rule_conserves_the_balance_to_rounding():
    run = train_flow(*XOR, width=50, steps=60, schedule="flow", bias=False)
    _, A, b = run.snapshots[0]
    start, end = np.sum(A**2, 1) - b**2, np.sum(run.network.hidden**2, 1) - run.network.output**2
    np.testing.assert_allclose(end, start, atol=1e-11 * run.trace[-1]["mass"])


@pytest.mark.parametrize("layers, gamma", [("both", GAMMA_XOR), ("magnitudes", None), ("output", None)])
def test_growth_laws(layers, gamma):
    """d log mass/dt -> 4 gamma_1 (both layers, magnitudes), d rms/dt -> gamma_2^(m) (output layer)."""
    run = train_flow(*XOR, layers=layers, width=200, steps=3000, schedule=Constant(0.01), bias=False)
    limit = gamma or run.upper
    assert growth_rate(run) == pytest.approx((1 if layers == "output" else 4) * limit, rel=0.08)


@pytest.mark.parametrize("schedule", ["paper", "flow", "loss-based"])
def test_xor_reaches_its_margin(schedule):
    run = train_flow(*XOR, width=200, steps=4000 if schedule == "paper" else 1000, schedule=schedule, bias=False)
    assert 0.985 * GAMMA_XOR < run.margin_best <= GAMMA_XOR


def test_path_convention_doubles_the_margin():
    sphere, path = (train_flow(*XOR, width=50, steps=100, convention=c, bias=False) for c in ("sphere", "path"))
    assert path.margin_best == pytest.approx(2 * sphere.margin_best)
    square, same = (
        train_flow(*XOR, width=50, steps=100, convention=c, bias=False, feature=SQUARED_RELU)
        for c in ("sphere", "path")
    )
    assert square.margin_best == same.margin_best


def test_squared_relu_reaches_one_half_on_xor():
    run = train_flow(*XOR, width=100, steps=500, schedule="flow", bias=False, feature=SQUARED_RELU)
    assert run.margin_best == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize("layers", ["both", "output", "magnitudes"])
def test_margins_never_exceed_recorded_upper_ends(layers):
    for seed in range(8):
        Z, y = blobs(seed, n=8)
        oracle = ArrangementOracle(Z, RELU) if layers == "both" else None
        run = train_flow(Z, y, layers=layers, width=30, steps=300, seed=seed, oracle=oracle)
        lower = max(row["margin"] for row in run.trace)
        assert run.scope == {"both": "sphere-exact", "output": "kernel", "magnitudes": "dictionary"}[layers]
        assert max(lower, run.margin_best) <= min(row["upper"] for row in run.trace) == run.upper


def test_slackness_closes():
    """Prop. 12: both residuals of complementary slackness vanish."""
    Z, y = XOR
    run = train_flow(Z, y, width=300, steps=600, schedule="flow", bias=False, oracle=ArrangementOracle(Z, RELU))
    first, best = run.trace[0], min(run.trace, key=lambda row: row["upper"] - row["margin"])
    assert best["slack_adversary"] + best["slack_measure"] == pytest.approx(best["upper"] - best["margin"], abs=1e-12)
    assert best["slack_adversary"] + best["slack_measure"] < 0.05 * GAMMA_XOR < first["slack_measure"]


def test_weights_align_with_their_gradient():
    """Ji and Telgarsky: cos(w, grad F) -> 1 (squared ReLU; at a kink of the ReLU one subgradient says little)."""
    run = train_flow(*XOR, width=300, steps=400, schedule="flow", bias=False, feature=SQUARED_RELU)
    assert run.trace[0]["alignment"] < 0.5 and run.trace[-1]["alignment"] > 0.99


def test_start_is_nested_and_balanced():
    for start in (Gaussian(2.0), Balanced(3.0)):
        wide, narrow = (start.draw(np.random.default_rng(1), m, 4) for m in (9, 5))
        np.testing.assert_array_equal(wide[0][:5], narrow[0])
    A, b = Balanced(3.0).draw(np.random.default_rng(1), 9, 4)
    np.testing.assert_allclose(np.linalg.norm(A, axis=1), 3.0)
    np.testing.assert_array_equal(np.abs(b), 3.0)


def test_paired_start_has_output_zero_and_the_gaussian_tangent_kernel():
    Z, y = blobs(1)
    run = train_flow(Z, y, width=8000, steps=1, schedule=Constant(1e-9), init="paired:2", seed=3)
    _, A, b = run.snapshots[0]
    assert np.abs(Network(A, b).outputs(Z)).max() < 1e-14 * np.mean(A**2)
    np.testing.assert_array_equal(A[::2], A[1::2])
    gates = (Z @ A.T > 0) * b
    K = ((gates @ gates.T) * (Z @ Z.T) + np.maximum(Z @ A.T, 0) @ np.maximum(Z @ A.T, 0).T) / len(b)
    np.testing.assert_allclose(K, 4 * Kernel(RELU, "gaussian", tangent=True)(Z), rtol=0.2, atol=0.05 * K.max())
    with pytest.raises(InputError, match="even"):
        train_flow(Z, y, width=7, steps=1, init="paired")


def test_continues_from_a_network():
    first = train_flow(*XOR, width=20, steps=50, schedule=Constant(0.01), bias=False)
    second = train_flow(*XOR, steps=50, schedule=Constant(0.01), init=first.network, bias=False)
    whole = train_flow(*XOR, width=20, steps=100, schedule=Constant(0.01), bias=False)
    np.testing.assert_allclose(second.network.hidden, whole.network.hidden, rtol=1e-12)
    assert isinstance(second.network, Network) and second.width == 20
