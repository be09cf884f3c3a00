"""Tables and figures come from the store alone and say what is in it; the command from end to end."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from maxmargin.cli import main
from maxmargin.errors import InputError
from maxmargin.plots.sweep_figures import sweep_figure
from maxmargin.sweeps import printed, tables
from maxmargin.sweeps.experiments import EXPERIMENTS, get_experiments, get_setting
from maxmargin.sweeps.works import error_of, rate, simplex_margin, solve, train

DATA = {"n": 16, "d": 3, "k": 2, "seed": 0, "variant": "code", "labels": "", "n_test": 200}


@pytest.fixture(scope="module")
def reproduced(tmp_path_factory):
    """`reproduce all` at the smallest scale, and the processor time it took."""
    out, start = tmp_path_factory.mktemp("out"), time.process_time()
    assert main(["reproduce", "all", "--scale", "smoke", "--out", str(out), "--quiet"]) == 0
    return out, time.process_time() - start


def test_all_figures_within_a_minute(reproduced):
    out, seconds = reproduced
    assert seconds < 60
    document = json.loads((out / "numbers.json").read_text())
    assert list(document["experiments"]) == list(EXPERIMENTS)
    for name, numbers in document["experiments"].items():
        assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        with (out / f"{name}.csv").open() as file:
            rows = list(csv.reader(file))
        assert rows[0] == numbers["header"]
        assert len(rows) == 1 + len(numbers["rows"])
        assert numbers["runs"] == len({task.key for task in EXPERIMENTS[name].tasks(get_setting("smoke"))})


def test_drawn_again_from_the_store_alone(reproduced, monkeypatch, tmp_path, capsys):
    out, _ = reproduced
    monkeypatch.setattr("maxmargin.sweeps.works.WORKS", {})  # nothing can be computed
    arguments = ["reproduce", "all", "--scale", "smoke", "--store", str(out / "runs.sqlite"), "--out", str(tmp_path)]
    assert main(arguments) == 0
    printed_text = capsys.readouterr().out
    for experiment in EXPERIMENTS.values():
        assert experiment.title in printed_text
        for suffix in ("png", "csv"):
            name = f"{experiment.name}.{suffix}"
            assert (tmp_path / name).read_bytes() == (out / name).read_bytes()


def width_rows(upper=0.0112):
    data = DATA | {"n": printed.N, "d": printed.D}
    runs = [
        ({"data": data, "width": m, "seed": r}, {"margin_best": margin})
        for m, margins in {8: (0.001, 0.003), 1024: (0.0109, 0.0111)}.items()
        for r, margin in enumerate(margins)
    ]
    return [*runs, ({"data": data}, {"lower": 0.0111, "upper": upper, "scope": "sphere-bound"})]


def test_figure_2d_has_its_reference_lines_at_the_certified_ends():
    axes = sweep_figure("fig2d", width_rows()).axes[0]
    levels = {float(line.get_ydata()[0]) for line in axes.lines if line.get_label().startswith(r"$\gamma_1$")}
    assert levels == {0.0111, 0.0112}
    axes = sweep_figure("fig2d", width_rows(upper=None)).axes[0]
    assert [line.get_ydata()[0] for line in axes.lines if "gamma" in str(line.get_label())] == [0.0111]


def test_figure_2d_table():
    table = tables.margins_by_width(width_rows())
    (m, runs, mean, error, share, of_widest, theirs, their_share) = table.rows[0]
    assert (m, runs, theirs) == (8, 2, 0.00164)
    assert (mean, error) == pytest.approx((0.002, 0.001))
    assert share == pytest.approx(0.002 / 0.0111)
    assert of_widest == pytest.approx(0.002 / 0.011)
    assert their_share == pytest.approx(0.00164 / 0.01104)
    assert "0.01110" in table.notes[0]


def error_rows(n=256, d=15):
    errors = {"both": (0.02, 0.06), "output": (0.25, 0.19)}
    return [
        ({"data": DATA | {"n": n, "d": d, "seed": seed}, "layers": layers}, {"test_error": error})
        for layers, pair in errors.items()
        for seed, error in enumerate(pair)
    ]


def test_errors_stand_beside_the_printed_ones_where_the_sizes_agree():
    table = tables.errors(error_rows(), "n")
    at, name, runs, mean, error, *theirs = table.rows[0]
    assert (at, name, runs) == (256, "both layers", 2)
    assert (mean, error) == pytest.approx((0.04, 0.02))
    spread = 0.046 / np.sqrt(20)
    assert theirs == pytest.approx([0.0362, spread, (0.04 - 0.0362) / np.hypot(0.02, spread)])
    assert "2 of 2 at 256" in table.notes[0]
    assert tables.errors(error_rows(d=4), "n").rows[0][5:] == (None, None, None)
    paper = sweep_figure("fig2b", error_rows()).axes[0].get_legend()
    assert any("printed" in text.get_text() for text in paper.get_texts())


def test_works_agree_with_the_library():
    result = train(DATA, "both", width=20, steps=300, seed=0, dtype="float64", loss="exp")
    solved = solve(DATA, "f1")
    assert result["margin_best"] <= solved["upper"] * (1 + 1e-12)
    assert solved["lower"] == pytest.approx(solved["upper"], rel=1e-6)
    assert train(DATA, "both", width=20, steps=300, seed=0, dtype="float64", loss="exp") == result
    assert solve(DATA | {"d": 7}, "f1")["lower"] <= solve(DATA | {"d": 7}, "f1")["upper"]


def test_column_generation_survives_neurons_found_while_asking_once_more():
    """Found by a sweep: the LP's solution was older than its columns when it came to be polished."""
    solved = solve(DATA | {"n": 32, "d": 8, "k": 3, "seed": 24}, "f1")
    assert 0 < solved["lower"] <= solved["upper"]


