"""Time of the both-layer flow against a line-by-line transcription of the authors' loop, in one run.

    python experiments/benchmarks/flow_speed.py [--steps 50000] [--full]

Paper setting: m = 1000, n = 256, D = 15, k = 3, exponential loss, step 0.5/sqrt(t+1), one BLAS thread.  Times are
process times; the transcription is timed in several pieces between the other runs, so that other load on the
machine slows all of them alike.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from threadpoolctl import threadpool_limits

from maxmargin import memory
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
    parser.add_argument("--full", action="store_true", help="all steps of the transcription too, to compare margins")
    arguments = parser.parse_args()
    data = clusters(256, 15, 3, seed=0)
    Z, y = np.hstack([data.X, np.ones((256, 1))]), np.asarray(data.y, dtype=float)
    W = np.random.default_rng(0).standard_normal((1000, 16))
    piece = arguments.steps if arguments.full else 400
    seconds, best, reference = [], {}, []
    with threadpool_limits(1):
        for name in ("", "float64", "", "float32", ""):
            began = time.process_time()
            if name:
                best[name] = train_flow(Z, y, steps=arguments.steps, seed=0, dtype=name).margin_best
            elif not (arguments.full and reference):
                best["transcription"] = transcription(Z, y, W, piece).max()
            spent = time.process_time() - began
            if name:
                seconds.append((name, spent))
            elif spent > 1e-3:
                reference.append(spent * arguments.steps / piece)
    baseline = float(np.mean(reference))
    print(f"transcription  {baseline:8.1f} s  (from {len(reference)} x {piece} steps)")
    for name, spent in seconds:
        print(f"{name:14s} {spent:8.1f} s  {baseline / spent:6.1f} x   best margin {best[name]:.7f}")
    if arguments.full:
        print(f"best margin of the transcription {best['transcription']:.7f}")
    print(f"peak memory {memory.peak() / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
