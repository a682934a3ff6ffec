"""A parallel listing gives exactly what one walk gives, or fails as a whole and says why."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.list_server import Bucket, ListServer, Raw, Script, answer, error, studio_tree
from core.errors import StorageDenied, StorageUnavailable
from core.references.listing import parallel_lister
from core.references.listing.list_page import read_list_page, rows_of
from core.references.listing.listing import Listing, list_all
from core.storage.client import Reach
from core.storage.list_pages import ListPages
from tests.support.s3.moto_server import moto_server, with_bucket
from tests.support.s3.servers import S3Server
from tests.support.timeouts import LONG_S

ACCESS: dict[str, Any] = {"access_key": "AKIDTEST", "secret_key": "secret"}
AWKWARD = [
    "refs/\u00e9tude/a.jpg",
    "refs/e\u0301tude/a.jpg",
    "refs/\ud55c\uae00.jpg",
    "refs/\u1112\u1161\u11ab\u1100\u1173\u11af.jpg",
    "refs/100%/50% +1 & <a> \"b\" 'c'.jpg",
    "refs/%41.jpg",
    "refs/a+b c.jpg",
    "refs/ both ends ",
    "refs/a//b.jpg",
    "refs//",
    "refs/../up.jpg",
    "refs/./here.jpg",
    "/leading.jpg",
    "refs/\x01control\x1f.jpg",
    "refs/tab\tline\nreturn\r.jpg",
    "refs/back\\slash\\x41.jpg",
    "refs/\U0001f39e\ufe0f.jpg",
    "refs/\uffff\U00010000.jpg",
    "refs/" + "\uac00" * 339 + "aa",
    "refs/Case.jpg",
    "refs/case.jpg",
    "refs/CASE.JPG",
]


class SmallPages:
    """A source whose pages hold three rows, so that a few keys make a long listing."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def page(self, prefix: str, *, start_after: str = "", token: str = "", delimiter: str = "") -> bytes:
        asked = {"prefix": prefix, "start-after": start_after, "continuation-token": token, "delimiter": delimiter}
        return self._bucket.page(asked | {"max-keys": "3"})


class Broken:
    """A source that fails on whatever lies behind a key."""

    def __init__(self, source: SmallPages, behind: str) -> None:
        self._source = source
        self._behind = behind

    def page(self, prefix: str, *, start_after: str = "", token: str = "", delimiter: str = "") -> bytes:
        raw = self._source.page(prefix, start_after=start_after, token=token, delimiter=delimiter)
        if any(key > self._behind for key in read_list_page(raw).rows.column("key").to_pylist()):
            raise StorageUnavailable("This part of the shelf burns.")
        return raw


