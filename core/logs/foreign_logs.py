"""Foreign logs: what libraries, Python itself and a bare print say in the serving process goes through our log.

Each event is one line there, whichever way it was said, with our discretion; and what a browser or a program can make
a library say any number of times is told of once a minute.
"""

from __future__ import annotations

import io
import logging
import sys
import threading
from types import TracebackType
from typing import Final, TextIO

import structlog

from core.logs.incidents import report
from core.logs.refusals import OncePerMinute, refuse

# Servers and libraries that have made loggers before, each with a handler and a level of its own.
_ADOPTED: Final = ("streamlit", "uvicorn", "websockets", "werkzeug", "botocore", "py.warnings")
# What our own line says already: core/ui/frame/problems.py reports each exception that Streamlit logs so.
_SAID_BY_US: Final = frozenset({("streamlit.error_util", "Uncaught app execution")})
# What only a stranger or a broken program brings about: by the logger and the beginning of what it says.
_REFUSALS: Final = (
    ("uvicorn.error", "Invalid HTTP request received", "request_refused", "no HTTP"),
    ("uvicorn.error", "Unsupported upgrade request", "request_refused", "no WebSocket"),
    ("streamlit.runtime.app_session", "Error processing back message", "message_refused", "cannot be processed"),
    ("streamlit.runtime.app_session", "No handler for", "message_refused", "unknown kind"),
    ("streamlit.runtime.scriptrunner.script_runner", "Couldn't find fragment", "message_refused", "unknown fragment"),
    ("streamlit.web.server.starlette", "Error deserializing back message", "message_refused", "no message"),
    ("streamlit.components.v2", "Failed to deserialize component state", "message_refused", "malformed value"),
)
_log = structlog.get_logger(__name__)


def adopt_foreign_logs() -> None:
    """From now on all that this process says is an event of the log; call it once `configure_logs` has been called."""
    logging.setLoggerClass(_Adopted)
    logging.getLogger().handlers = [_Events()]
    for name in [*logging.Logger.manager.loggerDict]:
        if name.partition(".")[0] in _ADOPTED:
            logger = logging.getLogger(name)
            logger.handlers, logger.propagate = [], name != "uvicorn.access"  # the proxy keeps that log
            logger.setLevel(max(logger.level, logging.WARNING))  # what went well, the events of our own say
    logging.captureWarnings(capture=True)
    threading.excepthook = _thread_ended
    sys.excepthook = _process_ended
    sys.unraisablehook = _unraisable
    sys.stdout, sys.stderr = _Printed(sys.stdout), _Printed(sys.stderr)


class _Adopted(logging.Logger):
    """A logger that a library makes later: whatever handler it is given, what it says goes to the root's."""

    @property
    def propagate(self) -> bool:
        return True

    @propagate.setter
    def propagate(self, value: bool) -> None: ...

    def addHandler(self, _handler: logging.Handler) -> None:  # noqa: N802 - as logging calls it
        """Take none."""


class _Events(logging.Handler):
    """Makes an event of what a library logs, unless it is one already, or has been said in this minute."""

    def __init__(self) -> None:
        super().__init__()
        self._said = OncePerMinute()

    def emit(self, record: logging.LogRecord) -> None:
        """Write it."""
        try:
            said, name = record.getMessage(), record.name
            if (name, said) in _SAID_BY_US:
                return
            for logger, beginning, event, reason in _REFUSALS:
                if name.startswith(logger) and said.startswith(beginning):
                    refuse(event, reason=reason, error=_class_of(record))
                    return
            template = record.msg if isinstance(record.msg, str) and record.msg != "%s" else said
            unsaid = self._said.unsaid_before((name, template))
            if unsaid is not None:
                about = {"unsaid": unsaid} if unsaid else {}
                _log.log(record.levelno, said, logger=name, exc_info=record.exc_info, **about)
        except Exception:  # noqa: BLE001 - as every handler of the standard library does
            self.handleError(record)


def _class_of(record: logging.LogRecord) -> str | None:
    """What was raised, by its name alone: what a stranger brings about needs no traceback."""
    kind = record.exc_info[0] if record.exc_info else None
    return kind.__name__ if kind else None


class _Printed(io.TextIOBase):
    """A standard stream that makes an event of whatever is printed to it, a line at a time."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._begun = threading.local()

    def write(self, text: str) -> int:
        """Keep the text until its line ends; several lines that come at once are one event."""
        begun = getattr(self._begun, "text", "") + text
        self._begun.text = "" if begun.endswith("\n") else begun
        if begun.endswith("\n") and begun.strip():
            _log.warning("printed", text=begun.rstrip("\n"))
        return len(text)

    def writable(self) -> bool:
        """It is."""
        return True

    def fileno(self) -> int:
        """The file behind it, for who hands it to another process."""
        return self._stream.fileno()


def _thread_ended(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        report("thread_crashed", args.exc_value, thread=args.thread.name if args.thread else None)


def _process_ended(_kind: type[BaseException], err: BaseException, _traceback: TracebackType | None) -> None:
    if not isinstance(err, KeyboardInterrupt):
        report("process_crashed", err)


def _unraisable(args: sys.UnraisableHookArgs) -> None:
    if args.exc_value is not None:
        report("unraisable", args.exc_value, said=args.err_msg, of=repr(args.object))
