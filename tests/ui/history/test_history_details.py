"""A comparison's details say whose it is, also where it is nobody's."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.support.timeouts import LONG_S


def draw(person: str) -> None:
    from core.generation.records.comparison import Legacy, Origin
    from core.ui.history.history_details import _facts
    from tests.generation.comparisons import comparison

    record = comparison(person=person)
    _facts(record.model_copy(update={"origin": Origin.BACKFILL, "legacy": Legacy(id="7")}))


@pytest.mark.parametrize(("person", "says"), [("", "nobody"), ("kim", "kim")])
def test_an_imported_record_says_whose_it_is(person: str, says: str) -> None:
    app = AppTest.from_function(draw, args=(person,)).run(timeout=LONG_S)
    assert not app.exception
    caption = app.caption[0].value
    assert f" {says} " in caption
    assert "imported, record `7`" in caption
