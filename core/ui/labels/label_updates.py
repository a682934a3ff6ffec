"""What a publication makes of labels: a row a portrait with its picture, each field before and after, and who."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final

import streamlit as st

from core.labels.decisions.reviews import value_in
from core.labels.publication.draft import Differences
from core.labels.publication.updates import Correction, LabelUpdate, UnseenValue
from core.labels.published.schema import LabelField
from core.references.key import file_name
from core.studio import Studio
from core.ui.frame.session import absolute
from core.ui.frame.state import Key
from core.ui.frame.words.local_time import clock, reader_zone
from core.ui.frame.words.markdown import Markdown, breakable, fill, joined
from core.ui.frame.words.quantities import count_of
from core.ui.references.label_values import FIELD_NAMES, say_value
from core.web.http.addresses import image_url

ROWS: Final = 20  # on one page: so many pictures are sent, however many labels change
_PICTURE_PX: Final = 52
_TOLD: Final = 6  # of what has come to be different


def draw_updates(studio: Studio, updates: Sequence[LabelUpdate], *, new: frozenset[str], is_corrected: bool) -> None:
    """One page of rows; what is new since somebody looked comes first."""
    rows = sorted(updates, key=lambda each: each.key not in new)
    if not rows:
        st.caption("No value changes." if is_corrected else "Nobody found a label right as it was.")
        return
    if not is_corrected:
        st.caption("None of these values changes: the file then says who found the label right.")
    pages = -(-len(rows) // ROWS)
    at = min(st.session_state.get(Key.LABEL_DRAFT_PAGE) or 1, pages)
    with st.container(gap="xsmall", key="publish-rows"):
        for update in rows[(at - 1) * ROWS : at * ROWS]:
            _draw(studio, update, is_new=update.key in new)
    if pages > 1:
        st.pagination(pages, key=Key.LABEL_DRAFT_PAGE)


def say_differences(found: Differences) -> None:
    """What has come to be different since it was shown, by hand in the file and by other reviewers."""
    if not found:
        return
    lines = [
        fill("- {}: {}", file_name(key), joined(" · ", map(_change, changes)) if changes else "its line is another one")
        for key, changes in found.by_hand[:_TOLD]
    ]
    if len(found.by_hand) > _TOLD:
        lines.append(fill("- and {:,} more lines", len(found.by_hand) - _TOLD))
    if lines:
        st.markdown(joined("\n", [fill("In the file somebody has changed, by hand:"), *lines]))
    if found.new:
        count = count_of(len(found.new), "portrait is", "portraits are")
        st.markdown(fill("{} new or otherwise than shown: marked, and on top.", count))
    if found.gone:
        names = joined(", ", [file_name(key) for key in found.gone[:_TOLD]])
        more = fill(" and {:,} more", len(found.gone) - _TOLD) if len(found.gone) > _TOLD else ""
        st.markdown(fill("Nothing to publish any more of {}{}.", names, more))


def _draw(studio: Studio, update: LabelUpdate, *, is_new: bool) -> None:
    row = sha256(update.key.encode()).hexdigest()[:16]  # its own: another portrait's picture never stands in for it
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"publish-row-{row}"):
        name = file_name(update.key)
        here = studio.catalog.index.get(update.key)
        if here is not None and here.etag == update.etag:
            st.image(absolute(image_url(update.key, update.etag)), width=_PICTURE_PX, alt=name)
        with st.container(gap=None, width=200):
            st.markdown(fill("**{}**", name))
            st.caption(breakable(update.group))
        with st.container(gap=None, width="stretch", key=f"publish-fields-{row}"):
            st.markdown(joined("  \n", _lines(update, is_new=is_new)))
        with st.container(width=180, key=f"publish-who-{row}"):
            st.caption(fill("{}  \n{}", ", ".join(update.reviewers), _clock(update.time)))


def _lines(update: LabelUpdate, *, is_new: bool) -> Iterator[Markdown]:
    if is_new:
        yield fill(":gray-badge[new since you looked]")
    if update.after is None:
        yield fill("Its line goes: it came by reviews that were all undone.")
        return
    unseen = {each.field: each for each in update.unseen}
    for each in update.corrections:
        yield _with_marks(_change(each), unseen.pop(each.field, None), is_over_hand=each.is_over_hand)
    if not update.corrections:
        said = [say_value(value_in(update.after, each)) for each in LabelField if each not in unseen]
        yield fill(":gray[{}]", joined(" · ", filter(None, said)) or "nothing is known")
    for left in unseen.values():
        yield _with_marks(fill("{} **{}**", FIELD_NAMES[left.field], left.value), left, is_over_hand=False)
    if update.before is None:
        yield fill(":gray[not in the file yet]")


def _change(change: Correction) -> Markdown:
    before, after = say_value(change.before) or "nothing", say_value(change.after) or "unsure"
    return fill("{} :gray[~~{}~~] → **{}**", FIELD_NAMES[change.field], before, after)


def _with_marks(line: Markdown, unseen: UnseenValue | None, *, is_over_hand: bool) -> Markdown:
    marks: list[Markdown] = [line]
    if unseen is not None:
        marks.append(fill(":red-badge[never used before]"))
    if is_over_hand:
        marks.append(fill(":red-badge[replaces what was written by hand]"))
    return joined(" ", marks)


def _clock(time: datetime | None) -> str:
    """When, on the clock of who looks."""
    if time is None:
        return "by hand"
    return clock(time, reader_zone())
