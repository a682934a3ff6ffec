"""A dashboard in production as its attackers meet it: a server process, its bucket, and cookies of every kind."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from core.identity.google import GoogleAccount
from core.identity.session import Session, SessionSigner
from core.web.http.addresses import image_url
from tests.fakes.google import CLIENT_ID
from tests.support.dashboards.dashboard import dashboard
from tests.support.processes.programs import ROOT, TRUSTS_NOBODY
from tests.support.s3.moto_server import moto_server, with_bucket
from tests.support.s3.servers import S3Server, client_of
from tests.support.timeouts import LONG_S

ORIGIN = "https://studio.example"
COOKIE = "__Host-studio"
SECRET = "kept-session-secret-long-enough-to-sign-with"
CLIENT_SECRET = "kept-client-secret"
METRICS_TOKEN = "kept-token-for-prometheus"
KEY = "refs/01. Model/a(natural,film) eye-level/Ada 03.jpg"
MADE = "studio/generations/2026/11/22/01KAM8K4T0YZ7C4D0Q7H7P3N5E/tone-only-1.png"
PICTURE = (ROOT / "samples" / KEY).read_bytes()
LISTED = b"""{"people": {"ada@studio.example": "admin", "ops@studio.example": "ops", "mal@studio.example": "blocked"},
 "domains": {"studio.example": "designer"}}"""
PAGES = ("", "generate", "references", "labels", "history", "vote", "people")

_addresses = map(str, ip_network("198.18.0.0/15").hosts())  # for tests of networks (RFC 2544)


def session(email: str = "kim@studio.example", *, hosted_domain: str = "studio.example", **changes: object) -> Session:
    """A session of somebody who is on the list, with changes."""
    account = GoogleAccount(f"subject-of-{email}", email, "Kim", hosted_domain)
    return replace(Session.of(account, epoch=0, now=time.time()), **changes)  # type: ignore[arg-type]


def own_address() -> str:
    """An address that nobody else comes from, as the proxy in front would tell it."""
    return next(_addresses)


def from_our_page(**changes: str | None) -> dict[str, str]:
    """The headers of a request by our own page's script, with changes; None leaves one out.

    Each call comes from another address, as the proxy in front would tell it: the limit has a test of its own.
    """
    said = {
        "Origin": ORIGIN,
        "Sec-Fetch-Site": "same-origin",
        "X-Studio-Session": "1",
        "X-Forwarded-For": own_address(),
    }
    named = {name.replace("_", "-"): value for name, value in changes.items()}
    return {name: value for name, value in (said | named).items() if value is not None}


@dataclass
class Production:
    """The running server. What it must never tell is collected in `secrets`."""

    url: str
    log: Path
    s3: S3Server
    etags: dict[str, str]
    signer: SessionSigner
    client: httpx.Client
    pid: int
    secrets: list[str] = field(default_factory=lambda: [SECRET, CLIENT_SECRET, METRICS_TOKEN])

    def cookie(self, of: Session | None = None) -> str:
        """A cookie as the server itself would seal it."""
        return self._kept(self.signer.cookie(of or session()))

    def login_token(self, of: Session | None = None, *, now: float | None = None) -> str:
        """A login token as the server itself would seal it."""
        return self._kept(self.signer.login_token(of or session(), now=now or time.time()))

    def _kept(self, secret: str) -> str:
        self.secrets.append(secret)
        return secret

    def post(self, body: str | bytes = b"", cookie: str | None = None, **changes: str | None) -> httpx.Response:
        """POST /session."""
        return self._session("POST", body, cookie, changes)

    def sign_out(self, cookie: str, **changes: str | None) -> httpx.Response:
        """DELETE /session."""
        return self._session("DELETE", b"", cookie, changes)

    def _session(
        self, method: str, body: str | bytes, cookie: str | None, changes: dict[str, str | None]
    ) -> httpx.Response:
        headers = from_our_page(**changes) | ({"Cookie": f"{COOKIE}={cookie}"} if cookie is not None else {})
        return self.client.request(method, "/session", content=body, headers=headers)

    def figures(self) -> str:
        """What /metrics tells its operator."""
        return self.client.get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"}).text

    def lets_in(self, cookie: str) -> bool:
        """Whether a picture is served for this cookie."""
        path = image_url(KEY, self.etags[KEY])
        answer = self.client.get(path, headers={"Cookie": f"{COOKIE}={cookie}"})
        assert answer.status_code in (200, 401)
        return answer.status_code == 200

    def raw(
        self, method: str, path: str, headers: dict[str, str] | None = None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """An answer to a path exactly as it is written: other clients tidy it up first."""
        with closing(http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=LONG_S)) as connection:
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            return answer, answer.read()

    def wire(self, sent: bytes) -> bytes:
        """Everything the server says to these bytes, until it or half a second of silence ends it."""
        address = urlsplit(self.url)
        with socket.create_connection((address.hostname, address.port or 0), timeout=LONG_S) as line:
            line.sendall(sent)
            line.settimeout(LONG_S)
            heard = b""
            while True:
                try:
                    part = line.recv(65536)
                except TimeoutError:
                    return heard
                if not part:
                    return heard
                heard += part
                line.settimeout(0.3)

    def websocket(
        self, cookie: str | None = None, *, origin: str | None = None, resume: str = "", elsewhere: bool = False
    ) -> ClientConnection:
        """A WebSocket to Streamlit's server as a browser opens it; `resume` names a session to go on with.

        One from `elsewhere` comes from an address of its own, as the proxy in front would tell it.
        """
        return streamlit_socket(self.url, cookie, origin=origin, resume=resume, elsewhere=elsewhere)

    def page(self, name: str, cookie: str | None = None, *, script_hash: str = "") -> bytes:
        """Everything that is sent of a page."""
        with self.websocket(cookie) as line:
            return run(line, name, script_hash=script_hash)[0]


def streamlit_socket(
    url: str, cookie: str | None = None, *, origin: str | None = None, resume: str = "", elsewhere: bool = False
) -> ClientConnection:
    """A WebSocket to a dashboard, as `Production.websocket` says."""
    host = urlsplit(url).netloc
    protocols = ["streamlit", "no-token", *([resume] if resume else [])]
    return connect(
        f"ws://{host}/_stcore/stream",
        origin=Origin(origin if origin is not None else f"http://{host}"),
        additional_headers={
            **({"Cookie": f"{COOKIE}={cookie}"} if cookie is not None else {}),
            **({"X-Forwarded-For": next(_addresses)} if elsewhere else {}),
        },
        subprotocols=[Subprotocol(name) for name in protocols],
        proxy=None,
        open_timeout=LONG_S,
        max_size=None,
    )


def run(line: ClientConnection, page: str = "", *, script_hash: str = "") -> tuple[bytes, str]:
    """Have the script run for a page: all that comes until it has ended, and the name of the session."""
    asked = BackMsg()
    asked.rerun_script.page_name = page
    asked.rerun_script.page_script_hash = script_hash
    asked.rerun_script.context_info.url = f"{ORIGIN}/{page}"
    line.send(asked.SerializeToString())
    heard, name = b"", ""
    for frame in frames_of(line):
        heard += frame
        told = ForwardMsg.FromString(frame)
        if told.WhichOneof("type") == "new_session":
            name = told.new_session.initialize.session_id
    return heard, name


def frames_of(line: ClientConnection) -> Iterator[bytes]:
    """All that comes until the script has run to its end; it may begin anew by itself."""
    while True:
        frame = line.recv(timeout=LONG_S)
        assert isinstance(frame, bytes)
        yield frame
        told = ForwardMsg.FromString(frame)
        if told.WhichOneof("type") == "script_finished" and told.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            return


def settings_of(bucket: S3Server, *, public_url: str = ORIGIN) -> dict[str, str]:
    """What a server in production is told about its bucket and its sign-in."""
    return {
        "S3_BUCKET": bucket.bucket,
        "S3_ENDPOINT_URL": bucket.endpoint_url,
        "AWS_ACCESS_KEY_ID": bucket.access_key,
        "AWS_SECRET_ACCESS_KEY": bucket.secret_key,
        "GOOGLE_CLIENT_ID": CLIENT_ID,
        "GOOGLE_CLIENT_SECRET": CLIENT_SECRET,
        "PUBLIC_URL": public_url,
        "SESSION_SECRET": SECRET,
        "METRICS_TOKEN": METRICS_TOKEN,
        "ADMIN_EMAILS": "ada@studio.example",
    }


@contextmanager
def production(
    folder: Path, more: Mapping[str, str] = {}, *, pictures: Mapping[str, bytes] = {}
) -> Iterator[Production]:
    """Start one, with a list of people, a reference, a finished picture and `pictures`; `more` are settings."""
    with moto_server() as server:
        objects = {KEY: PICTURE, MADE: PICTURE, "studio/access.json": LISTED, **pictures}
        bucket = with_bucket(server, objects)
        s3 = client_of(bucket)
        etags = {key: s3.head_object(Bucket=bucket.bucket, Key=key)["ETag"].strip('"') for key in objects}
        with (
            dashboard(folder, {**settings_of(bucket), **more}) as running,
            httpx.Client(base_url=running.url, timeout=LONG_S, verify=TRUSTS_NOBODY) as client,
        ):
            yield Production(running.url, running.log, bucket, etags, SessionSigner(SECRET), client, running.pid)
