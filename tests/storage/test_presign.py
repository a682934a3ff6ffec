"""Presigned addresses: boto3's own signature, one URL a quarter of an hour, and real fetches."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.config import Config
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError, StorageDenied
from core.storage.client import Reach
from core.storage.presign import VALID_S, WINDOW_S, Presigner, survives_browsers
from core.storage.s3 import Store
from tests.support.s3.plain_client import plain_client
from tests.support.s3.servers import S3Server
from tests.support.timeouts import LONG_S

START = 1_795_346_100  # 2026-11-22 11:15:00 UTC, the start of a window
AWKWARD = [
    "plain.jpg",
    "01. Model/awkward (1), a+b [c]/각 e\u0301 05.jpg",
    "100%25 off/a b  c.jpg",
    "double//slash//x.jpg",
    "/leading.jpg",
    " spaces at both ends ",
    "emoji 🙂/control\u0001.jpg",
    'quote\'s "and" <angle>/x;y?a=b&c#d.jpg',
    "tilde~under_score-dot.and*star!$&'@:,=^`{|}\\.jpg",
    "k" * 1024,
]
CLIMBING = ["a/../b.jpg", "./a.jpg", "a/.", "..", "a/./b.jpg"]
NAME = "attachment; filename=\"a_.jpg\"; filename*=UTF-8''%EA%B0%81%20%22a%3Bb.jpg"
PLACES: dict[str, dict[str, Any]] = {
    "custom endpoint": {"endpoint_url": "http://127.0.0.1:9000"},
    "default port": {"endpoint_url": "http://minio.example:80"},
    "endpoint with a path": {"endpoint_url": "https://gateway.example:8443/s3"},
    "AWS, first region": {"region": "us-east-1"},
    "AWS": {"region": "eu-central-1"},
    "AWS, opt-in region": {"region": "af-south-1"},
    "AWS, another partition": {"region": "cn-north-1"},
    "AWS, dots in the bucket": {"region": "eu-west-1", "bucket": "pictures.studio.example"},
}


def store_at(**place: Any) -> Store:
    asked: dict[str, Any] = {"bucket": "studio-test", "access_key": "AKID/TEST+", "secret_key": "secret/+"}
    return Store(Reach(**(asked | place)))


def parts(url: str) -> tuple[str, dict[str, list[str]]]:
    address, _, query = url.partition("?")
    return address, parse_qs(query, keep_blank_values=True, strict_parsing=True)


@cache
def boto3_client(place_name: str) -> Any:
    """boto3's own client; told to be “virtual”, it keeps to the region, as all its other calls do."""
    place = PLACES[place_name]
    return plain_client(
        endpoint_url=place.get("endpoint_url"),
        aws_access_key_id="AKID/TEST+",
        aws_secret_access_key="secret/+",
        region_name=place.get("region", "us-east-1"),
        config=Config(
            signature_version="s3v4", s3={"addressing_style": "path" if "endpoint_url" in place else "virtual"}
        ),
    )


def by_boto3(key: str, place_name: str, **overrides: str) -> str:
    """boto3's own URL."""
    params = {"Bucket": PLACES[place_name].get("bucket", "studio-test"), "Key": key, **overrides}
    url: str = boto3_client(place_name).generate_presigned_url("get_object", Params=params, ExpiresIn=VALID_S)
    return url


