"""Fault runs: what the dashboard depends on fails while it runs. It says so, serves what it can, recovers."""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx

from core.identity.google import GoogleAccount
from core.identity.session import Session, SessionSigner
from core.web.http.addresses import ORIGINAL, image_url
from tests.deploy.tabs import PROMPT, ended, look, order
from tests.deploy.test_health import PRODUCTION
from tests.fakes.openai_server import Behaviour, FakeOpenAI, Moment
from tests.support.dashboards.behind_proxy import behind_proxy
from tests.support.latch import Latch
from tests.support.ports import own_port
from tests.support.processes.clock import Clock
from tests.support.processes.programs import ROOT, TRUSTS_NOBODY
from tests.support.processes.servers import Server, serving
from tests.support.s3.moto_server import moto_server, with_bucket
from tests.support.tcp_proxy import tcp_proxy
from tests.support.timeouts import LONG_S, until

KEY = "refs/02. Tone/noir/desk.jpg"
ETAG = hashlib.md5((ROOT / "samples" / KEY).read_bytes(), usedforsecurity=False).hexdigest()


def sealed_cookie() -> dict[str, str]:
    """The cookie of somebody who has signed in two minutes ago, as the server itself would seal it."""
    account = GoogleAccount("subject-of-kim", "kim@studio.example", "Kim", "studio.example")
    session = Session.of(account, epoch=0, now=time.time() - 120)
    return {"Cookie": f"__Host-studio={SessionSigner(PRODUCTION['SESSION_SECRET']).cookie(session)}"}


def sign_out(server: Server, cookie: dict[str, str]) -> httpx.Response:
    """As the button does."""
    ours = {"Origin": PRODUCTION["PUBLIC_URL"], "Sec-Fetch-Site": "same-origin", "X-Studio-Session": "1"}
    return httpx.delete(f"{server.url}/session", headers={**ours, **cookie}, timeout=LONG_S, verify=TRUSTS_NOBODY)


def test_s3_away_at_the_start_and_there_later(tmp_path: Path) -> None:
    """It starts, says what is missing, lets nobody in unchecked, and is ready as soon as S3 is.

    A sign-out while S3 is away takes the cookie, says that the session could not be ended, and can be made again.
    """
    with moto_server() as moto:
        bucket = with_bucket(moto, {KEY: (ROOT / "samples" / KEY).read_bytes()})
        with tcp_proxy(bucket.endpoint_url) as proxy:
            proxy.cut()
            settings = {
                **PRODUCTION,
                "S3_BUCKET": bucket.bucket,
                "S3_ENDPOINT_URL": proxy.url,
                "AWS_ACCESS_KEY_ID": bucket.access_key,
                "AWS_SECRET_ACCESS_KEY": bucket.secret_key,
                "INDEX_REFRESH_S": "0.5",
            }
            with serving(tmp_path, settings, forked=True) as server:
                server.healthy()
                until(lambda: "could not be reached" in server.check("storage").get("reason", ""), "it says so")
                assert server.get("/readyz").status_code == 503
                assert "You can sign in at" in look(server, "").texts()
                assert server.get(image_url(KEY, ETAG)).status_code == 401
                proxy.mend()
                until(lambda: server.ready()["reasons"] == [], "nothing is wrong any more")
                assert server.metric("studio_index_references") == 1

                kim = sealed_cookie()
                assert server.get(image_url(KEY, ETAG), **kim).status_code == 200
                proxy.cut()
                answer = sign_out(server, kim)
                assert answer.status_code == 503
                assert answer.text.startswith(
                    "You are signed out in this browser, but S3 could not be told to end your session: "
                )
                assert "could not be reached" in answer.text
                assert '__Host-studio="";' in answer.headers["set-cookie"]
                assert "Max-Age=0" in answer.headers["set-cookie"]
                assert server.events("signed_out") == []
                proxy.mend()
                until(lambda: server.get(image_url(KEY, ETAG), **kim).status_code == 200, "it holds until it is ended")
                until(lambda: sign_out(server, kim).status_code == 204, "and is ended once S3 is asked again")
                assert server.get(image_url(KEY, ETAG), **kim).status_code == 401


