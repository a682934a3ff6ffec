"""Reference cards: references, groups and labels as the picture grid shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from core.images.thumbnails import THUMBNAIL_SIDES
from core.labels.published.schema import Label
from core.labels.review.queue import QueueItem, Why
from core.references.reference import AttributeGroup, Reference
from core.ui.components.picture_grid import Card
from core.web.addresses import image_url

_NO_PICTURE = "Picture cannot be shown"


def reference_cards(references: Sequence[Reference]) -> list[Card]:
    """A card for each reference: its name, its tags, what is wrong with its place."""
    return [
        Card(
            id=ref.key,
            picture_url=image_url(ref.key, ref.etag, THUMBNAIL_SIDES[0]),
            alt=f"{ref.name}, {_tags(ref.tone, ref.angle) or 'untagged'}",
            title=ref.name,
            subtitle=_tags(ref.tone, ref.angle) or (ref.group or ""),
            badge=ref.problem.value if ref.problem else "",
            problem=_NO_PICTURE,
        )
        for ref in references
    ]


def group_cards(groups: Sequence[AttributeGroup], unreadable: Iterable[Reference] = ()) -> list[Card]:
    """A card for each group with an example and its health; `unreadable` are the library's pictures that give none."""
    broken = Counter((ref.folder, ref.group) for ref in unreadable)
    cards = []
    for group in groups:
        example = group.example
        count = "1 picture" if len(group.references) == 1 else f"{len(group.references):,} pictures"
        bad = broken[group.folder, group.name]
        problems = (group.tags.problem.value if group.tags.problem else "", f"{bad:,} unreadable" if bad else "")
        cards.append(
            Card(
                id=group.path,
                picture_url=image_url(example.key, example.etag, THUMBNAIL_SIDES[0]) if example else None,
                alt=f"A picture of the group {group.name}",
                title=group.name,
                subtitle=" · ".join(filter(None, (count, _tags(group.tags.tone, group.tags.angle)))),
                badge=" · ".join(filter(None, problems)),
                problem=_NO_PICTURE,
            )
        )
    return cards


def label_cards(items: Sequence[QueueItem]) -> list[Card]:
    """A card for each portrait with what is said about it, by whom, and the most pressing reason to look at it."""
    return [
        Card(
            id=item.reference.key,
            picture_url=image_url(item.reference.key, item.reference.etag, THUMBNAIL_SIDES[0]),
            alt=f"{item.reference.name}: {_said(item.shown)}",
            title=_said(item.shown),
            subtitle=" · ".join(filter(None, (item.reference.persona or item.reference.name, _said_by(item.shown)))),
            badge=item.reasons[0].why.value if item.reasons and item.reasons[0].why is not Why.NOT_REVIEWED else "",
            problem=_NO_PICTURE,
        )
        for item in items
    ]


def _said(label: Label | None) -> str:
    if label is None:
        return "No label yet"
    parts = [label.age_range or "", label.gender_presentation.value if label.gender_presentation else ""]
    return " · ".join(filter(None, parts)) or "Nothing said"


def _said_by(label: Label | None) -> str:
    if label is None:
        return ""
    sure = min(label.confidence.values(), default=None)
    return label.reviewer or (label.source.value if sure is None else f"{label.source.value} {sure:.0%}")


def _tags(tone: str | None, angle: str | None) -> str:
    return " · ".join(filter(None, (tone, angle)))
