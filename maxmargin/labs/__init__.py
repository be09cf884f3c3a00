"""Laboratories: other theorems of the neighbourhood, each trained, solved and compared with verdicts that can fail.

A laboratory is one module of this folder that binds ``LAB`` to a `Lab`; its name is the module's, with hyphens. To add
one, add its file: a frozen dataclass of settings, and functions from them to findings and panels. docs/labs.rst derives
what is predicted.
"""

from __future__ import annotations

import importlib
import pkgutil

from ..options import choice
from ..theory.ledger import select
from .shape import SCALES, Lab, LabFinding, LabRun, compare

__all__ = ["SCALES", "Lab", "LabFinding", "LabRun", "compare", "get", "lab", "names"]


def names() -> list[str]:
    """Names of all laboratories, sorted."""
    return sorted(_all())


def get(name: str) -> Lab:
    """The laboratory of this name; an `InputError` names its neighbours if there is none."""
    return select(list(_all().values()), name, argument="lab", wanted="the name of a laboratory")[0]


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
    return get(name).measure(choice("scale", scale, SCALES))


def _all() -> dict[str, Lab]:
    found = (importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
    return {module.LAB.name: module.LAB for module in found if hasattr(module, "LAB")}
