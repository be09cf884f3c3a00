"""Numbers as text: a bracket shows its common digits once, and is rounded outward, so that it still holds."""

from __future__ import annotations

import math
from os.path import commonprefix

from ..text import lower_text, upper_text


def shared_digits(lower: float, upper: float, digits: int = 6) -> str:
    """``0.0378712[3, 9]``: the digits that agree, then the two ends, rounded outward.

    Equal ends give one number of that many `digits`; ends with few common digits give ``[lower, upper]``.
    """
    if lower == upper:
        return f"{lower:.{digits}g}"
    if not (0 < lower < upper < math.inf):
        end = "\u221e" if math.isinf(upper) else upper_text(upper, digits)
        return f"[{lower_text(lower, digits)}, {end}]"
    agreeing = -math.log10((upper - lower) / upper)
    shown = max(3, min(16, math.ceil(agreeing) + 1))
    low, high = lower_text(lower, shown), upper_text(upper, shown)
    head = commonprefix([low, high])
    if "e" in low + high or len(head.replace("0", "").replace(".", "")) < 2 or len(low) != len(high):
        return f"[{low}, {high}]"
    return f"{head}[{low[len(head) :]}, {high[len(head) :]}]"


def percent(fraction: float | None) -> str:
    """``97.3 %``, rounded down so that nothing is overstated; a dash when there is nothing to compare with."""
    if fraction is None or not math.isfinite(fraction):
        return "\u2013"
    return f"{math.floor(fraction * 1e4) / 100:.2f}".rstrip("0").rstrip(".") + " %"


def short(lower: float, upper: float, digits: int = 4) -> str:
    """For titles: the bracket rounded outward to that many digits, ``[0.01117, 0.01118]``."""
    if upper > 0 and math.isfinite(upper) and (upper - lower) / upper < 0.5 * 10.0 ** (1 - digits):
        low, high = lower_text(lower, digits), upper_text(upper, digits)
        return low if low == high else f"[{low}, {high}]"
    return shared_digits(lower, upper, digits)
