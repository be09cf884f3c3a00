"""Built-in names: the grammar and its refusals, the registry, real data, and the sets known by hand."""

from __future__ import annotations

import numpy as np
import pytest

from maxmargin.dataset import load
from maxmargin.datasets import builtin, describe, parse, registry
from maxmargin.datasets.values import make_dataset
from maxmargin.errors import InputError


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("clusters:n=abc", "clusters:n: found 'abc', wanted a whole number"),
        ("clusters:n=1.5", "wanted a whole number"),
        ("clusters:n=1_000", "wanted a whole number"),
        ("clusters:n=", "clusters:n: found '', wanted a whole number"),
        ("clusters:n=1", "clusters:n: found 1, wanted at least 2"),
        ("clusters:n=-5", "wanted at least 2"),
        ("clusters:n=999999999999", "wanted at least 2 and at most"),
        ("clusters:d=2", "clusters:d: found 2, wanted at least 3"),
        ("clusters:k=1", "clusters:k: found 1, wanted at least 2"),
        ("clusters:seed=-1", "clusters:seed: found -1, wanted at least 0"),
        ("clusters:variant=text", "found 'text', wanted 'code' or 'paper'"),
        ("clusters:labels=+-", "wanted 9 characters"),
        ("clusters:labels=+++++++++", "both present"),
        ("clusters:labels=+-+-+-+-0", "each [+] or -"),
        ("clusters:n=20,n=30", "option 'n' twice"),
        ("clusters:m=3", "found option 'm=3'.*the options of clusters are n, d, k, seed"),
        ("clusters:sed=3", "did you mean 'seed'"),
        ("clusters:n=20,3", "found option '3'"),
        ("clusters:n=20,", "found option ''"),
        ("xor:k=2", "xor takes no options"),
        ("xor:2", "xor takes no options"),
        ("polygon:radius=0", "polygon:radius: found 0.0, wanted a positive number"),
        ("polygon:radius=nan", "wanted a finite number"),
        ("polygon:radius=inf", "wanted a finite number"),
        ("two-points:theta=4", "two-points:theta: found 4.0, wanted at least 0 and at most 3.14"),
        ("parity:d=60", "at most 16"),
        ("iris:unique=maybe", "wanted true or false"),
        ("iris:pair=setosa", "iris:pair: found 'setosa', wanted two different ones of setosa, versicolor"),
        ("iris:rest-rest", "iris:pair"),
        ("digits:0-0", "digits:pair: found '0-0'"),
        ("digits:0-1-2", "digits:pair"),
        ("digits:0-11", "digits:pair"),
        ("clusterz:n=3", "neither a file nor built in.*did you mean 'clusters'"),
        ("nothing", "the built-in names are iris, wine"),
    ],
)
def test_a_bad_name_or_option_is_refused(text, wanted):
    with pytest.raises(InputError, match=wanted) as caught:
        load(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("entry", describe(), ids=lambda entry: entry.name)
def test_every_builtin_describes_itself_and_its_source_makes_it_again(entry):
    assert 20 < len(entry.summary) < 130 and entry.summary.endswith(".")
    data = parse(entry.name)
    assert data.name == entry.name and set(np.unique(data.y)) == {-1.0, 1.0}
    assert data.recipe["options"] == entry.options and isinstance(data.recipe["bias"], bool)
    assert parse(data.recipe["source"]).sha256 == data.sha256


def test_the_first_option_needs_no_name_and_spaces_do_not_matter():
    assert load("digits:3-8").sha256 == load("digits:pair=3-8").sha256
    assert load(" polygon : k = 6 , radius=2 ").sha256 == load("polygon:6,radius=2.0").sha256
    assert load("iris:unique=TRUE").n == 149


def test_a_generator_registers_with_its_signature(monkeypatch):
    monkeypatch.setattr(registry, "_REGISTRY", {})

    @builtin("steps")
    def steps(count: int = 2, height: float = 1.0, flip: bool = False, word: str = "a"):
        """Steps on a line."""
        return make_dataset([[i * height] for i in range(count)], [(i + flip) % 2 for i in range(count)])

    assert describe() == [("steps", {"count": 2, "height": 1.0, "flip": False, "word": "a"}, "Steps on a line.")]
    data = parse("steps:3,height=0.5,flip=true")
    assert data.X[:, 0].tolist() == [0.0, 0.5, 1.0] and data.y.tolist() == [1.0, -1.0, 1.0]
    assert data.recipe["source"] == "steps:count=3,height=0.5,flip=true,word=a"


@pytest.mark.parametrize(
    ("name", "shape", "positive", "classes"),
    [
        ("iris", (150, 4), 50, ("rest", "setosa")),
        ("iris:versicolor-virginica", (100, 4), 50, ("versicolor", "virginica")),
        ("iris:virginica-versicolor", (100, 4), 50, ("versicolor", "virginica")),
        ("wine", (178, 13), 119, ("class_0", "rest")),
        ("breast-cancer", (569, 30), 212, ("benign", "malignant")),
        ("digits:0-1", (360, 64), 182, (0, 1)),
        ("digits:3-rest", (1797, 64), 1614, ("3", "rest")),
    ],
)
def test_real_data_have_their_published_sizes(name, shape, positive, classes):
    data = load(name)
    assert data.X.shape == shape and int((data.y > 0).sum()) == positive and data.classes == classes
    assert len(data.feature_names) == shape[1]


def test_standardize_gives_columns_mean_zero_and_deviation_one():
    raw, scaled = load("wine:standardize=false"), load("wine")
    assert raw.X.max() > 1000 and np.abs(scaled.X).max() < 6
    assert scaled.X.mean(axis=0) == pytest.approx(0.0, abs=1e-12) and scaled.X.std(axis=0) == pytest.approx(1.0)
    digits = load("digits:0-1,standardize=true")
    assert np.isfinite(digits.X).all() and (digits.X.std(axis=0) < 1e-12).sum() > 0  # constant pixels become 0


def test_unique_keeps_the_first_of_equal_rows():
    whole, unique = load("iris"), load("iris:unique=true")
    kept = [any(np.array_equal(row, other) for other in unique.X) for row in whole.X]
    assert unique.n == 149 and all(kept) and len(np.unique(unique.X, axis=0)) == 149


def test_small_sets_are_what_they_say():
    xor = load("xor")
    assert all((x[0] != x[1]) == (label > 0) for x, label in zip(xor.X, xor.y, strict=True))
    parity = load("parity:d=5")
    assert parity.n == len(np.unique(parity.X, axis=0)) == 32
    assert np.array_equal(parity.y, parity.X[:, 0] * parity.X[:, 1])
    wei = load("wei:d=5")
    assert wei.n == len(np.unique(wei.X, axis=0)) == 32 and np.array_equal(np.abs(wei.X[:, 0]) > 0, wei.y > 0)
    polygon = load("polygon:k=5,radius=2")
    assert polygon.n == 10 and np.linalg.norm(polygon.X, axis=1) == pytest.approx(2.0)
    assert np.array_equal(polygon.y, np.tile([1.0, -1.0], 5))
    pair = load("two-points:theta=2,r1=3,r2=0.5").X
    assert pair[0] @ pair[1] == pytest.approx(1.5 * np.cos(2.0))
    line = load("line:n=20,seed=3")
    gaps = np.diff(line.X[:, 0])
    assert line.X[0, 0] == -1 and line.X[-1, 0] == pytest.approx(1.0) and gaps.max() <= 3 * gaps.min()
    assert np.array_equal(line.y[1:], -line.y[:-1])
    assert not np.array_equal(line.X, load("line:n=20,seed=4").X)
    orthogonal = load("orthogonal:k=5,radius=3").X
    assert np.array_equal(orthogonal @ orthogonal.T, 9 * np.eye(5))
    antipodal = load("antipodal:d=3,radius=2").X
    assert np.array_equal(antipodal[0], -antipodal[1]) and np.linalg.norm(antipodal[0]) == pytest.approx(2.0)
