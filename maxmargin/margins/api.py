"""`max_margin`: the F1, F2 or tangent-kernel max margin of a data set, as a certificate."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..conventions import law_of
from ..dataset import Dataset, load
from ..errors import InputError
from ..features.directions import check_directions
from ..features.homogeneous import Feature, get_feature
from ..games.certificate import Certificate
from ..options import flag
from ..outcome import Attempt
from ..progress import Progress, silent
from ..solvers.proposal import INTERRUPTED
from .f1 import Search, dictionary_margin
from .kernel import kernel_margin
from .prove import prove
from .request import BRANCHING_ROUNDS, Request
from .self_check import self_checked


def max_margin(
    data: Dataset | Any,
    norm: str = "f1",
    *,
    feature: str | Feature = "relu",
    bias: bool = True,
    convention: str = "sphere",
    law: str = "sphere",
    directions: ArrayLike | None = None,
    nu: float | None = None,
    start: Any = None,
    solver: str = "auto",
    tol: float = 1e-9,
    time_limit: float | None = None,
    max_rounds: int | None = None,
    branching_rounds: int = BRANCHING_ROUNDS,
    seed: int = 0,
    self_check: bool = True,
    progress: Progress = silent,
    weights: str | None = None,
) -> Certificate:
    """Largest margin over a unit ball of two-layer networks, as a proved bracket.

    ::

        gamma = max_{||f|| <= 1} min_i y_i f(x_i)            (Eqs. 4 and 5 of Chizat and Bach, COLT 2020)

    Parameters
    ----------
    data : `Dataset`, path of a .csv or .npz file, built-in name such as "xor", or a pair (X, y).
    norm : "f1" (variation norm, all neurons on the sphere), "f2" (RKHS of the fixed hidden layer, no intercept)
        or "ntk" (RKHS of the tangent kernel of both layers).
    feature : activation, "relu", "squared-relu" or a `Feature`.
    bias : the activation sees z = (x, 1), D = d+1; else z = x, D = d.
    convention : unit of F1 margins: "sphere" (the paper's gamma_1) or "path" (twice that for ReLU).
    law : of the random directions of f2 and ntk: "sphere" (Eq. 5) or "gaussian".
    directions : (K, D) restricts F1 to these neurons, scope "dictionary"; rows are normalised.
    nu : fraction in (0, 1]; the soft margin, i.e. the mean of the worst fraction nu of the margins, instead of the
        least margin. The adversary then puts at most 1/(nu n) on a point.
    start : a `Network` or a `Measure` with neurons to start the F1 search from, e.g. a trained network. It may make the
        search faster; the bracket is proved as without it.
    solver : "auto", or the solver of the finite programs: "highs", "clarabel", "scs", "osqp", "nnls" where they apply.
    tol : relative gap at which the status is "certified".
    time_limit : seconds. With a limit, F1 in high dimension tightens its upper bound by branching until
        the limit or `tol`; without one it stops after a few rounds.
    max_rounds : the largest number of rounds of column generation.
    branching_rounds : rounds of branching for the upper end of F1 in high dimension when there is no time limit. Unlike
        a limit in seconds it gives the same proof every time.
    seed : seed of the random starts of local searches.
    self_check : the referee checks the certificate before it is returned, where that costs less than the solve or a
        second. A bracket that it refuses is widened.
    progress : called regularly with one line of text.
    weights : the older name of `law`.

    Returns
    -------
    Certificate : `lower` and `upper` recomputed from the returned classifier and adversary; `checked` if the referee
        has accepted them.

    Raises
    ------
    InputError : bad data or option, in one sentence.  SolverError : the named solver returned no point.
    """
    dataset = data if isinstance(data, Dataset) else load(data)
    request = Request(
        data=dataset,
        norm=norm,
        feature=get_feature(feature),
        bias=flag("bias", bias),
        convention=convention,
        law=law_of(law, weights),
        solver=solver.lower() if isinstance(solver, str) else solver,
        tol=tol,
        time_limit=time_limit,
        max_rounds=max_rounds,
        branching_rounds=branching_rounds,
        seed=seed,
        progress=progress,
        nu=nu,
        start=start.measure() if hasattr(start, "measure") else start,
        self_check=self_check,
    )
    if directions is not None:
        if norm != "f1":
            raise InputError(
                f"directions: given with norm {norm!r}, wanted norm 'f1' (a dictionary of neurons); leave them out"
            )
        return _checked(request, dictionary_margin(request, check_directions(np.asarray(directions), dataset.d + bias)))
    return margin(request)


def margin(request: Request) -> Certificate:
    """The margin over all neurons that a `Request` asks for."""
    if request.norm != "f1":
        return _checked(request, _kernel_margin(request))
    asked = Search(request, request.budget())
    return _checked(request, prove(request.problem, asked.game, asked.proposers, asked.budget, request.Z))


def _checked(request: Request, certificate: Certificate) -> Certificate:
    data = request.data
    return self_checked(certificate, data.X, data.y, request.time_limit) if request.self_check else certificate


def _kernel_margin(request: Request) -> Certificate:
    """After Ctrl-C while a named solver is being set up, our own engine gives its first bracket."""
    try:
        return kernel_margin(request)
    except KeyboardInterrupt:
        if request.solver == "auto":  # it has already kept its bracket, or has none yet
            raise
    asked = Attempt(f"cvxpy/{request.solver}", INTERRUPTED, 0.0)
    certificate = kernel_margin(replace(request, solver="auto", time_limit=0.0, progress=silent))
    return replace(certificate, attempts=(asked, *certificate.attempts))
