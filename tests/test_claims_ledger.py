"""The ledger of claims: complete, well formed, true, and able to say that it is not."""

import json
import math

import pytest

from maxmargin.cli import main
from maxmargin.errors import InputError
from maxmargin.theory import claims as book
from maxmargin.theory.claims import CLAIMS
from maxmargin.theory.ledger import FAILS, HOLDS, REFUTED, Chapter, Claim, Finding, run, worst
from maxmargin.verification import verify

SLIPS = {"f1-below-f2", "thm8-sample", "lemma20-minimum", "code-output-norm", "prop16-log-m"}


def test_ids_are_unique_and_statements_are_sentences():
    assert len({claim.id for claim in CLAIMS}) == len(CLAIMS) >= 40
    for claim in CLAIMS:
        assert claim.statement.endswith(".") and not claim.statement[0].islower(), claim.id
        assert claim.source and claim.test, claim.id


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_claim(claim):
    entry = claim.run()
    assert entry.verdict == (REFUTED if claim.id in SLIPS else HOLDS), entry


@pytest.mark.parametrize(
    "relation, measured, satisfied",
    [("=", 1.05, True), ("=", 0.85, False), ("<=", -9, True), ("<=", 1.2, False), (">=", 9, True), (">=", 0.8, False)],
)
def test_relations(relation, measured, satisfied):
    assert Finding(1.0, measured, 0.1, relation).satisfied is satisfied


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_what_is_not_a_number_fails(broken):
    for relation in ("=", "<=", ">="):
        assert Finding(1.0, broken, 1.0, relation).verdict == FAILS


def test_a_slip_needs_the_correction_to_hold_and_the_print_to_fail():
    printed_fails, printed_holds = Finding(1.0, 1.5, 0.0, "<="), Finding(2.0, 1.5, 0.0, "<=")
    assert Finding(2.0, 1.5, 0.0, "<=", printed=printed_fails).verdict == REFUTED
    assert Finding(2.0, 1.5, 0.0, "<=", printed=printed_holds).verdict == FAILS
    assert Finding(1.0, 1.5, 0.0, "<=", printed=printed_fails).verdict == FAILS


def test_what_raises_fails_and_the_others_are_still_measured():
    chapter = Chapter()

    @chapter.claim("broken", "It divides by zero.", "none", "division")
    def _broken():
        return Finding(1.0, 1 / 0, 0.0)

    chapter.append(Claim("sound", "One is one.", "none", "identity", lambda: worst([("one", 1.0, 1.0)], 0.0)))
    ledger = run(chapter)
    assert [entry.verdict for entry in ledger.entries] == [FAILS, HOLDS]
    assert "ZeroDivisionError" in ledger.entries[0].note
    document = ledger.to_json()
    assert (document["passed"], document["failed"]) == (1, 1)
    assert document["claims"][0]["measured"] is None
    json.dumps(document, allow_nan=False)


def test_command_writes_the_ledger(tmp_path, capsys):
    path = tmp_path / "ledger.json"
    assert main(["verify", "--only", "c1-f1", "--only", "eq14-upper", "--json", str(path)]) == 0
    assert "C1" in capsys.readouterr().out
    document = json.loads(path.read_text())
    assert document["format"] == "maxmargin-ledger" and document["version"] == 1
    assert [line["id"] for line in document["claims"]] == ["c1-f1", "eq14-upper"]
    assert {"statement", "source", "test", "reference", "measured", "tolerance", "verdict", "seconds"} <= set(
        document["claims"][0]
    )
    assert document["passed"] == 2 and document["failed"] == 0


@pytest.fixture
def no_laboratories(monkeypatch):
    monkeypatch.setattr("maxmargin.labs.names", list)


@pytest.mark.usefixtures("no_laboratories")
def test_command_says_no(monkeypatch, capsys):
    false = Claim("false", "Two is one.", "none", "identity", lambda: Finding(1.0, 2.0, 0.1))
    monkeypatch.setattr(book, "CLAIMS", (false,))
    assert main(["verify"]) == 1
    out = capsys.readouterr().out
    assert "fails" in out and "1 FAIL" in out


def test_unknown_claim(capsys):
    assert main(["verify", "--only", "prop9-facto"]) == 2
    error = capsys.readouterr().err
    assert "prop9-factor" in error and error.count("\n") == 1
    with pytest.raises(InputError, match="found 'nothing-like-it'"):
        verify("nothing-like-it")


@pytest.mark.usefixtures("no_laboratories")
def test_interruption_keeps_what_is_done(monkeypatch, tmp_path, capsys):
    def interrupt():
        raise KeyboardInterrupt

    true = Claim("true", "One is one.", "none", "identity", lambda: Finding(1.0, 1.0, 0.0))
    monkeypatch.setattr(book, "CLAIMS", (true, Claim("never", "It ends.", "none", "none", interrupt), true))
    assert main(["verify", "--json", str(tmp_path / "l.json")]) == 130
    assert json.loads((tmp_path / "l.json").read_text())["passed"] == 1
