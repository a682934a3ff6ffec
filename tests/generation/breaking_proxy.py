"""A proxy to an S3 that breaks the connection at a given request."""

from __future__ import annotations

import re
import selectors
import socket
import threading
from urllib.parse import urlsplit


class BreakingProxy:
    """Relays TCP until a request matches; from then on every connection breaks until it is mended."""

    def __init__(self, endpoint_url: str) -> None:
        parts = urlsplit(endpoint_url)
        self._behind = (parts.hostname or "", parts.port or 0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.was_cut = threading.Event()
        self._cut_at: re.Pattern[bytes] | None = None
        self._answered = False
        self._is_cut = False
        self._closed = False
        self._threads = [threading.Thread(target=self._accept)]

    def cut_at(self, request: str, *, answered: bool) -> None:
        """Cut at the request line that matches; if `answered`, S3 still does the work and only its answer is lost."""
        self._cut_at, self._answered = re.compile(request.encode()), answered

    def mend(self) -> None:
        self._cut_at, self._is_cut = None, False

    def __enter__(self) -> BreakingProxy:
        self._threads[0].start()
        return self

    def __exit__(self, *_args: object) -> None:
        self._closed = True
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._closed:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._relay, args=(near,))
            self._threads.append(thread)
            thread.start()

    def _relay(self, near: socket.socket) -> None:
        with near, socket.create_connection(self._behind) as far, selectors.DefaultSelector() as ready:
            ready.register(near, selectors.EVENT_READ, far)
            ready.register(far, selectors.EVENT_READ, near)
            loses_answer = False
            while not self._closed and not (self._is_cut and not loses_answer):
                for key, _ in ready.select(0.05):
                    source, target = key.fileobj, key.data
                    assert isinstance(source, socket.socket)
                    data = source.recv(65536)
                    if source is far and loses_answer and not data.startswith(b"HTTP/1.1 100"):
                        self.was_cut.set()
                        return
                    if source is near and self._cut_at is not None and self._cut_at.match(data):
                        self._is_cut = True
                        if not self._answered:
                            self.was_cut.set()
                            return
                        loses_answer = True
                    if not data:
                        return
                    target.sendall(data)
