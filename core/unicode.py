"""Unicode: what of the texts that people send can be kept, and what the files say that they write by hand."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import Final

UNREAD: Final = "\N{REPLACEMENT CHARACTER}"  # stands where half a character was


def is_whole(text: str) -> bool:
    """Whether no half of a character (a lone surrogate) is in it: no UTF-8 can carry one, and so no record."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class NotUtf8(ValueError):
    """Bytes that are no UTF-8, from `line` on; its text says so, and what to do."""

    def __init__(self, says: str, line: int) -> None:
        super().__init__(says)
        self.line = line


def is_utf16(data: bytes) -> bool:
    """Whether a text begins as UTF-16 or UTF-32 does, which is what some editors call “Unicode”."""
    return data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in data[:4]


def text_of(data: bytes) -> str:
    """What a file says that people write by hand: UTF-8, with or without a byte order mark, lines ended in any way.

    Raises NotUtf8.
    """
    if is_utf16(data):
        raise NotUtf8("it is UTF-16: save it as UTF-8", 1)
    try:
        return re.sub(r"\r\n?", "\n", data.decode("utf-8-sig"))
    except UnicodeDecodeError as err:
        line = data.count(b"\n", 0, err.start) + 1
        raise NotUtf8(f"line {line} is not UTF-8: save the file as UTF-8", line) from err


def read_text(path: Path) -> str:
    """The same of a file. Raises OSError as well."""
    return text_of(path.read_bytes())
