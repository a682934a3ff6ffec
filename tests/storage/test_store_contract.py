"""What every S3 server must do for the store, tried on three real ones over HTTP."""

from __future__ import annotations

import socket
import time
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import (
    ConfigError,
    InputError,
    NotFound,
    StorageDenied,
    StorageError,
    StorageUnavailable,
    WriteConflict,
)
from core.objects.objects import ObjectStore
from core.storage.client import Reach
from core.storage.s3 import Store
from tests.support.s3.servers import PAGED_KEYS, SERVERS, Answer, S3Server, paged_name, scripted_server
from tests.support.timeouts import LONG_S

TEXT = "text/plain"

AWKWARD_KEYS = [
    "with spaces/a b  c.png",
    " leading and trailing ",
    "dots.and,commas(and) [brackets].jpg",
    "a+b",
    "100% sure",
    "already%20encoded",
    "%2B",
    "emoji 🎞️/👩‍🎨.png",
    unicodedata.normalize("NFC", "로우앵글/부감.png"),
    unicodedata.normalize("NFD", "로우앵글/부감.png"),
    "café",
    "cafe\u0301",
    "a;b?c#d&e=f",
    "quotes'\"<tag>&amp;",
    "back\\slash",
    "tilde~star*colon:pipe|caret^",
    "Case",
    "case",
    "double//slash",
    "/leading slash",
    "//two leading slashes",
    "trailing slash/",
    "..",
    "../up",
    "a/../b",
    "./here",
    "a/./b",
    "control\u0001character",
    "tab\tand\nnewline",
    "carriage\rreturn",
    "delete\u007f",
    "next line\u0085",
    "http://example.com/x",
    "한" * 341 + "x",  # 1024 bytes, the longest there is
    "e" * 1024,
]


def holds(server: str, key: str) -> bool:
    """Whether a server can have an object of this key."""
    if server == "moto":
        return "\n" not in key  # its web framework does not route a line break; the embedded server goes round it
    if server == "rclone":  # its objects are the files of a folder
        return all(name not in ("", ".", "..") and len(name.encode()) < 240 for name in key.split("/"))
    return True


KEYS_OF_SERVERS = [(server, key) for server in SERVERS for key in AWKWARD_KEYS]
HELD = [(server, key) for server, key in KEYS_OF_SERVERS if holds(server, key)]
REFUSED = [(server, key) for server, key in KEYS_OF_SERVERS if not holds(server, key) and not key.endswith("/")]
REFUSED_BY = {"moto": "keys with a line break", "rclone": "keys that a folder cannot hold: empty, dotted or long names"}

# A race for one key is tried on the embedded server alone, among its promises: moto decides without a lock.
where_conditions_are_honoured = pytest.mark.parametrize("server", ["moto", "embedded"], indirect=True)
where_access_keys_are_checked = pytest.mark.parametrize("server", ["embedded", "rclone"], indirect=True)

Lacks = Callable[[S3Server, str], None]


def named(value: str) -> str:
    return ascii(value)[1:-1][:24]


def wants(store: ObjectStore) -> ObjectStore:
    return store


def test_the_store_is_what_the_domain_asks_for(store: Store) -> None:
    assert wants(store).bucket == store.bucket


def test_what_was_put_is_got(store: Store, prefix: str) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    data = bytes(range(256)) * 5
    etag = store.put(f"{prefix}a.png", data, content_type="image/png")
    blob = store.get(f"{prefix}a.png")
    assert (blob.key, blob.data, blob.etag, blob.content_type) == (f"{prefix}a.png", data, etag, "image/png")
    assert '"' not in etag
    assert before <= blob.modified <= datetime.now(UTC) + timedelta(seconds=2)
    assert blob.modified.tzinfo is UTC


def test_head_and_list_agree(store: Store, prefix: str) -> None:
    store.put(f"{prefix}a", b"12345", content_type=TEXT)
    head = store.head(f"{prefix}a")
    (row,) = store.list(prefix)
    assert (
        (row.key, row.etag, row.size_bytes)
        == (head.key, head.etag, head.size_bytes)
        == (
            f"{prefix}a",
            head.etag,
            5,
        )
    )
    assert abs(row.modified - head.modified) < timedelta(seconds=1)


