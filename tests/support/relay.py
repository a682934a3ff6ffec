"""A way to an S3 server on which a test stands: it sees every request before the server does, and every answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote, urlsplit

from tests.support.patience import LONG_S
from tests.support.s3_servers import Answer, S3Server, scripted_server

# What belongs to one connection and not to the answer.
_OF_THE_LINE = {"connection", "transfer-encoding", "content-length", "date", "server"}


@dataclass(frozen=True, slots=True)
class Passing:
    """A request on its way: its method and the key, or the query of a listing."""

    method: str
    target: str

    @property
    def key(self) -> str:
        """The object it is about; empty for a listing."""
        return unquote(urlsplit(self.target).path).lstrip("/").partition("/")[2]


# Whether whoever asked is still there to be answered.
Watch = Callable[[Passing], bool]


def passes(_: Passing) -> bool:
    """Let it pass."""
    return True


@contextmanager
def relayed(server: S3Server, *, before: Watch = passes, after: Watch = passes) -> Iterator[S3Server]:
    """The same server behind another address; `after` is called when it has acted and nobody has been told."""
    address = urlsplit(server.endpoint_url).netloc

    def script(handler: BaseHTTPRequestHandler, body: bytes) -> Answer | None:
        passing = Passing(handler.command, handler.path)
        if not before(passing):
            return None
        line = HTTPConnection(address, timeout=LONG_S)
        try:
            line.request(handler.command, handler.path, body or None, dict(handler.headers.items()))
            answer = line.getresponse()
            content = answer.read()
        finally:
            line.close()
        if not after(passing):
            return None
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in _OF_THE_LINE}
        return answer.status, kept, content

    with scripted_server(script) as relay:
        yield replace(server, endpoint_url=relay.endpoint_url)
