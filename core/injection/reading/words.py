"""The word lists of `labels/reading.toml`, made ready for searching."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import ConfigError
from core.injection.reading.lexicon import Lexicon
from core.injection.reading.text import canonical

READING_FILE = Path(__file__).parents[3] / "labels" / "reading.toml"
SETTING = "labels/reading.toml"


class Sign(Enum):
    """What a word says about people in the picture."""

    FEMININE = auto()
    MASCULINE = auto()
    NEUTRAL = auto()
    SHE = auto()
    HE = auto()
    SHE_LOOKS = auto()
    HE_LOOKS = auto()
    BODY = auto()
    PICTURE = auto()
    DOING = auto()
    POSTURE = auto()
    NOBODY = auto()
    ANIMAL = auto()
    EFFIGY = auto()
    GOODS = auto()
    OBJECT = auto()
    LOOKALIKE = auto()


class Negator(Enum):
    """How a word denies what stands beside it."""

    NO = auto()
    NOT = auto()
    NEUTRAL = auto()


AgeRange = tuple[int, int]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _People(_Table):
    feminine: list[str]
    masculine: list[str]
    neutral: list[str]
    she: list[str]
    he: list[str]
    she_looks: list[str]
    he_looks: list[str]
    body: list[str]
    pictures: list[str]
    doing: list[str]
    posture: list[str]
    heads: list[str]


class _NotPeople(_Table):
    lookalikes: list[str]
    animals: list[str]
    effigies: list[str]
    things: list[str]
    coloured: list[str]
    objects: list[str]


class _Negation(_Table):
    no: list[str]
    not_: list[str]
    small_words: list[str]
    ends: list[str]
    neutral: list[str]
    nobody: list[str]
    after: list[str]
    before_after: list[str]


class _Picture(_Table):
    tone_nouns: list[str]
    angle_nouns: list[str]
    open_phrases: list[str]
    colour_words: list[str]


class _Ages(_Table):
    ranges: dict[str, list[str]]
    adjectives: dict[str, list[str]]
    younger: list[str]
    older: list[str]
    grown: list[str]
    things: list[str]


class _File(_Table):
    people: _People
    not_people: _NotPeople
    ages: _Ages
    negation: _Negation
    picture: _Picture


@dataclass(frozen=True, slots=True)
class NegationWords:
    """The words that deny, and the small ones they may be parted by."""

    negators: Lexicon[Negator]
    small_words: frozenset[str]
    ends: Lexicon[None]
    after: Lexicon[None]
    before_after: frozenset[str]


@dataclass(frozen=True, slots=True)
class AgeWords:
    """Words for stages of life, and the words that contradict them."""

    stages: Lexicon[AgeRange | None]
    adjectives: Lexicon[AgeRange | None]
    younger: Lexicon[None]
    older: Lexicon[None]
    grown: Lexicon[None]
    things: Lexicon[None]


@dataclass(frozen=True, slots=True)
class PictureWords:
    """Words around tones and angles."""

    tone_nouns: Lexicon[None]
    angle_nouns: Lexicon[None]
    coloured: Lexicon[None]
    open_phrases: frozenset[str]
    colour_words: frozenset[str]


@dataclass(frozen=True, slots=True)
class ReadingWords:
    """Everything the offline reader knows beside the vocabulary."""

    people: Lexicon[Sign]
    ages: AgeWords
    negation: NegationWords
    picture: PictureWords


@cache
def reading_words(path: Path = READING_FILE) -> ReadingWords:
    """Read the word lists, once per process. Raises ConfigError."""
    try:
        lists = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as err:
        reason = str(err).splitlines()[0]
        raise ConfigError(f"{path.name} cannot be used: {reason}.", setting=SETTING) from err
    return ReadingWords(
        people=Lexicon(_signs(lists), plural=True, inside=lists.people.heads),
        ages=AgeWords(
            stages=Lexicon(_stages(lists, lists.ages.ranges), plural=True),
            adjectives=Lexicon(_stages(lists, lists.ages.adjectives)),
            younger=_words(lists.ages.younger, plural=True),
            older=_words(lists.ages.older, plural=True),
            grown=_words(lists.ages.older + lists.ages.grown, plural=True),
            things=_words(lists.ages.things, plural=True),
        ),
        negation=NegationWords(
            negators=Lexicon(_negators(lists.negation)),
            small_words=frozenset(map(canonical, lists.negation.small_words)),
            ends=_words(lists.negation.ends),
            after=Lexicon(((word, None) for word in lists.negation.after), endings=re.compile("[가-힣]{0,3}")),
            before_after=frozenset(map(canonical, lists.negation.before_after)),
        ),
        picture=PictureWords(
            tone_nouns=_words(lists.picture.tone_nouns),
            angle_nouns=_words(lists.picture.angle_nouns),
            coloured=_words(lists.not_people.coloured, plural=True),
            open_phrases=frozenset(map(canonical, lists.picture.open_phrases)),
            colour_words=frozenset(map(canonical, lists.picture.colour_words)),
        ),
    )


def _words(words: list[str], *, plural: bool = False) -> Lexicon[None]:
    return Lexicon(((word, None) for word in words), plural=plural)


def _signs(lists: _File) -> Iterator[tuple[str, Sign]]:
    people, others = lists.people, lists.not_people
    for sign, words in (
        (Sign.FEMININE, people.feminine),
        (Sign.MASCULINE, people.masculine),
        (Sign.NEUTRAL, people.neutral),
        (Sign.SHE, people.she),
        (Sign.HE, people.he),
        (Sign.SHE_LOOKS, people.she_looks),
        (Sign.HE_LOOKS, people.he_looks),
        (Sign.BODY, people.body),
        (Sign.PICTURE, people.pictures),
        (Sign.DOING, people.doing),
        (Sign.POSTURE, people.posture),
        (Sign.NOBODY, lists.negation.nobody),
        (Sign.ANIMAL, others.animals),
        (Sign.EFFIGY, others.effigies),
        (Sign.GOODS, others.things),
        (Sign.OBJECT, others.objects),
        (Sign.LOOKALIKE, others.lookalikes),
    ):
        for word in words:
            yield word, sign


def _stages(lists: _File, ranges: dict[str, list[str]]) -> Iterator[tuple[str, AgeRange | None]]:
    for ages, words in ranges.items():
        low, high = map(int, ages.split("-"))
        for word in words:
            yield word, (low, high)
    for word in lists.not_people.lookalikes:
        yield word, None


def _negators(lists: _Negation) -> Iterator[tuple[str, Negator]]:
    for negator, words in ((Negator.NO, lists.no), (Negator.NOT, lists.not_), (Negator.NEUTRAL, lists.neutral)):
        for word in words:
            yield word, negator
