"""Fault runs: what the dashboard depends on fails while it runs. It says so, serves what it can, recovers."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from bench.sessions import Drawn, session
from core.storage.embedded import EmbeddedS3
from core.web import ORIGINAL, image_url
from tests.chromium import free_port
from tests.deploy.servers import ROOT, Server, serving, until
from tests.deploy.test_health import PRODUCTION
from tests.deploy.wires import Wire, wire_to
from tests.fakes.openai_server import FakeOpenAI
from tests.moto_servers import moto_server, with_bucket

PROMPT = "Ada in a linen shirt, cinematic, three-quarter view"
KEY = "refs/02. Tone/noir/desk.jpg"
ETAG = hashlib.md5((ROOT / "samples" / KEY).read_bytes(), usedforsecurity=False).hexdigest()


def look(server: Server, page: str) -> Drawn:
    """A page as a new tab gets it."""

    async def visit() -> Drawn:
        async with session(server.url) as tab:
            return await tab.visit(page)

    return asyncio.run(visit())


def order(server: Server, prompt: str = PROMPT) -> tuple[str, Drawn]:
    """Press Generate: the comparison's id, empty if there is none, and what the page said."""

    async def press() -> tuple[str, Drawn]:
        async with session(server.url) as tab:
            await tab.visit()
            await tab.type_prompt(prompt)
            drawn = await tab.click("Generate")
            found = re.search(r"comparison=(\w{26})", tab.query)
            return found[1] if found else "", drawn

    return asyncio.run(press())


def ended(server: Server, comparison: str) -> list[str]:
    """How the sides of a comparison ended, as far as they have."""
    return [event["phase"] for event in server.events("side_ended") if event["comparison"] == comparison]


@contextmanager
def wired(folder: Path, **environment: str) -> Iterator[tuple[Server, Wire]]:
    """A dashboard whose S3 is at the other end of a wire; everybody is signed in."""
    data = folder / "data"
    owner = EmbeddedS3.open(data, ROOT / "samples" / "refs")
    try:
        with wire_to(owner.endpoint_url) as wire:
            # The dashboard finds the server of whoever holds DATA_DIR by this file.
            (data / "s3.endpoint.json").write_text(json.dumps({"endpoint_url": wire.url, "pid": os.getpid()}))
            with serving(folder, {"INDEX_REFRESH_S": "0.5", **environment}) as server:
                server.ready()
                yield server, wire
                wire.cut()  # or the server would wait for it in vain
    finally:
        owner.close()


def test_s3_away_at_the_start_and_there_later(tmp_path: Path) -> None:
    """It starts, says what is missing, lets nobody in unchecked, and is ready as soon as S3 is."""
    with moto_server() as moto:
        bucket = with_bucket(moto, {KEY: (ROOT / "samples" / KEY).read_bytes()})
        with wire_to(bucket.endpoint_url) as wire:
            wire.cut()
            settings = {
                **PRODUCTION,
                "S3_BUCKET": bucket.bucket,
                "S3_ENDPOINT_URL": wire.url,
                "AWS_ACCESS_KEY_ID": bucket.access_key,
                "AWS_SECRET_ACCESS_KEY": bucket.secret_key,
                "INDEX_REFRESH_S": "0.5",
            }
            with serving(tmp_path, settings) as server:
                server.healthy()
                until(lambda: "could not be reached" in server.check("storage").get("reason", ""), "it says so")
                assert server.get("/readyz").status_code == 503
                assert "You can sign in at" in look(server, "").texts()
                assert server.get(image_url(KEY, ETAG)).status_code == 401
                wire.mend()
                assert server.ready()["reasons"] == []
                assert server.metric("studio_index_references") == 1


def test_s3_away_under_use(tmp_path: Path) -> None:
    """Longer than several refreshes: the last index serves with its age, and nothing that was asked for is lost."""
    with wired(tmp_path) as (server, wire):
        assert "110 pictures in 40 groups" in look(server, "references").texts()
        assert server.get(image_url(KEY, ETAG)).status_code == 200

        wire.cut()
        until(lambda: server.check("storage")["state"] == "degraded", "the refresh has failed")
        assert server.get("/readyz").status_code == 200, "people are still served"
        built = server.get("/readyz").json()["index_age_s"]
        drawn = look(server, "references")
        assert "110 pictures in 40 groups" in drawn.texts()
        assert "S3 does not answer" in drawn.texts()
        answer = server.get(image_url(KEY, ETAG, ORIGINAL))
        assert (answer.status_code, answer.headers["cache-control"]) == (503, "no-store")
        comparison, drawn = order(server)
        assert comparison == ""
        assert "could not be reached" in drawn.failures()[0]
        assert until(lambda: server.get("/readyz").json()["index_age_s"] > max(built, 2), "several refreshes failed")

        wire.mend()
        until(lambda: server.check("storage")["state"] == "ok", "the refresh works again")
        assert "S3 does not answer" not in look(server, "references").texts()
        assert server.get(image_url(KEY, ETAG, ORIGINAL)).content == (ROOT / "samples" / KEY).read_bytes()
        comparison, drawn = order(server)
        assert drawn.failures() == []
        until(lambda: ended(server, comparison) == ["done", "done"], "both sides are made")
        assert server.events("script_error") == []


