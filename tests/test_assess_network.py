"""A network of one's own beside the limit: units, theorems, recipes, refusals."""

from __future__ import annotations

import json

import numpy as np
import pytest

import maxmargin as mm
from maxmargin.cli import main

DATA = "clusters:n=48,d=3"


@pytest.fixture(scope="module")
def data():
    return mm.load(DATA)


@pytest.fixture(scope="module")
def best(data):
    return mm.max_margin(data)


def network(seed=0, m=12, d=2):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((m, d)), rng.standard_normal(m), rng.standard_normal(m), float(rng.standard_normal())


def balanced(certificate):
    """The max-margin classifier as a balanced network of plain sums."""
    measure = certificate.classifier
    size = np.sqrt(np.abs(measure.weights))
    hidden = size[:, None] * measure.directions
    return hidden[:, :-1], np.sign(measure.weights) * size, hidden[:, -1]


def test_the_solved_network_reaches_all_of_the_margin(data, best):
    found = mm.assess(data, *balanced(best))
    assert found.margin == pytest.approx(best.lower, rel=1e-9)
    assert found.margin_mass == pytest.approx(found.margin, rel=1e-9)
    assert found.imbalance == pytest.approx(0.0, abs=1e-12)
    assert found.fraction_of_lower == pytest.approx(1.0, rel=1e-8)
    assert found.fraction_of_upper == pytest.approx(1.0, rel=1e-8)
    assert found.norm == pytest.approx(2.0, rel=1e-9)  # sphere convention: twice the path norm
    path = mm.assess(data, *balanced(best), convention="path")
    assert path.norm == pytest.approx(1.0, rel=1e-9) and path.margin == pytest.approx(2 * found.margin, rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_any_network_is_below_the_bracket_and_its_weights_prove_an_upper_end(data, best, seed):
    hidden, output, hidden_bias, output_bias = network(seed)
    found = mm.assess(data, hidden, output, hidden_bias, output_bias)
    f = np.maximum(data.X @ hidden.T + hidden_bias, 0.0) @ output + output_bias
    sizes = np.sqrt((hidden**2).sum(axis=1) + hidden_bias**2)
    path_norm = np.abs(output) @ sizes + abs(output_bias)
    assert found.raw_margin == pytest.approx((data.y * f).min(), rel=1e-12)
    assert found.norm == pytest.approx(2 * path_norm, rel=1e-12)
    assert found.margin == pytest.approx(found.raw_margin / found.norm, rel=1e-12)
    mass = ((sizes**2 + output**2).sum() / 2) + abs(output_bias)
    assert found.margin_mass == pytest.approx(found.raw_margin / (2 * mass), rel=1e-12)
    assert found.margin <= best.upper <= found.own_upper * (1 + 1e-12)
    assert found.certificate.lower <= max(found.margin, 0.0) * (1 + 1e-12)
    verdict = mm.check_certificate(found.certificate, data.X, data.y)
    assert verdict.holds, verdict.reason


def test_rescaling_neurons_moves_the_mass_and_not_the_margin(data, best):
    hidden, output, hidden_bias = balanced(best)
    lopsided = mm.assess(data, 4.0 * hidden, output / 4.0, 4.0 * hidden_bias)
    assert lopsided.margin == pytest.approx(best.lower, rel=1e-9)
    assert lopsided.margin_mass < 0.3 * lopsided.margin
    assert lopsided.imbalance > 0.5


def test_dead_neurons_cost_norm_only(data, best):
    hidden, output, hidden_bias = balanced(best)
    dead = -100.0 * np.ones(1)
    found = mm.assess(data, np.vstack([hidden, [[0.1, 0.1]]]), np.append(output, 1.0), np.append(hidden_bias, dead))
    assert (found.active, found.dead) == (len(output), 1)
    assert found.raw_margin == pytest.approx(mm.assess(data, hidden, output, hidden_bias).raw_margin, rel=1e-12)
    assert found.margin < 0.1 * best.lower


def test_an_output_bias_is_the_neuron_that_sees_the_bias_alone(data):
    hidden, output, hidden_bias, output_bias = network(7)
    as_number = mm.assess(data, hidden, output, hidden_bias, output_bias)
    as_neuron = mm.assess(
        data, np.vstack([hidden, [[0.0, 0.0]]]), np.append(output, output_bias), np.append(hidden_bias, 1.0)
    )
    for name in ("margin", "raw_margin", "norm", "own_upper"):
        assert getattr(as_number, name) == pytest.approx(getattr(as_neuron, name), rel=1e-12)
    assert as_number.active + as_number.dead == len(output)


def test_the_zero_network_and_one_that_does_not_separate(data):
    zero = mm.assess(data, np.zeros((3, 2)), np.zeros(3))
    assert (zero.margin, zero.margin_mass, zero.norm, zero.raw_margin, zero.active) == (0.0, 0.0, 0.0, 0.0, 0)
    constant = mm.assess(data, [[0.0, 0.0]], [0.0], output_bias=1.0)
    assert constant.raw_margin == -1.0 and constant.margin == -0.5 and constant.fraction_of_upper < 0.0
    for found in (zero, constant):
        assert found.certificate.lower == 0.0
        assert mm.check_certificate(found.certificate, data.X, data.y).holds


def test_inseparable_data_have_no_fraction():
    X, y = [[0.0], [0.0], [1.0]], [0, 1, 1]
    found = mm.assess((X, y), [[1.0]], [1.0], [0.5])
    assert found.reference.status == "not-separable"
    assert found.fraction_of_lower is None
    assert found.to_json()["fraction_of_lower"] is None


def test_any_two_labels(data, best):
    words = np.where(data.y > 0, "yes", "no")
    hidden, output, hidden_bias = balanced(best)
    found = mm.assess((data.X, words), hidden, output, hidden_bias)
    assert found.margin == pytest.approx(best.lower, rel=1e-9)
    assert mm.check_certificate(found.certificate.to_json(), data.X, np.where(data.y > 0, 7, 3)).holds


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hidden": np.ones((2, 5))}, "hidden: found shape .2, 5., wanted .m, 2., .*pass hidden.T"),
        ({"hidden": np.ones(5)}, "hidden"),
        ({"output": np.ones(4)}, "output: found shape .4,., wanted .5,."),
        ({"hidden_bias": np.ones(3)}, "hidden_bias: found shape .3,."),
        ({"output_bias": [1.0, 2.0]}, "output_bias: found shape"),
        ({"output_bias": 1.0, "bias": False}, "output_bias: found 1.0 without a bias in the norm"),
        ({"hidden_bias": np.ones(5), "bias": False}, "hidden_bias: found 1.0 without a bias in the norm"),
        ({"hidden": np.full((5, 2), np.nan)}, "hidden: found a number that is not finite"),
        ({"output": ["a"] * 5}, "output: found values that are no numbers"),
    ],
)
def test_what_does_not_fit_is_named(data, change, words):
    with pytest.raises(mm.InputError, match=words):
        mm.assess(data, **({"hidden": np.ones((5, 2)), "output": np.ones(5)} | change))


