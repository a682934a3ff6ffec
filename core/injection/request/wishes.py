"""Wishes: what the designer set, what the prompt says, and which of the two counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import LiteralString

from core.errors import InputError
from core.injection.reading.names import persona_in
from core.injection.reading.reader import Reading
from core.labels.published.schema import AGE_MAX, Gender
from core.unicode import is_whole

SEED_MAX = 2**32 - 1
# Characters, each of at most four bytes of UTF-8; the engines read a little more, for what is added.
PROMPT_CHARS_MAX = 30_000


class Mode(StrEnum):
    """What is made: one side, the other, or both for comparison."""

    TONE_ONLY = "tone-only"
    TONE_ANGLE = "tone-angle"
    COMPARE = "compare"


class Varies(StrEnum):
    """The one factor in which the two sides of a comparison are to differ."""

    ANGLE = "angle"  # tone only against tone + angle
    MODEL = "model"  # the engine, the image model and the quality
    TONE_WAY = "tone-way"  # a reference picture of the tone, or its words alone
    STRENGTH = "strength"  # how closely the tone or the angle reference is to be followed


class SideName(StrEnum):
    """One picture of a comparison, named by the references that steer it; A and B where these are the same."""

    TONE_ONLY = "tone-only"
    TONE_ANGLE = "tone-angle"
    A = "a"
    B = "b"

    @property
    def heading(self) -> LiteralString:
        """The name on screen."""
        match self:
            case SideName.TONE_ONLY:
                return "Tone only"
            case SideName.TONE_ANGLE:
                return "Tone + angle"
            case SideName.A:
                return "A"
            case SideName.B:
                return "B"


SIDES_OF_MODE: dict[Mode, tuple[SideName, ...]] = {
    Mode.TONE_ONLY: (SideName.TONE_ONLY,),
    Mode.TONE_ANGLE: (SideName.TONE_ANGLE,),
    Mode.COMPARE: (SideName.TONE_ONLY, SideName.TONE_ANGLE),
}


class PersonWish(StrEnum):
    """Whether model references are wanted; AUTO leaves it to the prompt."""

    AUTO = "auto"
    YES = "yes"
    NO = "no"


class WishedFrom(StrEnum):
    """Where a wish comes from."""

    PICKED = "picked"
    PROMPT = "prompt"
    CHANCE = "chance"


class Strength(StrEnum):
    """How closely a reference is to be followed. The API knows no weights: it is an instruction in words."""

    HINT = "hint"
    NORMAL = "normal"
    STRONG = "strong"
    EXACT = "exact"


@dataclass(frozen=True, slots=True)
class Ages:
    """A wished age range in whole years, both ends included. Raises InputError when it is none."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high <= AGE_MAX:
            raise InputError(
                "The age range {}-{} cannot be used: write two ages between 0 and {}, the younger first.",
                self.low,
                self.high,
                AGE_MAX,
            )

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low}–{self.high}"


@dataclass(frozen=True, slots=True)
class Wishes:
    """The whole state of the composer: enough to plan the same injection again.

    `pins`, `held`, `rerolls`, `off` and `strengths` are by slot id: `tone`, `angle`, or `model:<group path>`. `persona`
    is the person that a pinned picture means: whoever else is asked for, every model slot shows them or nobody. `held`
    is what a recorded comparison drew: it stays where it meets the wishes, and is no pin. In records from before there
    were these two both are empty.

    `varies` and `balanced` count in compare mode alone. `balanced` gives both sides equally many person references of
    the same person. `strengths_b` is what side B follows otherwise than A, for `Varies.STRENGTH`: one slot, `tone` or
    `angle`.
    """

    prompt: str = ""
    mode: Mode = Mode.COMPARE
    tone: str | None = None
    tone_by_chance: bool = False
    angle: str | None = None
    folder: str | None = None
    person: PersonWish = PersonWish.AUTO
    gender: Gender | None = None
    ages: Ages | None = None
    seed: int = 0
    persona: str | None = None
    pins: dict[str, str] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    rerolls: dict[str, int] = field(default_factory=dict)
    off: frozenset[str] = frozenset()
    strengths: dict[str, Strength] = field(default_factory=dict)
    varies: Varies = Varies.ANGLE
    balanced: bool = True
    strengths_b: dict[str, Strength] = field(default_factory=dict)

    def strengths_on(self, side: SideName) -> dict[str, Strength]:
        """How closely each slot's reference is followed on one side, by slot id; what is not there is normal."""
        if side is SideName.B and self.varies is Varies.STRENGTH:
            return self.strengths | self.strengths_b
        return self.strengths

    @property
    def is_balanced(self) -> bool:
        """Whether tone only is planned to match tone + angle, which no other pair of sides has to be."""
        return self.balanced and self.mode is Mode.COMPARE and self.varies is Varies.ANGLE


