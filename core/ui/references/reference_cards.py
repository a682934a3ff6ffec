"""Reference cards: references, groups and labels as the picture grid shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from core.labels.lending.loans import Loan
from core.labels.published.schema import Label
from core.labels.queue.queue import QueueItem, Why
from core.references.key import file_name, unicode_form
from core.references.problems import has_twin
from core.references.reference import AttributeGroup, Reference
from core.references.table import ReferenceTable
from core.references.vocabulary import Vocabulary
from core.ui.components.picture_grid.picture_grid import Card
from core.ui.frame.words.local_time import reader_zone
from core.ui.frame.words.quantities import count_of
from core.web.http.addresses import image_url

_NO_PICTURE = "Picture cannot be shown"


def reference_cards(references: Sequence[Reference], table: ReferenceTable, vocabulary: Vocabulary) -> list[Card]:
    """A card for each reference of the library: its name, its tags, what is wrong with its place."""
    return [
        Card(
            id=ref.key,
            picture_url=image_url(ref.key, ref.etag),
            alt=f"{ref.name}, {_tags(vocabulary, ref.tone, ref.angle) or 'untagged'}",
            title=ref.name,
            subtitle=_join(_form(table, ref.key), _tags(vocabulary, ref.tone, ref.angle) or (ref.group or "")),
            badge=ref.problem.value if ref.problem else "",
            problem=_NO_PICTURE,
        )
        for ref in references
    ]


def group_cards(groups: Sequence[AttributeGroup], table: ReferenceTable, vocabulary: Vocabulary) -> list[Card]:
    """A card for each group of the library with an example and its health."""
    broken = Counter((ref.folder, ref.group) for ref in table.unreadable_references)
    archived = Counter((ref.folder, ref.group) for ref in table.archived_references if ref.is_archived)
    cards = []
    for group in groups:
        example = group.example
        bad, away = broken[group.folder, group.name], archived[group.folder, group.name]
        cards.append(
            Card(
                id=group.path,
                picture_url=image_url(example.key, example.etag) if example else None,
                alt=f"A picture of the group {group.name}",
                title=group.name,
                subtitle=_join(
                    _form(table, group.path),
                    count_of(len(group.references), "picture"),
                    _tags(vocabulary, group.tags.tone, group.tags.angle),
                ),
                badge=_join(
                    group.tags.problem, f"{bad:,} unreadable" if bad else "", f"{away:,} archived" if away else ""
                ),
                problem=_NO_PICTURE,
            )
        )
    return cards


def label_cards(items: Sequence[QueueItem]) -> list[Card]:
    """A card for each portrait with its label, whose that is, and the most pressing reason to look at it."""
    return [
        Card(
            id=item.reference.key,
            picture_url=image_url(item.reference.key, item.reference.etag),
            alt=f"{item.reference.name}: {_summary_of(item.shown)}",
            title=_summary_of(item.shown),
            subtitle=_join(item.reference.persona or item.reference.name, _source_of(item.shown)),
            badge=_lent(item.lent) or _why(item),
            problem=_NO_PICTURE,
        )
        for item in items
    ]


def _lent(loan: Loan | None) -> str:
    return f"with {loan.name} until {loan.until.astimezone(reader_zone()):%H:%M}" if loan else ""


def _why(item: QueueItem) -> str:
    return item.reasons[0].why.value if item.reasons and item.reasons[0].why is not Why.NOT_REVIEWED else ""


def _summary_of(label: Label | None) -> str:
    if label is None:
        return "No label yet"
    return _join(label.age_range, label.gender_presentation) or "Nothing said"


def _source_of(label: Label | None) -> str:
    if label is None:
        return ""
    sure = min(label.confidence.values(), default=None)
    return label.reviewer or (label.source.value if sure is None else f"{label.source.value} {sure:.0%}")


def _tags(vocabulary: Vocabulary, *tags: str | None) -> str:
    return _join(*(vocabulary.name(tag) for tag in tags if tag))


def _form(table: ReferenceTable, path: str) -> str:
    """Which Unicode form a name has that looks like another one beside it; nothing for any other."""
    return unicode_form(file_name(path)) if has_twin(table, path) else ""


def _join(*parts: str | None) -> str:
    return " · ".join(filter(None, parts))
