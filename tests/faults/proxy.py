"""A fault proxy before a server: it relays TCP, and holds, refuses or loses the requests that it is told to."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from tests.support.latch import Latch

_REQUEST = re.compile(rb"(?:GET|HEAD|PUT|POST|DELETE) \S+ HTTP/1\.1\r\n")
_UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Does(StrEnum):
    """What becomes of a request."""

    HOLD = "hold"
    REFUSE = "refuse"
    LOSE_THE_ANSWER = "lose the answer"


@dataclass(eq=False)
class Rule:
    """What happens to requests whose line (`PUT /bucket/key`, decoded) matches, so many times (None: always)."""

    pattern: re.Pattern[str]
    does: Does
    times: int | None = None
    latch: Latch = field(default_factory=Latch)
    lines: list[str] = field(default_factory=list)
    dropped: bool = False


class FaultProxy:
    """Relays to the server at `url`; `shut` makes it a port where nobody listens."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._behind = (parts.hostname or "", parts.port or 0)
        self._path = parts.path
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._port = self._listener.getsockname()[1]
        self.reopen()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}{self._path}"

    def rule(self, pattern: str, does: Does = Does.HOLD, *, times: int | None = None) -> Rule:
        """From now on do this with what matches; the rules that came first go first."""
        made = Rule(re.compile(pattern), does, times)
        with self._lock:
            self._rules.append(made)
        return made

    def lift(self, rule: Rule) -> None:
        """Let everything pass that the rule was for."""
        with self._lock:
            self._rules.remove(rule)
        rule.latch.open()

    def drop_all(self) -> None:
        """Let everything pass from now on, and what is held go nowhere: whoever sent it is dead."""
        for rule in list(self._rules):
            rule.dropped = True
            self.lift(rule)

    def shut(self) -> None:
        """Refuse connections from now on; those that are open stay."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()

    def reopen(self) -> None:
        """Accept connections, again on the same port."""
        if self._listener.fileno() < 0:
            self._listener = socket.create_server(("127.0.0.1", self._port), backlog=256)
        self._accepting = threading.Thread(target=self._accept, args=(self._listener,), daemon=True)
        self._accepting.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._relay, args=(near,), daemon=True).start()

    def _relay(self, near: socket.socket) -> None:
        with near, suppress(OSError), socket.create_connection(self._behind) as far:
            lost = threading.Event()
            back = threading.Thread(target=_pour, args=(far, near, lost), daemon=True)
            back.start()
            try:
                self._pass_on(near, far, lost)
            finally:  # closing alone ends nothing while another thread reads from it
                far.shutdown(socket.SHUT_RDWR)

    def _pass_on(self, near: socket.socket, far: socket.socket, lost: threading.Event) -> None:
        while data := near.recv(65536):
            rule = self._rule_for(data)
            if rule is not None and rule.does is Does.REFUSE:
                near.sendall(_UNAVAILABLE)
                return
            if rule is not None and rule.does is Does.LOSE_THE_ANSWER:
                lost.set()
            if rule is not None and rule.does is Does.HOLD:
                rule.latch.hold()
                if rule.dropped:
                    return
            far.sendall(data)

    def _rule_for(self, data: bytes) -> Rule | None:
        if not _REQUEST.match(data):
            return None
        line = unquote(data.partition(b" HTTP/1.1\r\n")[0].decode())
        with self._lock:
            for rule in self._rules:
                if rule.pattern.search(line) and rule.times != 0:
                    rule.times = rule.times - 1 if rule.times is not None else None
                    rule.lines.append(line)
                    return rule
        return None


def _pour(far: socket.socket, near: socket.socket, lost: threading.Event) -> None:
    """What comes back; an answer that is to be lost breaks the connection once the work is done."""
    with suppress(OSError):
        while data := far.recv(65536):
            if lost.is_set() and not data.startswith(b"HTTP/1.1 100"):
                break
            near.sendall(data)
        near.shutdown(socket.SHUT_RDWR)
