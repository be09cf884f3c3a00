"""The checker's enumeration of cells: none missed, whatever the position of the hyperplanes."""

import itertools
import math

import numpy as np
import pytest

from maxmargin.check import arrangement
from maxmargin.check.cells import Batch
from maxmargin.check.exact import integers


def by_rays(normals):
    """All cells, as the checks visit them: float signs where they are certain, integers elsewhere."""
    exact, _ = integers(normals)
    found = set()
    for rays, degenerate in arrangement.simple_rays(normals, batch=50):
        for direction in (1, -1):
            count = 2 ** rays.subsets.shape[1]
            rows, choice = np.divmod(np.arange(len(rays.signs) * count), count)
            found |= {
                row.tobytes() for row in Batch(np.zeros(0), rays.subsets, direction * rays.signs).cells(rows, choice)
            }
        for row in degenerate:
            found |= {cell.tobytes() for rows in arrangement.expand(row, exact) for cell in rows}
    return found


def as_set(cells):
    return {row.tobytes() for row in cells}


@pytest.mark.parametrize(("N", "r"), [(1, 1), (9, 2), (12, 3), (9, 4), (8, 5), (4, 4), (5, 5)])
def test_general_position_has_schlaeflis_number_of_cells(N, r):
    normals = np.random.default_rng(N * r).normal(size=(N, r))
    expected = 2 * sum(math.comb(N - 1, i) for i in range(r))
    assert len(by_rays(normals)) == expected
    assert as_set(arrangement.cells(integers(normals)[0])) == by_rays(normals)


@pytest.mark.parametrize(("d", "threshold_functions"), [(1, 4), (2, 14), (3, 104), (4, 1882)])
def test_the_cube_has_as_many_cells_as_there_are_threshold_functions(d, threshold_functions):
    cube = np.array(list(itertools.product((-1.0, 1.0), repeat=d)))
    normals = np.hstack([cube, np.ones((len(cube), 1))])
    assert len(by_rays(normals)) == threshold_functions


@pytest.mark.parametrize("step", [1.0, 0.1])
def test_collinear_points_and_points_that_are_collinear_up_to_rounding(step):
    grid = np.array(list(itertools.product(range(4), repeat=2))) * step + step
    normals = np.hstack([grid, np.ones((len(grid), 1))])
    assert by_rays(normals) == as_set(arrangement.cells(integers(normals)[0]))


def test_every_sampled_direction_lies_in_an_enumerated_cell():
    rng = np.random.default_rng(0)
    normals = rng.normal(size=(10, 4))
    normals[4] = normals[0] + normals[1]
    normals[5] = normals[0] + 1e-15 * normals[2]
    found = by_rays(normals)
    sampled = {row.tobytes() for row in np.sign(rng.normal(size=(20000, 4)) @ normals.T).astype(np.int8)}
    assert sampled <= found


def test_extreme_units_change_no_sign():
    normals = np.random.default_rng(3).normal(size=(7, 3))
    scaled = np.ldexp(normals, [[-400], [300], [0], [5], [-90], [200], [1]]) * np.array([2.0**-300, 1.0, 2.0**200])
    assert by_rays(scaled) == by_rays(normals)


def test_parallel_antipodal_and_zero_points_share_hyperplanes():
    points, _ = integers(np.array([[1.0, 2.0], [0.0, 0.0], [-0.5, -1.0], [3.0, 6.0], [1.0, 2.0 + 2.0**-51]]))
    representatives, classes = arrangement.parallel_classes(points)
    assert representatives == [0, 4]
    assert classes == [[(0, 1), (2, -1), (3, 1)], [(4, 1)]]
