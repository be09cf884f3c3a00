"""Every wait shows what is done and how far it is: rounds with an estimated gap, steps of steps, elapsed seconds."""

import io
import re
import sys
import time

import pytest

import maxmargin as mm
from maxmargin import progress

GAP = r"estimated gap (0|\d\.\de-\d\d|\d+\.\d %)"
CASES = [
    ("xor", {"norm": "f1"}, rf"round \d+, {GAP}, \d+ neurons"),
    ("clusters:n=30,d=8,k=2", {"norm": "f1", "max_rounds": 5}, rf"upper end: \d+ leaves, {GAP}"),
    ("clusters:n=30,d=3,k=2", {"norm": "f2"}, rf"round \d+, {GAP}, \d+ support points"),
]


@pytest.mark.parametrize(("data", "options", "wanted"), CASES)
def test_rounds_show_an_estimated_gap(data, options, wanted):
    lines = []
    mm.max_margin(data, **options, progress=lines.append)
    assert any(re.fullmatch(wanted, line) for line in lines), lines


def test_gaps_of_the_rounds_end_near_the_proved_one():
    lines = []
    certificate = mm.max_margin("clusters:n=40,d=3,k=3", "f1", progress=lines.append)
    gaps = [float(m[1]) for line in lines if (m := re.search(r"estimated gap (\d\.\de-\d\d),", line))]
    assert certificate.relative_gap < 1e-9
    assert min(gaps) < 1e-6  # the estimate leaves out the rounding that the certificate includes, nothing else


def test_smallest_norms_show_how_far_they_are():
    lines = []
    mm.min_norm(([[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, -1.0, 2.0]), progress=lines.append)
    assert any(re.match(rf"round \d+, ({GAP}|targets missed by \d\.\de-\d\d), \d+ neurons", line) for line in lines), (
        lines
    )


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_long_step_shows_that_it_still_runs(monkeypatch):
    monkeypatch.setattr(progress, "_SECOND", 0.02)
    monkeypatch.setattr(sys, "stderr", Terminal())
    show = progress.reporter()
    show("a long step")
    end = time.monotonic() + 5.0
    while sys.stderr.getvalue().count("a long step") < 3 and time.monotonic() < end:
        time.sleep(0.02)
    assert sys.stderr.getvalue().count("a long step") >= 3
    del show  # the line is cleared and no longer refreshed
    time.sleep(0.1)
    length = len(sys.stderr.getvalue())
    time.sleep(0.1)
    assert len(sys.stderr.getvalue()) == length and sys.stderr.getvalue().endswith("\r")


def test_nothing_is_shown_without_a_terminal():
    assert progress.reporter(quiet=True) is progress.silent
