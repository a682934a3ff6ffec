"""Portraits: the references that show a person, each with its label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from core.labels.published import FoundLabel, LabelState, PublishedLabels
from core.labels.schema import Gender, LabelSource
from core.references.attributes import Role
from core.references.index import ReferenceIndex
from core.references.reference import Filter, Reference


class Portrait(NamedTuple):
    """A reference and what is published about it."""

    reference: Reference
    found: FoundLabel


@dataclass(frozen=True, slots=True)
class LabelFilter:
    """What a person narrows the portraits to; empty fields do not narrow."""

    text: str = ""
    age_range: str | None = None
    gender: Gender | None = None
    source: LabelSource | None = None
    state: LabelState | None = None


def portraits(index: ReferenceIndex, labels: PublishedLabels, wanted: LabelFilter) -> list[Portrait]:
    """All model references, and whatever else has a label, that pass the filter; in key order."""
    rows = (Portrait(ref, labels.find(ref.key, ref.etag)) for ref in index.search(Filter(text=wanted.text)))
    return [
        row
        for row in rows
        if (row.reference.role is Role.MODEL or row.found.label is not None) and _passes(row.found, wanted)
    ]


def _passes(found: FoundLabel, wanted: LabelFilter) -> bool:
    label = found.label
    if wanted.state is not None and found.state is not wanted.state:
        return False
    asked = (
        (wanted.age_range, label.age_range if label else None),
        (wanted.gender, label.gender_presentation if label else None),
        (wanted.source, label.source if label else None),
    )
    return all(want is None or want == have for want, have in asked)
