"""The processes behind the playground: a stuck one is replaced, a dead one is told, none is left behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time

import numpy as np
import pytest

import maxmargin as mm
from maxmargin.play import limits
from maxmargin.play.requests import Solve
from maxmargin.play.worker import STALE, Desk

XOR = Solve.read({"points": [[-1, -1, -1], [-1, 1, 1], [1, -1, 1], [1, 1, -1]]})


NAME = "maxmargin solver in a test"


def children():
    """Processes of the desk; other tests may have left some of their own, joblib's for instance."""
    return [child for child in multiprocessing.active_children() if child.name == NAME]


@pytest.fixture
def desk():
    before = set(threading.enumerate())
    desk = Desk(NAME)
    yield desk
    desk.close()
    assert children() == [] and set(threading.enumerate()) <= before


def lower(answer):
    return answer["answer"]["solved"]["f1"]["lower"]


def test_a_stuck_process_is_replaced_and_a_killed_one_too(desk):
    wanted = pytest.approx(mm.max_margin("xor").lower, rel=limits.TOLERANCE)
    assert lower(desk.ask("solve", XOR, 5.0)) == wanted
    (child,) = children()
    os.kill(child.pid, signal.SIGSTOP)  # it will not look at its pipe any more
    stuck: list[object] = []
    waiting = threading.Thread(target=lambda: stuck.append(desk.ask("solve", XOR, 5.0)))
    waiting.start()
    time.sleep(0.1)
    assert lower(desk.ask("solve", XOR, 5.0)) == wanted
    waiting.join()
    assert stuck == [STALE]
    (other,) = children()
    assert other.pid != child.pid
    os.kill(other.pid, signal.SIGKILL)
    other.join()
    assert lower(desk.ask("solve", XOR, 5.0)) == wanted


def test_a_crowd_of_requests_does_not_block_behind_a_stuck_process(desk):
    """Together they are larger than the pipe, which nobody empties."""
    assert lower(desk.ask("solve", XOR, 60.0)) > 0
    (child,) = children()
    os.kill(child.pid, signal.SIGSTOP)
    places = np.random.default_rng(0).uniform(-1, 1, (500, 2)).tolist()
    large = Solve.read({"points": [[*x, 1] for x in places]})
    answers: list[object] = []
    crowd = [threading.Thread(target=lambda: answers.append(desk.ask("solve", large, 5.0))) for _ in range(40)]
    for thread in crowd:
        thread.start()
        time.sleep(0.01)
    assert lower(desk.ask("solve", XOR, 60.0)) > 0
    for thread in crowd:
        thread.join(30.0)
    assert answers == [STALE] * 40


def test_what_takes_too_long_is_ended_and_says_so(desk, monkeypatch):
    monkeypatch.setattr(limits, "SLACK_SECONDS", 0.5)
    assert lower(desk.ask("solve", XOR, 60.0)) > 0
    (child,) = children()
    places = np.random.default_rng(0).uniform(-1, 1, (480, 2)).tolist()
    hard = Solve.read({"points": [[*x, 1 if k % 2 else -1] for k, x in enumerate(places)], "time_limit": 5.0})
    threading.Timer(0.3, os.kill, (child.pid, signal.SIGSTOP)).start()  # in the middle of its work
    answer = desk.ask("solve", hard, 0.5)
    assert answer["answer"]["error"].startswith("stopped after 0.5 seconds")
    assert children() == []
    assert not desk.cancel(), "nothing is left to cancel"
