"""Markdown: text from S3 and from people made safe to stand in it."""

from __future__ import annotations

import re

_SIGNS = re.compile(r"([\\`*_{}\[\]<>#|$~:!])")


def plain(text: str) -> str:
    """The text with every sign of Markdown escaped: a file name must never become a link or a picture."""
    return _SIGNS.sub(r"\\\1", text)


def without_formulas(text: str) -> str:
    """Markdown of ours in which dollars are money: two of them would else enclose a formula. Code stays as it is."""
    parts = text.split("`")
    parts[::2] = [part.replace("$", r"\$") for part in parts[::2]]
    return "`".join(parts)


def code(text: str) -> str:
    """The text as inline code; backticks in it become look-alikes, for nothing can escape them there."""
    return f"`{text.replace('`', 'ˋ')}`"


def breakable(name: str) -> str:
    """A folder's name that may break behind its separators rather than inside a word."""
    return plain(re.sub(r"([,(_+./-])", "\\1\u200b", name))
