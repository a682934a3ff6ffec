"""Clients that hold on: what may be connected to a server when it is told to stop, and does not let go."""

from __future__ import annotations

import base64
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg

from core.images.decode import SIGNATURE_BYTES
from core.settings import PROJECT_ROOT
from core.storage.client import Reach
from core.storage.embedded.server import EmbeddedS3
from core.storage.s3 import Store
from core.web.http.addresses import ORIGINAL, image_url

EVERY_S = 0.001
MANY = 4
# More than the buffers on the way hold, so that the server is still sending when it is told to stop.
_PICTURE = b"\x89PNG\r\n\x1a\n".ljust(SIGNATURE_BYTES, b"\0") + bytes(24_000_000)
_PICTURE_KEY = "studio/generations/2026/01/01/01KDVTZ0000000000000000000/tone-only-1.png"


@contextmanager
def spare_connections(url: str) -> Iterator[None]:
    """Plain connections that never speak, as browsers open them ahead; they keep arriving while anybody listens."""
    begun, over, held = threading.Event(), threading.Event(), list[socket.socket]()

    def arrive() -> None:
        with suppress(OSError):
            while not over.wait(EVERY_S):
                held.append(_connected(url))
                begun.set()

    arriving = threading.Thread(target=arrive, daemon=True)
    arriving.start()
    begun.wait()
    try:
        yield
    finally:
        over.set()
        arriving.join()
        for each in held:
            each.close()


@contextmanager
def half_requests(url: str) -> Iterator[None]:
    """Requests whose headers never end, and one whose body does not."""
    with ExitStack() as held:
        for _ in range(MANY):
            held.enter_context(_connected(url)).sendall(b"GET / HTTP/1.1\r\nHost: loc")
        post = b"POST /session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
        held.enter_context(_connected(url)).sendall(post)
        yield


@contextmanager
def slow_readers(url: str, path: str) -> Iterator[None]:
    """They ask for a picture and read a byte a second."""
    over, host = threading.Event(), urlsplit(url).netloc
    with ExitStack() as held:
        held.callback(over.set)
        for _ in range(MANY):
            reader = held.enter_context(_connected(url))
            reader.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            begun = reader.recv(12)
            if begun != b"HTTP/1.1 200":
                raise AssertionError(f"{path} was answered {begun!r}")
            threading.Thread(target=_read_slowly, args=(reader, over), daemon=True).start()
        yield


@contextmanager
def web_sockets(url: str) -> Iterator[None]:
    """Sessions of people whose end does not answer any more, not even to a close."""
    host = urlsplit(url).netloc
    with ExitStack() as held:
        for _ in range(MANY):
            socket_ = held.enter_context(_connected(url))
            key = base64.b64encode(os.urandom(16)).decode()
            socket_.sendall(
                f"GET /_stcore/stream HTTP/1.1\r\nHost: {host}\r\nOrigin: {url}\r\nUpgrade: websocket\r\n"
                f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Protocol: streamlit\r\n\r\n".encode()
            )
            begun = socket_.recv(12)
            if begun != b"HTTP/1.1 101":
                raise AssertionError(f"the WebSocket was answered {begun!r}")
            asked = BackMsg()
            asked.rerun_script.context_info.url = url
            body = asked.SerializeToString()
            # a masked binary frame of less than 126 bytes; the mask is zero
            socket_.sendall(bytes((0x82, 0x80 | len(body), 0, 0, 0, 0)) + body)
        yield


def large_picture(data_dir: Path) -> str:
    """Put a picture that is long in coming into the bucket of a running server, and return its path there."""
    s3 = EmbeddedS3.open(data_dir, PROJECT_ROOT / "samples" / "refs")
    store = Store(Reach(s3.bucket, s3.endpoint_url, s3.access_key, s3.secret_key))
    etag = store.put(_PICTURE_KEY, _PICTURE, content_type="image/png")
    return image_url(_PICTURE_KEY, etag, ORIGINAL)


def _connected(url: str) -> socket.socket:
    """A connection with small buffers."""
    where = urlsplit(url)
    made = socket.socket()
    made.settimeout(60)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    try:
        made.connect((where.hostname, where.port))
    except OSError:
        made.close()
        raise
    return made


def _read_slowly(reader: socket.socket, over: threading.Event) -> None:
    with suppress(OSError):
        while not over.wait(1.0) and reader.recv(1):
            pass
