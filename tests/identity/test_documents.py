"""A document in S3: never older than it may be, never overwritten unseen, never guessed."""

from __future__ import annotations

import json
import threading
from itertools import pairwise

import pytest

from core.errors import StorageError, StorageUnavailable, WriteConflict
from core.objects.documents import FRESH_S, MAX_AGE_S, Document
from core.storage.s3 import Store
from tests.identity.conftest import Clock
from tests.support.s3.moto_server import fill, remove
from tests.support.s3.servers import S3Server, scripted_server

Names = tuple[str, ...]
LISTED = {"Content-Type": "application/json", "ETag": '"1"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}


def parsed(data: bytes | None) -> Names:
    if data is None:
        return ()
    try:
        return tuple(json.loads(data))
    except ValueError as err:
        raise StorageUnavailable("damaged") from err


def document(store: Store, prefix: str, clock: Clock) -> Document[Names]:
    return Document(
        store,
        f"{prefix}names.json",
        parse=parsed,
        serialize=lambda names: json.dumps(names).encode(),
        clock=clock,
    )


@pytest.fixture
def here(store: Store, app_prefix: str, clock: Clock) -> Document[Names]:
    return document(store, app_prefix, clock)


@pytest.fixture
def elsewhere(store: Store, app_prefix: str, clock: Clock) -> Document[Names]:
    """The same document on another server."""
    return document(store, app_prefix, clock)


def test_a_document_that_is_not_there_has_no_etag(here: Document[Names]) -> None:
    version = here.read()
    assert (version.value, version.etag) == ((), None)


def test_what_one_server_writes_the_other_reads_within_the_age_it_may_have(
    here: Document[Names], elsewhere: Document[Names], clock: Clock
) -> None:
    assert elsewhere.value() == ()
    here.write(("ada",), here.read())
    assert here.value() == ("ada",)
    assert elsewhere.value() == ()
    clock.now += MAX_AGE_S
    assert elsewhere.value() == ("ada",)


def test_a_value_that_is_fresh_no_more_is_read_anew(
    here: Document[Names], elsewhere: Document[Names], clock: Clock
) -> None:
    elsewhere.value()
    here.write(("ada",), here.read())
    clock.now += FRESH_S
    assert elsewhere.value() == ("ada",)


def test_a_version_that_is_history_is_never_overwritten(here: Document[Names], elsewhere: Document[Names]) -> None:
    """Who loses is told, with what the winner wrote; the first to write wins also where there was nothing."""
    seen = elsewhere.read()
    first = here.write(("ada",), here.read())
    with pytest.raises(WriteConflict) as lost:
        elsewhere.write(("bo",), seen)
    assert lost.value.theirs == b'["ada"]'
    here.write(("ada", "cy"), first)
    with pytest.raises(WriteConflict) as lost:
        elsewhere.write(("bo",), first)
    assert lost.value.theirs == b'["ada", "cy"]'
    assert here.read().value == ("ada", "cy")


def test_a_document_that_was_removed_is_not_written_over_what_was_seen(
    here: Document[Names], s3: S3Server, app_prefix: str
) -> None:
    seen = here.write(("ada",), here.read())
    remove(s3, f"{app_prefix}names.json")
    with pytest.raises(WriteConflict):
        here.write(("bo",), seen)


def test_changes_by_many_at_once_are_all_kept(store: Store, app_prefix: str, clock: Clock) -> None:
    """Four servers, each of which adds three names."""

    def add(server: Document[Names], name: str) -> None:
        for number in range(3):
            server.change(lambda names, new=f"{name}{number}": (*names, new))

    threads = [
        threading.Thread(target=add, args=(document(store, app_prefix, clock), name)) for name in ("a", "b", "c", "d")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(document(store, app_prefix, clock).read().value) == [f"{n}{i}" for n in "abcd" for i in range(3)]


def test_a_change_that_changes_nothing_writes_nothing(here: Document[Names]) -> None:
    assert here.change(lambda names: names) == ()
    assert here.read().etag is None


def test_a_damaged_document_is_an_error_and_never_a_value(
    here: Document[Names], s3: S3Server, app_prefix: str, clock: Clock
) -> None:
    here.write(("ada",), here.read())
    fill(s3, {f"{app_prefix}names.json": b"{"})
    assert here.value() == ("ada",)  # not old enough to be read anew
    clock.now += MAX_AGE_S
    for ask in (here.value, here.read, lambda: here.change(lambda names: names)):
        with pytest.raises(StorageError, match="damaged"):
            ask()


def test_when_s3_is_down_a_value_serves_until_it_is_too_old_and_not_longer(app_prefix: str, clock: Clock) -> None:
    is_up = True
    dated = {"ETag": '"1"', "Last-Modified": "Sun, 22 Nov 2026 12:00:00 GMT"}
    with scripted_server(lambda *_: (200, dated, b'["ada"]') if is_up else None) as failing:
        here = document(failing.store(attempts=1), app_prefix, clock)
        assert here.value() == ("ada",)
        is_up = False
        clock.now += MAX_AGE_S - 0.1
        assert here.value() == ("ada",)
        clock.now += 0.1
        with pytest.raises(StorageUnavailable):
            here.value()
        is_up = True
        assert here.value() == ("ada",)


def test_while_s3_is_away_what_was_known_serves_and_s3_is_asked_every_few_seconds(
    app_prefix: str, clock: Clock
) -> None:
    """And it is heard again soon after it is back; what is too old is not served, whatever S3 does."""
    asked, is_up = [], True

    def answer(*_: object) -> tuple[int, dict[str, str], bytes] | None:
        asked.append(clock.now)
        return (200, LISTED, b'["ada"]') if is_up else None

    with scripted_server(answer) as failing:
        names = document(failing.store(attempts=1), app_prefix, clock)
        assert names.value() == ("ada",)
        is_up, first = False, len(asked)
        for _ in range(int(MAX_AGE_S) - 1):
            clock.now += 1
            assert names.value() == ("ada",)
        seconds = sorted(set(asked[first:]))
        assert 5 <= len(seconds) <= 11
        assert all(later - sooner >= 5 for sooner, later in pairwise(seconds))
        clock.now += 1
        with pytest.raises(StorageError):
            names.value()
        is_up = True
        assert names.value() == ("ada",)
