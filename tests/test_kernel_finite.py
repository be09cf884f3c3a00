"""Kernels of finite networks: their infinite-width limits, and the tangent kernel as gradients."""

import numpy as np
import pytest

from maxmargin.features import RELU, SQUARED_RELU, Feature
from maxmargin.features.kernels import Kernel
from maxmargin.features.kernels_gram import FeatureGram

FEATURES = [RELU, SQUARED_RELU, Feature("leaky", 1, 1.0, -0.1)]


def network(m, D, seed):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(m, D))
    return a / np.linalg.norm(a, axis=1)[:, None], np.where(rng.random(m) < 0.5, -1.0, 1.0)


def finite_kernel(hidden, Z, W, activation, output=1.0):
    """(1/m) sum_j b_j^2 s(a_j.z) s(a_j.w)."""
    return (activation(Z @ hidden.T) * np.square(output)) @ activation(hidden @ W.T) / len(hidden)


def finite_tangent_kernel(hidden, output, Z, W, feature):
    """m times that of (1/m) sum_j b_j sigma(a_j.z); the b_j of degree 2 are fixed signs."""
    K = finite_kernel(hidden, Z, W, feature.derivative, output) * (Z @ W.T)
    return K + finite_kernel(hidden, Z, W, feature) if feature.degree == 1 else K


@pytest.mark.parametrize("feature", FEATURES)
def test_error_falls_like_the_root_of_the_width(feature):
    Z = np.random.default_rng(0).normal(size=(15, 4))
    widths, errors = [100, 1600, 25_600], []
    for m in widths:
        a, b = network(m, 4, seed=m)
        output_layer = finite_kernel(a, Z, Z, feature) - Kernel(feature)(Z)
        both_layers = finite_tangent_kernel(a, b, Z, Z, feature) - Kernel(feature, tangent=True)(Z)
        errors.append(np.abs(output_layer).mean() + np.abs(both_layers).mean())
    slope = np.polyfit(np.log(widths), np.log(errors), 1)[0]
    assert -0.62 < slope < -0.38


@pytest.mark.parametrize("feature", FEATURES)
def test_tangent_kernel_is_the_inner_product_of_gradients(feature):
    rng = np.random.default_rng(1)
    a, b, Z, W = rng.normal(size=(6, 3)), rng.normal(size=6), rng.normal(size=(4, 3)), rng.normal(size=(2, 3))

    def gradient(z):
        """Of sum_j b_j sigma(a_j.z), by central differences, in the trained weights."""
        theta = np.concatenate([a.ravel(), b]) if feature.degree == 1 else a.ravel()

        def value(t):
            hidden, output = t[:18].reshape(6, 3), t[18:] if feature.degree == 1 else b
            return output @ feature(hidden @ z)

        steps = 1e-6 * np.eye(len(theta))
        return np.array([(value(theta + s) - value(theta - s)) / 2e-6 for s in steps])

    left, right = np.array([gradient(z) for z in Z]), np.array([gradient(w) for w in W])
    np.testing.assert_allclose(finite_tangent_kernel(a, b, Z, W, feature), left @ right.T / 6, rtol=1e-6, atol=1e-8)


def test_feature_gram_reads_like_the_matrix():
    Phi = np.random.default_rng(2).normal(size=(7, 11))
    gram, K = FeatureGram(Phi), Phi.T @ Phi / 7
    rows = np.array([3, 0, 9])
    np.testing.assert_allclose(gram[rows], K[rows], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(gram.square(rows), K[np.ix_(rows, rows)], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(np.asarray(gram), K, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(gram.diagonal(), np.diag(K))
