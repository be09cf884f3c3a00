"""HiGHS keeps one scheduler a process: whoever ran it before, with any number of threads, changes no margin."""

from __future__ import annotations

import subprocess
import sys

import pytest

HIGHSPY = """
import highspy
highs = highspy.Highs()
highs.setOptionValue("output_flag", False)
{threads}
highs.addVar(0.0, 1.0)
highs.run()
assert highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
"""
EARLIER = {
    "highspy, default threads": HIGHSPY.format(threads=""),
    "highspy, one thread": HIGHSPY.format(threads='highs.setOptionValue("threads", 1)'),
    "highspy, two threads": HIGHSPY.format(threads='highs.setOptionValue("threads", 2)'),
    "CVXPY": "mm.as_cvxpy('xor', bias=False, directions=[[1, 1], [-1, 1], [1, -1], [-1, -1]]).solve(solver='HIGHS')",
}
CHECK = """
import warnings
import numpy as np
import maxmargin as mm
warnings.simplefilter("error")
{earlier}
certificate = mm.max_margin("xor", bias=False)
assert certificate.status == "certified", (certificate.status, certificate.attempts)
assert abs(certificate.lower - 2**0.5 / 8) < 1e-9
X, y = np.array([[1, 1], [-1, -1], [1, -1], [-1, 1]]), [1, 1, 0, 0]
model = mm.VariationMaxMarginClassifier().fit(X, y)
assert model.nu_ is None and model.score(X, y) == 1.0, model.status_
{earlier}
"""


@pytest.mark.parametrize("earlier", EARLIER)
def test_an_earlier_run_changes_no_margin(earlier):
    code = CHECK.format(earlier=EARLIER[earlier])
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert child.returncode == 0, child.stderr


def test_a_refusal_to_run_is_answered_by_a_new_instance(monkeypatch):
    """Whatever number of threads the options ask for: the scheduler is given up and the LP solved."""
    from maxmargin.solvers import highs, master

    first = master.Master(2)
    first.add([[1.0, 0.0], [0.0, 1.0]])
    assert first.solve().value == pytest.approx(0.5, abs=1e-12)
    monkeypatch.setitem(highs.OPTIONS, "threads", 7)
    second = master.Master(2)
    second.add([[1.0, 0.0], [0.0, 1.0]])
    assert second.solve().value == pytest.approx(0.5, abs=1e-12)
    master.highspy.Highs.resetGlobalScheduler(True)
