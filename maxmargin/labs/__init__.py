"""Laboratories: other theorems of the neighbourhood, each trained, solved and compared with verdicts that can fail.

A laboratory is one module of this folder that binds ``LAB`` to a `Lab`; its name is the module's, with hyphens. To add
one, add its file: a frozen dataclass of settings, and functions from them to findings and panels. docs/labs.rst derives
what is predicted.
"""

from __future__ import annotations

from .registry import get, lab, names
from .shape import SCALES, Lab, LabFinding, LabRun, compare

__all__ = ["SCALES", "Lab", "LabFinding", "LabRun", "compare", "get", "lab", "names"]
