"""The playground: a local page on which points are put, and the solved and the trained classifiers are seen.

`Server` is the page's HTTP server on 127.0.0.1; ``maxmargin play`` runs it.
"""

from .server import Server, check_scene

__all__ = ["Server", "check_scene"]
