"""Ctrl-C inside compiled solvers, which keep it waiting or take it for themselves: at once, and nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import threading
import time

import numpy as np
import pytest
from test_interruption import interrupt

import maxmargin as mm
from maxmargin.solvers.background import in_background

LARGE = "clusters:n=400,d=15,k=3,seed=0"


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["scs", "clarabel", "highs", "osqp"])
def test_a_named_solver_leaves_what_is_proved_already(solver, tmp_path):
    theta, path = np.random.default_rng(0).standard_normal((4000, 15)), tmp_path / "certificate.json"
    np.savez(tmp_path / "theta.npz", theta)
    began = time.monotonic()
    options = ["--directions", str(tmp_path / "theta.npz"), "--solver", solver, "--json", str(path)]
    status, _, err = interrupt(["margin", LARGE, *options], 3.0)
    assert status == 130 and "Traceback" not in err
    assert time.monotonic() - began < 25  # HiGHS alone took half a minute to notice
    document, data = json.loads(path.read_text()), mm.load(LARGE)
    assert mm.check_certificate(document, data.X, data.y).holds
    assert 0 <= document["lower"] <= document["upper"]


@pytest.mark.slow
@pytest.mark.parametrize("delay", [2.0, 5.0])
def test_the_kernel_program_leaves_a_bracket(delay, tmp_path):
    path, name = tmp_path / "certificate.json", "clusters:n=1000,d=15,k=3,seed=0"
    options = ["--norm", "f2", "--solver", "scs", "--json", str(path)]
    status, _, err = interrupt(["margin", name, *options], delay)
    assert status == 130 and "Traceback" not in err
    document, data = json.loads(path.read_text()), mm.load(name)
    assert document["status"] == "interrupted"
    assert document["lower"] <= mm.max_margin(data, "f2").upper and mm.max_margin(data, "f2").lower <= document["upper"]


def press_after(seconds):
    timer = threading.Timer(seconds, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    return timer


def test_background_returns_and_raises_like_a_call():
    assert in_background(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        in_background(lambda: 1 // 0)
    found = []
    thread = threading.Thread(target=lambda: found.append(in_background(threading.current_thread)))
    thread.start()
    thread.join()
    assert found == [thread]  # no signal arrives there: the work is simply done


def test_work_that_takes_the_signal_for_itself_loses_it_again():
    before = signal.getsignal(signal.SIGINT)
    heard = threading.Event()
    began = time.monotonic()
    timer = press_after(0.5)
    with pytest.raises(KeyboardInterrupt):
        in_background(lambda: heard.wait(20))
    timer.join()
    heard.set()
    assert time.monotonic() - began < 10
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.slow
def test_scs_and_its_own_handler():
    import cvxpy as cp

    x = cp.Variable(400)
    A = np.random.default_rng(0).standard_normal((800, 400))
    problem = cp.Problem(cp.Minimize(cp.norm(A @ x - 1, 1) + cp.norm(x, 2)))
    timer = press_after(2.0)
    with pytest.raises(KeyboardInterrupt):
        in_background(lambda: problem.solve(solver="SCS", eps_abs=1e-15, eps_rel=1e-15, max_iters=10**7))
    timer.join()
