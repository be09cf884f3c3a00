"""Brackets and certificates recorded at commit 841c927, before the game was written down: none has changed."""

from __future__ import annotations

import json
import math
import runpy
from importlib import metadata
from pathlib import Path

import pytest

import maxmargin as mm

# a script beside the package, not a part of it
SCRIPT = Path(__file__).resolve().parent.parent / "experiments" / "benchmarks" / "brackets.py"
problems = runpy.run_path(str(SCRIPT))["problems"]
RECORDS = Path(__file__).parent / "data"
RECORDED = json.loads((RECORDS / "brackets.json").read_text(encoding="utf-8"))
CERTIFIED = json.loads((RECORDS / "certificates_data.json").read_text(encoding="utf-8"))  # name -> X, y
ROUNDING = 1e-12  # of a margin that two certified brackets enclose
WIDER = 1.25  # times the recorded gap: a bracket that search ends early depends on the order of its rounds


def gap(bracket: dict) -> float:
    upper = bracket["upper"]
    return 1.0 if upper is None else (upper - bracket["lower"]) / upper if upper else 0.0


def ends(bracket: dict) -> tuple[float, float]:
    return bracket["lower"], math.inf if bracket["upper"] is None else bracket["upper"]


def older_scs() -> bool:
    return tuple(map(int, metadata.version("scs").split(".")[:2])) < (3, 3)


@pytest.mark.parametrize(("name", "compute"), list(problems()), ids=[name for name, _ in problems()])
def test_brackets_are_those_recorded(name, compute):
    """They meet, are as narrow, and come with the same scope and status."""
    recorded, found = RECORDED[name], compute()
    assert len(found) == len(recorded)
    for old, new in zip(recorded, found, strict=True):
        lower, upper = max(ends(old)[0], ends(new)[0]), min(ends(old)[1], ends(new)[1])
        assert lower <= upper * (1.0 + ROUNDING) + 1e-15
        if '"scs"' in name and older_scs():
            continue  # the record is of SCS 3.3; how near an older one comes is its own affair, the bracket is ours
        assert gap(new) <= WIDER * gap(old) + 1e-9
        assert (new["scope"], new["status"]) == (old["scope"], old["status"])


@pytest.mark.parametrize("name", CERTIFIED)
def test_certificates_written_before_still_hold(name):
    document = json.loads((RECORDS / "certificates" / f"{name}.json").read_text(encoding="utf-8"))
    verdict = mm.check_certificate(document, **CERTIFIED[name])
    assert verdict.holds, verdict.reason
    read = mm.Certificate.from_json(document)
    assert json.loads(json.dumps(read.to_json()["problem"])) == document["problem"]
