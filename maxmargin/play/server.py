"""The HTTP server: the page's files, JSON answers, one event stream per page. Standard library only."""

from __future__ import annotations

import json
import secrets
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from ..dataset import Dataset
from ..errors import InputError
from ..film.encode import colours, script_json
from ..plots import style
from . import limits
from .gate import Gate, Refused
from .playground import Playground

_KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_BEAT = 1.0  # seconds between two keep-alive lines of a quiet stream
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def _assets() -> dict[str, tuple[str, bytes]]:
    """Path -> (kind, bytes) of the files of the page, read once: a request names a key, never a path."""
    found = {"/drawing.js": ("text/javascript", files("maxmargin.film").joinpath("drawing.js").read_bytes())}
    for entry in files("maxmargin.play").joinpath("page").iterdir():
        suffix = entry.name[entry.name.rfind(".") :]
        if suffix in _KINDS:
            found[f"/{entry.name}"] = (_KINDS[suffix], entry.read_bytes())
    return found


class Server(ThreadingHTTPServer):
    """Listens on 127.0.0.1 only.

    Parameters
    ----------
    data : points of the plane to begin with, or None.
    port : 0 for a free one.
    close_after : seconds after the last page was closed, after which `serve` returns; 0 for never.

    Raises
    ------
    InputError : the port is taken, or the data are no points of the plane.
    """

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    timeout = 0.5  # of `handle_request`: how often the clock is looked at

    def __init__(self, data: Dataset | None = None, port: int = 0, close_after: float = 60.0) -> None:
        if data is not None:
            check_scene(data)
        try:
            super().__init__(("127.0.0.1", port), Handler)
        except (OSError, OverflowError) as error:
            found = f"--port: found {port}, which cannot be used ({error})"
            raise InputError(f"{found}; wanted a free port, or 0") from None
        self.gate = Gate(self.server_address[1], secrets.token_urlsafe(18))
        self.assets = _assets()
        self.playground = Playground(data, close_after)
        self._places = threading.BoundedSemaphore(limits.MAX_CONNECTIONS)

    @property
    def url(self) -> str:
        """Address of the page, with its token."""
        return self.gate.url

    def serve(self) -> None:
        """Answer until Ctrl-C (KeyboardInterrupt) or until the last page has been closed for a while."""
        self.playground.start()
        while not self.playground.hub.deserted:
            self.handle_request()
            self.playground.tick()

    def close(self) -> None:
        """Stop listening, end streams and processes."""
        self.server_close()
        self.playground.close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """One thread per connection, up to a limit; further connections are closed."""
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer one connection, then free its place."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a connection that breaks."""

    def page(self) -> bytes:
        """index.html with the settings that the page needs."""
        names = ("negative", "positive", "f1", "f2", "ntk", "ink", "muted")
        config = self.playground.config() | {
            "palette": {name: getattr(style, name.upper()) for name in names},
            "maps": {"decision": colours("DECISION"), "payoff": colours("PAYOFF")},
        }
        return self.assets["/index.html"][1].replace(b"@DATA@", script_json(config).encode())


def check_scene(data: Dataset) -> None:
    """Refuse what the playground cannot draw."""
    if data.d != 2 or data.n > limits.MAX_POINTS:
        raise InputError(
            f"DATA: found n={data.n}, d={data.d} in {data.name!r}, wanted at most {limits.MAX_POINTS} points with two "
            "features, e.g. xor or clusters:n=60,d=3,k=3"
        )


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "maxmargin", ""
    timeout = limits.READ_SECONDS
    wbufsize = 1 << 16  # an answer is sent in one piece
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing to standard error."""

    def do_GET(self) -> None:
        """Answer a GET request."""
        self._guarded(self._get)

    def do_POST(self) -> None:
        """Answer a POST request."""
        self._guarded(self._post)

    def _guarded(self, work: Callable[[str], None]) -> None:
        try:
            self.server.gate.check_origin(self.headers)
            work(urlsplit(self.path).path)
        except Refused as refusal:
            self._refuse(refusal)
        except InputError as error:
            self._json(400, {"error": str(error)})
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            self.close_connection = True
        except Exception as error:  # the page shows it; the server goes on
            self._json(500, {"error": f"the server failed ({type(error).__name__}: {error})"})

    def _get(self, path: str) -> None:
        if path == "/":
            self.server.gate.check_token(self.path)
            self._send(200, "text/html", self.server.page())
        elif path == "/api/stream":
            self.server.gate.check_token(self.path)
            self._stream()
        elif path in self.server.assets and path != "/index.html":
            self._send(200, *self.server.assets[path])
        else:
            raise Refused(404, "found nothing at this address")

    def _post(self, path: str) -> None:
        self.server.gate.check_token(self.path)
        size = self.server.gate.body_size(self.headers)
        body = self.rfile.read(size)
        self.headers.replace_header("Content-Length", "0")  # the whole body has been read
        if len(body) < size:
            raise Refused(400, "body: found less than its stated length")
        from .requests import parse

        answer = self.server.playground.answer(path.removeprefix("/api/"), parse(body)) if path[:5] == "/api/" else None
        if answer is None:
            raise Refused(404, "found nothing at this address")
        self._json(200, answer)

    def _stream(self) -> None:
        """Server-sent events until the page goes away or the server ends."""
        try:
            with self.server.playground.hub.listen() as take:
                self.close_connection = True
                self._head(200, "text/event-stream", None)
                text = "retry: 1000\n\nevent: hello\ndata: {}\n\n"
                while True:
                    self.wfile.write(text.encode())
                    self.wfile.flush()
                    events = take(_BEAT)
                    if events is None:
                        return
                    parts = [f"event: {kind}\ndata: {_dumps(content)}\n\n" for kind, content in events]
                    text = "".join(parts) or ": still here\n\n"
        except BlockingIOError as error:
            raise Refused(503, f"{error}; close one") from None

    def _refuse(self, refusal: Refused) -> None:
        """Send the refusal, and read the rest of the body, so that the sender gets the answer."""
        self.close_connection = True
        self._json(refusal.status, {"error": str(refusal)})
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_WR)
        text = self.headers.get("Content-Length", "0")
        left = min(int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0, limits.MAX_DISCARD)
        try:
            while left > 0 and (block := self.rfile.read(min(left, 1 << 16))):
                left -= len(block)
        except OSError:
            return

    def _json(self, status: int, document: dict[str, Any]) -> None:
        self._send(status, "application/json", _dumps(document).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self._head(status, kind, len(body), body)

    def _head(self, status: int, kind: str, length: int | None, body: bytes = b"") -> None:
        """Write headers and body; they are sent when the request has been handled."""
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        if length is not None:
            self.send_header("Content-Length", str(length))
        if self.close_connection:
            self.send_header("Connection", "close")
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _dumps(document: dict[str, Any]) -> str:
    return json.dumps(document, allow_nan=False, separators=(",", ":"), default=_plain)


def _plain(value: Any) -> Any:
    """NumPy's numbers and arrays; an infinite bound is no number of JSON."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no JSON")
