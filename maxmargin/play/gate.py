"""Checks of requests: only the page itself, from this machine, with the token and a small body, is answered."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from email.message import Message
from urllib.parse import parse_qs, urlsplit

from . import limits


class Refused(Exception):
    """A request that is not answered: HTTP status and one sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True)
class Gate:
    """The checks of every request.

    Attributes
    ----------
    port : where the server listens.  token : random text that the page's address carries.
    """

    port: int
    token: str

    @property
    def url(self) -> str:
        """The address of the page, token included."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    def check_origin(self, headers: Message) -> None:
        """Refuse another Host (a name that was made to point here) and requests of other pages (Origin)."""
        hosts = [f"{name}:{self.port}" for name in ("127.0.0.1", "localhost")]
        if headers.get_all("Host", []) not in [[host] for host in hosts]:
            raise Refused(403, f"Host: found {str(headers.get('Host'))[:60]!r}, wanted {hosts[0]}")
        origin = headers.get("Origin")
        if origin is not None and origin not in [f"http://{host}" for host in hosts]:
            raise Refused(403, f"Origin: found {origin[:60]!r}, wanted the playground's own page")
        if headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            raise Refused(403, "Sec-Fetch-Site: found a request of another page, wanted the playground's own page")

    def check_token(self, target: str) -> None:
        """Refuse an address without the token."""
        found = parse_qs(urlsplit(target).query).get("token", [""])[0]
        if not hmac.compare_digest(found.encode(), self.token.encode()):
            raise Refused(403, "token: wanted the one in the address that maxmargin play has printed")

    def body_size(self, headers: Message) -> int:
        """The length of a JSON body that may be read."""
        if headers.get_content_type() != "application/json":
            raise Refused(415, f"Content-Type: found {headers.get_content_type()!r}, wanted application/json")
        text = headers.get("Content-Length", "")
        if "Transfer-Encoding" in headers or not (text.isascii() and text.isdigit() and len(text) < 16):
            raise Refused(411, "Content-Length: wanted the length of the body in bytes")
        if int(text) > limits.MAX_BODY:
            raise Refused(413, f"body: found {text} bytes, wanted at most {limits.MAX_BODY}")
        return int(text)
