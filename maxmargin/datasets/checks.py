"""Checks of points, labels and names for `make_dataset`; each refusal is one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike

from ..conventions import Array
from ..errors import InputError
from .arrays import densified, is_sparse

# |z|^4 is the largest power that any kernel of the package forms (squared ReLU); beyond these it over- or underflows.
LARGEST, SMALLEST = 1e75, 1e-75

Label = int | float | str
_FILL = "; drop those rows or fill them: scikit-learn: X = SimpleImputer().fit_transform(X)"


def check_points(X: ArrayLike) -> Array:
    """A private float64 C-contiguous copy of X (n, d), or an InputError that names the fault."""
    array = densified(X) if is_sparse(X) else _as_array("X", X)
    names = column_names(X)
    if array.dtype == object and array.ndim == 2:
        array = _real_entries(array, names)
    if array.dtype.kind not in "biuf":
        remedy = "; pandas: frame = pd.get_dummies(frame, dtype=float)" if array.dtype.kind in "UO" else ""
        raise InputError(f"X: found entries of type {array.dtype}, wanted real numbers{remedy}")
    if array.ndim != 2:
        raise InputError(
            f"X: found an array of shape {array.shape}, wanted (n, d) with one row per point"
            + (" (one feature: X.reshape(-1, 1))" if array.ndim == 1 else "")
        )
    if 0 in array.shape:
        raise InputError(f"X: found shape {array.shape}, wanted at least one row and one column")
    if np.ma.is_masked(X):
        raise InputError("X: found masked entries, wanted every value present: X = X.filled(np.nan)" + _FILL)
    points = np.array(array, dtype=np.float64, order="C") + 0.0  # -0.0 + 0.0 = 0.0: equal points, equal bytes
    if not np.isfinite(points).all():
        row, column = np.argwhere(~np.isfinite(points))[0]
        place = f"row {row}, column {column} (from 0){_called(names, int(column))}"
        remedy = _FILL if np.isnan(points[row, column]) else ""
        raise InputError(f"X: found {points[row, column]} in {place}, wanted finite numbers{remedy}")
    magnitude = np.abs(points).max(axis=1)
    if (bad := (magnitude > LARGEST) | ((magnitude < SMALLEST) & (magnitude > 0.0))).any():
        row = int(np.argmax(bad))
        raise InputError(
            f"X: found largest magnitude {magnitude[row]:.3g} in row {row} (from 0), wanted 0 or {SMALLEST:g} "
            f"to {LARGEST:g}, where fourth powers neither over- nor underflow: rescale the features"
        )
    return points


def _real_entries(array: np.ndarray, names: Sequence[str] | None) -> Array:
    """Columns of different types, or of one that knows missing values, come out of a data frame as objects."""
    for (row, column), value in np.ndenumerate(array):
        if not isinstance(value, (Real, np.bool_)):
            place = f"row {row}, column {column} (from 0){_called(names, column)}"
            raise InputError(f"X: found {value!r:.40} in {place}, wanted real numbers{_remedy(value, names, column)}")
    return array.astype(float)


def _called(names: Sequence[str] | None, column: int) -> str:
    return "" if names is None else f", {names[column]!r}"


def _remedy(value: object, names: Sequence[str] | None, column: int) -> str:
    """One line of code that turns a column of words, dates or gaps into numbers."""
    if value is None or str(value) in ("<NA>", "NaT"):
        return _FILL
    place = f"frame[{names[column]!r}]" if names else f"X[:, {column}]"
    if hasattr(value, "year"):
        return f"; in days: pandas: {place} = ({place} - pd.Timestamp('2000-01-01')).dt.total_seconds() / 86400"
    if names is None:
        return f"; scikit-learn: OneHotEncoder().fit_transform(X[:, [{column}]])"
    return f"; pandas: frame = pd.get_dummies(frame, columns=[{names[column]!r}], dtype=float)"


def _as_array(argument: str, values: ArrayLike) -> np.ndarray:
    try:
        return np.asarray(values)
    except (ValueError, TypeError) as error:
        raise InputError(
            f"{argument}: found values that form no array ({error}), wanted rows of equal length"
        ) from None


def _vector(y: np.ndarray) -> str:
    """One line of code that takes the labels from an array of another shape."""
    if y.ndim != 2:
        return ""
    if y.shape[1] == 1:
        return ": y = np.ravel(y)"
    one_hot = y.dtype.kind in "biuf" and np.isin(y, (0, 1)).all() and (y.sum(axis=1) == 1).all()
    return ": y = np.argmax(y, axis=1) undoes a one-hot coding" if one_hot else ": choose one column, y = y[:, 0]"


def check_labels(y: ArrayLike) -> np.ndarray:
    """The labels as a 1-D float64 or string array."""
    labels = _as_array("y", y)
    if labels.ndim != 1:
        raise InputError(f"y: found an array of shape {labels.shape}, wanted a vector of n labels{_vector(labels)}")
    if labels.dtype == object:
        labels = _plain_labels(labels)
    if labels.dtype.kind == "U":
        labels = np.array([label.strip() for label in labels.tolist()], dtype=str)
        if (labels == "").any():
            raise InputError(
                f"y: found an empty label at position {np.argmax(labels == '')} (from 0), wanted no missing label"
            )
        try:
            labels = labels.astype(float)
        except ValueError:
            return labels
    if labels.dtype.kind not in "biuf":
        raise InputError(f"y: found labels of type {labels.dtype}, wanted numbers or strings")
    labels = labels.astype(float)
    if not np.isfinite(labels).all():
        raise InputError(f"y: found {labels[~np.isfinite(labels)][0]} among the labels, wanted two finite labels")
    return labels


def _plain_labels(labels: np.ndarray) -> np.ndarray:
    """An object array (pandas' type for text and missing values) as strings or numbers."""
    for kind, dtype in ((str, str), ((Real, np.bool_), float)):
        fits = np.array([isinstance(label, kind) for label in labels])
        if fits.all():
            return labels.astype(dtype)
        if fits.any():
            k = int(np.argmin(fits))
            raise InputError(
                f"y: found {labels[k]!r:.40} at position {k} (from 0) beside {labels[fits][0]!r:.40}, wanted no "
                "missing label and all of one kind, numbers or strings"
            )
    return labels


def column_names(X: object) -> tuple[str, ...] | None:
    """The column names of a data frame, where they can be feature names: strings, distinct, no ``y``."""
    columns = getattr(X, "columns", None)
    if columns is None:
        return None
    names = [name.strip() if isinstance(name, str) else name for name in columns]
    try:
        return check_names(names, len(names))
    except InputError:
        return None


def check_names(names: Sequence[str], d: int, label: str | None = None) -> tuple[str, ...]:
    """`names` as d distinct words; ``y`` only where the label column is known to have another name."""
    words = all(isinstance(name, str) and name.strip() == name != "" for name in names)
    if not words or not len(names) == len(set(names)) == d:
        raise InputError(f"feature_names: found {str(list(names)):.200}, wanted {d} distinct non-empty strings")
    if "y" in names and label in (None, "y"):
        raise InputError("feature_names: found 'y', which names the label column of a file; rename that feature")
    return tuple(names)
