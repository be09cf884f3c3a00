"""The flow and its limits: Theorems 2, 3, 5, Corollary 4, conservation, growth, Fig. 3."""

from __future__ import annotations

from functools import cache

import numpy as np

from .. import conventions
from ..conventions import Array
from ..dataset import Dataset
from ..datasets.small import three_points, xor
from ..datasets.values import make_dataset
from ..flow import Balanced, Gaussian, Network, Run
from ..flow.ode import distances_to_widest, trajectory, wasserstein
from ..games.measure import Measure
from ..margins import max_margin
from ..training import train
from .ledger import Chapter, Finding
from .rates import growth_rate

FLOW = Chapter()


@cache
def _xor_run() -> Run:
    return train(xor(), bias=False, width=100, steps=1200, schedule="flow", seed=0, certify_every=100)


@cache
def _line_run() -> Run:
    return train(three_points(1.0), width=200, steps=2500, schedule="flow", seed=0)


@FLOW.claim(
    "thm2-width",
    "At bounded times the trajectories of networks of growing width approach each other like m^(-1/2).",
    "Theorem 2",
    "exponent of the distance in output to m = 2048, m = 16..256, six seeds, XOR, t <= 1",
)
def _width() -> Finding:
    widths, data = [16, 64, 256, 2048], xor()
    seeds = [distances_to_widest(data.X, data.y, widths, [0.5, 1.0], seed=s, steps=40) for s in range(6)]
    distance = np.mean(seeds, axis=(0, 2))
    return Finding(-0.5, float(np.polyfit(np.log(widths[:-1]), np.log(distance), 1)[0]), 0.25)


@FLOW.claim(
    "cor4-xor",
    "The normalised margin of the flow of both layers converges to gamma_1 on XOR.",
    "Theorem 3, Corollary 4",
    "best margin over the certified gamma_1, m = 100",
)
def _xor() -> Finding:
    return Finding(1.0, _xor_run().margin_best / max_margin(xor(), bias=False).upper, 5e-3)


@FLOW.claim(
    "cor4-line",
    "The normalised margin of the flow of both layers converges to gamma_1 on three points of a line.",
    "Theorem 3, Corollary 4",
    "best margin over the certified gamma_1, m = 200, with bias",
)
def _line() -> Finding:
    return Finding(1.0, _line_run().margin_best / max_margin(three_points(1.0)).upper, 1e-2)


@FLOW.claim(
    "cor4-squared-relu",
    "The flow with squared ReLU, the smooth case of the theorem, converges to its gamma_1.",
    "Theorem 3 (assumption A3 of the paper holds for S-ReLU)",
    "best margin over 1/2, XOR, m = 100",
)
def _squared() -> Finding:
    run = train(xor(), feature="squared-relu", bias=False, width=100, steps=1500, schedule="flow", seed=0)
    return Finding(1.0, run.margin_best / max_margin(xor(), feature="squared-relu", bias=False).upper, 1e-2)


@FLOW.claim(
    "flow-below-gamma",
    "No iterate of the flow has a margin above the certified gamma_1.",
    "Eq. 4",
    "largest recorded margin over the upper end, XOR and three points",
)
def _below() -> Finding:
    pairs = ((_xor_run(), max_margin(xor(), bias=False)), (_line_run(), max_margin(three_points(1.0))))
    return Finding(1.0, max(run.margin_best / certificate.upper for run, certificate in pairs), 1e-12, "<=")


@FLOW.claim(
    "thm3-adversary",
    "The flow's weights on the points converge to the optimal adversary.",
    "Theorem 3",
    "l1 distance to the unique p* = (1, 3, 1)/5, three points of a line",
)
def _adversary() -> Finding:
    return Finding(0.0, float(np.abs(_line_run().adversary - [0.2, 0.6, 0.2]).sum()), 0.05)


