"""Which column of a table is the label, and a remark where another could be."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import InputError
from .table import is_number, two_words

LABEL_COLUMNS = ("y", "label", "target")  # in this order, in any case
_CLASS_NAME = re.compile(
    r"(class|label|target|outcome|categor|group|species|diagnos|churn|surviv|default|fraud|spam|response|result"
    r"|status|disease|died|death|won$|approved|purchas|bought|subscri|convert|click|sick|positive|malignan)",
    re.IGNORECASE,
)
_KEY = re.compile(r"(^|[^a-z])(id|index|key|row|uuid|unnamed: 0)$", re.IGNORECASE)


@dataclass(frozen=True)
class LabelColumn:
    """The index of the label column, and remarks on the choice."""

    index: int
    remarks: tuple[str, ...] = ()


def choose_label(header: Sequence[str], columns: Sequence[Sequence[str]], asked: str | None) -> LabelColumn:
    """The column `asked` for, else ``y``, ``label`` or ``target`` in any case, else the last one.

    Parameters
    ----------
    header : names of the columns.  columns : their cells.
    asked : the name that the user gave, or None.

    Raises
    ------
    InputError : there is no such column.
    """
    if asked is not None:
        return LabelColumn(_named(header, asked))
    named = [index for name in LABEL_COLUMNS for index in _matching(header, name)]
    if named:
        others = [index for index in named[1:] if two_words(columns[index])]
        return LabelColumn(named[0], _remark(header, named[0], others, f"took the column {header[named[0]]!r}"))
    last = len(header) - 1
    others = [k for k in range(last) if _could_be(header[k], columns[k], k == 0)]
    return LabelColumn(last, _remark(header, last, others, f"took the last column, {header[last]!r}"))


def other_labels(header: Sequence[str], columns: Sequence[Sequence[str]], chosen: int) -> str:
    """For a label column that has not two values: which columns have, and how to name one."""
    found = [name for k, name in enumerate(header) if k != chosen and two_words(columns[k])]
    if not found:
        return f"; one class against the rest: pandas: frame[{header[chosen]!r}] = frame[{header[chosen]!r}] == VALUE"
    listed = ", ".join(map(repr, found[:4])) + (", ..." if len(found) > 4 else "")
    return f"; two values have {listed}: name the label, e.g. --label {shlex.quote(found[0])}"


def key_remark(names: Sequence[str], columns: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """A remark on a feature that only names the rows: called id or index, a different value in each of four or more."""
    found = [name for name, cells in zip(names, columns, strict=True) if _KEY.search(name)]
    keys = [name for name in found if len(set(columns[names.index(name)])) == len(columns[0]) > 3]
    if not keys:
        return ()
    remedy = f"if it only names the rows, leave it out: frame.drop(columns=[{keys[0]!r}])"
    return (f"feature: {keys[0]!r} has a different value in every row; {remedy}",)


def copy_remark(
    names: Sequence[str], columns: Sequence[Sequence[str]], label: str, labels: Sequence[str]
) -> tuple[str, ...]:
    """A remark on features that are the label once more: the other half of a one-hot code, or a copy."""
    pairs = [(name, set(zip(cells, labels, strict=True))) for name, cells in zip(names, columns, strict=True)]
    copies = [name for name, found in pairs if len(found) == 2 == len({cell for cell, _ in found})]
    if not copies or len(labels) < 4 or len(set(labels)) != 2:
        return ()
    remedy = f"if it is a copy of it, leave it out: frame.drop(columns=[{copies[0]!r}])"
    return (f"feature: {copies[0]!r} tells the label {label!r} in every row; {remedy}",)


def _could_be(name: str, values: Sequence[str], first: bool) -> bool:
    """Two values, and either words or a name that labels have (in the first place also ``type`` and the like)."""
    words = two_words(values)
    if not words:
        return False
    text = not all(map(is_number, words))
    return text or bool(_CLASS_NAME.search(name)) or (first and name.lower() in ("type", "kind"))


def _remark(header: Sequence[str], chosen: int, others: Sequence[int], did: str) -> tuple[str, ...]:
    if not others:
        return ()
    names = ", ".join(repr(header[k]) for k in others)
    have = "has two values as well" if len(others) == 1 else "have two values as well"
    flag = shlex.quote(header[others[0]])
    return (f"label: {did}; {names} {have}: if that is the label, say so with --label {flag} (in Python: label=)",)


def _named(header: Sequence[str], asked: str) -> int:
    matches = _matching(header, asked)
    if len(matches) == 1 or asked in header:
        return matches[0]
    close = difflib.get_close_matches(asked, header, n=1)
    listed = ", ".join(header[:12]) + (", ..." if len(header) > 12 else "")
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    raise InputError(f"label: found no column {asked!r}, wanted one of {listed}{hint}")


def _matching(header: Sequence[str], name: str) -> list[int]:
    """Columns of that name; an exact match comes first."""
    found = [k for k, column in enumerate(header) if column.lower() == name.lower()]
    return sorted(found, key=lambda k: header[k] != name)
