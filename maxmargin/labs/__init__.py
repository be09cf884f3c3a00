"""Laboratories: other theorems of the neighbourhood, each trained, solved and compared with verdicts that can fail.

A laboratory is one module of this folder that binds ``LAB`` to a `Lab`; its name is the module's, with hyphens. To add
one, add its file: a frozen dataclass of settings, and functions from them to findings and panels. docs/labs.rst derives
what is predicted.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil

from ..errors import InputError
from .shape import SCALES, Lab, LabFinding, LabRun, compare

__all__ = ["SCALES", "Lab", "LabFinding", "LabRun", "compare", "get", "lab", "names"]


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
    found = (importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
    return {module.LAB.name: module.LAB for module in found if hasattr(module, "LAB")}
