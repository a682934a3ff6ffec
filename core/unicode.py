"""Unicode: what of people's texts can be kept and shown, what is found by which words, and what their files say."""

from __future__ import annotations

import codecs
import re
import unicodedata
from pathlib import Path
from typing import Final, TextIO

UNREAD: Final = "\N{REPLACEMENT CHARACTER}"  # stands where half a character was

# Most names are of these alone, and lower case is all that searching makes of them.
_PLAIN: Final = re.compile("[\x00-\x7f가-힣]*")
# Accents of Latin, Greek and Cyrillic letters, and what nobody sees. The marks of Kana, Thai or Hebrew are no accents.
_UNSOUGHT: Final = re.compile(
    "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\ufe20-\ufe2f\xad\u200b-\u200d\u2060\ufe00-\ufe0f\ufeff]"
)
# Letters that Unicode takes for whole ones and a keyboard without them writes otherwise; signs that look alike.
_OTHERWISE: Final = str.maketrans(
    {
        **dict(zip("øłđðħıŧĸŋþæœ", ("o", "l", "d", "d", "h", "i", "t", "k", "n", "th", "ae", "oe"), strict=True)),
        **dict.fromkeys("‘’‛ʼ′", "'"),
        **dict.fromkeys("“”„″", '"'),
        **dict.fromkeys("‐‑‒–—−", "-"),
    }
)


def shows_all(stream: TextIO | None) -> bool:
    """Whether what is written to this stream may be of any letters: a console of Windows, or of LANG=C, has few."""
    return (getattr(stream, "encoding", None) or "").lower().replace("_", "-").startswith(("utf-8", "utf8"))


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


def searchable(text: str) -> str:
    """The form in which texts are searched, and the words they are searched for: "Café", "CAFE" and "cafe" are one.

    Case, accents, width and Unicode's form do not count, nor what nobody sees, and a letter such as ß or ł is what
    other keyboards write for it. Hangul syllables stay whole. It is nothing to compare names with: Zoë is not Zoe.
    The form of a form is itself.
    """
    if _PLAIN.fullmatch(text):
        return text.lower()
    for _ in range(2):  # what is taken apart has capitals: № has an N
        text = unicodedata.normalize("NFKD", text).casefold()
    bare = _UNSOUGHT.sub("", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFC", bare.translate(_OTHERWISE))
