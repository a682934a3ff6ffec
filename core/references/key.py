"""Reference keys: what a key's name says, and how a key travels in a URL."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from functools import lru_cache

from core.errors import NotFound

PICTURE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif"}
)

# A running number: "05", "(2)", "[3]", with whatever joins it to the name.
_RUNNING_NUMBER = re.compile(r"[\s_\-.]*(?:\(\s*\d+\s*\)|\[\s*\d+\s*\]|\d+)\s*$")
# A second one counts only where something parts it from the name: in "K2 07" the 2 belongs to K2.
_PARTED_NUMBER = re.compile(r"(?:[\s_\-.]*(?:\(\s*\d+\s*\)|\[\s*\d+\s*\])|[\s_\-.]+\d+)\s*$")


def file_name(key: str) -> str:
    """The part of a key behind its last slash, as S3 gives it."""
    return key.rsplit("/", 1)[-1]


def parent(path: str) -> str:
    """The folder a key or folder lies in, without a trailing slash; empty at the top."""
    return path.rsplit("/", 1)[0] if "/" in path else ""


def is_picture(key: str) -> bool:
    """Whether the name says picture; what the bytes say is found out when they are decoded."""
    name = file_name(key)
    dot = name.rfind(".")
    return dot > 0 and name[dot:].casefold() in PICTURE_SUFFIXES


@lru_cache(maxsize=1 << 18)  # half of the time of a plan over a large group, measured
def persona_of(key: str) -> str | None:
    """Who a picture shows: its name without extension and running numbers; None if nothing is left.

    `Araya 05.png` and `Araya (2).jpg` are both Araya.
    """
    name = unicodedata.normalize("NFC", file_name(key))
    dot = name.rfind(".")
    stem = name[:dot] if dot > 0 else name
    stem = _RUNNING_NUMBER.sub("", stem)
    while (shorter := _PARTED_NUMBER.sub("", stem)) != stem:
        stem = shorter
    return stem.strip() or None


def fold(text: str) -> str:
    """The form in which names are compared: NFC, case-folded. Keys themselves are never changed."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def encode_key(key: str) -> str:
    """A key as one URL path segment: base64url of its UTF-8 bytes, without padding (RFC 4648 §5).

    No proxy or path check ever sees the spaces, dots, percent signs or double slashes inside.
    """
    return base64.urlsafe_b64encode(key.encode("utf-8")).rstrip(b"=").decode("ascii")


def decode_key(segment: str) -> str:
    """The key behind `encode_key`'s segment. Raises NotFound for anything else."""
    try:
        raw = base64.b64decode(segment + "=" * (-len(segment) % 4), altchars=b"-_", validate=True)
        key = raw.decode("utf-8")
    except (binascii.Error, UnicodeError, ValueError) as err:
        raise NotFound("There is no such picture.", key=segment) from err
    if encode_key(key) != segment:  # one key has one URL, or caches would hold it twice
        raise NotFound("There is no such picture.", key=segment)
    return key


def unicode_form(name: str) -> str:
    """Which of Unicode's forms a name is written in (UAX #15), in words; they look the same."""
    if unicodedata.is_normalized("NFC", name):
        return "composed (NFC)"
    return "decomposed (NFD)" if unicodedata.is_normalized("NFD", name) else "of a mixed form"
