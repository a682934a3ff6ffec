"""History details: one comparison in a drawer, led by its pictures and words; what it was made with is folded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

import streamlit as st

from core.errors import NotFound
from core.generation.records.attempt_status import AttemptPhase, ComparisonStatus, SideStatus
from core.generation.records.comparison import Comparison, RenderSettings, SideRecord
from core.generation.records.side_titles import side_title
from core.images.thumbnails import THUMBNAIL_SIDES
from core.injection.request.fairness import Difference, Fairness
from core.injection.request.slots import Slot
from core.injection.tag_names import in_screen_words
from core.references.vocabulary import Vocabulary
from core.studio import Studio
from core.ui.components.picture_grid.picture_grid import picture_grid
from core.ui.frame.drawer import deeper, drawer, turn_to
from core.ui.frame.layout import row
from core.ui.frame.session import absolute, fragment
from core.ui.frame.state import Key
from core.ui.frame.words.glossary import CONTROLLED_HELP
from core.ui.frame.words.local_time import clock, reader_zone
from core.ui.frame.words.markdown import Markdown, breakable, fill, plain
from core.ui.frame.words.names import ROLES
from core.ui.generate.header.sent_prompt import sections
from core.ui.generate.side_words import problem
from core.ui.generate.slots.slot_trail import trail
from core.ui.generate.stage_footers import download_button, take_title
from core.ui.history.attempts import attempts
from core.ui.history.comparison_actions import open_button, replay_button, retry_button, show_missing
from core.ui.history.history_cards import comparison_card, side_problem, tags_of
from core.ui.history.stars import star_button
from core.ui.history.variation_panel import variation_panel
from core.viewer import Viewer
from core.web.http.addresses import image_url

_PICTURES_AND_WORDS = (7, 3)
_WORDS_PX, _ALONE_PX = 370, 421  # beside a thumbnail or alone, and a "Why", in half of the drawer
_ORIGIN_PX = 220
_LOOK_EVERY_S = 2.0


def open_comparison(studio: Studio, viewer: Viewer, comparison_id: str) -> None:
    """Draw the drawer of a comparison that the address asks for; one that is not there says so in it."""
    drawer("Comparison", _details, width="large")(studio, viewer, comparison_id)


def _details(studio: Studio, viewer: Viewer, comparison_id: str) -> None:
    status = studio.runner.status(comparison_id)
    comparison = status.comparison
    studio.seen.shown(viewer, status)
    pictures, words = st.columns(_PICTURES_AND_WORDS if len(comparison.sides) > 1 else 2)
    with pictures, st.container(key="sides"):
        sides = _chosen_take(status)
        for column, side in zip(st.columns(len(sides), gap="xsmall"), sides, strict=True):
            with column:
                _picture(studio, viewer, status, side)
    with words:
        _words(studio, comparison)
        is_changing = _actions(studio, viewer, comparison)
        _origins(studio, comparison)
    show_missing(studio, comparison)
    if is_changing:
        variation_panel(studio, viewer, comparison)
    _references(studio, comparison)
    _figures(status)
    follow(studio, [status])


def _chosen_take(status: ComparisonStatus) -> tuple[SideStatus, ...]:
    """The sides of the take that is looked at: at first the best-scored."""
    takes = {sides[0].take: sides for sides in status.takes}
    if len(takes) == 1:
        return status.sides
    chosen = st.segmented_control(
        "Take",
        list(takes),
        default=status.best_take,
        format_func=lambda take: fill("Take {}", str(take)),
        required=True,
        key=f"{Key.TAKE_SHOWN}-{status.comparison.id}",
        label_visibility="collapsed",
    )
    return takes.get(chosen or status.best_take, status.best_pair)


def follow(studio: Studio, drawn: Sequence[ComparisonStatus]) -> None:
    """While any of these is at work, draw the page anew when it has got on since; the drawer stays open."""
    if busy := [status for status in drawn if status.busy]:
        fragment(_look, run_every=_LOOK_EVERY_S)(studio, busy)


def _look(studio: Studio, busy: Sequence[ComparisonStatus]) -> None:
    now = studio.runner.statuses([status.comparison.id for status in busy])
    if list(map(_standing, now)) != list(map(_standing, busy)):
        st.rerun()


def _standing(status: ComparisonStatus) -> list[tuple[int, AttemptPhase]]:
    return [(side.attempt, side.phase) for side in status.sides]


def _picture(studio: Studio, viewer: Viewer, status: ComparisonStatus, side: SideStatus) -> None:
    """A side's picture, or why there is none, and what belongs to it alone."""
    title, picture = side_title(status.comparison, side.side), side.picture
    heading = take_title(status, side, title)
    if picture is not None:
        with st.container(key=f"made-{side.side.value}"):
            large = absolute(image_url(picture.key, picture.etag, THUMBNAIL_SIDES[1]))
            st.image(large, width="stretch", alt=f"{heading}, made picture")
    else:
        with st.container(key=f"unmade-{side.side.value}", border=True, horizontal_alignment="center"):
            st.markdown(fill("**{}**", side_problem(side)), width="content")
            st.caption(plain(problem(side, may_act=False)), text_alignment="center")
    st.markdown(fill("**{}**", title))
    with row():
        if picture is not None:
            download_button(status.comparison.id, picture, side.place, heading)
        if status.comparison.legacy is None:
            retry_button(studio, viewer, status, side)


