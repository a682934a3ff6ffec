"""The portraits that are lent to this tab: taken while its desk is open, given back when its person leaves it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from ulid import ULID

from core.labels.lending.loans import HAND_MAX
from core.labels.queue.queue import QueueItem
from core.studio import Studio
from core.ui.frame.state import Key, session_value
from core.viewer import Viewer


def desk_name() -> str:
    """The name under which portraits are lent to this tab."""
    return session_value(Key.LABEL_DESK, str, lambda: str(ULID()))


def hand_of(queue: Sequence[QueueItem], told: Sequence[str]) -> list[str]:
    """What was lent to this tab, by key: what its browser told, and the first that no other has."""
    free = [item.reference.key for item in queue if item.lent is None]
    return [*(key for key in told if key in free), *free[:HAND_MAX]]


def lend_ahead(studio: Studio, viewer: Viewer, queue: Sequence[QueueItem], ahead: Sequence[str]) -> list[QueueItem]:
    """Lend this tab what its person comes to next, and order the queue by what others have."""
    return studio.review_service.lend(viewer, queue, desk=desk_name(), ahead=ahead)


def leave_desk(studio: Studio, viewer: Viewer) -> None:
    """Give back what was lent to this tab, if anything was."""
    desk = st.session_state.pop(Key.LABEL_DESK, None)
    if desk is not None:
        studio.review_service.give_back(viewer, desk)
