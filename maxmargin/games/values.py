"""Values f(x) of a certified classifier, in an arithmetic that is precise enough for its margin.

A classifier of margin gamma on points of size r sums terms about ``r^2/gamma`` times as large as their
sum.  Each value is summed in float64 together with a bound on its error; where the bound is above `FRACTION` of the
value and of the margin, the sum is made again in extended precision and then in integers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import memory, rounding
from ..conventions import Array, Mask
from ..features.homogeneous import Feature
from ..features.kernels import Kernel
from ..features.kernels_angles import UnitRows
from ..features.kernels_exact import BITS, ExactGram
from ..features.kernels_gram import entry_error
from ..rounding import integers, nearest
from .exact import exact_outputs, summed
from .measure import Measure
from .rkhs import KernelExpansion, long_error

FRACTION = 1e-6
_PAIRS = 50_000  # kernel entries in integers at a time
_MOST_BITS = 16 * BITS


def measure_values(measure: Measure, Z: Array, feature: Feature, margin: float) -> Array:
    """sum_k w_k sigma(a_k.z) at the rows of Z (N, D), path units; `margin` is that of the classifier in these units.

    The error of a product of D terms and a sum over K atoms is bounded by ``rounding.relative_error`` of both lengths
    times the sum of the magnitudes |w_k| (|a_k| |z|)^degree.
    """
    K, D = measure.directions.shape
    values = measure.outputs(Z, feature)
    size = max(abs(feature.right), abs(feature.left)) * measure.total_variation(feature.degree)
    lengths = np.linalg.norm(Z, axis=1) ** feature.degree
    bounds = rounding.relative_error(2 * (K + feature.degree * D) + 8) * size * lengths
    coarse = _coarse(values, bounds, margin)
    if coarse.any():
        values[coarse] = exact_outputs(Z[coarse], feature, measure)
    return values


def kernel_values(kernel: Kernel, expansion: KernelExpansion, training: Array, Z: Array, margin: float) -> Array:
    """sum_i c_i K(z_i, z) at the rows of Z (N, D), for training points (n, D) and a classifier of that margin."""
    used = expansion.parts.any(axis=0)
    parts, training = expansion.parts[:, used], training[used]
    memory.require(8.0 * len(Z) * len(training), f"values at {len(Z)} points", "ask for fewer points at a time")
    values = np.zeros(len(Z))
    if not used.any():
        return values
    coarse = np.ones(len(Z), dtype=bool)
    for dtype in (np.float64, np.longdouble):
        values[coarse], bounds = _sums(kernel, parts, training, Z[coarse], dtype)
        coarse[coarse] = _coarse(values[coarse], bounds, margin)
        if not coarse.any():
            return values
    rows = np.flatnonzero(coarse)
    for some in np.array_split(rows, 1 + len(rows) * len(training) // _PAIRS):
        values[some] = _exact_sums(kernel, parts, training, Z[some], margin)
    return values


def _coarse(values: Array, bounds: Array, margin: float) -> Mask:
    """Which values may be off by more than a fraction of themselves and of the margin."""
    return np.asarray((values != 0.0) | (bounds > 0.0)) & ~(bounds <= FRACTION * np.maximum(np.abs(values), margin))


def _sums(kernel: Kernel, parts: Array, training: Array, Z: Array, dtype: Any) -> tuple[Array, Array]:
    """Values and bounds on their errors, with entries and sums in that precision."""
    rows, others = UnitRows(Z, dtype), UnitRows(training, dtype)
    c = parts.astype(dtype).sum(axis=0)
    roundoff = float(np.finfo(dtype).eps) / 2.0
    lost = 0.0 if len(parts) == 1 else 2.0 * len(parts) * roundoff
    terms = long_error(len(c)) * roundoff / (float(np.finfo(np.longdouble).eps) / 2.0)
    with np.errstate(over="ignore", invalid="ignore"):  # an overflow makes the bound infinite: integers decide
        values = kernel.rectangle(rows, others) @ c
        radii = np.sqrt(kernel.diagonal(others)), np.sqrt(kernel.diagonal(rows))
        relative = 1.01 * (entry_error(kernel, rows.D, dtype) + terms + lost)
        bounds = relative * float(np.abs(c).astype(float) @ radii[0]) * radii[1]
    return np.asarray(values, dtype=float), np.where(np.isfinite(np.asarray(values, dtype=float)), bounds, np.inf)


def _exact_sums(kernel: Kernel, parts: Array, training: Array, Z: Array, margin: float) -> Array:
    """The same in integers, with as many digits as needed."""
    both = np.concatenate([Z, training])
    exponent = int(np.frexp(np.abs(both).max(initial=0.0))[1])
    C, unit = summed(parts), integers(parts)[1]
    scale = unit + 2 * kernel.degree * exponent
    bits = BITS
    while True:
        gram = ExactGram(kernel, np.ldexp(both, -exponent), bits)
        first, second = (index.ravel() for index in np.indices((len(Z), len(training))))
        sums = gram.entries(first, second + len(Z)).reshape(len(Z), len(training)) @ C
        values = nearest(sums, scale - bits)
        error = nearest(np.array([gram.error * int(np.abs(C).sum())], dtype=object), scale - bits)
        if bits >= _MOST_BITS or not _coarse(values, error, margin).any():
            return values
        bits *= 2
