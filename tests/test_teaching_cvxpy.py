"""The extended CVXPY programs have the answers worked out by hand, whichever solver is asked."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "experiments" / "cvxpy_extension.py"
BEST = np.sqrt(5) / 4  # nearest point of the hulls, halved (closed form C9), and halved again: the paper's unit
SOLVERS = ["CLARABEL", "SCS"]


@pytest.fixture(scope="module")
def example():
    return runpy.run_path(str(SCRIPT))


@pytest.mark.parametrize("solver", SOLVERS)
def test_plain(example, solver):
    margin, p = example["plain"](solver)
    assert margin == pytest.approx(BEST, rel=1e-6)
    np.testing.assert_allclose(p, [0, 0.5, 0, 0.5], atol=1e-5)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_budget(example, share, solver):
    assert example["budget"](share, solver) == pytest.approx(0.5 + share * (BEST - 0.5), rel=1e-6)


@pytest.mark.parametrize("solver", SOLVERS)
def test_alike(example, solver):
    margin, difference = example["alike"](solver)
    assert margin == pytest.approx(np.sqrt(5) / (2 + np.sqrt(5)), rel=1e-6)
    assert difference < 1e-6


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("C, wanted", [(0.17, 0.0), (0.46, BEST), (10.0, BEST)])
def test_hinge(example, C, wanted, solver):
    assert example["hinge"](C, solver) == pytest.approx(wanted, rel=1e-5, abs=1e-6)


def test_as_a_script():
    done = subprocess.run([sys.executable, "-W", "error", str(SCRIPT)], capture_output=True, text=True, check=True)
    assert "0.5590170" in done.stdout
