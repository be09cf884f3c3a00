"""Other platforms: every command without the modules that only Unix has, and without a display."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from maxmargin import memory
from maxmargin.cli.parser import build_parser

ROOT = Path(__file__).resolve().parent.parent
UNIX = ("resource", "fcntl", "termios", "tty", "pty", "pwd", "grp", "syslog", "posix_ipc")
CHILD = """
import json, sys
for name in json.loads(sys.argv[1]):
    sys.modules[name] = None  # importing it raises ImportError, as where it does not exist
from maxmargin.cli import main
for command in json.loads(sys.argv[2]):
    try:
        status = main(command)
    except SystemExit as error:
        status = error.code
    print("STATUS", command[0], status, flush=True)
print("PYPLOT", "matplotlib.pyplot" in sys.modules)
"""
SHORT = ["--width", "10", "--steps", "20"]
COMMANDS = [
    ["datasets"],
    ["doctor"],
    ["margin", "xor", "--json", "c.json", "--quiet"],
    ["check", "c.json", "xor"],
    ["train", "xor", *SHORT, "--json", "run.json"],
    ["compare", "xor", *SHORT, "--out", "report"],
    ["film", "xor", *SHORT, "--out", "film.html"],
    ["verify", "--only", "prop9-factor"],
    ["reproduce", "fig1", "--scale", "smoke", "--out", "figures"],
    ["lab", "--list"],
    ["play", "--help"],
    ["assess", "--help"],
    ["norm", "--help"],
]


def child(tmp_path, blocked, **environment):
    """Status of each command and whether pyplot was loaded, in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-c", CHILD, json.dumps(blocked), json.dumps(known())]
    done = subprocess.run(command, cwd=tmp_path, env=os.environ | environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    statuses = re.findall(r"^STATUS (\S+) (\S+)$", done.stdout, flags=re.M)
    return statuses, "PYPLOT True" in done.stdout, done.stderr


def known():
    return [command for command in COMMANDS if command[0] in names()]


def names():
    (commands,) = (action.choices for action in build_parser()._actions if action.choices)
    return set(commands)


def test_every_command_is_tried():
    assert names() == {command[0] for command in known()}


@pytest.mark.slow
def test_every_command_runs_without_the_modules_of_unix_and_whatever_backend_is_asked_for(tmp_path):
    statuses, pyplot, err = child(tmp_path, UNIX, MPLBACKEND="no-such-backend")
    assert statuses == [(command[0], "0") for command in known()], err[-2000:]
    assert not pyplot
    assert json.loads((tmp_path / "run.json").read_text())["peak_bytes"] == 0  # nobody tells
    assert (tmp_path / "report" / "report.html").stat().st_size > 10_000


def test_the_peak_memory_is_told_where_it_can_be():
    assert memory.peak() > 10_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count from the start of the program")
def test_the_peak_memory_is_not_that_of_the_process_which_started_this_one():
    large = np.ones(60_000_000)  # 480 MB of the parent
    code = "from maxmargin import memory; print(memory.peak())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert int(told) < large.nbytes / 2


def test_the_readme_has_the_two_lines_for_windows():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"```powershell\n(.*?)```", readme, flags=re.S)[0].splitlines()
    unix = [line for line in readme.splitlines() if line.startswith("python3 -m venv")]
    for windows, other in zip(lines, unix, strict=True):
        assert "bin/" not in windows and "&&" not in windows  # PowerShell 5 knows no &&
        assert windows.split()[-3:] == other.split()[-3:]  # the same command in the end


NOTEBOOK = """
import sys
sys.modules["matplotlib_inline"] = None  # the notebook's environment has it, ours need not
import maxmargin as mm
mm.compare("xor", width=10, steps=20).save(sys.argv[1])
assert "matplotlib.pyplot" not in sys.modules
"""


@pytest.mark.parametrize("backend", ["module://matplotlib_inline.backend_inline", "no-such-backend"])
def test_a_script_started_from_a_notebook_draws_its_figures(backend, tmp_path):
    """Every notebook exports MPLBACKEND; older matplotlibs refuse to be imported with one that is not installed."""
    command = [sys.executable, "-W", "ignore", "-c", NOTEBOOK, str(tmp_path)]
    done = subprocess.run(command, env=os.environ | {"MPLBACKEND": backend}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-1000:]
    assert (tmp_path / "report.html").stat().st_size > 10_000
