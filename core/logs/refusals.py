"""Refusals: what strangers and broken programs ask for in vain. Counted, and told in a line a minute and kind.

Nothing of ours is at fault, so none is an incident; and whoever is refused a thousand times must not fill the log.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog

WINDOW_S: Final = 60.0
SOURCES_MAX: Final = 20  # lines a minute and kind, where those who are refused are told apart
_log = structlog.get_logger(__name__)


KINDS_MAX: Final = 500  # beyond it all others are one kind


@dataclass(slots=True)
class _Window:
    """The last minute of one kind: who was told of in it, and when (s). `unsaid` counts on until the next line."""

    told: dict[str, float] = field(default_factory=dict)
    unsaid: int = 0


class OncePerMinute:
    """What may be said of things that strangers can repeat at will."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[Hashable, _Window] = {}

    def unsaid_before(self, kind: Hashable, source: str = "") -> int | None:
        """How many of this kind were not told of since its last line; None for one that is not to be told of itself."""
        now = self._clock()
        with self._lock:
            if len(self._windows) >= KINDS_MAX and kind not in self._windows:
                kind = None
            window = self._windows.setdefault(kind, _Window())
            window.told = {who: at for who, at in window.told.items() if now - at < WINDOW_S}
            if source in window.told or len(window.told) >= SOURCES_MAX:
                window.unsaid += 1
                return None
            window.told[source] = now
            unsaid, window.unsaid = window.unsaid, 0
            return unsaid


class Refusals:
    """The refusals of one process: `event` is what was refused, `reason` why, in few words and few of them."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._told = OncePerMinute(clock=clock)
        self._lock = threading.Lock()
        self._counted: Counter[tuple[str, str]] = Counter()

    def refuse(self, event: str, *, reason: str, source: str = "", **about: object) -> None:
        """Count a refusal; the first of its kind in a minute, and of its `source` if there is one, is a warning.

        The line says how many before it were `unsaid`.
        """
        with self._lock:
            self._counted[event, reason] += 1
        unsaid = self._told.unsaid_before((event, reason), source)
        if unsaid is None:
            return
        if unsaid:
            about["unsaid"] = unsaid
        if source:
            about["source"] = source
        _log.warning(event, reason=reason, **about)

    def counted(self) -> Mapping[tuple[str, str], int]:
        """How many there have been, by event and reason."""
        with self._lock:
            return dict(self._counted)


_refusals = Refusals()
refuse, counted = _refusals.refuse, _refusals.counted
