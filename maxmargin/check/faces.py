"""Where the largest payoff can be attained, for degree 1: every face of the arrangement around a ray, in floats.

Suppose s g exceeds U >= 0 somewhere on the sphere, and a* maximises it.  Let J be the hyperplanes through a*, F the
face with a* in its relative interior, v the form of any cell that has F as a face, and P the projection along the
normals of J.  On F, s g(a) = s (P v).a, and a* is a local maximum on the unit sphere of J's intersection; hence

    a* = s P v / |P v|,        s g(a*) = |P v| > U,        and a* has the signs of F at all other hyperplanes.

A face is therefore settled if |P v| <= U, or if s P v has a wrong sign at one other hyperplane.  (Every face has a ray,
unless a* lies on all hyperplanes; `all_faces_have_rays`.)  Faces that floats cannot settle are left to the caller.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from . import arrangement
from .arrangement import Signs
from .cells import Batch, Index
from .exact import relative_error
from .fields import Array
from .pieces import Pieces

FIRST = 12  # hyperplanes that are tested before all others


def all_faces_have_rays(pieces: Pieces) -> bool:
    """Whether g vanishes where all hyperplanes meet: in 0 alone, or their normals span the offset."""
    rank = len(arrangement.independent_columns(pieces.lines)) if len(pieces.lines) else 0
    extended = np.vstack([pieces.lines, pieces.offset[None, :]])
    return rank == pieces.offset.size or (rank > 0 and len(arrangement.independent_columns(extended)) == rank)


def open_faces(batch: Batch, normals: Array, bound: float, form_error: float) -> Iterator[tuple[int, Signs]]:
    """Cells of the batch (output sign, signs) with a face around their ray that is not settled.

    Parameters
    ----------
    normals : (N, D) unit normals, rounded.
    bound : U, rounded down.  form_error : bound on the Euclidean error of every form.
    """
    (B, m), D = batch.subsets.shape, normals.shape[1]
    unit = relative_error(16 * D + 64)
    local = normals[batch.subsets]
    # J as bits -> orthonormal frame of its normals, and the sum of the errors of the frame's vectors
    frames: dict[int, tuple[list[Array], Array]] = {0: ([], np.zeros(B))}
    for J in range(2**m):
        if J:
            j = J.bit_length() - 1
            frames[J] = _extended(*frames[J ^ (1 << j)], local[:, j], unit)
        frame, tilt = frames[J]
        columns = np.array([p for p in range(2**m) if not p & J])
        w = batch.forms[:, columns]
        error = _lengths(w) * (2.0 * tilt[:, None] + 2.0 * unit) + form_error
        for q in frame:
            w -= (w @ q[:, :, None]) * q[:, None, :]
        rows, at = np.nonzero(~(_lengths(w) * (1.0 + 1e-14) + error <= bound))
        others = [k for k in range(m) if not J >> k & 1]
        yield from _inside(
            batch, (local[:, others], normals), (rows, columns[at]), others, (w[rows, at], error[rows, at])
        )


def _lengths(w: Array) -> Array:
    """|w| along the last axis; a reduction over so short an axis is slow in NumPy."""
    return np.asarray(np.sqrt(np.einsum("bpd,bpd->bp", w, w)))


def _extended(frame: list[Array], tilt: Array, z: Array, unit: float) -> tuple[list[Array], Array]:
    """Gram-Schmidt for one more unit normal z; ``|x/|x| - y/|y|| <= 2 |x - y| / |x|`` bounds the error of q."""
    q = z.copy()
    for other in frame:
        q -= (q * other).sum(axis=1, keepdims=True) * other
    length = np.linalg.norm(q, axis=1)
    return [*frame, q / length[:, None]], tilt + 2.0 * (2.0 * tilt + unit) / length


def _inside(
    batch: Batch,
    normals: tuple[Array, Array],
    where: tuple[Index, Index],
    others: list[int],
    found: tuple[Array, Array],
) -> Iterator[tuple[int, Signs]]:
    """Of the faces with |P v| > U, those where s P v may have all signs of the face: near the ray, then anywhere."""
    (local, normals_), (rows, pattern), (w, error) = normals, where, found
    sides = 2.0 * (pattern[:, None] >> np.array(others, dtype=np.intp) & 1) - 1.0
    near = (local[rows] @ w[:, :, None])[:, :, 0] * sides
    low, high = near.min(axis=1, initial=np.inf), near.max(axis=1, initial=-np.inf)
    for output, least in ((1, low), (-1, -high)):
        left = np.flatnonzero(~(least < -error))
        # a few hyperplanes settle nearly all faces: test the first ones, then the rest for the faces left
        for some in (slice(0, FIRST), slice(FIRST, None)):
            heights = output * batch.signs[rows[left], some] * (w[left] @ normals_[some].T)
            left = left[~(heights.min(axis=1, initial=0.0) < -error[left])]
        yield output, batch.cells(rows[left], pattern[left])
