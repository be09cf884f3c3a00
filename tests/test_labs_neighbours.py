"""Laboratories on linear, lazy, mean-field and residual networks: their references, and that breaking one is seen."""

from __future__ import annotations

import cvxpy
import numpy as np
import pytest

from maxmargin import labs
from maxmargin.errors import InputError
from maxmargin.games.linear import LinearGame
from maxmargin.labs import (
    diagonal_networks,
    feature_learning,
    linear_networks,
    power_laws,
    proxy_convexity,
    residual_networks,
)
from maxmargin.solvers.linear import linear_max_margin


def verdicts(name):
    return {found.id: found.verdict for found in labs.lab(name).findings}


# ------------------------------------------------------------------------------------------- linear games


@pytest.fixture
def Z():
    return np.random.default_rng(3).standard_normal((7, 12))


@pytest.mark.parametrize("ball", ["l1", "l2", "dft"])
def test_any_pair_brackets_the_margin(Z, ball):
    game, rng = LinearGame(Z, ball), np.random.default_rng(0)
    _, _, solved = linear_max_margin(game)
    assert 0.0 < solved.lower <= solved.upper and solved.relative_gap < 1e-8
    for _ in range(50):
        other = game.certify(rng.standard_normal(12), rng.dirichlet(np.ones(7)))
        assert other.lower <= solved.upper and solved.lower <= other.upper


@pytest.mark.parametrize("ball", ["l1", "l2", "dft"])
def test_the_best_response_is_in_the_ball_and_attains_the_value(Z, ball):
    game, p = LinearGame(Z, ball), np.random.default_rng(1).dirichlet(np.ones(7))
    best = game.best_response(p)
    assert max(map(game.norm, game.atoms(p))) <= 1.0 + 1e-12
    assert best.learner @ (p @ Z) == pytest.approx(best.value, rel=1e-12)
    assert best.value <= best.bound * p.sum() <= best.value * (1.0 + 1e-12)


def test_a_ball_without_a_game():
    with pytest.raises(InputError, match="ball: found 'l3'"):
        LinearGame(np.eye(2), "l3")


def test_the_fourier_margin_is_that_of_the_conic_program(Z):
    d = Z.shape[1]
    F = np.fft.fft(np.eye(d))
    beta = cvxpy.Variable(d)
    size = cvxpy.sum(cvxpy.norm(cvxpy.vstack([F.real @ beta, F.imag @ beta]), 2, axis=0)) / d
    program = cvxpy.Problem(cvxpy.Maximize(cvxpy.min(Z @ beta)), [size <= 1])
    program.solve(solver="CLARABEL")
    assert linear_max_margin(LinearGame(Z, "dft"))[2].lower == pytest.approx(program.value, rel=1e-6)


def test_a_circular_shift_of_the_inputs_leaves_the_fourier_margin(Z):
    margins = [linear_max_margin(LinearGame(np.roll(Z, k, axis=1), "dft"))[2].lower for k in (0, 5)]
    assert margins[1] == pytest.approx(margins[0], rel=1e-8)


def test_the_norm_is_the_least_cost_of_a_convolution():
    rng = np.random.default_rng(2)
    game = LinearGame(np.eye(9), "dft")
    for _ in range(20):
        u, v = rng.standard_normal((2, 9))
        beta = np.fft.irfft(np.fft.rfft(u) * np.fft.rfft(v), 9)
        assert game.norm(beta) <= 0.5 * (u @ u + v @ v) + 1e-12
    root = np.sqrt(np.abs(np.fft.rfft(beta)))
    u, v = np.fft.irfft(root, 9), np.fft.irfft(np.fft.rfft(beta) / root, 9)
    assert 0.5 * (u @ u + v @ v) == pytest.approx(game.norm(beta), rel=1e-12)


# ------------------------------------------------------------------------------------------- least potential


@pytest.mark.parametrize("D", [2, 3, 4])
def test_h_is_the_slope_of_B_and_its_own_slope_is_right(D):
    potential, u, e = diagonal_networks.Potential(D), np.linspace(-0.7, 0.7, 9), 1e-6
    assert (potential.B(u + e) - potential.B(u - e)) / (2 * e) == pytest.approx(potential.h(u), abs=1e-7)
    assert (potential.h(u + e) - potential.h(u - e)) / (2 * e) == pytest.approx(potential.slope(u), rel=1e-7)


def test_q_is_the_conjugate_of_B():
    z, u = np.linspace(-3.0, 3.0, 13), np.linspace(-3.0, 3.0, 13)
    paid = z * np.arcsinh(z / 2.0) - diagonal_networks.Potential(2).B(np.arcsinh(z / 2.0))
    assert diagonal_networks.q(z) == pytest.approx(paid, abs=1e-12)
    assert (diagonal_networks.q(z)[:, None] + diagonal_networks.Potential(2).B(u) >= np.outer(z, u) - 1e-12).all()


