"""All patterns that units 1{u.z >= 0} show n points: the dictionary of a threshold network.

A pattern is constant on a face of the arrangement of the hyperplanes u.z_i = 0. In general position the open cells show
all patterns but that of u = 0; opposite or collinear points have more.
"""

from __future__ import annotations

import numpy as np

from ..conventions import Array

ZERO = 1e-11  # |u.z| below this, for unit u and |z| of order 1, is a point on the hyperplane


def faces(Z: Array) -> Array:
    """A vector u in each face of the arrangement of the hyperplanes u.z_i = 0, (K, D), by recursion on D.

    Each face but the last lies in a hyperplane, where the others cut it, or beside such a face.
    """
    sizes, found = np.linalg.norm(Z, axis=1), [np.zeros(Z.shape[1])]
    for z in Z[sizes > ZERO] / sizes[sizes > ZERO, None]:
        inside = np.linalg.svd(z[None])[2][1:]  # a basis of the hyperplane
        for u in faces(Z @ inside.T) @ inside:
            heights = np.abs(Z @ u)
            across = heights[heights > ZERO].min(initial=1.0) / (2.0 * sizes.max()) * z  # meets no other hyperplane
            found += [u, u + across, u - across]
    U = np.array(found)
    U /= np.maximum(np.linalg.norm(U, axis=1, keepdims=True), 1e-300)
    heights = U @ Z.T
    return U[np.unique(np.sign(heights) * (np.abs(heights) > ZERO), axis=0, return_index=True)[1]]


def patterns(Z: Array, *, closed: bool = True) -> tuple[Array, Array]:
    """All patterns (n, K) of 1{Z u >= 0} over u in R^D, and a u (K, D) for each.

    Parameters
    ----------
    Z : (n, D) points; the number of faces grows like n^(D-1).
    closed : False for the patterns of open cells only.
    """
    U = faces(Z)
    heights = Z @ U.T
    if not closed:
        inside = np.abs(heights).min(axis=0) > ZERO
        U, heights = U[inside], heights[:, inside]
    on, first = np.unique(heights > -ZERO, axis=1, return_index=True)
    return on.astype(float), U[first]
