"""The stop of a server: work is ended the moment the signal comes, and the process in time, whatever holds on to it.

A server waits for its connections before it lets the application close, uvicorn without end; and Python waits for
its threads. Neither may keep what runs from being recorded, nor the next server from starting (docs/decisions/022).
"""

from __future__ import annotations

import os
import queue
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Final

import structlog

from core.studio import close_studio, running_studio

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
CONNECTIONS_S: Final = 1.0  # answers that are on their way get so long, or as long as work takes to end
AFTER_WORK_S: Final = 2.0  # the last resort after GENERATION_STOP_S; on a busy machine, too, all is over before 3 s
_LAST_WORD_S = 0.2
_log = structlog.get_logger(__name__)


class Stop:
    """The one stop of this process: begun by a signal, or by the server once all its connections are closed."""

    def __init__(self, *, work_s: float) -> None:
        """`work_s` is what sides at work get to finish."""
        self._limit_s = work_s + AFTER_WORK_S
        self._is_signalled = False
        # A handler may interrupt anything, even another handler: of all that wakes a thread, only this is safe there.
        # https://docs.python.org/3/library/queue.html#queue.SimpleQueue.put
        self._signals: queue.SimpleQueue[float] = queue.SimpleQueue()
        self._connections_closed = threading.Event()
        self._closing = threading.Lock()
        self._is_closed = False

    def listen(self) -> None:
        """Hear SIGTERM and SIGINT before the server does; in a test that serves on another thread, nothing is heard."""
        if threading.current_thread() is not threading.main_thread():
            return
        threading.Thread(target=self._end, name="stop", daemon=True).start()
        for number in SIGNALS:
            signal.signal(number, self._handler_around(signal.getsignal(number)))

    def connections_closed(self) -> None:
        """The server has closed all connections: close the rest, or wait until it is closed, and leave it to end."""
        self._connections_closed.set()
        self._close(time.monotonic())

    def _handler_around(self, server: Callable[[int, FrameType | None], object] | int | None) -> Callable[..., None]:
        """A handler around the server's own. Only the first signal counts: a second would make uvicorn skip the end."""

        def handle(number: int, frame: FrameType | None) -> None:
            if self._is_signalled:
                return
            self._is_signalled = True
            self._signals.put(time.monotonic())
            if callable(server):
                server(number, frame)

        return handle

    def _end(self) -> None:
        """Once signalled: close everything, then end the process if connections keep the server from doing that."""
        began = self._signals.get()
        last = threading.Timer(began + self._limit_s - time.monotonic(), _give_up)
        last.daemon = True
        last.start()
        try:
            self._close(began + CONNECTIONS_S)
        except Exception:  # noqa: BLE001 - whatever it is, the process must end
            _log.exception("server_stop_failed")
        if not self._connections_closed.is_set():
            os._exit(0)  # every line of the log was flushed as it was written

    def _close(self, connections_until: float) -> None:
        with self._closing:
            if self._is_closed:
                return
            self._is_closed = True
            studio = running_studio()
            load = studio.runner.load if studio else None
            _log.info("server_stopping", running=load.running if load else 0, waiting=load.waiting if load else 0)
            if studio:
                studio.runner.close()
            self._connections_closed.wait(max(0.0, connections_until - time.monotonic()))
            close_studio()
            _log.info("server_stopped")


def _give_up() -> None:
    """End the process now, with a last word as far as anybody reads the log."""
    held = [thread.name for thread in threading.enumerate() if not thread.daemon]
    last_word = threading.Thread(target=lambda: _log.error("server_stop_overdue", threads=held), daemon=True)
    last_word.start()
    last_word.join(_LAST_WORD_S)
    os._exit(0)
