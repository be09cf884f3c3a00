"""Exit statuses, standard streams and files of the commands that succeed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import maxmargin as mm
from maxmargin.cli import main

MARGIN_KEYS = {
    "format",
    "version",
    "problem",
    "status",
    "scope",
    "lower",
    "upper",
    "relative_gap",
    "classifier",
    "adversary",
}
RUN_KEYS = {
    "format",
    "layers",
    "width",
    "steps",
    "schedule",
    "loss",
    "seed",
    "norm",
    "convention",
    "margin_best",
    "margin_last",
}


def test_margin_json_on_standard_output_is_all_there_is(capfd):
    assert main(["margin", "xor", "--norm", "f1", "--json", "-"]) == 0
    out, err = capfd.readouterr()
    document = json.loads(out)
    assert set(document) >= MARGIN_KEYS | {"solver", "seconds", "versions"}
    assert document["format"] == "maxmargin-certificate"
    assert err == ""


@pytest.mark.parametrize("solver", ["clarabel", "scs", "osqp", "highs"])
def test_no_solver_writes_to_standard_output(solver, capfd):
    assert main(["margin", "xor", "--norm", "f2", "--solver", solver, "--json", "-"]) == 0
    json.loads(capfd.readouterr().out)


def test_margin_prints_norm_scope_and_status(capsys):
    assert main(["margin", "xor", "--no-bias"]) == 0
    out = capsys.readouterr().out
    for word in ("gamma_1", "sphere-exact", "certified", "relative gap"):
        assert word in out


def test_not_separable_is_an_answer(capsys):
    assert main(["margin", "polygon:k=3", "--no-bias", "--json", "-"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["status"] == "not-separable"
    assert document["lower"] == 0
    assert document["upper"] == pytest.approx(0, abs=1e-12)
    assert sum(document["adversary"]) == pytest.approx(1)


def test_quiet_prints_nothing_but_writes(tmp_path, capsys):
    path = tmp_path / "c.json"
    assert main(["margin", "xor", "--quiet", "--json", str(path)]) == 0
    assert capsys.readouterr().out == ""
    assert json.loads(path.read_text())["status"] == "certified"


def test_saved_certificate_is_checked_and_a_raised_lower_is_refused(tmp_path, capsys):
    path = tmp_path / "c.json"
    assert main(["margin", "xor", "--quiet", "--json", str(path)]) == 0
    assert main(["check", str(path), "xor"]) == 0
    document = json.loads(path.read_text())
    document["lower"] *= 1.01
    path.write_text(json.dumps(document))
    assert main(["check", str(path), "xor"]) == 1


def test_train_json(tmp_path, capsys):
    path = tmp_path / "run.json"
    assert main(["train", "xor", "--width", "50", "--steps", "200", "--certify-every", "50", "--json", str(path)]) == 0
    document = json.loads(path.read_text())
    assert set(document) >= RUN_KEYS | {"step_of_best", "upper", "seconds", "peak_bytes", "trace"}
    assert document["margin_best"] <= document["upper"]
    assert "margin" in capsys.readouterr().out


def test_datasets_and_doctor(capsys):
    assert main(["datasets"]) == 0
    assert "clusters" in capsys.readouterr().out
    assert main(["doctor", "--json", "-"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {"CLARABEL", "SCS", "HIGHS"} <= set(document["solvers"])


@pytest.mark.parametrize(
    "command", ["compare", "margin", "train", "check", "datasets", "doctor", "reproduce", "verify"]
)
def test_help_ends_with_an_example(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert f"maxmargin {command}" in capsys.readouterr().out.split("example:")[1]


def test_python_m_maxmargin():
    done = subprocess.run([sys.executable, "-m", "maxmargin", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"maxmargin {mm.__version__}"


def test_interruption_exits_with_130(monkeypatch, capsys):
    def interrupt(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("maxmargin.margins.max_margin", interrupt)
    assert main(["margin", "xor"]) == 130
    assert "interrupted" in capsys.readouterr().err
