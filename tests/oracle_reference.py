"""Slow, independent maxima of s g(a): all sign patterns on all flats (degree 1), all patterns and ascent (degree 2)."""

from itertools import combinations, product

import numpy as np


def payoffs(Z, q, feature, A):
    """|g| at the rows of A."""
    return np.abs(feature.evaluate(A, Z) @ q)


def random_directions(D, K, seed=0):
    A = np.random.default_rng(seed).normal(size=(K, D))
    return A / np.linalg.norm(A, axis=1)[:, None]


def brute_force(Z, q, feature):
    """Maximum of |g| over the sphere for n <= 8: every face's maximiser is among the candidates, with many phantoms.

    For each set T of at most D-1 points and each of the 2^n sign patterns, project the pattern's form on the flat
    orthogonal to T; no feasibility is checked, because any unit vector may be evaluated.
    """
    n, D = Z.shape
    patterns = np.array(list(product((False, True), repeat=n)))
    forms = (np.where(patterns, feature.right, -feature.left) * q) @ Z
    best = 0.0
    for size in range(D):
        for T in combinations(range(n), size):
            _, s, V = np.linalg.svd(np.vstack([Z[list(T)], np.zeros((1, D))]))
            flat = V[(s > 1e-9 * max(s[0], 1e-300)).sum() :]
            A = np.vstack([forms @ flat.T, np.eye(len(flat))]) @ flat
            norms = np.linalg.norm(A, axis=1)
            A = A[norms > 1e-9] / norms[norms > 1e-9, None]
            best = max(best, payoffs(Z, q, feature, np.vstack([A, -A])).max(initial=0.0))
    return best


def brute_force_quadratic(Z, q, feature):
    """Maximum of |g| for degree 2 and n <= 8: eigenvectors of all 2^n matrices, then shifted power steps."""
    n, D = Z.shape
    masks = np.array(list(product((False, True), repeat=n)))
    M = np.einsum("pi,ij,ik->pjk", np.where(masks, feature.right, feature.left) * q, Z, Z)
    vectors = np.linalg.eigh(M)[1].transpose(0, 2, 1).reshape(-1, D)
    A = np.vstack([vectors, -vectors, random_directions(D, 200)])
    best = payoffs(Z, q, feature, A).max()
    shift = 1e-9 + (np.abs(q) @ (Z**2).sum(axis=1)) * max(abs(feature.right), abs(feature.left))
    for s in (1.0, -1.0):
        B = A[np.argsort(-s * (feature.evaluate(A, Z) @ q))[:50]]
        for _ in range(200):
            B = 0.5 * s * (feature.derivative(B @ Z.T) * q) @ Z + 0.3 * shift * B
            B /= np.maximum(np.linalg.norm(B, axis=1), 1e-300)[:, None]
        best = max(best, payoffs(Z, q, feature, B).max())
    return best