def _words(studio: Studio, comparison: Comparison) -> None:
    """What was asked for, with what, when, by whom; and whether the pair is fair."""
    st.text(comparison.wishes.prompt)
    st.caption(plain(_made(comparison, studio.vocabulary)))
    if comparison.controlled is not None:
        _verdict(fill("controlled: {}", _yes(comparison.controlled)), comparison.differences)
        today = studio.planner.judge_record(comparison)
        if today is not None and is_judged_otherwise(comparison, today):
            _verdict(fill("today: {}", _yes(today.controlled)), today.differences)


def is_judged_otherwise(comparison: Comparison, today: Fairness) -> bool:
    """Whether today's judge says something else than the verdict in the record, which stays what it was."""
    then = {difference.what for difference in comparison.differences}
    return today.controlled != comparison.controlled or {each.what for each in today.differences} != then


def _verdict(says: Markdown, differences: Sequence[Difference]) -> None:
    with row():
        st.badge(says, color="gray", help=CONTROLLED_HELP)
        for difference in differences:
            st.caption(plain(difference.says), width="content")


def _yes(is_controlled: bool) -> LiteralString:
    return "yes" if is_controlled else "no"


def _made(comparison: Comparison, vocabulary: Vocabulary) -> str:
    made = (tags_of(comparison, vocabulary), clock(comparison.created_at, reader_zone()))
    return " · ".join(filter(None, (*made, comparison.person or "nobody")))


def _origins(studio: Studio, comparison: Comparison) -> None:
    """The comparison this one goes back to, to be opened; Back leads from there to this one."""
    if comparison.replay_of is not None:
        _origin(studio, "Replay of", comparison.replay_of)
    if comparison.made_from is not None:
        _origin(studio, "Made from", comparison.made_from)


def _origin(studio: Studio, relation: str, origin: str) -> None:
    st.caption(plain(relation))
    try:
        card = comparison_card(studio.runner.status(origin), studio.vocabulary)
    except NotFound:
        st.caption(fill("A comparison that is no longer in S3: `{}`", origin))
        return
    with deeper("origin"), st.container(width=_ORIGIN_PX):
        event = picture_grid(
            [card], key=f"{Key.HISTORY_ORIGIN}-{origin}", label=relation, aspect="landscape", min_card_px=_ORIGIN_PX
        )
    if event.opened == origin:
        turn_to(origin)


