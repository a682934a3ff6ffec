"""The routes beside Streamlit's, on the real server: pictures, downloads, health, refusals, the end."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import re
import signal
import unicodedata
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote
from xml.etree import ElementTree as ET
from zipfile import ZipFile

import httpx
import pytest
from botocore.config import Config
from PIL import Image
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnected
from ulid import ULID

from core.generation.records.attempt import AttemptId
from core.generation.records.comparison import SideTake
from core.generation.records.outcome import Outcome, StoredPicture
from core.references.key import decode_key, encode_key
from core.storage.embedded.server import EmbeddedS3
from core.web.http.addresses import ORIGINAL, comparison_zip_url, image_url, partial_url
from core.web.http.requests import Requests
from tests.generation.comparisons import TONE_ONLY, comparison
from tests.support.processes.programs import ROOT, TRUSTS_NOBODY
from tests.support.processes.servers import Server, serving
from tests.support.s3.moto_server import moto_server
from tests.support.s3.plain_client import plain_client
from tests.support.timeouts import LONG_S

KOREAN = unicodedata.normalize("NFD", "로우앵글 사진")
CLIMBING = "refs/double//slash/and..dots/../up.jpg"
AWKWARD = [
    f"refs/01. Model/awkward (1), a+b [c]/{KOREAN} 05.jpg",
    "refs/100%25 off/a b  c.jpg",
    CLIMBING,
    "refs/emoji 🙂/control\u0001.jpg",
    'refs/quote\'s "and" <angle>/x;y.jpg',
    f"refs/{'long/' * 150}end.jpg",
]
COMPARISON = "01KAM8K4T0YZ7C4D0Q7H7P3N5E"  # a made-up one; ids of tests are the same in every worker
MADE = f"studio/generations/2026/11/22/{COMPARISON}/tone-only-1.png"
PRODUCTION = {
    "S3_BUCKET": "studio-test",
    "GOOGLE_CLIENT_ID": "id",
    "GOOGLE_CLIENT_SECRET": "secret",
    "PUBLIC_URL": "https://studio.example",
    "SESSION_SECRET": "x" * 40,
    "ALLOWED_DOMAINS": "studio.example",
    "AWS_ACCESS_KEY_ID": "AKIDTEST",
    "AWS_SECRET_ACCESS_KEY": "secret",
}


def photo(colour: str = "#607080", size: tuple[int, int] = (640, 480)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG", quality=90)
    return out.getvalue()


PHOTO = photo()
BROKEN = {
    "refs/broken/<b>cut</b> & off.jpg": PHOTO[: len(PHOTO) // 2],
    "refs/broken/page.jpg": b"<!doctype html><script>alert(1)</script>",
    "refs/broken/empty.jpg": b"",
    "refs/broken/bell\u0007.png": b"\x89PNG\r\n\x1a\n then nothing",
    "refs/broken/phone.heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
}
PRIVATE = {
    "studio/reviews/2026.json": b'{"secret": true}',
    "studio/access.json": b"{}",
    "studio/generations/2026/11/22/loose.png": PHOTO,
    f"{MADE.rsplit('/', 1)[0]}/comparison.json": b"{}",
    f"{MADE.rsplit('/', 1)[0]}/notes.png": PHOTO,
    "studio/thumbs/320/ab/abc.webp": b"",
    "elsewhere/photo.jpg": PHOTO,
}


TAKEN = "01KAM8K4T0YZ7C4D0Q7H7P3N5F"  # a comparison of two takes, of which one picture was not made


def taken() -> dict[str, bytes]:
    """The objects of that comparison, each picture another."""
    record = comparison(id=TAKEN, takes=2)
    folder = f"studio/generations/{ULID.from_str(TAKEN).datetime:%Y/%m/%d}/{TAKEN}/"
    objects = {f"{folder}comparison.json": record.model_dump_json().encode()}
    began = record.created_at
    for number, (side, take) in enumerate(record.side_takes[:3]):
        of, data = AttemptId(TAKEN, side, 1, take), PHOTO + bytes([number])
        picture = StoredPicture(key=f"{folder}{of.file}.png", etag="", content_type="image/png", size=record.size)
        outcome = Outcome.done(of, picture, began=began, ended=began)
        objects |= {picture.key: data, f"{folder}{of.file}.json": outcome.model_dump_json().encode()}
    return objects


def bucket_at(endpoint_url: str, access_key: str, secret_key: str) -> Any:
    return plain_client(
        endpoint_url=endpoint_url,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required"),
    )


class Library:
    """The running dashboard and the etag of everything that was put into its bucket."""

    def __init__(self, server: Server, etags: dict[str, str]) -> None:
        self.server, self.etags = server, etags
        self.client = httpx.Client(base_url=server.url, timeout=LONG_S, verify=TRUSTS_NOBODY)

    def url(self, key: str, size: int | str = ORIGINAL, *, download_as: str = "") -> str:
        return image_url(key, self.etags[key], size, download_as=download_as)

    def get(self, key: str, size: int | str = ORIGINAL, **headers: str) -> httpx.Response:
        return self.client.get(self.url(key, size), headers=headers)


@contextmanager
def stocked(folder: Path, **environment: str) -> Iterator[Library]:
    """A running dashboard with every kind of object in its bucket."""
    with serving(folder, {"INDEX_REFRESH_S": "0.3", **environment}, forked=True) as server:
        server.ready()
        where = json.loads((server.data_dir / "s3.endpoint.json").read_text())
        account = json.loads((server.data_dir / "s3.credentials.json").read_text())
        s3 = bucket_at(where["endpoint_url"], account["access_key"], account["secret_key"])
        (bucket,) = [found["Name"] for found in s3.list_buckets()["Buckets"]]
        objects = {**dict.fromkeys(AWKWARD, PHOTO), MADE: PHOTO, **BROKEN, **PRIVATE, **taken()}
        etags = {
            key: s3.put_object(Bucket=bucket, Key=key, Body=data)["ETag"].strip('"') for key, data in objects.items()
        }
        served = Library(server, etags)
        for key in (*AWKWARD, *BROKEN):
            server.answers(server.url + served.url(key, 320))
        yield served
        served.client.close()


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with stocked(tmp_path_factory.mktemp("web")) as served:
        yield served


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """The same, with originals straight from S3."""
    with stocked(tmp_path_factory.mktemp("web"), IMAGE_DELIVERY="presigned") as served:
        yield served


def same_refusal(answer: httpx.Response) -> bool:
    return (answer.status_code, answer.text, answer.headers["Cache-Control"]) == (
        404,
        "There is no such picture.",
        "no-store",
    )


def test_health_is_our_json_and_not_streamlits_page(library: Library) -> None:
    answer = library.client.get("/healthz")
    assert answer.json() == {"status": "ok"}
    assert answer.headers["Cache-Control"] == "no-store"


def test_readiness_says_how_old_the_index_is(library: Library) -> None:
    body = library.client.get("/readyz").json()
    assert (body["ready"], body["reasons"]) == (True, [])
    assert 0 <= body["index_age_s"] < 60


@pytest.mark.parametrize("key", AWKWARD, ids=range(len(AWKWARD)))
@pytest.mark.parametrize("size", [320, 960, ORIGINAL])
def test_every_awkward_key_is_served_in_every_size(library: Library, key: str, size: int | str) -> None:
    answer = library.get(key, size)
    assert answer.status_code == 200
    picture = Image.open(io.BytesIO(answer.content))
    expected = {320: ("WEBP", (320, 240)), 960: ("WEBP", (640, 480)), ORIGINAL: ("JPEG", (640, 480))}
    assert (picture.format, picture.size) == expected[size]
    assert answer.headers["Content-Type"] == f"image/{(picture.format or '').lower()}"
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "Content-Disposition" not in answer.headers


def test_an_original_is_served_byte_for_byte_and_never_compressed_again(library: Library) -> None:
    answer = library.get(AWKWARD[0], **{"Accept-Encoding": "gzip"})
    assert answer.content == PHOTO
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["Content-Length"] == str(len(PHOTO))


def test_a_picture_that_was_made_here_is_served(library: Library) -> None:
    assert library.get(MADE).content == PHOTO
    assert library.get(MADE, 320).headers["Content-Type"] == "image/webp"


@pytest.mark.parametrize("size", [320, ORIGINAL])
def test_what_the_browser_already_has_is_not_sent_again(library: Library, size: int | str) -> None:
    first = library.get(AWKWARD[0], size)
    for asked in (first.headers["ETag"], f'"other", W/{first.headers["ETag"]}', "*"):
        again = library.get(AWKWARD[0], size, **{"If-None-Match": asked})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
        assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
    assert library.get(AWKWARD[0], size, **{"If-None-Match": '"other"'}).status_code == 200


def test_each_size_has_an_entity_tag_of_its_own(library: Library) -> None:
    assert len({library.get(AWKWARD[0], size).headers["ETag"] for size in (320, 960, ORIGINAL)}) == 3


@pytest.mark.parametrize("size", [320, ORIGINAL])
def test_head_tells_what_get_would_and_sends_nothing(library: Library, size: int | str) -> None:
    got, head = library.get(AWKWARD[0], size), library.client.head(library.url(AWKWARD[0], size))
    assert head.status_code == 200
    assert head.content == b""
    for name in ("Content-Type", "Content-Length", "ETag", "Cache-Control"):
        assert head.headers[name] == got.headers[name]


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-9", 0, 9),
        ("bytes=100-299", 100, 299),
        ("bytes=100-", 100, len(PHOTO) - 1),
        ("bytes=-50", len(PHOTO) - 50, len(PHOTO) - 1),
        ("bytes=-99999999", 0, len(PHOTO) - 1),
        ("bytes=10-99999999", 10, len(PHOTO) - 1),
    ],
)
def test_a_range_of_an_original_is_sent_alone(library: Library, asked: str, first: int, last: int) -> None:
    answer = library.get(AWKWARD[0], Range=asked)
    assert answer.status_code == 206
    assert answer.content == PHOTO[first : last + 1]
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(PHOTO)}"
    assert answer.headers["Content-Length"] == str(last - first + 1)
    assert answer.headers["Content-Type"] == "image/jpeg"


@pytest.mark.parametrize("asked", [f"bytes={len(PHOTO)}-", "bytes=99999999-", "bytes=-0"])
def test_a_range_behind_the_end_is_refused_with_the_length(library: Library, asked: str) -> None:
    answer = library.get(AWKWARD[0], Range=asked)
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(PHOTO)}"


@pytest.mark.parametrize("asked", ["bytes=", "bytes=-", "bytes=9-3", "bytes=0-1,4-5", "lines=1-2", "bytes=a-b", "0-5"])
def test_what_is_no_single_range_gets_the_whole(library: Library, asked: str) -> None:
    answer = library.get(AWKWARD[0], Range=asked)
    assert (answer.status_code, answer.content) == (200, PHOTO)
    assert answer.headers["Accept-Ranges"] == "bytes"


def test_a_range_of_another_version_gets_the_whole(library: Library) -> None:
    tag = library.get(AWKWARD[0]).headers["ETag"]
    assert library.get(AWKWARD[0], Range="bytes=0-4", **{"If-Range": tag}).status_code == 206
    assert library.get(AWKWARD[0], Range="bytes=0-4", **{"If-Range": '"old"'}).content == PHOTO


@pytest.mark.parametrize(
    "name", ["앵글 (최종).png", "a;b\"c'd\\e%41.jpg", "line\r\nbreak.png", "🙂.jpg", f"{KOREAN}.png"]
)
def test_a_download_carries_its_name_for_old_and_new_browsers(library: Library, name: str) -> None:
    answer = library.client.get(library.url(AWKWARD[0], download_as=name))
    told = re.fullmatch(
        r"attachment; filename=\"([ -~]*)\"; filename\*=UTF-8''(\S+)", answer.headers["Content-Disposition"]
    )
    assert told is not None
    assert '"' not in told[1]
    assert unquote(told[2]) == name
    assert answer.content == PHOTO
    assert answer.headers["Content-Type"] == "image/jpeg"


def test_a_download_without_a_name_has_the_keys(library: Library) -> None:
    answer = library.client.get(f"{library.url(AWKWARD[0])}?download=")
    assert answer.headers["Content-Disposition"].endswith(quote(f"{KOREAN} 05.jpg", safe=""))


@pytest.mark.parametrize("key", BROKEN, ids=range(len(BROKEN)))
@pytest.mark.parametrize("size", [320, 960])
def test_what_cannot_be_read_becomes_a_tile_with_its_name_and_the_reason(library: Library, key: str, size: int) -> None:
    answer = library.get(key, size)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("image/svg+xml")
    assert answer.headers["Cache-Control"] == "private, max-age=300"
    tile = ET.fromstring(answer.text)  # noqa: S314 - our own answer; well-formed whatever the name holds
    words = " ".join("".join(text.itertext()) for text in tile.iter("{http://www.w3.org/2000/svg}text"))
    assert words.startswith(key.rsplit("/", 1)[-1].replace("\u0007", "\ufffd"))
    assert re.search(r"damaged|no picture|empty|HEIC is not supported", words)


def test_a_page_named_like_a_picture_is_never_shown_as_a_page(library: Library) -> None:
    answer = library.get("refs/broken/page.jpg")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_an_empty_file_can_be_downloaded_as_one(library: Library) -> None:
    answer = library.get("refs/broken/empty.jpg")
    assert (answer.status_code, answer.content) == (200, b"")
    assert library.get("refs/broken/empty.jpg", Range="bytes=0-4").status_code == 416


@pytest.mark.parametrize("key", PRIVATE)
@pytest.mark.parametrize("size", [320, ORIGINAL])
def test_nothing_else_in_the_bucket_is_served(library: Library, key: str, size: int | str) -> None:
    assert same_refusal(library.get(key, size))


@pytest.mark.parametrize("size", [320, ORIGINAL])
def test_a_key_with_another_pictures_etag_is_refused(library: Library, size: int | str) -> None:
    foreign = library.etags["refs/broken/page.jpg"]
    for key in (AWKWARD[0], MADE):
        library.get(key, size)
        assert same_refusal(library.client.get(image_url(key, foreign, size)))
        assert same_refusal(library.client.get(image_url(key, "0" * 32, size)))


@pytest.mark.parametrize(
    "path",
    [
        f"/image/321/{{etag}}/{encode_key(AWKWARD[0])}",
        f"/image/0320/{{etag}}/{encode_key(AWKWARD[0])}",
        f"/image/-320/{{etag}}/{encode_key(AWKWARD[0])}",
        f"/image/٣٢٠/{{etag}}/{encode_key(AWKWARD[0])}",
        f"/image/ORIGINAL/{{etag}}/{encode_key(AWKWARD[0])}",
        f"/image/original/{{etag}}/{encode_key(AWKWARD[0])}=",
        f"/image/original/{{etag}}/{encode_key('refs/missing.jpg')}",
        f"/image/original/{{etag}}/{encode_key('../../../etc/passwd')}",
        f"/image/original/{{etag}}/{encode_key('/etc/passwd')}",
        f"/image/original/{{etag}}/{encode_key('')}x",
        f"/image/original/{{etag}}/{encode_key('k' * 1500)}",
        "/image/original/{etag}/not-base64!",
        "/image/original/{etag}/",
        "/image/original/{etag}",
        "/image/",
        "/partial/x/tone-only",
        f"/partial/{TAKEN}/tone-only?take=3",
        f"/partial/{TAKEN}/tone-angle?take=2",
        f"/partial/{TAKEN}/tone-angle?take=x",
        f"/partial/{TAKEN}/a",
        f"/originals/{COMPARISON}",
        "/originals/..x",
        f"/partial/{COMPARISON}/tone-only",
        f"/partial/{COMPARISON}/other-side",
        "/partial/",
    ],
)
def test_whatever_is_no_picture_gets_the_same_answer(library: Library, path: str) -> None:
    raw = path.format(etag=library.etags[AWKWARD[0]])
    url = httpx.URL(library.server.url).copy_with(raw_path=quote(raw, safe="/%!=").encode())
    assert same_refusal(library.client.send(httpx.Request("GET", url)))


@pytest.mark.parametrize(
    "path",
    [
        "/image/320/%2E%2E/x",
        "/image/320/..%2f..%2fapp.py/x",
        "/image/original/x/%00",
        "/image/original/x/..%2f..%2f..%2fetc%2fpasswd",
        "/image/original/x/../../../app.py",
        "/image/..%5c..%5capp.py/x/y",
        "/partial/..%2f..%2fapp.py",
    ],
)
def test_a_path_that_climbs_is_turned_away_before_any_route(library: Library, path: str) -> None:
    with closing(HTTPConnection("127.0.0.1", library.server.port, timeout=LONG_S)) as raw:
        raw.request("GET", path)  # as it stands: httpx would take the dots out first
        answer = raw.getresponse()
        assert (answer.status, answer.read()) == (400, b"Bad Request")


@pytest.mark.parametrize("key", [key for key in (*AWKWARD, MADE) if key != CLIMBING])
def test_a_presigned_original_comes_straight_from_s3(direct: Library, key: str) -> None:
    answer = direct.get(key)
    assert (answer.status_code, answer.content) == (302, b"")
    assert not answer.headers["Location"].startswith(direct.server.url)
    picture = httpx.get(answer.headers["Location"], verify=TRUSTS_NOBODY)
    assert (picture.status_code, picture.content) == (200, PHOTO)
    assert picture.headers["Content-Type"] == ("image/png" if key == MADE else "image/jpeg")
    assert picture.headers["Content-Disposition"] == "inline"


def test_a_redirect_is_kept_for_less_than_its_url_is_handed_out(direct: Library) -> None:
    # a request may meet the end of a quarter of an hour; the next cannot
    answers = [direct.get(AWKWARD[0]) for _ in range(3)]
    first, second = next(pair for pair in pairwise(answers) if len({each.headers["Location"] for each in pair}) == 1)
    for answer in (first, second):
        told = re.fullmatch(r"private, max-age=(\d+)", answer.headers["Cache-Control"])
        dated = re.search(r"X-Amz-Date=(\w+)&", answer.headers["Location"])
        assert told is not None
        assert dated is not None
        start = datetime.strptime(dated[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        answered = parsedate_to_datetime(answer.headers["Date"])
        assert answered + timedelta(seconds=int(told[1])) < start + timedelta(minutes=15)
        assert "ETag" not in answer.headers


def test_a_thumbnail_never_leaves_for_s3(direct: Library) -> None:
    for size in (320, 960):
        answer = direct.get(AWKWARD[0], size)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/webp")


@pytest.mark.parametrize("name", ["앵글 (최종).png", "a;b\"c'd\\e%41.jpg", "line\r\nbreak.png", ""])
def test_a_presigned_download_carries_its_name(direct: Library, name: str) -> None:
    redirect = direct.client.get(f"{direct.url(AWKWARD[0])}?download={quote(name, safe='')}")
    answer = httpx.get(redirect.headers["Location"], verify=TRUSTS_NOBODY)
    told = re.fullmatch(
        r"attachment; filename=\"([ -~]*)\"; filename\*=UTF-8''(\S+)", answer.headers["Content-Disposition"]
    )
    assert told is not None
    assert unquote(told[2]) == (name or f"{KOREAN} 05.jpg")
    assert answer.content == PHOTO


def test_what_browsers_do_not_draw_is_presigned_as_a_file(direct: Library) -> None:
    answer = httpx.get(direct.get("refs/broken/phone.heic").headers["Location"], verify=TRUSTS_NOBODY)
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_a_page_named_like_a_picture_comes_from_s3_as_a_picture(direct: Library) -> None:
    answer = httpx.get(direct.get("refs/broken/page.jpg").headers["Location"], verify=TRUSTS_NOBODY)
    assert answer.headers["Content-Type"] == "image/jpeg"


@pytest.mark.parametrize("key", PRIVATE)
def test_nothing_else_in_the_bucket_is_ever_signed(direct: Library, key: str) -> None:
    assert same_refusal(direct.get(key))


def test_another_etag_is_never_signed(direct: Library) -> None:
    for etag in (direct.etags["refs/broken/page.jpg"], "0" * 32):
        for key in (AWKWARD[0], MADE):
            assert same_refusal(direct.client.get(image_url(key, etag, ORIGINAL)))


def test_what_a_redirect_would_break_comes_through_us(direct: Library) -> None:
    climbing = direct.get(CLIMBING)  # a browser would resolve the dots
    assert (climbing.status_code, climbing.content) == (200, PHOTO)
    named = direct.client.get(direct.url(AWKWARD[0], download_as="각" * 400))  # too long for a proxy's header buffer
    assert (named.status_code, named.content) == (200, PHOTO)
    assert direct.client.head(direct.url(AWKWARD[0])).status_code == 200  # a URL is signed for GET alone


def test_what_the_browser_already_has_is_not_fetched_from_s3_again(direct: Library) -> None:
    tag = f'"{direct.etags[AWKWARD[0]]}"'
    assert direct.get(AWKWARD[0], **{"If-None-Match": tag}).status_code == 304


def test_the_generate_page_is_at_the_root_and_keeps_its_query(library: Library) -> None:
    answer = library.client.get("/generate?recall=%EC%95%B5&x=1%2B1")
    assert answer.status_code == 307
    assert answer.headers["Location"] == "/?recall=%EC%95%B5&x=1%2B1"
    assert library.client.get("/generate").headers["Location"] == "/"
    page = library.client.get("/generate", follow_redirects=True)
    assert page.text == library.client.get("/").text
    assert "<title>" in page.text


def test_the_other_pages_are_still_streamlits(library: Library) -> None:
    for path in ("/", "/references", "/labels", "/history"):
        assert '<div id="root">' in library.client.get(path).text
    assert library.client.get("/_stcore/health").status_code == 200


def test_when_s3_fails_the_routes_say_so_and_what_is_known_stays_known(tmp_path: Path) -> None:
    owner = EmbeddedS3.open(tmp_path / "data", ROOT / "samples" / "refs")  # the server below borrows it
    try:
        key = "refs/02. Tone/noir/desk.jpg"
        etag = hashlib.md5((ROOT / "samples" / key).read_bytes(), usedforsecurity=False).hexdigest()
        with serving(tmp_path, {"INDEX_REFRESH_S": "0.2"}, forked=True) as server:
            server.ready()
            server.answers(server.url + image_url(key, etag))
            owner.close()
            for url in (image_url(key, etag), image_url(key, etag, 960), image_url(key, etag, ORIGINAL)):
                answer = server.answers(server.url + url, 503)
                assert answer.headers["Cache-Control"] == "no-store"
                assert answer.headers["Content-Type"].startswith("text/plain")
                assert re.fullmatch(r"http://\S+ could not be reached \(\w+\)\.", answer.text)
            assert server.ready()["ready"]
            assert server.unexpected() == []
    finally:
        owner.close()


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Any]]:
    """A server in the production profile, and its bucket, which is made only when a test says so."""
    faster = {"INDEX_REFRESH_S": "0.2", "IMAGE_DELIVERY": "presigned"}
    with moto_server() as moto:
        settings = {**PRODUCTION, "S3_ENDPOINT_URL": moto.endpoint_url, **faster}
        with serving(tmp_path_factory.mktemp("unused"), settings, forked=True) as server:
            server.healthy()
            yield server, bucket_at(moto.endpoint_url, "AKIDTEST", "secret")


def test_a_server_whose_bucket_fails_is_healthy_and_not_ready_and_says_why(production: tuple[Server, Any]) -> None:
    server, s3 = production
    answer = server.answers(f"{server.url}/readyz", 503)
    assert answer.json()["ready"] is False
    (reason,) = server.ask("/readyz").json()["reasons"]
    assert reason.endswith(".")
    assert httpx.get(f"{server.url}/healthz", verify=TRUSTS_NOBODY).json() == {"status": "ok"}
    s3.create_bucket(Bucket="studio-test")
    server.ready()


@pytest.mark.parametrize(
    "path",
    [
        image_url("refs/a.jpg", "0" * 32),
        image_url("refs/a.jpg", "0" * 32, ORIGINAL),
        "/image/320/x",
        "/image/",
        f"/partial/{COMPARISON}/tone-only",
        f"/originals/{TAKEN}",
        "/partial/x",
        "/ballot/x",
        "/ballot/",
    ],
)
@pytest.mark.parametrize("cookie", ["", "session=demo@localhost"])
def test_in_production_nobody_without_a_session_sees_a_picture(
    production: tuple[Server, Any], path: str, cookie: str
) -> None:
    for method in ("GET", "HEAD"):
        answer = httpx.request(
            method, f"{production[0].url}{path}", headers={"Cookie": cookie} if cookie else {}, verify=TRUSTS_NOBODY
        )
        assert answer.status_code == 401
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.text == ("Sign in to see this." if method == "GET" else "")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"GENERATION_CONCURRENCY": "many"}, "GENERATION_CONCURRENCY"),
        ({"S3_BUCKET": "studio-test"}, "GOOGLE_CLIENT_ID"),
        ({**PRODUCTION, "SESSION_SECRET": "short"}, "SESSION_SECRET"),
        ({**PRODUCTION, "S3_ENDPOINT_URL": "not an address"}, "S3_ENDPOINT_URL"),
        ({"GOOGLE_CLIENT_ID": "id"}, "S3_BUCKET"),
        ({"DATA_DIR": "/dev/null/studio"}, "DATA_DIR"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_start_says_so_in_one_sentence_and_exits_with_2(
    tmp_path: Path, wrong: dict[str, str], named: str
) -> None:
    server = Server(tmp_path, wrong, forked=True)
    assert server.process.wait(LONG_S) == 2
    assert server.unexpected() == []
    (sentence,) = [line for line in server.log.splitlines() if line.startswith("The dashboard cannot start: ")]
    assert named in sentence


def test_a_terminated_server_ends_cleanly_and_can_be_started_again(tmp_path: Path) -> None:
    for _ in range(2):
        server = Server(tmp_path, forked=True)
        server.ready()
        code = server.end(signal.SIGTERM)
        assert code in (0, -signal.SIGTERM)
        assert server.unexpected() == []
        assert not (server.data_dir / "s3.endpoint.json").exists()


@pytest.mark.parametrize(
    ("trouble", "is_passed_on"),
    [(WebSocketDisconnected("Cannot call send once a close message has been sent."), False), (RuntimeError(), True)],
)
def test_a_socket_that_is_closed_twice_is_no_error_and_anything_else_is(trouble: Exception, is_passed_on: bool) -> None:
    """A tab that goes at the wrong moment must not fill the log with tracebacks."""

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise trouble

    async def serve() -> None:
        await Requests(app)({"type": "websocket", "path": "/_stcore/stream", "headers": []}, no_message, send_nothing)

    with pytest.raises(RuntimeError) if is_passed_on else nullcontext():
        asyncio.run(serve())


async def no_message() -> Message:
    return {"type": "websocket.disconnect"}


async def send_nothing(_message: Message) -> None:
    """Nobody listens any more."""


def zipped(library: Library, *keys: str, **headers: str) -> httpx.Response:
    """The answer to the form of the selection bar."""
    origin = library.server.url
    return httpx.post(
        f"{origin}/originals",
        data={"key": list(keys)},
        headers={"Origin": origin, **headers},
        timeout=LONG_S,
        verify=TRUSTS_NOBODY,
    )


def test_originals_come_as_one_zip_with_their_names_and_bytes(library: Library) -> None:
    keys = [key for key in AWKWARD if key in library.etags]
    answer = zipped(library, *keys)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert answer.headers["content-disposition"].startswith('attachment; filename="references.zip"')
    assert answer.headers["cache-control"] == "no-store"
    with ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert len(names) == len(keys)
        assert unicodedata.normalize("NFC", f"{KOREAN} 05.jpg") in names
        assert {archive.read(name) for name in names} == {library.get(key).content for key in keys}


def test_all_pictures_of_a_comparison_come_as_one_zip_each_take_under_its_own_name(library: Library) -> None:
    answer = library.client.get(comparison_zip_url(TAKEN))
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.headers["content-disposition"].startswith(f'attachment; filename="comparison-{TAKEN}.zip"')
    with ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        found = {name: archive.read(name)[-1] for name in archive.namelist()}
    assert found == {"tone-only.png": 0, "tone-angle.png": 1, "tone-only-2.png": 2}


def test_a_picture_on_its_way_is_found_by_its_take(library: Library) -> None:
    for place, file in ((SideTake(TONE_ONLY), "tone-only-1"), (SideTake(TONE_ONLY, 2), "tone-only-take2-1")):
        answer = library.client.get(partial_url(TAKEN, place.side, 0.5, take=place.take))
        assert answer.status_code == 303, "it has arrived by now"
        key = decode_key(answer.headers["Location"].rsplit("/", 1)[-1])
        assert key.endswith(f"/{file}.png")


def test_a_further_take_is_served_and_nothing_that_is_called_alike(library: Library) -> None:
    (key,) = (key for key in library.etags if key.endswith("tone-only-take2-1.png"))
    assert library.get(key, 320).headers["Content-Type"] == "image/webp"


def test_what_is_not_in_the_library_is_named_in_the_zip_and_nothing_else_of_the_bucket_is_in_it(
    library: Library,
) -> None:
    answer = zipped(library, CLIMBING, "studio/access.json", "refs/gone.jpg")
    with ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["up.jpg", "NOT INCLUDED.txt"]
        note = archive.read("NOT INCLUDED.txt").decode()
    assert note.splitlines() == [
        "access.json: It is not in the library any more.",
        "gone.jpg: It is not in the library any more.",
    ]


@pytest.mark.parametrize(
    ("keys", "status"), [((), 413), (("refs/gone.jpg",), 413), (tuple(f"refs/{n}.jpg" for n in range(501)), 413)]
)
def test_a_zip_of_nothing_or_of_too_many_is_refused_in_a_sentence(
    library: Library, keys: tuple[str, ...], status: int
) -> None:
    answer = zipped(library, *keys)
    assert answer.status_code == status
    assert answer.text.endswith(("select others.", "select fewer."))


def test_a_foreign_page_gets_no_zip(library: Library) -> None:
    assert zipped(library, CLIMBING, Origin="https://elsewhere.example").status_code == 403
    assert zipped(library, CLIMBING, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_a_form_that_is_too_long_for_any_selection_is_not_read_to_its_end(library: Library) -> None:
    origin = library.server.url
    answer = httpx.post(f"{origin}/originals", content=b"key=" + b"x" * 3_000_000, headers={"Origin": origin})
    assert answer.status_code == 413
