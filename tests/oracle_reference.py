"""Slow, independent maxima of s g(a): all sign patterns on all flats (degree 1), all patterns and ascent (degree 2)."""

import math
from fractions import Fraction
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


def exact_payoffs(Z, q, feature, A):
    """|g(a)| / |a|^degree at the rows of A, as fractions rounded down once (60 bits of each root)."""
    q = [Fraction(float(x)) for x in q]
    right, left = Fraction(feature.right), Fraction(feature.left)
    points = [[Fraction(float(x)) for x in z] for z in Z]
    out = []
    for row in A:
        a = [Fraction(float(x)) for x in row]
        u = [sum(x * y for x, y in zip(a, z, strict=True)) for z in points]
        k = feature.degree
        g = abs(sum(w * (right * v**k if v > 0 else left * (-v) ** k) for w, v in zip(q, u, strict=True)))
        out.append(g / (sum(x * x for x in a) if k == 2 else root(sum(x * x for x in a), up=True)))
    return out


def root(square, up, bits=120):
    """sqrt of a fraction of any size, on the chosen side, relative error below 2**-bits."""
    shift = bits - (square.numerator.bit_length() - square.denominator.bit_length()) // 2
    scaled = square * Fraction(4) ** shift
    return (math.isqrt(math.floor(scaled)) + up) / Fraction(2) ** shift


def exact_faces(Z, q, feature):
    """Unit-free directions of all faces' maximisers for degree 1, D <= 3, in rationals, with many phantoms: (K, D)."""
    points = [[Fraction(float(x)) for x in z] for z in Z]
    weights = [Fraction(float(x)) for x in q]
    D, found = Z.shape[1], []
    sides = (Fraction(feature.right), -Fraction(feature.left))
    for pattern in product((0, 1), repeat=len(Z)):
        v = [sum(w * sides[s] * z[d] for w, s, z in zip(weights, pattern, points, strict=True)) for d in range(D)]
        found.append(v)
        # on the hyperplane of z: v - (v.z / z.z) z
        found += [[x - dot(v, z) / dot(z, z) * y for x, y in zip(v, z, strict=True)] for z in points if dot(z, z)]
    if D == 3:
        found += [cross(a, b) for a, b in combinations(points, 2)]
    return [a for v in found if any(v) for a in (v, [-x for x in v])]


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def cross(a, b):
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def exact_maximum(Z, q, feature):
    """max |g| over the sphere for degree 1, D <= 3, few points, rounded down by 2**-120 (a fraction)."""
    points = [[Fraction(float(x)) for x in z] for z in Z]
    weights = [Fraction(float(x)) for x in q]
    right, left = Fraction(feature.right), Fraction(feature.left)
    best = Fraction(0)
    for a in exact_faces(Z, q, feature):
        u = [dot(a, z) for z in points]
        g = sum(w * (right * v if v > 0 else -left * v) for w, v in zip(weights, u, strict=True))
        best = max(best, g * g / dot(a, a))
    return root(best, up=False)
