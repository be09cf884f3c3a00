"""The film's page: offline, small, well-formed, escaped; it plays in a browser; GIF and refusals."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest
from plots_examples import EXAMPLES, line

from maxmargin.errors import InputError
from maxmargin.film import render, save

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
VOID = {"meta", "img", "br", "link", "input", "hr"}


def parts(name):
    comparison = EXAMPLES[name]()
    return comparison.dataset, comparison.runs[0].run, comparison.margins["f1"]


class Checker(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.loads, self.canvases = [], [], []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.loads += [value for key, value in attrs if key in {"src", "href", "srcset"}]
        self.canvases += [attributes["id"]] if tag == "canvas" else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module", params=EXAMPLES)
def page(request):
    return render(*parts(request.param))


def test_one_offline_page(page):
    checker = Checker()
    checker.feed(page)
    assert not checker.open and not checker.loads
    assert checker.canvases == ["neurons", "scene", "potential", "margin"]
    assert not re.search(r"https?://|fetch\(|XMLHttpRequest|import\(|@import|url\(", page)
    assert not re.search(r"@[A-Z]+@", page), "a placeholder was left"
    assert len(page) < 15e6


def test_carries_the_bracket_and_the_atoms(page):
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page).group(1))
    assert len(data["atoms"]) == len(data["weights"]) >= 3
    assert 0 < data["bracket"][0] <= data["bracket"][1]
    assert len(data["steps"]) == len(data["margins"]) == len(data["pace"]) == data["neurons"]["shape"][0]


def test_names_are_escaped():
    comparison = line(name="</script><b>&")
    page = render(comparison.dataset, comparison.runs[0].run, comparison.margins["f1"])
    assert "</script><b>" not in page
    assert page.count("</script>") == 2


def test_same_film_same_bytes():
    assert render(*parts("circle")) == render(*parts("circle"))


def test_refuses_what_does_not_belong_together(tmp_path):
    dataset, run, certificate = parts("circle")
    other = EXAMPLES["line"]()
    with pytest.raises(InputError, match="certificate"):
        render(other.dataset, run, certificate)
    with pytest.raises(InputError, match="suffix"):
        save(dataset, run, certificate, tmp_path / "film.avi")
    run.snapshots = []
    with pytest.raises(InputError, match="snapshots"):
        render(dataset, run, certificate)
    assert not list(tmp_path.iterdir())


def test_gif_has_the_recorded_moments(tmp_path):
    from PIL import Image

    save(*parts("circle"), tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as film:
        assert film.n_frames >= 5
    assert [path.name for path in tmp_path.iterdir()] == ["film.gif"]


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.parametrize("name", EXAMPLES)
def test_plays_in_chromium(name, tmp_path):
    film = save(*parts(name), tmp_path / "film.html")
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    command = [CHROMIUM, *flags.split(), "--disable-component-update", "--disable-sync", "--enable-logging=stderr"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", f"{film.as_uri()}#frame=4"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert 'data-ready="yes"' in done.stdout
    assert re.search(r'<output id="readout">step 1.000 . margin', done.stdout)
    assert "Uncaught" not in done.stderr
