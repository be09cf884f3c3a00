"""Reading ``.npz`` archives that somebody else wrote: plain arrays or one clear sentence."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from .errors import InputError


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Every array of an ``.npz`` archive by name; pickled objects are refused, never executed.

    Raises
    ------
    InputError : no such file, not an archive, damaged, or an array of Python objects.
    """
    try:
        with path.open("rb") as stream:
            if not zipfile.is_zipfile(stream):
                raise InputError(f"{path}: found no zip archive, wanted an .npz archive of plain arrays (np.savez)")
            stream.seek(0)
            with np.load(stream, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}), wanted a readable .npz file") from None
    except (ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: found {reason}, wanted an .npz archive of plain arrays (np.savez)") from None
