"""The dashboard behind HTTPS with a fake Google, as people meet it who sign in."""

from __future__ import annotations

import json
import re
import ssl
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Locator, Page, expect

from core.injection.request.wishes import SideName
from core.web.http.addresses import ORIGINAL, image_url, partial_url
from tests.fakes.google import CLIENT_ID, CLIENT_SECRET, Account, FakeGoogle
from tests.support.browser.certificate import certificate
from tests.support.dashboards.dashboard import Tab
from tests.support.ports import give_back, own_port
from tests.support.processes.clock import Clock
from tests.support.processes.programs import Program, clean_environment
from tests.support.s3.servers import S3Server, client_of
from tests.support.timeouts import LONG_S

START = Path(__file__).with_name("serve_signed_in.py")
METRICS_TOKEN = "kept-token-for-prometheus"
SESSION_SECRET = "kept-session-secret-long-enough-to-sign-with"
ADA = Account("ada@studio.example", "Ada Okafor", "studio.example")
BO = Account("bo@studio.example", "Bo Lind", "studio.example")
BOSS = Account("boss@studio.example", "Kim Park", "studio.example")
STRANGER = Account("sam@elsewhere.example", "Sam", "elsewhere.example")


@dataclass
class HttpsStudio:
    """A server process that can be ended and started again on the same port."""

    folder: Path
    s3: S3Server
    google: FakeGoogle
    port: int
    clock: Clock | None = None
    more: Mapping[str, str] = field(default_factory=dict)  # settings
    max_age_s: float = 6.0  # of the list and of ended sessions; too young, and a busy machine reads nothing else
    _checked_bytes: int = 0
    _program: Program | None = None

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "log.txt"

    @property
    def settings(self) -> dict[str, str]:
        return {
            **clean_environment(self.folder),
            "DATA_DIR": str(self.folder / "data"),
            "S3_BUCKET": self.s3.bucket,
            "S3_ENDPOINT_URL": self.s3.endpoint_url,
            "AWS_ACCESS_KEY_ID": self.s3.access_key,
            "AWS_SECRET_ACCESS_KEY": self.s3.secret_key,
            "AWS_DEFAULT_REGION": "us-east-1",
            "GOOGLE_CLIENT_ID": CLIENT_ID,
            "GOOGLE_CLIENT_SECRET": CLIENT_SECRET,
            "PUBLIC_URL": self.url,
            "SESSION_SECRET": SESSION_SECRET,
            "METRICS_TOKEN": METRICS_TOKEN,
            "ALLOWED_DOMAINS": "studio.example",
            "ADMIN_EMAILS": BOSS.email,
            **self.more,
        }

    @property
    def trust(self) -> ssl.SSLContext:
        """Who believes the server's certificate."""
        return certificate().trust

    def start(self, answers: str = "/readyz") -> None:
        """Start the server and wait until it is ready, or answers on another path."""
        command = [sys.executable, str(START), self.google.authorize_url, self.google.token_url, self.google.certs_url]
        command += [str(self.max_age_s), f"--server.port={self.port}", "--server.address=127.0.0.1"]
        command += [f"--server.sslCertFile={certificate().chain}", f"--server.sslKeyFile={certificate().key}"]
        environment = self.settings | (self.clock.environment if self.clock else {})
        self._program = Program(command, self.log, environment, forked=self.clock is None)
        self._program.answers(f"{self.url}{answers}", trust=self.trust)

    def stop(self) -> None:
        """End the server as an operator does. Raises AssertionError if its log tells of something unexpected.

        What it says while it ends does not count: requests under way are cut off then.
        """
        if self._program is None:
            return
        told = self.log.read_bytes()[self._checked_bytes :].decode("utf-8", "replace")
        self._program.end()
        self._program = None
        self._checked_bytes = self.log.stat().st_size
        unexpected = [line for line in told.splitlines() if "script_error" in line or "Traceback" in line]
        assert unexpected == [], told.replace("\\n", "\n")

    def restart(self) -> None:
        self.stop()
        self.start()

    def refusals(self, event: str) -> int:
        """How many of these the server has counted, for whatever reason."""
        as_operator = {"Authorization": f"Bearer {METRICS_TOKEN}"}
        told = httpx.get(f"{self.url}/metrics", headers=as_operator, verify=self.trust, timeout=LONG_S).text
        counts = re.findall(rf'^studio_refusals_total{{event="{event}",.*}} ([\d.]+)$', told, re.MULTILINE)
        return sum(int(float(count)) for count in counts)

    def access_list(self, people: Mapping[str, str], domains: Mapping[str, str] | None = None) -> None:
        """Put a list of people into S3, as another server's admin would."""
        content = {"version": 1, "people": dict(people), "domains": dict(domains or {}), "changes": []}
        self.put("studio/access.json", json.dumps(content).encode())

    def put(self, key: str, data: bytes) -> None:
        client_of(self.s3).put_object(Bucket=self.s3.bucket, Key=key, Body=data)

    def read(self, key: str) -> Any:
        return json.loads(client_of(self.s3).get_object(Bucket=self.s3.bucket, Key=key)["Body"].read())

    def delete(self, *keys: str) -> None:
        for key in keys:
            client_of(self.s3).delete_object(Bucket=self.s3.bucket, Key=key)


