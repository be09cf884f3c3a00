"""Time of the both-layer flow against the authors' loop, line by line, and a PyTorch loop where torch is installed.

    python experiments/benchmarks/flow_speed.py [--steps 50000] [--full]

    python experiments/benchmarks/flow_speed.py --large     # three steps at m = n = 10,000: seconds and peak memory

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


def torch_loop(X: np.ndarray, y: np.ndarray, W: np.ndarray, steps: int, name: str) -> float | None:
    """The same loop with PyTorch's autograd, one thread; its best margin, None where torch is not installed."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(1)
    kind = getattr(torch, name)
    points, labels = torch.tensor(X, dtype=kind), torch.tensor(y, dtype=kind)
    weights, best = torch.tensor(W, dtype=kind, requires_grad=True), -np.inf
    for step in range(1, steps + 1):
        outputs = labels * (torch.relu(points @ weights[:, :-1].T) @ weights[:, -1]) / len(W)
        (gradient,) = torch.autograd.grad(-torch.logsumexp(-outputs, 0), weights)
        with torch.no_grad():
            best = max(best, float(outputs.min() / (weights.square().sum() / len(W))))
            weights += 0.5 * len(W) * gradient / np.sqrt(step + 1)
    return best


def large(size: int = 10_000, steps: int = 3) -> None:
    """Process seconds a step, and peak memory, of a wide network on many points."""
    data = clusters(size, 15, 3, seed=0)
    began = time.process_time()
    train_flow(data.inputs(True), data.y, width=size, steps=steps, dtype="float32", progress=print)
    spent = (time.process_time() - began) / steps
    print(f"m = n = {size:,}: {spent:.2f} s a step, peak memory {memory.peak() / 2**30:.2f} GiB")


def main() -> None:
    """Read the options and run one of the two."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=50_000)
    parser.add_argument("--full", action="store_true", help="all steps of the transcription too, to compare margins")
    parser.add_argument("--large", action="store_true", help="only the large network")
    arguments = parser.parse_args()
    if arguments.large:
        large()
    else:
        compare_loops(arguments.steps, arguments.full)


def compare_loops(steps: int, full: bool) -> None:
    """Print times, ratios and margins."""
    data = clusters(256, 15, 3, seed=0)
    Z, y = np.hstack([data.X, np.ones((256, 1))]), np.asarray(data.y, dtype=float)
    W = np.random.default_rng(0).standard_normal((1000, 16))
    piece = steps if full else 400
    seconds, best, reference = [], {}, []
    with threadpool_limits(1):
        for name in ("", "float64", "", "float32", ""):
            began = time.process_time()
            if name:
                best[name] = train_flow(Z, y, steps=steps, seed=0, dtype=name).margin_best
            elif not (full and reference):
                best["transcription"] = transcription(Z, y, W, piece).max()
            spent = time.process_time() - began
            if name:
                seconds.append((name, spent))
            elif spent > 1e-3:
                reference.append(spent * steps / piece)
        for name in ("float32", "float64"):
            torch_loop(Z, y, W, 20, name)  # importing and warming up are not part of a step
            began = time.process_time()
            if (margin := torch_loop(Z, y, W, piece, name)) is None:
                print("PyTorch is not installed and was left out")
                break
            best[f"PyTorch {name}"] = margin
            seconds.append((f"PyTorch {name}", (time.process_time() - began) * steps / piece))
    baseline = float(np.mean(reference))
    print(f"transcription    {baseline:8.1f} s  (from {len(reference)} x {piece} steps)")
    for name, spent in seconds:
        each = f"{1e3 * spent / steps:.3f} ms a step"
        print(f"{name:16s} {spent:8.1f} s  {each}  {baseline / spent:6.1f} x   best margin {best[name]:.7f}")
    if full:
        print(f"best margin of the transcription {best['transcription']:.7f}")
    print(f"peak memory {memory.peak() / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
