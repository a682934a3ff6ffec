"""Tables that are part of the page's text: whatever they hold is text, and no number is parted from its unit."""

from __future__ import annotations

from html import unescape

from streamlit.testing.v1 import AppTest

from tests.support.timeouts import LONG_S


def drawn() -> list[list[str]]:
    def page() -> None:
        from core.ui.frame.words.tables import draw_text_table

        rows = [
            {"Person *a*": "**긴 이름** $1$ <b>", "Preference": "58 %", "95 % interval": "51–65 %", "Scenes": 1200},
            {"Person *a*": "شخصية | =1+1", "Preference": None, "95 % interval": None, "Scenes": 1},
        ]
        draw_text_table(rows, alt="By person")

    app = AppTest.from_function(page, default_timeout=LONG_S).run()
    assert not app.exception
    (table,) = app.table
    assert table.proto.alt == "By person"
    cells = [table.value.columns.tolist(), *table.value.to_numpy().tolist()]
    assert not any("*" in str(cell) or "<" in str(cell) for row in cells for cell in row), "nothing is Markdown"
    return [[unescape(str(cell)).replace(":color{}", "") for cell in row] for row in cells]


def test_cells_are_text_and_what_is_not_known_is_a_dash() -> None:
    head, first, second = drawn()
    assert head == ["Person *a*", "Preference", "95\N{NO-BREAK SPACE}% interval", "Scenes"]
    assert first == ["**긴 이름** $1$ <b>", "58\N{NO-BREAK SPACE}%", "51–65\N{NO-BREAK SPACE}%", "1,200"]
    assert second == ["شخصية | =1+1", "–", "–", "1"]
