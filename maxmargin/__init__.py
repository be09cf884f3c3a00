"""maxmargin: certified max margins of wide two-layer networks, and the gradient flows that converge to them.

    >>> import maxmargin as mm
    >>> certificate = mm.max_margin("xor", norm="f1")        # proved bracket, all neurons on the sphere
    >>> run = mm.train("xor", layers="both", width=200)      # the flow that converges to it

Conventions: n points, z = (x, 1) with a bias (D = d+1) or z = x, labels -1/+1; see `maxmargin.conventions`.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

# Public name -> module. Resolved on first use: importing the package must stay cheap (no SciPy, CVXPY, scikit-learn).
_PUBLIC = {
    "Certificate": "games.certificate",
    "Comparison": "comparison",
    "Dataset": "dataset",
    "DecisionMapDisplay": "plots.displays",
    "DualPotentialDisplay": "plots.displays",
    "Feature": "features.homogeneous",
    "GradientFlowClassifier": "estimators",
    "InputError": "errors",
    "KernelMaxMarginClassifier": "estimators",
    "MarginCurveDisplay": "plots.displays",
    "NeuronsDisplay": "plots.displays",
    "Run": "flow.run",
    "SolverError": "errors",
    "VariationMaxMarginClassifier": "estimators",
    "Assessment": "margins.assess",
    "MinimumNorm": "margins.min_norm",
    "assess": "margins.assess",
    "as_cvxpy": "margins.program",
    "check_certificate": "check",
    "compare": "comparison",
    "film": "film",
    "lab": "labs",
    "load": "dataset",
    "margin_path": "margins.path",
    "max_margin": "margins.api",
    "min_norm": "margins.min_norm",
    "register": "features.homogeneous",
    "train": "training",
    "verify": "verification",
}

__all__ = ["__version__", *sorted(_PUBLIC)]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_PUBLIC[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