@pytest.fixture
def at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore signs at the instant at which our window begins."""
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: datetime.fromtimestamp(START, UTC))


def presigner(store: Store, after_s: float = 0) -> Presigner:
    return Presigner(store, clock=lambda: START + after_s)


@pytest.mark.usefixtures("at_the_start")
@pytest.mark.parametrize("place", PLACES)
def test_the_url_is_the_one_that_boto3_would_make_at_that_instant(place: str) -> None:
    ours = presigner(store_at(**PLACES[place]), 600)
    for key in (*AWKWARD, *CLIMBING):
        assert parts(ours.url(key).url) == parts(by_boto3(key, place))
    told = ours.url("a b.jpg", content_type="image/jpeg", disposition=NAME).url
    overrides = {"ResponseContentType": "image/jpeg", "ResponseContentDisposition": NAME}
    assert parts(told) == parts(by_boto3("a b.jpg", place, **overrides))


@pytest.mark.parametrize("place", PLACES)
def test_the_bucket_is_where_the_stores_own_requests_go(place: str) -> None:
    store = store_at(**PLACES[place])

    class AskedError(Exception):
        """Carries the request's address instead of sending it."""

    def stop(request: Any, **_event: object) -> None:
        raise AskedError(request.url)

    store.client.s3.meta.events.register("request-created.s3.GetObject", stop)
    with pytest.raises(AskedError) as asked:
        store.get("a b/c.jpg")
    assert parts(presigner(store).url("a b/c.jpg").url)[0] == str(asked.value)


@pytest.mark.parametrize("place", PLACES)
def test_the_origin_that_pages_are_told_is_that_of_every_url(place: str) -> None:
    ours = presigner(store_at(**PLACES[place]))
    assert ours.url("a folder/k.jpg").url.startswith(f"{ours.origin}/")
    assert ours.origin.count("/") == 2


@pytest.mark.usefixtures("at_the_start")
def test_a_session_token_goes_along(monkeypatch: pytest.MonkeyPatch) -> None:
    account = {"AWS_ACCESS_KEY_ID": "ASIA", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "to/ken+=="}
    for name, value in account.items():
        monkeypatch.setenv(name, value)
    store = Store(Reach("studio-test", "http://127.0.0.1:9000"))
    params = {"Bucket": "studio-test", "Key": "k.jpg"}
    theirs = store.client.s3.generate_presigned_url("get_object", Params=params, ExpiresIn=VALID_S)
    ours = presigner(store).url("k.jpg").url
    assert parts(ours) == parts(theirs)
    assert parts(ours)[1]["X-Amz-Security-Token"] == ["to/ken+=="]


@settings(max_examples=60, deadline=None)
@given(key=st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=60))
def test_a_url_always_holds_exactly_its_key_and_nothing_that_must_be_escaped(key: str) -> None:
    url = SHARED.url(key, disposition=key).url
    assert re.fullmatch(r"[A-Za-z0-9/:?&=%._~-]+", url)
    raw = url.partition("?")[0].removeprefix("http://127.0.0.1:9000/studio-test/")
    assert re.sub(r"(?:%[0-9A-F]{2})+", lambda found: bytes.fromhex(found[0].replace("%", "")).decode(), raw) == key
    assert parts(url)[1]["response-content-disposition"] == [key]


SHARED = presigner(store_at(endpoint_url="http://127.0.0.1:9000"))


def test_a_url_stays_the_same_for_a_quarter_of_an_hour_and_then_changes() -> None:
    store = store_at(endpoint_url="http://127.0.0.1:9000")
    now = [float(START)]
    ours = Presigner(store, clock=lambda: now[0])
    seen = []
    for after_s in (0, 1.5, WINDOW_S - 0.5, WINDOW_S, 2 * WINDOW_S - 1):
        now[0] = START + after_s
        seen.append(ours.url("k.jpg"))
    assert len({each.url for each in seen[:3]}) == len({each.url for each in seen[3:]}) == 1
    assert seen[2].url != seen[3].url
    assert [each.stable_s for each in seen] == [WINDOW_S, WINDOW_S - 1.5, 0.5, WINDOW_S, 1]


def test_a_url_handed_out_at_the_end_of_its_window_still_works_for_a_while() -> None:
    query = parts(presigner(store_at(region="eu-central-1"), WINDOW_S - 1).url("k.jpg").url)[1]
    signed = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    assert signed == START
    assert signed + int(query["X-Amz-Expires"][0]) >= START + WINDOW_S + 30 * 60


def test_botocore_is_asked_once_a_window_and_not_for_every_url() -> None:
    store = store_at(endpoint_url="http://127.0.0.1:9000")
    asked = []
    store.client.s3.meta.events.register("before-parameter-build.s3.GetObject", lambda **_event: asked.append(1))
    ours = presigner(store)
    for number in range(20):
        ours.url(f"{number}.jpg")
    assert len(asked) == 1


