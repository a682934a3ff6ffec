"""The focus desk: one portrait at a time, decided by a key, with an outbox that loses nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field

from core.errors import StudioError
from core.labels.lending.loans import HAND_MAX
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
from core.ui.components.review_focus.focus_data import (
    Answer,
    DecisionKind,
    FocusData,
    FocusDecision,
    FocusField,
    FocusItem,
    LostRace,
    Persona,
    Settled,
    Undoable,
)

_REMEMBERED: Final = 500  # kept decisions a page can be told of again
_MESSAGES_MAX: Final = 100
_AT_ONCE_MAX: Final = 200  # the script sends fewer
_SEEN_CHARS_MAX: Final = 32_000  # every field of a label as it was shown, sealed
_VALUE_CHARS_MAX: Final = 2000  # more than a label keeps, so that it is core that says what is too long
_VALUES_MAX: Final = 16
_PASSING: Final = (DecisionKind.ACCEPT, DecisionKind.CORRECT, DecisionKind.SKIP)
_component = Component(Path(__file__).with_suffix(".js"), html='<div class="desk"></div>')


Take = Callable[[Sequence[FocusDecision]], Answer]


@dataclass(slots=True)
class FocusMemory:
    """What outlives a rerun: decisions that are kept, messages nobody has put aside, and what is wrong just now.

    `passed` are the items of `queue` that its person has been through, decided or skipped; `ahead` those that they
    come to next, the one that is looked at first.
    """

    kept: dict[str, None] = field(default_factory=dict)
    lost: dict[str, LostRace] = field(default_factory=dict)
    settled: dict[str, Settled] = field(default_factory=dict)
    trouble: str = ""
    queue: str = ""
    passed: set[str] = field(default_factory=set)
    ahead: tuple[str, ...] = ()


def been_through(key: str, queue: str) -> frozenset[str]:
    """The items of this queue that the person has decided or skipped; none once another queue is asked for."""
    known = memory(key, FocusMemory)
    if known.queue != queue:
        known.queue, known.passed = queue, set()
    return frozenset(known.passed)


def ahead_of(key: str) -> tuple[str, ...]:
    """The items that the person comes to next, as the browser last said; the one that is looked at stands first."""
    return memory(key, FocusMemory).ahead


def spoken_of(key: str) -> list[str]:
    """The items of the messages that nobody has put aside: they are to be looked at, whether they wait or not."""
    known = memory(key, FocusMemory)
    lost, settled = known.lost.values(), known.settled.values()
    return list(dict.fromkeys([*(each.item for each in lost), *(each.item for each in settled)]))


def review_focus(
    items: Sequence[FocusItem],
    fields: Sequence[FocusField],
    *,
    key: str,
    owner: str,
    queue: str,
    waiting: int,
    undoable: Sequence[Undoable],
    take: Take,
    passed: int = 0,
    personas: Mapping[str, Persona] | None = None,
    desk: str = "",
    hand: Sequence[str] = (),
    is_searched: bool = False,
) -> None:
    """Draw the desk; `take` keeps decisions and tells what became of them, or raises StudioError.

    `take` may meet a decision twice and must keep it once. `queue` names what the items were chosen by: another
    one starts the desk anew.
    """
    known = memory(key, FocusMemory)
    _component.draw(
        FocusData(
            key=key,
            owner=owner,
            queue=queue,
            items=items,
            personas=personas or {},
            fields=fields,
            waiting=waiting,
            passed=passed,
            desk=desk,
            hand=hand,
            is_searched=is_searched,
            kept=tuple(known.kept),
            undoable=undoable,
            conflicts=tuple(known.lost.values()),
            settled=tuple(known.settled.values()),
            trouble=known.trouble,
        ),
        key=key,
        on_outbox_change=partial(_take, key, take),
        on_again_change=partial(_begin_again, key),
    )


class _Outbox(Told):
    """What waits in the browser; each decision is read for itself, so that a damaged one holds up no other."""

    decisions: Annotated[list[Any], Field(max_length=_AT_ONCE_MAX)]
    ahead: Annotated[list[KeyText], Field(max_length=HAND_MAX, default_factory=list)]


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


def _begin_again(key: str) -> None:
    """Offer what was skipped once more."""
    memory(key, FocusMemory).passed.clear()


def _take(key: str, take: Take) -> None:
    """Hand on what the browser sent, but for what is kept already.

    What was not kept stays in the browser's outbox until its person has put the message aside: a reload asks anew.
    """
    known = memory(key, FocusMemory)
    outbox = message(key, "outbox", _Outbox)
    known.ahead = tuple(outbox.ahead) if outbox else ()
    decisions = [each for each in _decisions(known, outbox, key) if each.id not in known.kept] if outbox else []
    for decision in decisions:
        if decision.kind is DecisionKind.SEEN:
            known.lost.pop(decision.undoes, None)
            known.settled.pop(decision.undoes, None)
    try:
        answer = take([decision for decision in decisions if decision.kind is not DecisionKind.SEEN])
    except StudioError as err:
        known.trouble = err.message
        return
    known.trouble = ""
    lost = {race.decision: race for race in answer.lost}
    for decision in decisions:
        if decision.id not in lost:
            _keep(known, decision)
    known.lost.update(lost)
    known.settled.update({each.decision: each for each in answer.settled})
    _forget_beyond(known.kept, _REMEMBERED)
    _forget_beyond(known.lost, _MESSAGES_MAX)
    _forget_beyond(known.settled, _MESSAGES_MAX)


def _keep(known: FocusMemory, decision: FocusDecision) -> None:
    known.kept[decision.id] = None
    known.lost.pop(decision.id, None)
    if decision.kind in _PASSING:
        known.passed.add(decision.item)
    elif decision.kind is DecisionKind.UNDO:
        known.passed.discard(decision.item)
        known.settled.pop(decision.undoes, None)


def _forget_beyond(rows: dict[str, Any], count: int) -> None:
    while len(rows) > count:
        rows.pop(next(iter(rows)))


def _decisions(known: FocusMemory, outbox: _Outbox, key: str) -> list[FocusDecision]:
    """The decisions in what the browser said. What is none is not asked for again, and its sender hears of it."""
    found = []
    for row in outbox.decisions:
        if decision := read_told(row, _Decision, part=key):
            found.append(FocusDecision(**decision.model_dump()))
        elif named := read_told(row, _Named, part=key):
            known.lost[named.id] = LostRace(named.id, named.item, UNREADABLE)
            known.kept[named.id] = None
    return found
