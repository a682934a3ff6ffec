"""moto's S3 over real HTTP, with a bucket for whoever asks."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from moto.core import serialize
from moto.s3.models import s3_backends
from moto.server import create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.support.s3.servers import S3Server, client_of

# Moto has the dates of a listing as texts, and parses each to write it down again.
_parse = serialize.parse_to_aware_datetime
_parse_text = lru_cache(maxsize=8192)(_parse)


def _parse_once(value: int | str | datetime) -> datetime:
    return _parse_text(value) if isinstance(value, str) else _parse(value)


serialize.parse_to_aware_datetime = _parse_once


class _QuietHandler(WSGIRequestHandler):
    """Without a log line for every request, which takes a tenth of its time."""

    def log_request(self, *_args: object) -> None:
        """Say nothing."""


def _one_write_at_a_time(app: WSGIApplication) -> WSGIApplication:
    """S3 checks a condition and writes in one step; moto does one after the other, and another thread in between."""
    lock = threading.Lock()

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with nullcontext() if environ["REQUEST_METHOD"] in ("GET", "HEAD") else lock:
            return app(environ, start_response)

    return serve


@contextmanager
def moto_server() -> Iterator[S3Server]:
    """A server of its own on a free loopback port; it has no bucket yet.

    It serves moto's S3 and no other service: to tell by a request which one is meant takes moto five times as long as
    to answer it.
    """
    app = _one_write_at_a_time(create_backend_app("s3"))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_QuietHandler)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield S3Server("moto", f"http://127.0.0.1:{server.server_port}", "none")
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
        for account in list(s3_backends.values()):  # or moto complains about keys that were not disposed of
            account.reset()


def with_bucket(server: S3Server, objects: Mapping[str, bytes] | None = None) -> S3Server:
    """The same server with a new bucket that holds these objects."""
    named = replace(server, bucket=f"studio-{uuid.uuid4().hex[:12]}")
    client_of(named).create_bucket(Bucket=named.bucket)
    fill(named, objects or {})
    return named


def fill(server: S3Server, objects: Mapping[str, bytes]) -> None:
    """Put objects into the server's bucket."""
    client = client_of(server)
    for key, data in objects.items():
        client.put_object(Bucket=server.bucket, Key=key, Body=data)


def remove(server: S3Server, *keys: str) -> None:
    """Take objects out of the server's bucket."""
    client = client_of(server)
    for key in keys:
        client.delete_object(Bucket=server.bucket, Key=key)
