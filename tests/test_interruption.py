"""Ctrl-C: the bracket or run so far is valid, delivered, and the exit status is 130; a second one stops at once."""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import maxmargin as mm
from maxmargin.cli import main

LONG = "clusters:n=256,d=15,k=3,seed=0"
# Every progress line and every call of the functions in sys.argv[1] is told on standard error. "wait signal:signal"
# means: once Ctrl-C has its default action, stay there for ever; "stay " before a function: never
# enter it. The parent presses Ctrl-C when it hears what it waits for.
CHILD = """
import functools, importlib, json, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs inherit "ignore"
import maxmargin.comparison
from maxmargin.cli import common, main

def tell(line):
    print("EVENT " + line, file=sys.stderr, flush=True)

for place in json.loads(sys.argv[1]):
    module, _, path = place.removeprefix("wait ").removeprefix("stay ").partition(":")
    *owners, name = path.split(".")
    owner = functools.reduce(getattr, owners, importlib.import_module(module))
    def announced(*arguments, _call=getattr(owner, name), _place=place, **options):
        if not _place.startswith("wait "):
            tell(_place)
            if _place.startswith("stay "):
                time.sleep(3600)
            return _call(*arguments, **options)
        result = _call(*arguments, **options)
        if signal.SIG_DFL in arguments:
            tell(_place)
            time.sleep(3600)
        return result
    setattr(owner, name, announced)
common.reporter = lambda quiet=False: tell
sys.exit(main(sys.argv[2:]))
"""
SCOUT = "maxmargin.solvers.column_generation:ColumnGeneration._scout"
RELAX = "maxmargin.oracles.lifted.branch:BranchAndBound.advance"
BRANCH = "maxmargin.oracles.lifted.branch:BranchAndBound.branch"
ROUNDS = "line round [3-9]"
ARMED = "wait signal:signal"
PATIENCE = 900.0  # seconds after which a test has failed, on any machine


class Child:
    """A command that tells what it does; its streams are read as they come."""

    def __init__(self, arguments, events):
        places = [event for event in events if not event.startswith("line ")]
        command = [sys.executable, "-W", "error", "-c", CHILD, json.dumps(places), *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.heard, self.err, self.out = queue.Queue(), [], ""
        self.readers = [threading.Thread(target=target, daemon=True) for target in (self._listen, self._collect)]
        for reader in self.readers:
            reader.start()

    def _listen(self):
        for line in self.process.stderr:
            self.err.append(line)
            self.heard.put(line)
        self.heard.put(None)

    def _collect(self):
        self.out = self.process.stdout.read()

    def wait_for(self, event):
        """Until the function has been called, or a progress line fits."""
        pattern = "EVENT .*" + (event[5:] if event.startswith("line ") else re.escape(event))
        while (line := self.heard.get(timeout=PATIENCE)) is not None:
            if re.match(pattern, line):
                return
        raise AssertionError(f"{event} never came: {''.join(self.err)[-2000:]}")

    def press(self):
        self.process.send_signal(signal.SIGINT)

    def cpu(self):
        """Seconds of computing so far: they do not depend on who else is computing."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self):
        status = self.process.wait(PATIENCE)
        for reader in self.readers:
            reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return status, self.out, "".join(line for line in self.err if not line.startswith("EVENT "))


def interrupt(arguments, *events):
    """Exit status, standard output and error of a command that gets Ctrl-C after each of these events."""
    child = Child(arguments, events)
    try:
        for event in events:
            child.wait_for(event)
            child.press()
        return child.end()
    finally:
        child.process.kill()


@pytest.mark.parametrize(
    "options, event",
    [
        ([], SCOUT),
        ([], ROUNDS),
        (["--max-rounds", "1"], RELAX),
        pytest.param(["--max-rounds", "1", "--time-limit", "3000"], BRANCH, marks=pytest.mark.slow),
    ],
    ids=["scouting", "column generation", "relaxation", "branching"],
)
def test_margin_keeps_its_bracket(options, event, tmp_path):
    path = tmp_path / "certificate.json"
    status, _, err = interrupt(["margin", LONG, *options, "--json", str(path)], event)
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
    status, out, err = interrupt(command, "line step [0-9]")
    assert status == 130 and "Traceback" not in err
    run = json.loads(path.read_text())
    assert run["status"] == "interrupted" and 0 <= run["steps"] < 10_000_000
    assert run["trace"][-1]["step"] == run["steps"]
    assert "interrupted" in out


def test_compare_delivers_what_there_is(tmp_path):
    status, out, err = interrupt(["compare", LONG, "--out", str(tmp_path)], ROUNDS)
    assert status == 130 and "Traceback" not in err
    document = json.loads((tmp_path / "comparison.json").read_text())
    assert document["margins"]["f1"]["status"] == "interrupted"
    assert {run["status"] for run in document["runs"]} == {"interrupted"}
    assert (tmp_path / "report.html").stat().st_size > 10_000
    assert "interrupted" in out


def test_second_stops_at_once(tmp_path):
    """The first has put the second one's handler in place: there the child waits, and nothing is left to finish."""
    status, _, err = interrupt(["compare", LONG, "--out", str(tmp_path / "out")], ROUNDS, ARMED)
    assert status == -signal.SIGINT  # killed by the signal: a shell reports 130
    assert "Traceback" not in err
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
        assert not any("clarabel" in attempt.name for attempt in part.attempts)  # it was not called any more


def test_a_limit_is_not_an_interruption():
    assert main(["margin", LONG, "--max-rounds", "1", "--time-limit", "0.1", "--quiet"]) == 0


def test_the_handler_is_put_back():
    before = signal.getsignal(signal.SIGINT)
    main(["datasets"])
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_in_exact_arithmetic_leaves_what_doubles_have_found(monkeypatch):
    def pressed(*_, **__):
        raise KeyboardInterrupt

    data = ([[1e5, 0], [1e5, 1], [2e5, 0], [2e5, 1]], [0, 1, 1, 0])
    whole = mm.max_margin(data, "f2")
    monkeypatch.setattr("maxmargin.margins.kernel.refine", pressed)
    stopped = mm.max_margin(data, "f2")
    assert stopped.status == "interrupted" and stopped.upper < float("inf")
    assert stopped.lower <= whole.lower and whole.upper <= stopped.upper
