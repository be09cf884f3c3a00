"""A slice of `experiments/fuzz.py`: random and degenerate games against references that share no code with them."""

import json
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "experiments"))

import fuzz
from fuzz_games import KINDS, game


def test_no_bracket_of_a_slice_of_games_is_refuted(tmp_path, capsys):
    """One game of each kind, four times over; 90 take about half a minute on a busy core."""
    store = tmp_path / "fuzz.json"
    arguments = ["--games", "90", "--seed", "7", "--store", str(store), "--out", str(tmp_path / "refuted.json")]
    assert fuzz.main(arguments) == 0, capsys.readouterr().out
    state = json.loads(store.read_text())
    assert sorted(state["done"]) == [0, 1]
    counted = sum(count for key, count in state["counts"].items() if key.split("|")[0] in KINDS)
    assert counted == 90 and not [f for f in state["findings"] if f["outcome"] in (fuzz.REFUTED, fuzz.ERROR)]
    # asked again, it has nothing left to do
    before = os.stat(store).st_mtime_ns
    assert fuzz.main(arguments) == 0
    assert os.stat(store).st_mtime_ns == before
    assert "90 games" in capsys.readouterr().out


@pytest.mark.parametrize(("norm", "end"), [("f1", "upper"), ("f1", "lower"), ("f2", "upper"), ("f2", "lower")])
def test_a_false_end_is_refuted_by_the_reference_alone(norm, end):
    """The references notice 1e-9, without the referee."""
    k = next(k for k in range(500) if game(3, k).norm == norm and game(3, k).solve().lower > 1e-3)
    question = game(3, k)
    document = question.solve().to_json()
    assert fuzz.refutation(question, document) is None
    factor = 1.0 - 1e-7 if end == "upper" else 1.0 + 1e-7
    assert fuzz.refutation(question, document | {end: document[end] * factor}).startswith(end)


def test_a_game_can_be_asked_again_and_shrinks_to_what_matters(monkeypatch):
    a, b = game(0, 17), game(0, 17)
    assert a.to_json() == b.to_json() and json.dumps(a.to_json())
    monkeypatch.setattr(fuzz, "judge", lambda question: (fuzz.REFUTED, "", "", None))
    assert len(fuzz.smaller(a, fuzz.REFUTED).y) == 2


@pytest.mark.parametrize("index", [20113, 21359, 21400, 25679, 27735, 33641, 37196, 39581, 58174])
def test_games_that_were_once_refuted_are_fine(index):
    """Among 100,000; 20113 and 21400: features from 1e-8 to 1e8, where the referee did not know the units of a
    relaxation; 21359: a weight of -5e-17, by rounding of a sum above one; 25679: zero, with an adversary on points that
    do not cancel, too; 27735: D = 6, features of 1e-9 beside the bias, an upper end too low by 1.7e-3;
    33641, 39581: D = 3, the best vertex was dropped where two lines are 1e-15 apart; 37196: 80 digits were too few for
    the reference; 58174: HiGHS took no rows with entries above 1e15."""
    assert fuzz.judge(game(1, index))[0] in (fuzz.FINE, fuzz.SLOWLY)


@pytest.mark.parametrize("seed, index", [(1, 20113)])
def test_what_fuzzing_has_found_is_mended(seed, index):
    """20113: columns from 1e-6 to 1e8; the referee took the small entries of S for zeros and proved 1e-6 less."""
    outcome, reason, *_ = fuzz.judge(game(seed, index))
    assert outcome == fuzz.FINE, reason
