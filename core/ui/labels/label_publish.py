"""Publishing labels: what changes, portrait by portrait, then the file, or the file to take away."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import streamlit as st

from core.errors import StudioError
from core.labels.publication.draft import Differences, PublicationDraft, Selection, differences
from core.labels.publication.message import counts_in_words, unseen_in_words
from core.labels.publication.publisher import OutdatedDraft, PublishResult
from core.studio import Studio
from core.ui.frame.layout import row
from core.ui.frame.problems import show_problem, show_problems
from core.ui.frame.session import dialog, open_session
from core.ui.frame.state import Key
from core.ui.frame.words.local_time import clock, reader_zone
from core.ui.frame.words.markdown import Markdown, fill, joined, plain
from core.ui.frame.words.quantities import count_of
from core.ui.labels.label_updates import draw_updates, say_differences

_LINES_SHOWN: Final = 400
_UNSEEN_NAMED: Final = 8
_FRESH_S: Final = 30.0  # how old the newest publication that is known may be
_CORRECTIONS, _ACCEPTANCES, _RAW = "Corrections", "Acceptances", "Raw diff"


@dataclass
class _Shown:
    """The publication that is on the screen: nothing else is ever written.

    `seen` is the same without what this person is blind to, because their second look at it is still to come;
    `people` and `groups` are all that could be published alone, `found` is what has come to be different while one was
    looking, `done` how it ended.
    """

    draft: PublicationDraft
    seen: PublicationDraft
    people: tuple[str, ...]
    groups: tuple[str, ...]
    found: Differences = field(default_factory=Differences)
    problem: StudioError | None = None
    done: PublishResult | None = None

    def counted(self, part: str) -> Markdown:
        """The name of a part of it, with how many portraits that has."""
        if part == _CORRECTIONS:
            return fill("Corrections {:,}", len(self.seen.corrections))
        return fill("Acceptances {:,}", len(self.seen.acceptances)) if part == _ACCEPTANCES else plain(part)


def publish_button(studio: Studio) -> None:
    """The button that opens what would be published."""
    if st.button("Publish…", icon=":material/publish:", width="content"):
        for key in (Key.LABEL_DRAFT, Key.LABEL_DRAFT_PERSON, Key.LABEL_DRAFT_GROUP, Key.LABEL_DRAFT_PAGE):
            st.session_state.pop(key, None)
        dialog("Publish labels", _dialog, width="large")(studio)


def warn_if_old(studio: Studio) -> None:
    """Say it when somebody has published a file that this server does not run."""
    with show_problems():
        running = studio.live_labels.published.version
        newer = studio.publisher.newer(running, max_age_s=_FRESH_S)
        if newer is not None:
            st.warning(
                fill(
                    "This server runs label version {}; {} published {} at {}. "
                    "Bring labels/personas.jsonl up to date here, then restart.",
                    running,
                    newer.person,
                    newer.version,
                    clock(newer.time, reader_zone()),
                ),
                icon=":material/update:",
            )


def _dialog(studio: Studio) -> None:
    with show_problems():
        shown = _shown(studio)
        if shown.done is not None:
            _say_how_it_ended(shown.draft, shown.done)
        elif shown.draft.is_empty and shown.draft.selection == Selection():
            st.markdown("There is nothing to publish: the file says what the reviews say.")
            _say_left_out(shown.draft)
        else:
            _judge(studio, shown)


def _shown(studio: Studio) -> _Shown:
    """What is on the screen; drafted when the dialog opens, and never behind the back of who looks at it."""
    known: _Shown | None = st.session_state.get(Key.LABEL_DRAFT)
    if known is None:
        draft = studio.publisher.draft(studio.catalog.index)
        known = st.session_state[Key.LABEL_DRAFT] = _Shown(draft, _seen(draft), draft.people, draft.groups)
    return known


def _seen(draft: PublicationDraft) -> PublicationDraft:
    studio, viewer = open_session()
    return draft.without({each.etag for each in draft.updates if studio.review_service.is_blind_to(viewer, each.etag)})


def _judge(studio: Studio, shown: _Shown) -> None:
    """All of it, narrowed to what is asked for, and the button that writes it."""
    draft, seen = shown.draft, shown.seen
    _summary(draft, seen)
    if shown.problem is not None:
        show_problem(shown.problem)
    say_differences(shown.found)
    with row(spread=True):
        part = st.segmented_control(
            "What is shown",
            [_CORRECTIONS, _ACCEPTANCES, _RAW],
            key=Key.LABEL_DRAFT_PART,
            default=_CORRECTIONS if seen.corrections or not seen.acceptances else _ACCEPTANCES,
            required=True,
            format_func=shown.counted,
            label_visibility="collapsed",
            on_change=_back_to_first_page,
            width="content",
        )
        with row(width="content"):
            _narrow("Reviewer", "By anybody", shown.people, Key.LABEL_DRAFT_PERSON)
            _narrow("Group", "In any group", shown.groups, Key.LABEL_DRAFT_GROUP)
    if part == _RAW:
        _raw_diff(seen)
    else:
        updates = seen.corrections if part == _CORRECTIONS else seen.acceptances
        draw_updates(studio, updates, new=shown.found.new, is_corrected=part == _CORRECTIONS)
    with row(spread=True):
        st.caption("The file is read again before it is replaced; what differs then is shown here first.")
        st.button(
            "Publish",
            type="primary",
            icon=":material/publish:",
            disabled=draft.is_empty,
            on_click=_publish,
            help=fill("Writes {} into labels/personas.jsonl.", counts_in_words(draft)),
        )


def _summary(draft: PublicationDraft, seen: PublicationDraft) -> None:
    by = fill(" by {}", _listed(draft.people)) if draft.people else ""
    st.markdown(
        fill(
            "**{}**{} :gray[· version {} → {}]",
            counts_in_words(draft),
            by,
            _short(draft.before_version),
            _short(draft.version),
        )
    )
    unseen = unseen_in_words(seen)
    if unseen:
        more = fill(" and {:,} more", len(unseen) - _UNSEEN_NAMED) if len(unseen) > _UNSEEN_NAMED else ""
        st.markdown(
            fill(
                ":red[{} never used before:] {}{}",
                count_of(len(unseen), "value"),
                joined(" · ", unseen[:_UNSEEN_NAMED]),
                more,
            )
        )
    if hidden := len(draft.updates) - len(seen.updates):
        st.caption(
            fill(
                "{} your second look: what was decided is published too, and shown here only after it.",
                count_of(hidden, "portrait of these waits for", "portraits of these wait for"),
            )
        )
    _say_left_out(draft)
    if draft.selection != Selection():
        st.caption("Only this is published; everything else waits.")


def _say_left_out(draft: PublicationDraft) -> None:
    if draft.left_out:
        st.caption(fill("{:,} reviewed pictures are not in the library any more and stay out.", len(draft.left_out)))


def _narrow(label: str, everything: str, options: tuple[str, ...], key: Key) -> None:
    """One of them alone, or all; what is chosen is drafted anew."""
    st.selectbox(
        label,
        options,
        index=None,
        key=key,
        placeholder=everything,
        on_change=_draft_anew,
        label_visibility="collapsed",
        width=156,
    )


def _raw_diff(draft: PublicationDraft) -> None:
    lines = draft.diff.splitlines()
    st.code("\n".join(lines[:_LINES_SHOWN]), language="diff", height=360, wrap_lines=True)
    if len(lines) > _LINES_SHOWN:
        st.caption(fill("The first {} of {:,} lines.", _LINES_SHOWN, len(lines)))


def _back_to_first_page() -> None:
    st.session_state[Key.LABEL_DRAFT_PAGE] = 1


def _draft_anew() -> None:
    """Show what is chosen, from the reviews and the file as they are now."""
    studio, _ = open_session()
    _back_to_first_page()
    shown = _shown(studio)
    chosen = Selection(st.session_state.get(Key.LABEL_DRAFT_PERSON), st.session_state.get(Key.LABEL_DRAFT_GROUP))
    shown.problem, shown.found = None, Differences()
    with show_problems():
        shown.draft = studio.publisher.draft(studio.catalog.index, chosen)
        shown.seen = _seen(shown.draft)


def _publish() -> None:
    """Publish what is shown; if that is not what it was any more, show what is different instead."""
    studio, viewer = open_session()
    shown = _shown(studio)
    shown.problem, shown.found = None, Differences()
    try:
        shown.done = studio.publisher.publish(shown.draft, viewer)
    except OutdatedDraft as err:
        now = studio.publisher.draft(studio.catalog.index, shown.draft.selection)
        seen = _seen(now)
        shown.problem, shown.found = err, differences(shown.seen, seen)
        shown.draft, shown.seen = now, seen
    except StudioError as err:
        shown.problem = err


def _say_how_it_ended(draft: PublicationDraft, done: PublishResult) -> None:
    if done.file is not None:
        st.success(fill("labels/personas.jsonl is written as version {}: commit it with this message.", draft.version))
    else:
        st.info(
            "This server cannot write labels/personas.jsonl. The publication waits in S3; take the file and put it "
            "into the repository, with this message."
        )
    st.code(done.publication.message, language=None, wrap_lines=True)
    if done.later:
        st.caption(fill("{} came in meanwhile: the next publication has them.", count_of(done.later, "save")))
    if done.file is None:
        st.download_button(
            "Download personas.jsonl",
            draft.after,
            file_name="personas.jsonl",
            mime="application/jsonl",
            icon=":material/download:",
            on_click="ignore",
        )


def _listed(people: tuple[str, ...]) -> str:
    names = [*people[:3], *([f"{len(people) - 3} more"] if len(people) > 3 else [])]
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _short(version: str) -> str:
    return version[:6]
