"""The paper-scale results in data/paper: complete, redrawn without computing, and the same when computed again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from maxmargin.cli import main
from maxmargin.sweeps import Store
from maxmargin.sweeps.experiments import EXPERIMENTS, get_setting
from maxmargin.sweeps.runner import execute

SHIPPED = Path(__file__).resolve().parent.parent / "data" / "paper"
SETTING = get_setting("paper")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    copy = tmp_path_factory.mktemp("shipped") / "runs.sqlite"
    shutil.copyfile(SHIPPED / "runs.sqlite", copy)
    with Store(copy) as opened:
        yield opened


def test_every_run_of_every_figure_is_there_and_no_other(store):
    wanted = {task.key for experiment in EXPERIMENTS.values() for task in experiment.tasks(SETTING)}
    assert store.keys() == wanted


def test_redrawn_without_computing(store, monkeypatch, tmp_path):
    monkeypatch.setattr("maxmargin.sweeps.works.WORKS", {})
    before = store.path.read_bytes()
    arguments = ["reproduce", "all", "--scale", "paper", "--store", str(store.path), "--out", str(tmp_path), "--quiet"]
    assert main(arguments) == 0
    for name in EXPERIMENTS:
        assert (tmp_path / f"{name}.csv").read_bytes() == (SHIPPED / f"{name}.csv").read_bytes()
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000
    assert store.path.read_bytes() == before  # a reader leaves no trace in it


@pytest.mark.slow
@pytest.mark.parametrize("repetition", [7])
def test_computed_again(store, repetition):
    """One sample of figure 2(b), four classifiers; another processor may round long float32 runs differently."""
    samples = [(task, task.parameters["data"]) for task in EXPERIMENTS["fig2b"].tasks(SETTING)]
    tasks = [task for task, data in samples if (data["n"], data["seed"]) == (32, repetition)]
    assert len(tasks) == 4
    for task in tasks:
        (_, shipped), (_, fresh, _) = store.results([task])[0], execute(task)
        assert fresh["test_error"] == pytest.approx(shipped["test_error"], abs=0.01)
        margin = "margin_best" if "layers" in task.parameters else "lower"
        assert fresh[margin] == pytest.approx(shipped[margin], rel=0.02)


def test_margins_never_exceed_the_certified_limit(store):
    rows = store.results(EXPERIMENTS["fig2d"].tasks(SETTING))
    upper = next(result["upper"] for parameters, result in rows if "width" not in parameters)
    assert max(result["margin_best"] for parameters, result in rows if "width" in parameters) <= upper


def test_solved_classifiers_have_at_least_the_margin_of_the_trained_ones(store):
    """gamma_1 as found by column generation (to 1e-3) against every trained network of figures 2(b) and 2(c)."""
    pairs = 0
    for name in ("fig2b", "fig2c"):
        rows = store.results(EXPERIMENTS[name].tasks(SETTING))
        trained = {str(p["data"]): r["margin_best"] for p, r in rows if p.get("layers") == "both"}
        for parameters, result in rows:
            if parameters.get("norm") == "f1":
                pairs += 1
                assert trained[str(parameters["data"])] <= result["lower"] * (1 + 2e-3)
    assert pairs == 200