def test_ties_count_as_right():
    from maxmargin.dataset import make_dataset

    points = make_dataset(np.arange(4.0)[:, None], np.array([-1, -1, 1, 1]))
    assert error_of(lambda X: np.zeros(len(X)), points) == 0
    assert error_of(lambda X: np.ones(len(X)), points) == 0.5


def test_simplex_margin_is_a_bracket_and_the_rates_hold():
    rng = np.random.default_rng(0)
    Z, y = rng.standard_normal((9, 3)), np.where(np.arange(9) % 2, 1.0, -1.0)
    lower, upper = simplex_margin(Z, y, (rng.standard_normal((300, 3)), rng.standard_normal(300)))
    assert lower <= upper * (1 + 1e-9)
    assert lower == pytest.approx(upper, rel=1e-6)
    for proposition in (6, 7):
        result = rate(DATA, proposition, width=200, steps=200, seed=0, multiple=1.0)
        assert result["holds"]
        assert all(promised >= gap for promised, gap in zip(result["promised"], result["gap"], strict=True))


def test_the_text_of_the_paper_is_a_variant():
    code, text = (get_setting("paper", variant) for variant in ("code", "paper"))
    assert (code.data(8, 15, 3, 0)["d"], text.data(8, 15, 3, 0)["d"]) == (15, 16)
    samples = [{task.parameters["data"]["seed"] for task in get_experiments("fig2d")[0].tasks(s)} for s in (code, text)]
    assert [len(seeds) for seeds in samples] == [1, 20]
    assert get_setting("smoke", seed=1).data(8, 3, 2, 4)["seed"] == 1004


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["fig9"], "fig9"),
        (["fig2b", "--scale", "huge"], "huge"),
        (["fig2b", "--jobs", "0"], "jobs"),
        (["fig2b", "--store", "no/such/folder/runs.sqlite"], "store"),
        (["fig2b", "--variant", "mine"], "mine"),
        ([], "FIGURE"),
    ],
)
def test_bad_input_ends_with_two(arguments, named, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["reproduce", *arguments, "--out", "out"] if arguments else ["reproduce"]) == 2
    error = capsys.readouterr().err
    assert named in error
    assert error.count("\n") == 1
    assert not list(tmp_path.rglob("*.png"))


def test_unknown_names_are_refused():
    with pytest.raises(InputError, match="experiment"):
        get_experiments("fig9")
    with pytest.raises(InputError, match="scale"):
        get_setting("huge")
    with pytest.raises(InputError, match="variant"):
        get_setting("smoke", "mine")


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_each_figure_has_a_script(name, tmp_path):
    script = Path(__file__).resolve().parent.parent / "experiments" / f"{name}.py"
    command = [sys.executable, str(script), "smoke"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert EXPERIMENTS[name].table([]).header[-1] in done.stdout
    assert (tmp_path / f"{name}.png").exists()
