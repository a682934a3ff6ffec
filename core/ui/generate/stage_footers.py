"""Stage footers: under each picture what it came to, the file, and what this person may do about it."""

from __future__ import annotations

from typing import LiteralString

import streamlit as st

from core.errors import NotFound
from core.generation.ownership import is_in_charge
from core.generation.records.attempt_status import ComparisonStatus, SideStatus
from core.generation.records.comparison import SideTake
from core.generation.records.outcome import Outcome, StoredPicture
from core.ui.components.stage.stage import StageAct, StageButton, StageFoot, StageLink
from core.ui.frame.problems import show_problems
from core.ui.frame.session import absolute, open_session
from core.ui.frame.words.glossary import FIDELITY_HELP, UNPRICED_HELP
from core.ui.frame.words.markdown import plain
from core.ui.generate.side_words import cancelled_by, count_words, money, told_in_ms
from core.viewer import Viewer
from core.web.http.addresses import ORIGINAL, comparison_zip_url, image_url

NOT_YOURS = "Only {} or operations can retry this: replay it in History to make your own."
YOURS_TO_PAY = "The comparison stays its owner's. The new attempt is yours: it bears your name and your budget pays."
_NO_SUCH_PICTURE = "This comparison has no such picture: reload the page."


def foot_of(status: ComparisonStatus, side: SideStatus, title: str, viewer: Viewer) -> StageFoot:
    """What stands under a picture of a comparison; core asks again who may."""
    outcome, may_act = side.latest, is_in_charge(viewer, status.comparison)
    picture = outcome.picture if outcome is not None else None
    has_fidelity = picture is not None and picture.fidelity is not None
    is_unpriced = picture is not None and outcome is not None and outcome.cost is not None and outcome.cost.usd is None
    return StageFoot(
        side=side.side.value,
        fidelity=f"Fidelity {picture.fidelity:.0f}" if picture and picture.fidelity is not None else "",
        fidelity_help=FIDELITY_HELP if has_fidelity else "",
        figures=_figures(status, side, viewer),
        figures_help=UNPRICED_HELP if is_unpriced else "",
        picture=_link(status, side, picture, title) if picture else None,
        button=_button(status, side, viewer) if may_act and picture is None else None,
        notes=_notes(status, side, viewer),
    )


def together(status: ComparisonStatus, viewer: Viewer) -> StageButton | None:
    """What can be done by one press for all pictures that it can be done for; nothing for one alone."""
    if not is_in_charge(viewer, status.comparison):
        return None
    busy = sum(side.busy for side in status.sides)
    if busy > 1:
        return StageButton("cancel", cancel_label(status))
    lacking = [side for side in status.sides if side.is_without_picture]
    if len(lacking) < 2:
        return None
    ready = max((ready_ms for side in lacking if (ready_ms := told_in_ms(side)) is not None), default=None)
    return StageButton("retry", f"Retry {count_words(len(lacking))}", _retry_help(status, viewer), ready)


def zip_of(status: ComparisonStatus) -> StageLink | None:
    """All pictures of all takes as one file, where there is more than one take."""
    pictures = sum(side.picture is not None for side in status.sides)
    if len(status.takes) < 2 or pictures < 2:
        return None
    return StageLink(comparison_zip_url(status.comparison.id), f"Download all {pictures} pictures as a ZIP")


def cancel_label(status: ComparisonStatus) -> str:
    """What the button says that stops all work on a comparison."""
    busy = sum(side.busy for side in status.sides)
    return f"Cancel {count_words(busy)}" if busy > 1 else "Cancel"


def take_title(status: ComparisonStatus, side: SideStatus, title: str) -> str:
    """What a picture is called, with its take where there are several."""
    return f"{title}, take {side.take}" if len(status.takes) > 1 else title


def download_button(comparison_id: str, picture: StoredPicture, place: SideTake, title: str) -> None:
    """Take the original picture of a side home."""
    url = absolute(_download_url(comparison_id, picture, place))
    st.link_button("PNG", url, type="tertiary", icon=":material/download:", help=plain(f"Download {title}"))


def act(pressed: StageAct) -> None:
    """Do what was pressed on the stage, for one picture or for all of a comparison."""
    with show_problems():
        studio, viewer = open_session()
        if pressed.side is None:
            all_of_them = {"cancel": studio.orders.cancel_all, "retry": studio.orders.retry_all}
            all_of_them[pressed.does](pressed.comparison, viewer)
            return
        side = _asked_side(studio.runner.status(pressed.comparison), pressed)
        one_of_them = {"cancel": studio.orders.cancel, "retry": studio.orders.retry}
        one_of_them[pressed.does](pressed.comparison, side.side, viewer, take=side.take)


def _link(status: ComparisonStatus, side: SideStatus, picture: StoredPicture, title: str) -> StageLink:
    url = _download_url(status.comparison.id, picture, side.place)
    return StageLink(url, f"Download {take_title(status, side, title)}")


def _asked_side(status: ComparisonStatus, pressed: StageAct) -> SideStatus:
    """The picture that a browser names. Raises NotFound for one that this comparison has not."""
    for side in status.sides:
        if (side.side.value, side.take) == (pressed.side, pressed.take):
            return side
    raise NotFound(_NO_SUCH_PICTURE)


def _figures(status: ComparisonStatus, side: SideStatus, viewer: Viewer) -> str:
    outcome = side.latest
    if side.busy:
        return _whose(status, side, viewer)
    if outcome is not None and outcome.picture is not None:
        return f"{outcome.seconds:.1f} s · {money(outcome)}"
    charged = f" · {money(outcome)}" if outcome is not None else ""
    return f"Attempt {side.attempt}: {side.phase.value}{charged}"


def _button(status: ComparisonStatus, side: SideStatus, viewer: Viewer) -> StageButton:
    """Stop it, or try it again; while the far side wants to be left alone the browser counts down to that."""
    if side.busy:
        return StageButton("cancel", "Cancel")
    return StageButton("retry", retry_label(status), _retry_help(status, viewer), told_in_ms(side))


def retry_label(status: ComparisonStatus) -> LiteralString:
    """What the button says that has one picture made once more."""
    return "Retry this take" if len(status.takes) > 1 else "Retry this side"


def _retry_help(status: ComparisonStatus, viewer: Viewer) -> str:
    return "" if viewer.email == status.comparison.person else YOURS_TO_PAY


def _notes(status: ComparisonStatus, side: SideStatus, viewer: Viewer) -> list[str]:
    outcome: Outcome | None = side.latest
    notes = [cancelled_by(outcome.cancelled)] if outcome is not None and outcome.cancelled is not None else []
    notes += outcome.notes if outcome is not None else ()
    has_picture = outcome is not None and outcome.picture is not None
    if not (is_in_charge(viewer, status.comparison) or side.busy or has_picture):
        notes.append(NOT_YOURS.format(status.comparison.person))
    return notes


def _whose(status: ComparisonStatus, side: SideStatus, viewer: Viewer) -> str:
    """Whose work this is, where it is not the viewer's own."""
    owner, asked = status.comparison.person, side.person or status.comparison.person
    if asked != owner:
        return f"Ordered by {owner}, retried by {asked}"
    if owner == viewer.email:
        return ""
    if is_in_charge(viewer, status.comparison):
        return f"Ordered by {owner}"
    return f"Ordered by {owner}. Only they or operations can cancel it."


def _download_url(comparison_id: str, picture: StoredPicture, place: SideTake) -> str:
    return image_url(picture.key, picture.etag, ORIGINAL, download_as=f"{comparison_id}-{place.file_name}")
