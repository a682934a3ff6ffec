"""The labels page of a real server over a real S3 that holds ten thousand portraits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest

from bench.labels import BULK, FOCUS, GRID, PORTRAITS, bulk_save, label_studio
from bench.large_studio import LargeStudio
from bench.sessions import Drawn, session
from core.labels.decisions.reviews import Save
from core.storage.client import Reach
from core.storage.s3 import Store
from tests.support.ports import own_port

REVIEWED = PORTRAITS // 2
LOG = "studio/reviews/log/"


@pytest.fixture(scope="module")
def studio() -> Iterator[LargeStudio]:
    with label_studio(PORTRAITS, own_port(), latency_s=0.0) as running:
        yield running
        assert running.complaints() == []


def drawn(studio: LargeStudio, query: str) -> Drawn:
    async def visited() -> Drawn:
        async with session(studio.url) as tab:
            return await tab.visit("labels", query)

    return asyncio.run(visited())


@pytest.mark.parametrize(("query", "pictures", "shown"), [(FOCUS, "items", 60), (GRID, "cards", BULK)])
def test_the_page_opens_counts_all_of_them_and_shows_the_first(
    studio: LargeStudio, query: str, pictures: str, shown: int
) -> None:
    page = drawn(studio, query)
    assert page.failures() == []
    assert f"{PORTRAITS:,} of {PORTRAITS:,} portraits have a label" in page.texts()
    told = [json.loads(element.json or "{}") for kind, element in page.elements if kind == "bidi_component"]
    (component,) = [each for each in told if pictures in each]
    assert len(component[pictures]) == shown


def test_a_bulk_edit_of_two_hundred_is_one_save_of_two_hundred_reviews(studio: LargeStudio) -> None:
    asyncio.run(bulk_save(studio, "45–59"))
    store = Store(Reach("studio", studio.s3_url, "any", "any", region="us-east-1"))
    (made,) = list(store.list(LOG, start_after=f"{LOG}{REVIEWED:012d}.json"))
    events = Save.model_validate_json(store.get(made.key).data).events
    assert len({event.etag for event in events}) == len(events) == BULK
    assert {change.after for event in events for change in event.changes} == {(45, 59)}
