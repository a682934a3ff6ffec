"""Logs: one JSON line an event, on standard error, without secrets and without prompts nobody allowed."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterable
from typing import Any, Final

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from core.unicode import shows_all

KEPT_OUT: Final = "[kept out]"
_SHORTEST_SECRET = 6  # anything shorter would be found in ordinary words
# What is a secret wherever it came from: OpenAI keys, bearer tokens, and the signature of a presigned URL.
_LOOKS_SECRET = re.compile(
    r"\bsk-[\w-]{8,}|(?<=[Bb]earer )[\w.~+/=-]{8,}|(?<=X-Amz-Signature=)\w+|(?<=X-Amz-Security-Token=)[\w%]+"
)
LONGEST_TEXT: Final = 4_000  # characters of one field
LONGEST_TRACEBACK: Final = 8_000
# What a terminal may take for a command, what a reader may take for the end of a line, and what is no character at all;
# JSON itself escapes what is below the blank.
_UNPRINTABLE = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class Discretion:
    """What must not be written: known secrets, what looks like one, and prompts unless they are allowed."""

    def __init__(self, secrets: Iterable[str] = (), *, prompts: bool = False) -> None:
        # the longest first: one may be part of another
        known = sorted((each for each in secrets if len(each) >= _SHORTEST_SECRET), key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None
        self._prompts = prompts

    def without_prompt(self, _logger: WrappedLogger, _level: str, event: EventDict) -> EventDict:
        """Leave the prompt out unless LOG_PROMPTS allows it."""
        if not self._prompts:
            event.pop("prompt", None)
        return event

    def without_secrets(self, _logger: WrappedLogger, _level: str, event: EventDict) -> EventDict:
        """Take secrets out of every text, before JSON escapes it."""
        return {name: self._cleaned(value) for name, value in event.items()}

    def _cleaned(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._cleaned(each) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [self._cleaned(each) for each in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        text = value if isinstance(value, str) else repr(value)
        if self._known is not None:
            text = self._known.sub(KEPT_OUT, text)
        return _LOOKS_SECRET.sub(KEPT_OUT, text)


def configure_logs(level: int = logging.INFO, discretion: Discretion | None = None) -> None:
    """Send every structured event from this level up to standard error as one JSON line."""
    structlog.configure(
        processors=_processors(discretion or Discretion()),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


def _processors(discretion: Discretion) -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        discretion.without_prompt,
        discretion.without_secrets,
        _bounded,
        _as_line,
    ]


def _bounded(_logger: WrappedLogger, _level: str, event: EventDict) -> EventDict:
    """Cut what is too long in the middle: how a text begins and a traceback ends is what tells."""
    return {
        name: _shortened(value, LONGEST_TRACEBACK if name == "exception" else LONGEST_TEXT)
        for name, value in event.items()
    }


def _shortened(value: Any, longest: int) -> Any:
    if isinstance(value, dict | list):
        text = json.dumps(value, ensure_ascii=False)
        return value if len(text) <= longest else _shortened(text, longest)
    if not isinstance(value, str) or len(value) <= longest:
        return value
    half = longest // 2
    return f"{value[:half]} … {len(value) - 2 * half} characters … {value[-half:]}"


def _as_line(_logger: WrappedLogger, _level: str, event: EventDict) -> str:
    """The event as JSON that is one line to everybody who reads it, and harmless in a terminal."""
    line = json.dumps(event, ensure_ascii=not shows_all(sys.__stderr__))
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", line)
