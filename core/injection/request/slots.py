"""Slots: the places of an injection, each filled or empty, each with its reasons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from core.injection.request.wishes import Wish
from core.references.index import ReferenceIndex
from core.references.key import file_name, persona_of
from core.references.reference import AttributeGroup, Reference
from core.references.vocabulary import GroupProblem, Role


class Rule(StrEnum):
    """What a step did. Together with the library and its labels the steps of a slot give its key again.

    `group`, `folder` and `role` count every file there; every later step starts from the pictures in groups
    that may be injected from, those left out that cannot be opened. From `person-first` and `recent-last` on only the
    order changes, until `draw`, `turn`, `held` or `pin` takes one picture out of what is left. Where several groups are
    left, `drawn-group` or `group-by-group` stands before it; in records from before they did, the draw was among all
    of their pictures at once.
    """

    GROUP = "group"  # in the group `value`
    FOLDER = "folder"  # in any group of the model folder `value`
    ROLE = "role"  # in any group of a folder with the role `value`
    TONE = "tone"
    ANGLE = "angle"
    OTHER_ANGLE = "other-angle"  # in a group that is not tagged with the angle `value`
    PERSONA = "persona"  # the prompt names `value`
    GENDER = "gender"
    AGE = "age"  # `value` is "30" or "30–39"
    NOT_OTHER_GENDER = "not-other-gender"  # not labelled with another gender than `value`, not even formerly
    BESIDE = "beside"  # in a reference folder directly in the project `value`
    INSIDE = "inside"  # anywhere under the project `value`
    ANYWHERE = "anywhere"  # in the whole library
    LEFT_OUT = "left-out"  # its group is beyond the number of groups a side may have
    BALANCE = "balance"  # none, so that both sides have equally many
    SAME_PERSON = "same-person"  # of the person `value`, unless nobody here is
    FRESH = "fresh"  # not one of `keys`, which were given last time
    PERSON_FIRST = "person-first"  # those of the person `value` come first
    RECENT_LAST = "recent-last"  # those of `keys`, which were given last time, come last
    DRAWN_GROUP = "drawn-group"  # in the group `value`, which has the lowest ticket of `seed` among those left
    GROUP_BY_GROUP = "group-by-group"  # first each group's first picture, then each group's second, by groups' tickets
    PIN = "pin"  # the picture `value`, if it is among those left
    HELD = "held"  # the picture `value`, which a recorded comparison drew
    OFF = "off"
    DRAW = "draw"  # the lowest ticket of `seed`
    TURN = "turn"  # `keys[0]`, if there, then the order by tickets of `seed`; of these number `value`, round and round


@dataclass(frozen=True, slots=True)
class Step:
    """One narrowing: what was asked and by whom, and how many pictures were left after it.

    `step` is for people, the rest for whoever wants to do it again; older records have only `step` and `left`.
    """

    step: str
    left: int
    rule: Rule | None = None
    value: str = ""
    source: str | None = None
    keys: tuple[str, ...] = ()
    seed: int | None = None


ANYTHING: Final = "any"
ALONE: Final = "alone"  # each side as its mode alone


class Loosen(StrEnum):
    """The wishes that can be loosened where nothing meets all of them; `core/injection/choices.py` does it."""

    FOLDER = "folder"
    TONE = "tone"
    PERSONA = "persona"
    GENDER = "gender"
    AGE = "age"
    PERSON = "person"
    PIN = "pin"  # of the slot `to`
    MODE = "mode"
    BALANCED = "balanced"  # to planning each side as its mode alone
    ANGLE = "angle"  # never the one that is given up first


@dataclass(frozen=True, slots=True)
class NearMiss:
    """The one wish to loosen, the one value that would do, and how many pictures that gives.

    `loosen` is a `Loosen`, `to` a value of it: a tag's id, the path of a folder, a name, a gender, a range of years,
    or `ANYTHING` where no such wish would do. Older records list several values in one.
    """

    loosen: str
    to: str
    pictures: int


@dataclass(frozen=True, slots=True)
class Slot:
    """One place in a side. `key` and `etag` are None when it is empty; `why` always says why.

    `id` is `tone`, `angle` or `model:<group path>`; pins, re-rolls and off-switches go by it.
    """

    id: str
    role: Role
    key: str | None
    etag: str | None
    group: str | None
    folder: str | None
    wished: str | None
    wished_from: str | None
    why: str
    steps: tuple[Step, ...]
    choices: int = 0
    pinned: bool = False
    near: tuple[NearMiss, ...] = ()

    @classmethod
    def empty(
        cls,
        role: Role,
        why: str,
        *,
        wishes: Sequence[Wish] = (),
        slot_id: str | None = None,
        group: str | None = None,
        folder: str | None = None,
        steps: Iterable[Step] = (),
        near: tuple[NearMiss, ...] = (),
    ) -> Slot:
        """One that holds nothing, and why; its id is the role's name unless it is of a group."""
        return cls(
            slot_id or role.value, role, None, None, group, folder, *_words(wishes), why, tuple(steps), near=near
        )

    @classmethod
    def holding(
        cls,
        reference: Reference,
        role: Role,
        why: str,
        *,
        wishes: Sequence[Wish],
        steps: Iterable[Step],
        choices: int,
        pinned: bool,
        slot_id: str | None = None,
    ) -> Slot:
        """One that holds a reference of a group, as one of so many choices."""
        return cls(
            slot_id or role.value,
            role,
            reference.key,
            reference.etag,
            reference.group,
            reference.folder,
            *_words(wishes),
            why,
            tuple(steps),
            choices,
            pinned,
        )

    @property
    def filled(self) -> bool:
        """Whether a reference goes in."""
        return self.key is not None

    @property
    def is_off(self) -> bool:
        """Whether it is empty because somebody switched it off."""
        return bool(self.steps) and self.steps[-1].rule is Rule.OFF

    @property
    def persona(self) -> str | None:
        """Who is in the picture."""
        return persona_of(self.key) if self.key else None

    @property
    def name(self) -> str | None:
        """The picture's file name."""
        return file_name(self.key) if self.key else None


