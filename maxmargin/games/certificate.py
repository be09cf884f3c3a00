"""The certificate: a margin's bracket together with the pair that proves it, as the JSON of the contract."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import atomic
from ..conventions import Array, describe, inputs, variation_factor
from ..dataset import load
from ..errors import InputError
from ..features.kernels import Kernel
from ..oracles.oracle import SPHERE_BOUND
from ..outcome import Attempt, Status
from ..result import Result, check_format
from ..text import bracket_text, gap_text
from .game import ROUNDING, Bracket
from .measure import Measure
from .problem import Problem
from .rkhs import KernelExpansion
from .values import kernel_values, measure_values

if TYPE_CHECKING:
    from ..flow.network import Network

FORMAT, VERSION = "maxmargin-certificate", 1
_STATED = ("status", "scope", "lower", "upper", "relative_gap", "tol")
_OPTIONAL = ("adversary_low", "proof", "dictionary_sha256", "dictionary")


@dataclass(frozen=True)
class Certificate(Result):
    """``lower <= gamma <= upper`` with the classifier that attains `lower` and the adversary that proves `upper`.

    Attributes
    ----------
    problem : which margin, in which norm and convention.
    bracket : lower, upper and scope, recomputed by a game from `classifier` and `adversary`.
    status : our conclusion from the gap.
    classifier : `Measure` (f1) or `KernelExpansion` on the training points (f2, ntk), of norm one.
    adversary : (n,) weights p >= 0 with sum one.
    adversary_low : (k, n) further parts of p where its rounding would lose the margin; p is the sum of all (None: p).
    tol : relative gap up to which the status is "certified".
    attempts : solvers called, with their status and time.  iterations : rounds of the search.
    seconds : wall time, without imports and file reading.  versions : of the libraries used.
    proof : dual multipliers of a "sphere-bound" (None when enumeration is the proof).
    dictionary_sha256, dictionary : hash and rows of the unit directions (K, D), for scope "dictionary".
    checked, check_seconds : whether the referee has accepted these numbers before they were issued, and its time (None:
        it was not asked).
    training : inputs z (n, D) of the training points, needed to evaluate a kernel classifier; not in the JSON.
    """

    problem: Problem
    bracket: Bracket
    status: Status
    classifier: Measure | KernelExpansion
    adversary: Array
    tol: float
    attempts: tuple[Attempt, ...] = ()
    iterations: int = 0
    seconds: float = 0.0
    proof: dict[str, Any] | None = None
    dictionary_sha256: str | None = None
    dictionary: Array | None = field(default=None, repr=False, compare=False)
    versions: dict[str, str] = field(default_factory=dict)
    checked: bool = False
    check_seconds: float | None = None
    training: Array | None = field(default=None, repr=False, compare=False)
    adversary_low: Array | None = field(default=None, repr=False, compare=False)

    @property
    def lower(self) -> float:
        """Proved lower end: the classifier attains it."""
        return self.bracket.lower

    @property
    def upper(self) -> float:
        """Proved upper end: the adversary shows that nothing exceeds it."""
        return self.bracket.upper

    @property
    def sentence(self) -> str:
        """The meaning of the status here, and what would improve it."""
        by_time = self.scope == SPHERE_BOUND
        return ROUNDING if self.status is Status.BRACKETED and not by_time else self.status.sentence

    @property
    def relative_gap(self) -> float:
        """(upper - lower) / upper; 0 when both ends are 0."""
        return self.bracket.relative_gap

    @property
    def nu(self) -> float | None:
        """Fraction of a soft margin; None for a hard one."""
        return self.problem.nu

    @property
    def scope(self) -> str:
        """What `upper` covers: "sphere-exact", "sphere-bound", "dictionary" or "kernel"."""
        return self.bracket.scope

    def decision_function(self, X: Array) -> Array:
        """f(x) of the max-margin classifier at X (N, d), in units of the margin: ``min_i y_i f(x_i) = lower``.

        Right to 1e-6 of the margin or of the value, even where its terms cancel (`games.values`).

        Raises
        ------
        InputError : a kernel certificate read from JSON has no training points: pass the data to `from_json`.
        """
        Z = inputs(np.atleast_2d(X), self.problem.bias)
        feature = self.problem.feature
        if isinstance(self.classifier, Measure):
            factor = variation_factor(feature.degree, self.problem.convention)
            return factor * measure_values(self.classifier, Z, feature, self.lower / factor)
        if self.training is None:
            raise InputError(
                "certificate: a kernel classifier needs its training points; read it with from_json(document, data)"
            )
        kernel = Kernel(feature, self.problem.law or "sphere", tangent=self.problem.norm == "ntk")
        return kernel_values(kernel, self.classifier, self.training, Z, self.lower)

    def network(self) -> Network:
        """A finite network that is the F1 classifier: equal outputs, at most n + 1 balanced neurons, mass one.

        In the sphere convention ``h_m = f`` with (1/m) sum_j |w_j|^2 = 1 and |a_j| = |b_j|; in the path convention the
        outputs, and the mass, are twice that (Prop. 9).

        Raises
        ------
        InputError : the classifier is a kernel expansion, or zero.
        """
        from ..flow.network import Network  # imported here, because certificates do not depend on `flow` otherwise

        if not isinstance(self.classifier, Measure) or not self.classifier.weights.any():
            raise InputError("certificate: only a non-zero F1 classifier is a finite network")
        degree, weights = self.problem.feature.degree, self.classifier.weights
        sizes = variation_factor(degree, self.problem.convention) * len(weights) * np.abs(weights)
        lengths = np.sqrt(sizes)[:, None]
        output = np.sign(weights) * (lengths[:, 0] if degree == 1 else 1.0)
        return Network(lengths * self.classifier.directions, output, self.problem.bias, self.problem.feature)

    def to_json(self) -> dict[str, Any]:
        """The JSON document of the contract (plain dict; arrays stay arrays until written)."""
        document = {"format": FORMAT, "version": VERSION, "problem": self.problem.to_json()}
        document |= {name: getattr(self, name) for name in _STATED}
        document |= {"classifier": classifier_json(self.classifier), "adversary": self.adversary}
        document["solver"] = {"attempts": [one.to_json() for one in self.attempts], "iterations": self.iterations}
        document |= {name: getattr(self, name) for name in ("checked", "check_seconds", "seconds", "versions")}
        document |= {name: part for name in _OPTIONAL if (part := getattr(self, name)) is not None}
        return dict(atomic.plain(document))

    @property
    def _referee(self) -> str:
        """The referee's verdict, as printed."""
        if self.checked:
            return f"yes: the referee accepts it, {self.check_seconds or 0.0:.2f} s"
        if self.check_seconds is None:
            return "no: the referee was not asked (maxmargin check asks it)"
        return f"no: {self.attempts[-1].status}"

    def __str__(self) -> str:
        """One line each for margin, norm, scope, status and time; the ends rounded outward."""
        problem, bracket = self.problem, bracket_text(self.lower, self.upper)
        unit = describe(problem.norm, problem.convention, problem.law)
        units = ", of the standardised data" if problem.standardized else ""
        lines = [
            f"margin    {bracket}   relative gap {gap_text(self.relative_gap)}",
            f"norm      {unit}, {problem.feature.name}, {'with bias' if problem.bias else 'no bias'}{units}",
            f"scope     {self.scope}",
            f"status    {self.status.value}: {self.sentence}",
            f"checked   {self._referee}",
            f"seconds   {self.seconds:.2f}, {self.iterations} iterations",
        ]
        return "\n".join(lines)

    @classmethod
    def from_json(cls, source: dict[str, Any] | str | PathLike[str], training: Array | None = None) -> Certificate:
        """Read a certificate; the numbers are not verified (``maxmargin check`` does that).

        Parameters
        ----------
        source : the document or the path of a file.
        training : (n, D) inputs z of the training points, to evaluate a kernel classifier.

        Raises
        ------
        InputError : not a certificate of this version.
        """
        document = source if isinstance(source, dict) else atomic.read_object(source)
        check_format("certificate", document, FORMAT, VERSION)
        try:
            return cls._from_document(document, training)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"certificate: incomplete or malformed ({error}); write it again with maxmargin margin"
            ) from error

    @classmethod
    def load(cls, path: str | PathLike[str], data: Any = None) -> Certificate:
        """Read what `save` wrote.

        Parameters
        ----------
        path : the JSON file.
        data : the training data as for `max_margin`, which a kernel classifier needs to be evaluated; None without.

        Raises
        ------
        InputError : no such certificate, or one of other data.
        """
        certificate = cls.from_json(path)
        if data is None:
            return certificate
        dataset, problem = load(data), certificate.problem
        if dataset.sha256 != problem.data_sha256:
            found = f"data: their hash is {dataset.sha256[:12]}..., the certificate's {problem.data_sha256[:12]}..."
            raise InputError(f"{found}; wanted the data of the certificate")
        return replace(certificate, training=dataset.inputs(problem.bias))

    @classmethod
    def _from_document(cls, document: dict[str, Any], training: Array | None) -> Certificate:
        upper = document["upper"]
        return cls(
            problem=Problem.from_json(document["problem"]),
            bracket=Bracket(document["lower"], np.inf if upper is None else upper, document["scope"]),
            status=Status(document["status"]),
            classifier=_classifier(document["classifier"]),
            adversary=np.array(document["adversary"], dtype=float),
            tol=document["tol"],
            attempts=tuple(Attempt(**attempt) for attempt in document["solver"]["attempts"]),
            iterations=document["solver"]["iterations"],
            checked=bool(document.get("checked", False)),
            check_seconds=document.get("check_seconds"),
            seconds=document["seconds"],
            proof=document.get("proof"),
            dictionary_sha256=document.get("dictionary_sha256"),
            dictionary=np.array(document["dictionary"], dtype=float) if "dictionary" in document else None,
            versions=document["versions"],
            training=training,
            adversary_low=_rows(document, "adversary_low"),
        )


def classifier_json(classifier: Measure | KernelExpansion) -> dict[str, Any]:
    """The entry "classifier" of a document."""
    if isinstance(classifier, Measure):
        return {"directions": classifier.directions, "weights": classifier.weights}
    document = {"coefficients": classifier.coefficients}
    return document if classifier.low is None else document | {"coefficients_low": classifier.low}


def _classifier(document: dict[str, Any]) -> Measure | KernelExpansion:
    if "coefficients" in document:
        return KernelExpansion(np.array(document["coefficients"], dtype=float), _rows(document, "coefficients_low"))
    return Measure(np.array(document["directions"], dtype=float), np.array(document["weights"], dtype=float))


def _rows(document: dict[str, Any], name: str) -> Array | None:
    return np.atleast_2d(np.array(document[name], dtype=float)) if name in document else None
