"""Built-in data by name: ``name:option=value,...``. A generator's signature is its list of options.

>>> @builtin("two-rows")                                # doctest: +SKIP
... def two_rows(gap: float = 1.0) -> Dataset:
...     '''Two points on a line, this far apart.'''
"""

from __future__ import annotations

import difflib
import inspect
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple, get_type_hints

from ..errors import InputError
from .values import Dataset

_REGISTRY: dict[str, Callable[..., Dataset]] = {}
_WANTED = {int: "a whole number", float: "a finite number", bool: "true or false", str: "text"}


class Description(NamedTuple):
    """One line of ``maxmargin datasets``: name, options with their defaults, description.

    Attributes
    ----------
    name : of the data set.  options : name -> default.  summary : one line.
    """

    name: str
    options: dict[str, Any]
    summary: str


def builtin(name: str) -> Callable[[Callable[..., Dataset]], Callable[..., Dataset]]:
    """Register a generator under a name; every parameter needs a default and a type out of int, float, bool, str."""

    def register(generate: Callable[..., Dataset]) -> Callable[..., Dataset]:
        _REGISTRY[name] = generate
        return generate

    return register


def names() -> tuple[str, ...]:
    """The registered names, in order of registration."""
    return tuple(_REGISTRY)


def describe() -> list[Description]:
    """The lines of ``maxmargin datasets``: (name, options with defaults, one-line description)."""
    first_lines = {name: (inspect.getdoc(make) or "").partition("\n")[0] for name, make in _REGISTRY.items()}
    return [Description(name, _options(make), first_lines[name]) for name, make in _REGISTRY.items()]


def _options(generate: Callable[..., Dataset]) -> dict[str, Any]:
    """Option names and defaults, in the order of the signature."""
    return {key: parameter.default for key, parameter in inspect.signature(generate).parameters.items()}


def is_builtin(text: str) -> bool:
    """Whether the part before the colon is a registered name."""
    return text.partition(":")[0].strip() in _REGISTRY


def parse(text: str) -> Dataset:
    """Make the data that ``name:option=value,...`` describes.

    A first option without ``=`` is the value of the generator's first parameter (``digits:0-1``). The data's
    ``recipe["source"]`` is the complete name, every option spelt out.

    Raises
    ------
    InputError
        Unknown name or option, an option given twice, a value of the wrong type or out of range.
    """
    name, _, tail = text.strip().partition(":")
    name = name.strip()
    if name not in _REGISTRY:
        raise InputError(f"data: found {text!r}, which is neither a file nor built in{_suggest(name, _REGISTRY)}")
    generate = _REGISTRY[name]
    types, defaults = get_type_hints(generate), _options(generate)
    given: dict[str, Any] = {}
    for position, item in enumerate(part for part in tail.split(",") if tail.strip()):
        key, equals, value = (part.strip() for part in item.partition("="))
        if not equals and position == 0 and defaults:
            key, value = next(iter(defaults)), key
        if key not in defaults:
            raise InputError(f"data: found option {item.strip()!r} in {text!r}{_suggest(key, defaults, name)}")
        if key in given:
            raise InputError(f"data: found option {key!r} twice in {text!r}, wanted it once")
        given[key] = _convert(f"{name}:{key}", value, types[key])
    options = defaults | given
    dataset = generate(**options)
    complete = ",".join(f"{key}={_spell(value)}" for key, value in options.items() if value != "")
    recipe = {"source": f"{name}:{complete}" if complete else name, "options": options} | dict(dataset.recipe or {})
    return replace(dataset, name=text.strip(), recipe=recipe)


def between(option: str, value: float, least: float, most: float) -> None:
    """Refuse an option out of its range [least, most]."""
    if not least <= value <= most:
        upper = "" if most == math.inf else f" and at most {most:g}"
        raise InputError(f"{option}: found {value!r}, wanted at least {least:g}{upper}")


def _convert(option: str, value: str, kind: type) -> Any:
    try:
        if kind is bool:
            return {"true": True, "false": False}[value.lower()]
        if "_" in value and kind is not str:
            raise ValueError
        converted = kind(value)
        if kind is float and not math.isfinite(converted):
            raise ValueError
    except (ValueError, KeyError):
        raise InputError(f"{option}: found {value!r}, wanted {_WANTED[kind]}") from None
    return converted


def _spell(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _suggest(found: str, known: Any, owner: str = "") -> str:
    """The closest known word, or all of them."""
    close = difflib.get_close_matches(found, known, n=1)
    listing = f"the options of {owner} are" if owner else "the built-in names are"
    if not known:
        return f", but {owner} takes no options"
    return f"; {listing} {', '.join(known)}" + (f" (did you mean {close[0]!r}?)" if close else "")
