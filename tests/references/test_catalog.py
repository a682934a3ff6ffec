"""The catalog: always a complete index, rebuilt from S3 alone, whatever becomes of a refresh."""

from __future__ import annotations

import itertools
import re
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler

import pytest

from core.errors import StorageError, StorageUnavailable
from core.references.catalog import Catalog
from core.references.reference import Filter
from core.references.vocabulary import GroupProblem
from core.storage.list_pages import ListPages
from tests.injection.libraries import VOCABULARY
from tests.support.s3.moto_server import fill, moto_server, remove, with_bucket
from tests.support.s3.servers import Answer, S3Server, client_of, scripted_server
from tests.support.timeouts import LONG_S, until

ADA, BEN = "refs/01. Model/noir/Ada.jpg", "refs/01. Model/noir/Ben.jpg"


@pytest.fixture(scope="module")
def moto() -> Iterator[S3Server]:
    with moto_server() as server:
        yield server


@pytest.fixture
def bucket(moto: S3Server) -> S3Server:
    return with_bucket(moto, {ADA: b"a", BEN: b"b", "studio/votes/1.json": b"{}", "elsewhere/x.jpg": b"x"})


def catalog_of(list_pages: ListPages, *, library_prefix: str = "refs/", refresh_s: float = 3600) -> Catalog:
    return Catalog(
        list_pages, VOCABULARY, library_prefix=library_prefix, app_prefix="studio/", refresh_s=refresh_s, workers=4
    )


def drop(bucket: S3Server) -> None:
    """The bucket goes away, as when a permission is withdrawn or a name mistyped."""
    remove(bucket, ADA, BEN, "studio/votes/1.json", "elsewhere/x.jpg")
    client_of(bucket).delete_bucket(Bucket=bucket.bucket)


def test_a_refresh_serves_every_picture_under_the_library_prefix(bucket: S3Server) -> None:
    catalog = catalog_of(bucket.list_pages())
    assert catalog.refresh() is catalog.index
    assert [ref.key for ref in catalog.index.references] == [ADA, BEN]


def test_the_apps_own_pictures_are_never_references(bucket: S3Server) -> None:
    fill(bucket, {"studio/generations/1/side.png": b"x"})
    index = catalog_of(bucket.list_pages(), library_prefix="").refresh()
    assert [ref.key for ref in index.references] == ["elsewhere/x.jpg", ADA, BEN]


def test_an_empty_library_has_an_age_like_any_other(bucket: S3Server) -> None:
    catalog = catalog_of(bucket.list_pages(), library_prefix="nothing/")
    assert len(catalog.refresh()) == 0
    assert catalog.status.age_s is not None


def test_before_the_first_refresh_the_index_says_that_it_is_on_its_way(bucket: S3Server) -> None:
    catalog = catalog_of(bucket.list_pages())
    assert (catalog.status.ready, catalog.status.age_s) == (False, None)
    with pytest.raises(StorageUnavailable, match="still being listed"):
        _ = catalog.index


def test_whoever_waits_for_the_first_index_is_told_when_there_is_one(bucket: S3Server) -> None:
    catalog = catalog_of(bucket.list_pages())
    assert not catalog.wait(0)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(catalog.wait, LONG_S)
        catalog.refresh()
        assert waiting.result(LONG_S)


def test_nobody_waits_for_an_index_that_cannot_be_had(bucket: S3Server) -> None:
    drop(bucket)
    catalog = catalog_of(bucket.list_pages())
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(catalog.wait, LONG_S)
        with pytest.raises(StorageError):
            catalog.refresh()
        assert not waiting.result(LONG_S / 2)


def test_an_end_lets_go_of_who_waits_for_the_first_index(bucket: S3Server) -> None:
    catalog = catalog_of(bucket.list_pages())
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(catalog.wait, LONG_S)
        catalog.stop()
        assert not waiting.result(LONG_S / 2)


def test_a_failed_refresh_keeps_the_last_complete_index_with_its_age_and_the_error(bucket: S3Server) -> None:
    catalog = catalog_of(bucket.list_pages())
    good = catalog.refresh()
    drop(bucket)
    with pytest.raises(StorageError):
        catalog.refresh()
    status = catalog.status
    assert catalog.index is good
    assert status.ready
    assert status.built_at == good.built_at
    assert status.age_s is not None
    assert status.age_s >= 0
    assert status.error is not None
    assert bucket.bucket in status.error


def test_a_first_refresh_that_fails_is_what_the_index_says(bucket: S3Server) -> None:
    drop(bucket)
    catalog = catalog_of(bucket.list_pages())
    with pytest.raises(StorageError):
        catalog.refresh()
    with pytest.raises(StorageError, match=bucket.bucket):
        _ = catalog.index