def test_scikit_learn_recipe(data):
    """The docstring of a recipe: coefs_ are (inputs, outputs), hence the transpose."""
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier((32,), solver="lbfgs", alpha=0.0, max_iter=400, random_state=0).fit(data.X, data.y)
    (W, V), (b, c) = model.coefs_, model.intercepts_
    found = mm.assess(data, W.T, V.ravel(), b, c)
    logits = np.maximum(data.X @ W + b, 0.0) @ V.ravel() + c[0]
    assert found.raw_margin == pytest.approx((data.y * logits).min(), rel=1e-9)
    assert (found.raw_margin > 0.0) == (model.score(data.X, data.y) == 1.0)
    assert found.margin <= found.reference.upper


def test_pytorch_recipe(data):
    """state_dict() of Sequential(Linear(2, 16), ReLU(), Linear(16, 1)), as arrays: weight is (outputs, inputs)."""
    rng = np.random.default_rng(0)
    state = {
        "0.weight": rng.standard_normal((16, 2)).astype(np.float32),
        "0.bias": rng.standard_normal(16).astype(np.float32),
        "2.weight": rng.standard_normal((1, 16)).astype(np.float32),
        "2.bias": rng.standard_normal(1).astype(np.float32),
    }
    found = mm.assess(data, state["0.weight"], state["2.weight"], state["0.bias"], state["2.bias"])
    hidden = np.maximum(data.X @ state["0.weight"].T.astype(float) + state["0.bias"], 0.0)
    f = (hidden @ state["2.weight"].T.astype(float))[:, 0] + state["2.bias"]
    assert found.raw_margin == pytest.approx((data.y * f).min(), rel=1e-12)


def test_the_command(tmp_path, data, best, capsys):
    hidden, output, hidden_bias = balanced(best)
    path, out = tmp_path / "network.npz", tmp_path / "a.json"
    np.savez(path, hidden=hidden, output=output, hidden_bias=hidden_bias, output_bias=0.0)
    assert main(["assess", str(path), DATA, "--json", str(out)]) == 0
    document = json.loads(out.read_text())
    names = {"format", "version", "margin", "margin_mass", "raw_margin", "norm", "active", "reference"}
    assert names | {"fraction_of_lower", "fraction_of_upper", "own_upper", "certificate"} <= set(document)
    assert document["format"] == "maxmargin-assessment" and document["version"] == 1
    assert document["margin"] == pytest.approx(best.lower, rel=1e-9)
    certificate = tmp_path / "c.json"
    certificate.write_text(json.dumps(document["certificate"]))
    assert main(["check", str(certificate), DATA]) == 0
    assert "% of the max margin" in capsys.readouterr().out
    np.savez(path, hidden=hidden)
    assert main(["assess", str(path), DATA]) == 2
    assert "missing ['output']" in capsys.readouterr().err
    assert main(["assess", str(tmp_path / "none.npz"), DATA]) == 2


def test_a_network_that_we_saved(tmp_path, data):
    run = mm.train(data, width=30, steps=50, schedule="flow", seed=0)
    run.network.save(tmp_path / "run.npz")
    assert main(["assess", str(tmp_path / "run.npz"), DATA, "--json", str(tmp_path / "a.json")]) == 0
    document = json.loads((tmp_path / "a.json").read_text())
    f = data.y * run.network.decision_function(data.X)
    assert document["raw_margin"] == pytest.approx(f.min(), rel=1e-9)


def test_certificates_are_loaded_and_checked_from_files(tmp_path, data, best):
    path = tmp_path / "c.json"
    best.save(path)
    for certificate in (best, best.to_json(), path, str(path)):
        assert mm.check_certificate(certificate, data.X, data.y).holds
    assert mm.Certificate.load(path).lower == best.lower
    kernel = mm.max_margin(data, "f2")
    kernel.save(path)
    read = mm.Certificate.load(path, data=data)
    np.testing.assert_allclose(read.decision_function(data.X), kernel.decision_function(data.X), rtol=1e-12)
    with pytest.raises(mm.InputError, match="hash"):
        mm.Certificate.load(path, data="xor")
    with pytest.raises(mm.InputError, match="cannot be read"):
        mm.check_certificate(str(tmp_path / "none.json"), data.X, data.y)
