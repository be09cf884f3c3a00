"""What the checker declines at once: arrangements too large to visit, documents too deep to read."""

import json

import numpy as np
import pytest
from check_support import certificate, refused

from maxmargin.check import cells, check_certificate
from maxmargin.cli import main


@pytest.mark.parametrize("scope", ["sphere-exact", "sphere-bound"])
@pytest.mark.parametrize("feature", ["relu", "squared-relu"])
@pytest.mark.parametrize(("n", "d"), [(22, 14), (18, 18), (200, 30), (400, 5)])
def test_without_a_proof_a_large_arrangement_is_declined_before_it_is_visited(n, d, scope, feature, monkeypatch):
    monkeypatch.setattr(cells, "_forms", lambda *_: pytest.fail("a cell was visited"))
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(n, d)), rng.choice([-1.0, 1.0], n)
    classifier = {"directions": np.eye(d)[:1].tolist(), "weights": [1.0]}
    fields = {"bias": False, "scope": scope, "feature": feature}
    verdict = check_certificate(certificate(X, y, classifier, [1.0 / n] * n, (0.0, 100.0), **fields), X, y)
    assert refused(verdict)
    assert f"{n} hyperplanes in dimension {d}" in verdict.reason


def test_few_points_in_high_dimension_are_still_visited():
    # on their span alone: 4 points, whatever the dimension
    X, y, p = 2.0 * np.eye(4, 60), np.array([1.0, 1.0, -1.0, -1.0]), [0.25] * 4
    classifier = {"directions": np.eye(60)[:1].tolist(), "weights": [1.0]}
    # C6: the best neuron is the normalised sum of one class, paid 2 / 4 * sqrt 2
    for factor, holds in ((1 + 1e-12, True), (1 - 1e-12, False)):
        document = certificate(X, y, classifier, p, (0.0, factor * np.sqrt(0.5)), bias=False)
        assert check_certificate(document, X, y).holds == holds


@pytest.mark.parametrize("text", ["[" * 100_000, '{"format": ' * 100_000, '{"upper": ' + "[" * 990 + "]" * 990 + "}"])
def test_a_document_that_nests_without_end_is_bad_input(text, tmp_path, capsys):
    path = tmp_path / "deep.json"
    path.write_text(text)
    assert main(["check", str(path), "xor"]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.count("\n") == 1
    assert "certificate" in err


def test_deep_fields_of_a_certificate_are_refused(tmp_path, capsys):
    path = tmp_path / "c.json"
    assert main(["margin", "xor", "--json", str(path), "--quiet"]) == 0
    document = json.loads(path.read_text())
    for name in ("upper", "classifier", "adversary", "proof", "problem", "dictionary"):
        deep = json.dumps(document | {name: "@"}).replace('"@"', "[" * 900 + "]" * 900)
        path.write_text(deep)
        assert main(["check", str(path), "xor", "--quiet"]) == 1
