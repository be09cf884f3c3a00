"""`train`: a gradient-flow run on a data set, optionally carrying proved upper bounds along its path."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .clock import Clock
from .conventions import Array, law_of, variation_factor
from .dataset import Dataset, load
from .features.homogeneous import Feature, get_feature
from .flow.run import Run
from .flow.train import train_flow
from .options import whole
from .oracles.lifted.branch import tighten
from .oracles.selection import Proving, proving_oracle
from .outcome import Scope
from .progress import Progress, silent
from .solvers.random_features import random_feature_bracket
from .threads import one_thread_if_small

CLOSING_ROUNDS = 6  # of branching for the weights at the end: seconds in D = 15
LEAST = 1e-8  # soft-min weights below this fraction of the largest are left out of that proof


def train(
    data: Dataset | Any,
    *,
    layers: str = "both",
    feature: str | Feature = "relu",
    bias: bool = True,
    law: str | None = None,
    certify_every: int | None = None,
    progress: Progress = silent,
    **options: Any,
) -> Run:
    """Train a two-layer network of width m by gradient ascent on the smooth margin (Eqs. 6 and 7).

    Parameters
    ----------
    data : as in `max_margin`.
    layers : "both", "output" (hidden layer fixed at its random start) or "magnitudes" (directions fixed, Prop. 6).
    feature, bias : what a neuron computes; z = (x, 1) with a bias.
    law : of the random features of ``layers="output"``, "sphere" (default) or "gaussian".
    certify_every : every so many steps, prove an upper bound on gamma_1 from the soft-min weights:
        the exact oracle in low dimension, a proved spectral bound above. At the end the bound is made as tight as
        seconds allow: by enumeration where few points carry the weights, else by the lifted relaxation, branched,
        which moves the weights on these points. `Run.adversary` proves it where it is the least. Both layers only.
    options : width, steps, schedule, step_size, loss, init, dtype, batch_size, convention, seed, time_limit, and
        weights, the older name of law; see `maxmargin.flow.train.train_flow`.

    Returns
    -------
    Run : `.margin_best`, `.trace`, `.network`, ...; the JSON of the contract by `.to_json()`. An output-layer run
        carries `.gamma_2m`, the proved bracket of the margin that its own random features allow (Prop. 7).

    Raises
    ------
    InputError : bad data or option, in one sentence.
    """
    dataset, feature = load(data), get_feature(feature)
    Z = dataset.inputs(bias)
    oracle = proving_oracle(Z, feature) if certify_every and layers != "output" else None
    given = {name: value for name, value in options.items() if value is not None}
    if law is not None:
        given["weights"] = law_of(law, given.get("weights"))
    with one_thread_if_small(len(Z) * whole("width", given.get("width", 1000), 1)):
        run = train_flow(
            Z,
            dataset.y,
            layers=layers,
            feature=feature,
            bias=bias,
            oracle=oracle,
            certify_every=certify_every,
            progress=progress,
            **given,
        )
        if oracle is not None and layers == "both":
            run = _closed(run, Z, dataset.y, feature, given.get("time_limit"))
    run = replace(run, data=dataset.to_json())
    if run.norm == "f1":
        return run
    limit = random_feature_bracket(feature.evaluate(run.network.hidden, Z), dataset.y)  # Prop. 7
    return replace(run, gamma_2m=(limit.lower, limit.upper))


def _closed(run: Run, Z: Array, y: Array, feature: Feature, time_limit: float | None) -> Run:
    """The run with the upper end that the points of its last weights prove, if that is lower than those before."""
    p = np.where(run.adversary > LEAST * run.adversary.max(), run.adversary, 0.0)
    p, clock = p / p.sum(), Clock(None if time_limit is None else time_limit - run.seconds)
    factor = variation_factor(feature.degree, run.convention)
    answer = Proving(Z, feature, clock)(p * y)
    bound, scope = answer.bound, answer.scope
    if scope != Scope.SPHERE_EXACT and not clock.expired:
        lower = run.margin_best / factor if run.margin_best > 0.0 else None
        branched = tighten(Z, y, feature, p=p, lower=lower, clock=clock, max_rounds=CLOSING_ROUNDS)
        p, bound = branched.adversary, branched.bound
    bound *= factor
    run = replace(run, seconds=run.seconds + clock.seconds)
    if run.upper is not None and bound >= run.upper:
        return run
    last = {**run.trace[-1], "upper": bound}
    return replace(run, adversary=p, upper=bound, scope=scope, trace=[*run.trace[:-1], last])
