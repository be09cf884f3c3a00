"""Ctrl-C: the bracket or run so far is valid, delivered, and the exit status is 130; a second one stops at once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest

import maxmargin as mm
from maxmargin.cli import main

LONG = "clusters:n=256,d=15,k=3,seed=0"
CHILD = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs inherit "ignore"
import maxmargin.comparison
from maxmargin.cli import main
print("ready", file=sys.stderr, flush=True)
sys.exit(main(sys.argv[1:]))
"""


def interrupt(arguments, *delays):
    """Exit status, standard output and error of a command that gets Ctrl-C after these delays."""
    child = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", CHILD, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stderr.readline() == "ready\n"
        for delay in delays:
            time.sleep(delay)
            child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
    return child.returncode, out, err


@pytest.mark.parametrize(
    "options, delay",
    [
        ([], 0.4),  # scouting
        ([], 2.0),  # column generation
        (["--max-rounds", "1"], 1.5),  # relaxation
        (["--max-rounds", "1", "--time-limit", "40"], 1.5),  # branch and bound
    ],
)
def test_margin_keeps_its_bracket(options, delay, tmp_path):
    path = tmp_path / "certificate.json"
    status, _, err = interrupt(["margin", LONG, *options, "--json", str(path)], delay)
    assert status == 130 and "Traceback" not in err
    document = json.loads(path.read_text())
    data = mm.load(LONG)
    assert document["status"] == "interrupted"
    assert 0 <= document["lower"] < document["upper"] < 0.1
    assert mm.check_certificate(document, data.X, data.y).holds
    assert [item.name for item in tmp_path.iterdir()] == ["certificate.json"]


@pytest.mark.parametrize("layers", ["both", "output"])
def test_train_keeps_its_run(layers, tmp_path):
    path = tmp_path / "run.json"
    command = ["train", LONG, "--layers", layers, "--steps", "10000000", "--json", str(path)]
    status, out, err = interrupt(command, 1.5)
    assert status == 130 and "Traceback" not in err
    run = json.loads(path.read_text())
    assert run["status"] == "interrupted" and 0 <= run["steps"] < 10_000_000
    assert run["trace"][-1]["step"] == run["steps"]
    assert "interrupted" in out


def test_compare_delivers_what_there_is(tmp_path):
    status, out, err = interrupt(["compare", LONG, "--out", str(tmp_path)], 1.5)
    assert status == 130 and "Traceback" not in err
    document = json.loads((tmp_path / "comparison.json").read_text())
    assert document["margins"]["f1"]["status"] == "interrupted"
    assert {run["status"] for run in document["runs"]} == {"interrupted"}
    assert (tmp_path / "report.html").stat().st_size > 10_000
    assert "interrupted" in out


def test_second_stops_at_once(tmp_path):
    began = time.monotonic()
    status, _, _ = interrupt(["compare", LONG, "--out", str(tmp_path / "out")], 1.0, 0.05)
    assert status in (130, -signal.SIGINT)  # killed by the signal: a shell reports 130
    assert time.monotonic() - began < 20
    assert not (tmp_path / "out").exists()


class Presser:
    """Progress that presses Ctrl-C at its k-th line."""

    def __init__(self, k):
        self.left = k

    def __call__(self, line):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("norm", ["f1", "f2", "ntk"])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_every_round_leaves_a_bracket(norm, k):
    whole = mm.max_margin("clusters:n=60,d=15,k=3,seed=0", norm, time_limit=None, max_rounds=40)
    part = mm.max_margin("clusters:n=60,d=15,k=3,seed=0", norm, progress=Presser(k))
    assert part.status.value == "interrupted"
    assert part.lower <= whole.upper and whole.lower <= part.upper


def test_dictionary_and_named_solver_stop_too():
    theta = mm.load("clusters:n=200,d=5,k=3,seed=1").X
    for solver in ("auto", "clarabel"):
        part = mm.max_margin(
            "clusters:n=40,d=5,k=3,seed=0", directions=theta, bias=False, solver=solver, progress=Presser(2)
        )
        assert part.scope == "dictionary" and part.lower <= part.upper
        assert len(part.attempts) == 2  # the conic solver was not called any more


def test_a_limit_is_not_an_interruption():
    assert main(["margin", LONG, "--max-rounds", "1", "--time-limit", "0.1", "--quiet"]) == 0


def test_the_handler_is_put_back():
    before = signal.getsignal(signal.SIGINT)
    main(["datasets"])
    assert signal.getsignal(signal.SIGINT) is before
