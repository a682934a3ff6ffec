"""A comparison's details say with what it was made, when, and whose it is, also where it is nobody's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from core.injection.request.wishes import Mode
from core.references.vocabulary import load_vocabulary
from core.studio import VOCABULARY_FILE
from core.ui.history.history_details import _made
from tests.generation.comparisons import comparison
from tests.support.timeouts import LONG_S

VOCABULARY = load_vocabulary(VOCABULARY_FILE)
LONG_AGO = datetime(2025, 5, 4, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(("person", "says"), [("", "nobody"), ("kim@studio", "kim@studio")])
def test_it_says_with_what_and_when_it_was_made_and_whose_it_is(person: str, says: str) -> None:
    record = comparison(person=person, created_at=LONG_AGO, tone="natural-film", angle="three-quarter")
    assert _made(record, VOCABULARY) == f"Natural film · Three-quarter · 2025 May 4, 12:30 UTC · {says}"


def test_a_single_side_and_a_tag_that_is_no_longer_known_are_said_as_well() -> None:
    record = comparison(person="kim", created_at=LONG_AGO, mode=Mode.TONE_ONLY, tone="forgotten")
    assert _made(record, VOCABULARY) == "Tone only · forgotten · 2025 May 4, 12:30 UTC · kim"


def draw() -> None:
    from core.generation.records.comparison import Legacy, Origin
    from core.ui.history.history_details import _facts
    from tests.generation.comparisons import comparison

    _facts(comparison().model_copy(update={"origin": Origin.BACKFILL, "legacy": Legacy(id="7")}))


def test_an_imported_record_says_where_it_comes_from() -> None:
    app = AppTest.from_function(draw).run(timeout=LONG_S)
    assert not app.exception
    assert "imported, record `7`" in app.caption[0].value