def test_an_empty_object_is_an_object(store: Store, prefix: str) -> None:
    store.put(f"{prefix}empty", b"", content_type=TEXT)
    assert store.get(f"{prefix}empty").data == b""
    assert [row.size_bytes for row in store.list(prefix)] == [0]


def test_a_picture_of_several_megabytes_survives(store: Store, prefix: str) -> None:
    data = bytes(range(251)) * 40_000
    store.put(f"{prefix}big", data, content_type="image/png")
    assert store.get(f"{prefix}big").data == data


def test_a_second_put_replaces_the_first(store: Store, prefix: str) -> None:
    first = store.put(f"{prefix}a", b"one", content_type=TEXT)
    second = store.put(f"{prefix}a", b"two, longer", content_type=TEXT)
    assert first != second
    assert store.get(f"{prefix}a").data == b"two, longer"


def test_a_deleted_object_is_gone_and_deleting_it_again_is_no_error(store: Store, prefix: str) -> None:
    store.put(f"{prefix}a", b"x", content_type=TEXT)
    store.delete(f"{prefix}a")
    store.delete(f"{prefix}a")
    with pytest.raises(NotFound):
        store.get(f"{prefix}a")
    assert not [*store.list(prefix)]


def test_a_missing_key_is_named(store: Store, prefix: str) -> None:
    for ask in (store.get, store.head, store.stream):
        with pytest.raises(NotFound) as caught:
            ask(f"{prefix}nothing here")
        assert caught.value.key == f"{prefix}nothing here"
        assert "nothing here" in caught.value.message


def test_a_listing_is_in_the_order_of_utf8_bytes(store: Store, prefix: str) -> None:
    names = ["b", "a/2", "a-1", "Z", "é", "가", "🎞", "a+", "\uffee"]
    for name in names:
        store.put(prefix + name, b"x", content_type=TEXT)
    listed = [row.key for row in store.list(prefix)]
    assert listed == sorted((prefix + name for name in names), key=str.encode)
    assert [row.key for row in store.list(prefix, start_after=listed[3])] == listed[4:]


def test_the_folders_right_below_a_prefix_are_named_once_and_in_order(store: Store, prefix: str) -> None:
    for name in ("2026/11/a", "2026/12/b", "2025/x", "가 나/+1/x", "loose", "20%25/a"):
        store.put(prefix + name, b"x", content_type=TEXT)
    assert list(store.folders(prefix)) == ["20%25", "2025", "2026", "가 나"]
    assert list(store.folders(f"{prefix}2026/")) == ["11", "12"]
    assert list(store.folders(f"{prefix}2027/")) == []


def test_a_listing_goes_on_page_after_page(
    server: S3Server, store: Store, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if server.pages_bucket is not None:
        listed = [row.key for row in server.store(bucket=server.pages_bucket).list("")]
        assert listed == [paged_name(number) for number in range(PAGED_KEYS)]
        return
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "3")
    expected = [prefix + paged_name(number) for number in range(7)]
    for key in expected:
        store.put(key, b"", content_type=TEXT)
    assert [row.key for row in store.list(prefix)] == expected


def test_a_stream_brings_headers_and_chunks(store: Store, prefix: str) -> None:
    data = bytes(range(250)) * 4000
    etag = store.put(f"{prefix}a", data, content_type="image/webp")
    with store.stream(f"{prefix}a") as stream:
        assert (stream.etag, stream.content_type) == (etag, "image/webp")
        assert stream.size_bytes == stream.total_bytes == len(data)
        assert stream.headers["content-length"] == str(len(data))
        chunks = [*stream]
    assert b"".join(chunks) == data
    assert len(chunks) > 1


@pytest.mark.parametrize(("first", "last"), [(0, 0), (10, 19), (90, 500)])
def test_a_stream_of_a_range_counts_both_ends(store: Store, prefix: str, first: int, last: int) -> None:
    data = bytes(range(100))
    store.put(f"{prefix}a", data, content_type=TEXT)
    with store.stream(f"{prefix}a", byte_range=(first, last)) as stream:
        assert b"".join(stream) == data[first : last + 1]
        assert (stream.size_bytes, stream.total_bytes) == (len(data[first : last + 1]), 100)


def test_a_range_behind_the_end_is_refused(store: Store, prefix: str) -> None:
    store.put(f"{prefix}a", b"short", content_type=TEXT)
    with pytest.raises(InputError, match="shorter"):
        store.stream(f"{prefix}a", byte_range=(100, 200))


