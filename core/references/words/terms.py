"""The parts of the vocabulary: roles, terms, and how a name falls into words."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What the pictures of a reference folder are used for."""

    MODEL = "model"
    TONE = "tone"
    ANGLE = "angle"


class TagKind(StrEnum):
    """The two kinds of tag a group name carries."""

    TONE = "tone"
    ANGLE = "angle"


@dataclass(frozen=True, slots=True)
class Term:
    """One tone or angle: its id, the words that mean it, and what an image prompt says about it."""

    id: str
    kind: TagKind
    name: str
    aliases: tuple[str, ...]
    folder_only: tuple[str, ...]
    prompt_only: tuple[str, ...]
    directive: str


Words = tuple[str, ...]

_APOSTROPHES = frozenset("'’‘ʼ`´′＇")
_SEPARATORS = frozenset("_-,.+()[]，．＋·・、。")
_SEPARATING_CATEGORIES = frozenset({"Zs", "Zl", "Zp", "Cc", "Ps", "Pe", "Pi", "Pf", "Pd", "Pc", "So"})
_EQUALS = frozenset("=＝")


def _fold(character: str) -> str:
    """What one character contributes to the words of a name."""
    if character in _APOSTROPHES or "︀" <= character <= "️":
        return ""
    if character in _EQUALS:
        return " = "
    category = unicodedata.category(character)
    if category == "Cf":
        return ""
    return " " if character in _SEPARATORS or category in _SEPARATING_CATEGORIES else character


def words_of(name: str) -> Words:
    """The words of a folder name or alias: NFC, case-folded, apostrophes dropped, `=` a word of its own."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
    return tuple("".join(map(_fold, folded)).split())
