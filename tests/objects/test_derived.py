"""Derived objects over a real S3: the first of two servers wins, and nothing that makes no sense is believed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from core.errors import NotFound, StorageUnavailable, WriteConflict
from core.objects.derived import DerivedFormat
from tests.support.s3.moto_server import fill, moto_server, with_bucket
from tests.support.s3.servers import S3Server

NUMBERS: DerivedFormat[list[int]] = DerivedFormat(
    lambda numbers: json.dumps(numbers).encode(),
    lambda data: [int(each) for each in json.loads(data)],
    "bad",
    "unsaved",
)
KEY = "_app/numbers.json.gz"


@pytest.fixture(scope="module")
def moto() -> Iterator[S3Server]:
    with moto_server() as server:
        yield server


@pytest.fixture
def bucket(moto: S3Server) -> S3Server:
    return with_bucket(moto)


def test_what_was_written_is_read_and_written_over_by_who_has_read_it(bucket: S3Server) -> None:
    store = bucket.store()
    first = NUMBERS.write(store, KEY, [1, 2], replacing=None)
    assert NUMBERS.read(store, KEY) == (first, [1, 2])
    second = NUMBERS.write(store, KEY, [1, 2, 3], replacing=first)
    assert NUMBERS.read(store, KEY) == (second, [1, 2, 3])
    for late in (None, first):
        with pytest.raises(WriteConflict):
            NUMBERS.write(store, KEY, [4], replacing=late)
    assert NUMBERS.read(store, KEY) == (second, [1, 2, 3])


def test_the_same_content_is_the_same_object() -> None:
    assert NUMBERS.pack([1, 2]) == NUMBERS.pack([1, 2])


NONSENSE = {
    "nothing": b"",
    "not compressed": b"[1]",
    "cut off": NUMBERS.pack([1])[:-3],
    "compressed nothing": gzip.compress(b""),
    "a list in a list": gzip.compress(b"[[]]"),
    "a number": gzip.compress(b"1"),
}


@pytest.mark.parametrize("kind", NONSENSE)
def test_one_that_makes_no_sense_is_named_and_taken_for_none(bucket: S3Server, kind: str) -> None:
    fill(bucket, {KEY: NONSENSE[kind]})
    with capture_logs() as log:
        etag, content = NUMBERS.read(bucket.store(), KEY)
    assert content is None
    assert [(line["event"], line["key"]) for line in log] == [("bad", KEY)]
    assert NUMBERS.write(bucket.store(), KEY, [1], replacing=etag) is not None


def test_one_that_is_gone_is_said_to_be_gone(bucket: S3Server) -> None:
    with pytest.raises(NotFound):
        NUMBERS.read(bucket.store(), KEY)


def test_a_write_that_fails_is_logged_and_no_failure() -> None:
    class Down:
        def put(self, *_args: Any, **_options: Any) -> str:
            raise StorageUnavailable("S3 does not answer.")

    with capture_logs() as log:
        assert NUMBERS.write(Down(), KEY, [1], replacing=None) is None  # type: ignore[arg-type]
    assert [(line["event"], line["key"]) for line in log] == [("unsaved", KEY)]
