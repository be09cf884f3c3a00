"""The data set that all other modules use: n points, labels -1/+1, checked once and then frozen."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..conventions import Array, inputs
from ..errors import InputError
from .checks import Label, check_labels, check_names, check_points, column_names
from .scaling import scale_note


@dataclass(frozen=True, eq=False)
class Dataset:
    """A binary classification problem (x_i, y_i), i = 1..n.

    Parameters
    ----------
    X : (n, d) float64, finite, stored C-contiguous and read-only (a copy is made).
    y : (n,) float64 of -1 and +1, stored read-only. ``make_dataset`` accepts any two labels.
    name : its name in tables and reports.
    classes : (negative label, positive label) as the user wrote them.
    feature_names : d distinct names, or None.
    recipe : its origin: ``source`` (a file or a complete built-in name), for files also ``label`` and ``sep`` as
        asked, for built-ins ``options`` and ``bias`` (False where the closed form is the one without bias; a
        recommendation, never applied for you).
    label : name of the label column, None where there is none.
    standardized : whether `load` has subtracted each feature's mean and divided by its standard deviation; every margin
        is then one of the standardised data.
    remarks : sentences on doubts from reading the file, e.g. a second possible label column.
    notes : warnings for the reader: the remarks, and features of very different scales.

    Raises
    ------
    InputError
        X is not a real finite (n, d) array with n, d >= 1; a row's largest magnitude is above 1e75, or below 1e-75
        without being zero (|z|^4 would over- or underflow); y is not n labels -1/+1; wrong feature names.
    """

    X: Array
    y: Array
    name: str = "data"
    classes: tuple[Label, Label] = (-1, 1)
    feature_names: tuple[str, ...] | None = None
    recipe: Mapping[str, Any] | None = None
    label: str | None = None
    standardized: bool = False
    remarks: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        X = check_points(self.X)
        y = np.array(self.y, dtype=float)
        if y.shape != (len(X),) or not np.isin(y, (-1.0, 1.0)).all():
            raise InputError(
                f"y: found shape {y.shape}, wanted {len(X)} labels, each -1 or +1 (make_dataset maps others)"
            )
        X.flags.writeable = y.flags.writeable = False
        names = None if self.feature_names is None else check_names(self.feature_names, X.shape[1], self.label)
        scales = scale_note(X, names or tuple(f"x{j + 1}" for j in range(X.shape[1])))
        notes = self.remarks if scales is None else (*self.remarks, scales)
        for name, value in (("X", X), ("y", y), ("feature_names", names), ("notes", notes)):
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}, n={self.n}, d={self.d}, classes={self.classes!r})"

    @property
    def n(self) -> int:
        """Number of points."""
        return len(self.X)

    @property
    def d(self) -> int:
        """Number of input features."""
        return self.X.shape[1]

    def inputs(self, bias: bool = True) -> Array:
        """The vectors that the activation sees, (n, D): z = (x, 1) with a bias, z = x without."""
        return inputs(self.X, bias)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of n and d (little-endian int64), X (n d little-endian float64, row by row), y (n int8).

        It depends on points and labels alone: the same data from a CSV file, an NPZ file or arrays have one hash
        (-0.0 has become 0.0).
        """
        digest = hashlib.sha256(np.array(self.X.shape, dtype="<i8").tobytes())
        digest.update(self.X.astype("<f8", copy=False).tobytes())
        digest.update(self.y.astype(np.int8).tobytes())
        return digest.hexdigest()

    @property
    def text(self) -> str:
        """One line for tables: name, size, label column, which class is which, standardised or not."""
        negative, positive = self.classes
        label = "labels" if self.label is None else f"label {self.label!r}"
        which = " -1 and +1" if (negative, positive) == (-1, 1) else f": {negative} is -1, {positive} is +1"
        units = ", standardised" if self.standardized else ""
        features = "1 feature" if self.d == 1 else f"{self.d} features"
        return f"{self.name}: {self.n} points, {features}{units}; {label}{which}"

    @property
    def words(self) -> list[str] | None:
        """The command-line arguments that read these data again; None for data given as arrays."""
        recipe = self.recipe or {}
        if "source" not in recipe:
            return None
        flags = [(f"--{key}", recipe[key]) for key in ("label", "sep", "name") if recipe.get(key) is not None]
        standardize = ["--standardize"] if self.standardized else []
        return [str(recipe["source"]), *(word for flag in flags for word in flag), *standardize]

    def to_json(self) -> dict[str, Any]:
        """The entry about the data in a JSON document."""
        return {
            "name": self.name,
            "n": self.n,
            "d": self.d,
            "data_sha256": self.sha256,
            "classes": list(self.classes),
            "label": self.label,
            "standardized": self.standardized,
            "notes": list(self.notes),
        }

    @property
    def labels(self) -> list[Label]:
        """The n labels as the user wrote them."""
        return [self.classes[int(value > 0)] for value in self.y]


def make_dataset(
    X: ArrayLike,
    y: ArrayLike,
    name: str = "data",
    *,
    classes: tuple[Label, Label] | None = None,
    feature_names: Sequence[str] | None = None,
    recipe: Mapping[str, Any] | None = None,
    label: str | None = None,
    remarks: tuple[str, ...] = (),
) -> Dataset:
    """Check (X, y) and map the two labels to -1 and +1; the larger (second in sorted order) becomes +1.

    Parameters
    ----------
    X : (n, d) real, finite; see `Dataset` for the admissible magnitudes. A data frame gives its column names too.
    y : (n,) two distinct labels, numbers or strings (strings that all read as numbers are numbers).
    classes : (negative, positive), to choose the order; one of the two may then be absent from y.
    label : name of the label column; by default that of a pandas series y.

    Raises
    ------
    InputError
        With one sentence that names the argument, what was found and what is wanted.
    """
    points = check_points(X)
    labels = check_labels(y)
    if len(labels) != len(points):
        raise InputError(f"y: found {len(labels)} labels for {len(points)} rows of X, wanted as many labels as rows")
    found = np.unique(labels).tolist()
    if classes is None:
        if len(found) != 2:
            shown = ", ".join(repr(_tidy(label)) for label in found[:5]) + (", ..." if len(found) > 5 else "")
            raise InputError(
                f"y: found {len(found)} {'class' if len(found) == 1 else 'classes'} ({shown}), wanted two labels"
            )
        classes = (_tidy(found[0]), _tidy(found[1]))
    elif classes[0] == classes[1] or not set(found) <= set(classes):
        raise InputError(f"classes: found {classes!r} for labels {found!r}, wanted the two labels (negative, positive)")
    signs = np.where(labels == classes[1], 1.0, -1.0)
    names = column_names(X) if feature_names is None else tuple(feature_names)
    if label is None and isinstance(getattr(y, "name", None), str):
        label = str(getattr(y, "name")).strip() or None  # noqa: B009 - an array has no such attribute
    return Dataset(points, signs, name, classes, names, recipe, label, remarks=remarks)


def _tidy(label: Label) -> Label:
    """1.0 is shown, stored and written as 1."""
    return int(label) if isinstance(label, float) and label.is_integer() and abs(label) < 2**53 else label
