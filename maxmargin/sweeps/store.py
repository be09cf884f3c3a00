"""Tasks, and all results of all sweeps in one SQLite file.

One row per finished task, inserted in a transaction of its own. A process that is killed leaves the finished rows
and nothing else. A task that is inserted twice stays one row.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from ..errors import InputError
from ..margins.prove import library_versions

SCHEMA = 1  # raise it when a work function changes its result: old results are then computed again
_APPLICATION = 0x6D617267  # "marg": tells our files from other people's databases
_LAYOUT = 1
_TABLE = """CREATE TABLE runs (
    key TEXT PRIMARY KEY, work TEXT NOT NULL, parameters TEXT NOT NULL, result TEXT NOT NULL,
    seconds REAL NOT NULL, versions TEXT NOT NULL, created TEXT NOT NULL)"""
_WAIT = 60.0  # seconds that a second writer waits for the first


def canonical(value: Any) -> str:
    """JSON text that depends on the value alone: keys sorted, no spaces, NaN refused."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True, eq=False)
class Task:
    """``work(**parameters)``, a pure function: equal parameters, seeds among them, give equal results and equal keys.

    Attributes
    ----------
    work : a name in `works.WORKS`.
    parameters : plain JSON values.
    """

    work: str
    parameters: dict[str, Any]

    @property
    def key(self) -> str:
        """sha256 of the canonical JSON of work, parameters and `SCHEMA`."""
        document = {"work": self.work, "parameters": self.parameters, "schema": SCHEMA}
        return hashlib.sha256(canonical(document).encode()).hexdigest()


class Store:
    """An open store; a context manager.

    Parameters
    ----------
    path : the file; created when missing.

    Raises
    ------
    InputError : the file cannot be opened, or is something else.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if self.path.is_dir() or not self.path.parent.is_dir():
            raise InputError(f"store: found {str(path)!r}, wanted a file in a folder that exists")
        try:
            self._open()
        except sqlite3.Error as error:
            raise InputError(
                f"store {str(path)!r} cannot be used ({error}); "
                "wanted a file written by maxmargin reproduce, or a new one"
            ) from error
        self._versions = canonical(library_versions())

    def _open(self) -> None:
        self._connection = sqlite3.connect(self.path, timeout=_WAIT, isolation_level=None)
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        """The table in a new file; a refusal of files that are not ours, before anything is written to them."""
        execute = self._connection.execute
        tables = execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables and execute("PRAGMA application_id").fetchone()[0] != _APPLICATION:
            raise sqlite3.DatabaseError("it is the database of another program")
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = FULL")
        execute("BEGIN IMMEDIATE")
        if not execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            execute(_TABLE)
            execute(f"PRAGMA application_id = {_APPLICATION}")
            execute(f"PRAGMA user_version = {_LAYOUT}")
        execute("COMMIT")
        layout = execute("PRAGMA user_version").fetchone()[0]
        if layout != _LAYOUT:
            raise sqlite3.DatabaseError(f"its layout is version {layout}, this program's is {_LAYOUT}")

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was added is on the disk already."""
        self._connection.close()

    def __len__(self) -> int:
        return int(self._rows("SELECT count(*) FROM runs")[0][0])

    def keys(self) -> set[str]:
        """Keys of the finished tasks."""
        return {key for (key,) in self._rows("SELECT key FROM runs")}

    def add(self, task: Task, result: dict[str, Any], seconds: float) -> None:
        """Insert the result of a finished task; nothing happens if it is there already."""
        created = datetime.now(UTC).isoformat(timespec="seconds")
        row = (task.key, task.work, canonical(task.parameters), canonical(result), seconds, self._versions, created)
        self._rows("INSERT OR IGNORE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def results(self, tasks: Iterable[Task]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """(parameters, result) of those tasks that are finished, in the order of the tasks."""
        rows = ((task, self._rows("SELECT result FROM runs WHERE key = ?", (task.key,))) for task in tasks)
        return [(task.parameters, self._parsed(found[0][0])) for task, found in rows if found]

    def seconds(self, tasks: Iterable[Task]) -> float:
        """Computing time of those tasks that are finished, summed."""
        rows = (self._rows("SELECT seconds FROM runs WHERE key = ?", (task.key,)) for task in tasks)
        return sum(found[0][0] for found in rows if found)

    def content(self) -> list[tuple[str, str, str, str]]:
        """(key, work, parameters, result) of every row, sorted: equal for equal results, whenever they were made."""
        return self._rows("SELECT key, work, parameters, result FROM runs ORDER BY key")

    def _rows(self, statement: str, values: tuple[Any, ...] = ()) -> list[Any]:
        """All rows of a statement; what SQLite says of a damaged file or a full disk in one sentence."""
        try:
            with closing(self._connection.execute(statement, values)) as rows:
                return rows.fetchall()
        except sqlite3.Error as error:
            raise self._damaged(error) from error

    def _parsed(self, text: Any) -> dict[str, Any]:
        try:
            result: dict[str, Any] = json.loads(text)
        except (ValueError, TypeError) as error:
            raise self._damaged(error) from error
        return result

    def _damaged(self, error: Exception) -> InputError:
        if "full" in str(error) or "locked" in str(error):
            return InputError(f"store {str(self.path)!r} cannot be written ({error}); make room or wait, then go on")
        return InputError(
            f"store {str(self.path)!r} is damaged ({error}); move it away and begin a new one, or recover what is left "
            "with the sqlite3 shell (.recover)"
        )
