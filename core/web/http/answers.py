"""Answers: the words of HTTP that the picture routes are answered in: plain sentences, ranges, entity tags, names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import quote

from starlette.responses import Response

SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_NAME_CHARS_MAX = 255  # the most that file systems take; the end stays, for it says what kind of file it is
_RANGE = re.compile(r"bytes=(?P<first>\d{0,18})-(?P<last>\d{0,18})")


def plain(message: str, status: int, headers: Mapping[str, str] = MappingProxyType({})) -> Response:
    """A sentence that nobody keeps."""
    return Response(message, status, {**SAFE_HEADERS, "Cache-Control": "no-store", **headers}, media_type="text/plain")


def attachment(name: str) -> str:
    """Content-Disposition for any file name (RFC 6266, with RFC 8187's encoding for the rest)."""
    name = name[-_NAME_CHARS_MAX:]
    safe = "".join(char if char.isascii() and char.isprintable() and char not in '"\\/%' else "_" for char in name)
    return f"attachment; filename=\"{safe}\"; filename*=UTF-8''{quote(name, safe='')}"


def span_of(asked: str | None, size_bytes: int) -> tuple[int, int] | None:
    """First and last byte of a Range header (RFC 9110 §14.1.2), first behind last if it cannot be met.

    None for no range, several, or one that is none: those are answered with the whole.
    """
    match = _RANGE.fullmatch(asked or "")
    if match is None or match[0] == "bytes=-":
        return None
    if not match["first"]:
        return max(0, size_bytes - int(match["last"])), size_bytes - 1
    first, last = int(match["first"]), size_bytes - 1
    if match["last"]:
        if int(match["last"]) < first:
            return None
        last = min(int(match["last"]), last)
    return first, last


def is_named(asked: str | None, tag: str) -> bool:
    """Whether an If-None-Match header means this entity tag (weak comparison, RFC 9110 §13.1.2)."""
    tags = [part.strip().removeprefix("W/") for part in (asked or "").split(",")]
    return tag in tags or "*" in tags
