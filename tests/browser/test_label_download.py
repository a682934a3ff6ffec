"""A server that cannot write its label file: what was published is taken away by hand, by who may."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import expect

from bench.checkout import copy_of_the_checkout
from core.identity.session import SessionSigner
from tests.browser.conftest import Visit
from tests.support.dashboards.dashboard import Dashboard, Visitor, dashboard
from tests.support.dashboards.production import KEY, PICTURE, SECRET, session, settings_of
from tests.support.processes.programs import ROOT
from tests.support.s3.moto_server import moto_server, with_bucket
from tests.support.timeouts import LONG_S

ACCESS = b'{"people": {"olga@studio.example": "ops"}, "domains": {"studio.example": "designer"}}'
# A folder's mode says nothing to root, unless it starts the server without the power to overrule it.
AS_EVERYBODY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


@dataclass(frozen=True, slots=True)
class ReadOnly:
    """The dashboard, and the label file that it can read and not write."""

    studio: Dashboard
    file: Path

    def signed_in(self, visitor: Visitor, email: str) -> str:
        """Let this browser be somebody's; the cookie."""
        cookie = SessionSigner(SECRET).cookie(session(email))
        visitor.context.add_cookies([{"name": "studio", "value": cookie, "url": self.studio.url}])
        return cookie

    def get(self, path: str, cookie: str = "") -> httpx.Response:
        """An answer to somebody with this cookie, or with none."""
        return httpx.get(self.studio.url + path, cookies={"studio": cookie} if cookie else {}, timeout=LONG_S)


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[ReadOnly]:
    checkout = copy_of_the_checkout(tmp_path)
    labels = checkout / "labels"
    with moto_server() as server:
        another = KEY.replace("Ada 03", "Ben 04")
        pictures = {KEY: PICTURE, another: (ROOT / "samples" / another).read_bytes()}
        bucket = with_bucket(server, pictures | {"studio/access.json": ACCESS})
        settings = settings_of(bucket, public_url="http://127.0.0.1:1")
        labels.chmod(0o555)
        try:
            with dashboard(tmp_path, settings, root=checkout, before=AS_EVERYBODY) as studio:
                yield ReadOnly(studio, labels / "personas.jsonl")
        finally:
            labels.chmod(0o755)


def test_what_cannot_be_written_is_downloaded_by_people_who_are_signed_in_and_nobody_else(
    read_only: ReadOnly, visit: Visit
) -> None:
    before = read_only.file.read_bytes()
    olga = visit(read_only.studio)
    cookie = read_only.signed_in(olga, "olga@studio.example")
    tab = olga.open("/labels")
    expect(tab.page.locator(".desk .status")).to_contain_text("2 waiting")
    tab.page.keyboard.press("a")
    expect(tab.page.locator(".desk .status")).to_contain_text("all saved · 1 waiting")
    tab.button("Publish…").click()
    expect(tab.dialog).to_contain_text("0 corrections, 1 acceptance by olga@studio.example")
    tab.dialog.get_by_role("button", name="Publish", exact=True).click()
    expect(tab.dialog).to_contain_text("This server cannot write labels/personas.jsonl.")
    assert read_only.file.read_bytes() == before

    download = tab.save(tab.dialog.get_by_role("button", name="Download personas.jsonl"))
    after = download.path().read_bytes()
    assert download.suggested_filename == "personas.jsonl"
    assert len(after.splitlines()) == len(before.splitlines())
    assert after.count(b"olga@studio.example") == 1

    path = urlsplit(download.url).path
    assert path.startswith("/media/"), "Streamlit offers it, under a name anybody could be told"
    theirs = read_only.get(path, cookie)
    assert (theirs.status_code, theirs.content, theirs.headers["Cache-Control"]) == (200, after, "no-store")
    for stranger in ("", "forged", SessionSigner("another secret, as long as ours").cookie(session())):
        told = read_only.get(path, stranger)
        assert (told.status_code, told.text) == (401, "Sign in to see this.")
