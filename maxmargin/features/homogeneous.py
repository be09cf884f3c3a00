"""Feature functions phi(a, z) = sigma(a.z): a positively homogeneous scalar activation is three numbers.

Every sigma with ``sigma(r u) = r^k sigma(u)`` for r >= 0 is ``right (u)_+^k + left (-u)_+^k``, because its two
half-lines determine it.  All that the package does on the sphere (oracles, relaxations, checks) is written
for this family, so a new feature function is one line::

    LEAKY_RELU = register(Feature("leaky-relu", degree=1, right=1.0, left=-0.1))
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..conventions import Array
from ..errors import InputError


@dataclass(frozen=True)
class Feature:
    """sigma(u) = right (u)_+^degree + left (-u)_+^degree.

    Parameters
    ----------
    name : its name on the command line and in the JSON.
    degree : 1 (piecewise linear) or 2 (piecewise quadratic); phi is then (degree+1)- or, with a sign
        for output weight, degree-homogeneous in its parameters (assumption A1 of the paper).
    right, left : the two coefficients; ReLU is (1, 0), leaky ReLU of slope s is (1, -s), |u| is (1, 1).

    Raises
    ------
    InputError : degree is neither 1 nor 2, or a coefficient is not finite.
    """

    name: str
    degree: int
    right: float = 1.0
    left: float = 0.0

    def __post_init__(self) -> None:
        if self.degree not in (1, 2):
            raise InputError(f"feature degree: found {self.degree!r}, wanted 1 (like ReLU) or 2 (like squared ReLU)")
        if not np.isfinite([self.right, self.left]).all():
            raise InputError(f"feature coefficients: found right={self.right}, left={self.left}, wanted finite numbers")

    def __call__(self, U: Array) -> Array:
        """sigma(U), elementwise."""
        positive = np.maximum(U, 0.0)
        if self.degree == 2:
            positive *= positive
        out = positive if self.right == 1.0 else self.right * positive
        if self.left:
            negative = np.maximum(-U, 0.0)
            out += self.left * (negative if self.degree == 1 else negative * negative)
        return out

    def derivative(self, U: Array) -> Array:
        """sigma'(U), elementwise; at the kink of degree 1 the left value, as in the authors' code."""
        if self.degree == 1:
            return np.where(U > 0.0, self.right, -self.left)
        return 2.0 * (self.right * np.maximum(U, 0.0) - self.left * np.maximum(-U, 0.0))

    def evaluate(self, directions: Array, Z: Array) -> Array:
        """phi(a_k, z_i) = sigma(a_k . z_i), shape (K, n), for directions (K, D) and inputs Z (n, D)."""
        return self(directions @ Z.T)

    def canonical(self, Z: Array, q: Array) -> tuple[Array, Array]:
        """Canonical form of g(a) = sum_i q_i sigma(a.z_i): a base term plus weighted positive parts.

        degree 1: ``g(a) = base . a + sum_i c_i (a.z_i)_+``,   base (D,),   since (-u)_+   = (u)_+ - u
        degree 2: ``g(a) = a' base a + sum_i c_i (a.z_i)_+^2``, base (D, D), since (-u)_+^2 = u^2 - (u)_+^2

        Returns
        -------
        base, c : with c of shape (n,).
        """
        if self.degree == 1:
            base = -self.left * (q @ Z) if self.left else np.zeros(Z.shape[1])
            return base, (self.right + self.left) * q
        D = Z.shape[1]
        base = self.left * (Z.T * q) @ Z if self.left else np.zeros((D, D))
        return base, (self.right - self.left) * q


_REGISTERED: dict[str, Feature] = {}


def register(feature: Feature) -> Feature:
    """Make a feature known by its name to the command line and to ``max_margin(feature=...)``."""
    _REGISTERED[feature.name] = feature
    return feature


def custom() -> tuple[Feature, ...]:
    """The registered features that are not built in; another process needs them."""
    return tuple(feature for feature in _REGISTERED.values() if feature not in (RELU, SQUARED_RELU))


def remember(features: Iterable[Feature]) -> None:
    """Register those whose names are still free."""
    for feature in features:
        _REGISTERED.setdefault(feature.name, feature)


def get_feature(feature: str | Feature | dict[str, Any]) -> Feature:
    """The feature of that name or document (a `Feature` passes through); `InputError` lists the known names."""
    if isinstance(feature, Feature):
        return feature
    if isinstance(feature, dict):
        return Feature(**feature)
    if feature not in _REGISTERED:
        raise InputError(
            f"feature: found {feature!r}, wanted one of {', '.join(sorted(_REGISTERED))}; one registered in another "
            "process is not known here, pass the Feature itself"
        )
    return _REGISTERED[feature]


def document(feature: Feature) -> str | dict[str, Any]:
    """A feature as a JSON document states it: the name of a built-in one, else all its numbers."""
    return feature.name if feature in (RELU, SQUARED_RELU) else asdict(feature)


def registered() -> tuple[str, ...]:
    """Names of all registered features."""
    return tuple(sorted(_REGISTERED))


RELU = register(Feature("relu", degree=1))
SQUARED_RELU = register(Feature("squared-relu", degree=2))
