"""Degree 2, cells that floats cannot settle: the same argument as `quadratic`, with eigenvectors in fractions.

Beside a bias, features of size 1e-6 make payoffs of 1e-12 and normals that are parallel but for their sixth digit.  A
maximiser with payoff > U is an eigenvector of V with an eigenvalue > U in the cell.  With A = V - U I, an exact count
gives g > 0 such that no eigenvalue of A is in (0, g].  Newton's iteration ``X <- (X + X^-1)/2`` from B = A - (g/2) I,
rounded to many bits, goes to the sign of B, and Q = (I - X)/2 to the projector on the eigenvalues below.  For a unit
eigenvector e of an eigenvalue > U, E = QB - BQ, and eps with Q'BQ <= eps I (an exact semidefinite test),

    B Q e = (lambda - U - g/2) Q e - E e      =>      |Q e| <= 2 |E| / g + sqrt(2 eps / g) = eta,

so that e is within eta of the range of P = I - Q, of dimension k.  That no such e has z_i.e >= 0 for all inward normals
z_i is decided for k = 1 by two signs, for k = 2 by the angles of the z_i in the plane, after the exact change of basis
that makes them spread.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from .exact import Integers, is_positive_semidefinite, solve

Matrix = list[list[Fraction]]

GUARD = 200  # bits beyond twice those of the separation
SHORT, REACH = 1e-3, 1e-9  # least length of a direction in the plane that is used; least reach beyond a half-plane


def excluded_precisely(V: Integers, bound: Fraction, inward: Integers) -> bool:
    """No eigenvector of V (D, D) with eigenvalue > bound lies in {a : inward a >= 0}, all integers; False: unknown."""
    D = len(V)
    A = [[Fraction(int(V[i, j])) - (bound if i == j else 0) for j in range(D)] for i in range(D)]
    k, size = positive_eigenvalues(A), max(abs(x) for row in A for x in row) * D
    if k == 0:
        return True
    if k > 2:
        return False
    gap = size
    while positive_eigenvalues(_shifted(A, gap)) != k:
        gap /= 16
    B = _shifted(A, gap / 2)
    bits = GUARD + 2 * max(0, _bits(size / gap))
    Q = _lower_projector(B, size, bits)
    if Q is None or (eta := _distance(Q, B, size, gap / 2, bits)) is None:
        return False
    P = [[Fraction(int(i == j)) - Q[i][j] for j in range(D)] for i in range(D)]
    basis = sorted(([row[j] for row in P] for j in range(D)), key=lambda column: -_dot(column, column))[:k]
    return _on_a_line(inward, basis[0], eta) if k == 1 else _in_a_plane(inward, basis, eta)


def positive_eigenvalues(A: Matrix) -> int:
    """How many, exactly: the sign changes of the characteristic polynomial, whose roots are real (Descartes)."""
    D = len(A)
    M, coefficients = [[Fraction(0)] * D for _ in range(D)], [Fraction(1)]
    for k in range(1, D + 1):  # Faddeev and LeVerrier
        AM = _product(A, M)
        M = [[AM[i][j] + coefficients[-1] * (i == j) for j in range(D)] for i in range(D)]
        AM = _product(A, M)
        coefficients.append(-sum((AM[i][i] for i in range(D)), Fraction(0)) / k)
    signs = [value > 0 for value in coefficients if value]
    return sum(a != b for a, b in zip(signs, signs[1:], strict=False))


def _shifted(A: Matrix, shift: Fraction) -> Matrix:
    return [[x - (shift if i == j else 0) for j, x in enumerate(row)] for i, row in enumerate(A)]


def _dot(a: list[Fraction], b: list[Fraction]) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))


def _product(A: Matrix, B: Matrix) -> Matrix:
    columns = [list(column) for column in zip(*B, strict=True)]
    return [[_dot(row, column) for column in columns] for row in A]


def _bits(value: Fraction) -> int:
    return value.numerator.bit_length() - value.denominator.bit_length() + 1


def _rounded(A: Matrix, bits: int) -> Matrix:
    """Symmetric, to multiples of 2**-bits."""
    one = 1 << bits
    return [[Fraction(round((A[i][j] + A[j][i]) / 2 * one), one) for j in range(len(A))] for i in range(len(A))]


def _lower_projector(B: Matrix, size: Fraction, bits: int) -> Matrix | None:
    """(I - sign B)/2 by Newton's iteration, to about `bits` bits; None if it does not settle."""
    D = len(B)
    X = _rounded([[x / size for x in row] for row in B], 2 * bits)
    for _ in range(2 * bits):
        columns = [solve(X, [Fraction(int(i == j)) for i in range(D)]) for j in range(D)]
        if any(column is None for column in columns):
            return None
        inverse = [[(columns[j] or [])[i] for j in range(D)] for i in range(D)]
        fresh = _rounded([[(X[i][j] + inverse[i][j]) / 2 for j in range(D)] for i in range(D)], 2 * bits)
        moved = max(abs(fresh[i][j] - X[i][j]) for i in range(D) for j in range(D))
        X = fresh
        if moved < Fraction(1, 1 << bits):
            return [[(Fraction(int(i == j)) - X[i][j]) / 2 for j in range(D)] for i in range(D)]
    return None


