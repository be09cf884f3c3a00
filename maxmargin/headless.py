"""matplotlib, whatever window or notebook the environment asks for: our figures go to files."""

from __future__ import annotations

import os
import sys


def load_matplotlib() -> None:
    """Import matplotlib; a backend in MPLBACKEND that does not exist here is nothing to us, and is left as it is."""
    try:
        import matplotlib  # noqa: F401
    except ValueError:
        asked = os.environ.pop("MPLBACKEND", None)
        if asked is None:
            raise
        for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
            del sys.modules[name]  # halves of the failed import
        try:
            import matplotlib  # noqa: F401
        finally:
            os.environ["MPLBACKEND"] = asked