@contextmanager
def https_studio(folder: Path, s3: S3Server, clock: Clock | None = None, **more: str) -> Iterator[HttpsStudio]:
    """Serve a bucket over HTTPS until the block ends."""
    port = own_port()
    google = FakeGoogle(ADA, BO, BOSS, STRANGER, redirect_uri=f"https://localhost:{port}/oauth/callback")
    with google.serving():
        studio = HttpsStudio(folder, s3, google, port, clock, more)
        try:
            studio.start()
            yield studio
        finally:
            studio.stop()
            give_back(port)


def press_sign_in(tab: Tab) -> Page:
    """Press the button of the login page and return the pop-up."""
    button = tab.page.frame_locator(".st-key-door iframe").get_by_role("button", name="Sign in with Google")
    with tab.page.expect_popup() as popup:
        button.click()
    return popup.value


def sign_in(tab: Tab, account: Account) -> None:
    """Sign in through the pop-up, as a person does."""
    choose(press_sign_in(tab), account)


def in_this_tab(tab: Tab) -> Locator:
    return tab.page.get_by_role("link", name="Sign in in this tab")


def signs_in_here(tab: Tab, account: Account = ADA) -> None:
    """Sign in without a pop-up, which takes half as much of the processor."""
    in_this_tab(tab).click()
    choose(tab.page, account)
    expect_inside(tab, account)


def choose(popup: Page, account: Account) -> None:
    popup.get_by_role("link", name=account.email).click()


def expect_login_page(tab: Tab, says: str = "Fair comparisons") -> None:
    """The login page, with nothing of a page."""
    expect(tab.main).to_contain_text(says)
    expect(tab.page.get_by_role("navigation", name="App pages").get_by_role("link")).to_have_count(0)
    expect(tab.page.locator(".st-key-person-menu")).to_have_count(0)


def expect_inside(tab: Tab, account: Account) -> None:
    """A page with the person's menu."""
    expect(tab.page.locator(".st-key-person-menu").get_by_role("button").first).to_contain_text(account.name)


def picture_paths(key: str, etag: str) -> list[str]:
    """Every address under which a picture may be had."""
    return [
        image_url(key, etag),
        image_url(key, etag, 960),
        image_url(key, etag, ORIGINAL),
        image_url(key, etag, ORIGINAL, download_as="picture.jpg"),
        partial_url("01M81AWXAK8CRY1N6BYMMB3E81", SideName.TONE_ONLY, 0.3),
    ]
