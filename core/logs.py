"""Logs: one JSON line an event, on standard error, without secrets and without prompts nobody allowed."""

from __future__ import annotations

import logging
import re
import sys
import threading
from collections.abc import Iterable
from typing import Any, Final

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from core.incidents import report

KEPT_OUT: Final = "[kept out]"
_SHORTEST_SECRET = 6  # anything shorter would be found in ordinary words
# What is a secret wherever it came from: OpenAI keys, bearer tokens, and the signature of a presigned URL.
_LOOKS_SECRET = re.compile(
    r"\bsk-[\w-]{8,}|(?<=[Bb]earer )[\w.~+/=-]{8,}|(?<=X-Amz-Signature=)\w+|(?<=X-Amz-Security-Token=)[\w%]+"
)
# Servers and libraries that would otherwise write lines of their own, each with a handler of its own.
_ADOPTED = ("streamlit", "uvicorn", "websockets", "werkzeug", "botocore", "py.warnings")


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


def adopt_foreign_logs(discretion: Discretion) -> None:
    """Write what libraries log in the same form, and what ends a thread as well; for the serving process.

    Loggers that a library makes later keep their own form.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_processors(discretion),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    for name in [*logging.Logger.manager.loggerDict]:
        if name.partition(".")[0] in _ADOPTED:
            logger = logging.getLogger(name)
            logger.handlers, logger.propagate = [], name != "uvicorn.access"  # the proxy keeps that log
            logger.setLevel(max(logger.level, logging.WARNING))  # what went well, the events of our own say
    logging.captureWarnings(capture=True)
    threading.excepthook = _thread_ended


def _processors(discretion: Discretion) -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        discretion.without_prompt,
        discretion.without_secrets,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]


def _thread_ended(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        report("thread_crashed", args.exc_value, thread=args.thread.name if args.thread else None)
