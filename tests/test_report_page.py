"""The report: well-formed, self-contained, escaped, and saying what the certificates say."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
from plots_examples import EXAMPLES, line, square

import maxmargin as mm
from maxmargin.games.game import Bracket
from maxmargin.outcome import Status
from maxmargin.plots import decision_map, figures, margin_curve
from maxmargin.report import render

VOID = {"meta", "img", "br", "link", "input", "hr"}


class Checker(HTMLParser):
    """Collects what a browser would load and complains about tags that do not match."""

    def __init__(self):
        super().__init__()
        self.open, self.loads, self.text, self.tags = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.loads += [value for name, value in attrs if name in {"src", "href", "srcset", "data", "action"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def parsed(html):
    checker = Checker()
    checker.feed(html)
    checker.close()
    assert not checker.open
    return checker


@pytest.fixture(scope="module", params=EXAMPLES)
def report(request):
    comparison = EXAMPLES[request.param]()
    return comparison, render(comparison, figures(comparison))


def test_well_formed_and_self_contained(report):
    _, html = report
    page = parsed(html)
    assert "script" not in page.tags and "link" not in page.tags
    assert page.loads and all(value.startswith("data:image/svg+xml;base64,") for value in page.loads)
    assert "@import" not in html and "url(" not in html
    assert page.tags.count("figure") == 4
    assert len(html) < 5e6


def test_says_every_number_and_how_to_check_it(report):
    comparison, html = report
    text = "".join(parsed(html).text)
    assert comparison.dataset.sha256 in text
    for name, certificate in comparison.margins.items():
        assert certificate.scope.split("-")[0] in text
        assert f"maxmargin check {name}.json" in text
        assert f"{certificate.lower:.12f}"[:5] in text
    assert comparison.command in text
    assert "97 % of \u03b3" in text.replace("96.99", "97")


def test_strings_of_the_user_are_escaped():
    evil = '<img src=x onerror="alert(1)">&'
    comparison = line(name=evil)
    html = render(comparison, {})
    assert evil not in html and "<img" not in html
    assert evil in "".join(parsed(html).text)


def test_feature_names_and_classes_are_escaped_in_figures():
    comparison = square(True)
    object.__setattr__(comparison.dataset, "feature_names", ("<b>$\\x$", "a_{$x"))
    object.__setattr__(comparison.dataset, "classes", ("<i>$", "$\\frac$"))
    html = render(comparison, {"decision_map": decision_map(comparison)})
    assert "<i>$" not in html


@pytest.mark.parametrize(
    ("status", "scope", "ends", "words"),
    [
        (Status.NOT_SEPARABLE, "sphere-exact", (0.0, 0.0), "the margin is 0"),
        (Status.BRACKETED, "sphere-bound", (0.08, 0.12), "both ends are proved"),
        (Status.CERTIFIED, "dictionary", (0.1, 0.1), "these directions only"),
        (Status.INTERRUPTED, "sphere-bound", (0.08, float("inf")), "\u221e"),
    ],
)
def test_claims_no_more_than_is_proved(status, scope, ends, words):
    comparison = line()
    certificate = replace(comparison.margins["f1"], bracket=Bracket(*ends, scope), status=status)
    item = SimpleNamespace(
        run=comparison.runs[0].run,
        reference="f1",
        bracket=certificate.bracket,
        fraction_of_lower=None,
        fraction_of_upper=None,
    )
    comparison.margins = {"f1": certificate}
    comparison.runs = (item,)
    html = render(comparison, {"margin_curve": margin_curve(comparison)})
    text = "".join(parsed(html).text)
    assert words in text
    assert ("proved that none does better" in text) == (status is Status.CERTIFIED and scope != "dictionary")


def test_same_report_twice():
    first, second = (render(c, {"margin_curve": margin_curve(c)}) for c in (line(), line()))
    assert first == second


def test_commands_quote_names_with_spaces():
    html = "".join(parsed(render(line("my data.csv"), {})).text)
    assert re.search(r"maxmargin check f1\.json 'my data\.csv'", html)


def test_accuracies_and_held_out_data_are_reported():
    comparison = mm.compare(mm.load("clusters:n=40,d=3,k=2,seed=1"), test_size=0.25, width=30, steps=40)
    text = " ".join("".join(parsed(render(comparison, {})).text).split())
    assert "Test: 10 points that were used in no training" in text and "SVC (RBF, C = 1)" in text
    assert "Each row is in its own norm" in text and text.count("Each row is in its own norm") == 1
    for row in comparison.scores:
        assert f"{100 * row.train.accuracy:.1f} %" in text and f"{100 * row.test.accuracy:.1f} %" in text


def test_on_a_phone_every_cell_names_its_column(report):
    html = report[1]
    cells = re.findall(r"<td([^>]*)>", html)
    assert cells and sum("data-label=" in cell for cell in cells) >= len(cells) - html.count('<td><span class="object')
    assert "max-width: 44rem" in html


def test_a_fitted_estimator_has_a_report(tmp_path):
    data = mm.load("clusters:n=40,d=3,k=2,seed=1")
    X, y = data.X, data.labels
    for model in (mm.KernelMaxMarginClassifier(), mm.GradientFlowClassifier(width=20, steps=40, random_state=0)):
        comparison = mm.Comparison.from_estimator(model.fit(X, y), X, y, X[:10], y[:10])
        path = comparison.save(tmp_path / type(model).__name__)
        assert f"<h1>{type(model).__name__}</h1>" in path.read_text() and comparison.test.n == 10
    with pytest.raises(mm.InputError, match="without certificate_"):
        mm.Comparison.from_estimator(mm.KernelMaxMarginClassifier(), X, y)
