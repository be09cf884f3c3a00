"""Numbers and tables as text. A printed lower end is rounded down, an upper end up: the printed bracket holds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from .conventions import relative_gap


def lower_text(value: float, digits: int = 6) -> str:
    """`value` rounded down to that many significant digits."""
    return _rounded(value, digits, ROUND_FLOOR)


def upper_text(value: float, digits: int = 6) -> str:
    """`value` rounded up to that many significant digits."""
    return _rounded(value, digits, ROUND_CEILING)


def bracket_text(lower: float, upper: float) -> str:
    """``[lower, upper]`` with just enough digits to show the gap, 4 to 12 significant."""
    gap = relative_gap(lower, upper) if 0 < upper < math.inf else 1.0
    digits = 4 if gap >= 1 else min(12, max(4, 1 - math.floor(math.log10(max(gap, 1e-16)))))
    return f"[{lower_text(lower, digits)}, {upper_text(upper, digits)}]"


def gap_text(gap: float) -> str:
    """A relative gap: ``3.1e-10`` when small, ``4.7 %`` when not."""
    return "0" if gap == 0 else f"{gap:.1e}" if gap < 1e-3 else f"{100 * gap:.1f} %"


def share_text(share: float) -> str:
    """``99.9 %``: a share rounded down, so that a part never reads as the whole."""
    return f"{math.floor(1000.0 * share) / 10.0:.1f} %"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Plain text table, columns padded, a rule under the header."""
    widths = [max(len(row[k]) for row in [header, *rows]) for k in range(len(header))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [header, *rows]
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def _rounded(value: float, digits: int, rounding: str) -> str:
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    exact = Decimal(value)
    quantum = Decimal(1).scaleb(exact.adjusted() - digits + 1)
    rounded = exact.quantize(quantum, rounding=rounding)
    return f"{rounded:f}" if -5 < exact.adjusted() < 7 else f"{rounded:e}"
