"""Options of the wrong kind: refused in one sentence that names the option, before any work starts."""

from __future__ import annotations

import numpy as np
import pytest

import maxmargin as mm

X = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
XOR = (X, np.array([-1, 1, 1, -1]))
SHARED = {
    "seed": ["a", -1, 1.5],
    "time_limit": ["5", -1.0, True, [1.0], float("nan")],
    "bias": ["yes", 2, None],
    "progress": [None, 3],
}
OPTIONS = {
    "max_margin": SHARED
    | {
        "tol": ["x", 0.0, 2.0, None, True],
        "max_rounds": ["3", -1, 1.5, True],
        "branching_rounds": ["a", -1, 1.5],
        "self_check": ["a", 3],
        "solver": [None, 3, "x"],
        "start": [3, "x", np.ones(3)],
        "norm": [None, 3, "F1"],
        "convention": [None, 1, "x"],
        "law": [None, 2, "x"],
    },
    "train": SHARED
    | {
        "width": ["a", 0, 1.5, True],
        "steps": ["a", -1, 1e9],
        "step_size": ["a", 0.0, float("nan")],
        "certify_every": ["a", -1, 1.5],
        "layers": [None, "x"],
    },
    "min_norm": SHARED | {"tube": ["a", -1.0, float("nan"), None], "tol": ["x", 0.0], "norm": [None, "x"]},
}
CASES = [(call, name, value) for call, given in OPTIONS.items() for name in given for value in given[name]]
CASES.remove(("train", "progress", None))  # None stands for the default in whatever `train` hands on


@pytest.mark.parametrize(("call", "name", "value"), CASES, ids=[f"{c}-{n}-{v}" for c, n, v in CASES])
def test_an_option_of_the_wrong_kind_is_named(call, name, value):
    with pytest.raises(mm.InputError) as refused:
        getattr(mm, call)(XOR, **{name: value})
    sentence = str(refused.value)
    assert sentence.startswith(f"{name}: found ") and "wanted" in sentence and "\n" not in sentence


@pytest.mark.parametrize("seed", [np.int64(3), 2**70, np.random.default_rng(0)])
def test_whatever_numpy_takes_as_a_seed_will_do(seed):
    assert mm.max_margin(XOR, seed=seed).status == "certified"
    assert mm.train(XOR, width=5, steps=2, seed=seed).to_json()["seed"] in (None, seed)


def test_numpy_scalars_are_options_like_others():
    found = mm.max_margin(XOR, bias=np.True_, tol=np.float64(1e-8), max_rounds=np.int64(50), time_limit=np.float32(9))
    assert found.to_json()["problem"]["bias"] is True


@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_a_network_whose_squares_leave_the_range_of_floats_is_refused(scale):
    with pytest.raises(mm.InputError, match="hidden: found largest magnitude"):
        mm.assess(XOR, scale * np.ones((2, 2)), np.ones(2))


def test_a_complex_network_is_refused():
    with pytest.raises(mm.InputError, match="hidden: found complex numbers"):
        mm.assess(XOR, np.ones((2, 2)) + 1j, np.ones(2))
