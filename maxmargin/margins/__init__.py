"""One call, one certified margin: pick the game, let solvers propose, let the game certify.

in  : a `Request`: data, norm, feature, convention, tolerance, limits.
out : a `Certificate` (`max_margin`), a `MinimumNorm` (`min_norm`), an `Assessment` (`assess`), path points.
may import : games, solvers, oracles, datasets, and `flow` for networks only.
files : `prove` the pipeline that all share; `f1`, `kernel` game and proposers of each norm; `api` the public call.
"""

from .api import margin, max_margin
from .request import Request

__all__ = ["Request", "margin", "max_margin"]
