"""Where the sides are named on a page, who looks at it is not blind any more; not before the pictures are there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

from core.generation.records.comparison import Comparison
from core.studio import Studio, close_studio, get_studio
from core.ui.frame.state import COMPARISON_PARAM, OPENED_PARAM, PAIR_PARAM
from core.web.http.addresses import comparison_zip_url
from tests.support.timeouts import LONG_S
from tests.votes.ballot_box import A, B, BallotBox
from tests.web.test_ballot_pictures import get

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """The demo as it is, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ContextProxy, "url", "http://localhost/")  # AppTest has no address, and pictures would be files
        patch.setenv("DATA_DIR", str(tmp_path_factory.mktemp("demo") / "data"))
        try:
            studio = get_studio()
            studio.catalog.refresh()
            yield studio
        finally:
            close_studio()


@pytest.fixture
def box(studio: Studio, tmp_path: Path) -> BallotBox:
    assert studio.storage.embedded is not None
    return BallotBox(studio.storage.embedded, studio.settings.s3_app_prefix, tmp_path)


def seen(studio: Studio) -> set[str]:
    return set(studio.seen._marked["demo@localhost"])


def look(page: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / f"{page}.py"), default_timeout=LONG_S)
    app.query_params.update(query)
    app.run()
    assert not app.exception
    return app


def old(box: BallotBox) -> Comparison:
    """A comparison that is not in the strip of today."""
    return box.compared(age=timedelta(days=3), person="kim@studio.example")


def test_the_stage_of_generate_names_its_sides(studio: Studio, box: BallotBox) -> None:
    record, other = old(box), old(box)
    look("generate", **{COMPARISON_PARAM: record.id})
    assert record.id in seen(studio)
    assert other.id not in seen(studio)


def test_two_pictures_side_by_side_are_named(studio: Studio, box: BallotBox) -> None:
    one, other = old(box), old(box)
    look("generate", **{PAIR_PARAM: f"{one.id}.{A.value}~{other.id}.{B.value}"})
    assert {one.id, other.id} <= seen(studio)


def test_the_drawer_of_history_names_them_and_its_cards_do_not_count(studio: Studio, box: BallotBox) -> None:
    record = old(box)
    look("history")
    assert record.id not in seen(studio)
    look("history", **{OPENED_PARAM: record.id})
    assert record.id in seen(studio)


def test_the_strip_of_ones_own_day_names_them(studio: Studio, box: BallotBox) -> None:
    mine, half = box.compared(person="demo@localhost"), box.compared(person="demo@localhost", without=[(B, 1)])
    theirs = box.compared(person="kim@studio.example")
    studio.history.catch_up()
    look("generate")
    assert mine.id in seen(studio)
    assert {half.id, theirs.id}.isdisjoint(seen(studio)), (
        "half a pair tells nothing, and others have strips of their own"
    )


def test_a_zip_names_each_picture_by_its_side(studio: Studio, box: BallotBox) -> None:
    record = old(box)
    (answer,) = get(comparison_zip_url(record.id))
    assert answer.status_code == httpx.codes.OK
    assert record.id in seen(studio)
