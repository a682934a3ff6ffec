"""The review log over a real S3: whatever cannot be read is named, and takes nothing else along."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter

from core.labels.decisions.review_log import SEGMENT, ReviewLog
from core.labels.decisions.reviews import Event, Kind, Save
from tests.labels.portraits import APP
from tests.support.s3.moto_server import fill, moto_server, with_bucket
from tests.support.s3.servers import S3Server


@pytest.fixture(scope="module")
def moto() -> Iterator[S3Server]:
    with moto_server() as server:
        yield server


@pytest.fixture
def bucket(moto: S3Server) -> S3Server:
    return with_bucket(moto)


def log_with(bucket: S3Server, saves: int) -> ReviewLog:
    log = ReviewLog(bucket.store(), app_prefix=APP)
    for number in range(saves):
        event = Event(id=f"{number}", kind=Kind.SKIP, key="k", etag="a")
        log.append("ann@studio.example", lambda _reviews, event=event: [event])
    return log


def key_of(number: int) -> str:
    return f"{APP}reviews/log/{number:012d}.json"


def test_a_damaged_save_stays_named_when_others_follow(bucket: S3Server) -> None:
    writer = log_with(bucket, 1)
    fill(bucket, {key_of(2): b"garbage"})
    reader = ReviewLog(bucket.store(), app_prefix=APP)
    reader.refresh()
    assert reader.unreadable == (key_of(2),)
    fill(bucket, {key_of(3): b"garbage"})
    reader.refresh()
    assert reader.unreadable == (key_of(2), key_of(3))
    writer.refresh()
    event = Event(id="late", kind=Kind.SKIP, key="k", etag="a")
    saved = writer.append("ann@studio.example", lambda _reviews: [event])
    assert saved is not None
    assert saved.number == 4
    reader.refresh()
    assert [save.number for save in reader.saves] == [1, 4]
    assert reader.unreadable == (key_of(2), key_of(3))


@pytest.mark.parametrize("segment", [b"[]", b"{}", b"[1]"])
def test_a_segment_that_holds_no_saves_is_passed_over(bucket: S3Server, segment: bytes) -> None:
    log_with(bucket, 2)
    fill(bucket, {f"{APP}reviews/segments/v1/000000000001.json.gz": gzip.compress(segment)})
    again = ReviewLog(bucket.store(), app_prefix=APP)
    again.refresh()
    assert [save.number for save in again.saves] == [1, 2]


def test_a_long_log_is_opened_from_its_segment_alone(bucket: S3Server) -> None:
    saves = tuple(
        Save(
            number=number,
            reviewer="ann@studio.example",
            time=datetime(2026, 11, 22, tzinfo=UTC),
            events=(Event(id=f"{number}", kind=Kind.SKIP, key="k", etag="a"),),
        )
        for number in range(1, SEGMENT + 1)
    )
    packed = gzip.compress(TypeAdapter(tuple[Save, ...]).dump_json(saves))
    fill(bucket, {f"{APP}reviews/segments/v1/000000000001.json.gz": packed})
    log = ReviewLog(bucket.store(), app_prefix=APP)
    log.refresh()
    assert (tuple(log.saves), log.number) == (saves, SEGMENT)
