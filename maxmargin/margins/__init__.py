"""One call, one certified margin: pick the game, let a solver propose, let the game certify."""

from .api import margin, max_margin
from .request import Request

__all__ = ["Request", "margin", "max_margin"]
