"""Numbers and tables as text. A printed lower end is rounded down, an upper end up: the printed bracket holds."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import zip_longest

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
