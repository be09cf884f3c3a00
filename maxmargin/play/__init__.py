"""The playground: a local page with points to place, and the solved and trained classifiers of these points.

`Server` is the page's HTTP server on 127.0.0.1; ``maxmargin play`` runs it.
"""

from .server import Server, check_scene

__all__ = ["Server", "check_scene"]
