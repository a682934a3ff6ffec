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
from core.generation.records.comparison import SideTake
from core.generation.records.record import Record
from core.injection.request.wishes import SideName
from core.objects.objects import StoredObject

_log = structlog.get_logger(__name__)
_STEM: Final = rf"(?P<side>{'|'.join(SideName)})-(?:take(?P<take>[2-9])-)?(?P<attempt>[1-9]\d*)"
_FILE: Final = re.compile(
    rf"(?:^|/)(?P<comparison>[0-9A-HJKMNP-TV-Z]{{26}})/{_STEM}(?P<kind>\.started\.json|\.later\.json|\.json|\.png)$"
)


class AttemptId(NamedTuple):
    """The name of one attempt of one take of a side."""

    comparison: str
    side: SideName
    attempt: int
    take: int = 1

    @property
    def place(self) -> SideTake:
        """Which of the comparison's pictures it is to be."""
        return SideTake(self.side, self.take)

    @property
    def file(self) -> str:
        """What its files are called, without their kind: `a-1`, and `a-take2-1` for a further take.

        The first take's are those of the time before there were others.
        """
        return f"{self.side}-{self.attempt}" if self.take == 1 else f"{self.side}-take{self.take}-{self.attempt}"


def attempt_file(key: str) -> tuple[AttemptId, str] | None:
    """Whose file a key names, and of which kind; None for what is no file of an attempt.

    The kinds: `.started.json` its claim, `.later.json` the same claim under the day it began on, if that is not its
    comparison's, `.png` its picture, `.json` its outcome.
    """
    match = _FILE.search(key)
    if match is None:
        return None
    of = AttemptId(match["comparison"], SideName(match["side"]), int(match["attempt"]), int(match["take"] or 1))
    return of, match["kind"]


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
    take: int = Field(default=1, ge=1)
    started_at: datetime
    deadline_s: float
    server: Server
    person: str | None = None  # who asked for it; older records lack it
    waits_s: float = 0.0  # for how long it may wait for its turn, where all before it take as long as they may

    @property
    def id(self) -> AttemptId:
        """The attempt's name."""
        return AttemptId(self.comparison, self.side, self.attempt, self.take)

    @classmethod
    def read(cls, data: bytes, row: StoredObject, of: AttemptId) -> AttemptStart:
        """An attempt's claim; one that makes no sense still counts, as that of a process that is gone."""
        try:
            return cls.from_json(data)
        except StorageError as err:
            _log.warning("record_left_out", key=row.key, error=err.message)
            nobody = Server(host="", pid=0, boot="")
            return cls(**of._asdict(), started_at=row.modified, deadline_s=0, server=nobody)
