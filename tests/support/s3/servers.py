"""Servers for the storage tests: how to reach one, one that does as it is told, and one to be killed."""

from __future__ import annotations

import json
import os
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from botocore.config import Config

from core.storage.client import Reach
from core.storage.embedded.server import EmbeddedS3
from core.storage.list_pages import ListPages
from core.storage.s3 import Store
from tests.support.processes.forks import Fork
from tests.support.s3.plain_client import plain_client
from tests.support.timeouts import LONG_S, until

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PAGED_KEYS = 1005
SERVERS = ("moto", "embedded", "rclone")


@dataclass(frozen=True, slots=True)
class S3Server:
    """A running server with one bucket."""

    name: str
    endpoint_url: str
    bucket: str
    access_key: str = "AKIDTEST"
    secret_key: str = "secret"
    pages_bucket: str | None = None  # holds PAGED_KEYS objects

    @property
    def reach(self) -> Reach:
        return Reach(self.bucket, self.endpoint_url, self.access_key, self.secret_key)

    def store(self, *, attempts: int = 3, **changes: Any) -> Store:
        """A store of its bucket. Stores of one server go through one boto3 client, to which all buckets are alike."""
        reach = replace(self.reach, **changes)
        store = copy(_store_without_bucket(replace(reach, bucket=""), attempts))
        store.client = copy(store.client)
        store.client.bucket = reach.bucket
        return store

    def list_pages(self, *, attempts: int = 2) -> ListPages:
        """Its listing, page by page; what does not answer is given up on quickly."""
        return _list_pages(self.reach, attempts)


@lru_cache(maxsize=32)  # a client takes boto3 longer to make than most tests to run
def _store_without_bucket(reach: Reach, attempts: int) -> Store:
    return Store(reach, attempts=attempts)


@lru_cache(maxsize=32)
def _list_pages(reach: Reach, attempts: int) -> ListPages:
    return ListPages(reach, attempts=attempts)


def paged_name(number: int) -> str:
    return f"{number:04d} +é"


def served_by(server: EmbeddedS3) -> S3Server:
    return S3Server("embedded", server.endpoint_url, server.bucket, server.access_key, server.secret_key)


def environment(server: S3Server, **more: str) -> dict[str, str]:
    """The settings that mean this server's bucket."""
    return {
        "S3_BUCKET": server.bucket,
        "S3_ENDPOINT_URL": server.endpoint_url,
        "AWS_ACCESS_KEY_ID": server.access_key,
        "AWS_SECRET_ACCESS_KEY": server.secret_key,
        **more,
    }


def client_of(server: S3Server, **changes: Any) -> Any:
    """A plain boto3 client, for what the store does not do. One serves everybody who asks for no `changes`."""
    reached = (server.endpoint_url, server.access_key, server.secret_key)
    return _client(*reached, **changes) if changes else _shared_client(*reached)


def _client(endpoint_url: str, access_key: str, secret_key: str, **changes: Any) -> Any:
    asked: dict[str, Any] = {
        "endpoint_url": endpoint_url,
        "aws_access_key_id": access_key,
        "aws_secret_access_key": secret_key,
        "region_name": "us-east-1",
        "config": Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    }
    return plain_client(**(asked | changes))


_shared_client = lru_cache(maxsize=32)(_client)


Answer = tuple[int, dict[str, str], bytes]
Script = Callable[[BaseHTTPRequestHandler, bytes], Answer | None]


@contextmanager
def scripted_server(script: Script) -> Iterator[S3Server]:
    """A server that gives each request to `script`; None breaks the connection off."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.close_connection = True
            answer = script(self, body)
            if answer is None:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            status, headers, content = answer
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(content))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_PUT = do_HEAD = do_DELETE = answer  # noqa: N815 - http.server's names

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.02,))
        thread.start()
        yield S3Server("scripted", f"http://127.0.0.1:{http.server_port}", "contract")
        http.shutdown()
        thread.join()


def _is_said(told: Path) -> bool:
    """Whether a whole line stands in the file."""
    return told.exists() and told.read_text("utf-8").endswith("\n")


class ServingProcess:
    """The embedded S3 in a process of its own, to be killed."""

    def __init__(self, data_dir: Path, samples: Path, *, largest_file_bytes: int = 0) -> None:
        told = data_dir.with_name(f"{uuid.uuid4()}.json")
        command = [str(HERE / "serve_embedded.py"), str(data_dir), str(samples), str(largest_file_bytes)]
        errors = told.with_suffix(".txt")
        self._process = Fork(command, cwd=ROOT, env=os.environ, stdout=told, stderr=errors)
        until(lambda: self._process.poll() is not None or _is_said(told))
        assert self._process.poll() is None, errors.read_text("utf-8")
        self.server = S3Server("embedded", **json.loads(told.read_text("utf-8")))

    def kill(self) -> None:
        self._process.kill()  # SIGKILL: nothing is flushed, nothing is tidied up
        self._process.wait(LONG_S)

    def __enter__(self) -> ServingProcess:
        return self

    def __exit__(self, *_args: object) -> None:
        self.kill()
