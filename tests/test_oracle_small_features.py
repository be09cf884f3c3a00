"""Features small beside the bias: all hyperplanes nearly coincide, and the referee still finds no better neuron."""

import numpy as np
import pytest

import maxmargin as mm


@pytest.mark.slow
@pytest.mark.parametrize("size", [1e-2, 1e-3, 1e-4, 1e-6])
@pytest.mark.parametrize("d, seed", [(3, 0), (4, 0), (4, 2)])
def test_what_is_called_exact_holds_for_the_referee(size, d, seed):
    data = mm.load(f"clusters:n=30,d={d},k=3,seed={seed}")
    certificate = mm.max_margin((size * data.X, data.y))
    assert certificate.scope == "sphere-exact" and certificate.lower <= certificate.upper
    verdict = mm.check_certificate(certificate.to_json(), size * data.X, data.y)
    assert verdict.holds, verdict.reason


def test_the_margin_of_small_features_is_linear_in_their_size():
    """gamma_1(s) / s converges as s -> 0: the bias coordinate of z becomes a free constant."""
    data = mm.load("clusters:n=20,d=4,k=3,seed=1")
    found = [mm.max_margin((size * data.X, data.y)) for size in (1e-3, 1e-4)]
    ratios = [certificate.lower / size for certificate, size in zip(found, (1e-3, 1e-4), strict=True)]
    np.testing.assert_allclose(ratios[0], ratios[1], rtol=1e-4)