@pytest.mark.parametrize(("server", "key"), HELD, ids=named, indirect=["server"])
def test_an_awkward_key_comes_back_as_it_went(store: Store, key: str) -> None:
    store.put(key, key.encode(), content_type=TEXT)
    assert store.get(key).data == key.encode()
    assert store.head(key).key == key
    assert key in [row.key for row in store.list("")]
    assert [row.key for row in store.list(key)] == [key]
    store.delete(key)
    assert key not in [row.key for row in store.list(key)]


@pytest.mark.parametrize(("server", "key"), REFUSED, ids=named, indirect=["server"])
def test_a_key_that_a_server_cannot_hold_is_refused(server: S3Server, store: Store, key: str, lacks: Lacks) -> None:
    with pytest.raises(StorageError):
        store.put(key, b"x", content_type=TEXT)
    with pytest.raises(StorageError):
        store.get(key)
    lacks(server, REFUSED_BY[server.name])


def test_rclone_takes_a_trailing_slash_for_nothing(rclone: S3Server, lacks: Lacks) -> None:
    store = rclone.store()
    store.put("trailing slash/", b"x", content_type=TEXT)
    assert [row.key for row in store.list("trailing slash")] == ["trailing slash"]
    store.delete("trailing slash/")
    assert not [*store.list("trailing slash")]
    lacks(rclone, "trailing slashes of keys, which it drops")


def test_two_forms_of_one_name_are_two_objects(store: Store, prefix: str) -> None:
    nfc, nfd = (prefix + unicodedata.normalize(form, "부감") for form in ("NFC", "NFD"))
    store.put(nfc, b"composed", content_type=TEXT)
    store.put(nfd, b"decomposed", content_type=TEXT)
    assert (store.get(nfc).data, store.get(nfd).data) == (b"composed", b"decomposed")
    assert {row.key for row in store.list(prefix)} == {nfc, nfd}


ANY_KEY = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60).filter(
    lambda key: len(key.encode()) <= 1000
)
ANY_PATH = st.lists(
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Cn", "Co", "Zl", "Zp"]), min_size=1, max_size=20),
    min_size=1,
    max_size=4,
).map("/".join)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_key_comes_back_as_it_went(server: S3Server, store: Store, data: st.DataObject) -> None:
    keys = ANY_PATH if server.name == "rclone" else ANY_KEY
    key = data.draw(keys.filter(lambda key: holds(server.name, key)))
    store.put(key, b"x", content_type=TEXT)
    assert store.get(key).data == b"x"
    assert [row.key for row in store.list(key)][:1] == [key]
    store.delete(key)
    with pytest.raises(NotFound):
        store.head(key)


@where_conditions_are_honoured
def test_conditions_are_honoured_and_the_probe_of_it_is_tidied_up(store: Store, prefix: str) -> None:
    assert store.honours_conditions(prefix)
    assert not [*store.list(prefix)]


def test_rclone_ignores_conditions_and_is_known_to(rclone: S3Server, prefix: str, lacks: Lacks) -> None:
    store = rclone.store()
    assert not store.honours_conditions(prefix)
    assert not [*store.list(prefix)]
    store.put(f"{prefix}a", b"theirs", content_type=TEXT)
    store.put(f"{prefix}a", b"ours", content_type=TEXT, create_only=True)
    assert store.get(f"{prefix}a").data == b"ours"
    lacks(rclone, "conditional writes, as honours_conditions says")


@where_conditions_are_honoured
def test_create_only_never_overwrites_and_shows_theirs(store: Store, prefix: str) -> None:
    store.put(f"{prefix}a", b"theirs", content_type=TEXT, create_only=True)
    with pytest.raises(WriteConflict) as caught:
        store.put(f"{prefix}a", b"ours", content_type=TEXT, create_only=True)
    assert (caught.value.key, caught.value.theirs) == (f"{prefix}a", b"theirs")
    assert store.get(f"{prefix}a").data == b"theirs"


@where_conditions_are_honoured
def test_create_only_conflicts_with_equal_bytes_too(store: Store, prefix: str) -> None:
    store.put(f"{prefix}a", b"same", content_type=TEXT, create_only=True)
    with pytest.raises(WriteConflict):
        store.put(f"{prefix}a", b"same", content_type=TEXT, create_only=True)


