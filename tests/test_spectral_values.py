"""The spectral bound against its docstring: curvatures, matrices, shifts, the trust-region problem, the rough leaf."""

from __future__ import annotations

import numpy as np
import pytest

from maxmargin.errors import InputError
from maxmargin.features import RELU, SQUARED_RELU, Feature
from maxmargin.games.variation import VariationGame
from maxmargin.oracles import spectral
from maxmargin.rounding import relative_error

TILTED, BOWL = Feature("tilted", 1, 2.0, -3.0), Feature("bowl", 2, 2.0, -3.0)


@pytest.mark.parametrize("feature", [RELU, SQUARED_RELU, TILTED, BOWL], ids=lambda f: f.name)
@pytest.mark.parametrize("sign", [1, -1])
def test_curvatures_are_those_of_the_docstring(feature, sign):
    Z, q = np.array([[3.0, 4.0], [0.0, 2.0], [1.0, 0.0]]), np.array([0.5, -0.25, 1.0])
    beta = np.array([2.0, 4.0, 8.0])
    found = spectral._curvatures(Z, q, feature, sign, beta)
    for value, z, w, b in zip(found, Z, q, beta, strict=True):
        if feature.degree == 2:
            assert value == max(sign * w * feature.right, sign * w * feature.left)
        else:
            c = sign * w * (feature.right + feature.left)
            assert value == (0.25 * c / b if c > 0 else 0.5 * c / np.linalg.norm(z))
    H = spectral._quadratic(Z, q, feature, sign, beta)
    assert np.array_equal(H, H.T)
    np.testing.assert_allclose(H, sum(v * np.outer(z, z) for v, z in zip(found, Z, strict=True)), rtol=1e-14)
    linear = spectral._linear(Z, q, feature, sign)
    np.testing.assert_allclose(linear, sign * (feature.right - feature.left) / 2 * (q @ Z), rtol=1e-15)


@pytest.mark.parametrize("feature", [RELU, TILTED, SQUARED_RELU, BOWL], ids=lambda f: f.name)
def test_a_spectral_leaf_that_is_proved_keeps_its_value_and_others_pay_twice_the_shift(feature):
    """S of the docstring: its smallest eigenvalue decides; the bound is t + 2 delta, delta = -lambda_min."""
    rng = np.random.default_rng(1)
    Z, q = rng.normal(size=(5, 3)), rng.normal(size=5)
    rows = np.arange(5)
    for sign in (1, -1):
        beta = rng.exponential(size=5) + 0.1
        H, m = spectral._quadratic(Z, q, feature, sign, beta), np.zeros(3)
        part, slopes = 0.0, feature.right + feature.left
        if feature.degree == 1:
            m = 0.5 * spectral._linear(Z, q, feature, sign)
            gains = np.maximum(sign * slopes * q, 0.0)
            part = sum(0.25 * gain * b for gain, b in zip(gains, beta, strict=True))
        for shift in (2.0, -0.5):
            rho = float(np.linalg.eigvalsh(H)[-1]) + shift
            value = rho + part + (1.0 if shift > 0 else -0.25)
            if shift > 0 and feature.degree == 1:
                value = rho + part + float(m @ np.linalg.solve(rho * np.eye(3) - H, m)) + 1e-6
            leaf = {"sign": sign, "value": value, "rho": rho, "beta": beta.tolist() if feature.degree == 1 else []}
            stated = value if feature.degree == 1 else rho
            S = np.zeros((4, 4))
            S[0, 0] = stated - rho - part
            S[0, 1:] = S[1:, 0] = -m
            S[1:, 1:] = rho * np.eye(3) - H
            S = S if feature.degree == 1 else S[1:, 1:]
            least = float(np.linalg.eigvalsh(S)[0])
            found = spectral._leaf_bound(Z, q, feature, leaf, rows)
            if least > 1e-9:
                assert found == stated
            elif least < -1e-9:
                ratio = (found - stated) / (-(3.0 - feature.degree) * least)  # |(1, a)|^2 = 2, |a|^2 = 1
                assert 1.0 <= ratio <= 1.0 + 1e-11 or ratio == pytest.approx(1.5, rel=1e-11, abs=0.0)