@dataclass
class Trail:
    """Writes down each narrowing as it happens."""

    steps: list[Step] = field(default_factory=list)

    def note(
        self,
        rule: Rule,
        step: str,
        left: Sequence[Reference] | int,
        value: str = "",
        *,
        source: str | None = None,
        keys: Iterable[str] = (),
        seed: int | None = None,
    ) -> None:
        """Record a step and what it left."""
        count = left if isinstance(left, int) else len(left)
        self.steps.append(Step(step, count, rule, value, source, tuple(keys), seed))

    def note_off(self) -> None:
        """Record that somebody switched the slot off."""
        self.note(Rule.OFF, "switched off by you", 0)

    def note_held(self, key: str) -> None:
        """Record that a picture stays as a comparison drew it."""
        self.note(Rule.HELD, "as recorded", 1, key)

    def note_pin(self, key: str, *, fits: bool) -> None:
        """Record a pin, and whether the picture is still among those that fit."""
        self.note(Rule.PIN, "pinned by you", int(fits), key)


def left_out_words(groups: Iterable[AttributeGroup]) -> str:
    """A sentence or two on the files in these groups that cannot be read; nothing where all can."""
    files = [ref for group in groups if len(group.usable) < len(group.references) for ref in group.references]
    broken = [ref.name for ref in files if ref.problem is GroupProblem.UNREADABLE]
    archived = [ref.name for ref in files if ref.is_archived]
    said = []
    if broken:
        one = f"“{broken[0]}” cannot be opened as a picture and is left out."
        said.append(
            one if len(broken) == 1 else f"{len(broken):,} files cannot be opened as pictures and are left out."
        )
    if archived:
        one = f"“{archived[0]}” lies in an archive of S3 and is left out until it is restored."
        many = f"{len(archived):,} pictures lie in an archive of S3 and are left out until they are restored."
        said.append(one if len(archived) == 1 else many)
    return " ".join(said)


def unreadable_pin_words(index: ReferenceIndex, key: str) -> str:
    """A sentence on a pinned file that cannot be read; nothing on any other."""
    listed = index.get(key)
    if listed is not None and listed.is_archived:
        return "The picture you pinned lies in an archive of S3: restore it first, or unpin it."
    if listed is None or listed.problem is not GroupProblem.UNREADABLE:
        return ""
    return "The file you pinned cannot be opened as a picture: unpin it, or upload it again."


def _words(wishes: Sequence[Wish]) -> tuple[str | None, str | None]:
    """What is wished and where from, each source once; None for nothing."""
    sources = dict.fromkeys(wish.source.value for wish in wishes)
    return " + ".join(wish.value for wish in wishes) or None, ", ".join(sources) or None
