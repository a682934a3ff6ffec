"""The composer: the sidebar in which a designer says what the picture should be."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass

import streamlit as st

from core.errors import StorageError
from core.injection.plan import pinned_tag
from core.injection.reading.reader import Reading
from core.injection.request.wishes import PROMPT_CHARS_MAX, Mode, Wishes
from core.references.index import ReferenceIndex
from core.references.key import parent, unicode_form
from core.references.reference import Reference, ReferenceFolder
from core.references.vocabulary import Role, Term
from core.studio import Studio
from core.ui.components.fields.prompt_box import prompt_box
from core.ui.components.fields.tiles import Tile, tile_picker
from core.ui.frame.state import COMPARISON_PARAM, Key
from core.ui.frame.words.markdown import fill, plain
from core.ui.frame.words.names import MODES, ROLES
from core.ui.frame.words.quantities import count_of
from core.ui.generate.composer.draft import (
    AGE_SPAN,
    FROM_PROMPT,
    GENDER_CHOICES,
    PERSON_CHOICES,
    draft,
    find_acts,
    forget_used,
    know_choices,
    take_used,
    wishes_from_widgets,
)
from core.ui.generate.composer.draft_keeper import begin_draft
from core.ui.generate.composer.render_fields import is_model_varied, render_fields, render_pair
from core.ui.generate.composer.stored_draft import put_back
from core.ui.generate.composer.varied import what_varies
from core.web.http.addresses import image_url


@dataclass(frozen=True, slots=True)
class Composed:
    """What the composer asks for, and what was read from its prompt: once, for all who need it."""

    wishes: Wishes
    reading: Reading


def composer(studio: Studio, index: ReferenceIndex) -> Composed:
    """Draw the composer in the sidebar and return what it asks for."""
    take_used(studio)
    with st.sidebar, st.container(gap="xsmall", key="composer"):
        prompt_box(
            "Prompt",
            key=Key.PROMPT,
            placeholder="What is in the picture? Korean works too.",
            submitted=Key.ORDERED,
            height=92,
            chars_max=PROMPT_CHARS_MAX,
        )
        _mode_field()
        what_varies()
        if is_model_varied():
            render_pair(studio)
        folders = index.folders_of(Role.MODEL)
        project = parent(st.session_state.get(Key.FOLDER) or (folders[0].path if folders else ""))
        read = studio.planner.reader.read(st.session_state.get(Key.PROMPT) or "")
        tone = _tiles(Role.TONE, studio, index, project, read.tone)
        angle = _tiles(Role.ANGLE, studio, index, project, read.angle)
        find_acts(studio, tone, angle)
        _model_folder(folders)
        _person_fields()
        render_fields(studio)
    wishes = wishes_from_widgets(tone, angle)
    know_choices(wishes)
    return Composed(wishes, read)


def _mode_field() -> None:
    st.session_state.setdefault(Key.MODE, Mode.COMPARE)
    st.segmented_control(
        "Mode",
        list(MODES),
        format_func=MODES.__getitem__,
        key=Key.MODE,
        required=True,
        label_visibility="collapsed",
        width="stretch",
        persist_state="session",
    )


def clear_composer(studio: Studio) -> None:
    """Nothing in the composer and nothing on the stage, and so nothing that a reload would bring back."""
    put_back({}, {}, studio)
    forget_used()
    st.session_state.pop(Key.SHOWN, None)
    st.query_params.pop(COMPARISON_PARAM, None)
    begin_draft()


def _tiles(role: Role, studio: Studio, index: ReferenceIndex, project: str, proposed: str | None) -> str | None:
    """A picker of tones or angles, each with a picture from its own group."""
    is_tone, held = role is Role.TONE, draft()
    pinned = pinned_tag(index, held.pins, role)
    terms = studio.vocabulary.tones if is_tone else studio.vocabulary.angles
    examples = _examples(index, role, project)
    return tile_picker(
        ROLES[role],
        [_tile(term, examples.get(term.id)) for term in terms],
        key=Key.TONE if is_tone else Key.ANGLE,
        picked=held.tone if is_tone else held.angle,
        proposed=pinned or proposed,
        columns=4 if is_tone else 5,
        note=_note(is_pinned=pinned is not None, is_chance=is_tone and held.tone_by_chance and proposed is None),
    )


def _note(*, is_pinned: bool, is_chance: bool) -> str:
    """Where the proposal of a picker comes from."""
    if is_pinned:
        return "from the pinned picture"
    return "by chance" if is_chance else "from the prompt"


def _tile(term: Term, example: Reference | None) -> Tile:
    if example is None:
        return Tile(term.id, term.name, None, term.name, disabled_reason=f"No group in S3 is tagged {term.name}.")
    return Tile(term.id, term.name, image_url(example.key, example.etag), f"{term.name}: example")


def _examples(index: ReferenceIndex, role: Role, project: str) -> dict[str, Reference]:
    """The first picture of each tag, from the designer's project if it has one."""
    found: dict[str, Reference] = {}
    for folder in sorted(index.folders_of(role), key=lambda folder: folder.project != project):
        for group in folder.groups:
            tag = group.tags.tone if role is Role.TONE else group.tags.angle
            if tag and group.is_injectable and group.example is not None:
                found.setdefault(tag, group.example)
    return found