@where_conditions_are_honoured
def test_if_match_overwrites_only_what_was_read(store: Store, prefix: str) -> None:
    etag = store.put(f"{prefix}a", b"one", content_type=TEXT)
    store.put(f"{prefix}a", b"two", content_type=TEXT, if_match=etag)
    with pytest.raises(WriteConflict) as caught:
        store.put(f"{prefix}a", b"three", content_type=TEXT, if_match=etag)
    assert caught.value.theirs == b"two"
    assert store.get(f"{prefix}a").data == b"two"


@where_conditions_are_honoured
def test_if_match_on_a_removed_object_is_a_conflict(store: Store, prefix: str) -> None:
    with pytest.raises(WriteConflict) as caught:
        store.put(f"{prefix}gone", b"x", content_type=TEXT, if_match="0" * 32)
    assert caught.value.theirs is None


def test_many_threads_share_one_store(store: Store, prefix: str) -> None:
    def round_trip(number: int) -> bool:
        store.put(f"{prefix}{number}", b"%d" % number, content_type=TEXT)
        return store.get(f"{prefix}{number}").data == b"%d" % number

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(round_trip, range(48)))
    assert len([*store.list(prefix)]) == 48


def test_a_missing_bucket_is_named(server: S3Server) -> None:
    store = server.store(bucket="no-such-bucket")
    asks: list[Callable[[], Any]] = [
        store.check_bucket,
        lambda: [*store.list("")],
        lambda: store.get("a"),
        lambda: store.head("a"),
        lambda: store.put("a", b"x", content_type=TEXT),
    ]
    for ask in asks:
        with pytest.raises(StorageUnavailable, match="no-such-bucket"):
            ask()


def test_a_present_bucket_is_found(store: Store) -> None:
    store.check_bucket()


@where_access_keys_are_checked
def test_a_wrong_credential_is_denied(server: S3Server) -> None:
    with pytest.raises(StorageDenied):
        server.store(access_key="SOMEBODYELSE").get("a")
    with pytest.raises(StorageDenied):
        server.store(access_key="SOMEBODYELSE").check_bucket()


def test_plain_moto_lets_everybody_in(moto: S3Server, lacks: Lacks) -> None:
    moto.store(access_key="SOMEBODYELSE").check_bucket()
    lacks(moto, "a check of the access key")


def test_no_credentials_are_denied_without_asking_anybody(moto: S3Server) -> None:
    store = moto.store(access_key=None, secret_key=None)
    with pytest.raises(StorageDenied, match="No usable S3 credentials"):
        store.get("a")


@pytest.mark.parametrize("key", ["", "x" * 1025, "\ud800"])
def test_a_key_that_cannot_be_is_refused(embedded: S3Server, key: str) -> None:
    with pytest.raises(InputError, match="cannot be a key"):
        embedded.store().put(key, b"x", content_type=TEXT)


def test_nobody_listening_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    store = Store(Reach("b", f"http://127.0.0.1:{port}", "a", "b"), attempts=2)
    with pytest.raises(StorageUnavailable, match=str(port)) as caught:
        store.get("a")
    assert caught.value.__cause__ is not None


def test_a_server_that_never_answers_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        store = Store(Reach("b", url, "a", "b", read_timeout_s=0.2), attempts=2)
        started = time.monotonic()
        with pytest.raises(StorageUnavailable, match="in time"):
            store.get("a")
        assert time.monotonic() - started < LONG_S


def test_an_endpoint_that_is_no_address_is_a_setting_to_correct() -> None:
    with pytest.raises(ConfigError) as caught:
        Store(Reach("b", "not a url"))
    assert caught.value.setting == "S3_ENDPOINT_URL"


