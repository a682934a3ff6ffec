"""What becomes of the decisions that the desk of labels sends: kept, or told to their person with what they can do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

import streamlit as st

from core.errors import InputError, WriteConflict
from core.labels.decisions.reviews import Kind, Value, fields_of
from core.labels.published.schema import LabelField
from core.labels.queue.queue import PersonaPicture
from core.labels.review.review_service import ReviewService
from core.labels.review.verdicts import FieldConflict, ReviewConflict, Verdict
from core.references.key import file_name
from core.studio import Studio
from core.ui.components.review_focus.focus_data import Answer, DecisionKind, FocusDecision, LostRace, Settled
from core.ui.frame.session import browser_secret, open_session
from core.ui.frame.state import Key
from core.ui.frame.words.local_time import clock, reader_zone
from core.ui.frame.words.quantities import count_of
from core.ui.references.label_values import (
    FIELD_NAMES,
    describe_value,
    parse_value,
    say_value,
    seal_shown,
    unseal_shown,
)
from core.viewer import Viewer

_KINDS = {DecisionKind.ACCEPT: Kind.ACCEPT, DecisionKind.CORRECT: Kind.CORRECT, DecisionKind.SKIP: Kind.SKIP}


def take_decisions(decisions: Sequence[FocusDecision]) -> Answer:
    """Keep what was decided, in its order. Raises StudioError while nothing can be kept."""
    studio, viewer = open_session()
    service, secret = studio.review_service, browser_secret(studio)
    lost: list[LostRace] = []
    settled: list[Settled] = []

    def act(decision: FocusDecision) -> None:
        if decision.kind is DecisionKind.SETTLE:
            settled.append(_settle(studio, viewer, decision))
        else:
            _undo(service, viewer, decision)

    for is_verdict, run in groupby(decisions, key=lambda decision: decision.kind in _KINDS):
        if is_verdict:
            lost += _save(studio, viewer, list(run))
        else:
            lost += _keep_each(run, secret, act)
    return Answer(lost, settled)


def _undo(service: ReviewService, viewer: Viewer, decision: FocusDecision) -> None:
    service.undo(viewer, service.events_of_press(viewer, decision.undoes))
    undone = st.session_state.setdefault(Key.LABEL_UNDONE, [])
    undone[:] = [*(key for key in undone if key != decision.item), decision.item][-20:]


def _settle(studio: Studio, viewer: Viewer, decision: FocusDecision) -> Settled:
    """Give all pictures of the persona the value. Raises InputError, WriteConflict."""
    etag, seen = unseal_shown(browser_secret(studio), decision.item, decision.seen)
    item = studio.review_service.item(viewer, decision.item)
    if item.reference.etag != etag:
        raise InputError("This picture has changed in S3 since it was shown: reload the page and look again.")
    if item.shown is not None:
        item = replace(item, shown=item.shown.model_copy(update=fields_of(seen)))
    values = _values(decision)
    if len(values) != 1:
        raise InputError("One field at a time is settled for all pictures of a person: settle again.")
    ((field, value),) = values.items()
    done = studio.review_service.settle(viewer, item, field, value, id_prefix=decision.id)
    name, words = FIELD_NAMES[field], say_value(value) or "unsure"
    pictures = count_of(len(done.pictures), "picture")
    now = {each.key: each for each in studio.review_service.item(viewer, decision.item).persona_pictures}
    left = tuple(_exception(studio, viewer, now.get(each.key, each), field) for each in done.left)
    return Settled(decision.id, decision.item, f"{name} of {item.reference.persona}: {words} on {pictures}.", left)


def _exception(studio: Studio, viewer: Viewer, left: PersonaPicture, field: LabelField) -> str:
    name = file_name(left.key)
    if studio.review_service.is_blind_to(viewer, left.etag):
        return f"{name} is left: it waits for your second look."
    words, by = say_value(left.values.get(field)) or "unsure", left.decided_by.get(field, "somebody else")
    return f"{name} stays {words}, as {by} decided."


def _save(studio: Studio, viewer: Viewer, decisions: Sequence[FocusDecision]) -> list[LostRace]:
    """Save them together, or one by one where one of them lost a race."""
    secret = browser_secret(studio)

    def save(some: Sequence[FocusDecision]) -> None:
        studio.review_service.save(viewer, [_verdict(decision, secret) for decision in some])

    try:
        save(decisions)
    except (InputError, WriteConflict):
        return _keep_each(decisions, secret, lambda decision: save([decision]))
    return []


def _keep_each(
    decisions: Iterable[FocusDecision], secret: str, keep: Callable[[FocusDecision], object]
) -> list[LostRace]:
    """Keep one after the other; what cannot be kept as it is is returned with the reason."""
    lost = []
    for decision in decisions:
        try:
            keep(decision)
        except ReviewConflict as err:
            lost.append(_lost_race(decision, err.conflicts, secret))
        except (InputError, WriteConflict) as err:
            lost.append(LostRace(decision.id, decision.item, err.message, dict(decision.values)))
    return lost


def _lost_race(decision: FocusDecision, conflicts: Sequence[FieldConflict], secret: str) -> LostRace:
    """What others decided beside what was wanted; insisting means to have seen theirs."""
    etag, seen = unseal_shown(secret, decision.item, decision.seen)
    theirs = {each.field: each.value for each in conflicts}
    accepted = {field.value: describe_value(seen.get(field)) for field in theirs}
    return LostRace(
        decision.id,
        decision.item,
        _describe(conflicts),
        mine={**accepted, **decision.values},
        fields=tuple(field.value for field in theirs),
        seen=seal_shown(secret, decision.item, etag, {**seen, **theirs}),
    )


def _describe(conflicts: Sequence[FieldConflict]) -> str:
    """Who set what, in a sentence for each person."""
    sentences = []
    for (reviewer, time), run in groupby(conflicts, key=lambda each: (each.reviewer, each.time)):
        theirs = list(run)
        set_to = [f"{FIELD_NAMES[each.field].lower()} to {say_value(each.value) or 'unsure'}" for each in theirs]
        name, at = file_name(theirs[0].key), clock(time, reader_zone())
        sentences.append(f"{reviewer} set {', '.join(set_to)} of {name} at {at}.")
    return " ".join(sentences)


def _verdict(decision: FocusDecision, secret: str) -> Verdict:
    """The decision as the review service takes it. Raises InputError for what the browser cannot have been shown."""
    etag, seen = unseal_shown(secret, decision.item, decision.seen)
    kind = _KINDS[decision.kind]
    return Verdict(
        id=decision.id,
        kind=kind,
        key=decision.item,
        etag=etag,
        seen={} if kind is Kind.SKIP else seen,
        values=_values(decision) if kind is Kind.CORRECT else {},
    )


def _values(decision: FocusDecision) -> Mapping[LabelField, Value]:
    """Raises InputError for words that a field cannot have."""
    words = {field: decision.values[field.value] for field in LabelField if field.value in decision.values}
    return {field: parse_value(field, text) for field, text in words.items()}
