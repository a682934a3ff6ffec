"""The labels page's disagreements: where two looks at a portrait differ, a third person decides with one press."""

from __future__ import annotations

from functools import partial

import streamlit as st
from ulid import ULID

from core.images.thumbnails import THUMBNAIL_SIDES
from core.labels.decisions.reviews import Value
from core.labels.decisions.second_looks import Disagreement, Word
from core.labels.published.schema import LabelField
from core.labels.review.adjudication import Case
from core.studio import Studio
from core.ui.frame.layout import empty_state, page_of, row
from core.ui.frame.problems import show_problems
from core.ui.frame.session import absolute, open_session
from core.ui.frame.state import Key
from core.ui.frame.words.local_time import clock, reader_zone
from core.ui.frame.words.markdown import Markdown, fill, plain
from core.ui.frame.words.quantities import count_of
from core.ui.references.label_values import FIELD_NAMES, field_choices, parse_value, say_value
from core.viewer import Viewer
from core.web.http.addresses import image_url

_PAGE_SIZE = 20
_PICTURE_PX, _WORDS_PX = 200, 880
_UNSURE = "unsure"


def label_disagreements(studio: Studio, viewer: Viewer) -> None:
    """Draw the portraits that wait for a third person, and behind them those that are decided."""
    with show_problems():
        cases = studio.adjudication.cases(viewer)
        if not cases:
            empty_state(
                "Nobody disagrees",
                "A tenth of all portraits is looked at by two people. Where they differ, a third decides here.",
            )
            return
        waiting = [case for case in cases if case.is_open]
        st.caption(
            fill(
                "{} for a third person{}. The label gets what the third decides; the agreement keeps the two looks.",
                count_of(len(waiting), "portrait waits", "portraits wait"),
                f", {len(cases) - len(waiting):,} decided" if len(waiting) < len(cases) else "",
            )
        )
        with page_of(cases, Key.LABEL_PAGE, size=_PAGE_SIZE) as shown:
            for case in shown:
                _case(studio, viewer, case)


def _case(studio: Studio, viewer: Viewer, case: Case) -> None:
    ref = case.reference
    with st.container(border=True, key=f"disagreement-{ref.etag}"), st.container(horizontal=True, gap="medium"):
        st.image(absolute(image_url(ref.key, ref.etag, THUMBNAIL_SIDES[1])), width=_PICTURE_PX, alt=ref.name)
        with st.container(width=_WORDS_PX, gap="xsmall"):
            st.markdown(fill("**{}** :gray[{}]", ref.persona or ref.name, ref.key))
            if not case.blind:
                st.caption(
                    "The second look was not blind, or may not have been: the first one's decision had been published. "
                    "It is left out of the agreement."
                )
            for each in case.fields:
                _field(studio, viewer, case, each)


def _field(studio: Studio, viewer: Viewer, case: Case, differs: Disagreement) -> None:
    """Both words with who said them, and what a third can do or has done about it."""
    name = FIELD_NAMES[differs.field]
    key = f"{case.reference.etag}-{differs.field.value}"
    is_own = differs.is_one_of_the_two(viewer.email)
    st.caption(fill("{}", name))
    with st.container(horizontal=True, gap="medium", key=f"looks-{key}"):
        for order, word in (("first", differs.first), ("second", differs.second)):
            with st.container(width=240, gap="xsmall"):
                st.button(
                    plain(_said(word.value)),
                    width="stretch",
                    key=f"{order}-{key}",
                    disabled=is_own or differs.third is not None,
                    help=fill("Decide that {} is {}.", name.lower(), _said(word.value)),
                    on_click=partial(_decide, case, differs.field, word.value),
                )
                st.caption(_who(word, order))
        if differs.third is None and not is_own:
            _other_value(studio, case, differs, key)
    if differs.third is not None:
        _decided(viewer, differs.third, name, key)
    elif is_own:
        st.caption("One of these two looks is yours: somebody else decides.")


def _other_value(studio: Studio, case: Case, differs: Disagreement, key: str) -> None:
    """Neither of the two: choosing decides."""
    said = {_said(differs.first.value), _said(differs.second.value)}
    words = [choice.label for choice in field_choices(differs.field, studio.vocabulary, _nothing_more)]
    place = f"{Key.LABEL_THIRD}-{key}"
    st.selectbox(
        fill("Another {}", FIELD_NAMES[differs.field].lower()),
        [each for each in (*words, _UNSURE) if each not in said],
        index=None,
        key=place,
        placeholder="Neither: choose",
        label_visibility="collapsed",
        width=240,
        on_change=partial(_decide_otherwise, case, differs.field, place),
    )


def _decided(viewer: Viewer, third: Word, name: str, key: str) -> None:
    with row(key=f"decided-{key}"):
        st.markdown(
            fill(
                ":material/check: {} is **{}**, :gray[decided by {}, {}]",
                name,
                _said(third.value),
                "you" if third.reviewer == viewer.email else third.reviewer,
                clock(third.time, reader_zone()),
            ),
            width="content",
        )
        if third.reviewer == viewer.email:
            st.button(
                "Undo",
                key=f"undo-{key}",
                icon=":material/undo:",
                type="tertiary",
                on_click=partial(_undo, third.event),
            )


def _who(word: Word, order: str) -> Markdown:
    note = fill(" · “{}”", word.note) if word.note else plain("")
    return fill("{}, {} look  \n{}{}", word.reviewer, order, clock(word.time, reader_zone()), note)


def _said(value: Value) -> str:
    return say_value(value) or _UNSURE


def _nothing_more(_field: LabelField) -> tuple[str, ...]:
    """Two looks are compared in closed fields alone, whose values are all known."""
    return ()


def _decide(case: Case, field: LabelField, value: Value) -> None:
    studio, viewer = open_session()
    with show_problems():
        studio.adjudication.decide(viewer, case, field, value, id=str(ULID()))
        st.toast(
            fill("{}: {} is {}", case.reference.name, FIELD_NAMES[field].lower(), _said(value)),
            icon=":material/check:",
        )


def _decide_otherwise(case: Case, field: LabelField, place: str) -> None:
    words = st.session_state.get(place)
    if words is not None:
        choices = {
            choice.label: choice.value for choice in field_choices(field, open_session()[0].vocabulary, _nothing_more)
        }
        _decide(case, field, None if words == _UNSURE else parse_value(field, choices.get(words, words)))


def _undo(event: str) -> None:
    studio, viewer = open_session()
    with show_problems():
        studio.review_service.undo(viewer, [event])
        st.toast("It waits for a third person again", icon=":material/undo:")
