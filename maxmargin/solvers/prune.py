"""Fewer neurons, the same classifier: Caratheodory's theorem for two-layer networks.

A measure sum_k w_k delta_{a_k} acts on n points and has one total variation: n + 1 numbers, linear in |w|.  Whenever
it has more than n + 1 atoms there is a change of |w| that alters none of them, and following it removes an atom.
"""

from __future__ import annotations

import numpy as np

from ..conventions import Array
from ..features.homogeneous import Feature
from ..games.measure import Measure

_RANK = 1e-12


def prune(measure: Measure, Z: Array, feature: Feature) -> Measure:
    """A measure on at most n + 1 of the same neurons, with the same outputs at Z and the same total variation.

    Parameters
    ----------
    measure : K atoms of any norm; unit rows and non-zero weights come out.
    Z : (n, D) points at which the outputs are kept (up to rounding: certify the result, not the argument).
    """
    measure = measure.normalised(feature.degree) if measure.weights.any() else measure
    total = float(np.abs(measure.weights).sum())
    sizes, signs = np.abs(measure.weights), np.sign(measure.weights)
    moments = np.vstack([(feature.evaluate(measure.directions, Z) * signs[:, None]).T, np.ones(len(sizes))])
    sizes = caratheodory(moments, sizes)
    kept = sizes > 0.0
    if not kept.any():
        return measure
    weights = sizes[kept] * (total / sizes.sum())
    return Measure(measure.directions[kept], weights * signs[kept])


def caratheodory(moments: Array, sizes: Array) -> Array:
    """x >= 0 with ``moments @ x = moments @ sizes`` and at most rank(moments) non-zero entries.

    Parameters
    ----------
    moments : (r, K).  sizes : (K,) >= 0.
    """
    x = sizes.copy()
    kernel = _kernel(moments)
    for _ in range(kernel.shape[1]):
        direction = kernel[:, np.argmax(np.abs(kernel).max(axis=0))]
        if direction.max() <= 0.0:
            direction = -direction
        ratios = np.divide(x, direction, out=np.full(len(x), np.inf), where=direction > 0.0)
        gone = int(np.argmin(ratios))
        x = np.maximum(x - ratios[gone] * direction, 0.0)
        x[gone] = 0.0
        kernel = _without(kernel, gone)
    return x


def _without(kernel: Array, row: int) -> Array:
    """Basis of the kernel vectors that vanish at `row`: a reflection gathers the row in one column, which goes."""
    v = kernel[row].copy()
    v[0] += np.copysign(np.linalg.norm(v), v[0])
    kernel = kernel - np.outer(kernel @ v, v * (2.0 / (v @ v)))
    kernel[row] = 0.0
    return kernel[:, 1:]


def _kernel(matrix: Array) -> Array:
    """Orthonormal basis (K, K - rank) of {v : matrix v = 0}."""
    scales = np.linalg.norm(matrix, axis=1)
    _, values, rows = np.linalg.svd(matrix / np.where(scales > 0.0, scales, 1.0)[:, None], full_matrices=True)
    rank = int((values > _RANK * values[0]).sum())
    return rows[rank:].T
