"""The potential that diagonal networks minimise, Q(beta) = alpha^D sum_j q(beta_j / alpha^D), and its programs.

D = 2:  q(z) = 2 - sqrt(4 + z^2) + z arcsinh(z / 2),   h = (q')^-1 = 2 sinh,   B = integral of h = 2 cosh - 2
D > 2:  h(u) = (1 - u)^(-D/(D-2)) - (1 + u)^(-D/(D-2)) on (-1, 1)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize, nnls

from .bench import Array

REACH = 300.0  # arguments of sinh and cosh beyond which float64 is left


@dataclass(frozen=True)
class Potential:
    """h = (q')^-1, its slope, and B = integral of h from 0, for unit alpha."""

    D: int

    def h(self, u: Array) -> Array:
        """The inverse function of q'."""
        if self.D == 2:
            return 2.0 * np.sinh(u)
        k = -self.D / (self.D - 2)
        return (1.0 - u) ** k - (1.0 + u) ** k

    def slope(self, u: Array) -> Array:
        """h'."""
        if self.D == 2:
            return 2.0 * np.cosh(u)
        k = -self.D / (self.D - 2)
        return -k * ((1.0 - u) ** (k - 1) + (1.0 + u) ** (k - 1))

    def B(self, u: Array) -> Array:
        """The integral of h; infinite if one of the arguments is outside the domain."""
        if np.abs(u).max() >= (1.0 if self.D > 2 else REACH):
            return np.full_like(u, np.inf)
        k = -2 / (self.D - 2) if self.D > 2 else 0.0
        return 2.0 * np.cosh(u) - 2.0 if self.D == 2 else ((1.0 - u) ** k + (1.0 + u) ** k - 2.0) / -k


def q(z: Array) -> Array:
    """q of D = 2: 2 - sqrt(4 + z^2) + z arcsinh(z / 2)."""
    return 2.0 - np.sqrt(4.0 + z * z) + z * np.arcsinh(z / 2.0)


def interpolant(X: Array, y: Array, alpha: float, D: int, near: Array | None = None) -> Array:
    """argmin Q(beta) s.t. X beta = y, by damped Newton on the dual; `near`: the solution of another alpha, D = 2."""
    potential, target = Potential(D), y / alpha**D
    first = 0.0 * X[0] if near is None else np.arcsinh(near / (2.0 * alpha**2))
    nu = np.linalg.lstsq(X.T, first, rcond=None)[0]

    def dual(nu: Any) -> float:
        return float(target @ nu - potential.B(nu @ X).sum())

    for _ in range(500):
        gradient = target - X @ potential.h(nu @ X)
        step, t = np.linalg.solve((X * potential.slope(nu @ X)) @ X.T, gradient), 1.0
        while t > 1e-12 and dual(nu + t * step) < dual(nu) + 0.25 * t * (gradient @ step):
            t *= 0.5
        if t <= 1e-12 or np.linalg.norm(gradient) <= 1e-13 * np.linalg.norm(target):  # only rounding is left
            break
        nu = nu + t * step
    return alpha**D * potential.h(nu @ X)


def certificate(Z: Array, alpha: float, beta: Array) -> tuple[float, float, float]:
    """Lower end of min {Q(b) : Z b >= gamma}, Q(beta), and what no nu >= 0 explains of arcsinh(beta / 2 alpha^2).

    The lower end is gamma sum_i nu_i - alpha^2 sum_j (2 cosh(z^j.nu) - 2) for gamma = min_i z_i.beta and any nu >= 0.
    """
    s = np.arcsinh(beta / (2.0 * alpha**2))
    nu, residual = nnls(Z.T, s)
    lower = float((Z @ beta).min() * nu.sum() - alpha**2 * Potential(2).B(nu @ Z).sum())
    return lower, float(alpha**2 * q(beta / alpha**2).sum()), float(residual / np.linalg.norm(s))


def program(Z: Array, gamma: float) -> Array:
    """argmin Q(beta) s.t. Z beta >= gamma, alpha = 1, from its dual over nu >= 0, decade by decade of gamma."""

    def dual(nu: Array, level: float) -> tuple[float, Array]:
        u = np.clip(nu @ Z, -REACH, REACH)
        return float((2.0 * np.cosh(u) - 2.0).sum() / level - nu.sum()), Z @ (2.0 * np.sinh(u)) / level - 1.0

    nu, decades = np.zeros(len(Z)), max(2, int(np.log10(max(gamma, 1.0))) + 2)
    how = {"method": "L-BFGS-B", "bounds": [(0.0, None)] * len(Z), "options": {"ftol": 1e-15, "gtol": 1e-9}}
    for level in np.geomspace(min(1.0, gamma), gamma, decades):
        nu = minimize(dual, nu, args=(level,), jac=True, **how).x
    return 2.0 * np.sinh(nu @ Z)
