"""Numbers and tables as text. A printed lower end is rounded down, an upper end up: the printed bracket holds."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import zip_longest
from os.path import commonprefix

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


def table(header: Sequence[str], rows: Sequence[Sequence[str]], wrap: Mapping[int, int] | None = None) -> str:
    """Plain text table, columns padded, a rule under the header.

    `wrap` gives the widths of the columns (by number) whose cells go on over several lines; there a line break stays.
    """
    lines = [tuple(header)]
    for row in rows:
        cells = [_wrapped(cell, wrap[k]) if wrap and k in wrap else [cell] for k, cell in enumerate(row)]
        lines += zip_longest(*cells, fillvalue="")
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = tuple("-" * width for width in widths)
    padded = (
        (cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in [lines[0], rule, *lines[1:]]
    )
    return "\n".join("  ".join(cells).rstrip() for cells in padded)


def _wrapped(cell: str, width: int) -> list[str]:
    return [line for paragraph in cell.splitlines() for line in textwrap.wrap(paragraph, width)]


def _rounded(value: float, digits: int, rounding: str) -> str:
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    exact = Decimal(value)
    quantum = Decimal(1).scaleb(exact.adjusted() - digits + 1)
    rounded = exact.quantize(quantum, rounding=rounding)
    return f"{rounded:f}" if -5 < exact.adjusted() < 7 else f"{rounded:e}"


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
