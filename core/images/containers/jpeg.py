"""JPEG: segments before the first scan (ITU-T T.81 annex B)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from core.images.containers.bounds import ICC_BYTES_MAX
from core.images.containers.spans import Parts, steps

START: Final = b"\xff\xd8"
END: Final = b"\xff\xd9"
SCAN: Final = 0xDA
# libjpeg looks for the next marker wherever a segment ends, past stray bytes, stuffed zeros and fill bytes.
_MARKER: Final = re.compile(rb"\xff[^\x00\xff]")
_WITHOUT_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xDA)})
_COMMENT: Final = 0xFE
_APPLICATIONS: Final = range(0xE0, 0xF0)
# What says how the pixels are meant. Of each but the profile, which may take several, the first one counts.
_PROFILE: Final = b"ICC_PROFILE\0"
_MEANT: Final = (
    (0xE0, b"JFIF\0"),
    (0xE1, b"Exif\0\0"),
    (0xE1, b"http://ns.adobe.com/xap/1.0/\0"),
    (0xE2, _PROFILE),
    (0xEE, b"Adobe"),
)
_FILL_BYTES: Final = 4096


class Segment(NamedTuple):
    """A marker, where it begins, and where its segment ends."""

    marker: int
    start: int
    end: int


def header_segments(data: bytes) -> Iterator[Segment]:
    """Every segment up to the header of the first scan, which is the last one; stray bytes belong to none."""
    at = len(START)
    for _ in steps():
        found = _MARKER.search(data, at)
        if found is None:
            return
        start, marker = found.start(), data[found.start() + 1]
        length = 0 if marker in _WITHOUT_LENGTH else max(2, int.from_bytes(data[start + 2 : start + 4], "big"))
        at = min(len(data), start + 2 + length)
        yield Segment(marker, start, at)
        if marker == SCAN:
            return


def parts_of(data: bytes) -> Parts:
    """What stands before the first scan and says how pixels are meant, and all from the scan on.

    A second picture in the file is named in what is left out, and so is none any more.
    """
    parts, seen = Parts(data), set[bytes]()
    profile = (each for each in header_segments(data) if _meant_by(data, each) == _PROFILE)
    profile_bytes = sum(each.end - each.start for each in profile)
    parts.keep(0, len(START))
    for segment in header_segments(data):
        meant = _meant_by(data, segment)
        if segment.marker == SCAN:
            parts.keep(segment.start, len(data))
        elif segment.marker in _APPLICATIONS or segment.marker == _COMMENT:
            is_profile = meant == _PROFILE and profile_bytes <= ICC_BYTES_MAX
            if is_profile or meant not in seen | {b"", _PROFILE}:
                seen.add(meant)
                parts.keep(segment.start, segment.end)
        else:
            parts.keep(segment.start, segment.end)
    return parts


def _meant_by(data: bytes, segment: Segment) -> bytes:
    """What an application's segment says of the pixels, by its name; empty for what says nothing of them."""
    names = (name for marker, name in _MEANT if marker == segment.marker)
    return next((name for name in names if data.startswith(name, segment.start + 4)), b"")


def has_end(data: bytes) -> bool:
    """Whether there is an end behind the first scan."""
    scan = next((segment for segment in header_segments(data) if segment.marker == SCAN), None)
    return scan is not None and data.find(END, scan.end) >= 0


def endings(data: bytes) -> tuple[bytes, bytes]:
    """Two ends for one that has none, whatever it lacks besides: with both, a file that lacks nothing else is the same.

    A decoder goes on reading pixels from what is filled in, which is not the same of the two.
    """
    stuffed = b"\0" if data.endswith(b"\xff") else b""
    return stuffed + bytes(_FILL_BYTES) + END, stuffed + b"\x5a\xa7" * (_FILL_BYTES // 2) + END
