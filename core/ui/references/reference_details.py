"""Reference details: everything that is known about one picture, in a drawer on the right."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import streamlit as st

from core.errors import StorageError
from core.images.thumbnails import THUMBNAIL_SIDES
from core.labels.decisions.reviews import HistoryLine
from core.labels.published.label_file import LabelState
from core.labels.published.schema import Label
from core.references.key import file_name, unicode_form
from core.references.problems import group_problem_words, has_twin, picture_problem_words
from core.references.reference import Reference
from core.references.vocabulary import GroupProblem, Role
from core.settings import PROJECT_ROOT
from core.studio import Studio
from core.ui.frame.local_time import clock, reader_zone
from core.ui.frame.markdown import fill, plain
from core.ui.frame.quantities import count_of, file_size, year_span
from core.ui.frame.session import absolute, dialog, open_session
from core.ui.frame.state import Key
from core.ui.frame.tables import draw_table
from core.ui.generate import draft
from core.ui.references.label_values import FIELD_NAMES, describe_value
from core.web.addresses import ORIGINAL, image_url


def open_details(studio: Studio, reference: Reference) -> None:
    """Open the drawer for a reference."""
    dialog(plain(reference.name), _details, width="medium", position="right")(studio, reference)


def _details(studio: Studio, reference: Reference) -> None:
    with st.container(horizontal=True, gap="xsmall"):
        for tag in filter(None, (reference.role, reference.tone, reference.angle, reference.problem)):
            st.badge(plain(tag), color="gray")
    picture, facts = st.columns([3, 2])
    with picture:
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
        if st.button("Show in History", icon=":material/history:"):
            go_to("history", {Key.HISTORY_REFERENCE: reference.key})
        download = image_url(reference.key, reference.etag, ORIGINAL, download_as=reference.name)
        st.link_button("Download original", absolute(download), icon=":material/download:")


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
                    "From": describe_value(line.before) or "–",
                    "To": describe_value(line.after) or "unsure",
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
        ("Tone tag", f"{reference.tone}, from the group's name" if reference.tone else "none"),
        ("Angle tag", f"{reference.angle}, from the group's name" if reference.angle else "none"),
        ("Persona", reference.persona or "none in the file name"),
        ("Size", file_size(reference.size_bytes)),
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


def _group_of(studio: Studio, reference: Reference) -> str:
    if reference.group is None:
        return "in no group"
    return _named(studio, f"{reference.folder}/{reference.group}", reference.group)


def _named(studio: Studio, path: str, name: str | None = None) -> str:
    """A path, or the name at its end; where another looks the same, with its Unicode form."""
    form = f", {unicode_form(file_name(path))}" if has_twin(studio.catalog.index.table, path) else ""
    return f"{name or path}{form}"


def _count_uses(studio: Studio, reference: Reference) -> str:
    """In how many comparisons it went in."""
    try:
        times = len(studio.history.used_in(reference.key))
    except StorageError as err:
        return f"Not known: {err.message}"
    so_far = " so far: older ones are still being read" if studio.history.coverage.days_left else ""
    return f"Used in {count_of(times, 'comparison')}{so_far}"


def _use_button(studio: Studio, reference: Reference) -> None:
    usable = reference.role is not None and reference.problem is None and reference.size_bytes > 0
    if st.button("Use in Generate", type="primary", icon=":material/add_photo_alternate:", disabled=not usable):
        _put_into_composer(reference)
        go_to("generate")
    if not usable:
        st.caption(fill("It cannot be injected. {}", _obstacle(studio, reference)))


def _obstacle(studio: Studio, reference: Reference) -> str:
    if reference.problem in (GroupProblem.AMBIGUOUS, GroupProblem.UNTAGGED):
        group = studio.catalog.index.group(f"{reference.folder}/{reference.group}")
        return group_problem_words(group, studio.vocabulary)
    return picture_problem_words(reference.problem, reference) if reference.problem else "It is not listed any more."


def _put_into_composer(reference: Reference) -> None:
    """Wish for what this picture is tagged with, and pin it."""
    if reference.role is Role.MODEL:
        st.session_state[Key.FOLDER] = reference.folder
        st.session_state[Key.PERSON] = "Yes"
        draft.set_draft(tone=reference.tone or draft.draft().tone, angle=reference.angle or draft.draft().angle)
        draft.pin(f"model:{reference.folder}/{reference.group}", reference.key)
    elif reference.role is Role.TONE:
        draft.set_draft(tone=reference.tone)
        draft.pin(Role.TONE.value, reference.key)
    else:
        draft.set_draft(angle=reference.angle)
        draft.pin(Role.ANGLE.value, reference.key)


def go_to(page: str, view: Mapping[Key, str] = MappingProxyType({})) -> None:
    """Show another page with these filters. Those of this one that stand in the URL stay behind."""
    file = PROJECT_ROOT / "pages" / f"{page}.py"
    st.switch_page(file, query_params={key.value: value for key, value in view.items()})


def describe_label(label: Label) -> str:
    """A label in one line, with its source."""
    parts = []
    if label.gender_presentation:
        parts.append(label.gender_presentation.value)
    if label.age_low is not None:
        parts.append(f"{year_span(label.age_low, label.age_high)} years")
    return f"{', '.join(parts) or 'nothing said'} ({label.reviewer or label.source.value})"
