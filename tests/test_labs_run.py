"""Every laboratory at the scale of seconds: its findings hold, its broken variants are flagged, its figure is drawn."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import maxmargin as mm
from maxmargin import labs
from maxmargin.plots import figure_bytes


@cache
def run(name):
    return mm.lab(name)


@pytest.mark.parametrize("name", labs.names())
def test_every_finding_comes_out_as_expected(name):
    for found in run(name).findings:
        assert found.as_expected, found
        assert found.statement.endswith(".") and not found.statement[0].islower(), found.id
        assert np.isfinite(found.measured), found.id
    assert len({found.id for found in run(name).findings}) == len(run(name).findings)


@pytest.mark.parametrize("name", labs.names())
def test_a_deliberate_mistake_is_flagged(name):
    broken = [found for found in run(name).findings if found.broken]
    assert broken and all(found.verdict == "fails" for found in broken)


@pytest.mark.parametrize("name", labs.names())
def test_the_figure_is_drawn(name):
    picture = figure_bytes(run(name).figure(), "png", dpi=50)
    assert len(picture) > 5000


def test_the_same_settings_give_the_same_bytes():
    first, second = run("unhinged-loss"), mm.lab("unhinged-loss")
    assert [found.to_json() for found in first.findings] == [found.to_json() for found in second.findings]
    assert figure_bytes(first.figure()) == figure_bytes(second.figure())
