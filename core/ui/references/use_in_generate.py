"""Use in Generate: pictures of the library put into their slots, and what is asked where they cannot all go in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import streamlit as st

from core.injection.choices import clashing
from core.references.key import fold
from core.references.reference import Reference
from core.references.vocabulary import Role
from core.studio import Studio
from core.ui.components.picture_grid.picture_grid import MAX_CARDS, Card, picture_grid
from core.ui.frame.drawer import close_drawer, drawer, open_drawer
from core.ui.frame.filters import go_to
from core.ui.frame.state import Key, session_value
from core.ui.frame.words.markdown import Markdown, fill
from core.ui.frame.words.quantities import count_of
from core.ui.generate.composer import draft
from core.ui.references.reference_details import obstacle
from core.web.http.addresses import image_url

USE_DIALOG = "use"  # what the address calls it; no key of a picture is


@dataclass(slots=True)
class _Answers:
    """What was chosen so far: the name of what was asked, and the key of the picture that was pressed."""

    keys: dict[str, str] = field(default_factory=dict)


def use_in_generate(studio: Studio, references: Sequence[Reference]) -> None:
    """Put pictures into their slots and show Generate; where some cannot go in, a dialog is opened instead."""
    st.session_state.pop(Key.REF_USE, None)
    if any(obstacle(studio, reference) for reference in references) or draft.use_references(studio, references):
        open_drawer(USE_DIALOG)
    else:
        go_to("generate")


def use_dialog(studio: Studio, references: Sequence[Reference]) -> None:
    """Draw the dialog that says which of them cannot go in, and asks which of those that want the same slot does.

    A link to it brings no selection along: there is nothing to ask then.
    """
    if not references:
        close_drawer()
        return
    drawer("Use in Generate", _ask, width="medium", position="center")(studio, references)


def _ask(studio: Studio, references: Sequence[Reference]) -> None:
    usable = list[Reference]()
    for reference in references:
        if reason := obstacle(studio, reference):
            st.markdown(fill("**{}** stays out. :gray[{}]", reference.name, reason))
        else:
            usable.append(reference)
    chosen, is_answer = _choose(usable)
    label = fill("Use {} in Generate", count_of(len(chosen), "picture"))
    # The last answer is a press that says it all; whoever is only told that something stays out is asked.
    if is_answer or (chosen and st.button(label, type="primary", icon=":material/add_photo_alternate:")):
        st.session_state.pop(Key.REF_USE, None)  # or the way back would lead here and on to Generate again
        draft.use_references(studio, chosen)
        go_to("generate")


def _choose(references: Sequence[Reference]) -> tuple[list[Reference], bool]:
    """Those that go in together, and whether that was just answered; none while a question is open, which is drawn."""
    answers = session_value(Key.REF_USE, _Answers, _Answers).keys
    left, is_answer = list(references), False
    while clashes := clashing(left):
        clash = clashes[0]
        asked = sha256("\n".join(reference.key for reference in clash).encode()).hexdigest()[:12]
        if asked not in answers:
            question = st.empty()
            with question.container():
                answer = _ask_which(clash, key=f"use-{asked}")
            if answer is None:
                return [], False
            question.empty()
            answers[asked] = answer
            is_answer = True
        kept = next(each for each in _options(clash) if each[0].key == answers[asked])
        left = [reference for reference in left if reference not in clash or reference in kept]
    return left, is_answer


def _options(clash: Sequence[Reference]) -> list[list[Reference]]:
    """What one can be chosen of: people, each with all of their pictures, or pictures."""
    offered: dict[str, list[Reference]] = {}
    for reference in clash:
        person = fold(reference.persona or "") if _is_about_people(clash) else ""
        offered.setdefault(person or reference.key, []).append(reference)
    return list(offered.values())


def _is_about_people(clash: Sequence[Reference]) -> bool:
    return len({fold(reference.persona or "") for reference in clash}) > 1 and clash[0].role is Role.MODEL


def _ask_which(clash: Sequence[Reference], *, key: str) -> str | None:
    """Draw the question and its answers, each a press; returns the key of the picture that was pressed."""
    st.markdown(_question(clash))
    is_about_people = _is_about_people(clash)
    cards = [
        Card(
            id=first.key,
            picture_url=image_url(first.key, first.etag),
            alt=f"A picture of {first.persona or first.name}",
            title=(first.persona if is_about_people else None) or first.name,
            subtitle=count_of(len(pictures), "picture") if is_about_people else first.group or "",
        )
        for pictures in _options(clash)[:MAX_CARDS]
        for first in pictures[:1]
    ]
    picked = picture_grid(cards, key=key, label="Which one", fit="contain", min_card_px=120).opened
    return picked if picked in {card.id for card in cards} else None


def _question(clash: Sequence[Reference]) -> Markdown:
    first = clash[0]
    if _is_about_people(clash):
        return fill("**Who?** :gray[All person slots of a request show one person.]")
    if first.role is Role.MODEL:
        return fill("**Which one?** :gray[One picture goes in for the group “{}”.]", first.group)
    return fill("**Which one?** :gray[A request has one {} reference.]", first.role)