def _model_folder(folders: tuple[ReferenceFolder, ...]) -> None:
    paths = [folder.path for folder in folders]
    if st.session_state.get(Key.FOLDER) not in paths:
        st.session_state[Key.FOLDER] = paths[0] if paths else None
    if not paths:
        st.caption("No person folder in S3 yet: make one named like `01. Model`.")
        return
    by_path = {folder.path: folder for folder in folders}
    labels = {path: _folder_label(folder, _form(path, folders)) for path, folder in by_path.items()}
    st.selectbox(
        "Person folder", paths, format_func=lambda path: labels.get(path, path), key=Key.FOLDER, persist_state="session"
    )
    st.caption(plain(_folder_health(by_path[st.session_state[Key.FOLDER]])))


def _form(path: str, folders: tuple[ReferenceFolder, ...]) -> str:
    """Which Unicode form a path has that looks like another folder's; nothing for any other."""
    looks = unicodedata.normalize("NFC", path)
    alike = [each for each in folders if unicodedata.normalize("NFC", each.path) == looks]
    return f" · {unicode_form(path)}" if len(alike) > 1 else ""


def _folder_label(folder: ReferenceFolder, form: str) -> str:
    """A person folder in a list: where it lies, how many groups serve and how many need mending."""
    usable = sum(group.is_injectable for group in folder.groups)
    to_mend = len(folder.groups) - usable
    place = " / ".join(folder.path.split("/")[-2:])
    return f"{place}{form} · {count_of(usable, 'group')}" + (f", {to_mend} to mend" if to_mend else "")


def _folder_health(folder: ReferenceFolder) -> str:
    """What a person folder can serve, and which of its groups cannot be injected from."""
    pictures = sum(len(group.references) for group in folder.groups if group.is_injectable)
    problems = Counter(group.tags.problem.value for group in folder.groups if group.tags.problem is not None)
    problems["empty"] = sum(group.tags.problem is None and not group.references for group in folder.groups)
    found = [f"{count} {problem}" for problem, count in sorted(problems.items()) if count]
    loose = [f"{count_of(len(folder.loose), 'picture')} in no group"] if folder.loose else []
    return f"{count_of(pictures, 'picture')} · " + (", ".join([*found, *loose]) or "all groups tagged")


def _person_fields() -> None:
    left, right = st.columns(2)
    left.selectbox("Person", list(PERSON_CHOICES), key=Key.PERSON, persist_state="session")
    right.selectbox("Gender", list(GENDER_CHOICES), key=Key.GENDER, persist_state="session")
    st.session_state.setdefault(Key.AGES, AGE_SPAN)
    st.slider(
        "Age",
        *AGE_SPAN,
        key=Key.AGES,
        help=fill("The whole span means any age; then an age in the prompt counts ({}).", FROM_PROMPT.lower()),
        persist_state="session",
    )


def recent_keys(studio: Studio, email: str) -> tuple[str, ...]:
    """What this person was given last time; nothing while S3 does not say."""
    try:
        return studio.history.last_given(email)
    except StorageError:
        return ()