def _distance(Q: Matrix, B: Matrix, size: Fraction, gap: Fraction, bits: int) -> float | None:
    """eta of the module's docstring, rounded up; None when the semidefinite test fails."""
    D = len(Q)
    QB = _product(Q, B)
    E = math.sqrt(float(sum((QB[i][j] - QB[j][i]) ** 2 for i in range(D) for j in range(D)) / gap**2)) + 1e-150
    eps = size / (1 << bits)
    QBQ = _product(QB, Q)
    if not is_positive_semidefinite([[eps * (i == j) - QBQ[i][j] for j in range(D)] for i in range(D)]):
        return None
    return (E + math.sqrt(float(eps / gap))) * (1.0 + 1e-9)


def _on_a_line(inward: Integers, w: list[Fraction], eta: float) -> bool:
    """Some z_i.w is clearly positive and some clearly negative, so that neither e near w nor near -w is inside."""
    # e is within eta of the line, and so within 2 eta of +-w/|w|
    least = Fraction(2.1 * eta) ** 2 * _dot(w, w)
    values = [(_dot(z, w), _dot(z, z)) for z in ([Fraction(int(x)) for x in row] for row in inward)]
    clear = [value > 0 for value, square in values if value * value > least * square]
    return any(clear) and not all(clear)


def _in_a_plane(inward: Integers, basis: list[list[Fraction]], eta: float) -> bool:
    """Whatever c != 0, some z_i.(c_1 w_1 + c_2 w_2) is clearly negative.

    With a_i = z_i.w_1 and b_i = z_i.w_2 - mu a_i, mu such that both are uncorrelated over the unit normals, the normals
    spread in the plane of ``f = (sqrt(G) (c_1 + mu c_2), sqrt(R) c_2)``, G = sum a_i^2/|z_i|^2, R = sum b_i^2/|z_i|^2.
    """
    w1, w2 = basis
    slope = _dot(w1, w2) / _dot(w1, w1)
    w2 = [y - slope * x for x, y in zip(w1, w2, strict=True)]  # orthogonal to w_1
    rows = [[Fraction(int(x)) for x in row] for row in inward]
    lengths = [_dot(z, z) for z in rows]
    a, b = [_dot(z, w1) for z in rows], [_dot(z, w2) for z in rows]
    G = sum((x * x / s for x, s in zip(a, lengths, strict=True)), Fraction(0))
    if not G:
        return False
    mu = sum((x * y / s for x, y, s in zip(a, b, lengths, strict=True)), Fraction(0)) / G
    b = [y - mu * x for x, y in zip(a, b, strict=True)]
    R = sum((y * y / s for y, s in zip(b, lengths, strict=True)), Fraction(0))
    if not R:
        return False
    shadow = np.array([[_signed(x, s * G), _signed(y, s * R)] for x, y, s in zip(a, b, lengths, strict=True)])
    # |c_1||w_1| + |c_2||w_2| >= |e| - eta, and each is at most a multiple of |f|
    long1, long2 = _dot(w1, w1), _dot(w2, w2)
    multiple = _root(long1 / G) + _root(mu * mu * long1 / R) + _root(long2 / R)
    return _surrounded(shadow) * 0.9 / multiple > 2.1 * eta


def _signed(value: Fraction, square: Fraction) -> float:
    """value / sqrt(square)."""
    return math.copysign(_root(value * value / square), value)


def _root(square: Fraction) -> float:
    """A float near the root, of any size."""
    shift = _bits(square) // 2 if square else 0
    return math.ldexp(math.sqrt(float(square / Fraction(4) ** shift)), shift)


def _surrounded(shadow: np.ndarray) -> float:
    """A positive r such that for every unit c some row has row.c <= -r; 0 if there is none."""
    length, angle = np.hypot(shadow[:, 0], shadow[:, 1]), np.arctan2(shadow[:, 1], shadow[:, 0])
    angle = np.sort(angle[length > SHORT])
    if len(angle) < 3:
        return 0.0
    gap = float(np.diff(np.append(angle, angle[0] + 2.0 * np.pi)).max())
    return SHORT * math.cos(0.5 * gap) if gap < np.pi - REACH else 0.0