def test_credentials_that_were_renewed_sign_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def issue(access_key: str) -> None:
        ends = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()  # so near that botocore asks again
        account = {"AccessKeyId": access_key, "SecretAccessKey": "s", "SessionToken": "t", "Expiration": ends}
        (tmp_path / "account.json").write_text(json.dumps({"Version": 1, **account}))

    (tmp_path / "config").write_text(f"[default]\ncredential_process = cat {tmp_path / 'account.json'}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    issue("FIRST")
    ours = presigner(Store(Reach("studio-test", "http://127.0.0.1:9000")))
    before = ours.url("k.jpg").url
    issue("SECOND")
    after = ours.url("k.jpg").url
    assert [parts(url)[1]["X-Amz-Credential"][0].split("/")[0] for url in (before, after)] == ["FIRST", "SECOND"]


def test_without_credentials_it_says_so() -> None:
    with pytest.raises(StorageDenied, match="No usable S3 credentials"):
        presigner(Store(Reach("studio-test", "http://127.0.0.1:9000"))).url("k.jpg")


@pytest.mark.parametrize("key", ["", "half \ud800"])
def test_what_cannot_be_a_key_gets_no_url(key: str) -> None:
    with pytest.raises(InputError):
        SHARED.url(key)


@pytest.mark.parametrize("key", AWKWARD)
def test_every_other_key_survives_a_browser(key: str) -> None:
    assert survives_browsers(key)


@pytest.mark.parametrize("key", CLIMBING)
def test_a_key_that_climbs_does_not_survive_a_browser(key: str) -> None:
    assert not survives_browsers(key)


def fetched(url: str) -> tuple[int, HTTPMessage, bytes]:
    """A plain GET of exactly this address."""
    asked = urlsplit(url)
    connection = HTTPConnection(asked.netloc, timeout=LONG_S)
    connection.request("GET", f"{asked.path}?{asked.query}")
    with connection.getresponse() as answer:
        found = answer.status, answer.msg, answer.read()
    connection.close()
    return found


def test_a_fetch_brings_the_object_as_it_was_asked_for(
    server: S3Server, store: Store, prefix: str, lacks: Callable[[S3Server, str], None]
) -> None:
    keys = [f"{prefix}{key}" for key in (*AWKWARD[:3], "emoji 🙂.jpg")]
    if server.name != "rclone":  # its keys are files
        keys += [f"{prefix}{key}" for key in AWKWARD[3:-1]] + AWKWARD[-1:]
    ours = Presigner(store)
    for key in keys:
        store.put(key, key.encode(), content_type="text/html")
        status, headers, body = fetched(ours.url(key, content_type="image/jpeg", disposition=NAME).url)
        assert (status, body) == (200, key.encode())
        if server.name == "rclone" and headers["Content-Disposition"] is None:
            lacks(server, "names and types that a presigned URL asks for")
            continue
        assert headers["Content-Type"] == "image/jpeg"
        assert headers["Content-Disposition"] == NAME


def test_a_url_whose_time_is_over_is_refused(embedded: S3Server) -> None:
    store = embedded.store()
    store.put("old.jpg", b"x", content_type="image/jpeg")
    assert fetched(Presigner(store).url("old.jpg").url)[0] == 200
    assert fetched(presigner(store, -VALID_S * 24 * 400).url("old.jpg").url)[0] == 403


def test_a_server_that_recomputes_signatures_accepts_ours_and_no_other(rclone: S3Server) -> None:
    store = rclone.store()
    store.put("signed.jpg", b"x", content_type="image/jpeg")
    url = Presigner(store).url("signed.jpg").url
    assert fetched(url)[0] == 200
    forged = url[:-1] + ("1" if url[-1] == "0" else "0")
    assert fetched(forged)[0] == fetched(url.replace("X-Amz-Expires=3600", "X-Amz-Expires=9999"))[0] == 403
