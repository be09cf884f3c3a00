"""The example at the end of each --help works when it is pasted, in any folder."""

from __future__ import annotations

import shlex

import pytest

from maxmargin.cli import main
from maxmargin.cli.parser import build_parser

LEAVES = {
    "compare": {"report"},
    "margin": {"certificate.json"},
    "train": {"run.json"},
    "check": {"certificate.json"},
    "film": {"film.html"},
    "norm": {"norm.json"},
    "lab": {"labs"},
}
MINUTES = {"reproduce", "play", "assess"}  # only parsed: long, without an end, about a file of one's own
SLOW = {"compare", "film"}
COMMANDS = [
    "compare",
    "margin",
    "train",
    "check",
    "assess",
    "norm",
    "reproduce",
    "verify",
    "lab",
    "film",
    "play",
    "datasets",
    "doctor",
]


def example(command, capsys):
    """The commands of the example, as words without the program's name."""
    with pytest.raises(SystemExit):
        main([command, "--help"])
    text = capsys.readouterr().out.split("example:")[1].strip()
    assert "\n" not in text
    return [shlex.split(line)[1:] for line in text.split(" && ")]


def test_every_command_is_here(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    listed = capsys.readouterr().out.split("COMMAND")[2]
    assert [line.split()[0] for line in listed.splitlines() if line.startswith("    ") and line[4] != " "] == COMMANDS


@pytest.mark.parametrize(
    "command", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in COMMANDS]
)
def test_example_runs(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    lines = example(command, capsys)
    assert command in [line[0] for line in lines]
    for words in lines:
        if command in MINUTES:
            assert callable(build_parser().parse_args(words).run)
            continue
        assert main(words) == 0
        assert capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == LEAVES.get(command, set())
