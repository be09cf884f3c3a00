"""Comparisons with every number known by hand: what the figures, the report and the film are tested on."""

import base64
from types import SimpleNamespace

import numpy as np

from maxmargin.datasets.values import make_dataset
from maxmargin.features import RELU
from maxmargin.features.kernels import Kernel
from maxmargin.flow.network import Network
from maxmargin.games.certificate import Certificate
from maxmargin.games.game import Bracket
from maxmargin.games.measure import Measure
from maxmargin.games.problem import Problem
from maxmargin.games.rkhs import KernelExpansion
from maxmargin.outcome import Status

SQUARE = np.array([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]])


def certificate(dataset, bias, bracket, classifier, p):
    """A certificate of hand-computed parts."""
    norm = "f1" if isinstance(classifier, Measure) else "f2"
    weights = None if norm == "f1" else "sphere"
    problem = Problem(norm, RELU, bias, "sphere", dataset.n, dataset.d, dataset.sha256, weights)
    scope = "sphere-exact" if norm == "f1" else "kernel"
    return Certificate(
        problem,
        Bracket(*bracket, scope),
        Status.CERTIFIED,
        classifier,
        np.asarray(p, dtype=float),
        1e-9,
        versions={"python": "3.11", "numpy": "2"},
        training=dataset.inputs(bias),
    )


def run_of(measure, bias, reference, margin, m=60):
    """A network near the measure, with a trace that climbs to `margin`, and five snapshots."""
    rng = np.random.default_rng(1)
    chosen = np.arange(m) % len(measure)
    scale = np.sqrt(np.abs(measure.weights[chosen]))
    hidden = scale[:, None] * (
        measure.directions[chosen] + 0.01 * rng.standard_normal((m, measure.directions.shape[1]))
    )
    output = np.sign(measure.weights[chosen]) * scale
    networks = [Network(hidden * (1 + k), output * (1 + k) * (1 if k else -1), bias) for k in range(5)]
    steps = [0, 1, 10, 100, 1000]
    trace = [
        {"step": t, "time": 0.5 * t, "margin": margin * (1 - 1.9 / (1 + k**2)), "mass": 1.0 + k, "smooth_margin": 0.0}
        for k, t in enumerate(steps)
    ]
    return SimpleNamespace(
        layers="both" if reference == "f1" else "output", width=m, norm="f1", steps=1000, seed=0, schedule="paper",
        loss="exp", convention="sphere", feature="relu", bias=bias, weights=None, status="finished", trace=trace,
        margin_best=margin, margin_last=0.9 * margin, step_of_best=500, network=networks[-1], network_best=networks[-1],
        snapshots=[(t, net.hidden, net.output) for t, net in zip(steps, networks, strict=True)], seconds=0.25,
        peak_bytes=10**8, adversary=np.full(4, 0.25),
    )  # fmt: skip


def compared(run, reference, bracket):
    """A run beside its reference."""
    low, high = bracket
    return SimpleNamespace(
        run=run, reference=reference, bracket=Bracket(low, high, "kernel"),
        fraction_of_lower=run.margin_best / low, fraction_of_upper=run.margin_best / high,
    )  # fmt: skip


def comparison(dataset, measure, p, gamma, bias):
    """F1 from the given optimal pair, F2 by equal margins, one run each."""
    f1 = certificate(dataset, bias, (gamma * (1 - 1e-9), gamma), measure, p)
    K = Kernel(RELU)(dataset.inputs(bias))
    c = np.linalg.solve(K, dataset.y)  # all margins equal; optimal since every y_i c_i is positive by symmetry
    q = dataset.y * c / (dataset.y @ c)
    c /= np.sqrt(c @ K @ c)
    upper = float(np.sqrt((dataset.y * q) @ K @ (dataset.y * q))) * (1 + 1e-9)
    lower = float((dataset.y * (K @ c)).min())
    f2 = certificate(dataset, bias, (lower, upper), KernelExpansion(c), q)
    runs = (
        compared(run_of(measure, bias, "f1", 0.97 * gamma), "f1", (f1.lower, f1.upper)),
        compared(run_of(measure, bias, "f2m", 0.9 * lower), "f2m", (lower, upper)),
    )
    return SimpleNamespace(
        dataset=dataset, margins={"f1": f1, "f2": f2}, runs=runs, seconds=1.5, options={},
        command=f"maxmargin compare {dataset.name}",
    )  # fmt: skip


def line(name="three points"):
    """C4 with s = 1: gamma_path = 1/5, f = 0.4 |x| - 0.2, p = (1, 3, 1)/5. D = 2."""
    dataset = make_dataset([[-1.0], [0.0], [1.0]], [1, -1, 1], name=name)
    measure = Measure(np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]]), np.array([0.4, 0.4, -0.2]))
    return comparison(dataset, measure, np.array([0.2, 0.6, 0.2]), 0.1, bias=True)


def square(bias, d=2):
    """C5/C8: xor and 2-sparse parity, y = x1 x2: gamma_path = sqrt2/4, with or without bias; D = d + bias."""
    rest = np.array(np.meshgrid(*[[-1.0, 1.0]] * (d - 2))).reshape(d - 2, -1).T if d > 2 else np.zeros((1, 0))
    X = np.vstack([np.hstack([np.repeat(row[None], len(rest), 0), rest]) for row in SQUARE])
    dataset = make_dataset(X, X[:, 0] * X[:, 1], name=f"parity in {d}")
    directions = np.zeros((4, d + bias))
    directions[:, :2] = SQUARE / np.sqrt(2)
    measure = Measure(directions, np.array([0.25, 0.25, -0.25, -0.25]))
    return comparison(dataset, measure, np.full(len(X), 1 / len(X)), np.sqrt(2) / 8, bias)


EXAMPLES = {
    "line": line,
    "circle": lambda: square(False),
    "sphere": lambda: square(True),
    "cube": lambda: square(False, 5),
}


def unpack(packed):
    """What `film.encode.pack` wrote, up to quantisation."""
    whole = np.frombuffer(base64.b64decode(packed["data"]), dtype="<i2").reshape(packed["shape"])
    return whole / 32767.0 * packed["reach"]
