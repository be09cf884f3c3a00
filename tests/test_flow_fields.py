"""Flows of small fields: the exponential, a goal, and Euler's order."""

import numpy as np
import pytest

from maxmargin.flow.fields import descend, flow, flow_until

RATES = np.array([[1.0, 2.0], [0.5, 3.0]])


def field(S):
    return -RATES * S


def test_the_flow_is_the_exponential_at_every_time():
    times, start = np.array([0.0, 0.3, 2.0]), np.array([[1.0, -2.0], [3.0, 0.5]])
    path = flow(field, start, times)
    np.testing.assert_allclose(path, start * np.exp(-RATES * times[:, None, None]), rtol=1e-9)


def test_the_flow_ends_at_its_goal():
    end = flow_until(field, np.ones((2, 2)), lambda S: float(np.abs(S).max()))
    assert np.abs(end).max() == pytest.approx(1e-10, rel=1e-3)  # the absolute tolerance is 1e-13
    assert end[1, 0] == np.abs(end).max()  # the slowest rate is last


def test_descent_is_a_power_and_of_first_order():
    start, exact = np.ones((2, 2)), np.exp(-RATES)
    np.testing.assert_allclose(descend(field, start, 0.1, 1.0), (1.0 - 0.1 * RATES) ** 10, rtol=1e-14)
    coarse, fine = (np.abs(descend(field, start, h, 1.0) - exact).max() for h in (0.01, 0.005))
    assert coarse / fine == pytest.approx(2.0, abs=0.05)
