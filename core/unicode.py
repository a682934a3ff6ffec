"""Unicode: what of the texts that people send can be kept and shown, and what is found by which words."""

from __future__ import annotations

import re
import unicodedata
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
