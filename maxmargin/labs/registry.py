"""Which laboratories there are: the modules of this folder that bind ``LAB``."""

from __future__ import annotations

import difflib
import importlib
import pkgutil

from ..errors import InputError
from .shape import SCALES, Lab, LabRun


def names() -> list[str]:
    """Names of all laboratories, sorted."""
    return sorted(_all())


def get(name: str) -> Lab:
    """The laboratory of this name; an `InputError` names its neighbours if there is none."""
    known = _all()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or sorted(known)
        raise InputError(f"lab: found {name!r}, wanted the name of a laboratory, for instance {', '.join(near)}")
    return known[name]


def lab(name: str, scale: str = "smoke") -> LabRun:
    """Run one laboratory: train, solve, compare.

    Parameters
    ----------
    name : one of `names()`, for instance "linear-networks".
    scale : "smoke" (seconds) or "full" (up to minutes).

    Returns
    -------
    LabRun : `findings`, each with reference, measured, tolerance and verdict; `passed`; `figure()`.

    Raises
    ------
    InputError : an unknown name or scale.
    """
    if scale not in SCALES:
        raise InputError(f"scale: found {scale!r}, wanted {' or '.join(map(repr, SCALES))}")
    return get(name).measure(scale)


def _all() -> dict[str, Lab]:
    import maxmargin.labs as folder

    found = (importlib.import_module(f"{folder.__name__}.{m.name}") for m in pkgutil.iter_modules(folder.__path__))
    return {module.LAB.name: module.LAB for module in found if hasattr(module, "LAB")}
