"""Plots that take a certificate, a run, a comparison or a fitted estimator, and what a notebook shows of results."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest

import maxmargin as mm

DATA = {
    "line": ("line:n=6,seed=0", True),
    "plane": ("xor", False),
    "sphere": ("xor", True),
    "space": ("parity:d=4", False),
}
DISPLAYS = (mm.DecisionMapDisplay, mm.NeuronsDisplay, mm.DualPotentialDisplay)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module", params=DATA)
def solved(request):
    source, bias = DATA[request.param]
    data = mm.load(source)
    run = mm.train(data, bias=bias, width=30, steps=60, schedule="flow")
    return data, mm.max_margin(data, bias=bias), run


@pytest.mark.parametrize("display", DISPLAYS)
def test_a_certificate_is_drawn_on_the_axes_given_or_on_a_new_figure(display, solved):
    data, certificate, run = solved
    figure, ax = plt.subplots()
    shown = display.from_certificate(certificate, data, ax=ax)
    assert shown.ax_ is ax and shown.figure_ is figure
    shown = display.from_certificate(certificate, data)
    assert plt.figure(shown.figure_.number) is shown.figure_  # pyplot knows it, so that a notebook shows it
    with pytest.raises(mm.InputError, match="another hash than the certificate's"):
        display.from_certificate(certificate, "iris")
    display.from_run(run, data, certificate=certificate)


def test_a_run_is_drawn_inside_its_bracket(solved):
    data, certificate, run = solved
    shown = mm.MarginCurveDisplay.from_run(run, data, certificate=certificate)
    heights = {line.get_ydata()[0] for line in shown.ax_.lines if line.get_gid() == "bracket"}
    assert heights == {certificate.lower, certificate.upper}
    mm.MarginCurveDisplay.from_run(run)
    with pytest.raises(mm.InputError, match="wanted a training run"):
        mm.MarginCurveDisplay.from_certificate(certificate, data)


def test_a_fitted_estimator_is_drawn():
    data = mm.load("clusters:n=40,d=3,k=2,seed=1")
    y = np.array(data.labels)
    fitted = mm.VariationMaxMarginClassifier(random_state=0).fit(data.X, y)
    for display in DISPLAYS:
        display.from_estimator(fitted, data.X, y)
    mm.DecisionMapDisplay.from_estimator(mm.KernelMaxMarginClassifier().fit(data.X, y), data.X, y)
    trained = mm.GradientFlowClassifier(width=20, steps=50, random_state=0).fit(data.X, y)
    mm.MarginCurveDisplay.from_estimator(trained, data.X, y)
    with pytest.raises(mm.InputError, match="without certificate_, wanted a fitted classifier"):
        mm.DecisionMapDisplay.from_estimator(mm.KernelMaxMarginClassifier(), data.X, y)


def test_the_callers_style_is_left_alone():
    plt.rcParams["font.size"] = 17.0
    mm.DecisionMapDisplay.from_certificate(mm.max_margin("xor"), "xor")
    assert plt.rcParams["font.size"] == 17.0
    plt.rcdefaults()


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.images = [], 0

    def handle_starttag(self, tag, attrs):
        self.images += tag == "img"
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def images(html):
    checker = Tags()
    checker.feed(html)
    assert not checker.open and "<script" not in html and not re.search(r"https?://", html)
    return checker.images


def test_a_notebook_shows_tables_meaning_and_a_small_figure(solved):
    data, certificate, run = solved
    html = certificate._repr_html_()
    assert images(html) == (data.d + certificate.problem.bias <= 3)
    assert f"a network of {np.count_nonzero(certificate.classifier.weights)} neurons attains it" in html
    assert str(certificate).splitlines()[0] in html.replace("&#x27;", "'")
    assert images(run._repr_html_()) == 1 and "divided by the F1 norm" in run._repr_html_()
    assert str(run).startswith("margin    ") and "neurons" in str(run)
    assert images(mm.max_margin(data, "f2", bias=certificate.problem.bias)._repr_html_()) == 0


def test_a_comparison_in_a_notebook():
    comparison = mm.compare("xor", bias=False, width=30, steps=40)
    assert images(comparison._repr_html_()) == 1 and str(comparison) == comparison.table()
    shown = mm.MarginCurveDisplay.from_comparison(comparison)
    assert shown.ax_.get_xscale() == "log"


def test_an_assessment_in_a_notebook():
    found = mm.assess(mm.load("xor"), [[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]], [-1.0, -1.0, 1.0, 1.0])
    html = found._repr_html_()
    assert images(html) == 1 and "of the max margin" in str(found) and "the largest such" in html


def test_the_first_figure_of_a_notebook_does_not_turn_later_ones_off(tmp_path):
    """The first figure loads the notebook backend, which turns pyplot interactive; no style context may undo that."""
    (tmp_path / "recording.py").write_text(
        "import matplotlib\nfrom matplotlib.backends.backend_agg import FigureCanvas, new_figure_manager\n"
        "matplotlib.interactive(True)\n"
    )
    code = (
        "import maxmargin as mm, matplotlib\n"
        "mm.NeuronsDisplay.from_certificate(mm.max_margin('xor', bias=False), 'xor')\n"
        "assert matplotlib.is_interactive()\n"
    )
    found = {"MPLBACKEND": "module://recording", "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | found, cwd=tmp_path)
