"""An HTTP proxy before an S3 server that shows a test every request before the server has it, and every answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote, urlsplit

from tests.support.s3.servers import Answer, S3Server, scripted_server
from tests.support.timeouts import LONG_S

# What belongs to one connection and not to the answer.
_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "date", "server"}


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request on its way: its method and the key, or the query of a listing."""

    method: str
    target: str

    @property
    def key(self) -> str:
        """The object it is about; empty for a listing."""
        return unquote(urlsplit(self.target).path).lstrip("/").partition("/")[2]


# Whether whoever asked is still there to be answered.
Watch = Callable[[Exchange], bool]


def passes(_: Exchange) -> bool:
    """Let it pass."""
    return True


@contextmanager
def proxied(server: S3Server, *, before: Watch = passes, after: Watch = passes) -> Iterator[S3Server]:
    """The same server behind another address; `after` is called when it has acted and nobody has been told."""
    address = urlsplit(server.endpoint_url).netloc

    def script(handler: BaseHTTPRequestHandler, body: bytes) -> Answer | None:
        exchange = Exchange(handler.command, handler.path)
        if not before(exchange):
            return None
        connection = HTTPConnection(address, timeout=LONG_S)
        try:
            connection.request(handler.command, handler.path, body or None, dict(handler.headers.items()))
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if not after(exchange):
            return None
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP}
        return answer.status, kept, content

    with scripted_server(script) as proxy:
        yield replace(server, endpoint_url=proxy.endpoint_url)