@pytest.mark.parametrize("D, alpha", [(2, 0.05), (3, 0.2), (4, 0.5)])
def test_no_interpolant_has_a_smaller_potential(D, alpha):
    """To first order: q' of the solution lies in the row space of X."""
    rng = np.random.default_rng(4)
    X, y = rng.standard_normal((5, 12)), rng.standard_normal(5)
    beta = diagonal_networks.interpolant(X, y, alpha, D)
    assert X @ beta == pytest.approx(y, abs=1e-10)
    grid = np.linspace(-1 + 1e-9, 1 - 1e-9, 200_001) if D > 2 else np.linspace(-12.0, 12.0, 200_001)
    slope = np.interp(beta / alpha**D, diagonal_networks.Potential(D).h(grid), grid)
    residual = slope - X.T @ np.linalg.lstsq(X.T, slope, rcond=None)[0]
    assert np.linalg.norm(residual) <= 1e-3 * np.linalg.norm(slope)  # of the interpolation in the table


# ------------------------------------------------------------------------------------------- broken references


def test_the_printed_form_in_place_of_the_corrected_one(monkeypatch):
    monkeypatch.setattr(linear_networks.Regression, "limit", lambda self, w, delta=0.0: self.printed(w))
    found = verdicts("linear-networks")
    assert found["trained-limit"] == found["recipe-trained"] == found["imbalance"] == "fails"


def test_a_paper_without_the_slip_is_not_refuted(monkeypatch):
    monkeypatch.setattr(linear_networks.Regression, "printed", lambda self, w: self.limit(w))
    assert verdicts("linear-networks")["trained-limit"] == "fails"


def test_a_wrong_potential(monkeypatch):
    """One per cent more, in its slope and integral as well, so that it is the potential of another alpha."""
    for name in ("h", "slope", "B"):
        right = getattr(diagonal_networks.Potential, name)
        monkeypatch.setattr(diagonal_networks.Potential, name, lambda self, u, right=right: 1.01 * right(self, u))
    assert verdicts("diagonal-networks")["trained-limit"] == "fails"


def test_a_wrong_value_of_the_game(monkeypatch):
    right = LinearGame.value
    monkeypatch.setattr(LinearGame, "value", lambda self, p: 0.99 * right(self, p))
    assert verdicts("diagonal-networks")["convolution-bound"] == "fails"


def test_a_certificate_with_a_wrong_sum(monkeypatch):
    right = diagonal_networks.certificate

    def half(Z, alpha, beta):
        lower, Q, residual = right(Z, alpha, beta)
        return 0.5 * lower, 0.5 * Q, residual

    monkeypatch.setattr(diagonal_networks, "certificate", half)
    assert verdicts("diagonal-networks")["certificate"] == "fails"


def test_a_wrong_constant_of_the_law(monkeypatch):
    right = power_laws.Case.law
    monkeypatch.setattr(power_laws.Case, "law", lambda self, t: 1.05 * right(self, t))
    found = verdicts("power-laws")
    assert {found[name] for name in ("jump", "two-jumps", "kinks", "output-layer", "disk")} == {"fails"}


def test_a_wrong_tangent_kernel_of_the_mean_field(monkeypatch):
    right = feature_learning.Net.kernel
    monkeypatch.setattr(feature_learning.Net, "kernel", lambda self, W: 1.02 * right(self, W))
    found = verdicts("feature-learning")
    assert found["solved-rates"] == found["late-rate"] == "fails"
    assert found["solved-limit"] == "holds"


def test_a_wrong_invariant(monkeypatch):
    right = feature_learning.Net.moved
    monkeypatch.setattr(feature_learning.Net, "moved", lambda self, u, tau: right(self, 0.99 * u, tau))
    assert verdicts("feature-learning")["solved-limit"] == "fails"


def test_a_constant_that_is_too_good(monkeypatch):
    right = proxy_convexity.Net.tangent_margin
    monkeypatch.setattr(proxy_convexity.Net, "tangent_margin", lambda self, W: _wider(right(self, W), 1.1))
    assert verdicts("proxy-convexity")["gradient"] == "fails"


def _wider(bracket, factor):
    return type(bracket)(bracket.lower, factor * bracket.upper, bracket.scope)


def test_a_wrong_exponent_in_depth(monkeypatch):
    right = residual_networks.scalars
    monkeypatch.setattr(residual_networks, "scalars", lambda phi, L, times: right(phi, 2.0 * L, times))
    assert verdicts("residual-networks")["linear-curve"] == "fails"


def test_the_late_rate_is_that_of_the_kernel_from_a_start_whose_second_mode_is_near(monkeypatch):
    """A start (seed 3) at which the rate of one late step is not yet that of the slowest mode."""
    settings = residual_networks.Settings(seed=3, rate_depths=(32,))
    rates = residual_networks._rates(settings)
    assert all(found.as_expected for found in rates)
    right = residual_networks.Residual.kernel
    monkeypatch.setattr(residual_networks.Residual, "kernel", lambda self: (0.8 * right(self)[0], right(self)[1]))
    rates = residual_networks._rates(settings)
    assert not any(found.as_expected for found in rates[:2])


def test_a_wrong_tangent_kernel_of_the_residual_network(monkeypatch):
    right = residual_networks.Residual.kernel
    monkeypatch.setattr(residual_networks.Residual, "kernel", lambda self: (1.01 * right(self)[0], right(self)[1]))
    assert verdicts("residual-networks")["late-ratio"] == "fails"
