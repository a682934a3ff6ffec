"""Which pictures can be opened is found out once for all servers, in the background, and in nobody's way."""

from __future__ import annotations

import io
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from PIL import Image

from core.errors import NotFound
from core.images import readability
from core.images.memory import FILES
from core.images.readability import Readability
from core.images.thumbnails import Thumbnails
from core.objects.objects import Blob, StoredObject
from core.storage.s3 import Store
from tests.support.s3.moto_server import fill, moto_server, remove, with_bucket
from tests.support.s3.servers import S3Server
from tests.support.timeouts import LONG_S, until


def photo(shade: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (shade, shade, shade)).save(out, "PNG")
    return out.getvalue()


PICTURES = {f"refs/01. Model/noir/{n}.png": photo(n) for n in range(8)}
BROKEN = {"refs/01. Model/noir/page.jpg": b"<html>not found</html>", "refs/02. Tone/noir/cut.png": photo(99)[:40]}


@pytest.fixture(scope="module")
def moto() -> Iterator[S3Server]:
    with moto_server() as server:
        yield server


@pytest.fixture
def bucket(moto: S3Server) -> S3Server:
    return with_bucket(moto, PICTURES | BROKEN)


class CountingStore:
    """A real store that counts how often each original is fetched, and may be made to wait."""

    def __init__(self, real: Store) -> None:
        self._real = real
        self.fetched: Counter[str] = Counter()
        self.is_open = threading.Event()
        self.is_open.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def get(self, key: str) -> Blob:
        self.is_open.wait(LONG_S)
        self.fetched[key] += key.startswith("refs/")
        return self._real.get(key)


class Server:
    """One of several servers over the same bucket."""

    def __init__(self, bucket: S3Server) -> None:
        self.store = CountingStore(bucket.store())
        self.thumbnails = Thumbnails(self.store, app_prefix="studio/")  # type: ignore[arg-type]  # it is one
        self.found = 0
        self.library = sorted(self.store.list("refs/"), key=lambda row: row.key)
        self.readability = Readability(
            self.store,  # type: ignore[arg-type]  # it is one
            self.thumbnails,
            app_prefix="studio/",
            pictures=self.pictures,
            found=self.count,
        )

    def pictures(self) -> Sequence[StoredObject]:
        return self.library

    def count(self) -> None:
        self.found += 1

    @property
    def broken(self) -> set[str]:
        return {row.key for row in self.library if row.etag in self.thumbnails.unreadable()}


@pytest.fixture
def restless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readability, "_REST_S", 0.0)


def one_round(server: Server) -> None:
    server.readability._round()


def test_all_that_cannot_be_opened_is_found_by_a_check(bucket: S3Server) -> None:
    server = Server(bucket)
    told: list[tuple[int, int]] = []
    assert server.readability.check_all(lambda done, of: told.append((done, of))) == len(PICTURES) + len(BROKEN)
    assert server.broken == set(BROKEN)
    assert told[-1] == (len(told), len(told))


def test_no_picture_is_fetched_twice_by_whichever_server_and_after_whichever_restart(bucket: S3Server) -> None:
    Server(bucket).readability.check_all()
    again = Server(bucket)
    again.readability.check_all()
    assert again.store.fetched.total() == 0
    assert again.broken == set(BROKEN)


def test_a_new_picture_is_the_only_one_that_is_looked_at(bucket: S3Server) -> None:
    Server(bucket).readability.check_all()
    fill(bucket, {"refs/01. Model/noir/new.png": photo(200)})
    server = Server(bucket)
    server.readability.check_all()
    assert dict(+server.store.fetched) == {"refs/01. Model/noir/new.png": 1}


def test_the_same_bytes_under_two_names_are_fetched_once(bucket: S3Server) -> None:
    fill(bucket, {f"refs/01. Model/noir/copy {n}.png": photo(222) for n in range(5)})
    server = Server(bucket)
    server.readability.check_all()
    assert sum(count for key, count in server.store.fetched.items() if "copy" in key) == 1


