"""The labels page's focus mode: the review queue, one portrait at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial

import streamlit as st

from core.errors import InputError
from core.images.thumbnails import THUMBNAIL_SIDES
from core.labels.decisions.reviews import Value, value_in
from core.labels.published.schema import LabelField
from core.labels.queue.queue import PersonaPicture, QueueFilter, QueueItem
from core.labels.review.review_service import ReviewService
from core.labels.review.verdicts import press_of
from core.references.key import file_name, fold
from core.references.vocabulary import Vocabulary
from core.studio import Studio
from core.ui.components.review_focus.focus_data import FocusItem, FocusValue, Persona, PersonaTile, Undoable
from core.ui.components.review_focus.review_focus import ahead_of, been_through, review_focus, spoken_of
from core.ui.frame.session import browser_owner, browser_secret
from core.ui.frame.state import Key
from core.ui.labels.label_decisions import take_decisions
from core.ui.labels.label_lending import desk_name, hand_of, lend_ahead
from core.ui.references.label_values import PERSONAL, describe_value, focus_fields, say_value, seal_shown
from core.viewer import Viewer
from core.web.http.addresses import ORIGINAL, image_url

_SHOWN = 60
_PERSONA_PICTURES = 100  # that are counted beside one of them


def label_focus(studio: Studio, viewer: Viewer, queue: Sequence[QueueItem], wanted: QueueFilter) -> None:
    """Draw the first of the queue that the person has not been through, and what was undone or is spoken of."""
    service, name = studio.review_service, repr(wanted)
    passed = been_through(Key.LABEL_FOCUS, name)
    told = ahead_of(Key.LABEL_FOCUS)
    ahead = [item for item in queue if item.reference.key not in passed]
    ahead = lend_ahead(studio, viewer, ahead, told)
    items = {item.reference.key: item for item in ahead[:_SHOWN]}
    items |= {item.reference.key: item for item in ahead if item.reference.key in told[:1]}
    spoken = spoken_of(Key.LABEL_FOCUS)
    for key in (*st.session_state.get(Key.LABEL_UNDONE, ()), *spoken):
        if key not in items:
            with suppress(InputError):  # it has left the library, or was never a portrait
                item = service.item(viewer, key)
                items |= {key: item} if item.reasons or key in spoken else {}
    presses = {press_of(event): event.key for event in service.undoable(viewer)}
    review_focus(
        [_focus_item(item, browser_secret(studio), studio.vocabulary) for item in items.values()],
        focus_fields(studio.vocabulary, partial(service.known_values, viewer)),
        key=Key.LABEL_FOCUS,
        owner=browser_owner(studio, viewer),
        queue=name,
        waiting=sum(bool(item.reasons) for item in queue),
        passed=len(queue) - len(ahead),
        desk=desk_name(),
        hand=hand_of(ahead, told),
        is_searched=bool(wanted.text),
        undoable=[Undoable(press, key) for press, key in presses.items()],
        take=take_decisions,
        personas=_personas(items.values(), service, viewer),
    )


def _focus_item(item: QueueItem, secret: str, vocabulary: Vocabulary) -> FocusItem:
    ref, label = item.reference, item.shown
    values = {field: value_in(label, field) for field in LabelField}
    names = ", ".join(reason.why.value for reason in item.reasons) or "reviewed"
    detail, *more = map(vocabulary.in_names, item.why or ("",))
    return FocusItem(
        id=ref.key,
        title=ref.key,
        reason=f"{names[:1].upper()}{names[1:]}",
        detail=detail,
        more=tuple(more),
        picture_url=image_url(ref.key, ref.etag, THUMBNAIL_SIDES[-1]),
        thumbnail_url=image_url(ref.key, ref.etag),
        original_url=image_url(ref.key, ref.etag, ORIGINAL),
        alt=ref.name,
        seen=seal_shown(secret, ref.key, ref.etag, values),
        values={
            field.value: FocusValue(
                value=describe_value(values[field]),
                by=_by(item, field),
                confidence=label.confidence.get(field) if label else None,
                others=tuple(_others(item, field, values[field])),
                wrong=item.fields.get(field.value),
            )
            for field in LabelField
        },
        persona=_persona_of(item) if item.elsewhere else "",
        lent_to=item.lent.name if item.lent else "",
        lent_until_ms=item.lent.until.timestamp() * 1000 if item.lent else 0.0,
    )


def _by(item: QueueItem, field: LabelField) -> str:
    """Who says so: who decided on the field, else whose the label was before anybody did."""
    own = next((each for each in item.persona_pictures if each.key == item.reference.key), None)
    is_blind = item.shown is item.blind
    if own is not None and not is_blind and field in own.decided_by:
        return own.decided_by[field]
    said = item.blind if own is not None and item.blind is not None else item.shown
    return "" if said is None else said.reviewer or said.source.value


def _others(item: QueueItem, field: LabelField, shown: Value) -> Iterator[str]:
    """What machines say that is not what is shown."""
    for proposal in item.proposals:
        value = value_in(proposal.label, field)
        if value is None or value == shown or field is LabelField.NOTES:
            continue
        sure = proposal.label.confidence.get(field)
        yield f"{proposal.label.source.value} says {say_value(value)}" + (f", {sure * 100:.0f} % sure" if sure else "")


def _personas(items: Iterable[QueueItem], service: ReviewService, viewer: Viewer) -> dict[str, Persona]:
    """The personas of the items, each once, without pictures of which this person's own opinion may still be asked."""
    found: dict[str, Persona] = {}
    for item in items:
        if item.elsewhere and _persona_of(item) not in found:
            shown = [each for each in item.persona_pictures if not service.is_blind_to(viewer, each.etag)]
            tiles = tuple(map(_tile, shown[:_PERSONA_PICTURES]))
            found[_persona_of(item)] = Persona(item.reference.persona or "", tiles, more=len(shown) - len(tiles))
    return found


def _persona_of(item: QueueItem) -> str:
    return fold(item.reference.persona or "")


def _tile(picture: PersonaPicture) -> PersonaTile:
    return PersonaTile(
        id=picture.key,
        alt=file_name(picture.key),
        thumbnail_url=image_url(picture.key, picture.etag),
        says={field.value: describe_value(picture.values.get(field)) for field in PERSONAL},
        decided_by={field.value: picture.decided_by[field] for field in PERSONAL if field in picture.decided_by},
    )