def test_loopback_is_never_asked_through_a_proxy(embedded: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    embedded.store().check_bucket()


def said(status: int, code: str) -> Answer:
    body = f"<Error><Code>{code}</Code><Message>m</Message></Error>".encode()
    return status, {"Content-Type": "application/xml"}, body


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (404, "NoSuchKey", NotFound),
        (404, "SomethingNew", NotFound),
        (404, "NoSuchBucket", StorageUnavailable),
        (403, "AccessDenied", StorageDenied),
        (403, "InvalidAccessKeyId", StorageDenied),
        (403, "SignatureDoesNotMatch", StorageDenied),
        (403, "SomethingNew", StorageDenied),
        (401, "Unauthorized", StorageDenied),
        (400, "ExpiredToken", StorageDenied),
        (400, "SomethingNew", StorageUnavailable),
        (416, "InvalidRange", InputError),
        (500, "InternalError", StorageUnavailable),
        (503, "SlowDown", StorageUnavailable),
        (507, "InternalError", StorageUnavailable),
    ],
)
def test_each_code_of_s3_becomes_one_of_our_errors(status: int, code: str, error: type[Exception]) -> None:
    with scripted_server(lambda _r, _b: said(status, code)) as server, pytest.raises(error) as caught:
        server.store(attempts=1).get("the key")
    assert type(caught.value) is error
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize(("status", "code"), [(412, "PreconditionFailed"), (409, "ConditionalRequestConflict")])
def test_a_lost_race_shows_theirs(status: int, code: str) -> None:
    headers = {"ETag": '"abc"', "Last-Modified": "Sun, 22 Nov 2026 10:00:00 GMT"}

    def script(request: BaseHTTPRequestHandler, _body: bytes) -> Answer:
        return said(status, code) if request.command == "PUT" else (200, headers, b"theirs")

    with scripted_server(script) as server, pytest.raises(WriteConflict) as caught:
        server.store(attempts=1).put("k", b"ours", content_type=TEXT, create_only=True)
    assert caught.value.theirs == b"theirs"


def test_a_conditional_write_whose_answer_was_lost_recognises_itself() -> None:
    written: dict[str, str] = {}

    def script(request: BaseHTTPRequestHandler, _body: bytes) -> Answer | None:
        if request.command == "PUT" and not written:
            written["claim"] = request.headers["x-amz-meta-write-claim"]
            return None
        if request.command == "PUT":
            return said(412, "PreconditionFailed")
        headers = {"ETag": '"abc"', "x-amz-meta-write-claim": written["claim"]}
        return 200, headers | {"Last-Modified": "Sun, 22 Nov 2026 10:00:00 GMT"}, b"ours"

    with scripted_server(script) as server:
        assert server.store().put("k", b"ours", content_type=TEXT, create_only=True) == "abc"


def test_an_answer_that_is_not_s3s_is_unavailable() -> None:
    with (
        scripted_server(lambda _request, _body: (200, {}, b"<html><p>Welcome to the hotel wifi")) as server,
        pytest.raises(StorageUnavailable),
    ):
        list(server.store(attempts=1).list(""))


def test_a_body_that_breaks_off_is_unavailable() -> None:
    headers = {"ETag": '"a"', "Last-Modified": "Sun, 22 Nov 2026 10:00:00 GMT", "Content-Length": "1000"}
    with scripted_server(lambda _request, _body: (200, headers, b"the beginn")) as server:
        store = server.store(attempts=1)
        with pytest.raises(StorageUnavailable, match="broke off"):
            store.get("a")
        with store.stream("a") as stream, pytest.raises(StorageUnavailable, match="broke off"):
            list(stream)


def test_a_fault_that_passes_is_tried_again() -> None:
    faults = [said(503, "SlowDown")]
    headers = {"ETag": '"a"', "Last-Modified": "Sun, 22 Nov 2026 10:00:00 GMT"}
    with scripted_server(lambda _request, _body: faults.pop() if faults else (200, headers, b"x")) as server:
        assert server.store().get("a").data == b"x"


def test_a_server_that_knows_no_conditions_does_not_honour_them() -> None:
    def script(request: BaseHTTPRequestHandler, _body: bytes) -> Answer:
        asks = request.headers["If-None-Match"] or request.headers["If-Match"]
        return said(501, "NotImplemented") if asks else (200, {"ETag": '"a"'}, b"")

    with scripted_server(script) as server:
        assert server.store(attempts=1).honours_conditions("studio/") is False


def test_every_storage_error_speaks_one_sentence(moto: S3Server) -> None:
    with pytest.raises(StorageError) as caught:
        moto.store(bucket="no-such-bucket").get("a")
    assert caught.value.message == f"The bucket “no-such-bucket” does not exist at {moto.endpoint_url}."
