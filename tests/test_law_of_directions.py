"""`law` and its older name `weights` are one option, in calls, commands, estimators and documents."""

from __future__ import annotations

import json

import numpy as np
import pytest

import maxmargin as mm
from maxmargin.cli import main


def test_both_names_give_the_same_margin():
    new, old = mm.max_margin("xor", "f2", law="gaussian"), mm.max_margin("xor", "f2", weights="gaussian")
    assert (new.lower, new.upper) == (old.lower, old.upper)
    assert new.lower == pytest.approx(np.sqrt(3) * mm.max_margin("xor", "f2").lower, rel=1e-9)
    paths = [mm.margin_path("xor", lambdas=[1e-6], **{name: "gaussian"})[0] for name in ("law", "weights")]
    assert paths[0].bracket == paths[1].bracket
    data = mm.load("xor")
    margins = [
        mm.KernelMaxMarginClassifier(**{name: "gaussian"}).fit(data.X, data.y).margin_ for name in ("law", "weights")
    ]
    assert margins[0] == margins[1] == pytest.approx(new.lower, rel=1e-5)
    runs = [mm.train(data, layers="output", width=20, steps=5, **{name: "gaussian"}) for name in ("law", "weights")]
    assert runs[0].margin_best == runs[1].margin_best
    assert runs[0].to_json()["weights"] == "gaussian"


def test_documents_with_either_name_are_read_and_checked():
    data = mm.load("xor")
    document = mm.max_margin(data, "f2", law="gaussian").to_json()
    assert document["problem"]["weights"] == "gaussian"
    problem = {key: value for key, value in document["problem"].items() if key != "weights"} | {"law": "gaussian"}
    renamed = document | {"problem": problem}
    for written in (document, renamed):
        assert mm.check_certificate(written, data.X, data.y).holds
        assert mm.Certificate.from_json(written).problem.law == "gaussian"
    assert not mm.check_certificate(document | {"problem": problem | {"law": "sphere"}}, data.X, data.y).holds


def test_the_commands_take_both(tmp_path):
    written = []
    for flag in ("--law", "--weights"):
        path = tmp_path / f"{flag}.json"
        assert main(["margin", "xor", "--norm", "f2", flag, "gaussian", "--json", str(path), "--quiet"]) == 0
        written.append(json.loads(path.read_text()))
    assert written[0]["lower"] == written[1]["lower"] and written[0]["problem"] == written[1]["problem"]


def test_a_contradiction_and_an_unknown_law_are_named():
    with pytest.raises(mm.InputError, match="weights is the older name of law"):
        mm.max_margin("xor", "f2", law="gaussian", weights="sphere")
    with pytest.raises(mm.InputError, match="law: found 'cube'"):
        mm.max_margin("xor", "f2", law="cube")
    with pytest.raises(mm.InputError, match="weights: found 'cube'"):
        mm.max_margin("xor", "f2", weights="cube")