def test_the_error_of_a_spectral_leaf_counts_every_term():
    """A matrix that is singular up to its terms' rounding is not proved: 1e-13 of them is refused, 1e-11 is enough."""
    Z, q = np.array([[3.0, 4.0], [4.0, -3.0]]), np.array([1.0, 1.0])
    rho = 25.0
    for excess, kept in ((1e-15, False), (1e-11, True)):
        leaf = {"sign": 1, "value": rho * (1 + excess), "rho": rho * (1 + excess), "beta": []}
        bound = spectral._leaf_bound(Z, q, SQUARED_RELU, leaf, np.arange(2))
        assert (bound == leaf["rho"]) is kept and bound >= 25.0


def test_spectral_proofs_of_another_kind():
    good = {
        "kind": "spectral",
        "version": 1,
        "signs": [{"sign": s, "value": 9.0, "rho": 5.0, "beta": [1.0]} for s in (1, -1)],
    }
    Z, one = np.array([[1.0, 1.0]]), np.ones(1)
    assert spectral.verify(Z, one, RELU, one, good) == 9.0
    for wrong in (good | {"kind": "a"}, good | {"kind": "z"}, good | {"signs": good["signs"][::-1]}):
        with pytest.raises(InputError, match="^proof: found kind"):
            spectral.verify(Z, one, RELU, one, wrong)
    for beta in (0.0, -1.0):
        bad = [leaf | {"beta": [beta]} for leaf in good["signs"]]
        with pytest.raises(InputError, match="^proof: beta must be positive"):
            spectral.verify(Z, one, RELU, one, good | {"signs": bad})
    assert spectral.verify(0.0 * Z, one, RELU, one, good) == 0.0 == spectral.verify(Z, one, RELU, 0.0 * one, good)
    larger = [leaf | {"value": v} for leaf, v in zip(good["signs"], (7.0, 8.0), strict=True)]
    assert spectral.verify(Z, one, RELU, one, good | {"signs": larger}) == 8.0
    assert spectral.verify(Z, one, RELU, one, good | {"signs": [larger[0] | {"value": 8.5}, larger[1]]}) == 8.5


@pytest.mark.parametrize("seed", range(6))
def test_the_trust_region_problem(seed):
    """Stationary: 2 H a + m = 2 rho a with rho above all eigenvalues; the value is that of a, and never below."""
    rng = np.random.default_rng(seed)
    H, m = rng.normal(size=(4, 4)), rng.normal(size=4)
    H = 0.5 * (H + H.T)
    if seed == 5:
        m = 0.0 * m  # the top eigenvector
    if seed == 4:
        values, vectors = np.linalg.eigh(H)
        m = 1e-3 * vectors[:, 0]  # the hard case
    a, value, rho = spectral._trust_region(H, m)
    assert np.linalg.norm(a) == pytest.approx(1.0, rel=1e-14, abs=0.0)
    assert m @ a + a @ H @ a == pytest.approx(value, rel=1e-7, abs=0.0)
    assert value >= (m @ a + a @ H @ a) * (1 - 1e-14) if value > 0 else True
    assert rho >= np.linalg.eigvalsh(H)[-1] - 1e-12
    np.testing.assert_allclose(2 * H @ a + m, 2 * rho * a, atol=1e-6)
    A = rng.normal(size=(4000, 4))
    A /= np.linalg.norm(A, axis=1)[:, None]
    assert (A @ m + np.einsum("ki,ij,kj->k", A, H, A)).max() <= value + 1e-12


