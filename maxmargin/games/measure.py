"""The learner of the F1 game: a signed measure with finitely many atoms, i.e. a two-layer network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..conventions import Array
from ..features.homogeneous import Feature

_BLOCK = 1 << 20  # neurons times points that are evaluated at once: 8 MB


@dataclass(frozen=True)
class Measure:
    """nu = sum_k w_k delta_{a_k}: f(x) = sum_k w_k sigma(a_k . z) (path convention).

    Attributes
    ----------
    directions : (K, D) unit rows a_k.
    weights : (K,) signed w_k.
    """

    directions: Array
    weights: Array

    def __post_init__(self) -> None:
        object.__setattr__(self, "directions", np.atleast_2d(np.ascontiguousarray(self.directions, dtype=float)))
        object.__setattr__(self, "weights", np.atleast_1d(np.ascontiguousarray(self.weights, dtype=float)))

    def __len__(self) -> int:
        return len(self.weights)

    def outputs(self, Z: Array, feature: Feature) -> Array:
        """f at the inputs Z (n, D), shape (n,); in blocks of points, so that memory does not grow with n K."""
        return np.concatenate([self.weights @ feature.evaluate(self.directions, part) for part in self.blocks(Z)])

    def magnitudes(self, Z: Array, feature: Feature) -> Array:
        """``sum_k |w_k| (sum_d |a_kd| |z_id|)^degree``, shape (n,): what the rounding errors of `outputs` multiply."""
        A, weights = np.abs(self.directions), np.abs(self.weights)
        return np.concatenate([weights @ (A @ np.abs(part).T) ** feature.degree for part in self.blocks(Z)])

    def blocks(self, Z: Array) -> list[Array]:
        """The rows of Z in parts, at least one, on which all neurons can be evaluated at once."""
        rows = max(1, _BLOCK // max(1, len(self)))
        return [Z[i : i + rows] for i in range(0, max(1, len(Z)), rows)]

    def total_variation(self, degree: int) -> float:
        """sum_k |w_k| |a_k|^degree: the path norm, robust to directions whose norm is 1 only up to rounding."""
        return float(np.abs(self.weights) @ np.linalg.norm(self.directions, axis=1) ** degree)

    def normalised(self, degree: int) -> Measure:
        """The same classifier with unit directions, absolute weights summing to one, and no empty atoms.

        The zero function becomes a neuron and its negative, with total variation one.
        """
        norms = np.linalg.norm(self.directions, axis=1)
        weights = self.weights * norms**degree
        keep = weights != 0.0
        if not keep.any():
            return Measure(np.eye(1, self.directions.shape[1]).repeat(2, axis=0), np.array([0.5, -0.5]))
        weights = weights[keep] / np.abs(weights).sum()
        return Measure(self.directions[keep] / norms[keep, None], weights)
