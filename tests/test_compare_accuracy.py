"""What `compare` says beside the margins: accuracies, held-out data, conflicting rows, what more time would buy."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import maxmargin as mm
from maxmargin.accuracy import counts, matched, split
from maxmargin.comparison import Comparison
from maxmargin.comparison_table import conflict_text, more_time
from maxmargin.dataset import load, save
from maxmargin.threads import one_thread_if_small

QUICK = {"width": 40, "steps": 60}


@pytest.fixture(scope="module")
def customers():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.uniform(20, 70, 40), rng.lognormal(10, 0.5, 40)])
    return load((X, np.where(X[:, 0] > 45, "yes", "no")))


def test_counts_are_a_confusion_matrix():
    data = load(([[0.0], [1.0], [2.0], [3.0], [4.0]], [0, 0, 0, 1, 1]))
    found = counts(lambda X: X[:, 0] - 1.5, data)
    assert found.to_json() == {"accuracy": 4 / 5, "confusion": [[2, 1], [0, 2]]}


def test_a_split_holds_out_the_share_of_each_class_and_standardises_by_the_rest(customers):
    train, test = split(replace(customers, standardized=True), 0.25, seed=3)
    for part, size in ((train, 30), (test, 10)):
        assert part.n == size and part.standardized and part.classes == ("no", "yes")
    np.testing.assert_allclose(train.X.mean(axis=0), 0.0, atol=1e-14)
    np.testing.assert_allclose(train.X.std(axis=0), 1.0, rtol=1e-14)
    raw_train, raw_test = split(customers, 0.25, seed=3)
    np.testing.assert_allclose(test.X, (raw_test.X - raw_train.X.mean(0)) / raw_train.X.std(0), rtol=1e-9)
    assert split(customers, 0.25, seed=3)[0].sha256 == raw_train.sha256 != split(customers, 0.25, seed=4)[0].sha256
    for share in (0.0, 1.0, 0.001):
        with pytest.raises(mm.InputError, match="test_size: found"):
            split(customers, share, 0)


def test_a_second_file_gets_the_units_of_the_first(customers):
    first, second = split(customers, 0.5, seed=0)
    fitted = matched(load(first, standardize=True), second)
    np.testing.assert_allclose(fitted.X, (second.X - first.X.mean(0)) / first.X.std(0), rtol=1e-12)
    with pytest.raises(mm.InputError, match="test data: found the features .* wanted 2 as in"):
        matched(first, load("iris"))
    with pytest.raises(mm.InputError, match="test data: found the classes"):
        matched(first, load((second.X, second.y)))


def test_the_commands_of_a_report_run_as_printed(customers, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    comparison = mm.compare(load(customers, standardize=True), test_size=0.25, **QUICK)
    comparison.save(tmp_path)
    assert "maxmargin compare data.npz" in comparison.command and "--test test.npz" in comparison.command
    document = json.loads((tmp_path / "comparison.json").read_text())
    assert load("data.npz").sha256 == document["dataset"]["data_sha256"] and load("test.npz").n == document["test"]["n"]
    objects = [score["object"] for score in document["scores"]]
    assert objects == ["f1", "f2", "ntk", "both", "output", "svc", "logistic"]
    assert document["scores"][0]["train"]["accuracy"] == 1.0
    assert all(0.0 <= score["test"]["accuracy"] <= 1.0 for score in document["scores"])
    assert "test accuracy" in str(comparison) and "Each row is in its own norm" in str(comparison)


def test_the_command_names_the_file_its_label_and_units(tmp_path, customers):
    save(customers, tmp_path / "c.csv")
    data = load(tmp_path / "c.csv", standardize=True, label="y", name="my customers")
    command = Comparison(data, {}, (), 0.0, {"steps": 5, "time_limit": None, "seed": 0}).command
    assert command.split(" ", 3)[3] == "--label y --name 'my customers' --standardize --steps 5"


def test_rows_that_conflict_are_named():
    data = load(([[1.0, 2.0], [0.0, 0.0], [1.0, 2.0], [3.0, 1.0]], [0, 0, 1, 1]))
    assert "rows 1 and 3 have equal features and different labels" in conflict_text(data, mm.max_margin(data))
    hexagon = load("polygon:k=3")
    assert conflict_text(hexagon, mm.max_margin(hexagon, bias=False)).startswith("weights on the rows 1, ")


def test_a_run_that_its_limit_stopped_says_what_more_time_buys():
    comparison = mm.compare("xor", bias=False, width=40, steps=10**6, time_limit=0.2)
    said = more_time(comparison)
    assert any("stopped after 0 s, at step" in line and "of 1,000,000; --time-limit" in line for line in said)
    assert not more_time(mm.compare("xor", bias=False, **QUICK))


def test_small_products_run_on_one_thread():
    from threadpoolctl import threadpool_info

    def threads():
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    before = threads()
    with one_thread_if_small(1000):
        assert threads() <= {1}
    with one_thread_if_small(10**9):
        assert threads() == before
