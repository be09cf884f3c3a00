"""Certified means checked: what the referee refuses is not issued, and what it has seen says so."""

import json
from dataclasses import replace

import numpy as np
import pytest

import maxmargin as mm
from maxmargin.check import check_certificate
from maxmargin.check.cost import expected_cost
from maxmargin.cli import main
from maxmargin.margins import self_check
from maxmargin.outcome import Status


@pytest.fixture(scope="module")
def solved():
    data = mm.load("clusters:n=30,d=3,k=2,seed=0")
    return data, {norm: mm.max_margin(data, norm, self_check=False) for norm in ("f1", "f2")}


def with_bracket(certificate, lower=1.0, upper=1.0):
    bracket = certificate.bracket
    return replace(certificate, bracket=replace(bracket, lower=bracket.lower * lower, upper=bracket.upper * upper))


def accepted(certificate, data):
    return check_certificate(certificate.to_json(), data.X, data.y).holds


@pytest.mark.parametrize("norm", ["f1", "f2"])
def test_a_genuine_certificate_is_checked_and_stays_as_it_is(solved, norm):
    data, found = solved
    checked = self_check.self_checked(found[norm], data.X, data.y)
    assert not found[norm].checked and found[norm].check_seconds is None
    assert checked.checked and checked.check_seconds >= 0.0
    assert (checked.bracket, checked.status, checked.attempts) == (
        found[norm].bracket,
        found[norm].status,
        found[norm].attempts,
    )


@pytest.mark.parametrize("norm", ["f1", "f2"])
@pytest.mark.parametrize(
    ("lower", "upper", "gap"),
    [(1.0, 1 - 1e-8, 0.501), (1.0, 1 - 1e-9, 0.501), (1 + 1e-8, 1.1, 0.2), (0.5, 0.8, 1.0), (1 + 1e-6, 1 + 1e-5, 1e-4)],
)
def test_a_refused_end_is_widened_to_what_both_agree_on(solved, norm, lower, upper, gap):
    """The true margin is inside again, the referee accepts the result, and the record says what happened."""
    data, found = solved
    truth = found[norm]
    false = with_bracket(truth, lower, upper)
    if false.lower > false.upper:
        false = with_bracket(truth, 0.5 * upper, upper)
    assert not accepted(false, data)
    issued = self_check.self_checked(false, data.X, data.y)
    assert issued.checked and accepted(issued, data)
    assert issued.lower <= truth.upper and truth.lower <= issued.upper
    assert issued.relative_gap <= gap
    assert any(item.name == "check" and item.status.startswith("refused") for item in issued.attempts)
    assert issued.status is (Status.CERTIFIED if issued.relative_gap <= issued.tol else Status.BRACKETED)


def test_a_false_status_becomes_a_mere_bracket(solved):
    data, found = solved
    false = replace(found["f1"], status=Status.NOT_SEPARABLE)
    issued = self_check.self_checked(false, data.X, data.y)
    assert issued.status is Status.CERTIFIED and issued.checked and issued.bracket == found["f1"].bracket
    assert issued.attempts[-1].status.startswith("refused: status")


def test_what_cannot_be_repaired_claims_nothing(solved):
    data, found = solved
    issued = self_check.self_checked(found["f1"], data.X + 1.0, data.y)
    assert (issued.lower, issued.upper, issued.status, issued.checked) == (0.0, np.inf, Status.BRACKETED, False)


@pytest.mark.parametrize("limit", ["LEAST_SECONDS", "MEMORY"])
def test_an_expensive_check_is_not_run(solved, limit, monkeypatch):
    data, found = solved
    monkeypatch.setattr(self_check, limit, 0.0)
    certificate = self_check.self_checked(replace(found["f1"], seconds=0.0), data.X, data.y)
    assert certificate == replace(found["f1"], seconds=0.0)
    assert certificate.to_json()["checked"] is False and certificate.to_json()["check_seconds"] is None


def test_a_check_that_takes_too_long_is_given_up_and_says_so(solved, monkeypatch):
    data, found = solved
    monkeypatch.setattr(self_check, "OVERRUN", 0.0)
    issued = self_check.self_checked(found["f1"], data.X, data.y)
    assert issued.bracket == found["f1"].bracket and not issued.checked
    assert issued.attempts[-1].name == "check" and issued.attempts[-1].status.startswith("gave up")


def test_the_expected_cost_grows_with_the_work_and_is_nothing_for_nonsense(solved):
    _, found = solved
    document = found["f1"].to_json()
    cost = expected_cost(document)
    assert 0.0 < cost.seconds < 1.0
    larger = document | {"adversary": [1.0 / 300] * 300, "problem": document["problem"] | {"n": 300}}
    assert expected_cost(larger).seconds > 10.0 * cost.seconds
    assert expected_cost({}).seconds < 0.1 and expected_cost({"problem": 3}).bytes == 0.0
    flat = document | {"adversary": [0.001] * 1000, "problem": document["problem"] | {"n": 1000, "d": 14}}
    assert expected_cost(flat).seconds > 1e6


def test_the_word_of_the_referee_is_in_json_repr_and_table(tmp_path, capsys):
    path = tmp_path / "c.json"
    assert main(["margin", "xor", "--json", str(path)]) == 0
    assert "checked   yes" in capsys.readouterr().out
    document = json.loads(path.read_text())
    assert document["checked"] is True and document["check_seconds"] >= 0.0
    read = mm.Certificate.from_json(document)
    assert read.checked and "checked=True" in repr(read)
    assert main(["margin", "xor", "--no-self-check", "--json", str(path)]) == 0
    assert "checked   no: the referee was not asked" in capsys.readouterr().out
    document = json.loads(path.read_text())
    assert document["checked"] is False and document["check_seconds"] is None
