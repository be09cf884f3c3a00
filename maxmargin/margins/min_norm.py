"""`min_norm`: the smallest norm of a wide two-layer network that takes given real values, as a proved bracket.

in  : points with real targets, a norm, a tube.   out : a `MinimumNorm`: both ends with their proofs.
Equal points become one with the intersection of their tubes; the two ends are proved on the points as given.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import atomic, options
from ..clock import Clock
from ..conventions import NORMS, Array, describe, digest, inputs, relative_gap, variation_factor
from ..errors import InputError
from ..features import homogeneous
from ..features.homogeneous import Feature, get_feature
from ..features.kernels import Kernel
from ..features.kernels_exact import ExactGram
from ..features.kernels_gram import NetworkGram
from ..games.certificate import classifier_json
from ..games.game import Response
from ..games.interpolation import Interpolation, KernelInterpolation, VariationInterpolation
from ..games.interpolation_exact import ExactKernelInterpolation
from ..games.measure import Measure
from ..games.rkhs import KernelExpansion, network_game
from ..oracles.lifted.root import lifted_bound
from ..oracles.selection import Proving
from ..outcome import Attempt, Scope, Status
from ..progress import Progress, silent
from ..result import Result
from ..solvers.interpolation import kernel_interpolant, variation_interpolant
from ..targets import Values, read_targets
from ..text import bracket_text, gap_text
from .prove import library_versions, one_thread

FORMAT, VERSION = "maxmargin-norm", 1
_PATIENCE = 60.0  # expected seconds of a Gram matrix in integers that is still computed
_TIGHT = 1e-3  # relative distance from the relaxation at which its bound is good enough


@dataclass(frozen=True)
class MinimumNorm(Result):
    """``lower <= min { norm(f) : |f(x_i) - t_i| <= tube } <= upper``.

    Attributes
    ----------
    problem : norm, feature, bias, convention, n, d, tube, data_sha256 (of points and targets).
    status : "certified", "bracketed", "interrupted", or "infeasible" when no function takes these values.
    scope : what `lower` covers.  lower, upper : the proved ends of the norm; inf where there is none.
    classifier : f1: `Measure` with f = c sum_k w_k sigma(a_k.z), c = 1/2 for ReLU in the sphere convention, else 1, and
        norm sum_k |w_k|; f2, ntk: `KernelExpansion`. It meets the targets up to rounding, which `upper` includes.
    adversary : (n,) weights of any sign that prove `lower`.
    proof : dual multipliers behind `lower` for scope "sphere-bound".
    tol : relative gap up to which the status is "certified".
    attempts : solvers called.  rounds : of the search.  seconds : wall time.
    training : (n, D) inputs, to evaluate a kernel function; not in the JSON.
    """

    problem: dict[str, Any]
    status: Status
    scope: Scope
    lower: float
    upper: float
    classifier: Measure | KernelExpansion
    adversary: Array
    tol: float
    attempts: tuple[Attempt, ...] = ()
    rounds: int = 0
    seconds: float = 0.0
    proof: dict[str, Any] | None = None
    training: Array | None = field(default=None, repr=False, compare=False)

    @property
    def relative_gap(self) -> float:
        """(upper - lower) / upper."""
        return relative_gap(self.lower, self.upper)

    def decision_function(self, X: Array) -> Array:
        """f at X (N, d), shape (N,): the targets, up to the tube and rounding, at the training points."""
        Z = inputs(np.atleast_2d(np.asarray(X, dtype=float)), self.problem["bias"])
        feature = get_feature(self.problem["feature"])
        if isinstance(self.classifier, Measure):
            factor = variation_factor(feature.degree, self.problem["convention"])
            return factor * self.classifier.outputs(Z, feature)
        if self.training is None:
            raise InputError("min_norm: a kernel function needs its training points; this result does not hold them")
        kernel = Kernel(feature, self.problem["weights"], tangent=self.problem["norm"] == "ntk")
        return kernel(Z, self.training) @ self.classifier.parts.sum(axis=0)

    def __str__(self) -> str:
        """One line each for norm, problem, scope, status and time; the ends rounded outward."""
        problem = self.problem
        unit = describe(problem["norm"], problem["convention"], problem.get("weights"))
        lines = [
            f"norm      {bracket_text(self.lower, self.upper)}   relative gap {gap_text(self.relative_gap)}",
            f"of        functions within {problem['tube']:g} of {problem['n']} values; {unit}",
            f"scope     {self.scope.value}",
            f"status    {self.status.value}: {self.status.sentence}",
            f"seconds   {self.seconds:.2f}, {self.rounds} iterations",
        ]
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """The JSON document."""
        document = {"format": FORMAT, "version": VERSION}
        stated = ("problem", "status", "scope", "lower", "upper", "relative_gap", "tol")
        document |= {name: getattr(self, name) for name in stated}
        document |= {"classifier": classifier_json(self.classifier), "adversary": self.adversary}
        document["solver"] = {"attempts": [one.to_json() for one in self.attempts], "iterations": self.rounds}
        document |= {"seconds": self.seconds, "versions": library_versions()}
        return dict(atomic.plain(document | ({} if self.proof is None else {"proof": self.proof})))


def min_norm(
    data: Any,
    norm: str = "f1",
    tube: float = 0.0,
    *,
    feature: str | Feature = "relu",
    bias: bool = True,
    convention: str = "sphere",
    law: str = "sphere",
    tol: float = 1e-6,
    time_limit: float | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> MinimumNorm:
    """The smallest norm of a function with ``|f(x_i) - t_i| <= tube``.

    ::

        N = min { norm(f) : |f(x_i) - t_i| <= tube } = max { p.t - tube |p|_1 : p pays no unit ball more than 1 }

    Parameters
    ----------
    data : (X, targets) with real targets (n,), a file with a numeric label column, or labelled data, whose targets
        are -1 and +1 (then N >= 1/margin).
    norm : "f1" (variation norm, all neurons), "f2" (RKHS of the fixed hidden layer) or "ntk".
    tube : largest distance from a target, >= 0.
    feature, bias, convention, law, time_limit, seed, progress : as in `max_margin`.
    tol : relative gap at which the status is "certified".

    Raises
    ------
    InputError : bad data or option, in one sentence.
    """
    options.choice("norm", norm, NORMS)
    options.distance("tube", tube)
    options.tolerance("tol", tol)
    options.seconds("time_limit", time_limit)
    options.seed("seed", seed)
    options.call("progress", progress)
    bias, feature, clock = options.flag("bias", bias), get_feature(feature), Clock(time_limit)
    X, targets = read_targets(data)
    problem = {
        "norm": norm,
        "feature": homogeneous.document(feature),
        "bias": bool(bias),
        "convention": convention,
        "n": X.shape[0],
        "d": X.shape[1],
        "tube": float(tube),
        "data_sha256": digest(X, targets),
    } | ({} if norm == "f1" else {"weights": law})
    variation_factor(feature.degree, convention)
    task = _Task(inputs(X, bias), targets, float(tube), norm, feature, convention, law, seed, clock, progress)
    with one_thread():
        return task.solved(problem, tol)


@dataclass(frozen=True)
class _Task:
    """One problem: points, targets and how to search.

    Attributes
    ----------
    Z : (n, D) what the activation sees.  targets : (n,).
    tube, norm, feature, convention, law, seed, clock, progress : as in `min_norm`.
    """

    Z: Array
    targets: Array
    tube: float
    norm: str
    feature: Feature
    convention: str
    law: str
    seed: int
    clock: Clock
    progress: Progress

    def solved(self, problem: dict[str, Any], tol: float) -> MinimumNorm:
        """Search on distinct points, prove on all of them."""
        values = Values.merged(self.Z, self.targets, self.tube)
        if values.contradiction is not None:
            scope = Scope.SPHERE_EXACT if self.norm == "f1" else Scope.KERNEL
            ends, p = (math.inf, math.inf), values.contradiction
            return MinimumNorm(problem, Status.INFEASIBLE, scope, *ends, self._nothing(), p, tol, training=self.Z)
        interpolation = self._interpolation()
        learner, p, attempt, rounds, interrupted = self._searched(values)
        lower, response = interpolation.lower(p)
        if response.scope is Scope.SPHERE_BOUND and not interrupted:
            p, lower, response = self._tightened(interpolation, p, lower, response)
        upper = interpolation.upper(learner)
        if isinstance(learner, KernelExpansion) and relative_gap(lower, upper) > tol and not interrupted:
            learner, lower, upper = self._sharpened(learner, p, lower, upper)
        if upper < lower:  # both are proved: only a value outside of the doubles can do that
            raise InputError("min_norm: the targets and points are too large or too small for doubles; rescale them")
        closed = relative_gap(lower, upper) <= tol
        status = Status.CERTIFIED if closed else Status.INTERRUPTED if interrupted else Status.BRACKETED
        return MinimumNorm(
            problem, status, response.scope, lower, upper, learner, p, tol, (attempt,), rounds, self.clock.seconds,
            response.proof, self.Z,
        )  # fmt: skip

    def _sharpened(
        self, learner: KernelExpansion, p: Array, lower: float, upper: float
    ) -> tuple[KernelExpansion, float, float]:
        """Both ends in integers, where that takes seconds; each only where it gains."""
        game = network_game(self.norm, self.feature, self.Z, np.ones(len(self.Z)), self.law)
        gram = ExactGram(game.K.kernel, game.K.Z) if isinstance(game.K, NetworkGram) else None
        if gram is None or not gram.affordable or gram.seconds > min(self.clock.left, _PATIENCE):
            return learner, lower, upper
        exact = ExactKernelInterpolation(game, self.targets, self.tube, gram)
        better = exact.improved(learner)
        least = exact.upper(better)
        if least < upper:
            learner, upper = better, least
        return learner, max(lower, exact.lower(p)[0]), upper

    def _tightened(
        self, interpolation: Interpolation, p: Array, lower: float, response: Response
    ) -> tuple[Array, float, Response]:
        """The same weights with the bound of the lifted relaxation, where it is better."""
        signs = np.where(p < 0.0, -1.0, 1.0)
        limits: dict[str, Any] = {"clock": self.clock, "tolerance": _TIGHT, "progress": self.progress}
        found = lifted_bound(self.Z, signs, self.feature, p=np.abs(p), fixed=True, **limits)
        kept = signs * found.adversary  # the scale of p is free, that of the multipliers is not
        better, proved = interpolation.lower(kept, found.proof)
        return (kept, better, proved) if better > lower else (p, lower, response)

    def _interpolation(self) -> Interpolation:
        if self.norm == "f1":
            oracle = Proving(self.Z, self.feature, self.clock)
            return VariationInterpolation(self.Z, self.targets, self.tube, self.feature, self.convention, oracle)
        game = network_game(self.norm, self.feature, self.Z, np.ones(len(self.Z)), self.law)
        return KernelInterpolation(game, self.targets, self.tube)

    def _searched(self, values: Values) -> tuple[Measure | KernelExpansion, Array, Attempt, int, bool]:
        if self.norm == "f1":
            limits: dict[str, Any] = {"clock": self.clock, "progress": self.progress}
            found = variation_interpolant(values, self.feature, seed=self.seed, **limits)
            factor = variation_factor(self.feature.degree, self.convention)
            measure = Measure(found.directions, found.weights / factor)
            return measure, values.spread(found.p), found.attempt, found.rounds, found.interrupted
        game = network_game(self.norm, self.feature, values.Z, np.ones(len(values.Z)), self.law)
        K = np.asarray(game.K) * game.scale**2
        c, p, attempt, rounds, interrupted = kernel_interpolant(K, values, self.clock)
        return KernelExpansion(values.placed(c)), values.spread(p), attempt, rounds, interrupted

    def _nothing(self) -> Measure | KernelExpansion:
        n, D = self.Z.shape
        return Measure(np.eye(1, D), np.zeros(1)) if self.norm == "f1" else KernelExpansion(np.zeros(n))
