"""Built-in scenes, and scenes as CSV text. Points are rows [x1, x2, label] with labels -1 and +1."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np

from ..dataset import Dataset, load, make_dataset
from ..datasets.cells import is_number
from ..errors import InputError
from . import limits
from .requests import choice, whole

PRESETS = ("two points", "xor", "polygon", "clusters", "moons")
LABEL_COLUMNS = ("y", "label", "target")


def preset(document: dict[str, Any]) -> dict[str, Any]:
    """The scene of that name; `k`, `n` and `seed` are used where the scene depends on them."""
    name = choice(document, "name", PRESETS)
    k, n = whole(document, "k", 3, 1, 12), whole(document, "n", 40, 2, limits.MAX_POINTS)
    seed = whole(document, "seed", 0, 0, 2**31)
    if name == "two points":
        return scene(make_dataset([[-0.5, -0.2], [0.5, 0.2]], [-1, 1]))
    if name == "clusters":
        return scene(load(f"clusters:n={n},d=3,k={max(k, 2)},seed={seed}"))
    if name == "moons":
        return scene(moons(n, seed))
    return scene(load("xor" if name == "xor" else f"polygon:k={k}"))


def moons(n: int, seed: int) -> Dataset:
    """Two half circles of radius one that reach into each other, with normal noise; n points, halves per class."""
    from sklearn.datasets import make_moons

    X, label = make_moons(n, noise=0.1, random_state=seed)
    return Dataset(X - [0.5, 0.25], np.where(label == 0, 1.0, -1.0), name="moons")


def scene(data: Dataset) -> dict[str, Any]:
    """A data set of the plane as the page holds it."""
    return {
        "points": [[*x, int(y)] for x, y in zip(data.X.tolist(), data.y, strict=True)],
        "classes": [str(label) for label in data.classes],
    }


def from_csv(document: dict[str, Any]) -> dict[str, Any]:
    """The scene of a pasted text; for a bad text the answer is ``{"error": sentence}``.

    A header row is optional. The label is the column ``y``, else ``label``, else ``target``, else the last.
    """
    text = document.get("text")
    if not isinstance(text, str):
        raise InputError("text: wanted the lines of a CSV file as one string")
    try:
        return scene(_read(text))
    except InputError as error:
        return {"error": str(error)}


def _read(text: str) -> Dataset:
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), strict=True)]
    except csv.Error as error:
        raise InputError(f"CSV: {error}; wanted lines such as 0.5, -1.2, 1") from None
    rows = [row for row in rows if any(row)]
    if not rows:
        raise InputError("CSV: found nothing, wanted lines such as 0.5, -1.2, 1")
    for k, row in enumerate(rows):
        if len(row) != 3:
            raise InputError(f"CSV: found {len(row)} cells in row {k + 1}, wanted x1, x2 and a label")
    header = rows.pop(0) if not any(map(is_number, rows[0])) else ["x1", "x2", "y"]
    if not 0 < len(rows) <= limits.MAX_POINTS:
        raise InputError(f"CSV: found {len(rows)} points, wanted 1 to {limits.MAX_POINTS}")
    label = next((header.index(name) for name in LABEL_COLUMNS if name in header), 2)
    labels = [row.pop(label) for row in rows]
    X = np.array([[_coordinate(cell, k) for cell in row] for k, row in enumerate(rows)])
    if len(set(labels)) == 1 and labels[0] in ("-1", "1", "+1"):
        return Dataset(X, np.array([float(cell) for cell in labels]), name="pasted")
    return make_dataset(X, labels, "pasted")


def _coordinate(cell: str, k: int) -> float:
    if not is_number(cell) or not abs(float(cell)) <= limits.MAX_COORDINATE:
        found = f"CSV: found {cell[:40]!r} in data row {k + 1}"
        raise InputError(f"{found}, wanted a number up to {limits.MAX_COORDINATE:g}")
    return float(cell)
