"""``maxmargin play``: a local page to put points on, with the solved and the trained classifiers."""

from __future__ import annotations

import argparse
import sys

from . import common

HELP = "a local page: put points on the plane, see the solved and the trained classifiers; Ctrl-C stops it"
EXAMPLE = "maxmargin play xor"


def add(parser: argparse.ArgumentParser) -> None:
    """The options."""
    common.add_source(parser, nargs="?")
    parser.add_argument(
        "--port", type=common.natural, default=0, metavar="N", help="port on 127.0.0.1 (default: a free one)"
    )
    parser.add_argument("--no-browser", dest="browser", action="store_false", help="only print the address")
    parser.add_argument(
        "--close-after",
        type=common.non_negative,
        default=60.0,
        metavar="S",
        help="stop this many seconds after the page was closed (default 60; 0: never)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve the playground until Ctrl-C or until its page was closed."""
    from ..play import Server

    server = Server(common.load_data(arguments) if arguments.data else None, arguments.port, arguments.close_after)
    try:
        print(server.url, flush=True)
        if arguments.browser:
            _open(server.url)
        server.serve()
    except KeyboardInterrupt:
        arguments.keyboard.pressed = False  # Ctrl-C is the normal way to stop the server: status 0
    finally:
        server.close()
    return 0


def _open(url: str) -> None:
    import webbrowser

    if not webbrowser.open(url):
        print("maxmargin: found no browser; open the address above yourself", file=sys.stderr)
