"""The house that is besieged: the dashboard in production behind nginx, its S3, its Google, and what its log says."""

from __future__ import annotations

import json
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from core.identity.session import SessionSigner
from tests.deploy.test_nginx import nginx_before
from tests.fakes.google import CLIENT_SECRET, FakeGoogle
from tests.support.dashboards.https_studio import ADA, BO, START
from tests.support.dashboards.production import KEY, LISTED, MADE, ORIGIN, PICTURE, SECRET, Production, settings_of
from tests.support.ports import give_back, own_port
from tests.support.processes.programs import ROOT
from tests.support.processes.servers import Server, serving
from tests.support.s3.moto_server import moto_server, with_bucket
from tests.support.s3.servers import client_of
from tests.support.timeouts import LONG_S

FORGOTTEN_S = 10
_NOT_OURS = ("view your Streamlit app", "URL:")  # the two lines by which Streamlit says where it listens


@dataclass(frozen=True, slots=True)
class House:
    """The running site: `url` is nginx's, `studio` the process behind it as attackers know it."""

    url: str
    trust: ssl.SSLContext
    google: FakeGoogle
    server: Server
    studio: Production

    def browser(self, cookie: str = "") -> httpx.Client:
        """Somebody's browser, through nginx."""
        headers = {"Cookie": cookie} if cookie else {}
        return httpx.Client(base_url=self.url, verify=self.trust, timeout=LONG_S, headers=headers)

    @property
    def memory_mb(self) -> float:
        return psutil.Process(self.server.process.pid).memory_info().rss / 2**20

    def incidents(self) -> list[str]:
        """The lines that tell of something nobody expected, and those that are no event of the log."""
        lines = [
            line for line in self.server.log.splitlines() if line.strip() and not any(o in line for o in _NOT_OURS)
        ]
        return [line for line in lines if not _is_event(line) or '"incident"' in line or "Traceback" in line]


def _is_event(line: str) -> bool:
    try:
        return {"event", "level", "timestamp"} <= json.loads(line).keys()
    except (ValueError, AttributeError):
        return False


@contextmanager
def besieged_house(folder: Path) -> Iterator[House]:
    """Start all of it, with the sample portraits in its bucket."""
    samples = ROOT / "samples" / "refs"
    pictures = {f"refs/{each.relative_to(samples).as_posix()}": each.read_bytes() for each in samples.rglob("*.jpg")}
    google, port = FakeGoogle(ADA, BO, redirect_uri=f"{ORIGIN}/oauth/callback"), own_port()
    with moto_server() as s3, google.serving(), nginx_before(folder, (port, port)) as (url, trust):
        objects = {KEY: PICTURE, MADE: PICTURE, "studio/access.json": LISTED, **pictures}
        bucket = with_bucket(s3, objects)
        client = client_of(bucket)
        heads = {key: client.head_object(Bucket=bucket.bucket, Key=key) for key in objects}
        etags = {key: head["ETag"].strip('"') for key, head in heads.items()}
        program = (sys.executable, str(START), google.authorize_url, google.token_url, google.certs_url, "60")
        # Streamlit keeps a page's state for ten minutes after its socket is gone; here one can wait for its end
        forgotten = {"STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL": str(FORGOTTEN_S)}
        settings = settings_of(bucket) | {"GOOGLE_CLIENT_SECRET": CLIENT_SECRET} | forgotten
        with (
            serving(folder / "studio", settings, port=port, program=program, forked=True) as server,
            httpx.Client(base_url=server.url, timeout=LONG_S) as asked,
        ):
            server.ready()
            pid = server.process.pid or 0
            studio = Production(server.url, server.log_file, bucket, etags, SessionSigner(SECRET), asked, pid)
            yield House(url, trust, google, server, studio)
    give_back(port)
