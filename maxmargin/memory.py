"""Estimates of memory: an allocation that cannot fit is refused before it is tried."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any, ClassVar

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


def peak() -> int:
    """Peak resident size of this process in bytes; 0 where the system does not tell.

    Linux keeps `ru_maxrss` across `exec`: a process started by a large parent would report the parent's peak.  Its
    own peak is `VmHWM` in /proc/self/status.
    """
    try:
        import resource  # Unix only
    except ImportError:
        return _peak_of_windows()
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    except (OSError, StopIteration):  # not Linux
        size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return size if sys.platform == "darwin" else 1024 * size


class _Counters(ctypes.Structure):
    """PROCESS_MEMORY_COUNTERS of the Windows API."""

    _fields_: ClassVar[Any] = [
        ("size", ctypes.c_uint32),
        ("faults", ctypes.c_uint32),
        ("peak", ctypes.c_size_t),
        *[(f"unused{k}", ctypes.c_size_t) for k in range(7)],
    ]


def _peak_of_windows() -> int:
    system = getattr(ctypes, "windll", None)
    if system is None:
        return 0
    counters = _Counters(size=ctypes.sizeof(_Counters))
    system.kernel32.GetCurrentProcess.restype = ctypes.c_void_p
    handle = ctypes.c_void_p(system.kernel32.GetCurrentProcess())
    told = system.psapi.GetProcessMemoryInfo(handle, ctypes.byref(counters), counters.size)
    return int(counters.peak) if told else 0
