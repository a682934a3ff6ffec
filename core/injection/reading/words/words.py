"""The word lists of `labels/reading.toml`, made ready for searching. Words are lists there; grammar is code here."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from enum import Enum, auto
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, GetPydanticSchema, ValidationError

from core.errors import ConfigError
from core.injection.reading.words.lexicon import Lexicon
from core.injection.reading.words.text import canonical
from core.unicode import NotUtf8, read_text

READING_FILE = Path(__file__).parents[4] / "labels" / "reading.toml"
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


def _made_by(make: Callable[[list[str]], Any]) -> GetPydanticSchema:
    """A field that is a list of strings in the file, and what `make` makes of it here."""
    return GetPydanticSchema(lambda _type, handler: handler(Annotated[list[str], AfterValidator(make)]))


def _lexicon(words: list[str], *, plural: bool = False, endings: str | None = None) -> Lexicon[None]:
    entries = ((word, None) for word in words)
    if endings is not None:
        return Lexicon(entries, endings=re.compile(endings))
    return Lexicon(entries, plural=plural)


def _any_of(words: list[str]) -> str:
    return "|".join(map(re.escape, map(canonical, words)))


Forms = Annotated[frozenset[str], _made_by(lambda words: frozenset(map(canonical, words)))]
Phrases = Annotated[Lexicon[None], _made_by(_lexicon)]
Nouns = Annotated[Lexicon[None], _made_by(partial(_lexicon, plural=True))]
Conjugated = Annotated[Lexicon[None], _made_by(partial(_lexicon, endings="[가-힣]{0,3}"))]
Materials = Annotated[
    re.Pattern[str], _made_by(lambda words: re.compile(rf"(?<![^ ,.])(?:{_any_of(words)}) (?:\w+ )?$"))
]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class PeopleWords(_Table):
    """Words that name people, parts of them and what they do."""

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
    seen: Forms
    sexes: Forms


class NotPeopleWords(_Table):
    """Words that make something else of a word for a person, or are taken for one."""

    lookalikes: list[str]
    animals: list[str]
    effigies: list[str]
    materials: Materials
    things: list[str]
    coloured: Nouns
    objects: list[str]


class AudienceWords(_Table):
    """Words around those a thing is made for."""

    several: Forms
    after: Forms
    recipients: Forms
    sent: list[str]


class NegationWords(_Table):
    """The words that deny, and the small ones they may be parted by."""

    no: list[str]
    not_: list[str]
    small_words: Forms
    ends: Phrases
    or_: Forms
    neutral: list[str]
    nobody: list[str]
    after: Conjugated
    before_after: Forms
    anybody: Forms
    anyone: Forms

    @cached_property
    def negators(self) -> Lexicon[Negator]:
        """What stands before the words it denies."""
        lists = {Negator.NO: self.no, Negator.NOT: self.not_, Negator.NEUTRAL: self.neutral}
        return Lexicon((word, negator) for negator, words in lists.items() for word in words)


class NameWords(_Table):
    """Words around names."""

    words: Forms
    places: Forms
    openers: Forms
    seen_doing: Forms
    called: Forms


class TagWords(_Table):
    """Words around tones and angles."""

    tone_nouns: Phrases
    angle_nouns: Phrases
    open_phrases: Forms
    colour_words: Forms
    colours: list[str]
    described: list[str]
    verb_forms: dict[str, list[str]]

    @cached_property
    def description(self) -> re.Pattern[str]:
        """The end of a text after which a folder tag asks for a tone."""
        return re.compile(rf"(?:{_any_of(self.colours)}|(?:{_any_of(self.described)})[은는이을를도]?) $")


class AgeWords(_Table):
    """Words for stages of life, and the words that contradict them."""

    ranges: dict[str, list[str]]
    adjectives: dict[str, list[str]]
    younger: Nouns
    older: list[str]
    grown: list[str]
    things: Nouns

    @cached_property
    def elders(self) -> Lexicon[None]:
        """Those who are older than a child, whatever its age is given in."""
        return _lexicon(self.older, plural=True)

    @cached_property
    def grown_ups(self) -> Lexicon[None]:
        """Those who are older than what a word calls a child."""
        return _lexicon(self.older + self.grown, plural=True)


class ReadingWords(_Table):
    """Everything the offline reader knows beside the vocabulary: the file, table by table, and what joins several."""

    people: PeopleWords
    not_people: NotPeopleWords
    audience: AudienceWords
    ages: AgeWords
    negation: NegationWords
    names: NameWords
    picture: TagWords

    @cached_property
    def signs(self) -> Lexicon[Sign]:
        """What is said about people, and by which words."""
        people, others = self.people, self.not_people
        lists = {
            Sign.FEMININE: people.feminine,
            Sign.MASCULINE: people.masculine,
            Sign.NEUTRAL: people.neutral,
            Sign.SHE: people.she,
            Sign.HE: people.he,
            Sign.SHE_LOOKS: people.she_looks,
            Sign.HE_LOOKS: people.he_looks,
            Sign.BODY: people.body,
            Sign.PICTURE: people.pictures,
            Sign.DOING: people.doing,
            Sign.POSTURE: people.posture,
            Sign.NOBODY: self.negation.nobody,
            Sign.ANIMAL: others.animals,
            Sign.EFFIGY: others.effigies,
            Sign.GOODS: others.things,
            Sign.OBJECT: others.objects,
            Sign.LOOKALIKE: others.lookalikes,
        }
        entries = ((word, sign) for sign, words in lists.items() for word in words)
        return Lexicon(entries, plural=True, inside=people.heads)

    @cached_property
    def stages(self) -> Lexicon[AgeRange | None]:
        """Stages of life with their ages."""
        return Lexicon(self._aged(self.ages.ranges), plural=True)

    @cached_property
    def aged(self) -> Lexicon[AgeRange | None]:
        """Adjectives that tell an age."""
        return Lexicon(self._aged(self.ages.adjectives))

    def _aged(self, ranges: dict[str, list[str]]) -> Iterator[tuple[str, AgeRange | None]]:
        """Words for ages with their ranges, and with None what only looks like one."""
        for ages, words in ranges.items():
            low, high = map(int, ages.split("-"))
            yield from ((word, (low, high)) for word in words)
        yield from ((word, None) for word in self.not_people.lookalikes)


@cache
def reading_words(path: Path = READING_FILE) -> ReadingWords:
    """Read the word lists, once per process. Raises ConfigError, which names the line or the list."""
    try:
        return ReadingWords.model_validate(tomllib.loads(read_text(path)))
    except ValidationError as err:
        first = err.errors()[0]
        reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise ConfigError("{} cannot be used: {}.", path.name, reason, setting=SETTING) from err
    except (OSError, NotUtf8, tomllib.TOMLDecodeError) as err:
        raise ConfigError("{} cannot be used: {}.", path.name, str(err).splitlines()[0], setting=SETTING) from err
