"""How long the playground takes to answer an edit: median and 95 % point over HTTP, 10 to 300 points.

    python experiments/benchmarks/playground.py [--edits 100]

One point of a random scene is moved at a time; the F1, F2 and tangent-kernel margins are solved anew, proved and sent
back with the kernel maps, as the page asks for them; then a run is streamed for five seconds. Figures mean something
only on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import http.client
import json
import subprocess
import sys
import time
from urllib.parse import SplitResult, urlsplit

import numpy as np

SIZES = (10, 40, 100, 300)
LABELS = {
    "curve": "labels by the side of a curve",
    "noisy": "a tenth of the labels flipped",
}


def scene(rng: np.random.Generator, n: int, kind: str) -> np.ndarray:
    """n points of the square, labelled by x2 > sin(3 x1) / 2, some labels flipped if noisy; shape (n, 3)."""
    X = rng.uniform(-1.0, 1.0, (n, 2))
    y = np.where(X[:, 1] > 0.5 * np.sin(3.0 * X[:, 0]), 1.0, -1.0)
    if kind == "noisy":
        y[rng.permutation(n)[: n // 10]] *= -1.0
    return np.column_stack([X, y])


def ask(address: SplitResult, points: np.ndarray) -> tuple[float, dict]:
    """Seconds from the request to its answer, and the answer."""
    connection = http.client.HTTPConnection(address.netloc, timeout=60)
    body = json.dumps({"points": points.tolist(), "norms": ["f1", "f2", "ntk"], "time_limit": 2.0})
    began = time.perf_counter()
    connection.request("POST", f"/api/solve?{address.query}", body, {"Content-Type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    seconds = time.perf_counter() - began
    connection.close()
    return seconds, answer


def measure(address: SplitResult, n: int, kind: str, edits: int) -> str:
    """One line: median, 95 % point and maximum in milliseconds, share of certified answers, median of F1 alone."""
    rng = np.random.default_rng(n)
    points, seconds, first, certified = scene(rng, n, kind), [], [], 0
    for _ in range(edits):
        points[rng.integers(n), :2] += rng.normal(0.0, 0.05, 2)
        passed, answer = ask(address, points)
        seconds.append(passed)
        first.append(answer["solved"]["f1"]["seconds"])
        certified += all(found["status"] in ("certified", "not-separable") for found in answer["solved"].values())
    median, late = np.percentile(seconds, [50, 95])
    line = f"{n:4d}  {kind:6s}  {1e3 * median:7.0f}  {1e3 * late:7.0f}  {1e3 * max(seconds):7.0f}"
    return f"{line}  {100 * certified / edits:9.0f} %  {1e3 * np.median(first):7.0f}"


def frames(address: SplitResult, seconds: float = 5.0) -> str:
    """Frames a second of a run of 200 neurons on 40 points, as they arrive."""
    body = {"points": scene(np.random.default_rng(1), 40, "curve").tolist(), "schedule": "constant", "pace": "slow"}
    stream = http.client.HTTPConnection(address.netloc, timeout=60)
    stream.request("GET", f"/api/stream?{address.query}")
    lines = stream.getresponse()
    connection = http.client.HTTPConnection(address.netloc, timeout=60)
    connection.request("POST", f"/api/train?{address.query}", json.dumps(body), {"Content-Type": "application/json"})
    connection.getresponse().read()
    times: list[float] = []
    while not times or times[-1] < times[0] + seconds:
        if lines.readline().startswith(b"event: frame"):
            times.append(time.perf_counter())
    stream.close()
    longest = 1e3 * np.diff(times).max()
    return f"training: {(len(times) - 1) / (times[-1] - times[0]):.1f} frames a second, longest pause {longest:.0f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--edits", type=int, default=100, help="edits for each number of points (default 100)")
    edits = parser.parse_args().edits
    command = [sys.executable, "-m", "maxmargin", "play", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as playground:
        assert playground.stdout is not None
        address = urlsplit(playground.stdout.readline().strip())
        try:
            ask(address, scene(np.random.default_rng(0), 10, "curve"))  # imports
            print("; ".join(f"{kind}: {meaning}" for kind, meaning in LABELS.items()))
            print("   n  labels   median     95 %      max  proved to tol  F1 alone   (milliseconds)")
            for kind in LABELS:
                for n in SIZES:
                    print(measure(address, n, kind, edits), flush=True)
            print(frames(address))
        finally:
            playground.terminate()


if __name__ == "__main__":
    main()
