"""The paper's own numbers: means and standard deviations over 20 runs, read off the vector graphics of figure 2.

Resolution 1/4000. Printed in Chizat and Bach (COLT 2020); "both" and "output" say which layers are trained.
"""

from __future__ import annotations

import math
from typing import NamedTuple

RUNS = 20


class Printed(NamedTuple):
    """A printed mean, and its standard error from the spread of the 20 runs."""

    mean: float
    error: float


def _series(x: tuple[int, ...], means: tuple[float, ...], spreads: tuple[float, ...]) -> dict[int, Printed]:
    return {at: Printed(m, s / math.sqrt(RUNS)) for at, m, s in zip(x, means, spreads, strict=True)}


_SIZES, _DIMENSIONS = (32, 64, 128, 256, 512), (5, 10, 15, 20, 25)
_WIDTHS = (8, 16, 32, 64, 128, 256, 512, 1024)

# n, d -> test error, of figures 2(b) (d = 15) and 2(c) (n = 256)
FIG2B = {
    "both": _series(_SIZES, (0.3641, 0.2273, 0.1208, 0.0362, 0.0066), (0.082, 0.113, 0.109, 0.046, 0.005)),
    "output": _series(_SIZES, (0.3967, 0.3223, 0.2624, 0.2169, 0.1893), (0.086, 0.085, 0.083, 0.094, 0.094)),
}
FIG2C = {
    "both": _series(_DIMENSIONS, (0.0007, 0.0081, 0.0399, 0.1135, 0.1671), (0.001, 0.007, 0.036, 0.097, 0.135)),
    "output": _series(_DIMENSIONS, (0.0957, 0.1773, 0.2379, 0.2759, 0.3065), (0.107, 0.118, 0.110, 0.093, 0.098)),
}
# m -> F1 margin of figure 2(d); one unstated assignment of labels: only the shape of the curve can be compared
FIG2D = _series(
    _WIDTHS,
    (0.00164, 0.00841, 0.00950, 0.01055, 0.01076, 0.01081, 0.01098, 0.01104),
    (0.0037, 0.0012, 0.0006, 0.0005, 0.0004, 0.0003, 0.00024, 0.00015),
)
N, D = 256, 15  # the fixed sizes of these figures, d as the authors' code counts it
