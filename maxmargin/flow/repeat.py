"""Independent repetitions of a run, one BLAS thread each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..features.homogeneous import get_feature
from .run import Run
from .train import train_flow

Array = NDArray[np.float64]


def train_seeds(Z: Array, y: Array, seeds: Iterable[int], *, n_jobs: int = 1, **options: Any) -> list[Run]:
    """`train_flow` once a seed, `n_jobs` at a time (-1: one a core); the runs in the order of the seeds.

    The result does not depend on `n_jobs`.
    """
    from joblib import Parallel, delayed

    if "feature" in options:  # a worker process does not know what is registered here
        options["feature"] = get_feature(options["feature"])
    return Parallel(n_jobs=n_jobs)(delayed(_one)(Z, y, seed, options) for seed in seeds)


def _one(Z: Array, y: Array, seed: int, options: dict[str, Any]) -> Run:
    from threadpoolctl import threadpool_limits

    # several workers with several BLAS threads each would fight for the same cores
    with threadpool_limits(1):
        return train_flow(Z, y, seed=seed, **options)
