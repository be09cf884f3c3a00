"""Kernels against their definition as expectations: quadrature on the circle, Gaussian sampling, symmetries."""

import numpy as np
import pytest
from scipy.integrate import quad

from maxmargin.conventions import kernel_factor
from maxmargin.errors import InputError
from maxmargin.features import RELU, SQUARED_RELU, Feature
from maxmargin.features.kernels import Activation, Kernel, arc_cosine

LEAKY = Feature("leaky", 1, 1.0, -0.1)
ABSOLUTE_SQUARE = Feature("skewed-square", 2, 0.7, 0.4)
tangent_kernel = Kernel(RELU, tangent=True)


def activation(feature, u):
    k, right, left = feature.degree, feature.right, feature.left
    return np.where(u > 0, right * np.abs(u) ** k, left * np.abs(u) ** k)


def circle_average(function, breaks):
    """(1/2 pi) times the integral of function over [0, 2 pi], split at its kinks."""
    points = np.sort(np.mod(breaks, 2 * np.pi))
    edges = np.concatenate([[0.0], points, [2 * np.pi]])
    pieces = zip(edges[:-1], edges[1:], strict=True)
    return sum(quad(function, a, b, epsabs=1e-14, epsrel=1e-13)[0] for a, b in pieces) / (2 * np.pi)


@pytest.mark.parametrize("feature", [Activation(0), RELU, SQUARED_RELU, LEAKY, ABSOLUTE_SQUARE])
def test_quadrature_on_the_circle(feature):
    rng = np.random.default_rng(0)
    for z, w in rng.normal(size=(5, 2, 2)):
        kinks = [np.arctan2(*v[::-1]) + s * np.pi / 2 for v in (z, w) for s in (1, -1)]

        def product(t, z=z, w=w):
            a = np.array([np.cos(t), np.sin(t)])
            return float(activation(feature, a @ z) * activation(feature, a @ w))

        expected = circle_average(product, kinks)
        assert Kernel(feature)(z[None], w[None])[0, 0] == pytest.approx(expected, rel=1e-11, abs=1e-13)


@pytest.mark.parametrize("feature", [RELU, SQUARED_RELU, LEAKY])
@pytest.mark.parametrize("weights", ["sphere", "gaussian"])
def test_sampling(feature, weights):
    rng = np.random.default_rng(3)
    a, Z = rng.normal(size=(400_000, 4)), rng.normal(size=(3, 4))
    if weights == "sphere":
        a /= np.linalg.norm(a, axis=1)[:, None]
    samples = feature(a @ Z.T)
    products = samples[:, :, None] * samples[:, None, :]
    error = products.std(axis=0) / np.sqrt(len(a))
    assert (np.abs(products.mean(axis=0) - Kernel(feature, weights)(Z)) <= 4.5 * error).all()


@pytest.mark.parametrize("feature", [RELU, SQUARED_RELU, LEAKY])
def test_tangent_kernel_by_sampling(feature):
    rng = np.random.default_rng(4)
    a, b, Z = rng.normal(size=(400_000, 3)), rng.normal(size=400_000), rng.normal(size=(3, 3))
    outer, slopes = feature(a @ Z.T), feature.derivative(a @ Z.T)
    b = b if feature.degree == 1 else np.sign(b)
    gradients = (b[:, None] * slopes)[:, :, None] * (b[:, None] * slopes)[:, None, :] * (Z @ Z.T)
    if feature.degree == 1:
        gradients += outer[:, :, None] * outer[:, None, :]
    error = gradients.std(axis=0) / np.sqrt(len(a))
    expected = Kernel(feature, "gaussian", tangent=True)(Z)
    assert (np.abs(gradients.mean(axis=0) - expected) <= 4.5 * error).all()


@pytest.mark.parametrize("degree", [0, 1, 2])
def test_gaussian_weights_are_the_stated_factor(degree):
    Z = np.random.default_rng(5).normal(size=(6, 7))
    ratio = kernel_factor(degree, 7, "gaussian") ** 2
    np.testing.assert_allclose(arc_cosine(Z, degree=degree, weights="gaussian"), ratio * arc_cosine(Z, degree=degree))


@pytest.mark.parametrize("build", [arc_cosine, tangent_kernel])
def test_symmetric_and_equal_to_the_rectangle(build):
    Z = np.random.default_rng(6).normal(size=(700, 3))
    K = build(Z)
    assert (K == K.T).all()
    np.testing.assert_allclose(K, build(Z, Z), rtol=1e-12, atol=1e-14 * K.max())


@pytest.mark.parametrize("scale", [1e-150, 1e-3, 1e150])
@pytest.mark.parametrize("build", [arc_cosine, tangent_kernel])
def test_homogeneous_of_degree_two(build, scale):
    Z = np.random.default_rng(7).normal(size=(20, 4))
    np.testing.assert_allclose(build(scale * Z) / scale / scale, build(Z), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("build", [arc_cosine, tangent_kernel])
def test_duplicates_antipodes_and_near_copies_are_finite_and_semidefinite(build):
    z = np.random.default_rng(8).normal(size=(10, 3))
    Z = np.vstack([z, z, -z, z + 1e-12, z * 1e-9, np.zeros((1, 3))])
    K = build(Z)
    assert np.isfinite(K).all()
    assert np.linalg.eigvalsh(K).min() >= -1e-14 * np.trace(K)
    assert (K[-1] == 0).all()


def test_step_kernel_of_a_zero_vector_is_zero():
    assert arc_cosine(np.array([[0.0, 0.0], [1.0, 0.0]]), degree=0).tolist() == [[0, 0], [0, 0.5]]


@pytest.mark.parametrize("call", [lambda Z: arc_cosine(Z, degree=3), lambda Z: arc_cosine(Z, Z[:, :1])])
def test_bad_input_is_one_sentence(call):
    with pytest.raises(InputError, match="wanted"):
        call(np.ones((2, 2)))
