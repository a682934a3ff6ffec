"""Thumbnails are made once for each etag, kept in S3, and never of another picture than was asked for."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from core.errors import BadImage, NotFound
from core.images.thumbnails import THUMBNAIL_SIDES, Thumbnails, encode_webp
from core.objects.objects import Blob
from core.storage.client import Reach
from core.storage.embedded.server import EmbeddedS3
from core.storage.s3 import Store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    samples = tmp_path_factory.mktemp("library") / "refs"
    samples.mkdir()
    server = EmbeddedS3.open(tmp_path_factory.mktemp("data"), samples)
    yield Store(Reach(server.bucket, server.endpoint_url, server.access_key, server.secret_key))
    server.close()


@pytest.fixture
def thumbnails(store: Store, tmp_path: Path) -> Thumbnails:
    return Thumbnails(store, app_prefix=f"{tmp_path.name}/")


def photo(colour: str, width: int = 1500, height: int = 1000) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "JPEG")
    return out.getvalue()


def uploaded(store: Store, key: str, data: bytes) -> str:
    return store.put(key, data, content_type="image/jpeg")


class Original:
    """Hands out an object and counts how often it is asked."""

    def __init__(self, load: Callable[[], Blob]) -> None:
        self.asked = 0
        self._load = load

    def __call__(self) -> Blob:
        self.asked += 1
        return self._load()


@pytest.mark.parametrize("side", THUMBNAIL_SIDES)
def test_a_thumbnail_is_a_webp_whose_longest_side_is_as_asked(store: Store, thumbnails: Thumbnails, side: int) -> None:
    etag = uploaded(store, "refs/a.jpg", photo("#8090a0"))
    picture = Image.open(io.BytesIO(thumbnails.get(etag, side, lambda: store.get("refs/a.jpg"))))
    assert picture.format == "WEBP"
    assert picture.size == (side, round(side * 2 / 3))


def test_a_made_thumbnail_lies_in_s3_by_etag_and_serves_without_the_original(
    store: Store, thumbnails: Thumbnails
) -> None:
    etag = uploaded(store, "refs/b.jpg", photo("#a08090"))
    original = Original(lambda: store.get("refs/b.jpg"))
    first = thumbnails.get(etag, 320, original)
    assert store.get(thumbnails.key_of(etag, 320)).data == first
    assert thumbnails.get(etag, 320, original) == first
    assert original.asked == 1


def test_another_server_finds_what_one_has_made(store: Store, tmp_path: Path) -> None:
    etag = uploaded(store, "refs/c.jpg", photo("#102030"))
    here = Thumbnails(store, app_prefix=f"{tmp_path.name}/")
    there = Thumbnails(store, app_prefix=f"{tmp_path.name}/")
    original = Original(lambda: store.get("refs/c.jpg"))
    assert here.get(etag, 320, original) == there.get(etag, 320, original)
    assert original.asked == 1


def test_many_who_ask_at_once_get_one_thumbnail(store: Store, thumbnails: Thumbnails) -> None:
    etag = uploaded(store, "refs/d.jpg", photo("#405060"))
    original = Original(lambda: store.get("refs/d.jpg"))
    together = threading.Barrier(12)

    def ask(_: int) -> bytes:
        together.wait()
        return thumbnails.get(etag, 960, original)

    with ThreadPoolExecutor(12) as people:
        answers = set(people.map(ask, range(12)))
    assert len(answers) == 1
    assert original.asked == 1


def test_a_bad_picture_is_fetched_once_and_refused_each_time(store: Store, thumbnails: Thumbnails) -> None:
    etag = uploaded(store, "refs/e.jpg", b"<html>not found</html>")
    original = Original(lambda: store.get("refs/e.jpg"))
    for side in (320, 960, 320):
        with pytest.raises(BadImage, match="no picture this program can read"):
            thumbnails.get(etag, side, original)
    assert original.asked == 1
    with pytest.raises(NotFound):
        store.head(thumbnails.key_of(etag, 320))


def test_a_bad_picture_is_known_as_unreadable_to_every_server(store: Store, tmp_path: Path) -> None:
    good, bad = uploaded(store, "refs/i.jpg", photo("#123456")), uploaded(store, "refs/j.jpg", b"GIF89a and no more")
    here = Thumbnails(store, app_prefix=f"{tmp_path.name}/")
    there = Thumbnails(store, app_prefix=f"{tmp_path.name}/")
    here.get(good, 320, lambda: store.get("refs/i.jpg"))
    assert there.unreadable() == frozenset()
    with pytest.raises(BadImage) as told:
        here.get(bad, 320, lambda: store.get("refs/j.jpg"))
    assert there.unreadable() == {bad}
    with pytest.raises(BadImage, match=re.escape(told.value.message)):
        there.get(bad, 960, lambda: pytest.fail("nothing is loaded"))


def test_what_another_decoder_could_not_read_is_tried_again(store: Store, thumbnails: Thumbnails) -> None:
    etag = uploaded(store, "refs/k.jpg", photo("#654321"))
    folder = thumbnails.key_of(etag, 320).split("320/")[0]
    store.put(f"{folder}unreadable/0-pillow-1.0/{etag}", b"No.", content_type="text/plain")
    assert thumbnails.unreadable() == frozenset()
    assert thumbnails.get(etag, 320, lambda: store.get("refs/k.jpg"))


def test_everybody_who_waits_for_a_bad_picture_is_told(store: Store, thumbnails: Thumbnails) -> None:
    etag = uploaded(store, "refs/f.jpg", b"nothing to see")
    everybody_asked = threading.Barrier(6)

    def ask(_: int) -> str:
        everybody_asked.wait()
        with pytest.raises(BadImage) as told:
            thumbnails.get(etag, 320, lambda: store.get("refs/f.jpg"))
        return told.value.message

    with ThreadPoolExecutor(6) as people:
        assert len(set(people.map(ask, range(6)))) == 1


def test_a_thumbnail_that_another_server_wrote_meanwhile_is_no_failure(store: Store, thumbnails: Thumbnails) -> None:
    etag = uploaded(store, "refs/g.jpg", photo("#708090"))

    def load_while_somebody_else_writes() -> Blob:
        store.put(thumbnails.key_of(etag, 320), b"theirs", content_type="image/webp")
        return store.get("refs/g.jpg")

    made = thumbnails.get(etag, 320, load_while_somebody_else_writes)
    assert Image.open(io.BytesIO(made)).size == (320, 213)
    assert store.get(thumbnails.key_of(etag, 320)).data == b"theirs"


def test_a_picture_that_has_changed_is_not_kept_under_its_old_etag(store: Store, thumbnails: Thumbnails) -> None:
    etag = uploaded(store, "refs/h.jpg", photo("#ff0000"))
    uploaded(store, "refs/h.jpg", photo("#0000ff"))
    with pytest.raises(NotFound, match="changed"):
        thumbnails.get(etag, 320, lambda: store.get("refs/h.jpg"))
    with pytest.raises(NotFound):
        store.head(thumbnails.key_of(etag, 320))


def test_a_picture_that_has_left_s3_is_not_found(store: Store, thumbnails: Thumbnails) -> None:
    with pytest.raises(NotFound):
        thumbnails.get("0" * 32, 320, lambda: store.get("refs/gone.jpg"))


@pytest.mark.parametrize("etag", ["", "../../access", "a/b", "a" * 81, "ä", "a b", "a\n"])
def test_what_is_no_etag_never_becomes_a_key(thumbnails: Thumbnails, etag: str) -> None:
    with pytest.raises(NotFound):
        thumbnails.get(etag, 320, lambda: pytest.fail("nothing is loaded"))


@pytest.mark.parametrize("side", [0, -320, 321, 10_000])
def test_only_the_two_sizes_exist(thumbnails: Thumbnails, side: int) -> None:
    with pytest.raises(NotFound):
        thumbnails.get("0" * 32, side, lambda: pytest.fail("nothing is loaded"))


def test_the_etag_of_a_multipart_upload_is_one_too(thumbnails: Thumbnails) -> None:
    assert thumbnails.key_of(f"{'0' * 32}-17", 320).endswith("-17.webp")


def test_a_long_thin_picture_keeps_at_least_one_pixel() -> None:
    out = io.BytesIO()
    Image.new("RGB", (5000, 1)).save(out, "PNG")
    assert Image.open(io.BytesIO(encode_webp(out.getvalue(), 320))).size == (320, 1)
