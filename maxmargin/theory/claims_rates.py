"""Rates with their exact constants (section 5, Appendices E and F), and slips in proofs and code beside them."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from .. import conventions
from ..conventions import Array
from ..datasets.small import xor
from ..datasets.values import make_dataset
from ..features import RELU
from ..features.directions import random_directions
from ..flow import Network, Run
from ..margins import max_margin
from ..solvers.random_features import random_feature_bracket
from ..training import train
from .ledger import Chapter, Finding
from .rates import Rate, growth_rate, proposition_6, proposition_7

RATES = Chapter()


def _finite_margin(hidden: Array, Z: Array, y: Array) -> float:
    """gamma_2^(m) of these hidden neurons, certified from above."""
    return random_feature_bracket(RELU.evaluate(hidden, Z), y).upper


def _magnitudes(multiple: float) -> Rate:
    """Prop. 6 on XOR with 400 balanced random neurons; gamma_1^(m) by the dictionary's linear program."""
    data = xor()
    A = random_directions(200, 2, 0)
    gamma = max_margin(data, bias=False, directions=A).upper
    neurons = np.vstack([A, A]), np.r_[np.ones(200), -np.ones(200)]
    return proposition_6(data.X, data.y, neurons, gamma, steps=4000, multiple=multiple)


@cache
def _output_rate() -> Rate:
    data, A = xor(), random_directions(300, 2, 1)
    return proposition_7(data.X, data.y, A, _finite_margin(A, data.X, data.y), steps=20_000)


@cache
def _output_run() -> Run:
    return train(xor(), layers="output", bias=False, width=300, steps=1000, schedule="flow", seed=0)


@RATES.claim(
    "prop6-bound",
    "With magnitudes only, the best margin is above the bound of Proposition 6, constants included, at every step.",
    "Prop. 6",
    "least best(t) - bound(t), t = 1..4000, 400 neurons, XOR",
)
def _proposition_6() -> Finding:
    rate = _magnitudes(1.0)
    return Finding(0.0, float((rate.best - rate.bound).min()), 0.0, ">=", f"bound at the end {rate.bound[-1]:.2f}")


@RATES.claim(
    "prop6-limit",
    "With magnitudes only, the best margin converges to gamma_1^(m) from below.",
    "Prop. 6",
    "best margin over gamma_1^(m) after 4000 steps of 16 times the proposition's size",
)
def _proposition_6_limit() -> Finding:
    rate = _magnitudes(16.0)
    return Finding(1.0, float(rate.best[-1] / rate.gamma), 0.05, note=f"gap ~ t^{rate.slope():.2f}")


@RATES.claim(
    "prop7-bound",
    "Training the output layer, the best margin is above the bound of Proposition 7, with its constants, at all steps.",
    "Prop. 7",
    "least best(t) - bound(t), t = 1..20000, 300 features, XOR",
)
def _proposition_7() -> Finding:
    rate = _output_rate()
    return Finding(0.0, float((rate.best - rate.bound).min()), 0.0, ">=", f"bound at the end {rate.bound[-1]:.4f}")


@RATES.claim(
    "prop7-informative",
    "The bound of Proposition 7 is positive, hence proves separation, within 20,000 steps on XOR.",
    "Prop. 7",
    "bound at t = 20000 over gamma_2^(m)",
)
def _informative() -> Finding:
    rate = _output_rate()
    return Finding(0.0, float(rate.bound[-1] / rate.gamma), 0.0, ">=")


@RATES.claim(
    "prop7-limit",
    "The flow of the output layer converges to the l2 max margin of its own random features.",
    "Prop. 7, section 5.2",
    "best margin over the certified gamma_2^(m), m = 300, XOR",
)
def _output_limit() -> Finding:
    data, run = xor(), _output_run()
    return Finding(1.0, run.margin_best / _finite_margin(run.network.hidden, data.X, data.y), 5e-3)


@RATES.claim(
    "growth-output",
    "Training the output layer, the root mean square of its weights grows at the rate gamma_2^(m).",
    "docs/theory.rst, A3",
    "fitted slope over gamma_2^(m), XOR, last half of the time",
)
def _growth_output() -> Finding:
    data, run = xor(), train(xor(), layers="output", bias=False, width=300, steps=4000, schedule="constant", seed=0)
    return Finding(1.0, growth_rate(run) / _finite_margin(run.network.hidden, data.X, data.y), 0.05)


@RATES.claim(
    "code-output-norm",
    "Output-layer margins are divided by |r|/sqrt(m); divided by |r|/m, as in the released code, "
    "they exceed gamma_2^(m).",
    "docs/theory.rst, A5",
    "margin over gamma_2^(m) in either norm, m = 300, XOR",
)
def _code_norm() -> Finding:
    data, run = xor(), _output_run()
    gamma, network = _finite_margin(run.network.hidden, data.X, data.y), run.network_best
    least = float((data.y * network.decision_function(data.X)).min())
    share = least / conventions.root_mean_square(network.output) / gamma
    in_code = least / (np.linalg.norm(network.output) / network.width) / gamma
    return Finding(1.0, share, 1e-9, "<=", f"{in_code:.1f} as in the code", Finding(1.0, float(in_code), 1e-9, "<="))


def _one_point_run() -> tuple[Run, float, int]:
    """Magnitudes only on the single point z = (1, 0): n = 1, so that log n = 0. (run, gamma_1^(m), m)."""
    A = random_directions(100, 2, 0)
    start = Network(A, np.ones(100), bias=False)
    data = make_dataset([[1.0, 0.0]], [1], classes=(-1, 1))
    run = train(data, layers="magnitudes", bias=False, init=start, steps=4000, schedule="constant", step_size=0.002)
    return run, 0.5 * float(np.maximum(A[:, 0], 0.0).max()), 100


@RATES.claim(
    "prop16-log-m",
    "In continuous time the gap of the magnitude flow is at most (log(m)/4 + log(n) int ds/beta)/t; "
    "with log(n)/4 for log(m)/4, as printed in the proof, it is not.",
    "Prop. 16, proof",
    "largest gap t / (log(m)/4) along the flow on one point, where log n = 0",
)
def _log_m() -> Finding:
    run, gamma, m = _one_point_run()
    best, gaps = -math.inf, []
    for row in run.trace:
        best = max(best, row["margin"])
        gaps.append((gamma - best) * row["time"])
    printed = Finding(0.0, max(gaps), 1e-6, "<=")
    return Finding(1.0, max(gaps) / (math.log(m) / 4.0), 1e-3, "<=", "n = 1: the printed bound is 0", printed)
