"""Import of matplotlib for figures in files, whatever display the environment variable MPLBACKEND names."""

from __future__ import annotations

import os
import sys


def load_matplotlib() -> None:
    """Import matplotlib; MPLBACKEND may name a backend that is missing here, and keeps its value."""
    try:
        import matplotlib  # noqa: F401
    except ValueError:
        asked = os.environ.pop("MPLBACKEND", None)
        if asked is None:
            raise
        for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
            del sys.modules[name]  # modules that the failed import left half loaded
        try:
            import matplotlib  # noqa: F401
        finally:
            os.environ["MPLBACKEND"] = asked
