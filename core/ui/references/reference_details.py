"""Reference details: everything that is known about one picture, in a drawer on the right."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import LiteralString

import streamlit as st

from core.errors import StorageError
from core.images.thumbnails import THUMBNAIL_SIDES
from core.injection.choices import lacks_its_tag
from core.labels.decisions.reviews import HistoryLine
from core.labels.published.label_file import LabelState
from core.labels.published.schema import Label
from core.references.key import file_name, unicode_form
from core.references.problems import group_problem_words, has_twin, picture_problem_words
from core.references.reference import Reference
from core.references.table import References
from core.references.vocabulary import GroupProblem
from core.studio import Studio
from core.ui.frame.drawer import deeper, drawer, open_drawer, opened
from core.ui.frame.filters import go_to
from core.ui.frame.layout import PAGE_SIZE, row
from core.ui.frame.session import absolute, open_session
from core.ui.frame.state import Key
from core.ui.frame.words.local_time import clock, reader_zone
from core.ui.frame.words.markdown import fill, plain
from core.ui.frame.words.names import ROLES
from core.ui.frame.words.quantities import count_of, file_size, year_span
from core.ui.frame.words.tables import draw_table
from core.ui.generate.composer import draft
from core.ui.references.label_values import FIELD_NAMES, say_value
from core.web.http.addresses import ORIGINAL, image_url


@dataclass(frozen=True, slots=True)
class Found:
    """The pictures that are found on a page, through which its drawer turns; `page` is the pagination that follows."""

    references: References
    page: Key


def reference_drawer(studio: Studio, found: Found | None = None) -> None:
    """Draw the drawer of the picture that the address asks for, whether it is found or not; nothing where it asks none.

    With what is `found` there are ways to the one before and the one behind.
    """
    key = opened()
    if key is None:
        return
    reference = studio.catalog.index.get(key)
    if reference is None:
        drawer("No such picture", _gone, width="medium")(key)
    else:
        drawer(plain(reference.name), _details, width="medium")(studio, reference, found)


def _gone(key: str) -> None:
    st.text("It is not in the library, or not any more.")
    st.code(key, language=None, wrap_lines=True)


def _details(studio: Studio, reference: Reference, found: Found | None) -> None:
    tags = [studio.vocabulary.name(tag) for tag in (reference.tone, reference.angle) if tag]
    with row(spread=True):
        with row(width="content", gap="xsmall"):
            for badge in filter(None, (reference.role and ROLES[reference.role], *tags, reference.problem)):
                st.badge(plain(badge), color="gray")
        if found is not None:
            _turning(found, reference)
    picture, facts = st.columns([3, 2])
    with picture, st.container(key="reference-picture"):
        large = absolute(image_url(reference.key, reference.etag, THUMBNAIL_SIDES[1]))
        st.image(large, width="stretch", alt=f"{reference.name}, large")
    with facts:
        for name, value in _facts(studio, reference):
            with st.container(gap=None):
                st.caption(plain(name))
                st.text(value)
    _label_history(studio, reference)
    st.code(f"s3://{studio.store.bucket}/{reference.key}", language=None, wrap_lines=True)
    with st.container(horizontal=True):
        _use_button(studio, reference)
        with deeper("history"):
            if st.button("Show in History", icon=":material/history:"):
                go_to("history", {Key.HISTORY_REFERENCE: reference.key})
        download = image_url(reference.key, reference.etag, ORIGINAL, download_as=reference.name)
        st.link_button("Download original", absolute(download), icon=":material/download:")


def _turning(found: Found, reference: Reference) -> None:
    """The ways to the picture before this one and to the one behind it; the page below turns along."""
    at = found.references.position(reference.key)
    if at is None:  # by a link, beside the filters
        return
    with row(width="content", gap="xsmall"):
        st.caption(fill("{:,} of {:,}", at + 1, len(found.references)), width="content")
        _turn_button("Previous", "Left", found, at - 1)
        _turn_button("Next", "Right", found, at + 1)


def _turn_button(label: LiteralString, shortcut: str, found: Found, to: int) -> None:
    is_there = 0 <= to < len(found.references)
    turn = partial(_turn, found, to) if is_there else None
    if st.button(plain(label), shortcut=shortcut, disabled=not is_there, on_click=turn):
        st.rerun()  # the page as well


def _turn(found: Found, to: int) -> None:
    open_drawer(found.references[to].key)
    st.session_state[found.page] = to // PAGE_SIZE + 1


def _label_history(studio: Studio, reference: Reference) -> None:
    """Every change of every field, newest first; nothing where nobody has decided anything."""
    _, viewer = open_session()
    lines = studio.review_service.history(viewer, reference.etag)
    if studio.review_service.is_blind_to(viewer, reference.etag):
        st.caption(
            "Somebody has reviewed this label. You are to look at it as well: what they said is shown after that."
        )
    if not lines:
        return
    with st.expander(fill("Label history ({})", len(lines))):
        draw_table(
            [
                {
                    "When": line.time,
                    "Who": line.reviewer,
                    "Field": FIELD_NAMES[line.field],
                    "From": say_value(line.before) or "–",
                    "To": say_value(line.after) or "unsure",
                    "": _kind_of(line),
                }
                for line in lines
            ],
            column_config={
                "When": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm", timezone=str(reader_zone()))
            },
        )


def _kind_of(line: HistoryLine) -> str:
    if line.undone:
        return "undone"
    if line.third:
        return "third decision"
    return "second look" if line.second else line.kind.value


def _facts(studio: Studio, reference: Reference) -> list[tuple[str, str]]:
    _, viewer = open_session()
    found = studio.labels.find(reference.key, reference.etag)
    facts = [
        ("Folder", _named(studio, reference.folder) if reference.folder else "in no reference folder"),
        ("Group", _group_of(studio, reference)),
        ("Tone", _tag_of(studio, reference.tone)),
        ("Angle", _tag_of(studio, reference.angle)),
        ("Person", f"{reference.persona}, from the file's name" if reference.persona else "none in the file's name"),
        ("Pixels", _pixels(studio, reference)),
        ("File size", file_size(reference.size_bytes)),
        ("Modified", clock(reference.modified, reader_zone())),
        ("ETag", reference.etag),
    ]
    if studio.review_service.is_blind_to(viewer, reference.etag):
        before = studio.review_service.item(viewer, reference.key).shown
        facts.append(("Label", describe_label(before) if before else "none before it was reviewed"))
    elif found.label is not None:
        stale = " (stale: the picture has changed since)" if found.state is LabelState.STALE else ""
        facts.append(("Label", describe_label(found.label) + stale))
    facts.append(("History", _count_uses(studio, reference)))
    return facts


def _pixels(studio: Studio, reference: Reference) -> str:
    size = None
    with suppress(StorageError):  # nothing else in the drawer waits for S3
        size = studio.pixel_sizes.of(reference.key, reference.etag, reference.size_bytes)
    return f"{size.width:,} × {size.height:,}" if size else "not known yet"


def _group_of(studio: Studio, reference: Reference) -> str:
    if reference.group is None:
        return "in no group"
    return _named(studio, f"{reference.folder}/{reference.group}", reference.group)


def _named(studio: Studio, path: str, name: str | None = None) -> str:
    """A path, or the name at its end; where another looks the same, with its Unicode form."""
    form = f", {unicode_form(file_name(path))}" if has_twin(studio.catalog.index.table, path) else ""
    return f"{name or path}{form}"


def _tag_of(studio: Studio, tag: str | None) -> str:
    return f"{studio.vocabulary.name(tag)}, from the group's name" if tag else "none in the group's name"


def _count_uses(studio: Studio, reference: Reference) -> str:
    """In how many comparisons it went in."""
    try:
        times = len(studio.history.used_in(reference.key))
    except StorageError as err:
        return f"Not known: {err.message}"
    so_far = " so far: older ones are still being read" if studio.history.coverage.days_left else ""
    return f"Used in {count_of(times, 'comparison')}{so_far}"


def _use_button(studio: Studio, reference: Reference) -> None:
    reason = obstacle(studio, reference)
    if st.button("Use in Generate", type="primary", icon=":material/add_photo_alternate:", disabled=bool(reason)):
        draft.use_references(studio, [reference])
        go_to("generate")
    if reason:
        st.caption(fill("It cannot be injected. {}", reason))


def obstacle(studio: Studio, reference: Reference) -> str:
    """Why a picture cannot be injected, and what to do; nothing for one that can."""
    if reference.problem in (GroupProblem.AMBIGUOUS, GroupProblem.UNTAGGED):
        group = studio.catalog.index.group(f"{reference.folder}/{reference.group}")
        return group_problem_words(group, studio.vocabulary)
    if reference.problem:
        return picture_problem_words(reference.problem, reference)
    if reference.role and lacks_its_tag(reference):
        return f"No {ROLES[reference.role].lower()} stands in the name of its group: rename it in S3."
    return ""


def describe_label(label: Label) -> str:
    """A label in one line, with its source."""
    parts = []
    if label.gender_presentation:
        parts.append(label.gender_presentation.value)
    if label.age_low is not None:
        parts.append(f"{year_span(label.age_low, label.age_high)} years")
    return f"{', '.join(parts) or 'nothing said'} ({label.reviewer or label.source.value})"
