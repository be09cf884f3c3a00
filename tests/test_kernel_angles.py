"""Kernels against 120-digit arithmetic at every angle, 1e-12 from 0 and from pi included."""

import mpmath as mp
import numpy as np
import pytest

from maxmargin.features import RELU
from maxmargin.features.kernels import Activation, Kernel, angular, arc_cosine
from maxmargin.features.kernels_angles import Angles, UnitRows

ANGLES = [0.0, 1e-12, 1e-8, 1e-5, 1e-3, 0.04, 0.14, 0.15, 0.3, 1.0, np.pi / 2, 2.0, 2.4, 2.5, 2.9, 2.95, 3.1]
ANGLES += [np.pi - gap for gap in (1e-3, 1e-5, 1e-8, 1e-12)]


def pair(angle, D, rng):
    """Two vectors whose angle is nearly `angle`; the reference takes the floats as they are."""
    z, u = rng.normal(size=(2, D))
    u -= z * (u @ z) / (z @ z)
    sine = np.sin(angle) if angle < 3 else np.sin(np.pi - angle)
    return z, rng.lognormal() * (np.cos(angle) * z / np.linalg.norm(z) + sine * u / np.linalg.norm(u))


def supplement(z, w):
    z, w = ([mp.mpf(float(v)) for v in x] for x in (z, w))
    G = mp.fdot(z, w)
    length = mp.sqrt(mp.fdot(z, z) * mp.fdot(w, w))
    return mp.acos(max(min(-G / length, mp.mpf(1)), mp.mpf(-1))), length, G


def reference(z, w, degree):
    """E over the uniform sphere, from the definition of J_k in terms of psi."""
    psi, length, _ = supplement(z, w)
    D = len(z)
    J = [psi, mp.sin(psi) - psi * mp.cos(psi), psi * (2 + mp.cos(2 * psi)) - 1.5 * mp.sin(2 * psi)][degree]
    return length**degree * J / (2 * mp.pi) / mp.fprod(D + 2 * j for j in range(degree))


@pytest.mark.parametrize("degree", [0, 1, 2])
@pytest.mark.parametrize("angle", ANGLES)
def test_relative_accuracy(angle, degree):
    rng = np.random.default_rng(round(1000 * angle) + degree)
    with mp.workdps(120):
        for D in (2, 3, 15):
            z, w = pair(angle, D, rng)
            exact = reference(z, w, degree)
            computed = mp.mpf(float(arc_cosine(z[None], w[None], degree)[0, 0]))
            assert abs(computed - exact) <= 1e-13 * exact


@pytest.mark.parametrize("angle", ANGLES)
def test_tangent_kernel_is_the_sum_of_its_two_layers(angle):
    rng = np.random.default_rng(1)
    with mp.workdps(120):
        z, w = pair(angle, 4, rng)
        psi, length, G = supplement(z, w)
        exact = reference(z, w, 1) + psi * G / (2 * mp.pi)
        size = reference(z, w, 1) + psi * abs(G) / (2 * mp.pi)  # it changes sign, so relative to its terms
        computed = mp.mpf(float(Kernel(RELU, tangent=True)(z[None], w[None])[0, 0]))
        assert abs(computed - exact) <= 1e-14 * size


@pytest.mark.parametrize("tangent", [False, True])
@pytest.mark.parametrize("angle", ANGLES)
def test_extended_precision_and_the_claimed_entry_errors(angle, tangent):
    from maxmargin.features.kernels_gram import NetworkGram

    rng = np.random.default_rng(2)
    with mp.workdps(120):
        Z = np.array(pair(angle, 5, rng))
        gram = NetworkGram(Kernel(Activation(1), tangent=tangent), Z)
        psi, length, G = supplement(*Z)
        exact = reference(*Z, 1) + (psi * G / (2 * mp.pi) if tangent else 0)
        size = np.sqrt(np.prod(gram.diagonal()))
        rows = gram.extended(np.array([0]))[0]
        head = float(rows[1])
        extended = mp.mpf(head) + mp.mpf(float(rows[1] - np.longdouble(head)))
        assert abs(extended - exact) <= gram.extended_error * size
        assert abs(mp.mpf(float(gram[np.array([0])][0, 1])) - exact) <= gram.entry_error * size


def kappa(cos):
    """(sqrt(1 - c^2) + (pi - arccos c) c) / pi, from the package's J_1."""
    c = np.asarray(cos, dtype=float)
    return angular(Angles(c, np.sqrt((1.0 - c) * (1.0 + c)), np.arccos(-c)), 1) / np.pi


def test_kappa_at_known_cosines():
    assert kappa([-1.0, 0.0, 1.0]) == pytest.approx([0.0, 1 / np.pi, 1.0], abs=1e-16)
    c = np.linspace(-1, 1, 201)
    np.testing.assert_allclose(kappa(c) - kappa(-c), c, atol=1e-15)


def test_lengths_and_units_at_extreme_scales():
    Z = np.array([[3.0, 4.0], [0.0, 0.0]])
    for scale in (1e-300, 1e-150, 1.0, 1e150, 1e300):
        rows = UnitRows(scale * Z)
        np.testing.assert_allclose(rows.norms, [5 * scale, 0.0], rtol=1e-15)
        np.testing.assert_allclose(rows.units, [[0.6, 0.8], [0, 0]], rtol=1e-15)