@pytest.mark.parametrize("feature", [RELU, TILTED, SQUARED_RELU, BOWL], ids=lambda f: f.name)
def test_spectral_answers(feature):
    rng = np.random.default_rng(4)
    Z, q = rng.normal(size=(7, 3)), rng.normal(size=7)
    q[2] = 0.0
    Z[3] = 0.0
    found = spectral.SpectralOracle(Z, feature)(q, 3)
    assert found.bound == spectral.verify(Z, np.ones(7), feature, q, found.proof) and found.scope == "sphere-bound"
    assert len(found.values) <= 3 and (np.diff(found.values) <= 0).all()
    np.testing.assert_allclose(found.values, found.signs * (feature.evaluate(found.directions, Z) @ q), rtol=1e-13)
    np.testing.assert_allclose(np.linalg.norm(found.directions, axis=1), 1.0, rtol=1e-14)
    for leaf in found.proof["signs"]:
        kept = (q != 0.0) & Z.any(axis=1)
        alone = spectral._leaf_bound(Z[kept], q[kept], feature, leaf, np.arange(7)[kept])
        assert alone == pytest.approx(leaf["value"], rel=1e-9, abs=0.0)
    if feature.degree == 1:
        one = spectral.SpectralOracle(Z, feature, rounds=1)(q).bound
        many = spectral.SpectralOracle(Z, feature, rounds=40)(q).bound
        assert many <= found.bound * (1 + 1e-9) <= one * (1 + 2e-9) and found.bound <= many * 1.02
        # beta_i = |z_i| / D^(1/2) in the first round
        assert spectral.SpectralOracle(Z, feature, rounds=1)(q).proof["signs"][0]["beta"][0] == pytest.approx(
            np.linalg.norm(Z[0]) / np.sqrt(3), rel=1e-14
        )


@pytest.mark.parametrize("feature", [TILTED, BOWL], ids=lambda f: f.name)
def test_the_error_of_s_and_of_its_shift(feature, monkeypatch):
    """gamma_{2n + 4D + 24} of the Frobenius norm of the absolute terms, and 1e-15 of the shift."""
    rng = np.random.default_rng(3)
    n, D = 40, 2
    Z, q, beta = rng.normal(size=(n, D)), rng.normal(size=n), rng.exponential(size=n) + 0.5
    asked, test = [], spectral.is_positive_semidefinite
    monkeypatch.setattr(spectral, "is_positive_semidefinite", lambda S, e: asked.append((S, e)) or test(S, e))
    leaf = {"sign": 1, "value": 1.0, "rho": 0.5, "beta": beta.tolist()}
    spectral._leaf_bound(Z, q, feature, leaf, np.arange(n))
    H = np.abs(spectral._curvatures(Z, q, feature, 1, beta)) * np.abs(Z).T @ np.abs(Z) + 0.5 * np.eye(D)
    size = np.zeros((1 + D, 1 + D))
    size[1:, 1:] = H
    if feature.degree == 1:
        part = float(0.25 * np.maximum((feature.right + feature.left) * q, 0.0) @ beta)
        size[0, 0] = 1.5 + part
        size[0, 1:] = size[1:, 0] = np.abs(q * (feature.right - feature.left)) @ np.abs(Z)
    error = np.linalg.norm(size) * relative_error(2 * n + 4 * D + 24) * 1.0001
    (S, first), (shifted, second) = asked[0], asked[1]
    assert first == pytest.approx(error, rel=1e-12, abs=0.0)
    delta = float(shifted[-1, -1] - S[-1, -1])
    assert second - first == pytest.approx(1e-15 * delta, rel=1e-2, abs=0.0)


class Running:
    """A clock that shows these numbers of seconds left, one after the other, the last one for ever."""

    def __init__(self, *left):
        self.shown = list(left)

    @property
    def left(self):
        return self.shown.pop(0) if len(self.shown) > 1 else self.shown[0]


def test_no_eigendecomposition_begins_that_would_not_end_in_time(monkeypatch):
    """In D = 3: 4 of them at 2e-9 D^3 seconds, 2.16e-7; only beyond _LARGE."""
    rng = np.random.default_rng(8)
    Z, q = rng.normal(size=(6, 3)), rng.normal(size=6)
    enough, little = 2.2e-7, 2.1e-7
    for large, left, rows in (
        (2, (enough,), 10),
        (3, (0.0,), 10),
        (2, (enough, enough, little), 4),
        (2, (enough, little), 2),
    ):
        monkeypatch.setattr(spectral, "_LARGE", large)
        leaf, visited = spectral.SpectralOracle(Z, RELU, 5, Running(*left))._leaf(Z, q, 1)
        assert len(visited) == rows
    rough, _ = spectral.SpectralOracle(Z, RELU, 5)._rough_leaf(Z, q, 1)
    monkeypatch.setattr(spectral, "_LARGE", 2)
    assert spectral.SpectralOracle(Z, RELU, 5, Running(little))._leaf(Z, q, 1)[0] == rough != leaf


