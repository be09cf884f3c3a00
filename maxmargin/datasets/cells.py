"""Cells that are not numbers: the name of each kind, and a line of pandas that mends it."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Sequence

MISSING = {"", "na", "n/a", "nan", "null", "none", "?", "-", ".", "missing"}
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ]\d{1,2}:\d{2}.*)?$|\d{1,2}:\d{2}(:\d{2})?$")
_DECORATED = re.compile(r"[$€£]?\s*[-+]?[\d, ]*\d(\.\d+)?\s*(%|[$€£]|[a-zA-Z]{1,3})?$")
_COMMA = re.compile(r"[-+]?\d+,\d+$")
_FEW = 20  # a column with at most this many different words is a category; with more, names or keys


def plain_float(cell: str) -> float:
    """The number that a cell spells; ValueError if it spells none."""
    if "_" in cell:  # Python reads 1_000 as a number; a data file has no such spelling
        raise ValueError(cell)
    return float(cell)


def is_number(cell: str) -> bool:
    """Whether the cell spells a number, NaN and infinities included."""
    try:
        plain_float(cell)
    except ValueError:
        return False
    return True


def is_finite(cell: str) -> bool:
    """Whether the cell spells a finite number."""
    return is_number(cell) and math.isfinite(float(cell))


def two_words(values: Sequence[str]) -> list[str]:
    """The two different values of a column, sorted, or nothing when it has more or fewer."""
    found = sorted({value for value in values if value.lower() not in MISSING})
    return found if len(found) == 2 else []


def mend(name: str, cell: str, values: Sequence[str]) -> str:
    """One line of pandas for a column whose `cell` is no finite number; `values` are all cells of the column."""
    column = f"frame[{name!r}]"
    kinds: tuple[tuple[bool, str], ...] = (
        (
            cell.lower() in MISSING,
            "pandas: frame = frame.dropna(), or frame = frame.fillna(frame.median(numeric_only=True))",
        ),
        (is_number(cell), f"pandas: frame = frame[np.isfinite({column})]"),
        (bool(_COMMA.match(cell)), "a decimal comma? pandas: frame = pd.read_csv(path, sep=';', decimal=',')"),
        (
            bool(_DATE.match(cell)),
            f"a date or time, in days: pandas: {column} = "
            f"(pd.to_datetime({column}) - pd.Timestamp('2000-01-01')).dt.total_seconds() / 86400",
        ),
        (
            bool(_DECORATED.match(cell)),
            f"pandas: {column} = {column}.str.replace(r'[^0-9.eE+-]', '', regex=True).astype(float)",
        ),
    )
    return next((line for fits, line in kinds if fits), None) or _words(name, values)


def _words(name: str, values: Sequence[str]) -> str:
    """The line for a column of words: a label or a yes-no feature, names or keys, categories."""
    column = f"frame[{name!r}]"
    if words := two_words(values):
        label = f"two words, {words[0]!r} and {words[1]!r}: if this is the label, --label {shlex.quote(name)}"
        return f"{label}; if not, pandas: {column} = ({column} == {words[1]!r}).astype(float)"
    if len(set(values)) > max(2, min(_FEW, len(values) / 2)):
        return f"a name or a key? pandas: frame = frame.drop(columns=[{name!r}])"
    return f"pandas: frame = pd.get_dummies(frame, columns=[{name!r}], dtype=float)"
