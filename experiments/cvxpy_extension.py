"""The max-margin program as a CVXPY problem of your own: more constraints, another loss, any solver.

    python experiments/cvxpy_extension.py [--solver CLARABEL|SCS|...]

`mm.as_cvxpy` returns an unsolved problem in minimum-norm form, ``min |w|_1`` with all margins at least 1 (F1 over
given neurons).  Its variable is named ``weights``, its constraint is labelled ``margins``, its dual values are the
adversary.  An extension is a new `cp.Problem` made from these parts.  The margin is min_i y_i f(x_i) / |w|_1 of
f = (1/2) sum_k w_k (theta_k.x)_+, as in `max_margin`.  On four points with answers known by hand:

=================================================================  ==========================================
extension                                                          F1 margin
=================================================================  ==========================================
none                                                               sqrt(5)/4
at most a share s of the norm on neurons that use feature 1        (1 + s (sqrt(5)/2 - 1))/2
both positive points treated alike: equal outputs                  sqrt(5)/(2 + sqrt(5))
hinge with slack, |w|_1 + C sum (1 - margin)_+                     sqrt(5)/4 for C >= 1/sqrt(5),
                                                                   w = 0 for C < 1/sqrt(32)
=================================================================  ==========================================

(Equal outputs cost the positive class: a unit of weight gives it 1, and still gives the negative class sqrt(5)/2.)
Every margin is recomputed from the weights, none is copied from a solver.
"""

# %%
from __future__ import annotations

import argparse

import cvxpy as cp
import numpy as np

import maxmargin as mm

# The default accuracies are too loose for small margins, and every solver has other names for them.
ACCURACY = {
    "CLARABEL": {"tol_gap_abs": 1e-10, "tol_gap_rel": 1e-10},
    "SCS": {"eps_abs": 1e-8, "eps_rel": 1e-8, "max_iters": 100_000},
}

X = np.array([[3.0, 2.0], [1.0, 2.0], [-3.0, -2.0], [-1.0, -2.0]])
y = np.array([1.0, 1.0, -1.0, -1.0])
angles = np.append(2 * np.pi * np.arange(48) / 48, np.arctan2(2, 1) + np.array([0, np.pi]))
theta = np.column_stack([np.cos(angles), np.sin(angles)])  # neurons, the optimal ones among them
Phi = np.maximum(theta @ X.T, 0)  # (K, n)


def parts() -> tuple[cp.Objective, cp.Variable, cp.Constraint]:
    """A fresh problem's objective, its variable ``weights`` and its constraint ``margins``."""
    problem = mm.as_cvxpy((X, y), norm="f1", directions=theta, bias=False)
    (weights,) = (item for item in problem.variables() if item.name() == "weights")
    (margins,) = (item for item in problem.constraints if item.label == "margins")
    return problem.objective, weights, margins


def solve(problem: cp.Problem, solver: str) -> None:
    """Solve with a solver that is named."""
    problem.solve(solver=solver, **ACCURACY.get(solver, {}))


def margin(w: np.ndarray) -> float:
    """min_i y_i f(x_i) / |w|_1 with f = (1/2) sum_k w_k (theta_k.x)_+, the paper's unit; 0 for w = 0."""
    norm = float(np.abs(w).sum())
    return float((y * (w @ Phi)).min()) / (2 * norm) if norm > 1e-6 else 0.0


# %% The problem as it comes
def plain(solver: str) -> tuple[float, np.ndarray]:
    """Margin and adversary."""
    objective, weights, margins = parts()
    solve(cp.Problem(objective, [margins]), solver)
    return margin(weights.value), margins.dual_value / margins.dual_value.sum()


# %% A budget: at most a share of the norm on neurons that use feature 1
def budget(share: float, solver: str) -> float:
    """`|w_charged|_1 <= share |w|_1` is not convex; with a variable `total` >= |w|_1 that is minimised, it is."""
    _, weights, margins = parts()
    charged = np.abs(theta[:, 0]) > 1e-12
    total = cp.Variable(name="total")
    rules = [cp.norm1(weights) <= total, cp.norm1(weights[charged]) <= share * total]
    solve(cp.Problem(cp.Minimize(total), [margins, *rules]), solver)
    return float((y * (weights.value @ Phi)).min() / (2 * total.value))


# %% Equal treatment of the first two points
def alike(solver: str) -> tuple[float, float]:
    """Margin, and the difference of the two points' outputs per unit of norm."""
    objective, weights, margins = parts()
    outputs = Phi.T @ weights
    solve(cp.Problem(objective, [margins, outputs[0] == outputs[1]]), solver)
    f = weights.value @ Phi / (2 * np.abs(weights.value).sum())
    return margin(weights.value), float(abs(f[0] - f[1]))


# %% Another loss: slack instead of hard margins
def hinge(C: float, solver: str) -> float:
    """Drop the constraint, keep its expression: a constraint ``1 <= margins`` is stored as ``1 - margins <= 0``."""
    objective, weights, margins = parts()
    slack = cp.sum(cp.pos(margins.expr))
    solve(cp.Problem(cp.Minimize(objective.args[0] + C * slack)), solver)
    return margin(weights.value)


# %%
def main(solver: str) -> None:
    value, p = plain(solver)
    best = np.sqrt(5) / 4
    print(f"as it comes        {value:.7f}   sqrt(5)/4 = {best:.7f}; adversary {np.round(p, 4)}")
    for share in (0.0, 0.25, 0.5, 1.0):
        print(f"budget {share:4.2f}        {budget(share, solver):.7f}   by hand {0.5 + share * (best - 0.5):.7f}")
    value, difference = alike(solver)
    by_hand = np.sqrt(5) / (2 + np.sqrt(5))
    print(f"treated alike      {value:.7f}   by hand {by_hand:.7f}; outputs differ by {difference:.1e}")
    for C in (0.1, 0.3, 1.0):
        print(f"hinge, C = {C:3.1f}     {hinge(C, solver):.7f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--solver", default="CLARABEL", help="any solver that CVXPY has (default: CLARABEL)")
    main(parser.parse_args().solver.upper())