def test_the_error_is_forgotten_once_s3_is_back(bucket: S3Server) -> None:
    catalog = catalog_of(bucket.list_pages())
    catalog.refresh()
    drop(bucket)
    with pytest.raises(StorageError):
        catalog.refresh()
    client_of(bucket).create_bucket(Bucket=bucket.bucket)
    fill(bucket, {ADA: b"a"})
    assert len(catalog.refresh()) == 1
    assert catalog.status.error is None


def test_drift_says_what_was_added_removed_and_changed(bucket: S3Server) -> None:
    catalog = catalog_of(bucket.list_pages())
    first = catalog.refresh()
    assert catalog.status.drift.is_empty
    fill(bucket, {ADA: b"another picture", "refs/01. Model/noir/Cho.jpg": b"c"})
    remove(bucket, BEN)
    catalog.refresh()
    drift = catalog.status.drift
    assert (drift.added, drift.removed, drift.changed) == (("refs/01. Model/noir/Cho.jpg",), (BEN,), (ADA,))
    assert drift.since == first.built_at


def test_a_refresh_that_finds_nothing_new_keeps_the_last_drift_in_sight(bucket: S3Server) -> None:
    catalog = catalog_of(bucket.list_pages())
    catalog.refresh()
    remove(bucket, BEN)
    catalog.refresh()
    drift = catalog.status.drift
    catalog.refresh()
    assert catalog.status.drift == drift


def test_two_servers_over_one_bucket_agree_after_every_change(bucket: S3Server) -> None:
    one, other = catalog_of(bucket.list_pages()), catalog_of(bucket.list_pages())
    for change in ({}, {"refs/02. Tone/noir/x.jpg": b"x"}, {ADA: b"new"}):
        fill(bucket, change)
        mine, theirs = one.refresh(), other.refresh()
        assert mine.references == theirs.references
        assert mine.folders == theirs.folders
        assert mine.problems == theirs.problems


def test_what_cannot_be_decoded_is_a_problem_from_the_next_refresh_on(bucket: S3Server) -> None:
    broken: set[str] = set()
    catalog = Catalog(
        bucket.list_pages(),
        VOCABULARY,
        library_prefix="refs/",
        app_prefix="studio/",
        refresh_s=3600,
        workers=4,
        unreadable=lambda: broken,
    )
    ada = catalog.refresh().references[0]
    (group,) = catalog.index.folders[0].groups
    assert (ada.problem, group.example) == (None, ada)
    broken.add(ada.etag)
    index = catalog.refresh()
    (group,) = index.folders[0].groups
    (found,) = index.search(Filter(problems_only=True))
    assert (found.key, found.problem) == (ADA, GroupProblem.UNREADABLE)
    assert [problem.where for problem in index.problems] == [ADA]
    assert group.example == index.get(BEN)
    assert [ref.key for ref in group.usable] == [BEN], "it is never injected"
    assert index.personas == {"Ben"}
    assert catalog.status.drift.is_empty
    broken.clear()
    assert catalog.refresh().problems == ()


