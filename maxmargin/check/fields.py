"""Reading JSON fields strictly: the right type, length and range, or a `Refusal` that names the field."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .verdict import Refusal

Array = NDArray[np.float64]


def shown(value: Any) -> str:
    """A value of the document as quoted in a sentence: at most 30 characters."""
    try:
        return repr(str(value)[:30]) if isinstance(value, str) else repr(value)[:30]
    except ValueError:  # Python does not print integers of more than 4,300 digits
        return "an integer of thousands of digits"


def field(document: dict[str, Any], name: str, kind: Any) -> Any:
    """The value of that type; a bool is not a number."""
    value = document.get(name)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        found = "nothing" if name not in document else f"{type(value).__name__} {shown(value)}"
        raise Refusal(f"{name}: found {found}, wanted {getattr(kind, '__name__', 'a name or an object')}")
    return value


def choice(document: dict[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    """One of the allowed words."""
    value = field(document, name, str)
    if value not in allowed:
        raise Refusal(f"{name}: found {shown(value)}, wanted one of {', '.join(allowed)}")
    return str(value)


def number(document: dict[str, Any], name: str) -> float:
    """A finite number."""
    value = field(document, name, (int, float))
    if not abs(value) <= sys.float_info.max:
        raise Refusal(f"{name}: found {shown(value)}, wanted a finite number")
    return float(value)


def numbers(document: dict[str, Any], name: str, shape: tuple[int | None, ...]) -> Array:
    """A finite array of that shape (None: any length), made of JSON numbers only."""
    values = document.get(name)
    try:
        raw = np.array(values if isinstance(values, (list, np.ndarray)) else None, dtype=object)
        if not all(issubclass(kind, (int, float)) and kind is not bool for kind in set(map(type, raw.ravel()))):
            raise ValueError("not all entries are numbers")
        array = raw.astype(float)
    except (ValueError, OverflowError) as error:
        raise Refusal(f"{name}: found no array of numbers ({error})") from error
    if array.size == 0 and 0 in (shape[0], *array.shape):
        array = array.reshape([0 if length is None else length for length in shape]) if shape[0] in (None, 0) else array
    if array.ndim != len(shape) or any(want not in (None, have) for want, have in zip(shape, array.shape, strict=True)):
        wanted = " x ".join("any" if length is None else str(length) for length in shape)
        raise Refusal(f"{name}: found an array of shape {array.shape}, wanted {wanted}")
    if not np.isfinite(array).all():
        raise Refusal(f"{name}: found an entry that is not finite")
    return array
