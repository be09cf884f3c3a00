"""The directions of ascent are gradients, whichever way they are computed."""

import numpy as np
import pytest

from maxmargin.features import RELU, SQUARED_RELU, Feature
from maxmargin.flow.both_layers import BothLayers
from maxmargin.flow.dynamics import Magnitudes, OutputLayer
from maxmargin.flow.loss import Loss, adversary

LEAKY = Feature("leaky-relu", 1, 1.0, -0.1)


def problem(seed, n=9, D=3, m=7):
    rng = np.random.default_rng(seed)
    Z, y = rng.standard_normal((n, D)), np.where(rng.random(n) < 0.5, -1.0, 1.0)
    b = rng.standard_normal(m)
    return Z, y, rng.standard_normal((m, D)), b


def smooth_margin(data, weights, feature, loss):
    (Z, y), (A, b) = data, weights
    return Loss(loss).evaluate(y * (b @ feature.evaluate(A, Z)) / len(b))[0]


@pytest.mark.parametrize("loss", ["exp", "logistic"])
@pytest.mark.parametrize("feature", [RELU, LEAKY, SQUARED_RELU], ids=lambda f: f.name)
@pytest.mark.parametrize("seed", range(3))
def test_both_layers_against_finite_differences(feature, loss, seed):
    Z, y, A, b = problem(seed)
    b = np.sign(b) if feature.degree == 2 else b
    dynamics = BothLayers(Z, y, (A, b), feature, "float64")
    rate = dynamics.ascend(Loss(loss).evaluate(dynamics.outputs())[1])
    before = dynamics.network(False)
    dynamics.move(1.0)
    after = dynamics.network(False)
    h, m = 1e-6, len(b)

    def slope(up, down):
        difference = smooth_margin((Z, y), up, feature, loss) - smooth_margin((Z, y), down, feature, loss)
        return m * difference / (2 * h)

    for j in range(m):
        for k in range(A.shape[1]):
            up, down = A.copy(), A.copy()
            up[j, k] += h
            down[j, k] -= h
            assert after.hidden[j, k] - before.hidden[j, k] == pytest.approx(slope((up, b), (down, b)), abs=1e-7)
        up, down = b.copy(), b.copy()
        up[j] += h
        down[j] -= h
        moved = after.output[j] - before.output[j]
        assert moved == pytest.approx(slope((A, up), (A, down)) if feature.degree == 1 else 0.0, abs=1e-7)
    square = np.sum((after.hidden - before.hidden) ** 2) + np.sum((after.output - before.output) ** 2)
    assert rate == pytest.approx(square / m)


@pytest.mark.parametrize("kind", ["output", "magnitudes"])
@pytest.mark.parametrize("feature", [RELU, SQUARED_RELU], ids=lambda f: f.name)
def test_partial_dynamics_against_finite_differences(kind, feature):
    Z, y, A, b = problem(5)
    if kind == "output":
        dynamics = OutputLayer(Z, y, A, feature)
    else:
        dynamics = Magnitudes(Z, y, (A, b if feature.degree == 1 else np.sign(b)), feature, "float64")
    loss = Loss("exp")
    for _ in range(3):
        rate = dynamics.ascend(loss.evaluate(dynamics.outputs())[1])
        start, h = dynamics.state(), 1e-6
        values = []
        for step in (h, -h):
            dynamics.restore(start)
            dynamics.ascend(loss.evaluate(dynamics.outputs())[1])
            dynamics.move(step)
            values.append(loss.evaluate(dynamics.outputs())[0])
        assert (values[0] - values[1]) / (2 * h) == pytest.approx(rate, rel=1e-6)
        dynamics.move(0.3)


@pytest.mark.parametrize("dynamics_of", ["both", "output", "magnitudes"])
@pytest.mark.parametrize("feature", [RELU, LEAKY, SQUARED_RELU], ids=lambda f: f.name)
def test_tangent_kernel_predicts_the_outputs(dynamics_of, feature):
    Z, y, A, b = problem(11, n=6)
    b = np.sign(b) if feature.degree == 2 else b
    dynamics = {
        "both": lambda: BothLayers(Z, y, (A, b), feature, "float64"),
        "output": lambda: OutputLayer(Z, y, A, feature),
        "magnitudes": lambda: Magnitudes(Z, y, (A, b), feature, "float64"),
    }[dynamics_of]()
    u = dynamics.outputs().copy()
    p = adversary(np.arange(1.0, 7.0))
    K = dynamics.tangent_kernel(np.arange(6))
    dynamics.ascend(p)
    dynamics.flow(1e-7)
    np.testing.assert_allclose((dynamics.outputs() - u) / 1e-7, K @ p, rtol=1e-5, atol=1e-6)


def test_rows_left_out_change_nothing_beyond_rounding():
    rng = np.random.default_rng(0)
    Z, y = rng.standard_normal((60, 4)), np.where(rng.random(60) < 0.5, -1.0, 1.0)
    A, b = rng.standard_normal((200, 4)), rng.standard_normal(200)
    y *= np.sign(y * (b @ RELU.evaluate(A, Z)))  # separated by the initial network
    lazy, plain = (BothLayers(Z, y, (30.0 * A, 30.0 * b), RELU, "float64") for _ in range(2))
    plain._single = None
    for t in range(1, 40):
        steps = []
        for dynamics in (lazy, plain):
            S, p = Loss("exp").evaluate(dynamics.outputs())
            dynamics.ascend(p)
            dynamics.move(0.5 / np.sqrt(t + 1))
            steps.append((S, p))
        assert steps[0][0] == pytest.approx(steps[1][0], rel=1e-9, abs=1e-9)
        np.testing.assert_allclose(steps[0][1], steps[1][1], atol=1e-9)
    assert lazy._rows is not None, "the test should have exercised the screening"


@pytest.mark.parametrize("name", ["exp", "logistic"])
def test_loss_at_extreme_margins(name):
    loss = Loss(name)
    S, p = loss.evaluate(np.array([2000.0, 2001.0, 5000.0]))
    assert pytest.approx(2000 - np.log((1 + np.exp(-1)) / 3), rel=1e-14) == S
    np.testing.assert_allclose(p, [1 / (1 + np.exp(-1)), np.exp(-1) / (1 + np.exp(-1)), 0.0], atol=1e-15)
    assert np.isfinite(loss.evaluate(np.array([-1e5, 3.0]))[1]).all()


def test_smooth_margin_brackets_the_minimum():
    """Eq. 14: min u <= S_beta(u) <= min u + log(n)/beta."""
    rng = np.random.default_rng(1)
    for beta in (0.1, 1.0, 30.0):
        u = rng.standard_normal(20)
        S = Loss("exp").evaluate(beta * u)[0] / beta
        assert u.min() <= S <= u.min() + np.log(20) / beta + 1e-12
