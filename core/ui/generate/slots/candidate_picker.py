"""The candidate picker: what could stand in a slot as a strip of thumbnails, found by name, pinned by a press."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from core.generation.planning import Planned
from core.injection.request.slots import Slot
from core.references.reference import Reference
from core.references.vocabulary import Role
from core.studio import Studio
from core.ui.components.picture_grid.picture_grid import Card, picture_grid
from core.ui.frame.problems import show_problems
from core.ui.frame.words.markdown import Markdown, fill
from core.ui.frame.words.quantities import count_of
from core.ui.generate.composer import draft
from core.unicode import searchable
from core.web.http.addresses import image_url

SHOWN = 60  # pictures; a search finds the others
_FEW = 8  # need no search


def candidate_picker(studio: Studio, planned: Planned, slot: Slot, place: str) -> None:
    """Draw the candidates of a slot, if there are any, in the order of the draw; the one that is pressed is pinned."""
    candidates = studio.planner.candidates(planned, slot)
    if not candidates:
        return
    found = candidates
    if len(candidates) > _FEW:
        sought = st.text_input(
            "Find among them",
            key=f"find-{place}",
            type="search",
            placeholder="Name or person",
            label_visibility="collapsed",
            live="200ms",
        )
        found = matching(candidates, sought or "")
    st.caption(_count(len(found), len(candidates)))
    if not found:
        return
    picture_grid(
        [_card(each, slot) for each in found[:SHOWN]],
        key=f"candidates-{place}",
        label="Candidates",
        aspect="landscape" if slot.role is Role.TONE else "portrait",
        fit="contain",
        min_card_px=84,
        on_open=partial(_pin, slot.id),
    )


def _pin(slot_id: str, key: str) -> None:
    with show_problems():
        draft.pin(slot_id, key)


def matching(candidates: Sequence[Reference], sought: str) -> tuple[Reference, ...]:
    """Those whose file name, group or person has every word that is sought, in any order."""
    words = searchable(sought).split()
    return tuple(each for each in candidates if _has_all(each, words))


def _has_all(reference: Reference, words: Sequence[str]) -> bool:
    texts = [searchable(text) for text in (reference.name, reference.group or "")]
    return all(any(word in text for text in texts) for word in words)


def _count(found: int, of: int) -> Markdown:
    if not found:
        return fill("None of {} has this name.", count_of(of, "picture"))
    fitting = fill("{}. A press pins one.", count_of(of, "picture fits", "pictures fit"))
    if found < of:
        fitting = fill("{:,} of {:,} have this name. A press pins one.", found, of)
    if found > SHOWN:
        return fill("{} The first {} are shown: search for the others.", fitting, SHOWN)
    return fitting


def _card(reference: Reference, slot: Slot) -> Card:
    is_in = reference.key == slot.key
    return Card(
        id=reference.key,
        picture_url=image_url(reference.key, reference.etag),
        alt=f"{reference.name} from the group {reference.group}",
        title=reference.name.rsplit(".", 1)[0],
        badge=("pinned" if slot.pinned else "goes in") if is_in else "",
    )
