"""Side by side: two pictures of any comparisons on the stage, and in what their requests differ."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final, TypeVar

import streamlit as st

from core.errors import NotFound
from core.generation.differences.side_diff import ComparedSide, SideDiff, diff_sides
from core.generation.records.attempt_status import AttemptPhase, ComparisonStatus, SideStatus
from core.generation.records.side_titles import side_title
from core.injection.request.wishes import SideName
from core.studio import Studio
from core.ui.components.stage.stage import StageData, StageSide, StageState, stage
from core.ui.filmstrip.pair import Pair, PairedSide, bring_back, leave_pair, pair_in_address, show_pair
from core.ui.frame.layout import row
from core.ui.frame.problems import show_problem, show_problems
from core.ui.frame.session import fragment
from core.ui.frame.state import PAIR_PARAM, Key
from core.ui.frame.words.local_time import clock, reader_zone
from core.ui.frame.words.markdown import Markdown, fill, joined, plain, quoted
from core.ui.generate.results import STAGE_HEIGHT, side_picture_url
from core.ui.generate.side_words import headline, problem
from core.ui.generate.stage_footers import download_button, take_title
from core.viewer import Viewer

_POLL_S: Final = 1.0
_PLACES: Final = ("Left", "Right")
T = TypeVar("T", SideName, int)


def side_by_side(studio: Studio, viewer: Viewer) -> bool:
    """Draw the pair that the address names, in the comparison's place, and follow it; False where it names none.

    A pair of which something is gone is told, and left.
    """
    is_named, pair = PAIR_PARAM in st.query_params, pair_in_address()
    if pair is None:
        if is_named:
            _show_nothing_there()
        return False
    try:
        read = [_statuses(studio, pair)]
    except (NotFound, KeyError):
        leave_pair()
        _show_nothing_there()
        return False
    is_busy = any(status.busy for status in read[0])

    def follow() -> None:
        with show_problems():
            now = pair_in_address()  # the side of a comparison may have been chosen anew
            if now is None:
                st.rerun()
            statuses = read.pop() if read else _statuses(studio, now)
            studio.seen.shown(viewer, *statuses)
            _draw(studio, now, statuses)
            if is_busy != any(status.busy for status in statuses):
                st.rerun()

    fragment(follow, run_every=_POLL_S if is_busy else None)()
    return True


def _show_nothing_there() -> None:
    show_problem(NotFound("One of the two pictures of this address is not there: choose two others."))


def _statuses(studio: Studio, pair: Pair) -> list[ComparisonStatus]:
    """Where both comparisons stand. Raises NotFound, and KeyError for a side that one of them has not."""
    statuses = [studio.runner.status(each.comparison) for each in (pair.left, pair.right)]
    for each, status in zip((pair.left, pair.right), statuses, strict=True):
        status.side(*each.place)
    return statuses


def _draw(studio: Studio, pair: Pair, statuses: list[ComparisonStatus]) -> None:
    paired = list(zip((pair.left, pair.right), statuses, strict=True))
    compared = [ComparedSide(status.comparison, each.side) for each, status in paired]
    sides = [_stage_side(place, each, status) for place, (each, status) in zip(_PLACES, paired, strict=True)]
    stage(StageData(str(pair), STAGE_HEIGHT, [sides]), key="stage")
    _differences(diff_sides(compared[0], compared[1], studio.vocabulary))
    for at, (column, (each, status)) in enumerate(zip(st.columns(2), paired, strict=True)):
        with column:
            _footer(at, each, status)


def _differences(diff: SideDiff) -> None:
    """In what the two differ, and the way back; below the stage, so that the pictures stay where they are."""
    words, back = st.columns([3, 1], vertical_alignment="center", gap="small")
    with words:
        st.markdown(
            fill(":small[{}]", difference_words(diff)),
            help=fill("The same on both: {}.", joined(", ", diff.same)) if diff.same else None,
        )
    with back, st.container(horizontal_alignment="right"):
        label = "Back to the comparison" if st.session_state.get(Key.SHOWN) else "Close"
        st.button(label, icon=":material/arrow_back:", type="tertiary", key="leave-pair", on_click=leave_pair)


def difference_words(diff: SideDiff) -> Markdown:
    """In what two requests differ, each point with what it is on the left and on the right."""
    parts = [fill("{} **{}** / **{}**", each.what, each.left, each.right) for each in diff.differences]
    return (
        fill("Differs in {}", joined(" · ", parts)) if parts else fill("The same request twice: only chance differs.")
    )


def _stage_side(place: str, paired: PairedSide, status: ComparisonStatus) -> StageSide:
    comparison, side = status.comparison, status.side(*paired.place)
    title = take_title(status, side, side_title(comparison, side.side))
    render = comparison.render_of(side.side)
    return StageSide(
        name=place,
        title=f"{clock(comparison.created_at, reader_zone())} · {title}",
        state=_state(side),
        width_px=render.size.width,
        height_px=render.size.height,
        picture_url=side_picture_url(status, side),
        alt=f"{title}: {comparison.wishes.prompt[:200]}",
        headline=headline(side),
        detail=quoted(problem(side, may_act=False)),
        progress=side.progress,
    )


def _state(side: SideStatus) -> StageState:
    if side.phase is AttemptPhase.INTERRUPTED:
        return StageState.FAILED
    if side.phase is AttemptPhase.DONE and (side.latest is None or side.latest.picture is None):
        return StageState.EMPTY  # imported without a picture that can be shown
    return StageState(side.phase)


def _footer(at: int, paired: PairedSide, status: ComparisonStatus) -> None:
    """Which picture of its comparison is shown, and what to do with it."""
    side = status.side(*paired.place)
    picture = side.latest.picture if side.latest else None
    titles = {record.side: side_title(status.comparison, record.side) for record in status.comparison.sides}
    takes = [sides[0].take for sides in status.takes]
    with row(spread=True, key=f"pair-{at}"):
        with row(width="content"):
            st.caption(plain(_PLACES[at]), width="content")
            if len(titles) > 1:
                _picker(at, paired, fill("Side on the {}", _PLACES[at].lower()), titles, paired.side)
            if len(takes) > 1:
                names = {take: f"Take {take}" if take == paired.take else str(take) for take in takes}
                _picker(at, paired, fill("Take on the {}", _PLACES[at].lower()), names, paired.take)
        with row(width="content"):
            if picture is not None:
                title = take_title(status, side, titles[side.side])
                download_button(paired.comparison, picture, paired.place, title)
            st.button(
                "Open",
                type="tertiary",
                icon=":material/open_in_full:",
                key=f"open-pair-{at}",
                help="Bring this comparison back, with its composer.",
                on_click=partial(bring_back, paired.comparison),
            )


def _picker(at: int, paired: PairedSide, label: Markdown, names: Mapping[T, str], shown: T) -> None:
    """Sides, or takes, to choose one of."""
    key = f"pair-{type(shown).__name__}-{at}-{paired.comparison}"
    st.session_state[key] = shown
    st.segmented_control(
        label,
        list(names),
        format_func=lambda each: plain(names[each]),
        key=key,
        required=True,
        label_visibility="collapsed",
        on_change=partial(_choose, at, key),
    )


def _choose(at: int, key: str) -> None:
    pair, chosen = pair_in_address(), st.session_state.get(key)
    if pair is None:
        return
    place = (pair.left if at == 0 else pair.right).place
    if isinstance(chosen, SideName):
        show_pair(pair.with_place(at, place._replace(side=chosen)))
    elif isinstance(chosen, int):
        show_pair(pair.with_place(at, place._replace(take=chosen)))
