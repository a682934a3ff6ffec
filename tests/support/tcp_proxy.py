"""A TCP proxy between the dashboard and what it depends on, which can be cut, go silent, and be mended again."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from tests.support.timeouts import LONG_S


class TcpProxy:
    """A TCP relay on a loopback port.

    Cut, it refuses newcomers and hangs up on everybody else. Silent, it takes everybody and answers nobody.
    """

    def __init__(self, target: str) -> None:
        where = urlsplit(target)
        self._target = (where.hostname or "", where.port or 0)
        self._lock = threading.Lock()
        self._pairs: set[socket.socket] = set()
        self._listening: socket.socket | None = None
        self._accepting: threading.Thread | None = None
        self._port = 0
        self._silent = False
        self.taken = 0  # connections so far
        self.mend()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def mend(self) -> None:
        """Let everything through, on the same port as ever; what was sent into a silence is lost."""
        self._listen(silent=False)

    def silence(self) -> None:
        """Take whoever comes, and carry nothing in either direction."""
        self._listen(silent=True)

    def _listen(self, *, silent: bool) -> None:
        self.cut()
        self._silent = silent
        self._listening = socket.create_server(("127.0.0.1", self._port), backlog=256)
        self._port = self._listening.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, args=(self._listening,), daemon=True)
        self._accepting.start()

    def cut(self) -> None:
        """Let nothing through any more."""
        if self._listening is None:
            return
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)  # wakes up who accepts
        self._listening.close()
        self._listening = None
        if self._accepting is not None:
            self._accepting.join(LONG_S)
        with self._lock:
            for end in self._pairs:
                _hang_up(end)

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                near = listening.accept()[0]
            except OSError:
                return
            self.taken += 1
            try:
                far = socket.create_connection(self._target, 5)
            except OSError:
                near.close()
                continue
            with self._lock:
                self._pairs |= {near, far}
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not self._silent:
                    sink.sendall(data)
        for end in (source, sink):
            _hang_up(end)
        with self._lock:
            if {source, sink} <= self._pairs:
                self._pairs -= {source, sink}
            else:  # the other direction has ended before: nobody reads or writes these any more
                source.close()
                sink.close()


def _hang_up(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


@contextmanager
def tcp_proxy(target: str) -> Iterator[TcpProxy]:
    """A proxy to a server, cut at the end."""
    proxy = TcpProxy(target)
    try:
        yield proxy
    finally:
        proxy.cut()
