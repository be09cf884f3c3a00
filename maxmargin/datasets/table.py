"""Text tables: header, rows and their line numbers, whatever separates the cells.

For cells that are no numbers, `mend` has the name of each kind and a line of pandas that mends it.
"""

from __future__ import annotations

import csv
import io
import math
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from .. import memory
from ..errors import InputError

SEPARATORS = (",", "\t", ";", "|")
_CELL = 150  # bytes that a cell takes as text and number
_SPELT = {"\\t": "\t", "tab": "\t", "comma": ",", "semicolon": ";", "space": " "}
MISSING = {"", "na", "n/a", "nan", "null", "none", "?", "-", ".", "missing"}
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ]\d{1,2}:\d{2}.*)?$|\d{1,2}:\d{2}(:\d{2})?$")
_DECORATED = re.compile(r"[$€£]?\s*[-+]?[\d, ]*\d(\.\d+)?\s*(%|[$€£]|[a-zA-Z]{1,3})?$")
_COMMA = re.compile(r"[-+]?\d+,\d+$")
_FEW = 20  # a column with at most this many different words is a category; with more, names or keys


class Table(NamedTuple):
    """Column names, data rows of that length, and the line on which each row ends.

    Attributes
    ----------
    header : column names.  rows : the cells of each data row.  lines : number of the line on which each row ends.
    """

    header: list[str]
    rows: list[list[str]]
    lines: list[int]

    @property
    def columns(self) -> list[list[str]]:
        """The cells column by column."""
        return [list(column) for column in zip(*self.rows, strict=True)]


def read_table(path: Path, sep: str | None) -> Table:
    """Read a text file with a header row; blank lines are skipped, spaces around cells ignored.

    Parameters
    ----------
    sep : what separates the cells; None takes the first of comma, tab, semicolon and bar under which the header and
        the first row have equally many cells, more than one.
    """
    text = _read_text(path)
    separator = _separator(sep) if sep is not None else _recognised(text)
    cells = text.count(separator) + text.count("\n") + text.count("\r")
    memory.require(_CELL * cells + len(text), f"{path} with {cells:,} cells", "save it as .npz (np.savez)")
    return _cells(path, text, separator)


def _separator(sep: str) -> str:
    separator = _SPELT.get(sep, sep)
    if len(separator) != 1 or separator in '"\r\n':
        raise InputError(f"sep: found {sep!r}, wanted one character such as ';', or the word tab")
    return separator


def _recognised(text: str) -> str:
    for separator in SEPARATORS:
        try:
            rows = [cells for cells, _ in _first_rows(text, separator, 2)]
        except csv.Error:
            continue
        if len(rows) == 2 and len(rows[0]) == len(rows[1]) > 1:
            return separator
    return ","


def _first_rows(text: str, separator: str, count: int) -> Iterator[tuple[list[str], int]]:
    """At most `count` rows (all if negative) that are not blank, with their line numbers."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells) and len(cells) < 2:
                continue
            yield cells, reader.line_num
            count -= 1
            if not count:
                return
    except csv.Error as error:
        raise csv.Error(f"line {reader.line_num} is not CSV ({error}), wanted a table of short cells") from None


def _cells(path: Path, text: str, separator: str) -> Table:
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        for cells, line in _first_rows(text, separator, -1):
            if rows and len(cells) != len(rows[0]):
                raise InputError(
                    f"{path}: line {line} has {len(cells)} cells, wanted {len(rows[0])} as in the header on line "
                    f"{lines[0]}{_other_separator(rows[0], separator)}"
                )
            rows.append(cells)
            lines.append(line)
    except csv.Error as error:
        raise InputError(f"{path}: {error}") from None
    if len(rows) <= 1:
        raise InputError(f"{path}: found zero rows below the first line, wanted a header and at least two data rows")
    return Table(rows[0], rows[1:], lines[1:])


def _other_separator(header: list[str], separator: str) -> str:
    """A hint where the header is one cell that holds another separator."""
    found = [mark for mark in SEPARATORS if mark != separator and len(header) == 1 and mark in header[0]]
    return f" (cells separated by {found[0]!r}? say so with --sep)" if found else ""


def _read_text(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(
            f"{path}: found bytes that are not UTF-8 text, wanted a CSV file with a header row (another encoding: "
            "pandas: pd.read_csv(path, encoding='latin-1').to_csv(path, index=False))"
        ) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}), wanted a readable CSV file") from None
    if "\0" in text:
        raise InputError(f"{path}: found NUL bytes (a binary file), wanted a CSV file with a header row")
    if not text.strip():
        raise InputError(f"{path}: the file is empty, wanted a header row and at least two data rows")
    return text


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
