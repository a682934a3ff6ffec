"""Settling: one field of all pictures of a persona in one press, and the pictures that are left as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.errors import InputError
from core.labels.decisions.reviews import Kind, Reviews, Value, value_in
from core.labels.decisions.second_looks import is_seen_once
from core.labels.published.schema import LabelField
from core.labels.queue.queue import PersonaPicture, QueueItem
from core.labels.review.verdicts import Verdict

PERSONAL: Final = (LabelField.AGE, LabelField.GENDER, LabelField.HAIR)  # what a person has on every picture


@dataclass(frozen=True, slots=True)
class SettlingPlan:
    """What settling comes to: verdicts for the pictures that get the value, and the pictures that are left."""

    verdicts: tuple[Verdict, ...]
    pictures: tuple[PersonaPicture, ...]
    left: tuple[PersonaPicture, ...]


def check_settling(item: QueueItem, field: LabelField, value: Value) -> None:
    """Raise InputError for a field that is not a person's, for no value, and for a picture that names nobody."""
    if field not in PERSONAL:
        raise InputError("Only age, gender and hair belong to a person: set the other fields picture by picture.")
    if value is None:
        raise InputError("To settle a person's pictures, say what is right: “unsure” is said picture by picture.")
    if item.reference.persona is None:
        raise InputError("This picture's name names no person: set its label by itself.")


def plan_settling(item: QueueItem, field: LabelField, value: Value, reviews: Reviews, *, prefix: str) -> SettlingPlan:
    """The portrait as it was shown, then its persona's other pictures, each once, as reviews stand now.

    Left are those about which a person decided otherwise, and those that wait for a second look: that is at the whole
    label, and by somebody who is told nothing. Where a person said the same already, nothing needs to be written.
    """
    ref = item.reference
    verdicts = [_verdict(ref.key, ref.etag, field, value_in(item.shown, field), value, prefix=prefix)]
    pictures, left = [each for each in item.persona_pictures if each.key == ref.key], []
    for picture in {each.etag: each for each in item.elsewhere}.values():
        decisions = reviews.of_picture(picture.etag)
        decided = decisions.values
        if is_seen_once(picture.etag, decisions) or decided.get(field, value) != value:
            left.append(picture)
            continue
        pictures.append(picture)
        if field not in decided:
            seen = picture.values.get(field)
            verdicts.append(_verdict(picture.key, picture.etag, field, seen, value, prefix=prefix))
    return SettlingPlan(tuple(verdicts), tuple(pictures), tuple(left))


def _verdict(key: str, etag: str, field: LabelField, seen: Value, value: Value, *, prefix: str) -> Verdict:
    return Verdict(f"{prefix}-{etag}", Kind.CORRECT, key, etag, {field: seen}, {field: value}, whole=False)
