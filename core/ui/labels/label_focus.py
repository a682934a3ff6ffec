"""The labels page's focus mode: the review queue one portrait at a time, and what becomes of the decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

import streamlit as st

from core.errors import InputError, WriteConflict
from core.images.thumbnails import THUMBNAIL_SIDES
from core.labels.published.schema import Label, LabelField
from core.labels.review.queue import QueueFilter, QueueItem
from core.labels.review.review_service import ReviewService
from core.labels.review.reviews import Kind, Value, value_in
from core.labels.review.verdicts import FieldConflict, ReviewConflict, Verdict
from core.references.key import file_name
from core.studio import Studio
from core.ui.components.review_focus.review_focus import (
    DecisionKind,
    FocusDecision,
    FocusItem,
    FocusValue,
    LostRace,
    Undoable,
    review_focus,
)
from core.ui.frame.session import browser_owner, browser_secret, open_session
from core.ui.frame.state import Key
from core.ui.references.label_values import (
    FIELD_NAMES,
    describe_value,
    focus_fields,
    parse_value,
    seal_shown,
    unseal_shown,
)
from core.viewer import Viewer
from core.web.addresses import image_url

_SHOWN = 60
_KINDS = {DecisionKind.ACCEPT: Kind.ACCEPT, DecisionKind.CORRECT: Kind.CORRECT, DecisionKind.SKIP: Kind.SKIP}


def label_focus(studio: Studio, viewer: Viewer, queue: Sequence[QueueItem], wanted: QueueFilter) -> None:
    """Draw the first of the queue, and whatever was just undone."""
    items = {item.reference.key: item for item in queue[:_SHOWN]}
    for key in st.session_state.get(Key.LABEL_UNDONE, ()):
        if key not in items and studio.catalog.index.get(key) is not None:
            undone = studio.review_service.item(viewer, key)
            items |= {key: undone} if undone.reasons else {}
    review_focus(
        [_focus_item(item, browser_secret(studio)) for item in items.values()],
        focus_fields(studio.vocabulary),
        key=Key.LABEL_FOCUS,
        owner=browser_owner(studio, viewer),
        queue=repr(wanted),
        left=len(queue),
        undoable=[Undoable(event.id, event.key) for event in studio.review_service.undoable(viewer)],
        take=_take,
    )


def _focus_item(item: QueueItem, secret: str) -> FocusItem:
    ref, label = item.reference, item.shown
    values = {field: value_in(label, field) for field in LabelField}
    whys = ", ".join(reason.why.value for reason in item.reasons) or "reviewed"
    return FocusItem(
        id=ref.key,
        title=ref.key,
        reason=f"{whys[:1].upper()}{whys[1:]}",
        detail=" ".join(reason.says for reason in item.reasons),
        picture_url=image_url(ref.key, ref.etag, THUMBNAIL_SIDES[-1]),
        thumbnail_url=image_url(ref.key, ref.etag),
        alt=ref.name,
        seen=seal_shown(secret, ref.key, ref.etag, values),
        values={
            field.value: FocusValue(
                value=describe_value(values[field]),
                by=_by(label),
                confidence=label.confidence.get(field) if label else None,
                others=tuple(_others(item, field, values[field])),
            )
            for field in LabelField
        },
    )


def _by(label: Label | None) -> str:
    return "" if label is None else label.reviewer or label.source.value


def _others(item: QueueItem, field: LabelField, shown: Value) -> Iterator[str]:
    """What machines say that is not what is shown."""
    for proposal in item.proposals:
        value = value_in(proposal.label, field)
        if value is None or value == shown or field is LabelField.NOTES:
            continue
        sure = proposal.label.confidence.get(field)
        yield f"{proposal.label.source.value} says {describe_value(value)}" + (
            f", {sure * 100:.0f} % sure" if sure else ""
        )


def _take(decisions: Sequence[FocusDecision]) -> list[LostRace]:
    """Keep what was decided, in its order. Raises StudioError while nothing can be kept."""
    studio, viewer = open_session()
    lost: list[LostRace] = []
    for is_undo, run in groupby(decisions, key=lambda decision: decision.kind is DecisionKind.UNDO):
        if is_undo:
            lost += _keep_each(run, lambda decision: _undo(studio.review_service, viewer, decision))
        else:
            lost += _save(studio, viewer, list(run))
    return lost


def _undo(review_service: ReviewService, viewer: Viewer, decision: FocusDecision) -> None:
    review_service.undo(viewer, [decision.undoes])
    undone = st.session_state.setdefault(Key.LABEL_UNDONE, [])
    undone[:] = [*(key for key in undone if key != decision.item), decision.item][-20:]


def _save(studio: Studio, viewer: Viewer, decisions: Sequence[FocusDecision]) -> list[LostRace]:
    """Save them together, or one by one where one of them lost a race."""

    def save(some: Sequence[FocusDecision]) -> None:
        secret = browser_secret(studio)
        studio.review_service.save(viewer, [_verdict(decision, secret) for decision in some])

    try:
        save(decisions)
    except (InputError, WriteConflict):
        return _keep_each(decisions, lambda decision: save([decision]))
    return []


def _keep_each(decisions: Iterable[FocusDecision], keep: Callable[[FocusDecision], object]) -> list[LostRace]:
    """Keep one after the other; what can never be kept is returned with the reason instead of being sent for ever."""
    lost = []
    for decision in decisions:
        try:
            keep(decision)
        except WriteConflict as err:
            says = " ".join(map(_describe, err.conflicts)) if isinstance(err, ReviewConflict) else err.message
            lost.append(LostRace(decision.id, decision.item, says, dict(decision.values)))
        except InputError as err:
            lost.append(LostRace(decision.id, decision.item, err.message, can_insist=False))
    return lost


def _verdict(decision: FocusDecision, secret: str) -> Verdict:
    """The decision as the review service takes it. Raises InputError for what the browser cannot have been shown."""
    etag, seen = unseal_shown(secret, decision.item, decision.seen)
    kind = _KINDS[decision.kind]
    words = {field: decision.values[field.value] for field in LabelField if field.value in decision.values}
    values = {field: parse_value(field, text) for field, text in words.items()}
    return Verdict(
        id=decision.id,
        kind=kind,
        key=decision.item,
        etag=etag,
        seen={} if kind is Kind.SKIP else seen,
        values=values if kind is Kind.CORRECT else {},
    )


def _describe(theirs: FieldConflict) -> str:
    value = describe_value(theirs.value) or "unsure"
    field = f"{FIELD_NAMES[theirs.field].lower()} of {file_name(theirs.key)}"
    return f"{theirs.reviewer} set {field} to {value} at {theirs.time:%H:%M} UTC."
