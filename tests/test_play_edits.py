"""Hundreds of edits in a row: every answer proved or superseded, no thread and no process left behind."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from play_support import Playground

EDITS = 500


def threads(pid):
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def descendants(pid):
    """Process numbers of the children, and theirs."""
    children = [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in _children(task)]
    return children + [other for child in children for other in descendants(child)]


def _children(task):
    try:
        return (task / "children").read_text().split()
    except OSError:
        return []


def alive(family):
    return [pid for pid in family if os.path.exists(f"/proc/{pid}")]


def edited(rng, scene):
    """The scene after a point was added, moved or removed."""
    kind = rng.integers(3) if 4 < len(scene) < 20 else (0 if len(scene) <= 4 else 2)
    k = rng.integers(len(scene))
    if kind == 0:
        return [*scene, [*rng.uniform(-1, 1, 2).round(3).tolist(), int(rng.choice([-1, 1]))]]
    if kind == 1:
        return [*scene[:k], [*rng.uniform(-1, 1, 2).round(3).tolist(), scene[k][2]], *scene[k + 1 :]]
    return scene[:k] + scene[k + 1 :]


@pytest.mark.slow
def test_five_hundred_edits_in_a_row():
    """Every second edit is asked in a thread of its own and not waited for, as a page does while one drags."""
    rng, scene = np.random.default_rng(5), [[0.0, 0.1, 1], [0.5, -0.2, -1]]
    playground = Playground()
    answers, asked = [], []
    try:
        assert playground.post("solve", {"points": scene})[0] == 200
        playground.post("train", {"points": scene})
        quiet, family = threads(playground.process.pid), descendants(playground.process.pid)
        for k in range(EDITS):
            scene = edited(rng, scene)
            document = {"points": scene, "norms": ["f1"]}
            if k % 2:
                asked.append(threading.Thread(target=lambda d=document: answers.append(playground.post("solve", d))))
                asked[-1].start()
                time.sleep(rng.choice([0.0, 0.01, 0.03]))
            else:
                answers.append(playground.post("solve", document))
        for thread in asked:
            thread.join()
        last = playground.post("solve", {"points": scene})[1]
        assert last["n"] == len(scene) and last["solved"]["f1"]["status"] in ("certified", "not-separable")
        assert [status for status, _ in answers] == [200] * EDITS
        solved = [answer["solved"] for _, answer in answers if "stale" not in answer]
        assert len(solved) >= EDITS // 4 and all(found["f1"]["lower"] <= found["f1"]["upper"] for found in solved)
        time.sleep(1.0)
        assert threads(playground.process.pid) <= quiet, "a thread a request is too many"
        assert descendants(playground.process.pid) == family, "no process was ended by force"
        assert playground.interrupt() == (0, "", "")
        end = time.monotonic() + 10.0
        while alive(family) and time.monotonic() < end:
            time.sleep(0.1)
        assert not alive(family)
    finally:
        playground.close()
