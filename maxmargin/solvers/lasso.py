"""Least squares with an l1 penalty, (1/2) |D w - y|^2 + beta |w|_1, as a bracket of its least value."""

from __future__ import annotations

import numpy as np

from ..conventions import Array


def lasso(D: Array, y: Array, beta: float) -> tuple[float, float, Array]:
    """Bracket of the least value, and weights (K,) that attain its upper end; both up to rounding.

    Every residual r proves a lower bound: nu = r min(1, beta / max_k |D_k.r|) has the dual value y.nu - |nu|^2 / 2.

    Parameters
    ----------
    D : (n, K) columns D_k.  y : (n,) targets.  beta : penalty > 0.
    """
    from sklearn.linear_model import Lasso

    w = Lasso(alpha=beta / len(y), fit_intercept=False, tol=1e-13, max_iter=1_000_000).fit(D, y).coef_
    r = y - D @ w
    nu = r * min(1.0, beta / np.abs(D.T @ r).max())
    return float(y @ nu - nu @ nu / 2), float(r @ r / 2 + beta * np.abs(w).sum()), w
