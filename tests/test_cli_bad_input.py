"""Bad input ends in exit status 2, one line that says what to do, and nothing written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from maxmargin.cli import main

FILES = {
    "empty.csv": "",
    "header_only.csv": "a,y\n",
    "text.csv": "a,y\n1,0\nmany,1\n",
    "ragged.csv": "a,b,y\n1,2,0\n1,1\n",
    "nan.csv": "a,y\n1,0\nnan,1\n",
    "infinity.csv": "a,y\n1,0\ninf,1\n",
    "one_class.csv": "a,y\n1,0\n2,0\n",
    "three_classes.csv": "a,y\n1,0\n2,1\n3,2\n",
    "not_a_table.txt": "hello",
}
ARRAYS = {
    "lengths.npz": {"X": np.eye(3), "y": np.array([0, 1])},
    "one_d.npz": {"X": np.arange(3.0), "y": np.array([0, 1, 1])},
    "complex.npz": {"X": np.eye(2) * 1j, "y": np.array([0, 1])},
    "object.npz": {"X": np.array([[1, None], [2, 3]], dtype=object), "y": np.array([0, 1])},
    "no_rows.npz": {"X": np.empty((0, 2)), "y": np.empty(0)},
    "no_labels.npz": {"X": np.eye(2)},
}
NAMES = ["missing.csv", "no-such-set", "clusters:n=many", "clusters:colour=red", "polygon:k=-1", "parity:d=", "."]
OPTIONS = [
    ["margin", "xor", "--tol", "0"],
    ["margin", "xor", "--tol", "nan"],
    ["margin", "xor", "--time-limit", "-1"],
    ["margin", "xor", "--norm", "f3"],
    ["margin", "xor", "--feature", "tanh"],
    ["margin", "xor", "--convention", "cube"],
    ["margin", "xor", "--solver", "gurobi"],
    ["margin", "xor", "--norm", "f2", "--solver", "abacus"],
    ["margin", "xor", "--norm", "f2", "--directions", "d.npz"],
    ["margin", "xor", "--directions", "missing.npz"],
    ["margin", "xor", "--json", "no/such/folder/c.json"],
    ["margin", "xor", "--seed", "-1"],
    ["margin"],
    ["margin", "xor", "--no-such-flag"],
    ["no-such-command"],
    [],
    ["train", "xor", "--layers", "middle"],
    ["train", "xor", "--width", "0"],
    ["train", "xor", "--steps", "1.5"],
    ["train", "xor", "--schedule", "magic"],
    ["train", "xor", "--step-size", "-1"],
    ["train", "xor", "--init", "zeros"],
    ["train", "xor", "--batch-size", "0"],
    ["check", "missing.json", "xor"],
    ["compare", "missing.csv"],
    ["compare", "xor", "--init", "zeros"],
    ["compare", "xor", "--schedule", "magic"],
]


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    for name, arrays in ARRAYS.items():
        np.savez(tmp_path / name, **arrays)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(arguments: list[str], folder: Path, capsys) -> str:
    before = sorted(folder.iterdir())
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("maxmargin: ")
    assert sorted(folder.iterdir()) == before
    return err


@pytest.mark.parametrize("name", [*FILES, *ARRAYS, *NAMES])
@pytest.mark.parametrize(
    "command", [["margin", "--json", "out.json"], ["compare", "--out", "report"], ["train", "--json", "out.json"]]
)
def test_bad_data_is_refused_in_one_line(name, command, folder, capsys):
    error = refused([command[0], name, *command[1:]], folder, capsys)
    assert name.partition(":")[0].strip(".") in error or "folder" in error or "directory" in error


@pytest.mark.parametrize("arguments", OPTIONS, ids=" ".join)
def test_bad_options_are_refused_in_one_line(arguments, folder, capsys):
    assert len(refused(arguments, folder, capsys)) < 600


def test_the_line_names_found_and_wanted(folder, capsys):
    error = refused(["margin", "text.csv"], folder, capsys)
    assert "text.csv" in error
    assert "'many'" in error
    assert "number" in error


@pytest.mark.parametrize(
    "arguments, named",
    [
        (["train", "xor", "--init", "gaussian:1e200"], "init"),
        (["train", "xor", "--init", "gaussian:"], "init"),
        (["train", "xor", "--init", "paired", "--width", "7"], "width"),
        (["train", "xor", "--json", ""], "--json"),
        (["compare", "xor", "--out", "there/below"], "folder"),
    ],
)
def test_options_refused_before_or_without_a_traceback(arguments, named, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").write_text("a file")
    assert main([*arguments, "--steps", "5"]) == 2
    out, err = capsys.readouterr()
    assert named in err and err.count("\n") == 1 and not out
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
