"""Endings, inputs and files of a run."""

import json

import numpy as np
import pytest

from maxmargin.errors import InputError
from maxmargin.features import RELU
from maxmargin.flow import Network, Run, train_flow
from maxmargin.flow.implicit import Flow
from maxmargin.flow.run import STATUSES

XOR = np.array([[1.0, 1], [-1, -1], [1, -1], [-1, 1]]), np.array([1.0, 1, -1, -1])


def test_dead_neurons_end_in_collapsed():
    """All points in one half-plane and all neurons in the other: no gradient, nothing ever moves."""
    Z, y = np.array([[1.0, 0.2], [1.0, -0.2]]), np.array([1.0, -1.0])
    dead = Network(-np.ones((5, 2)) * [1.0, 0.1], np.ones(5), bias=False)
    for schedule in ("paper", "flow", "loss-based"):
        run = train_flow(Z, y, steps=100, init=dead, schedule=schedule, bias=False)
        assert run.status == "collapsed" and run.status in STATUSES
        assert np.isfinite(run.margin_best) and run.margin_best == 0.0
        np.testing.assert_array_equal(run.network.hidden, dead.hidden)


def test_some_dead_neurons_are_harmless():
    start = Network(np.vstack([-np.ones((1, 2)), np.eye(2)]), np.array([1.0, 1.0, -1.0]), bias=False)
    Z, y = np.array([[1.0, 0.1], [0.1, 1.0]]), np.array([1.0, -1.0])
    rule = Flow(cap=1e300)  # at its cap the rule scales the whole network, dead neurons too
    run = train_flow(Z, y, steps=100, init=start, schedule=rule, bias=False)
    assert run.status == "finished" and run.margin_best > 0
    np.testing.assert_array_equal(run.network.hidden[0], start.hidden[0])


def test_overflow_ends_in_diverged_with_the_last_good_state():
    run = train_flow(*XOR, width=10, steps=5000, schedule="constant", step_size=0.5, bias=False)
    assert run.status == "diverged" and run.steps < 5000
    assert np.isfinite(run.network.hidden).all() and np.isfinite(run.margin_last)
    assert all(np.isfinite(value) for row in run.trace for value in row.values())


@pytest.mark.parametrize("layers", ["both", "output", "magnitudes"])
def test_data_that_cannot_be_separated_end_quietly(layers):
    """Alternating hexagon: labels odd under x -> -x, gamma = 0 (C5); the flow comes to rest."""
    angle = np.arange(6) * np.pi / 3
    Z, y = np.stack([np.cos(angle), np.sin(angle)], axis=1), (-1.0) ** np.arange(6)
    run = train_flow(Z, y, layers=layers, width=40, steps=400, schedule="flow", bias=False)
    assert run.status in STATUSES and np.isfinite(run.network.hidden).all() and run.margin_best <= 1e-12


def test_time_limit_and_ctrl_c_keep_the_run():
    run = train_flow(*XOR, width=10, steps=10**9, time_limit=0.5, bias=False)
    assert run.status == "interrupted" and run.trace[-1]["step"] == run.steps > 0

    def stop(line):
        if line.startswith("step 5 "):
            raise KeyboardInterrupt

    run = train_flow(*XOR, width=10, steps=100, progress=stop, bias=False)
    assert run.status == "interrupted" and run.steps == 5 and np.isfinite(run.margin_last)


def test_json_and_files_round_trip(tmp_path):
    run = train_flow(*XOR, width=10, steps=100, layers="output", bias=False)
    run.save(tmp_path / "run.json")
    document = json.loads((tmp_path / "run.json").read_text())
    wanted = "format layers width steps schedule loss seed norm convention margin_best margin_last step_of_best upper"
    assert set(f"{wanted} seconds peak_bytes trace status weights".split()) <= set(document)
    assert set(document["trace"][0]) >= {"step", "time", "margin", "smooth_margin", "mass", "upper"}
    again = Run.from_json(document)
    assert again.to_json() == run.to_json()
    np.testing.assert_array_equal(again.network.hidden, run.network.hidden)
    with pytest.raises(InputError, match="format"):
        Run.from_json({})
    with pytest.raises(InputError, match="malformed"):
        Run.from_json({"format": "maxmargin-run", "version": 1})


def test_network_is_its_measure(tmp_path):
    rng = np.random.default_rng(0)
    network = Network(rng.standard_normal((6, 3)), rng.standard_normal(6), bias=True)
    X = rng.standard_normal((5, 2))
    Z = np.hstack([X, np.ones((5, 1))])
    np.testing.assert_allclose(network.decision_function(X), network.measure().outputs(Z, RELU), rtol=1e-12)
    assert network.measure().total_variation(1) <= network.mass / 2  # |a||b| <= (|a|^2 + b^2)/2 (Prop. 9)
    network.save(tmp_path / "net.npz")
    again = Network.load(tmp_path / "net.npz")
    np.testing.assert_array_equal(again.hidden, network.hidden)
    assert again.bias is True and again.feature == RELU
    with pytest.raises(InputError, match="nothing.npz"):
        Network.load(tmp_path / "nothing.npz")


def test_trace_and_snapshots_are_geometric_and_bounded():
    run = train_flow(*XOR, width=10, steps=20_000, bias=False)
    steps = [row["step"] for row in run.trace]
    assert steps[0] == 0 and steps[-1] == 20_000 and len(steps) < 160
    assert len(run.snapshots) <= 62 and run.snapshots[0][0] == 0 and run.snapshots[-1][0] == 20_000
    every = train_flow(*XOR, width=10, steps=100, certify_every=7, bias=False)
    assert {0, 7, 98} <= {row["step"] for row in every.trace}


@pytest.mark.parametrize(
    "options, words",
    [
        ({"layers": "hidden"}, "layers"),
        ({"width": 0}, "width"),
        ({"steps": -1}, "steps"),
        ({"schedule": "fast"}, "schedule"),
        ({"step_size": -1.0}, "step_size"),
        ({"loss": "hinge"}, "loss"),
        ({"init": "zero"}, "init"),
        ({"init": "gaussian:-1"}, "init"),
        ({"dtype": "float16"}, "dtype"),
        ({"batch_size": 9}, "batch_size"),
        ({"batch_size": 2, "schedule": "flow"}, "batch_size"),
        ({"weights": "cube"}, "weights"),
        ({"convention": "other"}, "convention"),
        ({"init": Network(np.ones((2, 5)), np.ones(2))}, "init"),
    ],
)
def test_bad_input_is_told_in_one_sentence(options, words):
    with pytest.raises(InputError, match=words) as info:
        train_flow(*XOR, **{"steps": 5, "bias": False, **options})
    assert "\n" not in str(info.value)
    with pytest.raises(InputError, match="data"):
        train_flow(XOR[0], XOR[1][:3])
