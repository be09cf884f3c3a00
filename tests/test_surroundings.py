"""Faults of the surroundings: killed processes, packages that are missing, clocks, and odd files."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import numpy as np
import pytest
from test_interruption import LONG, ROUNDS, Child

import maxmargin as mm
from maxmargin import atomic, dataset
from maxmargin.cli import main

SHORT = ["--width", "10", "--steps", "20"]
WRITING = "stay maxmargin.atomic:_deliver"
COMMANDS = {
    "margin": (["margin", "xor", "--json", "out/result"], "out/result"),
    "train": (["train", "xor", *SHORT, "--json", "out/result"], "out/result"),
    "film": (["film", "xor", *SHORT, "--out", "out/result.html"], "out/result.html"),
    "compare": (["compare", "xor", *SHORT, "--out", "out"], "out/comparison.json"),
}


def kill(arguments, event):
    """SIGKILL at the event: nothing of the process runs any more, not even its clean-up."""
    child = Child(arguments, [event])
    try:
        child.wait_for(event)
    finally:
        child.process.kill()
    return child.end()[0]


@pytest.mark.parametrize("name", COMMANDS)
def test_killed_while_it_writes_a_command_leaves_the_old_file_and_can_be_called_again(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command, target = COMMANDS[name]
    (tmp_path / "out").mkdir()
    (tmp_path / target).write_text("old")
    assert kill(command, WRITING) == -9
    assert (tmp_path / target).read_text() == "old"
    visible = [path.name for path in (tmp_path / "out").iterdir() if not path.name.startswith(".")]
    assert visible == [target.removeprefix("out/")]
    if name == "margin":
        assert main([*command, "--quiet"]) == 0
        assert json.loads((tmp_path / target).read_text())["status"] == "certified"


@pytest.mark.parametrize("command", [["margin", LONG, "--json", "result"], ["compare", LONG, "--out", "out"]])
def test_killed_while_it_computes_a_command_leaves_nothing(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert kill(command, ROUNDS) == -9
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


MISSING = """
import sys
class Absent:  # as where they are not installed: scikit-learn before 1.9 takes a module None for a module
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"pandas", "dask", "distributed", "psutil", "IPython", "ipywidgets", "jinja2"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
import maxmargin as mm
from maxmargin.cli import main
assert mm.max_margin("xor", "f2").status == "certified"
assert mm.KernelMaxMarginClassifier().fit([[0.0], [1.0]], [0, 1]).predict([[2.0]]).tolist() == [1]
assert main(["margin", "xor", "--quiet"]) == 0
assert main(["datasets", "--quiet"]) == 0
sys.exit(main(["reproduce", "fig1", "--scale", "smoke", "--dask", "tcp://127.0.0.1:1", "--out", sys.argv[1]]))
"""


def test_packages_that_are_optional_may_be_missing(tmp_path):
    done = subprocess.run([sys.executable, "-c", MISSING, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "pip install 'maxmargin[dask]'" in done.stderr


def test_a_clock_that_goes_backwards(monkeypatch):
    """Limits and durations are of a clock that cannot be set."""
    now = [2e9]

    def earlier():
        now[0] -= 1000.0
        return now[0]

    monkeypatch.setattr(time, "time", earlier)
    certificate = mm.max_margin("xor", time_limit=50.0)
    assert certificate.status.value == "certified" and 0.0 <= certificate.seconds < 50.0
    run = mm.train("xor", width=10, steps=20, time_limit=50.0)
    assert run.status == "finished" and run.seconds >= 0.0


@pytest.mark.parametrize("where", ["top", "problem", "classifier"])
def test_a_name_that_stands_twice_is_no_certificate(where, tmp_path, capsys):
    """A reader that takes the first and one that takes the last would see two claims."""
    text = json.dumps(mm.max_margin("xor").to_json())
    name, twice = {
        "top": ('"lower"', '"lower": 0.0, "lower"'),
        "problem": ('"norm"', '"norm": "f2", "norm"'),
        "classifier": ('"weights"', '"weights": [], "weights"'),
    }[where]
    (tmp_path / "c.json").write_text(text.replace(name, twice, 1))
    assert main(["check", str(tmp_path / "c.json"), "xor"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and f"the name {name.replace(chr(34), chr(39))} stands twice" in err
    with pytest.raises(mm.InputError, match="stands twice"):
        mm.Certificate.from_json(tmp_path / "c.json")
    with pytest.raises(ValueError, match="stands twice"):
        atomic.loads('[{"a": 1, "a": 1}]')


def test_cells_that_a_spreadsheet_would_compute(tmp_path):
    """As features they are no numbers; as labels they are text, and come back as they were."""
    path = tmp_path / "cells.csv"
    path.write_text("a,b,y\n=1+1,2,0\n3,4,1\n")
    with pytest.raises(mm.InputError, match="line 2, column 'a': found '=1"):
        mm.load(str(path))
    path.write_text('a,b,y\n1,2,=0\n3,4,"=HYPERLINK(""x"")"\n')
    data = mm.load(str(path))
    assert data.classes == ("=0", '=HYPERLINK("x")')
    dataset.save(data, tmp_path / "again.csv")
    assert mm.load(str(tmp_path / "again.csv")).sha256 == data.sha256
    path.write_text("=a,@b,y\n1,2,0\n3,4,1\n")
    assert mm.load(str(path)).feature_names == ("=a", "@b")


def test_a_symbolic_link_of_data_and_a_read_only_folder(tmp_path):
    dataset.save(mm.load("xor"), tmp_path / "data.npz")
    (tmp_path / "link.npz").symlink_to(tmp_path / "data.npz")
    assert np.array_equal(mm.load(str(tmp_path / "link.npz")).X, mm.load("xor").X)
