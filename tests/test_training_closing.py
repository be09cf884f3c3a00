"""The upper end that a run states at its end is proved from its own points, and lies above every margin."""

import numpy as np
import pytest

import maxmargin as mm
from maxmargin.features.homogeneous import RELU
from maxmargin.games.variation import VariationGame
from maxmargin.oracles.selection import exact_oracle
from maxmargin.oracles.spectral import SpectralOracle

OPTIONS = {"steps": 120, "schedule": "flow", "width": 100, "seed": 0}


@pytest.mark.parametrize("convention", ["sphere", "path"])
def test_above_the_plane_the_last_bound_is_a_proof_and_far_better_than_the_spectral_one(convention):
    data = mm.load("clusters:n=60,d=6,k=3,seed=0")
    Z = data.inputs(True)
    run = mm.train(data, certify_every=120, convention=convention, **OPTIONS)
    game = VariationGame(Z, data.y, RELU, convention, oracle=SpectralOracle(Z, RELU))
    spectral = game.factor * SpectralOracle(Z, RELU)(run.adversary * data.y).bound
    gamma = mm.max_margin(data, convention=convention, branching_rounds=0)
    assert gamma.lower <= run.upper * (1 + 1e-12)
    assert run.margin_best <= run.upper <= 0.7 * spectral
    assert run.trace[-1]["upper"] == run.upper
    # no neuron is paid more by these weights: random directions, both signs
    directions = np.random.default_rng(1).normal(size=(20_000, Z.shape[1]))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    paid = game.factor * np.abs(RELU.evaluate(directions, Z) @ (run.adversary * data.y))
    assert paid.max() <= run.upper


def test_few_points_are_enumerated():
    data = mm.load("iris:versicolor-virginica")
    run = mm.train(data, certify_every=200, steps=200, schedule="flow", width=200, seed=0, init="gaussian:20")
    Z = data.inputs(True)
    assert run.scope == "sphere-exact"
    assert run.upper == pytest.approx(0.5 * exact_oracle(Z, RELU)(run.adversary * data.y).bound, rel=1e-12)


def test_a_time_limit_holds_for_the_bound_too():
    data = mm.load("clusters:n=200,d=15,k=3,seed=1")
    run = mm.train(data, certify_every=10, steps=10, schedule="flow", width=50, seed=0, time_limit=0.0)
    assert run.scope == "sphere-bound"
    assert run.upper > run.margin_best


def test_the_same_seed_gives_the_same_bound():
    data = mm.load("clusters:n=60,d=6,k=3,seed=0")
    first, second = (mm.train(data, certify_every=60, **OPTIONS | {"steps": 60}) for _ in range(2))
    assert first.upper == second.upper
    assert (first.adversary == second.adversary).all()