@FLOW.claim(
    "thm3-certificate",
    "The flow's own weights prove an upper bound that meets gamma_1.",
    "Prop. 12, Theorem 3",
    "least upper bound from the run's averaged weights over gamma_1, XOR",
)
def _own_bound() -> Finding:
    upper = _xor_run().upper
    return Finding(1.0, np.nan if upper is None else upper / max_margin(xor(), bias=False).lower, 1e-2)


@FLOW.claim(
    "thm3-measure",
    "The normalised neurons converge to the optimal measure.",
    "Theorem 3",
    "W_1 to the four neurons along the points, over its value at the start, XOR",
)
def _measure() -> Finding:
    data, run = xor(), _xor_run()
    optimum = Measure(data.X / np.sqrt(2.0), data.y / 4.0)
    (_, A, b), last = run.snapshots[0], run.network
    start = wasserstein(Network(A, b, bias=False).measure(), optimum)
    return Finding(0.0, wasserstein(last.measure(), optimum) / start, 0.15)


@FLOW.claim(
    "thm3-dirac",
    "Started from a Dirac the flow does not reach gamma_1: it stays one neuron, and XOR is not separated.",
    "Theorem 3 (full support is needed)",
    "best margin over gamma_1 of 50 equal neurons, three starts",
)
def _dirac() -> Finding:
    best = []
    for seed in range(3):
        w = np.random.default_rng(seed).standard_normal(3)
        start = Network(np.tile(w[:2], (50, 1)), np.full(50, w[2]), bias=False)
        run = train(xor(), bias=False, init=start, steps=500, schedule="constant", step_size=0.05)
        best.append(run.margin_best)
    return Finding(0.0, max(best) / max_margin(xor(), bias=False).lower, 1e-9, "<=")


def _population(x: Array) -> Dataset:
    """Labels +, -, + on the three intervals [-2, -1.2], [-0.4, 0.4], [1.2, 2], at uniform numbers x in [0, 1]."""
    part, place = np.divmod(3.0 * np.clip(x, 0.0, 1.0 - 1e-12), 1.0)
    return make_dataset((1.6 * part - 2.0 + 0.8 * place)[:, None], np.where(part == 1, -1, 1), classes=(-1, 1))


@FLOW.claim(
    "thm5-population",
    "From a balanced uniform start, ReLU networks on growing samples reach the F1 margin of the population.",
    "Theorem 5",
    "worst margin over the population of the network of 100 samples, over the population's gamma_1; note: 12 samples",
)
def _growing_samples() -> Finding:
    population = _population(np.linspace(0.0, 1.0, 301))
    gamma, shares = max_margin(population).lower, []
    for n in (12, 100):
        data = _population(np.random.default_rng(n).random(n))
        network = train(data, width=60, steps=250, schedule="flow", init=Balanced(1.0), seed=0).network_best
        margins = population.y * network.decision_function(population.X) / network.mass
        shares.append(float(margins.min()) / gamma)
    return Finding(1.0, shares[1], 0.08, note=f"12 samples: {shares[0]:.3f}")


@FLOW.claim(
    "growth-both",
    "Training both layers, the mass grows like exp(4 gamma_1 t).",
    "Eq. 11; docs/theory.rst, A3",
    "fitted d log(mass)/dt over 4 gamma_1, XOR, last half of the time",
)
def _growth_both() -> Finding:
    run = train(xor(), bias=False, width=100, steps=60, schedule="flow", seed=0)
    return Finding(1.0, growth_rate(run) / (4.0 * max_margin(xor(), bias=False).lower), 0.03)


