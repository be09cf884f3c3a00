"""Stored proofs of upper bounds, verified by kind; NumPy only, no solver."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..conventions import Array
from ..errors import InputError
from ..features.homogeneous import Feature
from . import spectral
from .lifted import inequality
from .span import Span, restricted, wide

_VERIFIERS = {inequality.KIND: inequality.verify, spectral.KIND: spectral.verify}


def proved_bound(Z: Array, y: Array, feature: Feature, p: Array, proof: dict[str, Any]) -> float:
    """The bound on ``max s sum_i p_i y_i sigma(a.z_i)`` that `proof` establishes (path convention), recomputed.

    Raises
    ------
    InputError : a proof of unknown kind, or one that does not fit the data.
    """
    kind = proof.get("kind")
    if kind not in _VERIFIERS:
        raise InputError(f"proof: found kind {kind!r}, wanted one of {', '.join(_VERIFIERS)}")
    named = np.asarray(proof.get("support", []), dtype=np.intp)
    if len(named) and not 0 <= named.min() <= named.max() < len(Z):
        raise InputError("proof: support must be increasing indices of points")
    rows = np.union1d(np.flatnonzero(p), named)
    if not wide(Z[rows]):
        return _VERIFIERS[kind](Z, y, feature, p, proof)
    span = Span.of(Z[rows])
    bound = _VERIFIERS[kind](span.X, y[rows], feature, p[rows], span.narrower(restricted(proof, rows)))
    return span.bound(bound, p[rows], feature)
