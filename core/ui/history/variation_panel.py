"""The variation panel: what a past comparison would be with something changed, before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import LiteralString, TypeVar

import streamlit as st

from core.errors import StudioError
from core.generation.planning import Planned
from core.generation.records.comparison import Comparison, SideRecord
from core.generation.variation import Changes, Place, SlotChange, Variation
from core.injection.request.slots import Slot
from core.injection.request.wishes import SideName
from core.studio import Studio
from core.ui.frame.layout import row
from core.ui.frame.problems import show_problems
from core.ui.frame.session import absolute
from core.ui.frame.state import Key
from core.ui.frame.words.markdown import code, fill, joined, plain
from core.ui.frame.words.names import ROLES
from core.ui.generate.composer.draft import SIZES
from core.ui.generate.header.price import price_for
from core.ui.generate.header.sent_prompt import sent_prompt
from core.ui.history.comparison_actions import show_in_generate
from core.viewer import Capability, Viewer
from core.web.http.addresses import image_url

V = TypeVar("V")
_BOTH = "Both sides"
_THUMBNAIL_PX = 44
_WORDS_PX = 250  # beside two thumbnails in half of the drawer, and in one line on a phone


def variation_panel(studio: Studio, viewer: Viewer, comparison: Comparison) -> None:
    """Pick what is to be different, see what would go in and what it may cost, and send it."""
    with st.container(border=True, key="variation"), show_problems():
        changes = _changes(studio, comparison)
        again = studio.variations.of(comparison, changes)
        places = st.container()
        for record, column in zip(again.sides, places.columns(len(again.sides)), strict=True):
            with column:
                _side(record, [place for place in again.places if place.side is record.side])
        _send(studio, viewer, comparison, changes, again)


def _changes(studio: Studio, comparison: Comparison) -> Changes:
    """The pickers; each says how it was."""
    sides = [record.side for record in comparison.sides]
    picked = None
    if len(sides) > 1:
        picked = st.segmented_control(
            "Sides",
            [_BOTH, *(side.heading for side in sides)],
            default=_BOTH,
            required=True,
            key=_key(Key.VARIATION_SIDE, comparison),
            label_visibility="collapsed",
        )
    side = next((side for side in sides if side.heading == picked), None)
    left, middle, right = st.columns(3)
    tones = {term.name: term.id for term in studio.vocabulary.tones}
    angles = {term.name: term.id for term in studio.vocabulary.angles}
    with left:
        tone = _pick("Tone", tones, comparison.tone, "none", _key(Key.VARIATION_TONE, comparison))
    angle = None
    if SideName.TONE_ANGLE in ([side] if side else sides):
        with middle:
            angle = _pick("Angle", angles, comparison.angle, "none", _key(Key.VARIATION_ANGLE, comparison))
    with right:
        size = _pick("Size", SIZES, comparison.size, str(comparison.size), _key(Key.VARIATION_SIZE, comparison))
    redraw_missing = bool(st.session_state.get(_key(Key.VARIATION_MISSING, comparison)))
    return Changes(tone=tone, angle=angle, size=size, side=side, redraw_missing=redraw_missing)


def _pick(label: LiteralString, choices: Mapping[str, V], was: V | None, unnamed: str, key: str) -> V | None:
    """Another of the choices than it was, or None; `unnamed` stands for what is none of them."""
    before = next((name for name, value in choices.items() if value == was), unnamed)
    others = [name for name, value in choices.items() if value != was]
    picked = st.selectbox(label, others, index=None, placeholder=before, key=key)
    return choices[picked] if picked else None


def _side(record: SideRecord, places: Sequence[Place]) -> None:
    """What changes with its picture before and after, then what stays as thumbnails in a row."""
    changed = [place for place in places if place.change is SlotChange.NEW]
    kept = [place for place in places if place.change is SlotChange.KEPT and place.now and place.now.filled]
    summary = "as recorded" if not changed else f"{len(changed)} of {len(places)} slots change"
    with row():
        st.markdown(fill("**{}** :gray[{}]", record.side.heading, summary), width="content")
        sent_prompt([record])
    for at, place in enumerate(changed):
        _change(place, f"{record.side.value}-{at}")
    for place in places:
        if place.change is SlotChange.MISSING and place.then is not None:
            st.caption(
                fill(
                    ":material/broken_image: {}: `{}` is no longer in S3 as recorded.",
                    ROLES[place.role],
                    place.then.key or "",
                )
            )
    if kept:
        with row(gap="xsmall", key=f"fold-stays-{record.side.value}"):
            for place in kept:
                _thumbnail(place.now)
            st.caption("stay" if len(kept) > 1 else "stays", width="content")


def _change(place: Place, name: str) -> None:
    now = place.now
    with row(gap="xsmall", key=f"fold-moved-{name}"):
        _thumbnail(place.then, gone=place.then_is_gone)
        st.caption(":material/arrow_forward:", width="content")
        _thumbnail(now)
        held = code(now.name) if now and now.filled else fill(":gray[empty]")
        why = fill("  \n:gray[{}]", now.why) if now else ""
        st.markdown(fill(":small[**{}** {}{}]", ROLES[place.role], held, why), width=_WORDS_PX)


def _thumbnail(slot: Slot | None, *, gone: bool = False) -> None:
    if slot is None or gone or not (slot.key and slot.etag):
        with st.container(width=_THUMBNAIL_PX, horizontal_alignment="center"):
            st.markdown(":gray[:material/broken_image:]" if gone else ":gray[—]", width="content")
        return
    st.image(
        absolute(image_url(slot.key, slot.etag)),
        width=_THUMBNAIL_PX,
        alt=f"{ROLES[slot.role].lower()} reference {slot.name}",
    )


def _send(studio: Studio, viewer: Viewer, comparison: Comparison, changes: Changes, again: Variation) -> None:
    planned = studio.variations.planned(again)
    # Each line has a place of its own, filled or not: or the button would move, and stand there twice meanwhile.
    missing, says, objects, last = (st.container() for _ in range(4))
    if again.missing or changes.redraw_missing:
        missing.toggle("Draw others in place of missing references", key=_key(Key.VARIATION_MISSING, comparison))
    usd = studio.orders.estimate(planned, again.render, render_b=again.render_b, takes=again.takes)
    usual = studio.orders.usual_charge(planned, again.render, render_b=again.render_b, takes=again.takes)
    price = price_for(studio, usd, again.render, viewer.email, usual=usual)
    objection = _objection(studio, again, planned) or price.objection
    if again.says:
        says.markdown(joined("  \n", (fill(":small[{}]", line) for line in again.says)))
    if objection is not None:
        objects.caption(plain(objection))
    with last, row():
        if st.button("Make it", type="primary", disabled=objection is not None, key=f"make-{comparison.id}"):
            with show_problems():
                viewer.require(Capability.GENERATE)
                show_in_generate(studio.variations.order(comparison, changes, viewer).id)
        st.caption(plain(price.line), width="content")


def _objection(studio: Studio, again: Variation, planned: Planned) -> StudioError | None:
    """Why this cannot be sent as it is, if so."""
    try:
        again.check()
        studio.orders.check(planned, again.render, render_b=again.render_b, takes=again.takes)
    except StudioError as err:
        return err
    return None


def _key(key: Key, comparison: Comparison) -> str:
    return f"{key}-{comparison.id}"