def sides_of(wishes: Wishes) -> tuple[SideName, ...]:
    """The sides that are made, in their order; a single mode knows neither what varies nor balance."""
    if wishes.mode is Mode.COMPARE and wishes.varies is not Varies.ANGLE:
        return SideName.A, SideName.B
    return SIDES_OF_MODE[wishes.mode]


@dataclass(frozen=True, slots=True)
class Wish:
    """One attribute that is wanted, and where the wish comes from."""

    value: str
    source: WishedFrom


@dataclass(frozen=True, slots=True)
class SettledWishes:
    """What counts after the designer's picks have been laid over the reading of the prompt.

    `named` is who the prompt names, whether or not it is they who count.
    """

    tone: Wish | None
    angle: Wish | None
    person: bool
    person_from: WishedFrom
    persona: Wish | None
    gender: Wish | None
    age: Wish | None
    ages: Ages | None
    named: str | None = None

    def planned_as(self, side: SideName) -> SideName:
        """What a side sends: A and B are both planned as tone + angle where an angle is wished, else as tone only."""
        if side not in (SideName.A, SideName.B):
            return side
        return SideName.TONE_ANGLE if self.angle is not None else SideName.TONE_ONLY

    @property
    def is_person_pinned(self) -> bool:
        """Whether the designer has said who it is: then the prompt has no say in it."""
        return self.persona is not None and self.persona.source is WishedFrom.PICKED

    def without_pinned_person(self) -> SettledWishes:
        """What counts once the designer lets go of the person: again whom the prompt names, if anybody."""
        if not self.is_person_pinned:
            return self
        return replace(self, persona=Wish(self.named, WishedFrom.PROMPT) if self.named else None)


@dataclass(frozen=True, slots=True)
class PinnedTags:
    """The tags of the pinned tone and angle pictures: they count as picked where no tile is."""

    tone: str | None = None
    angle: str | None = None


def check_prompt(prompt: str) -> str:
    """The prompt, unless there is nothing to send, too much, or no text. Raises InputError."""
    check_prompt_length(len(prompt))
    if not prompt.strip():
        raise InputError("The prompt is empty: say in a few words what the picture shows.")
    if not is_whole(prompt):
        raise InputError("The prompt holds bytes that are not text: type it again, or save the file as UTF-8.")
    return prompt


def check_prompt_length(chars: int) -> None:
    """Raise InputError for more than can be sent: before the prompt is read, planned from, drawn or written down."""
    if chars > PROMPT_CHARS_MAX:
        raise InputError(
            "The prompt has {:,} characters and at most {:,} can be sent: shorten it by {:,}.",
            chars,
            PROMPT_CHARS_MAX,
            chars - PROMPT_CHARS_MAX,
        )


def settle(
    wishes: Wishes,
    reading: Reading,
    personas: Iterable[str],
    chance_tone: str | None,
    pinned: PinnedTags = PinnedTags(),
) -> SettledWishes:
    """Lay the picks over the reading: what is set counts, else what the prompt says, else nothing."""
    tone = _choose(wishes.tone or pinned.tone, reading.tone)
    if tone is None and wishes.tone_by_chance and chance_tone is not None:
        tone = Wish(chance_tone, WishedFrom.CHANCE)
    has_person, _ = _person_wish(wishes, reading, None)
    named = persona_in(wishes.prompt, personas, has_person=has_person)
    persona = _choose(wishes.persona, named)
    ages = wishes.ages or _ages_of(reading)
    age_from = WishedFrom.PICKED if wishes.ages else WishedFrom.PROMPT
    person, person_from = _person_wish(wishes, reading, named)
    return SettledWishes(
        tone=tone,
        angle=_choose(wishes.angle or pinned.angle, reading.angle),
        person=person,
        person_from=person_from,
        persona=persona,
        gender=_choose(wishes.gender, reading.gender),
        age=Wish(str(ages), age_from) if ages else None,
        ages=ages,
        named=named,
    )


def _choose(picked: str | None, read: str | None) -> Wish | None:
    if picked is not None:
        return Wish(str(picked), WishedFrom.PICKED)
    return Wish(read, WishedFrom.PROMPT) if read is not None else None


def _person_wish(wishes: Wishes, reading: Reading, persona: str | None) -> tuple[bool, WishedFrom]:
    if wishes.person is not PersonWish.AUTO:
        return wishes.person is PersonWish.YES, WishedFrom.PICKED
    if wishes.persona is not None or wishes.gender is not None or wishes.ages is not None:
        return True, WishedFrom.PICKED
    return reading.person or persona is not None, WishedFrom.PROMPT


def _ages_of(reading: Reading) -> Ages | None:
    if reading.age_low is None or reading.age_high is None:
        return None
    return Ages(reading.age_low, min(reading.age_high, AGE_MAX))
