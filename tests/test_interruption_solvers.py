"""Ctrl-C inside compiled solvers, which ignore it or replace its handler: work stops at once, and nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import threading
import time

import numpy as np
import pytest
from test_interruption import PATIENCE, Child

import maxmargin as mm
from maxmargin.solvers.conic import in_background

LARGE = "clusters:n=400,d=15,k=3,seed=0"


SOLVING = "maxmargin.solvers.conic:in_background"


def interrupted_inside(arguments):
    """Ctrl-C when the named solver has computed for a second; its seconds of computing from then on."""
    child = Child(arguments, [SOLVING])
    try:
        child.wait_for(SOLVING)
        pressed = child.cpu() + 1.0
        while child.cpu() < pressed and child.process.poll() is None:
            time.sleep(0.05)
        child.press()
        return child.end(), children() - pressed
    finally:
        child.process.kill()


def children():
    """Seconds of computing of all processes that have ended."""
    used = os.times()
    return used.children_user + used.children_system


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["scs", "clarabel", "highs", "osqp"])
def test_a_named_solver_leaves_what_is_proved_already(solver, tmp_path):
    theta, path = np.random.default_rng(0).standard_normal((4000, 15)), tmp_path / "certificate.json"
    np.savez(tmp_path / "theta.npz", theta)
    options = ["--directions", str(tmp_path / "theta.npz"), "--solver", solver, "--json", str(path)]
    before = children()
    (status, _, err), after = interrupted_inside(["margin", LARGE, *options])
    assert status == 130 and "Traceback" not in err
    assert after - before < 20  # HiGHS alone took half a minute to notice
    document, data = json.loads(path.read_text()), mm.load(LARGE)
    assert mm.check_certificate(document, data.X, data.y).holds
    assert 0 <= document["lower"] <= document["upper"]


@pytest.mark.slow
def test_the_kernel_program_leaves_a_bracket(tmp_path):
    path, name = tmp_path / "certificate.json", "clusters:n=1000,d=15,k=3,seed=0"
    (status, _, err), _ = interrupted_inside(["margin", name, "--norm", "f2", "--solver", "scs", "--json", str(path)])
    assert status == 130 and "Traceback" not in err
    document, data = json.loads(path.read_text()), mm.load(name)
    assert document["status"] == "interrupted"
    assert document["lower"] <= mm.max_margin(data, "f2").upper and mm.max_margin(data, "f2").lower <= document["upper"]


def press_when(started, cpu=0.0):
    """Ctrl-C once the event is set and this process has computed so many seconds more."""

    def press():
        assert started.wait(PATIENCE)
        begun = time.process_time()
        while time.process_time() < begun + cpu:
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    return thread


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
    started, heard, finished = threading.Event(), threading.Event(), threading.Event()

    def work():
        started.set()
        heard.wait(PATIENCE)
        finished.set()

    presser = press_when(started)
    with pytest.raises(KeyboardInterrupt):
        in_background(work)
    assert not finished.is_set()
    presser.join()
    heard.set()
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.slow
def test_scs_and_its_own_handler():
    import cvxpy as cp

    x = cp.Variable(400)
    A = np.random.default_rng(0).standard_normal((800, 400))
    problem = cp.Problem(cp.Minimize(cp.norm(A @ x - 1, 1) + cp.norm(x, 2)))
    started = threading.Event()

    def work():
        started.set()
        # some ten seconds: an abandoned thread of SCS 3.2 goes on, and slows down every test after this one
        problem.solve(solver="SCS", eps_abs=1e-15, eps_rel=1e-15, max_iters=20_000)

    presser = press_when(started, cpu=1.0)
    with pytest.raises(KeyboardInterrupt):
        in_background(work)
    presser.join()
