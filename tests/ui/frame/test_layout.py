"""Many things are drawn a page at a time; a page behind the last one is the last one."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.ui.frame.state import Key
from tests.support.timeouts import LONG_S


def draw(count: int) -> None:
    import streamlit as st

    from core.ui.frame.layout import page_of
    from core.ui.frame.state import Key

    with page_of(range(count), Key.REF_PAGE, size=10, is_counted=True) as shown:
        st.text(f"{list(shown)}")


@pytest.mark.parametrize(
    ("count", "page", "shown"),
    [(3, 1, [0, 1, 2]), (25, 1, list(range(10))), (25, 3, [20, 21, 22, 23, 24]), (25, 9, [20, 21, 22, 23, 24])],
)
def test_a_page_holds_its_own_items_and_all_are_counted(count: int, page: int, shown: list[int]) -> None:
    app = AppTest.from_function(draw, args=(count,), default_timeout=LONG_S)
    app.session_state[Key.REF_PAGE] = page
    app.run()
    assert not app.exception
    assert [text.value for text in app.text] == [str(shown)]
    assert [caption.value for caption in app.caption] == [f"{count} found"]
