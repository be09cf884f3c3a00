"""Scalar options of the public calls, checked before any work starts: one sentence says what was found and wanted.

Every function takes the option's name and what was given, raises `InputError`, and returns the value as Python has it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from .errors import InputError


def choice(name: str, found: Any, wanted: Collection[str]) -> str:
    """One of the strings `wanted`."""
    if isinstance(found, str) and found in wanted:
        return found
    raise InputError(f"{name}: found {found!r}, wanted one of {', '.join(wanted)}")


def flag(name: str, found: Any) -> bool:
    """True or False; a NumPy one, too."""
    if isinstance(found, (bool, np.bool_)):
        return bool(found)
    raise InputError(f"{name}: found {found!r}, wanted True or False")


def whole(name: str, found: Any, least: int) -> int:
    """An integer of at least `least`."""
    if isinstance(found, (int, np.integer)) and not isinstance(found, bool) and found >= least:
        return int(found)
    raise InputError(f"{name}: found {found!r}, wanted an integer of at least {least}")


def real(name: str, found: Any, wanted: str, valid: Callable[[float], bool]) -> float:
    """A real number for which `valid` holds; `wanted` says which, in words."""
    number = isinstance(found, (int, float, np.integer, np.floating)) and not isinstance(found, bool)
    if number and valid(found):
        return float(found)
    raise InputError(f"{name}: found {found!r}, wanted {wanted}")


def positive(name: str, found: Any) -> float:
    """A positive finite number."""
    return real(name, found, "a positive number", lambda v: 0.0 < v < math.inf)


def distance(name: str, found: Any) -> float:
    """A finite distance, 0 allowed."""
    return real(name, found, "a finite distance >= 0, e.g. 0.1", lambda v: 0.0 <= v < math.inf)


def tolerance(name: str, found: Any) -> float:
    """A relative gap."""
    return real(name, found, "a relative gap between 0 and 1, e.g. 1e-6", lambda v: 0.0 < v < 1.0)


def seconds(name: str, found: Any) -> float | None:
    """A time limit, None for none."""
    if found is None:
        return None
    return real(name, found, "seconds >= 0, or None for no limit", lambda v: 0.0 <= v < math.inf)


def seed(name: str, found: Any) -> Any:
    """What `numpy.random.default_rng` takes as a seed, unchanged."""
    if found is None or isinstance(found, (np.random.Generator, np.random.SeedSequence, np.random.BitGenerator)):
        return found
    return whole(name, found, 0)


def call(name: str, found: Any) -> Any:
    """A function; one that says nothing is `maxmargin.progress.silent`."""
    if callable(found):
        return found
    raise InputError(f"{name}: found {found!r}, wanted a function of one line of text; leave it out for silence")
