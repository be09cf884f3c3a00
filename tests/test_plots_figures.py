"""Figures: everything inside the page, stars at the atoms, dashed lines at the proved ends, the same bytes twice."""

from dataclasses import replace

import matplotlib
import numpy as np
import pytest
from plots_examples import EXAMPLES

from maxmargin import plots
from maxmargin.games.game import Bracket
from maxmargin.outcome import Status
from maxmargin.plots import geometry
from maxmargin.plots.views import classifier_views, payoff_of


@pytest.fixture(scope="module", params=EXAMPLES)
def drawn(request):
    comparison = EXAMPLES[request.param]()
    return comparison, plots.figures(comparison)


def artists(figure, gid):
    return [artist for axes in figure.axes for artist in axes.get_children() if artist.get_gid() == gid]


def offsets(figure, gid):
    return np.vstack([np.asarray(artist.get_offsets()) for artist in artists(figure, gid)])


def test_all_four_figures(drawn):
    assert list(drawn[1]) == ["decision_map", "margin_curve", "neurons", "dual_potential"]


def visible_texts(figure):
    """Every text that is drawn; ticks beyond the limits of an axis exist as artists but are not drawn."""
    ticks = figure.findobj(matplotlib.axis.Tick)
    drawn = {tick for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for tick in axis._update_ticks()}
    hidden = {label for tick in ticks if tick not in drawn for label in (tick.label1, tick.label2)}
    for text in figure.findobj(matplotlib.text.Text):
        shown = text.get_visible() and (text.axes is None or text.axes.get_visible())
        if text.get_text() and shown and text not in hidden:
            yield text


def test_no_text_leaves_the_page(drawn):
    for name, figure in drawn[1].items():
        figure.canvas.draw()
        page = figure.bbox
        for text in visible_texts(figure):
            box = text.get_window_extent()
            inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= page.x1 + 1 and box.y1 <= page.y1 + 1
            assert inside, f"{name}: {text.get_text()!r} at {box} outside {page}"


def test_titles_do_not_overlap(drawn):
    for name, figure in drawn[1].items():
        figure.canvas.draw()
        renderer = figure.canvas.get_renderer()
        boxes = [axes.title.get_window_extent(renderer) for axes in figure.axes if axes.title.get_text()]
        boxes += [axes._left_title.get_window_extent(renderer) for axes in figure.axes if axes.get_title(loc="left")]
        for k, box in enumerate(boxes):
            assert not any(box.overlaps(other) for other in boxes[:k]), name


def test_stars_are_the_atoms(drawn):
    comparison, figures = drawn
    atoms = comparison.margins["f1"].classifier
    D = atoms.directions.shape[1]
    expected = {
        2: lambda: atoms.directions,
        3: lambda: geometry.lambert(atoms.directions)[0],
        5: lambda: atoms.directions @ geometry.top_axes(atoms.directions, atoms.weights),
    }[D]()
    found = offsets(figures["neurons"], "atoms")
    np.testing.assert_allclose(np.sort(found, axis=0), np.sort(expected, axis=0), atol=1e-12)


def test_potential_touches_the_proved_level_at_the_atoms_and_never_exceeds_it(drawn):
    comparison, figures = drawn
    certificate = comparison.margins["f1"]
    payoff = payoff_of(comparison.dataset, certificate)
    atoms = certificate.classifier
    np.testing.assert_allclose(payoff(atoms.directions) * np.sign(atoms.weights), certificate.upper, rtol=1e-12)
    D = atoms.directions.shape[1]
    random = np.random.default_rng(0).standard_normal((5000, D))
    random /= np.linalg.norm(random, axis=1, keepdims=True)
    assert np.abs(payoff(random)).max() <= certificate.upper * (1 + 1e-12)
    for line in artists(figures["dual_potential"], "level"):
        level = line.get_xdata()[0] if D > 3 else line.get_ydata()[0]
        assert level == (certificate.upper if D == 2 else 1.0)
    assert artists(figures["dual_potential"], "level")
    panel = artists(figures["dual_potential"], "atoms")[-1]  # D = 3: the band of the sphere comes first
    heights = np.asarray(panel.get_offsets())[:, 0 if D > 3 else 1]
    np.testing.assert_allclose(heights, certificate.upper if D == 2 else 1.0, rtol=1e-12)


def test_dashed_lines_at_both_ends_of_the_bracket(drawn):
    comparison, figures = drawn
    for axes, item in zip(figures["margin_curve"].axes, comparison.runs, strict=True):
        heights = {line.get_ydata()[0] for line in axes.lines if line.get_gid() == "bracket"}
        assert heights == {item.bracket.lower, item.bracket.upper}
        low, high = axes.get_ylim()
        assert low < 0 < item.bracket.upper < high


def test_classifiers_are_drawn_in_units_of_their_margin(drawn):
    comparison, _ = drawn
    data = comparison.dataset
    for name, view in classifier_views(comparison).items():
        assert (data.y * view.f(data.X)).min() == pytest.approx(1.0), name


def test_a_margin_of_zero_is_drawn_as_zero_and_promises_no_potential():
    comparison = EXAMPLES["circle"]()
    for name, certificate in comparison.margins.items():
        bracket = Bracket(0.0, 1e-15, certificate.scope)
        comparison.margins[name] = replace(certificate, bracket=bracket, status=Status.NOT_SEPARABLE)
    for item in comparison.runs:
        item.bracket, item.run.margin_best = Bracket(0.0, 1e-15, "kernel"), -0.1
        item.fraction_of_lower = None
    drawn = plots.figures(comparison)
    assert "dual_potential" not in drawn
    assert "not positive" in " ".join(text.get_text() for text in visible_texts(drawn["margin_curve"]))
    views = classifier_views(comparison)
    assert not views["f1"].f(comparison.dataset.X).any() and not views["f2"].f(comparison.dataset.X).any()


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_same_comparison_same_bytes(kind):
    first, second = (
        {"map": plots.decision_map(c), "neurons": plots.neurons(c)}
        for c in (EXAMPLES["circle"](), EXAMPLES["circle"]())
    )
    for name in first:
        assert plots.figure_bytes(first[name], kind, 50) == plots.figure_bytes(second[name], kind, 50), name


def test_the_callers_style_neither_leaks_in_nor_out():
    figure = plots.margin_curve(EXAMPLES["line"]())
    with matplotlib.rc_context({"font.size": 31.0, "axes.spines.top": True}):
        other = plots.margin_curve(EXAMPLES["line"]())
        assert matplotlib.rcParams["font.size"] == 31.0
    assert plots.figure_bytes(figure) == plots.figure_bytes(other)


def test_no_pyplot(tmp_path):
    import subprocess
    import sys

    code = "import sys, maxmargin.plots; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_saved_whole_or_not_at_all(tmp_path):
    figure = plots.margin_curve(EXAMPLES["line"]())
    plots.save_figure(figure, tmp_path / "a.png")
    plots.save_figure(figure, tmp_path / "a.svg")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (tmp_path / "a.svg").read_bytes()
    with pytest.raises(ValueError):
        plots.save_figure(figure, tmp_path / "a.nonsense")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "a.svg"]
