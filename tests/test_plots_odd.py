"""Figures and report where there is no margin, where training has not arrived yet, where there is one dimension."""

from __future__ import annotations

import re

import pytest
from test_plots_figures import visible_texts

import maxmargin as mm
from maxmargin import plots
from maxmargin.report import render

CONTRADICTION = [[0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [1.0, 1.0]], ["a", "b", "a", "b"]
ODD = {
    "contradiction": (CONTRADICTION, {}),
    "contradiction on a line": (([[0.0], [0.0], [1.0]], [-1, 1, 1]), {}),
    "one dimension": ("line", {"bias": False}),
    "not yet separating": ("iris:pair=versicolor-virginica", {"time_limit": 5}),
    "two points": ("line:n=2", {}),
}


@pytest.fixture(scope="module", params=ODD)
def odd(request):
    data, options = ODD[request.param]
    comparison = mm.compare(data, width=30, steps=40, **options)
    return comparison, plots.figures(comparison)


def test_panels_are_wide_and_texts_inside(odd):
    for name, figure in odd[1].items():
        for kind in ("svg", "png"):  # the second drawing lays out anew
            plots.figure_bytes(figure, kind, dpi=100)
        shown = [axes for axes in figure.axes if axes.get_title("left") and axes.get_visible()]
        widths = [axes.get_window_extent().width for axes in shown]
        assert min(widths, default=300) > 250, name
        for text in visible_texts(figure):
            box, page = text.get_window_extent(), figure.bbox
            assert box.x0 >= -1 and box.x1 <= page.x1 + 1, f"{name}: {text.get_text()!r}"


def test_margin_panels_are_not_empty(odd):
    comparison, figures = odd
    for axes in figures["margin_curve"].axes:
        (low, high), (start, end) = axes.get_ylim(), axes.get_xlim()
        points = [(x, y) for line in axes.lines if line.get_gid() is None for x, y in line.get_xydata()]
        assert any(low <= y <= high and start <= x <= end and y != 0 for x, y in points)


def test_report_does_not_praise_what_failed(odd):
    comparison, figures = odd
    html = render(comparison, figures)
    text = re.sub(r"<[^>]+>", "", html)
    assert not re.search(r"[-\u2212]\d+(\.\d+)? %", text)
    for item in comparison.runs:
        layers = "both layers" if item.reference == "f1" else "only the output layer"
        failed = f"Training {layers} of 30 neurons did not separate" in text
        assert failed == (item.run.margin_best <= 0 and item.fraction_of_lower is not None)
    assert ("margin is 0" in text) == (comparison.margins["f1"].status.value == "not-separable")
