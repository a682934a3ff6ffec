"""Attempts: how one is named, what its files in S3 are called, and the claim written before its engine is called."""

from __future__ import annotations

import os
import re
import socket
from datetime import datetime
from typing import Final, NamedTuple

import structlog
from pydantic import Field
from ulid import ULID

from core.errors import StorageError
from core.generation.records.record import Record
from core.injection.wishes import SideName
from core.objects import StoredObject

_log = structlog.get_logger(__name__)
_FILE: Final = re.compile(
    r"(?:^|/)(?P<comparison>[0-9A-HJKMNP-TV-Z]{26})/(?P<side>tone-only|tone-angle)-(?P<attempt>[1-9]\d*)"
    r"(?P<kind>\.started\.json|\.later\.json|\.json|\.png)$"
)


class AttemptId(NamedTuple):
    """The name of one attempt of one side."""

    comparison: str
    side: SideName
    attempt: int


def attempt_file(key: str) -> tuple[AttemptId, str] | None:
    """Whose file a key names, and of which kind; None for what is no file of an attempt.

    The kinds: `.started.json` its claim, `.later.json` the same claim under the day it began on, if that is not its
    comparison's, `.png` its picture, `.json` its outcome.
    """
    match = _FILE.search(key)
    if match is None:
        return None
    return AttemptId(match["comparison"], SideName(match["side"]), int(match["attempt"])), match["kind"]


class Server(Record):
    """The process that works on something: enough for another to see whether it still lives."""

    host: str
    pid: int
    boot: str


def this_server() -> Server:
    """This process, as it signs its records."""
    return Server(host=socket.gethostname(), pid=os.getpid(), boot=str(ULID()))


class AttemptStart(Record):
    """Written before an engine is called, so that no call can go unrecorded."""

    comparison: str
    side: SideName
    attempt: int = Field(ge=1)
    started_at: datetime
    deadline_s: float
    server: Server
    person: str | None = None  # who asked for it; older records lack it
    waits_s: float = 0.0  # for how long it may wait for its turn, where all before it take as long as they may

    @classmethod
    def read(cls, data: bytes, row: StoredObject, of: AttemptId) -> AttemptStart:
        """An attempt's claim; one that makes no sense still counts, as that of a process that is gone."""
        try:
            return cls.from_json(data)
        except StorageError as err:
            _log.warning("record_left_out", key=row.key, error=err.message)
            nobody = Server(host="", pid=0, boot="")
            return cls(**of._asdict(), started_at=row.modified, deadline_s=0, server=nobody)
