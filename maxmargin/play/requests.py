"""JSON requests of the page as checked values; only these reach the solvers. Scenes: built in, or pasted as CSV text.

Points are rows [x1, x2, label] with labels -1 and +1.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from ..conventions import NORMS
from ..dataset import Dataset, load, make_dataset
from ..datasets.table import is_number
from ..errors import InputError
from ..flow.network import get_start
from . import limits

LAYERS = ("both", "output", "magnitudes")
LOSSES = ("exp", "logistic")
SCHEDULES = ("flow", "paper", "constant", "loss-based", "theorem")
STARTS = ("gaussian", "balanced")
PACES = {"slow": 1.03, "normal": 1.08, "fast": 1.25}  # factor by which the step number grows from frame to frame
PRESETS = ("two points", "xor", "polygon", "clusters", "moons")
LABEL_COLUMNS = ("y", "label", "target")


def parse(body: bytes) -> dict[str, Any]:
    """A JSON object with finite numbers only."""
    try:
        document = json.loads(body.decode("utf-8"), parse_constant=_not_finite)
    except (ValueError, RecursionError) as error:
        reason = str(error)[:80]
        raise InputError(f"request: found no JSON ({reason}), wanted a JSON object of finite numbers") from None
    if not isinstance(document, dict):
        raise InputError(f"request: found a JSON {type(document).__name__}, wanted an object")
    return document


def _not_finite(name: str) -> NoReturn:
    raise ValueError(f"the number {name}")


def number(document: dict[str, Any], key: str, default: float, least: float, most: float) -> float:
    """A number in [least, most]."""
    value = document.get(key, default)
    if not _real(value) or not least <= value <= most:
        raise InputError(f"{key}: found {str(value)[:40]}, wanted a number from {least:g} to {most:g}")
    return float(value)


def _real(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def whole(document: dict[str, Any], key: str, default: int, least: int, most: int) -> int:
    """A whole number in [least, most]."""
    value = number(document, key, default, least, most)
    if value != int(value):
        raise InputError(f"{key}: found {value:g}, wanted a whole number")
    return int(value)


def choice(document: dict[str, Any], key: str, wanted: tuple[str, ...]) -> str:
    """One of the words, the first by default."""
    value = document.get(key, wanted[0])
    if value not in wanted:
        raise InputError(f"{key}: found {str(value)[:40]!r}, wanted one of {', '.join(wanted)}")
    return str(value)


def rows(document: dict[str, Any], columns: int) -> np.ndarray:
    """``points`` as an array (n, columns), 1 <= n <= MAX_POINTS, finite and not huge."""
    points = document.get("points")
    if not isinstance(points, list) or not points:
        raise InputError(f"points: wanted a list of at least one row of {columns} numbers")
    if len(points) > limits.MAX_POINTS:
        raise InputError(f"points: found {len(points)}, wanted at most {limits.MAX_POINTS}")
    for k, row in enumerate(points):
        if not (isinstance(row, list) and len(row) == columns and all(map(_real, row))):
            raise InputError(f"points: found {str(row)[:60]} in row {k}, wanted {columns} numbers")
        if not all(abs(v) <= limits.MAX_COORDINATE for v in row):
            found, reach = f"points: found {str(row)[:60]} in row {k}", limits.MAX_COORDINATE
            raise InputError(f"{found}, wanted numbers up to {reach:g}")
    return np.array(points, dtype=float)


def scene(document: dict[str, Any]) -> Dataset:
    """Labelled points (x1, x2, label) of the plane, labels -1 and +1; one class may be absent."""
    table = rows(document, 3)
    return Dataset(table[:, :2], table[:, 2], name="playground")


@dataclass(frozen=True)
class Solve:
    """Solve these norms for these points; `box` (x0, x1, y0, y1) is where kernel classifiers are drawn.

    Attributes
    ----------
    data : the points.  norms : the margins to solve.  box : (x0, x1, y0, y1) of the map.  time_limit : seconds.
    """

    data: Dataset
    norms: tuple[str, ...]
    box: tuple[float, float, float, float]
    time_limit: float

    @classmethod
    def read(cls, document: dict[str, Any]) -> Solve:
        """The checked request of a JSON document; `InputError` names what is wrong."""
        norms = document.get("norms", ["f1"])
        if not isinstance(norms, list) or not norms or len(norms) > len(NORMS) or any(x not in NORMS for x in norms):
            raise InputError(f"norms: found {str(norms)[:60]}, wanted some of {', '.join(NORMS)}")
        least, most = limits.SOLVE_SECONDS
        seconds = number(document, "time_limit", 2.0, least, most)
        return cls(scene(document), tuple(dict.fromkeys(norms)), box(document), seconds)


def box(document: dict[str, Any]) -> tuple[float, float, float, float]:
    """``box`` [x0, x1, y0, y1] with x0 < x1 and y0 < y1."""
    values = document.get("box", [-1.5, 1.5, -1.5, 1.5])
    reach = 10.0 * limits.MAX_COORDINATE
    fits = isinstance(values, list) and len(values) == 4 and all(map(_real, values))
    if not fits or any(abs(v) > reach for v in values):
        raise InputError("box: wanted four numbers x0, x1, y0, y1")
    x0, x1, y0, y1 = map(float, values)
    if not (x0 < x1 and y0 < y1):
        raise InputError("box: wanted x0 < x1 and y0 < y1")
    return x0, x1, y0, y1


@dataclass(frozen=True)
class Train:
    """Train a network on these points; see `maxmargin.train` for the options.

    Attributes
    ----------
    data : the points.  layers, width, init, loss, schedule, seed, steps : as in `maxmargin.train`.
    growth : factor by which the step number grows from frame to frame.
    """

    data: Dataset
    layers: str
    width: int
    init: str
    loss: str
    schedule: str
    seed: int
    steps: int
    growth: float

    @classmethod
    def read(cls, document: dict[str, Any]) -> Train:
        """The checked request of a JSON document; `InputError` names what is wrong."""
        scale = number(document, "scale", 1.0, 1e-3, 1e3)
        init = f"{choice(document, 'start', STARTS)}:{scale:g}"
        get_start(init)
        return cls(
            data=scene(document),
            layers=choice(document, "layers", LAYERS),
            width=whole(document, "width", 200, 1, limits.MAX_WIDTH),
            init=init,
            loss=choice(document, "loss", LOSSES),
            schedule=choice(document, "schedule", SCHEDULES),
            seed=whole(document, "seed", 0, 0, 2**31),
            steps=whole(document, "steps", limits.MAX_STEPS, 1, limits.MAX_STEPS),
            growth=PACES[choice(document, "pace", ("normal", "slow", "fast"))],
        )


@dataclass(frozen=True)
class Regression:
    """The smallest norm of a function through these points (x, target), up to `tube`; drawn on the `span`.

    Attributes
    ----------
    x, targets : (n,).  tube : largest distance from a target.  span : ends of the drawing.  time_limit : seconds.
    """

    x: np.ndarray
    targets: np.ndarray
    tube: float
    span: tuple[float, float]
    time_limit: float

    @classmethod
    def read(cls, document: dict[str, Any]) -> Regression:
        """The checked request of a JSON document; `InputError` names what is wrong."""
        table = rows(document, 2)
        least, most = limits.SOLVE_SECONDS
        tube = number(document, "tube", 0.0, 0.0, limits.MAX_COORDINATE)
        seconds = number(document, "time_limit", 2.0, least, most)
        return cls(table[:, :1], table[:, 1], tube, box(document)[:2], seconds)


def preset(document: dict[str, Any]) -> dict[str, Any]:
    """The scene of that name; `k`, `n` and `seed` are used where the scene depends on them."""
    name = choice(document, "name", PRESETS)
    k, n = whole(document, "k", 3, 1, 12), whole(document, "n", 40, 2, limits.MAX_POINTS)
    seed = whole(document, "seed", 0, 0, 2**31)
    if name == "two points":
        return drawn(make_dataset([[-0.5, -0.2], [0.5, 0.2]], [-1, 1]))
    if name == "clusters":
        return drawn(load(f"clusters:n={n},d=3,k={max(k, 2)},seed={seed}"))
    if name == "moons":
        return drawn(moons(n, seed))
    return drawn(load("xor" if name == "xor" else f"polygon:k={k}"))


def moons(n: int, seed: int) -> Dataset:
    """Two half circles of radius one that reach into each other, with normal noise; n points, halves per class."""
    from sklearn.datasets import make_moons

    X, label = make_moons(n, noise=0.1, random_state=seed)
    return Dataset(X - [0.5, 0.25], np.where(label == 0, 1.0, -1.0), name="moons")


def drawn(data: Dataset) -> dict[str, Any]:
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
        return drawn(_read(text))
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
