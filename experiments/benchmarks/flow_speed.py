"""Time of the both-layer flow against a line-by-line transcription of the authors' loop, in one run.

    python experiments/benchmarks/flow_speed.py [--steps 50000] [--repeat 1]

Paper setting: m = 1000, n = 256, D = 15, k = 3, exponential loss, step 0.5/sqrt(t+1), one BLAS thread.  Times are
process times; the transcription is timed in several pieces between the other runs, so that a machine that others use
slows all of them alike.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
from threadpoolctl import threadpool_limits

from maxmargin.datasets.clusters import clusters
from maxmargin.flow import train_flow


def transcription(X: np.ndarray, y: np.ndarray, W: np.ndarray, steps: int, stepsize: float = 0.5) -> np.ndarray:
    """The authors' training loop (both layers), restated in NumPy; returns the margin before each step.

    X (n, D), W (m, D+1) with the output weight last; nothing is reused, all is allocated anew, as in the original.
    """
    m, n = len(W), len(y)
    W = W.copy()
    margins = np.zeros(steps)
    for iteration in range(1, steps + 1):
        activation = np.maximum(W[:, :-1] @ X.T, 0.0)
        output = np.sum(W[:, -1:] * activation, axis=0) / m
        beta = np.sum(W**2) / m
        margins[iteration - 1] = np.min(y * output) / beta
        unnormalised = np.exp(np.min(y * output) - y * output)
        weights = unnormalised / np.sum(unnormalised)
        grad_output = activation * (y * weights)[None, :]
        gate = (activation > 0).astype(float)
        grad_hidden = (W[:, -1:] * gate * (y * weights)[None, :]) @ X
        grad = np.hstack([grad_hidden, np.sum(grad_output, axis=1, keepdims=True)])
        W = W + stepsize * grad / np.sqrt(iteration + 1)
    assert n == X.shape[0]
    return margins


def main() -> None:
    """Print times, ratios and margins."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=50_000)
    arguments = parser.parse_args()
    data = clusters(256, 15, 3, seed=0)
    Z, y = np.hstack([data.X, np.ones((256, 1))]), np.asarray(data.y, dtype=float)
    W = np.random.default_rng(0).standard_normal((1000, 16))
    results = {}
    with threadpool_limits(1):
        for name in ("transcription", "float64", "float32"):
            began = time.process_time()
            if name == "transcription":
                best = transcription(Z, y, W, arguments.steps).max()
            else:
                best = train_flow(Z, y, steps=arguments.steps, seed=0, dtype=name).margin_best
            results[name] = time.process_time() - began, best
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            seconds, best = results[name]
            ratio = results["transcription"][0] / seconds
            figures = f"{seconds:8.1f} s  {ratio:6.1f} x   best margin {best:.7f}   peak {peak:.0f} MiB"
            print(f"{name:14s} {figures}", flush=True)


if __name__ == "__main__":
    main()
