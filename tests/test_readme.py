"""The README: its Python runs, its commands exist, its lines are what CI runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from maxmargin.cli.parser import build_parser
from maxmargin.features import homogeneous
from maxmargin.theory.claims import CLAIMS

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, flags=re.S)
COMMANDS = [line for block in re.findall(r"```bash\n(.*?)```", README, flags=re.S) for line in block.splitlines()]


@pytest.mark.parametrize("block", PYTHON, ids=lambda block: block.splitlines()[-1][:40])
def test_python_blocks_run(block, tmp_path, monkeypatch, capsys):
    """They end without an exception, a warning (an error here) or a word on stderr, and define or print something."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(homogeneous, "_REGISTERED", dict(homogeneous._REGISTERED))
    space: dict = {}
    exec(compile(block, "README.md", "exec"), space)
    said = capsys.readouterr()
    assert not said.err and (said.out or len(space) > 1)


@pytest.mark.parametrize("line", [part for line in COMMANDS for part in line.split(" && ") if "maxmargin " in part])
def test_commands_parse(line):
    words = shlex.split(line)
    arguments = build_parser().parse_args(words[[w.endswith("maxmargin") for w in words].index(True) + 1 :])
    assert callable(arguments.run)


def test_the_two_lines_stand_alone():
    """Each begins with a fresh virtual environment and needs nothing before it."""
    main, tests = (line for line in COMMANDS if line.startswith("python3 -m venv .venv && .venv/bin/pip install"))
    assert "maxmargin compare data/clusters.csv" in main
    assert "pytest" in tests


def test_the_ledger_is_counted():
    assert f"a ledger of {len(CLAIMS)} claims" in README


def test_the_picture_is_there():
    for path in re.findall(r"!\[.*?\]\((.*?)\)", README):
        assert (ROOT / path).stat().st_size > 10_000


def test_a_reader_of_thirty_seconds_is_served():
    """What it is, for whom, a moving picture, and the first line to run: all within the first screen and a half."""
    first = README[: README.index("```bash")]
    assert "For whom" in first and ".gif)" in first and len(first.split()) < 220
    assert README.count("\n") < 200 and len(PYTHON) >= 2


def test_links_lead_to_files():
    for path in re.findall(r"\]\(((?!http)[^)#]+)\)", README):
        assert (ROOT / path).exists(), path


def test_the_site_is_built_by_one_line():
    lines = [
        line for line in COMMANDS if line.startswith(".venv/bin/pip install -q '.[docs]' && ") and "sphinx" in line
    ]
    assert len(lines) == 1 and " -W " in lines[0]
