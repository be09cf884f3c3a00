"""The paper's data (Chizat & Bach 2020, experiments): clusters on a grid in two coordinates, noise in all others.

With Delta = 1/(3k - 1), the k^2 disks of radius Delta have their centres on the grid Delta (1 + 3 j) - 1/2,
j = 0..k-1, so that they fill [-1/2, 1/2]^2 and lie Delta apart: the interclass distance in the plane is Delta
whatever the labels. The d - 3 other coordinates are uniform on [-1/2, 1/2].
"""

from __future__ import annotations

import math

import numpy as np

from ..conventions import Array
from ..errors import InputError
from .registry import between, builtin
from .values import Dataset, make_dataset

VARIANTS = ("code", "paper")


@builtin("clusters")
def clusters(
    n: int = 256, d: int = 15, k: int = 3, *, seed: int = 0, labels: str = "", variant: str = "code"
) -> Dataset:
    """The paper's k x k disks in the plane plus d - 3 noise coordinates (d counts the bias: X has d - 1 columns).

    Parameters
    ----------
    n : points; a smaller n with the same seed is a prefix of a larger one.
    d : dimension as the authors' code counts it, with the bias coordinate.
    labels : the assignment as k^2 signs; sign k i + j belongs to the i-th centre in x1, the j-th in x2. Empty: random.
    variant : ``code``, the authors' program: radius Delta * U(0, 1), exactly floor(k^2/2) disks are -1;
        ``paper``, the text: uniform on the disks, independent fair signs (drawn again while all are equal).
    """
    return clusters_sample(n, d, k, seed, labels=labels, variant=variant, n_test=1)[0]


def clusters_sample(
    n: int = 256,
    d: int = 15,
    k: int = 3,
    seed: int | np.random.Generator = 0,
    *,
    labels: str = "",
    variant: str = "code",
    n_test: int = 4000,
) -> tuple[Dataset, Dataset]:
    """A training set and a fresh test set of n_test points with the same label assignment (see `clusters`).

    Assignment, training points and test points come from three independent streams of the seed, so that neither n,
    nor n_test, nor a fixed assignment changes the other two.
    """
    _check(n, d, k, variant, n_test)
    if isinstance(seed, int):
        between("clusters:seed", seed, 0, math.inf)
    for_labels, for_train, for_test = np.random.default_rng(seed).spawn(3)
    assignment = _parse_signs(labels, k) if labels else _draw_signs(k, variant, for_labels)
    train = _sample(n, d, assignment, variant, for_train)
    if len(np.unique(train[1])) < 2:
        raise InputError(
            f"clusters: found a single class among the {n} points, wanted both: take another seed or a larger n"
        )
    names = tuple(f"x{j + 1}" for j in range(d - 1))
    recipe = {"assignment": "".join("+" if sign > 0 else "-" for sign in assignment.ravel()), "bias": True}
    train_set, test_set = (
        make_dataset(*sample, f"clusters {part}", classes=(-1, 1), feature_names=names, recipe=recipe)
        for part, sample in (("train", train), ("test", _sample(n_test, d, assignment, variant, for_test)))
    )
    return train_set, test_set


def _sample(n: int, d: int, assignment: Array, variant: str, rng: np.random.Generator) -> tuple[Array, Array]:
    """n points, each made of its own d + 1 uniform numbers, hence the prefix property."""
    k = len(assignment)
    delta = 1.0 / (3 * k - 1)
    uniform = rng.random((n, d + 1))
    cell = (uniform[:, :2] * k).astype(int)
    share = uniform[:, 2] if variant == "code" else np.sqrt(uniform[:, 2])
    angle = 2.0 * np.pi * uniform[:, 3]
    spread = (delta * share)[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    plane = delta * (1 + 3 * cell) - 0.5 + spread
    # Twelve decimals: the last bits of a sine differ between processors, equal seeds should not.
    return np.round(np.hstack([plane, uniform[:, 4:] - 0.5]), 12), assignment[cell[:, 0], cell[:, 1]]


def _draw_signs(k: int, variant: str, rng: np.random.Generator) -> Array:
    if variant == "code":
        signs = np.ones(k * k)
        signs[rng.permutation(k * k)[: k * k // 2]] = -1.0
        return signs.reshape(k, k)
    while True:
        signs = np.where(rng.random(k * k) < 0.5, -1.0, 1.0)
        if signs.min() < signs.max():
            return signs.reshape(k, k)


def _parse_signs(labels: str, k: int) -> Array:
    if len(labels) != k * k or set(labels) != {"+", "-"}:
        raise InputError(f"clusters:labels: found {labels!r}, wanted {k * k} characters, each + or -, both present")
    return np.array([1.0 if sign == "+" else -1.0 for sign in labels]).reshape(k, k)


def _check(n: int, d: int, k: int, variant: str, n_test: int) -> None:
    between("clusters:k", k, 2, 1000)
    between("clusters:d", d, 3, 10_000)
    between("clusters:n", n, 2, 1e9 // d)
    between("clusters:n_test", n_test, 1, 1e9 // d)
    if variant not in VARIANTS:
        raise InputError(f"clusters:variant: found {variant!r}, wanted 'code' or 'paper'")
