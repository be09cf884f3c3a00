"""F1 over a finite dictionary of directions: column generation whose oracle looks at every direction.

gamma_1^(m) = max of ``min_i y_i sum_k w_k sigma(a_k.z_i)`` over signed weights w on a_1..a_m with ``sum |w_k| <= 1``.
"""

from __future__ import annotations

from dataclasses import replace

from ..conventions import Array
from ..features.homogeneous import Feature
from ..games.variation import DictionaryOracle
from .column_generation import ColumnGeneration
from .proposal import Proposal


def max_margin_dictionary(
    Z: Array, y: Array, feature: Feature, directions: Array, options: ColumnGeneration | None = None
) -> Proposal:
    """Propose the max-margin pair over a dictionary.

    Parameters
    ----------
    Z : (n, D) what the activation sees.  y : (n,) labels +-1.
    directions : (K, D) unit rows.
    options : limits and tolerance (scouting is left out: it would leave the dictionary).
    """
    options = replace(options or ColumnGeneration(tol=1e-12), scouts=0)
    return options(Z, y, feature, DictionaryOracle(Z, feature, directions))
