"""The README's sections that teach: how to add a step rule."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

import maxmargin as mm


@dataclass(frozen=True)
class Harmonic:
    """eta(t) = s / t: too fast a cooling, as one can see."""

    s: float = 1.0

    def stepper(self, dynamics, loss):
        def step(t, S, p):
            eta = self.s / t
            dynamics.ascend(p)  # gradient of the smooth margin at adversary weights p
            dynamics.move(eta)
            return eta, p

        return step


OPTIONS = {"layers": "both", "bias": False, "width": 50, "seed": 0}


def test_own_step_rule_drives_a_run():
    run = mm.train("xor", schedule=Harmonic(0.5), steps=300, **OPTIONS)
    assert run.status == "finished" and run.steps == 300
    assert run.schedule == "Harmonic(s=0.5)"
    assert run.trace[-1]["time"] == pytest.approx(0.5 * math.fsum(1 / t for t in range(1, 301)))
    assert run.margin_best <= math.sqrt(2) / 8


def test_own_step_rule_like_the_paper_is_the_paper_rule():
    @dataclass(frozen=True)
    class Mine:
        s: float = 0.5

        def stepper(self, dynamics, loss):
            def step(t, S, p):
                eta = self.s / math.sqrt(t + 1)
                dynamics.ascend(p)
                dynamics.move(eta)
                return eta, p

            return step

    mine, paper = (mm.train("xor", schedule=rule, steps=200, **OPTIONS) for rule in (Mine(), "paper"))
    assert [row["margin"] for row in mine.trace] == [row["margin"] for row in paper.trace]
