"""Safe reading of ``.npz`` archives: plain arrays or one error sentence, in bounded memory."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from . import memory
from .errors import InputError

_SUFFIX = ".npy"
_COPIES = 3  # arrays in memory at once: the array, its float64 copy and the mask of its finite entries


class Header(NamedTuple):
    """The header of an array, read before its data: shape, type, and the bytes of header and data.

    Attributes
    ----------
    shape : of the array.  dtype : its type.  nbytes : bytes of header and data in the archive.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    nbytes: int


Choice = Callable[[Mapping[str, Header]], Iterable[str]]


def read_arrays(path: Path, choose: Choice = tuple) -> dict[str, np.ndarray]:
    """Arrays of an ``.npz`` archive by name; pickled objects are refused, never executed.

    Parameters
    ----------
    choose : function of the headers of all arrays (by name) that returns the names to read, or raises. No array is
        decompressed before. By default all are read.

    Raises
    ------
    InputError : no such file, not an archive, damaged, an array of Python objects, or too large for the memory.
    """
    with reading(path, "an .npz archive of plain arrays (np.savez)"), path.open("rb") as stream:
        if not zipfile.is_zipfile(stream):
            raise ValueError("no zip archive")
        with zipfile.ZipFile(stream) as archive:
            members = [item for item in archive.infolist() if item.filename.endswith(_SUFFIX)]
            headers = {item.filename.removesuffix(_SUFFIX): _header(archive, item) for item in members}
            names = list(choose(headers))
            size = sum(max(headers[name].nbytes, 8 * math.prod(headers[name].shape)) for name in names)
            memory.require(_COPIES * size, f"{path} with {', '.join(names)}", "use fewer points")
            return {name: _array(archive, name) for name in names}


@contextmanager
def reading(path: Path, wanted: str) -> Iterator[None]:
    """Whatever keeps a file from being read, in one sentence: `InputError`."""
    try:
        yield
    except InputError:
        raise
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{path}: cannot be read ({reason}), wanted a readable {path.suffix} file") from None
    except (ValueError, EOFError, KeyError, RuntimeError, OverflowError, zipfile.BadZipFile, zlib.error) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: found {reason}, wanted {wanted}") from None


def _header(archive: zipfile.ZipFile, item: zipfile.ZipInfo) -> Header:
    """The header of one array; its shape must account for the bytes that the archive promises."""
    with archive.open(item) as stream:
        shape, dtype = _described(stream)
        nbytes = stream.tell() + math.prod(shape) * dtype.itemsize
    if dtype.hasobject:
        raise ValueError(f"Object arrays ({item.filename})")
    if nbytes != item.file_size:
        misfit = f"which does not fit its {item.file_size:,} bytes"
        raise ValueError(f"shape {shape} of {dtype} in {item.filename}, {misfit}")
    return Header(shape, dtype, nbytes)


def _described(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type; NumPy refuses headers of more than 10,000 characters."""
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(stream)
    return shape, dtype


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(name + _SUFFIX) as stream:
        return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))
