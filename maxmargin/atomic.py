"""Files appear whole or not at all: write to a temporary file beside the target, then rename."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from .errors import InputError

_NUMBER_LIST = re.compile(r"\[[-+\d.eE,\s]+\]")  # innermost lists of numbers go on one line


@contextmanager
def replacing(path: str | os.PathLike[str], suffix: str = "") -> Iterator[Path]:
    """Yield a temporary path; on success it becomes `path`, on any exception it is removed.

    A device or pipe (/dev/stdout) cannot be renamed to: the finished file is copied into it.

    Raises
    ------
    InputError : the folder does not exist or cannot be written, `path` is a folder, or the disk is full.
    """
    target = check_target(path)
    folder = None if _is_device(target) else target.parent
    try:
        handle, name = tempfile.mkstemp(dir=folder, prefix=f".{target.name}.", suffix=suffix)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            _deliver(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"output {str(target)!r} cannot be written ({error.strerror or error}); name another place, or make room"
        ) from error


def _is_device(target: Path) -> bool:
    return target.exists() and not target.is_file()


def _deliver(temporary: Path, target: Path) -> None:
    if _is_device(target):
        with temporary.open("rb") as source, target.open("wb") as sink:
            shutil.copyfileobj(source, sink)
        return
    temporary.chmod(0o666 & ~_umask())
    temporary.replace(target)


def check_target(path: str | os.PathLike[str]) -> Path:
    """The path, if a file can be written there; else `InputError` (cheap: call it before long work)."""
    target = Path(path)
    if target.is_dir():
        raise InputError(f"output {str(target)!r} is a folder, wanted a file name")
    if not target.parent.is_dir():
        raise InputError(
            f"output {str(target)!r}: folder {str(target.parent)!r} does not exist; create it or name another"
        )
    if _is_device(target):
        return target
    if not os.access(target.parent, os.W_OK):
        raise InputError(f"output {str(target)!r}: folder {str(target.parent)!r} cannot be written; name another")
    return target


def check_folder(path: str | os.PathLike[str]) -> Path:
    """The path, if it is a folder that can be written or one that can be made; else `InputError` (cheap)."""
    folder = Path(path)
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not there.is_dir():
        raise InputError(f"output folder {str(folder)!r}: found the file {str(there)!r}, wanted a folder")
    if not os.access(there, os.W_OK):
        raise InputError(f"output folder {str(folder)!r}: {str(there)!r} cannot be written; name another")
    return folder


def make_folder(path: str | os.PathLike[str]) -> Path:
    """The folder of that path, made if it is missing; else `InputError`."""
    folder = check_folder(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"output folder {str(folder)!r} cannot be made ({error.strerror}); name another") from error
    return folder


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write text atomically, UTF-8."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def dumps(document: Any) -> str:
    """JSON text of plain data and NumPy arrays; floats round-trip exactly, NaN is refused, infinities become null."""
    text = json.dumps(plain(document), allow_nan=False, indent=1)
    return _NUMBER_LIST.sub(lambda match: re.sub(r"\s+", " ", match.group()), text) + "\n"


def loads(text: str) -> Any:
    """The value of a JSON text; ValueError if a name occurs twice in one object."""
    return json.loads(text, object_pairs_hook=_unique)


def read_object(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The JSON object in a certificate's file, numbers as written.

    Raises
    ------
    InputError : no such file, no JSON, nested too deeply, or not an object.
    """
    where = f"certificate {os.fspath(path)!r}"
    try:
        document = loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{where} cannot be read ({error.strerror}); name an existing JSON file") from error
    except ValueError as error:
        raise InputError(f"{where} is not JSON ({error}); write it with maxmargin margin --json") from error
    except RecursionError:
        # the parser's position would not help: a certificate is never nested so deeply
        raise InputError(f"{where} is nested too deeply to be one; write it with maxmargin margin --json") from None
    if not isinstance(document, dict):
        raise InputError(f"{where}: found a {type(document).__name__}, wanted a JSON object")
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {repeated!r:.40} stands twice in one object")
    return document


def write_json(path: str | os.PathLike[str], document: Any) -> None:
    """Write a JSON document atomically."""
    write_text(path, dumps(document))


def plain(value: Any) -> Any:
    """What `loads` reads in the text of `dumps`, without the text.

    Raises
    ------
    ValueError : a number is NaN.
    """
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        listed = value.tolist()
        return listed if value.dtype.kind == "f" and np.isfinite(value).all() else plain(listed)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, StrEnum):
        return value.value
    if not isinstance(value, float) or math.isfinite(value):
        return value
    if math.isnan(value):
        raise ValueError("Out of range float values are not JSON compliant: nan")
    return None
