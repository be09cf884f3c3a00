"""Built-in data: the paper's clusters, sets with margins known by hand, real data."""

from . import bundled, clusters, small  # importing a module registers its generators
from .registry import Description, builtin, describe, is_builtin, names, parse

__all__ = ["Description", "builtin", "bundled", "clusters", "describe", "is_builtin", "names", "parse", "small"]
