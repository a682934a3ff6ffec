"""moto's S3 over real HTTP, with a bucket for whoever asks."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from moto.moto_server.threaded_moto_server import ThreadedMotoServer
from moto.s3.models import s3_backends

from tests.storage.s3_servers import S3Server, client_of


@contextmanager
def moto_server() -> Iterator[S3Server]:
    """A server of its own on a free loopback port; it has no bucket yet."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield S3Server("moto", f"http://{host}:{port}", "none")
    server.stop()
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
