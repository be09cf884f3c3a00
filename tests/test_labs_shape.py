"""The shape of a laboratory: one file each, JSON, exit status, the ledger, a figure in the house style."""

from __future__ import annotations

import json

import pytest

import maxmargin as mm
from maxmargin import labs
from maxmargin.cli import main
from maxmargin.errors import InputError
from maxmargin.labs import Lab, compare
from maxmargin.labs.shape import FLAGGED as FLAGGED_VERDICT
from maxmargin.theory.ledger import FAILS

TOY = '''
"""A thirteenth laboratory: half of a number, halved by descent on a square."""

from dataclasses import dataclass

from maxmargin.labs import Lab, compare
from maxmargin.plots.panels import level, panel


@dataclass(frozen=True)
class Settings:
    steps: int = 10


def run(settings):
    found = 0.5**settings.steps
    right = compare("rate", "Descent halves the error.", found, "=", 2.0**-settings.steps)
    wrong = compare("third", "Descent thirds it.", found, "=", 3.0**-settings.steps, broken=True)
    return [panel("Error", level(found, "measured")), right, wrong]


LAB = Lab("toy", "Nobody (0000)", "descent with halving", (run,), (0.1, 0.1), Settings(20))
'''


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """One file, in a folder that the package of laboratories also looks into."""
    import sys

    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "toy.py").write_text(TOY)
    monkeypatch.setattr(labs, "__path__", [*labs.__path__, str(folder)])
    yield
    sys.modules.pop("maxmargin.labs.toy", None)
    vars(labs).pop("toy", None)


def pretend(monkeypatch, *findings):
    """A laboratory "pretended" with these findings, and no other."""

    def run(settings):
        if not findings:
            raise ValueError("no luck")
        return list(findings)

    pretended = Lab("pretended", "Nobody (0000)", "nothing", (run,), (0.0, 0.0), None)
    monkeypatch.setattr("maxmargin.labs._all", lambda: {"pretended": pretended})


TRUE = compare("true", "One is one.", 1.0, "=", 1.0)
FALSE = compare("false", "One is two.", 1.0, "=", 2.0)
FLAGGED = compare("flagged", "One is two.", 1.0, "=", 2.0, broken=True)
MISSED = compare("missed", "One is one.", 1.0, "=", 1.0, broken=True)


def test_a_slip_shows_what_the_printed_form_gives():
    document = compare("slip", "One is one.", 1.0, "=", 1.0, printed=1.5).to_json()
    assert (document["verdict"], document["measured"], document["printed"]) == ("refuted as printed", 1.0, 1.5)


@pytest.mark.usefixtures("toy")
def test_a_thirteenth_takes_one_file(tmp_path, capsys):
    assert "toy" in labs.names() and mm.lab("toy").passed
    assert [found.measured for found in mm.lab("toy", "full").findings] == [2.0**-20] * 2
    assert main(["lab", "toy", "--out", str(tmp_path / "out"), "--json", "-"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["format"], document["version"]) == ("maxmargin-lab", 1)
    (entry,) = document["labs"]
    assert {"name", "paper", "scale", "seconds", "findings"} <= set(entry)
    assert (entry["name"], entry["scale"]) == ("toy", "smoke")
    rate, third = entry["findings"]
    assert {"id", "statement", "reference", "measured", "tolerance", "verdict", "broken"} <= set(rate)
    assert (rate["verdict"], rate["broken"], third["verdict"], third["broken"]) == ("holds", False, "fails", True)
    assert (tmp_path / "out" / "toy.png").stat().st_size > 1000
    assert main(["lab", "--list"]) == 0
    assert "descent with halving" in capsys.readouterr().out
    assert [entry.id for entry in mm.verify(only="toy").entries] == ["toy/rate", "toy/third"]
    assert mm.verify(only="toy").failed == 0


@pytest.mark.parametrize(
    "findings, status", [((TRUE, FLAGGED), 0), ((TRUE, FALSE), 1), ((TRUE, MISSED), 1), ((), 1)], ids=str
)
def test_exit_status(findings, status, monkeypatch):
    pretend(monkeypatch, *findings)
    assert main(["lab", "all"]) == status
    assert main(["lab", "pretended", "--json", "-"]) == status
    ledger = mm.verify(only="pretended")
    assert (ledger.failed > 0) is bool(status)


def test_a_laboratory_that_raises_fails_and_says_why(monkeypatch, capsys):
    pretend(monkeypatch)
    assert main(["lab", "all"]) == 1
    assert "ValueError: no luck" in capsys.readouterr().out
    assert mm.lab("pretended").findings[0].to_json()["measured"] is None
    assert mm.lab("pretended").figure() is None


def test_an_accepted_mistake_is_a_failure_of_the_ledger(monkeypatch):
    pretend(monkeypatch, FLAGGED, MISSED)
    flagged, missed = mm.verify(only="pretended").entries
    assert (flagged.verdict, flagged.passed) == (FLAGGED_VERDICT, True)
    assert (missed.verdict, missed.passed) == (FAILS, False)
    assert flagged.statement.startswith("Broken variant: one")


def test_what_is_no_laboratory_is_refused(tmp_path, capsys):
    with pytest.raises(InputError, match="unhinged-loss"):
        mm.lab("unhinged-los")
    with pytest.raises(InputError, match="scale: found 'huge'"):
        mm.lab("unhinged-loss", "huge")
    for words in (
        ["lab"],
        ["lab", "--list", "all"],
        ["lab", "nothing"],
        ["lab", "all", "--out", __file__],
        ["lab", "all", "--out", ""],
    ):
        assert main(words) == 2
        assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("name", labs.names())
def test_every_laboratory_is_described(name):
    lab = labs.get(name)
    assert {part.__module__ for part in lab.parts} == {f"maxmargin.labs.{name.replace('-', '_')}"}
    assert lab.paper and lab.compares and 0 < lab.seconds[0] <= lab.seconds[1]
    assert lab.full != type(lab.full)()
    hash(lab.full)  # frozen values


def test_interruption_keeps_what_is_done(monkeypatch, tmp_path, capsys):
    def interrupt(settings):
        raise KeyboardInterrupt

    def done(settings):
        return [TRUE]

    two = {
        name: Lab(name, "Nobody (0000)", "nothing", (run,), (0.0, 0.0), None)
        for name, run in (("a", done), ("b", interrupt))
    }
    monkeypatch.setattr("maxmargin.labs._all", lambda: two)
    assert main(["lab", "all", "--json", str(tmp_path / "l.json")]) == 130
    assert [entry["name"] for entry in json.loads((tmp_path / "l.json").read_text())["labs"]] == ["a"]