class TestBackground:
    """The thread that keeps the index fresh."""

    def test_it_lists_at_once_and_again_when_asked(self, bucket: S3Server) -> None:
        catalog = catalog_of(bucket.list_pages())
        catalog.start()
        until(lambda: catalog.status.ready)
        remove(bucket, BEN)
        catalog.request_refresh()
        until(lambda: len(catalog.index) == 1)
        catalog.stop()

    def test_it_lists_again_by_itself(self, bucket: S3Server) -> None:
        catalog = catalog_of(bucket.list_pages(), refresh_s=0.01)
        catalog.start()
        until(lambda: catalog.status.ready)
        remove(bucket, BEN)
        until(lambda: len(catalog.index) == 1)
        catalog.stop()

    def test_it_outlives_a_failure_and_serves_again(self, bucket: S3Server) -> None:
        catalog = catalog_of(bucket.list_pages(), refresh_s=0.01)
        drop(bucket)
        catalog.start()
        until(lambda: catalog.status.error is not None)
        client_of(bucket).create_bucket(Bucket=bucket.bucket)
        until(lambda: catalog.status.ready and catalog.status.error is None)
        catalog.stop()

    def test_it_outlives_what_nobody_expected_and_says_under_which_incident(
        self, bucket: S3Server, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A fault that is no storage's own, here in what tells the unreadable pictures, must not end the thread."""
        rounds, passes = itertools.count(), threading.Event()

        def unreadable() -> tuple[str, ...]:
            if next(rounds) and not passes.is_set():
                raise ZeroDivisionError("nobody expected this")
            return ()

        catalog = Catalog(
            bucket.list_pages(),
            VOCABULARY,
            library_prefix="refs/",
            app_prefix="studio/",
            refresh_s=0.01,
            workers=4,
            unreadable=unreadable,
        )
        catalog.start()
        until(lambda: catalog.status.error is not None)
        found = re.fullmatch(
            r"The listing stopped unexpectedly: report incident (\w{26})\.", catalog.status.error or ""
        )
        assert found, catalog.status.error
        assert found[1] in capsys.readouterr().out
        assert len(catalog.index) == 2, "the last complete index serves"
        until(lambda: next(rounds) > 10)
        remove(bucket, BEN)
        passes.set()
        until(lambda: catalog.status.error is None and len(catalog.index) == 1)
        catalog.stop()

    def test_it_ends_at_once_when_told_to_however_early(self, bucket: S3Server) -> None:
        before, store = set(threading.enumerate()), bucket.list_pages()
        for _ in range(20):
            catalog = catalog_of(store)
            catalog.start()
            catalog.stop()
            until(lambda: "index-refresh" not in {each.name for each in set(threading.enumerate()) - before})

    def test_starting_twice_starts_one_thread(self, bucket: S3Server) -> None:
        catalog = catalog_of(bucket.list_pages())
        catalog.start()
        catalog.start()
        assert sum(thread.name == "index-refresh" for thread in threading.enumerate()) == 1
        catalog.stop()


class SlowServer:
    """An S3 that counts its listings and answers when it is let go."""

    def __init__(self) -> None:
        self.listings = 0
        self.go = threading.Event()
        self.keys: list[str] = [ADA]

    def __call__(self, _request: BaseHTTPRequestHandler, _body: bytes) -> Answer:
        self.listings += 1
        keys = list(self.keys)
        self.go.wait(LONG_S)
        rows = "".join(
            f"<Contents><Key>{key}</Key><ETag>&quot;e&quot;</ETag><Size>1</Size>"
            "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
            for key in keys
        )
        page = f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>"
        return 200, {"Content-Type": "application/xml"}, page.encode()


def is_in_refresh(thread: threading.Thread) -> bool:
    """Whether a thread has reached the catalog's refresh."""
    frame = sys._current_frames().get(thread.ident or 0)
    while frame is not None:
        if frame.f_code is Catalog.refresh.__code__:
            return True
        frame = frame.f_back
    return False


class TestSingleFlight:
    """One listing at a time, and nobody waits for it but those who asked."""

    def test_callers_at_the_same_time_share_one_listing(self) -> None:
        slow = SlowServer()
        with scripted_server(slow) as server, ThreadPoolExecutor(4) as pool:
            catalog = catalog_of(server.list_pages())
            asked = [pool.submit(catalog.refresh) for _ in range(4)]
            until(lambda: sum(map(is_in_refresh, threading.enumerate())) == 4)
            slow.go.set()
            indexes = {id(each.result(LONG_S)) for each in asked}
        assert len(indexes) == 1
        assert slow.listings == 1

    def test_the_old_generation_is_served_while_the_next_is_listed(self) -> None:
        slow = SlowServer()
        slow.go.set()
        with scripted_server(slow) as server, ThreadPoolExecutor(1) as pool:
            catalog = catalog_of(server.list_pages())
            old = catalog.refresh()
            slow.go.clear()
            slow.keys.append(BEN)
            asked = pool.submit(catalog.refresh)
            until(lambda: slow.listings == 2)
            assert catalog.index is old
            assert catalog.status.refreshing
            slow.go.set()
            assert len(asked.result(LONG_S)) == 2
            assert not catalog.status.refreshing

    def test_a_caller_whose_forerunner_failed_lists_for_itself(self) -> None:
        answers = iter([(403, {}, b"<Error><Code>AccessDenied</Code></Error>")])
        slow = SlowServer()

        def script(request: BaseHTTPRequestHandler, body: bytes) -> Answer:
            good = slow(request, body)
            return next(answers, good)

        with scripted_server(script) as server, ThreadPoolExecutor(2) as pool:
            catalog = catalog_of(server.list_pages())
            asked = [pool.submit(catalog.refresh) for _ in range(2)]
            until(lambda: sum(map(is_in_refresh, threading.enumerate())) == 2)
            slow.go.set()
            outcomes = [each.exception(LONG_S) for each in asked]
        assert sum(outcome is None for outcome in outcomes) == 1
        assert len(catalog.index) == 1
