"""The paper's clusters: geometry, both variants' laws, nested samples, independent streams."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from maxmargin.dataset import load
from maxmargin.datasets.clusters import clusters, clusters_sample
from maxmargin.errors import InputError

BENCHMARK = "+--++-+-+"  # [[1, -1, -1], [1, 1, -1], [1, -1, 1]]


def _polar(data, k):
    """Cell indices (n, 2) and distance to the cell's centre in units of Delta."""
    delta = 1 / (3 * k - 1)
    cell = np.clip(np.rint(((data.X[:, :2] + 0.5) / delta - 1) / 3), 0, k - 1).astype(int)
    offset = data.X[:, :2] - (delta * (1 + 3 * cell) - 0.5)
    return cell, np.linalg.norm(offset, axis=1) / delta, np.arctan2(offset[:, 1], offset[:, 0])


@pytest.mark.parametrize("k", [2, 3, 4])
@pytest.mark.parametrize("variant", ["code", "paper"])
def test_points_lie_in_their_disks_with_the_law_of_the_variant(k, variant):
    data = clusters(20_000, 7, k, seed=5, variant=variant)
    assert data.X.shape == (20_000, 6) and np.abs(data.X).max() <= 0.5
    cell, radius, angle = _polar(data, k)
    assert radius.max() <= 1 + 1e-9
    uniform = radius if variant == "code" else radius**2
    assert kstest(uniform, "uniform").pvalue > 1e-3
    assert kstest(angle / (2 * np.pi) + 0.5, "uniform").pvalue > 1e-3
    assert kstest(data.X[:, 2:].ravel() + 0.5, "uniform").pvalue > 1e-3
    share = np.bincount(cell @ [k, 1], minlength=k * k) / data.n
    assert share == pytest.approx(1 / k**2, abs=6 * np.sqrt(1 / k**2 / data.n))


def test_labels_are_constant_on_disks_and_follow_the_given_signs():
    data = load(f"clusters:n=500,d=3,k=3,labels={BENCHMARK}")
    cell, *_ = _polar(data, 3)
    signs = np.array([[1, -1, -1], [1, 1, -1], [1, -1, 1]])
    assert np.array_equal(data.y, signs[cell[:, 0], cell[:, 1]]) and data.recipe["assignment"] == BENCHMARK


@pytest.mark.parametrize("k", [2, 3, 4])
def test_the_code_variant_gives_exactly_floor_half_of_the_disks_minus_one(k):
    assignments = [load(f"clusters:n=60,k={k},seed={seed}").recipe["assignment"] for seed in range(40)]
    assert {a.count("-") for a in assignments} == {k * k // 2}
    assert len(set(assignments)) >= min(5, k * k)


def test_the_paper_variant_draws_independent_signs():
    assignments = [load(f"clusters:n=60,variant=paper,seed={seed}").recipe["assignment"] for seed in range(200)]
    counts = np.array([a.count("-") for a in assignments])
    assert counts.mean() == pytest.approx(4.5, abs=0.5) and counts.std() == pytest.approx(1.5, abs=0.4)
    assert len(set(counts)) > 4 and counts.min() > 0 and counts.max() < 9


@pytest.mark.parametrize("variant", ["code", "paper"])
def test_smaller_n_is_a_prefix_and_the_same_seed_gives_the_same_bytes(variant):
    large = clusters(512, 15, seed=3, variant=variant)
    for n in (32, 64, 256):
        small = clusters(n, 15, seed=3, variant=variant)
        assert small.X.tobytes() == large.X[:n].tobytes() and np.array_equal(small.y, large.y[:n])
    assert clusters(512, 15, seed=3, variant=variant).sha256 == large.sha256
    assert clusters(512, 15, seed=4, variant=variant).sha256 != large.sha256


def test_training_and_test_points_are_fresh_with_one_assignment():
    train, test = clusters_sample(256, 5, 3, 1)
    assert (train.n, test.n) == (256, 4000) and train.recipe["assignment"] == test.recipe["assignment"]
    assert not set(map(tuple, train.X)) & set(map(tuple, test.X))
    label_of = {}
    for data in (train, test):
        for cell, label in zip(map(tuple, _polar(data, 3)[0]), data.y, strict=True):
            assert label_of.setdefault(cell, label) == label
    assert train.sha256 == clusters(256, 5, seed=1).sha256


def test_streams_do_not_disturb_each_other():
    train, test = clusters_sample(64, 5, 3, 1, n_test=100)
    other_train, other_test = clusters_sample(32, 5, 3, 1, n_test=50, labels=BENCHMARK)
    assert np.array_equal(other_train.X, train.X[:32]) and np.array_equal(other_test.X, test.X[:50])


def test_a_generator_may_be_passed_and_advances():
    rng = np.random.default_rng(0)
    first, second = clusters_sample(20, 4, 3, rng)[0], clusters_sample(20, 4, 3, rng)[0]
    assert first.sha256 == clusters_sample(20, 4, 3, 0)[0].sha256 != second.sha256


def test_a_sample_of_one_class_is_refused_with_the_remedy():
    with pytest.raises(InputError, match="single class among the 2 points.*another seed or a larger n"):
        for seed in range(20):
            clusters(2, 3, seed=seed)
