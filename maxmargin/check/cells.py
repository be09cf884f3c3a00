"""The cells of an arrangement, in batches around its rays, with the form of the payoff on each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import arrangement
from .arrangement import Signs
from .fields import Array
from .pieces import Pieces
from .verdict import NotSettled

# Numbers in the forms of all visits: some minutes. A batch holds a few arrays of BATCH numbers at once.
MOST_NUMBERS = 300_000_000
BATCH = 4_000_000
MOST_RANK = 14  # a ray is the expansion of a determinant, 2^rank terms

Index = NDArray[np.intp]


@dataclass(frozen=True)
class Batch:
    """The cells around some rays.

    Attributes
    ----------
    forms : (B, 2**m, M) the float form on each cell; column c has the c-th of `patterns(m)` as its signs on the subset.
    subsets : (B, m) hyperplanes through each ray.
    signs : (B, N) the other signs, zero on the subset.
    """

    forms: Array
    subsets: Index
    signs: Signs

    def cells(self, rows: Index, choice: Index) -> Signs:
        """Full sign vectors of the cells ``choice[j]`` around the rays ``rows[j]``."""
        full = self.signs[rows].copy()
        np.put_along_axis(full, self.subsets[rows], patterns(self.subsets.shape[1])[choice], axis=1)
        return full


def visit_cells(pieces: Pieces) -> Iterator[Batch]:
    """Every cell of the arrangement at least once (each from all of its rays)."""
    N = len(pieces.jumps)
    columns = arrangement.independent_columns(pieces.lines) if N else []
    rank = len(columns)
    if not rank:
        yield Batch(
            pieces.float_offset[None, None, :], np.zeros((1, 0), dtype=np.intp), np.zeros((1, 0), dtype=np.int8)
        )
        return
    around_ray = 2**rank * pieces.offset.size
    if rank > MOST_RANK or arrangement.count_rays(N, rank) * around_ray > MOST_NUMBERS:
        raise NotSettled(
            f"upper: no proof is stored, and {N} hyperplanes in dimension {rank} have too many cells to visit them all"
        )
    for rays, degenerate in arrangement.simple_rays(pieces.normals[:, columns], 1 + min(2047, BATCH // around_ray)):
        for direction in (1, -1):
            signs = direction * rays.signs
            yield Batch(_forms(pieces, signs, rays.subsets), rays.subsets, signs)
        for row in degenerate:
            for signs in arrangement.expand(row, pieces.lines):
                none = np.zeros((len(signs), 0), dtype=np.intp)
                yield Batch(_forms(pieces, signs, none), none, signs)


def patterns(m: int) -> Signs:
    """All sign vectors of length m, (2**m, m): bit k of the row's number is the sign at k."""
    bits = np.arange(2**m)[:, None] >> np.arange(m)
    return (2 * (bits & 1) - 1).astype(np.int8)


def _forms(pieces: Pieces, signs: Signs, subsets: Index) -> Array:
    base = pieces.float_offset + (signs > 0) @ pieces.float_jumps
    choices = (patterns(subsets.shape[1]) > 0).astype(float)
    return base[:, None, :] + choices @ pieces.float_jumps[subsets]
