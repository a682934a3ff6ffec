"""Unicode: what of the texts that people send can be kept."""

from __future__ import annotations

from typing import Final

UNREAD: Final = "\N{REPLACEMENT CHARACTER}"  # stands where half a character was


def is_whole(text: str) -> bool:
    """Whether no half of a character (a lone surrogate) is in it: no UTF-8 can carry one, and so no record."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
