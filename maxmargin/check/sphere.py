"""The upper end over all directions: by enumeration of cells, or by a stored proof.

Before all cells are visited, a short ascent from likely directions looks for a better neuron (`refute`): one that is
found is compared exactly; if none is found, nothing follows.  A cell is visited by a cheap float test in batches, and
by an argument if the test leaves it open (`sweep`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from fractions import Fraction
from typing import Any, Protocol

import numpy as np

from . import relaxation, spectral
from .arrangement import Signs
from .cells import Batch, visit_cells
from .claim import Claim
from .dictionary import exact_payoff
from .exact import Array, exact_sum
from .fields import shown
from .linear import linear_cells
from .pieces import Pieces, make_pieces
from .quadratic import quadratic_cells
from .reduction import Reduction
from .verdict import UNLIMITED, Limits, NotSettled, Refusal

_KINDS: dict[str, Callable[[Claim, dict[str, Any], Limits], tuple[float, int]]] = {
    "lifted-relaxation": relaxation.proved_bound,
    "spectral": spectral.proved_bound,
}
_VERSIONS = {"lifted-relaxation": (1, 2), "spectral": (1,)}  # 2: leaves have combinations instead of omega
_WANTED = "version 1 or 2 of lifted-relaxation, or version 1 of spectral"

ATTEMPTS = 4  # tries at a bound that implies the claim despite rounding; the second nearly always succeeds
MOST_ENTRIES = 10_000_000  # of all quadratic forms together, each an integer of any size
STARTS, STEPS = 32, 20
EXACTLY = 3  # best directions that are compared without rounding
WORK = 4_000_000  # largest number of floats of one step
TOGETHER = 4096  # most open cells that wait
SETTLED = 256  # cells that are settled in one call
REMEMBERED = 200_000  # settled cells that are remembered: some 30 MB


class Argument(Protocol):
    """Why the payoff stays below the bound on a cell."""

    def sift(self, batch: Batch) -> Iterable[tuple[int, Signs]]:
        """(output sign, cells that the float test leaves open)."""

    def settle(self, cells: Signs, output: int, limits: Limits) -> None:
        """Prove the bound on all of these cells; `Refusal` where it cannot."""


def sweep(pieces: Pieces, argument: Argument, limits: Limits = UNLIMITED) -> str:
    """Visit every cell, sift it, and settle what is left.

    Open cells are settled as soon as `TOGETHER` of them have come up: a false claim, which leaves most cells open, is
    refused at the first of them, and memory is bounded.
    """
    visits, queues = 0, (_Queue(argument.settle, 1, limits), _Queue(argument.settle, -1, limits))
    for batch in visit_cells(pieces):
        limits.demand()
        visits += batch.forms.shape[0] * batch.forms.shape[1]
        for output, cells in argument.sift(batch):
            queues[output < 0].add(cells)
    for queue in queues:
        queue.empty()
    count = sum(queue.count for queue in queues)
    return f"{visits} visits to the cells of {len(pieces.jumps)} hyperplanes, {count} of them settled one by one"


class _Queue:
    """Cells of one output sign that the float test left open, each once (a cell is seen from all of its rays)."""

    def __init__(self, settle: Callable[[Signs, int, Limits], None], output: int, limits: Limits) -> None:
        self._settle, self._output, self._limits = settle, output, limits
        self._known: set[bytes] = set()
        self._waiting: list[Signs] = []
        self.count = 0

    def add(self, cells: Signs) -> None:
        for key, cell in zip(np.packbits(cells > 0, axis=1), cells, strict=True):
            if key.tobytes() not in self._known:
                self._known.add(key.tobytes())
                self._waiting.append(cell)
                if len(self._waiting) == TOGETHER:
                    self.empty()

    def empty(self) -> None:
        """Settle the waiting cells; clear the memory of settled cells when it holds too many."""
        for start in range(0, len(self._waiting), SETTLED):
            self._settle(np.array(self._waiting[start : start + SETTLED]), self._output, self._limits)
        self.count += len(self._waiting)
        self._waiting = []
        if len(self._known) > REMEMBERED:
            self._known.clear()


def refute(claim: Claim) -> None:
    """`Refusal` with a neuron that is paid more than the claim allows, if the ascent meets one."""
    support = np.flatnonzero(claim.p)
    if not claim.Z[support].any():
        return
    Z, q, degree = claim.Z[support], (claim.p * claim.y)[support], claim.activation.degree
    A = _ascended(claim, Z / (np.abs(Z).max() or 1.0), q)
    paid = np.abs(_payoffs(claim, A, Z, q))
    allowed = Fraction(claim.upper) * exact_sum(claim.p) / Fraction(claim.factor)
    for k in np.argsort(-paid, kind="stable")[:EXACTLY]:
        payoff = abs(exact_payoff(claim.activation, A[k], Z, q))
        square = sum((Fraction(float(v)) ** 2 for v in A[k]), Fraction(0))
        if payoff * payoff > allowed * allowed * square**degree:
            ratio = payoff * payoff / (allowed * allowed * square**degree) if allowed else Fraction(10) ** 300
            excess = float(min(ratio, Fraction(10) ** 300)) ** 0.5 - 1.0
            raise Refusal(
                f"upper: the neuron with direction {np.round(A[k], 6).tolist()} is paid more than the claim allows, "
                f"by a factor 1 + {excess:.3g}"
            )


def _payoffs(claim: Claim, A: Array, Z: Array, q: Array) -> Array:
    """g at the rows of A, in floats."""
    U, sigma = A @ Z.T, claim.activation
    values = sigma.right * np.maximum(U, 0.0) ** sigma.degree + sigma.left * np.maximum(-U, 0.0) ** sigma.degree
    return np.asarray(values @ q)


def _ascended(claim: Claim, Z: Array, q: Array) -> Array:
    """Unit directions: the starts, and the ends of a few gradient steps of |g| from them."""
    sigma = claim.activation
    A = _starts(claim, Z)
    best, value = A, np.abs(_payoffs(claim, A, Z, q))
    for _ in range(STEPS):
        U = A @ Z.T
        if sigma.degree == 1:
            slopes = np.where(U > 0.0, sigma.right, -sigma.left)
        else:
            slopes = sigma.right * np.maximum(U, 0.0) - sigma.left * np.maximum(-U, 0.0)
        gradient = np.sign(_payoffs(claim, A, Z, q))[:, None] * ((slopes * q) @ Z)
        length = np.linalg.norm(gradient, axis=1, keepdims=True)
        # half a step: the full one may jump over a kink and back for ever
        A = A + gradient / np.where(length > 0.0, length, 1.0)
        A = A / np.maximum(np.linalg.norm(A, axis=1, keepdims=True), 1e-300)
        now = np.abs(_payoffs(claim, A, Z, q))
        better = now > value
        best, value = np.where(better[:, None], A, best), np.maximum(now, value)
    return best


def _starts(claim: Claim, Z: Array) -> Array:
    """The classifier's neurons, the axes, some of the points, and their opposites."""
    D = Z.shape[1]
    rows = [np.eye(D)[:STARTS], Z[:: max(1, len(Z) // STARTS)][:STARTS]]
    if claim.directions is not None:
        rows.append(claim.directions[:: max(1, len(claim.directions) // STARTS)])
    A = np.vstack(rows)
    A = A[: max(1, WORK // max(1, 2 * len(Z)))]
    lengths = np.linalg.norm(A, axis=1, keepdims=True)
    A = A[lengths[:, 0] > 0.0] / lengths[lengths[:, 0] > 0.0]
    return np.vstack([A, -A])


def check_sphere(claim: Claim, limits: Limits = UNLIMITED) -> str:
    """``|sum_i p_i y_i sigma(a.z_i)| <= upper sum p / factor`` for every unit a, cell by cell.

    With fewer points than coordinates, a bound below the claim by what `reduction` loses is tried in few coordinates.
    """
    if claim.upper < 0:
        raise Refusal("upper: a negative upper end is impossible, f = 0 has margin 0")
    refute(claim)
    few = _in_few_coordinates(claim)
    if few is not None:
        try:
            return f"{_cells(few, limits)}, in the span of {len(few.p)} points"
        except Refusal:
            limits.demand()  # not a refutation: the claim may hold by a smaller amount
    N, D = int(np.count_nonzero(claim.p)), claim.Z.shape[1]
    if claim.activation.degree == 2 and N * D * D > MOST_ENTRIES:
        raise NotSettled(f"upper: {N} quadratic forms in {D} coordinates are too many for so small a slack")
    return _cells(claim, limits)


def _cells(claim: Claim, limits: Limits) -> str:
    pieces = make_pieces(claim)
    argument = linear_cells(pieces) if pieces.degree == 1 else quadratic_cells(pieces)
    return sweep(pieces, argument, limits)


def _in_few_coordinates(claim: Claim) -> Claim | None:
    """A claim about the points in few coordinates that implies this one; None where there is none."""
    support = np.flatnonzero(claim.p)
    reduction = Reduction.of(claim.Z[support])
    if reduction is None:
        return None
    p, y = claim.p[support], claim.y[support]
    allowed = Fraction(claim.upper) * exact_sum(p) / Fraction(claim.factor)
    upper = claim.upper
    for _ in range(ATTEMPTS):
        # the payoff that `upper` allows in few coordinates, rounded up
        payoff = math.nextafter(float(Fraction(upper) * exact_sum(p) / Fraction(claim.factor)), math.inf)
        least = reduction.bound(payoff, p * y, claim.activation)
        if math.isfinite(least) and Fraction(least) <= allowed:
            return replace(claim, Z=reduction.X, y=y, p=p, upper=upper)
        upper = math.nextafter(upper - 1.01 * max(0.0, (least / float(allowed) - 1.0) * upper), 0.0) if allowed else 0.0
        if not upper > 0.0:
            break
    return None


def check_proof(claim: Claim, proof: dict[str, Any], limits: Limits = UNLIMITED) -> str:
    """The same from a stored dual proof, whose own bound must not exceed the claim."""
    kind = proof.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS or proof.get("version") not in _VERSIONS[kind]:
        found = f"kind {shown(kind)} version {shown(proof.get('version'))}"
        raise Refusal(f"proof: found {found}, wanted {_WANTED}")
    bound, matrices = _KINDS[kind](claim, proof, limits)
    if not bound < float("inf") or Fraction(bound) * Fraction(claim.factor) > Fraction(claim.upper) * exact_sum(
        claim.p
    ):
        established = bound * claim.factor / float(claim.p.sum())
        raise Refusal(f"upper: the stored proof establishes {established:.17g} only, above the claimed {claim.upper!r}")
    return f"the stored proof ({kind}, {matrices} semidefinite matrices) establishes {claim.upper!r}"
