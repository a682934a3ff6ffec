"""Spans: parts of a file, read as if they stood behind each other; nothing of them is copied."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, count
from typing import IO, Final

from core.errors import BadImage

PARTS_MAX: Final = 250_000  # a file of at most 80 MiB that has more is made to keep a processor busy
BUFFER_BYTES: Final = 64 * 1024


class Parts:
    """What of a file is given to its decoder, in this order: parts of the file, and what is put between them."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._spans: list[tuple[int, int] | bytes] = []

    def keep(self, start: int, end: int) -> None:
        """Go on with this part of the file; parts that touch are one."""
        last = self._spans[-1] if self._spans else b""
        if isinstance(last, tuple) and last[1] == start:
            self._spans[-1] = (last[0], end)
        elif start < end:
            self._spans.append((start, end))

    def put(self, piece: bytes) -> None:
        """Go on with what the file has not."""
        self._spans.append(piece)

    def opened(self, ending: bytes = b"") -> IO[bytes]:
        """A file of them, with what lacks at its end."""
        if not ending and self._spans == [(0, len(self._data))]:
            return io.BytesIO(self._data)
        view = memoryview(self._data)
        parts = [part if isinstance(part, bytes) else view[part[0] : part[1]] for part in (*self._spans, ending)]
        return io.BufferedReader(Spans(parts), BUFFER_BYTES)


class Spans(io.RawIOBase):
    """A file of these parts, to be read and searched."""

    def __init__(self, parts: Sequence[bytes | memoryview]) -> None:
        super().__init__()
        self._parts = [memoryview(part) for part in parts if len(part)]
        self._ends = list(accumulate(map(len, self._parts)))
        self._at = 0

    @property
    def size_bytes(self) -> int:
        """All parts together."""
        return self._ends[-1] if self._ends else 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size_bytes}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed knows the class of it by another name
        """Fill the buffer from one part, as far as that one reaches."""
        number = bisect_right(self._ends, self._at)
        if number == len(self._parts):
            return 0
        rest = self._parts[number][self._at - self._ends[number] :]
        taken = min(len(rest), len(buffer))
        buffer[:taken] = rest[:taken]
        self._at += taken
        return taken


def steps() -> Iterator[int]:
    """Counts the parts of a file as they are looked at. Raises BadImage for more than any picture has."""
    for number in count():
        if number == PARTS_MAX:
            raise BadImage("The file is cut into more than {:,} pieces: save the picture again.", PARTS_MAX)
        yield number
