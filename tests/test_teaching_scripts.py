"""The teaching scripts: each runs alone, with warnings as errors, and what it computes is the theory's number."""

from __future__ import annotations

import math
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent.parent / "experiments" / "teaching"
SCRIPTS = sorted(FOLDER.glob("*.py"))


def variables(name, monkeypatch):
    """All variables of a script after it has run; its own claims stop it with SystemExit."""
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.setattr(sys, "argv", [name])
    from matplotlib import pyplot as plt

    try:
        return runpy.run_path(str(FOLDER / name))
    finally:
        plt.close("all")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_runs_alone_and_draws(script, tmp_path):
    picture = tmp_path / "figure.png"
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script), "--out", str(picture)],
        capture_output=True, text=True, cwd=tmp_path, timeout=600, env=os.environ | {"MPLBACKEND": "Agg"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("checked:") >= 3
    assert picture.stat().st_size > 5_000
    assert list(tmp_path.iterdir()) == [picture]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_reads_as_a_notebook(script):
    """Cells begin with a title, alternate text and code, and the text is comments only (what jupytext reads)."""
    cells = re.split(r"^# %%", script.read_text(encoding="utf-8"), flags=re.M)[1:]
    texts = [cell for cell in cells if cell.startswith(" [markdown]")]
    assert re.match(r" \[markdown\]\n# # \d\. ", cells[0])
    assert len(texts) >= 3 and len(cells) > len(texts)
    for text in texts:
        assert all(line.startswith("#") or not line for line in text.splitlines()[1:])


def test_two_points(monkeypatch):
    found = variables("1_two_points.py", monkeypatch)
    exact = math.sin(1.0) * 2.5 / 3.5 / 2  # closed form C3, in the paper's unit
    assert found["gamma"] == pytest.approx(exact, rel=1e-15)
    assert found["certificate"].lower <= exact * (1 + 1e-15) and exact <= found["certificate"].upper


def test_xor(monkeypatch):
    found = variables("2_xor.py", monkeypatch)
    assert found["f1"].lower == pytest.approx(math.sqrt(2) / 8, rel=1e-9)
    assert found["f2"].lower == pytest.approx(math.sqrt((1 - 2 / math.pi) / 8), rel=1e-9)


def test_certificate(monkeypatch):
    found = variables("3_certificate.py", monkeypatch)
    certificate, brackets = found["certificate"], found["brackets"]
    assert ((brackets[:, 0] <= certificate.upper * (1 + 1e-12)) & (certificate.lower <= brackets[:, 1] + 1e-12)).all()
    assert brackets[-1, 0] == pytest.approx(certificate.lower, rel=1e-7)


def test_lazy_and_rich(monkeypatch):
    found = variables("4_lazy_and_rich.py", monkeypatch)
    assert found["gamma_1"].upper == pytest.approx(math.sqrt(2) / 8)
    assert found["turns"][100.0] < 0.01 * found["turns"][1.0]


def test_spurious_dimensions(monkeypatch):
    found = variables("5_spurious_dimensions.py", monkeypatch)
    assert found["chosen"] == pytest.approx([math.sqrt(2) / 8] * len(found["dimensions"]))
    assert dict(zip(found["dimensions"], found["gamma_2"], strict=True))[8] == pytest.approx(0.051660, abs=1e-6)


def test_solvers_lie(monkeypatch):
    found = variables("6_solvers_lie.py", monkeypatch)
    kappa = (math.sin(1e-4) + (math.pi - 1e-4) * math.cos(1e-4)) / math.pi
    exact = math.sqrt((1 - kappa) / 8)  # closed form C3; the subtraction costs eight digits
    assert found["pair"].shape == (2, 2) and 2.4e-5 < exact < 2.6e-5
    assert found["truth_2"].upper == pytest.approx(0.10309, abs=1e-5)
    assert found["claimed"] == pytest.approx(0.39204, abs=1e-5)
    assert found["errors"]["maxmargin"] < 1e-8