def test_s3_away_under_use(tmp_path: Path) -> None:
    """Longer than several refreshes: the last index serves with its age, and nothing that was asked for is lost."""
    with behind_proxy(tmp_path) as at:
        server, proxy = at.server, at.proxy
        assert "110 pictures in 40 groups" in look(server, "references").texts()
        assert server.get(image_url(KEY, ETAG)).status_code == 200

        proxy.cut()
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

        proxy.mend()
        until(lambda: server.check("storage")["state"] == "ok", "the refresh works again")
        assert "S3 does not answer" not in look(server, "references").texts()
        assert server.get(image_url(KEY, ETAG, ORIGINAL)).content == (ROOT / "samples" / KEY).read_bytes()
        comparison, drawn = order(server)
        assert drawn.failures() == []
        until(lambda: ended(server, comparison) == ["done", "done"], "both sides are made")
        assert server.events("script_error") == []


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


def test_a_clock_that_jumps_by_half_a_minute(tmp_path: Path) -> None:
    """Forwards and backwards, while sides are at work: all goes on, and no age is less than nothing."""
    clock, held = Clock(tmp_path / "clock", steady=True), Latch()
    with (
        FakeOpenAI(default=Behaviour(latches={Moment.RECEIVED: held})).serving() as openai,
        behind_proxy(
            tmp_path,
            forked=False,
            DEMO_TOKEN="off",
            OPENAI_API_KEY="sk-key-of-a-test",
            OPENAI_BASE_URL=openai.base_url,
            OPENAI_STREAMING="on",
            INDEX_REFRESH_S="2",
            **clock.environment,
        ) as at,
    ):
        server, ordered = at.server, []
        for shift_s in (30, -30):
            clock.move(shift_s)
            until(lambda by=shift_s: abs(ahead_s(server) - by) < 5, "the clock has moved")
            comparison, drawn = order(server, f"{PROMPT}, {len(ordered)}")
            assert drawn.failures() == []
            ordered.append(comparison)
            answer = server.get("/readyz")
            assert answer.status_code == 200
            assert 0 <= answer.json()["index_age_s"] < 35
            assert (server.metric("studio_index_age_seconds") or 0) >= 0
            assert "110 pictures in 40 groups" in look(server, "references").texts()
            assert server.get(image_url(KEY, ETAG)).status_code == 200
        clock.move(0)
        held.open()
        for comparison in ordered:
            until(lambda of=comparison: ended(server, of) == ["done", "done"], "both sides are made")
        assert all(event["seconds"] >= 0 for event in server.events("side_ended"))
        until(lambda: server.get("/readyz").json()["index_age_s"] < 5, "the index is renewed by the right clock")
        assert "No comparison yet" not in look(server, "history").texts()
        assert server.events("script_error") == []
        assert server.events("thread_crashed") == []
        assert server.events("round_crashed") == []


def ahead_s(server: Server) -> float:
    """How far its clock is ahead of ours."""
    told = parsedate_to_datetime(server.get("/healthz").headers["date"])
    return (told - datetime.now(UTC)).total_seconds()


def test_openai_away_and_back(tmp_path: Path) -> None:
    """The offline reader takes over and says so, the failed sides say what to do, and then it works again."""
    port = own_port()
    settings = {
        "DEMO_TOKEN": "off",
        "OPENAI_API_KEY": "sk-key-of-a-test",
        "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1",
        "OPENAI_STREAMING": "on",
    }
    with serving(tmp_path, settings, forked=True) as server:
        server.ready()
        comparison, drawn = order(server)
        until(lambda: ended(server, comparison) == ["failed", "failed"], "both sides have failed")
        assert 'engine="openai",outcome="unavailable"' in server.ask("/metrics").text
        assert server.get("/readyz").status_code == 200
        assert server.events("openai_reader_failed")
        with FakeOpenAI().serving(port):
            comparison, drawn = order(server, f"{PROMPT}, again")
            assert drawn.failures() == []
            until(lambda: ended(server, comparison) == ["done", "done"], "both sides are made")
