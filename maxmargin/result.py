"""What every result can do: write itself as JSON, and show itself in a notebook."""

from __future__ import annotations

from os import PathLike
from typing import Any

from . import atomic
from .errors import InputError


class Result:
    """A result with a JSON document `to_json` and a cell of its name in `report.cells`."""

    def to_json(self) -> dict[str, Any]:
        """The JSON document (plain dict; arrays stay arrays until written)."""
        raise NotImplementedError

    def save(self, path: str | PathLike[str]) -> Any:
        """Write the JSON atomically."""
        atomic.write_json(path, self.to_json())

    def _repr_html_(self) -> str:
        """What a notebook shows: the table, what it means, and a small figure where there is one."""
        from .report import cells

        return str(getattr(cells, f"{type(self).__name__.lower()}_cell")(self))


def check_format(name: str, document: dict[str, Any], known: str, version: int) -> None:
    """`InputError` unless the document called `name` is of the known format and version."""
    found = document.get("format"), document.get("version")
    if found != (known, version):
        raise InputError(f"{name}: found format {found[0]!r} version {found[1]!r}, wanted {known!r} version {version}")
