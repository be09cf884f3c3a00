"""A finite two-layer network, and the measure over unit directions that it is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import atomic, conventions
from ..archives import read_arrays
from ..conventions import Array
from ..errors import InputError
from ..features import RELU, Feature, get_feature
from ..games.measure import Measure


@dataclass(frozen=True, eq=False)
class Network:
    """h_m(x) = (1/m) sum_j b_j sigma(a_j . z), z = (x, 1) with a bias (Eq. 1 of the paper).

    Parameters
    ----------
    hidden : (m, D) input weights a_j, bias coordinate last.
    output : (m,) output weights b_j (signs, for the squared ReLU of the theorems).
    bias : whether z carries the constant coordinate.
    feature : the activation sigma.

    Raises
    ------
    InputError : the shapes of `hidden` and `output` do not belong together, or a weight is not finite.
    """

    hidden: Array
    output: Array
    bias: bool = True
    feature: Feature = RELU

    def __post_init__(self) -> None:
        if self.hidden.ndim != 2 or self.output.shape != self.hidden.shape[:1] or not len(self.output):
            raise InputError(
                f"network: found hidden {self.hidden.shape} and output {self.output.shape}, wanted (m, D) and (m,)"
            )
        if not (np.isfinite(self.hidden).all() and np.isfinite(self.output).all()):
            raise InputError("network: found a weight that is not finite, wanted finite numbers only")

    @property
    def width(self) -> int:
        """Number of neurons m."""
        return len(self.output)

    @property
    def mass(self) -> float:
        """Total mass of the 2-homogeneous projection, sphere convention.

        Degree 1: (1/m) sum_j |a_j|^2 + b_j^2 (Eq. 3); degree 2: (1/m) sum_j |b_j| |a_j|^2.
        """
        if self.feature.degree == 1:
            return conventions.mass(self.hidden, self.output)
        squares = np.einsum("jd,jd->j", self.hidden, self.hidden)
        return float(np.abs(self.output) @ squares) * conventions.mean_field(self.width)

    def decision_function(self, X: Array) -> Array:
        """h_m at the rows of X (n, d); shape (n,)."""
        return self.outputs(conventions.inputs(np.asarray(X), self.bias))

    def outputs(self, Z: Array) -> Array:
        """h_m at inputs that already carry the bias coordinate: Z (n, D), shape (n,)."""
        return conventions.mean_field(self.width) * (self.output @ self.feature.evaluate(self.hidden, Z))

    def measure(self) -> Measure:
        """The same function as a signed `Measure` over unit directions (path convention).

        Directions a_j/|a_j| with weights b_j |a_j|^k / m, k the degree; neurons with a_j = 0 compute nothing and are
        left out.
        """
        lengths = np.linalg.norm(self.hidden, axis=1)
        alive = (lengths > 0) & (self.output != 0)
        weights = conventions.mean_field(self.width) * self.output[alive] * lengths[alive] ** self.feature.degree
        return Measure(self.hidden[alive] / lengths[alive, None], weights)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write an ``.npz`` file, whole or not at all."""
        with atomic.replacing(path, suffix=".npz") as temporary:
            np.savez(
                temporary, hidden=self.hidden, output=self.output, bias=self.bias, feature=np.array(self.feature.name)
            )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Network:
        """Read what `save` wrote; `InputError` when the file is something else."""
        arrays = read_arrays(Path(path))
        try:
            return cls(arrays["hidden"], arrays["output"], bool(arrays["bias"]), get_feature(str(arrays["feature"])))
        except (KeyError, ValueError) as error:
            found = f"network file {os.fspath(path)!r}: {error}"
            raise InputError(f"{found}; wanted a file that Network.save wrote") from error
