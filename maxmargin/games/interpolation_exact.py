"""Minimum norms in an RKHS with the Gram matrix in integers: for kernel matrices of large condition.

In floats a function meets its targets up to ``u |K| |c|``, and a residual r costs up to |r| / sqrt(least eigenvalue):
1e-6 of the norm where the condition is 1e10.  In integers the residual is known, and one more solve removes it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from ..conventions import Array
from ..features.kernels_exact import ExactGram
from ..outcome import Scope
from ..rounding import integers
from .exact import ExactKernelGame, summed
from .game import Response
from .interpolation import KernelInterpolation
from .rkhs import KernelExpansion


@dataclass(frozen=True)
class ExactKernelInterpolation(KernelInterpolation):
    """`KernelInterpolation` without rounding.

    Attributes
    ----------
    gram : the Gram matrix of the ball's points in integers.
    """

    gram: ExactGram

    @cached_property
    def game(self) -> ExactKernelGame:
        """The game in integers, for the norms."""
        gram = self.gram
        return ExactKernelGame(gram.matrix(), gram.error, self.ball.y, self.ball.scale, gram.bits)

    def response(self, p: Array, proof: dict[str, Any] | None = None) -> Response:
        """sqrt(p'Kp)."""
        learner = KernelExpansion(p)
        return Response(learner, self.ball.norm(learner), self._norm(learner), Scope.KERNEL)

    def improved(self, learner: KernelExpansion) -> KernelExpansion:
        """The learner with further parts of its coefficients, which bring it into the tubes but for what they round."""
        wanted = np.array([float(r) for r in self._wanted(learner)])
        rows = np.unique(self.gram.Z, axis=0, return_index=True)[1]
        K = np.asarray(self.ball.K)[np.ix_(rows, rows)] * self.ball.scale**2
        more = np.zeros((1, len(wanted)))
        more[0, rows] = np.linalg.lstsq(K, wanted[rows], rcond=None)[0]
        return KernelExpansion(learner.coefficients, np.concatenate([learner.parts[1:], more]))

    def upper(self, learner: KernelExpansion) -> float:
        """sqrt(c'Kc) of the learner, plus the norm of a function through its residuals."""
        wanted = [abs(r) for r in self._wanted(learner)]
        missed = np.array([math.nextafter(float(r), math.inf) if r else 0.0 for r in wanted])
        return self.with_correction(self._norm(learner), missed)

    def _norm(self, learner: KernelExpansion) -> float:
        C, exponent = summed(learner.parts), integers(learner.parts)[1]
        return math.ldexp(self.game.root(C), exponent)

    def _wanted(self, learner: KernelExpansion) -> list[Fraction]:
        """What has to be added to each value, at most, to bring it into its tube."""
        C, exponent = summed(learner.parts), integers(learner.parts)[1]
        unit = Fraction(2) ** (exponent - self.gram.bits) * Fraction(self.ball.scale) ** 2
        error, tube = self.gram.error * int(np.abs(C).sum()) * unit, Fraction(self.tube)
        out = []
        for value, target in zip(self.game.matrix @ C, self.targets, strict=True):
            off = Fraction(float(target)) - int(value) * unit
            beyond = abs(off) + error - tube
            out.append((1 if off > 0 else -1) * beyond if beyond > 0 else Fraction(0))
        return out