@FLOW.claim(
    "lemma26-flow",
    "|a_j|^2 - b_j^2 of every neuron is constant along the flow.",
    "Lemma 26",
    "largest change over t <= 0.02, DOP853 to 1e-10, and over a long run relative to the mass, XOR",
)
def _conserved() -> Finding:
    data = xor()
    A, b = Gaussian().draw(np.random.default_rng(0), 12, 2)
    path = trajectory(Network(A, b, bias=False), data.X, data.y, [0.01, 0.02])
    changes = [float(np.abs(_balance(net.hidden, net.output) - _balance(A, b)).max()) for net in path]
    run = _xor_run()
    long = np.abs(_balance(run.network.hidden, run.network.output)).max() / run.network.mass
    return Finding(0.0, max(*changes, float(long)), 1e-6)


def _balance(hidden: Array, output: Array) -> Array:
    return np.einsum("jd,jd->j", hidden, hidden) - output**2


@FLOW.claim(
    "prop9-balanced-trained",
    "The neurons of a trained network become balanced, |a_j| = |b_j|, as in every optimal measure.",
    "Prop. 9, Lemma 26",
    "(1/m) sum (|a_j| - |b_j|)^2 over the mass, Gaussian start, XOR",
)
def _balanced() -> Finding:
    network = _xor_run().network
    lengths = np.linalg.norm(network.hidden, axis=1)
    return Finding(0.0, float(np.mean((lengths - np.abs(network.output)) ** 2)) / network.mass, 1e-4)


@FLOW.claim(
    "ascent-smooth-margin",
    "Along the flow -log(sum of losses) over the mass does not decrease once it is positive.",
    "Lyu and Li 2020; Eq. 12",
    "largest relative decrease between recorded steps, XOR, explicit steps of 0.001",
)
def _smooth_margin() -> Finding:
    run = train(xor(), bias=False, width=100, steps=8000, schedule="constant", step_size=0.001, seed=0)
    # -log of the sum of losses, as Lyu and Li have it, is S - log n
    smooth = np.array([row["smooth_margin"] - np.log(4) / row["mass"] for row in run.trace])
    smooth = smooth[np.argmax(smooth > 0) :]
    return Finding(0.0, float(np.max(1.0 - smooth[1:] / smooth[:-1])), 1e-3, "<=", f"{len(smooth)} steps")


@FLOW.claim(
    "fig3-tangent-kernel",
    "From a large start the flow first follows the max-margin classifier of the tangent kernel.",
    "Fig. 3, section 5.3",
    "(1 - correlation with it) / (1 - correlation with F1) on a grid; weights moved < 5 per cent; m = 1000, scale 40",
)
def _tangent_phase() -> Finding:
    data = _population(np.linspace(0.02, 0.98, 10))
    run = train(data, init="paired:40", width=1000, steps=3000, schedule="constant", step_size=3e-5)
    network, (_, hidden, output) = run.network, run.snapshots[0]
    moved = conventions.mass(network.hidden - hidden, network.output - output) / conventions.mass(hidden, output)
    X = np.linspace(-2.5, 2.5, 201)[:, None]
    solved = max_margin(data, "ntk", weights="gaussian"), max_margin(data, "f1")
    f, g, h = (classifier.decision_function(X) for classifier in (network, *solved))
    tangent, rich = _cosine(f, g), _cosine(f, h)
    note = f"weights moved {100 * np.sqrt(moved):.1f} per cent; correlations {tangent:.4f} (tangent), {rich:.4f} (F1)"
    return Finding(0.0, (1.0 - tangent) / (1.0 - rich) if moved < 0.05**2 else np.nan, 0.1, note=note)


def _cosine(f: Array, g: Array) -> float:
    return float(f @ g / (np.linalg.norm(f) * np.linalg.norm(g)))


@FLOW.claim(
    "fig3-rich-limit",
    "From the same large start the flow later leaves the tangent kernel for the F1 max margin.",
    "Fig. 3, section 5.3",
    "best F1 margin over gamma_1, m = 200, scale 40, three points",
)
def _rich_phase() -> Finding:
    data = three_points(1.0)
    run = train(data, init="paired:40", width=200, steps=2500, schedule="flow")
    return Finding(1.0, run.margin_best / max_margin(data).upper, 0.02)
