"""A ZIP on its way: one file after the other, none of them in memory as a whole, and none of them half there."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from tempfile import SpooledTemporaryFile
from typing import IO, Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from core.errors import StudioError

SPOOLED_BYTES: Final = 4 * 1024 * 1024  # of a file; the rest of a larger one lies on disk until it is passed on
NOTE: Final = "NOT INCLUDED.txt"
_CHUNK_BYTES: Final = 256 * 1024
_FIRST_YEAR: Final = 1980  # of the format's dates, APPNOTE.TXT 4.4.6
_READ_BY_ALL: Final = 0o100644 << 16


@dataclass(frozen=True, slots=True)
class Entry:
    """A file to come: `read` gives its bytes in chunks, and raises StudioError where that fails."""

    name: str
    modified: datetime
    read: Callable[[], Iterator[bytes]]


class _Pipe:
    """What ZipFile writes into, and what has to be taken out again. It has no `tell`: ZipFile then never goes back."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is open."""

    def take(self) -> bytes:
        whole, self._parts = b"".join(self._parts), []
        return whole


def zip_stream(entries: Iterable[Entry]) -> Generator[bytes, None, None]:
    """The bytes of a ZIP, chunk by chunk; pictures are packed already, so nothing is made smaller.

    A file that cannot be read to its end is left out, and a text file at the end says so of each.
    """
    pipe, missing = _Pipe(), list[str]()
    with ZipFile(pipe, "w", ZIP_STORED) as archive:
        for entry in entries:
            with SpooledTemporaryFile(max_size=SPOOLED_BYTES) as spool:
                try:
                    spool.writelines(entry.read())
                except StudioError as err:
                    missing.append(f"{entry.name}: {err.message}")
                    continue
                yield from _packed(archive, pipe, entry, spool)
        if missing:
            archive.writestr(_about(NOTE, datetime.now(UTC)), "\r\n".join((*missing, "")))
    yield pipe.take()


def _packed(archive: ZipFile, pipe: _Pipe, entry: Entry, spool: IO[bytes]) -> Iterator[bytes]:
    about = _about(entry.name, entry.modified)
    about.file_size = spool.tell()
    spool.seek(0)
    with archive.open(about, "w") as file:
        while chunk := spool.read(_CHUNK_BYTES):
            file.write(chunk)
            yield pipe.take()


def _about(name: str, modified: datetime) -> ZipInfo:
    moment = max(modified.astimezone(UTC), datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC))
    about = ZipInfo(name, moment.timetuple()[:6])
    about.external_attr = _READ_BY_ALL
    return about