def _actions(studio: Studio, viewer: Viewer, comparison: Comparison) -> bool:
    """What can be done with it; whether it is to be changed. An import was not planned here: no request is known."""
    planned_here = comparison.legacy is None
    with row():
        open_button(comparison.id)
        if planned_here:
            replay_button(studio, viewer, comparison)
        star_button(studio, viewer, comparison.id)
        return planned_here and st.toggle("Change and make again", key=f"{Key.VARIATION_OPEN}-{comparison.id}")


def _references(studio: Studio, comparison: Comparison) -> None:
    for column, record in zip(st.columns(len(comparison.sides)), comparison.sides, strict=True):
        with column:
            st.markdown(fill("**References** :gray[{}]", side_title(comparison, record.side)))
            _slots(studio, record, is_planned=comparison.legacy is None)


def _slots(studio: Studio, record: SideRecord, *, is_planned: bool) -> None:
    for at, slot in enumerate(record.slots):
        with row(gap="xsmall", key=f"fold-{record.side.value}-slot-{at}"):
            _slot(studio, slot)
            if is_planned:
                with st.popover("Why", type="tertiary", key=f"trail-{record.side.value}-{at}"):
                    st.markdown(trail(slot, ROLES[slot.role], studio.vocabulary))


def _slot(studio: Studio, slot: Slot) -> None:
    role, why = ROLES[slot.role], in_screen_words(studio.vocabulary, slot.why)
    if not slot.key:
        st.caption(fill("**{}** empty. {}", role, why), width=_ALONE_PX)
        return
    now = studio.catalog.index.get(slot.key)
    if now is None or now.etag != slot.etag:
        st.caption(fill(":material/broken_image: **{}** `{}` is no longer in S3 as it was", role, slot.key))
        return
    st.image(absolute(image_url(slot.key, now.etag)), width=44, alt=f"{slot.name}")
    st.caption(fill("**{}** {}. {}", role, breakable(slot.name or ""), why), width=_WORDS_PX)


def _figures(status: ComparisonStatus) -> None:
    """What nobody needs to look at it, folded: the request, every attempt, and the prompts that were sent."""
    comparison = status.comparison
    with st.expander("Request, attempts and cost"):
        _facts(comparison)
        for column, record in zip(st.columns(len(comparison.sides)), comparison.sides, strict=True):
            with column:
                _attempts(status, record)
    with st.expander("Sent prompts"):
        if comparison.legacy is not None:
            st.caption("As typed; whether anything was added is not recorded.")
        for column, record in zip(st.columns(len(comparison.sides)), comparison.sides, strict=True):
            with column:
                st.markdown(fill("**{}**", side_title(comparison, record.side)))
                sections(record)


def _attempts(status: ComparisonStatus, record: SideRecord) -> None:
    """Every try at a side, take by take."""
    for side in status.sides:
        if side.side is not record.side:
            continue
        st.markdown(fill("**{}**", take_title(status, side, side_title(status.comparison, side.side))))
        if status.comparison.legacy is None:
            attempts(side)
        else:
            st.caption("Imported: no timing, cost or request id came with it.")


def _facts(comparison: Comparison) -> None:
    """With what it was made; of an imported one, where it comes from."""
    made = clock(comparison.created_at, reader_zone(), to_the_second=True)
    if comparison.legacy is None:
        renders = (comparison.render_of(record.side) for record in comparison.sides)
        engines = " / ".join(dict.fromkeys(map(_engine, renders)))
        st.caption(plain(f"{made} · {engines} · {comparison.size} · seed {comparison.seed}"))
    else:
        output = fill(" · picture `{}`", comparison.legacy.output) if comparison.legacy.output else ""
        st.caption(fill("{} · imported, record `{}`{}", made, comparison.legacy.id, output))
    st.caption(fill("Comparison `{}`", comparison.id))


def _engine(render: RenderSettings) -> str:
    quality = f" · {render.quality}" if render.quality != "auto" else ""
    return f"{render.engine} {render.model}{quality}"
