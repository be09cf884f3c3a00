"""Say no before the operating system does: memory is estimated first."""

from __future__ import annotations

import os

from .errors import InputError


def available() -> float:
    """Bytes of physical memory now free (infinite where the system does not tell)."""
    try:
        return float(os.sysconf("SC_AVPHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return float("inf")


def require(needed: float, purpose: str, remedy: str) -> None:
    """Refuse an allocation that cannot fit.

    Raises
    ------
    InputError : `needed` bytes are more than `available`.
    """
    free = available()
    if needed > free:
        raise InputError(
            f"memory: {purpose} needs {needed / 2**30:.1f} GiB, found {free / 2**30:.1f} GiB available; {remedy}"
        )
