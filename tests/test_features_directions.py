"""Dictionaries of directions: unit, nested, equidistributed; files of directions checked."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from maxmargin.errors import InputError
from maxmargin.features.directions import (
    circle_grid,
    load_directions,
    quasi_random_directions,
    random_directions,
)

SPHERE = [random_directions, quasi_random_directions]


@pytest.mark.parametrize("make", SPHERE)
@pytest.mark.parametrize("D", [1, 2, 3, 15])
def test_unit_nested_and_reproducible(make, D):
    large = make(300, D, 7)
    assert np.linalg.norm(large, axis=1) == pytest.approx(1.0, abs=1e-15)
    for K in (1, 2, 64, 100, 256):
        assert make(K, D, 7).tobytes() == large[:K].tobytes()
    assert not np.array_equal(make(300, D, 8), large)


@pytest.mark.parametrize("make", SPHERE)
def test_uniform_on_the_sphere(make):
    """On S^2 every coordinate is uniform on [-1, 1] (Archimedes); E a a' = I/D."""
    directions = make(4096, 3, 1)
    for column in directions.T:
        assert kstest(column / 2 + 0.5, "uniform").statistic < 0.03
    assert directions.T @ directions / 4096 == pytest.approx(np.eye(3) / 3, abs=0.02)


def test_quasi_random_integrates_better_than_random():
    """The mean of (a.z)_+ over S^2 is |z|/4."""
    z = np.array([0.6, 0.0, 0.8])
    errors = {
        make: np.mean([abs(np.maximum(make(1024, 3, s) @ z, 0).mean() - 0.25) for s in range(8)]) for make in SPHERE
    }
    assert errors[quasi_random_directions] < errors[random_directions] / 5


def test_circle_grid_prefixes_are_regular_polygons():
    grid = circle_grid(64)
    for k in range(7):
        turns = np.sort(np.arctan2(grid[: 2**k, 1], grid[: 2**k, 0]) % (2 * np.pi))
        assert np.diff(np.append(turns, turns[0] + 2 * np.pi)) == pytest.approx(2 * np.pi / 2**k, abs=1e-14)
    assert circle_grid(37).tobytes() == grid[:37].tobytes() and len(np.unique(grid.round(12), axis=0)) == 64


@pytest.mark.parametrize(
    ("make", "K", "D", "wanted"),
    [
        (random_directions, 0, 2, "K: found 0, wanted at least 1"),
        (quasi_random_directions, 5, 30_000, "found 5 in D = 30000, wanted at most"),
        (quasi_random_directions, 5, 0, "D: found 0, wanted at least 1"),
    ],
)
def test_wrong_requests_are_refused(make, K, D, wanted):
    with pytest.raises(InputError, match=wanted):
        make(K, D)


def test_loaded_directions_are_normalised_and_units_unchanged(tmp_path):
    unit = random_directions(50, 3, 0)
    np.savez(tmp_path / "d.npz", directions=unit, other=np.zeros(3))
    assert load_directions(tmp_path / "d.npz", 3).tobytes() == unit.tobytes()
    np.savez(tmp_path / "d.npz", anything=np.array([[3, 4], [0, 2]]))
    assert load_directions(tmp_path / "d.npz", 2) == pytest.approx(np.array([[0.6, 0.8], [0.0, 1.0]]), abs=1e-16)
    np.savez(tmp_path / "d.npz", np.array([[3e200, 4e200], [3e-200, 4e-200]]))
    assert load_directions(tmp_path / "d.npz", 2) == pytest.approx(np.array([[0.6, 0.8]] * 2), abs=1e-15)


@pytest.mark.parametrize(
    ("arrays", "wanted"),
    [
        ({}, r"found arrays \[\]"),
        ({"a": np.eye(2), "b": np.eye(2)}, r"found arrays \['a', 'b'\], wanted one named 'directions'"),
        ({"directions": np.eye(3)}, r"found shape \(3, 3\), wanted \(K, 2\)"),
        ({"directions": np.ones(2)}, r"found shape \(2,\)"),
        ({"directions": np.ones((0, 2))}, r"found shape \(0, 2\)"),
        ({"directions": np.eye(2) * 1j}, "found entries of type complex128"),
        ({"directions": [["a", "b"]]}, "found entries of type <U1"),
        ({"directions": [[1.0, 0.0], [0.0, 0.0]]}, r"found \[0.0, 0.0\] in row 1"),
        ({"directions": [[1.0, np.nan]]}, r"found \[1.0, nan\] in row 0"),
        ({"directions": np.array([[1, None]], dtype=object)}, "found Object arrays"),
    ],
)
def test_bad_direction_files_are_refused_with_their_name(tmp_path, arrays, wanted):
    path = tmp_path / "d.npz"
    np.savez(path, **arrays)
    with pytest.raises(InputError, match=wanted) as caught:
        load_directions(path, 2)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)


def test_a_missing_direction_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read.*No such file"):
        load_directions(tmp_path / "none.npz", 2)
    with pytest.raises(InputError, match="cannot be read"):
        load_directions(tmp_path, 2)
