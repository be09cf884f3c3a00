"""All cells of a central hyperplane arrangement, each named by its signs, with no cell missed.

Every full-dimensional cell of an arrangement whose normals span R^r is a pointed cone: it has an extreme ray, which
lies on r-1 independent hyperplanes.  So one visits every (r-1)-subset I of normals, takes its ray a (the generalised
cross product), reads the signs of all other normals at +a and -a, and takes all signs on I.  Signs come
from floats where a rigorous rounding bound allows it and from integer determinants elsewhere.  If other normals vanish
at a, the cells around a are those of the normals vanishing there, one rank lower.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .exact import Array, Integers, integers, relative_error

Signs = NDArray[np.int8]


@dataclass(frozen=True)
class Rays:
    """A batch of rays of the arrangement, each on exactly the r-1 hyperplanes of its subset.

    Attributes
    ----------
    subsets : (B, r-1) indices I.
    signs : (B, N) sign of z_k . a at the ray a; 0 on the subset.  The opposite ray has the opposite signs.
    """

    subsets: NDArray[np.intp]
    signs: Signs


def independent_columns(points: Integers) -> list[int]:
    """Columns of an integer matrix that form a basis of its column space (fraction-free elimination)."""
    rows = [list(row) for row in points]
    chosen: list[int] = []
    for j in range(points.shape[1]):
        pivot = next((i for i in range(len(chosen), len(rows)) if rows[i][j]), None)
        if pivot is None:
            continue
        rank = len(chosen)
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        for i in range(rank + 1, len(rows)):
            if rows[i][j]:
                rows[i] = _primitive(
                    [rows[rank][j] * b - rows[i][j] * a for a, b in zip(rows[rank], rows[i], strict=True)]
                )
        chosen.append(j)
    return chosen


def parallel_classes(points: Integers) -> tuple[list[int], list[list[tuple[int, int]]]]:
    """Nonzero rows grouped by the hyperplane they define.

    Returns
    -------
    representatives : one row index per hyperplane.
    members : per hyperplane the pairs (row, +1 or -1), the sign of the row relative to the representative.
    """
    members: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    for i, row in enumerate(points):
        primitive = _primitive(list(row))
        lead = next((v for v in primitive if v), 0)
        if lead:
            sign = 1 if lead > 0 else -1
            members.setdefault(tuple(sign * v for v in primitive), []).append((i, sign))
    classes = [[(i, sign * group[0][1]) for i, sign in group] for group in members.values()]
    return [group[0][0] for group in classes], classes


def count_rays(N: int, rank: int) -> int:
    """How many subsets an enumeration visits."""
    return math.comb(N, rank - 1)


def simple_rays(normals: Array, batch: int = 2048) -> Iterator[tuple[Rays, Signs]]:
    """All rays of the arrangement of the float normals (N, r) of rank r, distinct as hyperplanes.

    Yields
    ------
    rays : those on exactly r-1 hyperplanes.
    degenerate : (B', N) signs at the rays on more hyperplanes than that (0 on each of them), once for each such set of
        hyperplanes; `expand` turns them into cells.
    """
    N, r = normals.shape
    exact, _ = integers(normals)
    scaled = _balanced(normals)
    # ||z||_1 <= 1 after scaling, so every determinant's sum of |products| is at most 1
    error = relative_error(6 * r + 8) + 1e-290
    seen: set[bytes] = set()
    for subsets in _subsets(N, r - 1, batch):
        rays = generalised_cross([scaled[subsets[:, j]] for j in range(r - 1)], r)
        heights = rays @ scaled.T
        signs = np.sign(heights).astype(np.int8)
        unsure = np.abs(heights) <= error
        np.put_along_axis(unsure, subsets, False, axis=1)
        np.put_along_axis(signs, subsets, 0, axis=1)
        keep = _settle(signs, unsure, subsets, exact)
        plain = (signs == 0).sum(axis=1) == r - 1
        fresh = [row for row in signs[keep & ~plain] if _is_new(np.packbits(row == 0).tobytes(), seen)]
        yield Rays(subsets[keep & plain], signs[keep & plain]), np.array(fresh, dtype=np.int8).reshape(-1, N)


def expand(signs: Signs, normals: Integers) -> Iterator[Signs]:
    """The cells around one degenerate ray (N,) and its opposite: rows (C, N) without zeros."""
    zero = np.flatnonzero(signs == 0)
    local = cells(normals[zero])
    for direction in (signs, -signs):
        rows = np.repeat(direction[None, :], len(local), axis=0)
        rows[:, zero] = local
        yield rows


def cells(normals: Integers) -> Signs:
    """Sign vectors (C, N) of all cells, by exact recursion on the rank; distinct hyperplanes, no zero normal."""
    N = len(normals)
    normals = normals[:, independent_columns(normals)]
    r = normals.shape[1]
    if r == N:
        return np.array(list(itertools.product((-1, 1), repeat=N)), dtype=np.int8).reshape(-1, N)
    found: dict[bytes, Signs] = {}
    seen: set[bytes] = set()
    for subset in itertools.combinations(range(N), r - 1):
        ray = generalised_cross([normals[None, i] for i in subset], r)[0]
        signs = np.sign(normals @ ray).astype(np.int8)
        if not ray.any() or not _is_new(np.packbits(signs == 0).tobytes(), seen):
            continue
        for rows in expand(signs, normals):
            found.update((row.tobytes(), row) for row in rows)
    return np.array(list(found.values()), dtype=np.int8).reshape(-1, N)


def generalised_cross(vectors: list[np.ndarray], r: int) -> np.ndarray:
    """The vector orthogonal to r-1 vectors of R^r: its signed maximal minors, by Laplace expansion; batched (B, r)."""
    minors: dict[tuple[int, ...], np.ndarray] = {
        (): np.ones_like(vectors[0][:, 0]) if vectors else np.ones(1, dtype=object)
    }
    for m, rows in enumerate(vectors, start=1):
        minors = {
            columns: sum(
                (-1) ** (m - 1 + t) * rows[:, j] * minors[columns[:t] + columns[t + 1 :]] for t, j in enumerate(columns)
            )
            for columns in itertools.combinations(range(r), m)
        }
    return np.stack([(-1) ** j * minors[tuple(k for k in range(r) if k != j)] for j in range(r)], axis=1)


def _settle(signs: Signs, unsure: NDArray[np.bool_], subsets: NDArray[np.intp], exact: Integers) -> NDArray[np.bool_]:
    """Replace unsure signs by those of integer determinants; True where the subset is independent."""
    keep = np.ones(len(signs), dtype=bool)
    rows = np.flatnonzero(unsure.any(axis=1))
    if not rows.size:
        return keep
    rays = generalised_cross([exact[subsets[rows, j]] for j in range(subsets.shape[1])], exact.shape[1])
    keep[rows] = (rays != 0).any(axis=1)
    at, k = np.nonzero(unsure[rows])
    signs[rows[at], k] = np.sign((rays[at] * exact[k]).sum(axis=1)).astype(np.int8)
    return keep


def _balanced(normals: Array) -> Array:
    """Columns, then rows, scaled by powers of two (exact, and no sign changes) so that every row has 1-norm <= 1."""
    columns = np.frexp(np.abs(normals).max(axis=0))[1]
    scaled = np.ldexp(normals, -columns)
    return np.ldexp(scaled, -np.frexp(np.abs(scaled).sum(axis=1))[1][:, None] - 1)


def _subsets(N: int, size: int, batch: int) -> Iterator[NDArray[np.intp]]:
    stream = itertools.combinations(range(N), size)
    while chunk := list(itertools.islice(stream, batch)):
        yield np.array(chunk, dtype=np.intp).reshape(len(chunk), size)


def _is_new(key: bytes, seen: set[bytes]) -> bool:
    known = key in seen
    seen.add(key)
    return not known


def _primitive(row: list[int]) -> list[int]:
    divisor = math.gcd(*row)
    return [v // divisor for v in row] if divisor > 1 else row
