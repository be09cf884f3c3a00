"""Dual proofs small enough to be computed by hand: what the referee reads in them, and what it adds where they lack."""

import numpy as np
import pytest
from test_check_proofs import claim_of, garbage_tree, largest_payoff, own_bound, random_game

from maxmargin.check import relaxation
from maxmargin.check.claim import read_claim
from maxmargin.check.verdict import Refusal
from maxmargin.features import RELU, SQUARED_RELU


@pytest.mark.parametrize("lacking", [0.0, 1e-3, 0.1])
def test_what_a_spectral_proof_of_one_point_lacks_is_paid_in_the_corner_and_along_the_point(lacking):
    """A neuron earns 1 at the point 1, and beta = 1, rho = 1/2, value = 1 proves it: (1/4)(1/4) = (1/4)^2."""
    Z, y, p = np.ones((1, 1)), np.ones(1), np.ones(1)
    signs = [{"sign": sign, "value": 1.0 - lacking, "rho": 0.5, "beta": [1.0]} for sign in (1, -1)]
    bound = own_bound(Z, y, p, RELU, {"kind": "spectral", "version": 1, "signs": signs})
    assert 1.0 <= bound <= 1.0 + lacking + 1e-12


@pytest.mark.parametrize("feature", [RELU, SQUARED_RELU], ids=lambda f: f.name)
@pytest.mark.parametrize("seed", range(5))
def test_leaves_whose_points_are_all_split_are_bounded_too(feature, seed):
    rng = np.random.default_rng(seed)
    Z, y, p = random_game(seed, n=2)

    def below(points):
        if not points:
            return garbage_tree(rng, Z, 0, 2, {0, 1})
        return {"point": points[0]} | {side: below(points[1:]) for side in ("plus", "minus")}

    trees = [{"sign": sign, "tree": below((0, 1))} for sign in (1, -1)]
    proof = {"kind": "lifted-relaxation", "version": 1, "support": [0, 1], "trees": trees}
    assert own_bound(Z, y, p, feature, proof) >= largest_payoff(Z, p * y, feature)


def test_leaves_are_counted_and_too_many_are_refused(monkeypatch):
    rng = np.random.default_rng(0)
    Z, y, p = random_game(0, n=4)
    half = {side: garbage_tree(rng, Z, 0, 1, {2}) for side in ("plus", "minus")}
    trees = [{"sign": 1, "tree": {"point": 2} | half}, {"sign": -1, "tree": garbage_tree(rng, Z, 0)}]
    proof = {"kind": "lifted-relaxation", "version": 1, "support": [0, 1, 2, 3], "trees": trees}
    claim = read_claim(claim_of(Z, y, p, RELU, proof=proof), Z, y)
    monkeypatch.setattr(relaxation, "MOST_LEAVES", 3)
    assert relaxation.proved_bound(claim, proof)[1] == 3
    monkeypatch.setattr(relaxation, "MOST_LEAVES", 2)
    with pytest.raises(Refusal, match="too many leaves"):
        relaxation.proved_bound(claim, proof)
