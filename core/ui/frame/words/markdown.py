"""Markdown: the one place where values come into words that Streamlit draws; none becomes anything but text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from string import Formatter
from typing import Any, Final, LiteralString
from urllib.parse import quote

from core.errors import StudioError, legible

# Streamlit changes its source before it is parsed (`:material/`), and some of the text afterwards, when no escape is
# left in it: bare addresses, icons and arrows. So every sign that could mean anything is written as its number, and
# what means something only together stands in two texts, with an element between them of neither style nor size.
_SIGNS: Final = re.compile(r"[!#$&(-+\-.:<-@\[-`{-~]|^ | $|(?<= ) ")  # all of ASCII but those of plain prose
_BETWEEN: Final = ":color{}"
_JOINTS: Final = re.compile(r"(?<=[:@])|(?<=[<>~-])(?=[->=])|(?<=www)(?=\.|$)", re.IGNORECASE)
_CODE_JOINT: Final = re.compile(r"(?<=:)(?=material/)")
_IN_ADDRESSES: Final = "/:?&=%#+,;@-._~"
_IN_CODE: Final = re.compile(r"`\{(\w*)(:[^{}`]*)?\}`")


class Markdown(str):
    """Text that means what it says as Markdown: words of ours, and values made harmless."""

    __slots__ = ()


def fill(template: LiteralString, *values: object, **named: object) -> Markdown:
    """Markdown of ours with values in its places, as `str.format` has them; in backticks one becomes code.

    An error stands there as its sentence. Dollars of the template are money: two of them would enclose a formula.
    """
    places = _IN_CODE.sub(r"{\1!c\2}", _without_formulas(template))
    return Markdown(_Filler().vformat(places, values, named))


def plain(value: object) -> Markdown:
    """A value as text; an error as its sentence, and what is Markdown already as it is."""
    if isinstance(value, Markdown):
        return value
    if isinstance(value, StudioError):
        return fill(value.sentence, *value.values, **value.named)
    return Markdown(_BETWEEN.join(map(_escape, _JOINTS.split(legible(value)))))


def code(value: object) -> Markdown:
    """A value as inline code."""
    return Markdown(_BETWEEN.join(map(_fence, _CODE_JOINT.split(legible(value)))))


def joined(separator: LiteralString, parts: Iterable[object]) -> Markdown:
    """All of them as text, with words of ours between them."""
    return Markdown(separator.join(map(plain, parts)))


def link(text: str, address: str) -> Markdown:
    """A link of ours; its text is a value."""
    return Markdown(f"[{plain(text)}](<{quote(address, safe=_IN_ADDRESSES)}>)")


def quoted(message: str) -> str:
    """A kept message where no Markdown is drawn: what stands in backticks is quoted."""
    return re.sub(r"`([^`]*)`", r"“\1”", message)


def breakable(name: str) -> Markdown:
    """A folder's name that may break behind its separators rather than inside a word."""
    return plain(re.sub(r"([,(_+./-])", "\\1\u200b", name))


class _Filler(Formatter):
    def convert_field(self, value: Any, conversion: Any) -> Any:
        return code(value) if conversion == "c" else super().convert_field(value, conversion)

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, int | float):
            return format(value, format_spec)
        return plain(format(value, format_spec) if format_spec else value)


def _escape(text: str) -> str:
    return _SIGNS.sub(lambda sign: f"&#{ord(sign[0])};", text)


def _fence(text: str) -> str:
    """Inside a code span nothing is escaped: its fence is longer than any run of backticks in it (CommonMark 6.1)."""
    if not text:
        return ""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    pad = " " if text.startswith(("`", " ")) or text.endswith(("`", " ")) else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _without_formulas(template: str) -> str:
    parts = template.split("`")
    parts[::2] = [part.replace("$", r"\$") for part in parts[::2]]
    return "`".join(parts)