@pytest.mark.parametrize("convention", ["sphere", "path"])
def test_the_game_takes_what_a_stored_proof_establishes(convention):
    rng = np.random.default_rng(5)
    Z, y, p = rng.normal(size=(5, 3)), np.array([1.0, -1.0, 1.0, 1.0, -1.0]), np.full(5, 0.125)
    proof = spectral.SpectralOracle(Z, RELU)(p * y).proof
    game = VariationGame(Z, y, RELU, convention, oracle=None)
    response = game.response_from(proof, p)
    bound = spectral.verify(Z, y, RELU, p, proof)
    assert bound == spectral.verify(Z, np.ones(5), RELU, p * y, proof) and proof["version"] == 1
    assert response.bound == pytest.approx(bound * (0.5 if convention == "sphere" else 1.0) / 0.625, rel=1e-14, abs=0.0)
    assert response.bound >= bound * (0.5 if convention == "sphere" else 1.0) / 0.625
    assert response.proof is proof and response.value == 0.0 and response.scope == "sphere-bound"


def test_outward_leaves_room_for_the_test():
    assert spectral._outward(1.0, 2.0) == 1.0 + 2e-11


@pytest.mark.parametrize("feature", [RELU, TILTED, SQUARED_RELU, BOWL], ids=lambda f: f.name)
@pytest.mark.parametrize("sign", [1, -1])
def test_the_rough_leaf_is_proved_as_it_stands(feature, sign):
    rng = np.random.default_rng(6)
    Z, q = rng.normal(size=(30, 12)), rng.normal(size=30)
    oracle = spectral.SpectralOracle(Z, feature)
    leaf, visited = oracle._rough_leaf(Z, q, sign)
    assert leaf["sign"] == sign
    assert spectral._leaf_bound(Z, q, feature, leaf, np.arange(30)) == leaf["value"]
    H = spectral._quadratic(Z, q, feature, sign, np.linalg.norm(Z, axis=1) / np.sqrt(12))
    top = max(np.linalg.eigvalsh(H)[-1], 0.0) + 2e-3 * np.linalg.norm(H)
    if feature.degree == 2:
        assert (
            leaf["value"] == leaf["rho"] == pytest.approx(top, rel=2e-3, abs=0.0)
            and visited.tolist() == np.eye(1, 12).tolist()
        )
        return
    m = spectral._linear(Z, q, feature, sign)
    part = 0.25 * np.maximum(sign * (feature.right + feature.left) * q, 0.0) @ (np.linalg.norm(Z, axis=1) / np.sqrt(12))
    assert leaf["value"] == pytest.approx(top + np.linalg.norm(m) + part, rel=2e-3, abs=0.0)
    assert leaf["rho"] == pytest.approx(top + 0.5 * np.linalg.norm(m), rel=2e-3, abs=0.0)
    assert leaf["beta"] == pytest.approx(np.linalg.norm(Z, axis=1) / np.sqrt(12), rel=1e-14, abs=0.0)
    np.testing.assert_allclose(visited, [m / np.linalg.norm(m), -m / np.linalg.norm(m)], rtol=1e-14)


@pytest.mark.parametrize("size", [1.0, 1e8, 1e16, 1e60])
def test_a_linear_term_that_is_lost_beside_the_eigenvalues_overflows_nowhere(size):
    """max a'Ha + l.a over the sphere lies between the largest eigenvalue and |l| more; no warning, nothing infinite."""
    H, linear = size * np.diag([1.0, 1.0 - 1e-9, -2.0]), np.array([1e-3, 1e-3, 1e-3])
    a, value, rho = spectral._trust_region(H, linear)
    assert np.linalg.norm(a) == pytest.approx(1.0)
    assert size * (1 - 1e-15) <= value <= size * (1 + 1e-14) + np.linalg.norm(linear) and rho <= value * (1 + 1e-15)
    assert a @ H @ a + linear @ a >= size * (1 - 1e-8) - np.linalg.norm(linear)
