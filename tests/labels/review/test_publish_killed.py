"""`labels publish` killed at any moment: the label file is the old or the new one, and publishing again mends all."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from core.labels.published.label_file import load_published, parse_whole, version_of
from core.storage.local.disk import renew
from tests.labels.portraits import APP, ROOT
from tests.labels.review.checkouts import checkout_in, labels, reviewed_bucket
from tests.labels.review.services import ReviewFixture
from tests.support.processes.commands import begun
from tests.support.processes.forks import Fork
from tests.support.s3.http_proxy import Exchange, Watch, passes, proxied
from tests.support.s3.moto_server import moto_server, remove
from tests.support.s3.servers import S3Server, environment
from tests.support.timeouts import LONG_S

PUBLICATION = f"{APP}labels/publication.json"
LINES = 4000  # so that writing takes a moment
AFTER_BEGUN_S = (0.0, 0.0005, 0.002, 0.008)


@dataclass(frozen=True, slots=True)
class Shop:
    """A checkout, the bucket with the reviews, the file before and the one that nobody disturbed."""

    checkout: Path
    bucket: S3Server
    old: bytes
    new: bytes

    @property
    def file(self) -> Path:
        return self.checkout / "labels" / "personas.jsonl"

    @property
    def leftovers(self) -> list[Path]:
        """What git does not see and nobody reads."""
        return [each for each in self.file.parent.iterdir() if each.name.startswith(f"{self.file.name}.")]

    def anew(self) -> None:
        """As if nobody had ever published."""
        remove(self.bucket, PUBLICATION)
        for each in self.leftovers:
            each.unlink()
        self.file.write_bytes(self.old)
        self.file.chmod(0o644)

    def told(self) -> str | None:
        """The version that S3 knows."""
        newest = ReviewFixture(self.bucket).publisher(self.file).newest()
        return newest.version if newest else None

    def is_sound(self) -> None:
        """The file is one of the two, whole and readable; S3 knows the new one or nothing."""
        found = self.file.read_bytes()
        assert found in (self.old, self.new)
        assert len(parse_whole(found).labels) == len(load_published(self.file))
        assert self.file.stat().st_mode & 0o777 == 0o644
        assert self.told() in (None, version_of(self.new))
        if found == self.new:
            assert self.told() == version_of(self.new), "no file is ahead of what S3 knows"

    def published_again(self) -> None:
        """Once more, to its end, by the real command."""
        done = labels(self.checkout, "publish", environ=environment(self.bucket))
        assert done.code == 0, done.err
        assert self.file.read_bytes() == self.new
        assert self.told() == version_of(self.new)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with moto_server() as server:
        checkout = checkout_in(tmp_path_factory.mktemp("shop"), LINES)
        bucket = reviewed_bucket(server)
        file = checkout / "labels" / "personas.jsonl"
        old = file.read_bytes()
        done = labels(checkout, "publish", environ=environment(bucket))
        assert done.code == 0, done.err
        assert file.read_bytes() != old
        yield Shop(checkout, bucket, old, file.read_bytes())


def killed(shop: Shop, *, before: str = "", after: str = "", wait_s: float = 0.0) -> None:
    """Publish, and kill it at its first such request for the publication, before or after S3 has acted on it.

    With neither it is killed so long after it has begun to write the file.
    """
    shop.anew()
    running: list[Fork] = []
    is_running = threading.Event()
    is_told = threading.Event()

    def at(moment: str) -> Watch:
        def watch(passing: Exchange) -> bool:
            if (passing.method, passing.key) != (moment, PUBLICATION):
                return True
            assert is_running.wait(LONG_S)
            running[0].kill()
            running[0].wait(LONG_S)
            return False

        return watch if moment else passes

    def has_told(passing: Exchange) -> bool:
        if passing.method == "PUT":
            is_told.set()
        return True

    is_writing = not (before or after)
    with ExitStack() as stack:
        watch = has_told if is_writing else at(after)
        way = stack.enter_context(proxied(shop.bucket, before=at(before), after=watch))
        folder = Path(stack.enter_context(TemporaryDirectory()))
        running.append(begun("labels", "publish", environ=environment(way), folder=folder, cwd=shop.checkout))
        stack.callback(running[0].kill)
        is_running.set()
        if is_writing:
            assert is_told.wait(LONG_S)
            _kill_while_writing(shop, running[0], wait_s)
        running[0].wait(LONG_S)


def _kill_while_writing(shop: Shop, process: Fork, wait_s: float) -> None:
    end: float | None = None
    while process.poll() is None and (end is None or time.perf_counter() < end):
        if end is None and shop.leftovers:  # written in a millisecond: any pause would miss it
            end = time.perf_counter() + wait_s
    process.kill()


def test_killed_before_s3_is_told_nothing_has_happened(shop: Shop) -> None:
    killed(shop, before="PUT")
    assert (shop.file.read_bytes(), shop.told(), shop.leftovers) == (shop.old, None, [])
    shop.published_again()


def test_killed_between_s3_and_the_file_the_server_runs_the_old_one_and_says_so(shop: Shop) -> None:
    killed(shop, after="PUT")
    assert (shop.file.read_bytes(), shop.leftovers) == (shop.old, [])
    assert shop.told() == version_of(shop.new)
    newer = ReviewFixture(shop.bucket).publisher(shop.file).newer(version_of(shop.old))
    assert newer is not None
    assert newer.text.encode() == shop.new
    shop.published_again()


def test_killed_while_it_reads_nothing_has_happened(shop: Shop) -> None:
    killed(shop, before="GET")
    assert (shop.file.read_bytes(), shop.told(), shop.leftovers) == (shop.old, None, [])


@pytest.mark.parametrize("wait_s", AFTER_BEGUN_S)
def test_killed_while_it_writes_the_file_is_the_old_or_the_new_one(shop: Shop, wait_s: float) -> None:
    killed(shop, wait_s=wait_s)
    shop.is_sound()
    assert shop.told() == version_of(shop.new)
    if wait_s == 0.0:
        shop.published_again()


def test_what_a_killed_publication_left_is_ignored_by_git_and_removed_by_one_an_hour_later(shop: Shop) -> None:
    shop.anew()
    old, young = (shop.file.with_name(f"{shop.file.name}.{name}") for name in ("0123abcd", "4567abcd"))
    for each in (old, young):
        each.write_bytes(shop.new[:1000])
    hour_ago = time.time() - 3700
    os.utime(old, (hour_ago, hour_ago))
    assert f"labels/{shop.file.name}.*" in (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert renew(shop.file, shop.new, shop.old)
    assert (shop.file.read_bytes(), shop.leftovers) == (shop.new, [young])
