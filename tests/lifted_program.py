r"""The lifted relaxation written down in CVXPY: readable, slow, and a second opinion on `oracles.lifted.splitting`.

    maximise  t
    subject to  y_i sum_s s E_s[phi_i] >= t  for all i,   sum_s mass_s = 1,   and for each output sign s = +1, -1
                X_s >= 0 of order 1 + D + N, the moments of (r, a, h):   X_rr = tr X_aa = mass_s
                L X L' >= 0 elementwise, zero for the pairs h_i, h_i - z_i.a;    |(X L')_{a,k}| <= (X L')_{r,k}

L holds the forms of `oracles.lifted.inequality.leaf_forms`. Its value is no bound until it is repaired.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from maxmargin.features.homogeneous import Feature
from maxmargin.oracles.lifted.inequality import leaf_forms, payoff_weights

Array = NDArray[np.float64]


def lifted_program(Z: Array, y: Array, feature: Feature, scale: float = 1.0, norm_products: bool = True) -> Any:
    """An unsolved `cvxpy.Problem` for all n points, root leaf only; its value times `scale` relaxes gamma_1 (path).

    Parameters
    ----------
    Z, y : (n, D), (n,); keep n below 60 or so.
    scale : a number of the size of gamma_1.
    norm_products : with the last row of constraints; without it the relaxation is that of Prakhya, Birdal and
        Yurtsever, "Convex formulations for training two-layer ReLU neural networks" (ICLR 2025).
    """
    import cvxpy as cp

    n, D = Z.shape
    forms = leaf_forms(Z, ())
    L = forms.L
    margin = cp.Variable(name="margin")
    payoffs, masses, constraints = np.zeros(n), 0.0, []
    for sign, name in ((1, "plus"), (-1, "minus")):
        X = cp.Variable((L.shape[1],) * 2, PSD=True, name=f"moments_{name}")
        cross, products = X @ L.T, L @ X @ L.T
        # One row of weights for each point: its payoff as a combination of r l_k (degree 1) or l_k^2 (degree 2).
        weights = np.array([payoff_weights(forms, feature, row) for row in np.diag(sign * y / scale)])
        payoffs = payoffs + weights @ (cross[0] if feature.degree == 1 else cp.diag(products))
        masses = masses + X[0, 0]
        k, l = forms.complementary
        constraints += [
            X[0, 0] == cp.trace(X[1 : 1 + D, 1 : 1 + D]),
            products >= 0,
            products[k, l] == 0,
        ]
        if norm_products:
            constraints.append(cp.norm(cross[1 : 1 + D], 2, axis=0) <= cross[0])
    return cp.Problem(cp.Maximize(margin), [payoffs >= margin, masses == 1, *constraints])
