"""`train`: a gradient-flow run on a data set, optionally carrying proved upper bounds along its path."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .conventions import law_of
from .dataset import Dataset, load
from .features.homogeneous import Feature, get_feature
from .flow.run import Run
from .flow.train import train_flow
from .options import whole
from .oracles.selection import proving_oracle
from .progress import Progress, silent
from .solvers.random_features import random_feature_bracket
from .threads import one_thread_if_small


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
        the exact oracle in low dimension, a proved spectral bound above. Both layers only.
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
    run = replace(run, data=dataset.to_json())
    if run.norm == "f1":
        return run
    limit = random_feature_bracket(feature.evaluate(run.network.hidden, Z), dataset.y)  # Prop. 7
    return replace(run, gamma_2m=(limit.lower, limit.upper))