@pytest.mark.usefixtures("restless")
def test_a_round_looks_at_a_minutes_worth_and_the_next_goes_on(
    bucket: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readability, "PICTURES_A_MINUTE", 4)
    server = Server(bucket)
    looked_at = []
    for _ in range(4):
        one_round(server)
        looked_at.append(server.store.fetched.total())
    assert looked_at == [4, 8, 10, 10]
    assert server.broken == set(BROKEN)
    assert server.found > 0


@pytest.mark.usefixtures("restless")
def test_a_round_ends_where_its_bytes_end(bucket: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readability, "BYTES_A_MINUTE", readability.BYTES_MAX + 150)
    server = Server(bucket)
    one_round(server)
    sizes = [len((PICTURES | BROKEN)[key]) for key in +server.store.fetched if key.startswith("refs/")]
    assert sum(sizes) > 150 >= sum(sizes) - max(sizes), "the last one goes beyond, wherever the round began"


@pytest.mark.usefixtures("restless")
def test_two_servers_that_learn_at_once_lose_nothing_of_what_either_knows(
    bucket: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readability, "PICTURES_A_MINUTE", 3)
    one, other = Server(bucket), Server(bucket)
    for _ in range(4):
        threads = [threading.Thread(target=one_round, args=(server,)) for server in (one, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LONG_S)
    one_round(one)
    one_round(other)
    third = Server(bucket)
    assert third.readability.check_all() <= len(BROKEN)
    assert third.store.fetched.total() == 0


def test_what_is_kept_and_makes_no_sense_is_begun_anew(bucket: S3Server) -> None:
    Server(bucket).readability.check_all()
    (kept,) = bucket.store().list("studio/thumbs/readable/")
    fill(bucket, {kept.key: b"nonsense"})
    server = Server(bucket)
    server.readability.check_all()
    assert server.store.fetched.total() == 0, "the thumbnails are there"
    third = Server(bucket)
    third.readability.exchange()
    good = [row for row in third.library if row.key in PICTURES]
    assert all(third.readability.is_readable(row) for row in good)
    assert bucket.store().head(kept.key).size_bytes > len(b"nonsense")


def test_a_picture_that_has_left_s3_is_nobodys_failure(bucket: S3Server) -> None:
    server = Server(bucket)
    remove(bucket, next(iter(PICTURES)))
    server.readability.check_all()
    assert server.broken == set(BROKEN)
    gone = next(row for row in server.library if row.key == next(iter(PICTURES)))
    with pytest.raises(NotFound):
        server.readability.is_readable(gone)


def test_who_waits_for_memory_goes_before_the_background(bucket: S3Server) -> None:
    """A round begins once nobody stands in line, and ends when it is told to stop meanwhile."""
    server, in_line, served = Server(bucket), threading.Event(), threading.Event()

    def wait_in_line() -> None:
        in_line.set()
        with FILES.lend(FILES.large_bytes):
            served.set()

    with FILES.lend(FILES.large_bytes):
        person = threading.Thread(target=wait_in_line)
        person.start()
        until(lambda: FILES.waiting == 1)
        learning = threading.Thread(target=one_round, args=(server,))
        learning.start()
        assert in_line.is_set()
        assert server.store.fetched.total() == 0
        server.readability.loop.tell_to_stop()
        learning.join(LONG_S)
        assert not learning.is_alive()
        assert server.store.fetched.total() == 0
    person.join(LONG_S)
    assert served.is_set()


def test_what_s3_does_not_hand_out_in_time_is_not_said_to_be_broken(bucket: S3Server) -> None:
    server = Server(bucket)
    server.store.is_open.clear()
    assert server.readability.unreadable_among(server.library, patience_s=0.05) == frozenset()
    server.store.is_open.set()
    broken = {row.etag for row in server.library if row.key in BROKEN}
    assert server.readability.unreadable_among(server.library, patience_s=LONG_S) == broken
    server.readability.close()