def test_s3_goes_while_pictures_are_made(tmp_path: Path) -> None:
    """A picture that is finished while S3 is away is kept and stored once S3 is back."""
    with wired(tmp_path) as (server, wire):
        comparison, _ = order(server)
        wire.cut()
        until(lambda: server.check("storage")["state"] == "degraded", "S3 is away")
        wire.mend()
        until(lambda: len(ended(server, comparison)) == 2, "both sides have ended")
        assert set(ended(server, comparison)) <= {"done", "failed"}
        until(lambda: server.metric("studio_queue_running") == 0, "nothing is left at work")
        again, drawn = order(server, f"{PROMPT}, again")
        assert drawn.failures() == []
        until(lambda: ended(server, again) == ["done", "done"], "the next is made")


class SmallDisk:
    """A disk of a few megabytes that only one server sees, in a mount namespace of its own; needs no root."""

    SIZE_MB = 24

    def __init__(self, mount_point: Path) -> None:
        mount_point.mkdir(parents=True)
        self._mount_point = mount_point
        own = () if os.geteuid() == 0 else ("--user", "--map-root-user")
        mount = f'mount -t tmpfs -o size={self.SIZE_MB}m studio "$0" && exec "$@"'
        self.before = ("unshare", "--mount", *own, "sh", "-c", mount, str(mount_point))

    def ballast(self, server: Server) -> Path:
        """A file on it, seen through the server's eyes."""
        return Path(f"/proc/{server.process.pid}/root{self._mount_point}/ballast")

    def fill(self, server: Server) -> None:
        """Until not one more byte fits."""
        with self.ballast(server).open("wb", buffering=0) as file, suppress(OSError):
            while file.write(b"\0" * 65536):
                pass

    def free(self, server: Server) -> None:
        self.ballast(server).unlink()


def test_a_full_disk_below_data_dir(tmp_path: Path) -> None:
    """Nothing that was kept is lost, what cannot be kept is said, and freeing space is all it takes."""
    disk = SmallDisk(tmp_path / "data")
    with serving(tmp_path, before=disk.before) as server:
        server.ready()
        first, _ = order(server)
        until(lambda: ended(server, first) == ["done", "done"], "both sides are made")

        disk.fill(server)
        assert server.check("disk")["state"] == "degraded"
        assert "no restart is needed" in server.check("disk")["fix"]
        comparison, drawn = order(server, f"{PROMPT}, another")
        assert comparison == ""
        assert drawn.failures()
        assert "110 pictures in 40 groups" in look(server, "references").texts()
        assert server.get("/readyz").status_code == 200
        assert server.get(image_url(KEY, ETAG, ORIGINAL)).status_code == 200

        disk.free(server)
        assert "No comparison yet" not in look(server, "history").texts(), "what was made before is still there"
        comparison, drawn = order(server, f"{PROMPT}, another")
        assert drawn.failures() == []
        until(lambda: ended(server, comparison) == ["done", "done"], "both sides are made")


@pytest.mark.parametrize("shift", ["+30s", "-30s"])
def test_a_clock_that_is_half_a_minute_off(shift: str, tmp_path: Path) -> None:
    """Ahead of S3's, or behind: pages, pictures and comparisons go on, and no age is less than nothing."""
    (library,) = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    with wired(tmp_path, LD_PRELOAD=str(library), FAKETIME=shift) as (server, _):
        told = parsedate_to_datetime(server.get("/healthz").headers["date"])
        off_s = (told - datetime.now(UTC)).total_seconds()
        assert 20 < abs(off_s) < 40, "the clock is really off"
        assert 0 <= server.get("/readyz").json()["index_age_s"] < 10
        assert "110 pictures in 40 groups" in look(server, "references").texts()
        assert server.get(image_url(KEY, ETAG)).status_code == 200
        comparison, drawn = order(server)
        assert drawn.failures() == []
        until(lambda: ended(server, comparison) == ["done", "done"], "both sides are made")
        assert "No comparison yet" not in look(server, "history").texts()
        assert server.events("script_error") == []
        assert server.events("thread_crashed") == []


def test_openai_away_and_back(tmp_path: Path) -> None:
    """The offline reader takes over and says so, the failed sides say what to do, and then it works again."""
    port = free_port()
    settings = {"OPENAI_API_KEY": "sk-key-of-a-test", "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1"}
    with serving(tmp_path, settings) as server:
        server.ready()
        comparison, drawn = order(server)
        until(lambda: ended(server, comparison) == ["failed", "failed"], "both sides have failed")
        assert 'engine="openai",outcome="unavailable"' in server.get("/metrics").text
        assert server.get("/readyz").status_code == 200
        assert server.events("openai_reader_failed")
        with FakeOpenAI().serving(port):
            comparison, drawn = order(server, f"{PROMPT}, again")
            assert drawn.failures() == []
            until(lambda: ended(server, comparison) == ["done", "done"], "both sides are made")
