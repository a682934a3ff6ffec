"""The focus desk: one portrait at a time, decided by a key, with an outbox that loses nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field

from core.errors import StudioError
from core.ui.components.component import (
    UNREADABLE,
    Component,
    KeyText,
    ShortText,
    Told,
    memory,
    message,
    read_told,
)

_REMEMBERED = 500  # kept decisions a page can be told of again
_AT_ONCE_MAX: Final = 200  # the script sends fewer
_SEEN_CHARS_MAX: Final = 32_000  # every field of a label as it was shown, sealed
_VALUE_CHARS_MAX: Final = 2000  # more than a label keeps, so that it is core that says what is too long
_VALUES_MAX: Final = 16
_component = Component(Path(__file__).with_suffix(".js"), html='<div class="desk"></div>')


class DecisionKind(StrEnum):
    """What a person did about a label. `seen` puts a lost race aside."""

    ACCEPT = "accept"
    CORRECT = "correct"
    SKIP = "skip"
    UNDO = "undo"
    SEEN = "seen"


@dataclass(frozen=True, slots=True)
class Choice:
    """A value a field can take, and its words on screen."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class FocusField:
    """A field to be decided; `is_free` ones take other words than the choices too."""

    name: str
    label: str
    choices: tuple[Choice, ...]
    is_free: bool = False


@dataclass(frozen=True, slots=True)
class FocusValue:
    """What is said now, by whom, how sure (0 to 1, None for people), and what others say, in words."""

    value: str | None
    by: str = ""
    confidence: float | None = None
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FocusItem:
    """A portrait that waits: `reason` says why in a word, `detail` in a sentence.

    `seen` comes back with the decision and tells what was on the screen, so that a lost race is noticed.
    """

    id: str
    title: str
    reason: str
    detail: str
    picture_url: str
    thumbnail_url: str
    alt: str
    seen: str
    values: Mapping[str, FocusValue]


@dataclass(frozen=True, slots=True)
class FocusDecision:
    """One decision as the browser tells it: look everything in it up, trust nothing.

    `values` are the corrected fields alone, None for unsure. `undoes` is the decision an undo takes back.
    """

    id: str
    kind: DecisionKind
    item: str
    seen: str
    values: Mapping[str, str | None]
    undoes: str = ""


@dataclass(frozen=True, slots=True)
class Undoable:
    """A kept decision of this person that can still be taken back."""

    decision: str
    item: str


@dataclass(frozen=True, slots=True)
class LostRace:
    """A decision that was not kept; `says` tells why, mostly what somebody else decided first.

    `mine` is what was wanted. Where nobody could insist on it, there is only the sentence.
    """

    decision: str
    item: str
    says: str
    mine: Mapping[str, str | None] = field(default_factory=dict)
    can_insist: bool = True


Take = Callable[[Sequence[FocusDecision]], Sequence[LostRace]]


@dataclass(frozen=True, slots=True)
class FocusData:
    """What the browser draws. `kept` names the newest decisions that need not be sent again.

    What is decided waits in the browser under the name of its `owner`, for nobody else to send.
    """

    key: str
    owner: str
    queue: str
    items: Sequence[FocusItem]
    fields: Sequence[FocusField]
    left: int
    kept: Sequence[str]
    undoable: Sequence[Undoable]
    conflicts: Sequence[LostRace]
    trouble: str


@dataclass(slots=True)
class FocusMemory:
    """What outlives a rerun: decisions that are kept, races that were lost, and what is wrong just now."""

    kept: dict[str, None] = field(default_factory=dict)
    lost: dict[str, LostRace] = field(default_factory=dict)
    trouble: str = ""


def review_focus(
    items: Sequence[FocusItem],
    fields: Sequence[FocusField],
    *,
    key: str,
    owner: str,
    queue: str,
    left: int,
    undoable: Sequence[Undoable],
    take: Take,
) -> None:
    """Draw the desk; `take` keeps decisions and returns the races they lost, or raises StudioError.

    `take` may meet a decision twice and must keep it once. `queue` names what the items were chosen by: another
    one starts the desk anew. `left` counts all that wait, shown or not.
    """
    known = memory(key, FocusMemory)
    _component.draw(
        FocusData(
            key=key,
            owner=owner,
            queue=queue,
            items=items,
            fields=fields,
            left=left,
            kept=tuple(known.kept),
            undoable=undoable,
            conflicts=tuple(known.lost.values()),
            trouble=known.trouble,
        ),
        key=key,
        on_outbox_change=partial(_take, key, take),
    )


class _Outbox(Told):
    """What waits in the browser; each decision is read for itself, so that a damaged one holds up no other."""

    decisions: Annotated[list[Any], Field(max_length=_AT_ONCE_MAX)]


class _Decision(Told):
    """A decision as the script writes it."""

    id: Annotated[str, Field(min_length=1, max_length=64)]
    kind: Annotated[DecisionKind, Field(strict=False)]
    item: KeyText
    seen: Annotated[str, Field(max_length=_SEEN_CHARS_MAX)]
    values: Annotated[
        dict[ShortText, Annotated[str, Field(max_length=_VALUE_CHARS_MAX)] | None], Field(max_length=_VALUES_MAX)
    ]
    undoes: Annotated[str, Field(max_length=200)] = ""


class _Named(Told):
    """As much of a decision as its sender needs to hear that it was not taken."""

    id: ShortText
    item: KeyText = ""


def _take(key: str, take: Take) -> None:
    """Hand on what the browser sent, but for what is kept already."""
    known = memory(key, FocusMemory)
    outbox = message(key, "outbox", _Outbox)
    decisions = [each for each in _decisions(known, outbox, key) if each.id not in known.kept] if outbox else []
    for decision in decisions:
        if decision.kind is DecisionKind.SEEN:
            known.lost.pop(decision.undoes, None)
    try:
        lost = take([decision for decision in decisions if decision.kind is not DecisionKind.SEEN])
    except StudioError as err:
        known.trouble = err.message
        return
    known.trouble = ""
    known.lost.update({race.decision: race for race in lost})
    known.kept.update(dict.fromkeys(decision.id for decision in decisions))
    while len(known.kept) > _REMEMBERED:
        known.kept.pop(next(iter(known.kept)))


def _decisions(known: FocusMemory, outbox: _Outbox, key: str) -> list[FocusDecision]:
    """The decisions in what the browser said. What is none is not asked for again, and its sender hears of it."""
    found = []
    for row in outbox.decisions:
        if decision := read_told(row, _Decision, part=key):
            found.append(FocusDecision(**decision.model_dump()))
        elif named := read_told(row, _Named, part=key):
            known.lost[named.id] = LostRace(named.id, named.item, UNREADABLE, can_insist=False)
            known.kept[named.id] = None
    return found
