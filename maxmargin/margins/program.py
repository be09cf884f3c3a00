"""`as_cvxpy`: the margin as an unsolved CVXPY problem, to read, to extend and to solve with any solver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..conventions import NORMS, law_of, variation_factor
from ..dataset import Dataset, load
from ..errors import InputError
from ..features.directions import check_directions
from ..features.homogeneous import Feature, get_feature
from ..features.kernels import Kernel
from ..options import choice
from ..solvers import conic

if TYPE_CHECKING:
    import cvxpy


def as_cvxpy(
    data: Dataset | Any,
    norm: str = "f1",
    *,
    directions: ArrayLike | None = None,
    feature: str | Feature = "relu",
    bias: bool = True,
    law: str = "sphere",
    convention: str = "sphere",
    weights: str | None = None,
) -> cvxpy.Problem:
    """The max-margin problem in minimum-norm form (least norm with all margins >= 1).

    ========  ==================================================  =====================================
    norm      program                                             margin from its optimal value v
    ========  ==================================================  =====================================
    f1        min |w|_1     s.t. y_i sum_k w_k Phi_ki >= 1        gamma_path = 1/v, gamma_1 = 1/(2v)
    f2, ntk   min c'Kc      s.t. y_i (K c)_i >= 1                 gamma = 1/sqrt(v)
    ========  ==================================================  =====================================

    The variable is named ``weights`` (f1) or ``coefficients`` (f2, ntk); the constraint is labelled ``margins``, with
    dual values proportional to the adversary p (Prop. 12). Name the solver when solving, e.g.
    ``problem.solve(solver="CLARABEL")``: CVXPY's own choice is wrong on small margins.

    ``problem.margin`` is a CVXPY expression: after solving, ``problem.margin.value`` is the margin in `max_margin`'s
    convention, for all norms alike. It is made of the objective, so it holds for a new problem with that objective too.

    Parameters
    ----------
    data, feature, bias, law, weights, convention : as in `max_margin`.
    directions : (K, D), required for f1: over all neurons the program is infinite, use `max_margin`.

    Raises
    ------
    InputError : unknown norm, or f1 without directions.
    """
    import cvxpy

    dataset, feature = load(data), get_feature(feature)
    choice("norm", norm, NORMS)
    Z = dataset.inputs(bias)
    if norm == "f1":
        if directions is None:
            raise InputError(
                "directions: missing for norm 'f1', wanted an array (K, D) of neurons; over all neurons use max_margin"
            )
        theta = check_directions(np.asarray(directions), Z.shape[1])
        problem = conic.variation_program(feature.evaluate(theta, Z), dataset.y)
        problem.margin = variation_factor(feature.degree, convention) * cvxpy.inv_pos(problem.objective.expr)
        return problem
    problem = conic.kernel_program(Kernel(feature, law_of(law, weights), tangent=norm == "ntk")(Z), dataset.y)
    problem.margin = cvxpy.power(problem.objective.expr, -0.5)
    return problem