@pytest.fixture
def cut_eagerly(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if every range were a long one."""
    monkeypatch.setattr(parallel_lister, "WORTH_CUTTING_KEYS", 1e-9)


@contextmanager
def serving(keys: list[str], script: Script | None = None) -> Iterator[tuple[ListServer, ListPages]]:
    with ListServer(Bucket(keys), script=script) as server:
        list_pages = ListPages(Reach("bench", server.endpoint_url, **ACCESS), attempts=4, sleep=lambda _s: None)
        yield server, list_pages


@pytest.fixture(scope="module")
def moto() -> Iterator[S3Server]:
    with moto_server() as server:
        yield server


def list_pages_of(server: S3Server, **changes: Any) -> ListPages:
    return ListPages(server.reach, sleep=lambda _s: None, **changes)


# What it gives


def test_awkward_keys_come_back_exactly_from_a_real_server(moto: S3Server) -> None:
    keys = [key for key in AWKWARD if "\n" not in key]  # moto has no route for those
    list_pages = list_pages_of(with_bucket(moto, dict.fromkeys(keys, b"")))
    assert list_all(list_pages, "", workers=4).keys == sorted(keys, key=str.encode)


def test_awkward_keys_come_back_exactly_from_the_stub() -> None:
    with serving(AWKWARD) as (_server, list_pages):
        assert list_all(list_pages, "", workers=4, hints=AWKWARD).keys == sorted(AWKWARD, key=str.encode)


def test_rows_are_those_of_the_sequential_listing(moto: S3Server) -> None:
    server = with_bucket(moto, {"refs/a b.jpg": b"1", "refs/c+d/e.jpg": b"22", "other/x.jpg": b""})
    assert list(list_all(list_pages_of(server), "refs/", workers=4)) == list(server.store().list("refs/"))


@pytest.mark.usefixtures("cut_eagerly")
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    keys=st.lists(
        st.text(st.sampled_from("ab/09A%+ é한\x01🎞"), min_size=1, max_size=8)
        | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5)
        | st.sampled_from(AWKWARD),
        unique=True,
        max_size=80,
    ),
    hints=st.lists(st.text(st.sampled_from("ab/09A%+ é한\x01🎞"), max_size=4), max_size=6),
    prefix=st.sampled_from(["", "a", "a/", "refs/", "/"]),
    workers=st.integers(1, 6),
)
def test_every_key_comes_once_and_in_byte_order(keys: list[str], hints: list[str], prefix: str, workers: int) -> None:
    counts: list[int] = []
    source = SmallPages(Bucket(keys))
    listing = list_all(source, prefix, workers=workers, hints=hints, progress=counts.append)
    expected = sorted((key for key in keys if key.startswith(prefix)), key=str.encode)
    assert listing.keys == expected
    assert counts == sorted(counts)
    assert counts[-1] == len(listing) == len(expected)


@pytest.mark.parametrize("names", ["IMG_{:06d}.jpg", "서연 {:06d}.jpg", "{:x}"])
def test_a_wide_folder_is_cut_by_the_alphabet(names: str) -> None:
    keys = sorted(f"refs/one folder/{names.format(n * 977)}" for n in range(30_000))
    with serving(keys) as (server, list_pages):
        assert list_all(list_pages, "refs/", workers=16).keys == keys
    assert sum("start-after" in query and "delimiter" not in query for query in server.queries) > 8


def test_a_deep_tree_is_listed_cold_and_warm() -> None:
    keys = sorted(studio_tree(20_000))
    with serving(keys) as (_server, list_pages):
        cold = list_all(list_pages, "refs/", workers=8)
        warm = list_all(list_pages, "refs/", workers=8, hints=cold.hints())
    assert cold.keys == warm.keys == keys
    assert warm.requests <= 22
    assert cold.rows.drop_columns([]).equals(warm.rows)


def test_hints_of_another_library_only_cost_requests() -> None:
    keys = sorted(studio_tree(5000))
    with serving(keys) as (_server, list_pages):
        assert list_all(list_pages, "refs/", workers=8, hints=["", "a", "refs/Nord/", "zz", "\x01", "a"]).keys == keys


@pytest.mark.parametrize(("count", "requests"), [(0, 1), (1, 1), (1000, 1)])
def test_a_library_of_one_page_takes_one_request(count: int, requests: int) -> None:
    with serving([f"refs/{n}/a.jpg" for n in range(count)]) as (server, list_pages):
        assert len(list_all(list_pages, "refs/", workers=8)) == count
    assert len(server.queries) == requests


def test_two_pages_are_walked_one_after_the_other() -> None:
    with serving([f"refs/{n}/a.jpg" for n in range(2000)]) as (server, list_pages):
        listing = list_all(list_pages, "refs/", workers=8)
        assert listing.hints() == ()
    assert len([query for query in server.queries if "delimiter" not in query]) == 2


def test_a_listing_from_objects_is_the_same_listing() -> None:
    with serving(AWKWARD) as (_server, list_pages):
        listing = list_all(list_pages, "", workers=2)
    assert Listing.of(reversed(list(listing))).rows.equals(listing.rows.combine_chunks())


def test_keys_are_asked_for_url_encoded_a_thousand_at_a_time() -> None:
    with serving(["refs/a.jpg"]) as (server, list_pages):
        list_all(list_pages, "refs/", workers=2)
    (query,) = server.queries
    assert query == {"list-type": "2", "prefix": "refs/", "max-keys": "1000", "encoding-type": "url"}


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (b"</Contents>", b"</Contents>\n  "),
        (b"<Key>", b"<Owner><ID>7</ID></Owner><Key>"),
        (b"<Size>", b"<ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType><Size>"),
        (b"STANDARD", b"GLACIER &amp; more"),
        (b"&quot;", b'"'),
        (b"&quot;", b""),
        (b'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"', b""),
    ],
)
def test_rows_are_read_the_same_however_a_server_writes_them(was: bytes, becomes: bytes) -> None:
    raw = Bucket(AWKWARD).page({})
    assert read_list_page(raw.replace(was, becomes)).rows.equals(read_list_page(raw).rows)


@pytest.mark.parametrize("start", ["", "refs/", "refs/a"])
def test_plain_rows_and_a_tree_of_all_rows_say_the_same(start: str) -> None:
    raw = Bucket(AWKWARD).page({"prefix": start, "delimiter": "/"})
    tree = raw.replace(b"</Contents>", b" </Contents>")  # not as S3 writes it
    assert read_list_page(tree).rows.equals(read_list_page(raw).rows)
    assert read_list_page(tree).folders == read_list_page(raw).folders


def test_a_row_without_etag_is_still_a_row() -> None:
    raw = Bucket(["a.jpg", "b.jpg"]).page({}).replace(b"<ETag>", b"<Was>", 1).replace(b"</ETag>", b"</Was>", 1)
    assert read_list_page(raw).rows.column("etag").to_pylist()[0] == ""


def test_a_server_that_does_not_encode_is_taken_at_its_word() -> None:
    raw = Bucket(["a"]).page({}).replace(b"<Key>a<", b"<Key>a+%41<").replace(b">url<", b"><")
    assert read_list_page(raw).rows.column("key").to_pylist() == ["a+%41"]


def test_times_are_utc_and_etags_bare() -> None:
    (row,) = Listing(read_rows(Bucket(["a"]).page({})))
    assert row.modified == datetime(2026, 1, 14, 9, 24, 7, tzinfo=UTC)
    assert row.etag == "0cc175b9c0f1b6a831c399e269772661"


def read_rows(raw: bytes) -> Any:
    return pa.Table.from_batches([read_list_page(raw).rows])


def test_a_server_with_an_order_of_its_own_is_listed_page_after_page() -> None:
    class Backwards(SmallPages):
        def page(self, prefix: str, *, start_after: str = "", token: str = "", delimiter: str = "") -> bytes:
            raw = super().page(prefix, start_after=start_after, token=token, delimiter=delimiter)
            head, *rows = raw.split(b"<Contents>")
            *rows, last = (row.partition(b"</Contents>")[0] for row in rows)
            body = b"".join(b"<Contents>" + row + b"</Contents>" for row in (last, *reversed(rows)))
            return head + body + b"</ListBucketResult>"

    keys = sorted(f"refs/{n:02d}.jpg" for n in range(20))
    assert list_all(Backwards(Bucket(keys)), "refs/", workers=4).keys == keys


# How it fails


@pytest.mark.usefixtures("cut_eagerly")
def test_one_range_that_fails_fails_the_listing() -> None:
    keys = sorted(f"refs/{n // 10}/{n:03d}.jpg" for n in range(100))
    source = Broken(SmallPages(Bucket(keys)), keys[80])
    for hints in ([], keys[::10]):
        with pytest.raises(StorageUnavailable, match="burns"):
            list_all(source, "refs/", workers=4, hints=hints)


def test_a_missing_bucket_is_unavailable_at_once(moto: S3Server) -> None:
    list_pages = list_pages_of(replace(moto, bucket="nobody-has-this"), attempts=1)
    with pytest.raises(StorageUnavailable, match="nobody-has-this"):
        list_all(list_pages, "", workers=4)


def test_no_permission_is_denied_at_once() -> None:
    with (
        serving(["a"], lambda _nth, _query: error("AccessDenied", "403 Forbidden")) as (server, list_pages),
        pytest.raises(StorageDenied),
    ):
        list_all(list_pages, "", workers=4)
    assert len(server.queries) == 1


def test_an_endpoint_that_hangs_is_unavailable() -> None:
    with ListServer(Bucket(["a"]), script=lambda _nth, _query: Raw(hold=True)) as server:
        list_pages = ListPages(
            Reach("bench", server.endpoint_url, **ACCESS, read_timeout_s=0.05), attempts=2, sleep=lambda _s: None
        )
        with pytest.raises(StorageUnavailable, match="did not answer in time"):
            list_all(list_pages, "", workers=4)
    assert len(server.queries) == 2


def test_nobody_listening_is_unavailable() -> None:
    with ListServer(Bucket([])) as server:
        address = server.endpoint_url
    list_pages = ListPages(Reach("bench", address, **ACCESS), attempts=2, sleep=lambda _s: None)
    with pytest.raises(StorageUnavailable, match="could not be reached"):
        list_all(list_pages, "", workers=4)


def test_a_connection_cut_in_the_middle_of_a_page_is_asked_again() -> None:
    body = Bucket(["a", "b"]).page({})
    cut = [answer(body[:300], announce=len(body)), answer(body[:300]), Raw(b"HTTP/1.1 200 OK\r\n\r\n" + body[:300])]
    with serving(["a", "b"], lambda nth, _query: cut[nth - 1] if nth <= 3 else None) as (server, list_pages):
        assert list_all(list_pages, "", workers=4).keys == ["a", "b"]
    assert len(server.queries) == 4


def test_a_connection_that_is_always_cut_is_unavailable() -> None:
    body = Bucket(["a"]).page({})
    with (
        serving([], lambda _nth, _query: answer(body[:300], announce=len(body))) as (server, list_pages),
        pytest.raises(StorageUnavailable, match="broke off"),
    ):
        list_all(list_pages, "", workers=4)
    assert len(server.queries) == 4


@pytest.mark.parametrize(
    "fault",
    [
        error("SlowDown", "503 Slow Down"),
        error("InternalError", "500 Internal Server Error"),
        error("InternalError", "200 OK"),
        error("RequestTimeout", "400 Bad Request"),
        answer(b"<html>bad gateway</html>", status="502 Bad Gateway"),
        Raw(),
    ],
)
def test_what_passes_is_waited_for(fault: Raw) -> None:
    pauses: list[float] = []
    with ListServer(Bucket(["a"]), script=lambda nth, _query: fault if nth <= 2 else None) as server:
        list_pages = ListPages(Reach("bench", server.endpoint_url, **ACCESS), sleep=pauses.append)
        assert list_all(list_pages, "", workers=4).keys == ["a"]
    assert len(pauses) == 2


def test_slow_down_in_the_middle_of_many_ranges_loses_nothing() -> None:
    keys = sorted(studio_tree(6000))

    def every_third(nth: int, _query: dict[str, str]) -> Raw | None:
        return error("SlowDown", "503 Slow Down") if nth % 3 == 0 else None

    with ListServer(Bucket(keys), script=every_third) as server:
        list_pages = ListPages(Reach("bench", server.endpoint_url, **ACCESS), attempts=40, sleep=lambda _s: None)
        assert list_all(list_pages, "refs/", workers=8).keys == keys


def endless(page: bytes, *, same_token: bool) -> Script:
    def script(nth: int, _query: dict[str, str]) -> Raw:
        token = b"again" if same_token else b"token-%d" % nth
        more = b"<NextContinuationToken>" + token + b"</NextContinuationToken><KeyCount>"
        return answer(page.replace(b">false<", b">true<").replace(b"<KeyCount>", more))

    return script


@pytest.mark.parametrize("same_token", [True, False])
@pytest.mark.parametrize("keys", [["a"], []])
def test_a_listing_that_never_ends_is_unavailable(keys: list[str], same_token: bool) -> None:
    script = endless(Bucket(keys).page({}), same_token=same_token)
    with (
        serving(keys, script) as (_server, list_pages),
        pytest.raises(StorageUnavailable, match="for ever"),
    ):
        list_all(list_pages, "", workers=4)


WHOLE = Bucket(["a.jpg"]).page({})


@pytest.mark.parametrize(
    "page",
    [
        b"",
        b"not XML at all",
        b"<html><body>Welcome to the hotel</body></html>",
        WHOLE.replace(b"<Key>", b"<Key"),
        WHOLE.replace(b"a.jpg", b"a\x01.jpg"),
        WHOLE.replace(b"a.jpg", b"%ff.jpg"),
        WHOLE.replace(b"a.jpg", b"%e9.jpg"),
        WHOLE.replace(b"a.jpg", b""),
        WHOLE.replace(b"<KeyCount>1<", b"<KeyCount>2<"),
        WHOLE.replace(b"<KeyCount>1<", b"<KeyCount>one<"),
        WHOLE.replace(b"<Size>", b"<Size>x"),
        WHOLE.replace(b"2026-", b"yesterday"),
        WHOLE.replace(b">false<", b">true<"),
    ],
)
def test_a_page_that_is_not_s3s_is_unavailable(page: bytes) -> None:
    with (
        serving([], lambda _nth, _query: answer(page)) as (_server, list_pages),
        pytest.raises(StorageUnavailable),
    ):
        list_all(list_pages, "", workers=4)


def test_a_caller_who_gives_up_gets_the_workers_home() -> None:
    class Enough(Exception):
        pass

    def stop(_listed: int) -> None:
        raise Enough

    before = set(threading.enumerate())
    with serving(sorted(studio_tree(3000))) as (_server, list_pages):
        with pytest.raises(Enough):
            list_all(list_pages, "refs/", workers=4, progress=stop)
        for worker in [thread for thread in threading.enumerate() if thread.name.startswith("list-")]:
            if worker.name != "list-server":
                worker.join(timeout=LONG_S)
    assert not set(threading.enumerate()) - before


# What of it is archived


def page_of(classes: list[str | None]) -> bytes:
    """A page whose rows are of these storage classes; None says nothing."""
    raw = Bucket([f"refs/{at:05d}.jpg" for at in range(len(classes))]).page({"max-keys": "10000"})
    head, *rows = raw.split(b"<StorageClass>STANDARD</StorageClass>")
    cells = [b"" if each is None else f"<StorageClass>{each}</StorageClass>".encode() for each in classes]
    return head + b"".join(cell + row for cell, row in zip(cells, rows, strict=True))


@pytest.mark.parametrize("changed", [lambda raw: raw, lambda raw: raw.replace(b"</Contents>", b" </Contents>")])
@pytest.mark.parametrize(
    ("classes", "archived"),
    [
        (["STANDARD", "GLACIER", "STANDARD_IA", "DEEP_ARCHIVE"], [False, True, False, True]),
        (["GLACIER_IR", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIERS", ""], [False] * 5),
        (["GLACIER"] * 3, [True] * 3),
        ([None, None], [False] * 2),
        (["GLACIER", None, "STANDARD"], [True, False, False]),
    ],
)
def test_a_row_is_archived_by_its_storage_class(
    classes: list[str | None], archived: list[bool], changed: Callable[[bytes], bytes]
) -> None:
    rows = read_list_page(changed(page_of(classes))).rows
    assert rows.column("archived").to_pylist() == archived


def test_classes_of_pages_that_are_read_together_stay_with_their_rows() -> None:
    raws = [page_of(["STANDARD"] * 900), page_of(["GLACIER"] * 900), page_of(["STANDARD_IA", "DEEP_ARCHIVE"] * 450)]
    together = rows_of([read_list_page(raw).unread for raw in raws * 3])
    assert [batch.column("archived").true_count for batch in together] == [0, 900, 450] * 3
