"""The film's page: offline, small, well-formed, escaped; it plays in a browser; GIF, MP4 and refusals."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest
from plots_examples import EXAMPLES, line

import maxmargin as mm
from maxmargin.cli import main
from maxmargin.errors import InputError
from maxmargin.film import render, save
from maxmargin.film.stills import HOLD

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


def trained(data, bias=True):
    """A short real run beside its certificate, for data with a margin of zero and others that no example has."""
    data = mm.load(data)
    run = mm.train(data, bias=bias, width=20, steps=60, schedule="flow")
    return data, run, mm.max_margin(data, bias=bias)


CONTRADICTION = [[0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [1.0, 1.0]], ["a", "b", "a", "b"]
ODD = {
    "contradiction on the sphere": lambda: trained(CONTRADICTION),
    "contradiction on the circle": lambda: trained(CONTRADICTION, bias=False),
    "contradiction in space": lambda: trained((np.hstack([np.array(CONTRADICTION[0])] * 2), CONTRADICTION[1])),
    "two points": lambda: trained("line:n=2"),
    "one dimension": lambda: trained("line", bias=False),
    "not yet separating": lambda: trained("clusters:n=120,d=3,k=4,seed=5"),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_data_have_a_film_that_says_what_it_shows(name):
    dataset, run, certificate = ODD[name]()
    page = render(dataset, run, certificate)
    separable = certificate.status.value != "not-separable"
    assert ("the margin is zero: no network of this kind" in page) == (not separable)
    assert ("does not separate the classes yet" in page) == (separable and run.margin_best <= 0)
    assert not re.search(r"-\d+(\.\d+)? % of the proved margin", page)


def chromium(path, tmp_path, fragment=""):
    """The document after three seconds of play, and what the console said."""
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    command = [CHROMIUM, *flags.split(), "--disable-component-update", "--disable-sync", "--enable-logging=stderr"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=3000", "--window-size=1000,700"]
    done = subprocess.run(
        [*command, "--dump-dom", path.as_uri() + fragment], capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.parametrize("name", [*EXAMPLES, *ODD])
def test_plays_in_chromium_without_a_word_on_the_console(name, tmp_path):
    film = save(*(ODD[name]() if name in ODD else parts(name)), tmp_path / "film.html")
    page, console = chromium(film, tmp_path)
    assert 'data-ready="yes"' in page and console == []
    assert re.search(r'<button id="play".*>Pause</button>', page)
    if name in EXAMPLES:
        page, console = chromium(film, tmp_path, "#frame=4")
        assert re.search(r'<output id="readout">step 1.000 . margin', page) and console == []


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_the_console_would_be_heard(tmp_path):
    film = save(*parts("circle"), tmp_path / "film.html")
    film.write_text(film.read_text().replace("setPlaying(playing);", "noSuchThing();"))
    _, console = chromium(film, tmp_path)
    assert "noSuchThing is not defined" in console[0]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
def test_mp4_has_the_recorded_moments(tmp_path):
    film = save(*parts("sphere"), tmp_path / "film.mp4")
    command = ["ffmpeg", "-i", str(film), "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    assert "960x800" in said and int(re.findall(r"frame=\s*(\d+)", said)[-1]) >= 5 + HOLD
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


def test_mp4_without_ffmpeg_is_refused_in_one_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="found no ffmpeg for .*, wanted it installed; .html and .gif need none"):
        save(*parts("circle"), tmp_path / "film.mp4")
    monkeypatch.setattr("maxmargin.training.train", None)  # refused before any work
    assert main(["film", "xor", "--out", str(tmp_path / "film.mp4")]) == 2
    assert "found no ffmpeg" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
