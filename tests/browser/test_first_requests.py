"""Every page's URL as the very first request to a server that has just started.

Streamlit has run a page's file before the script that asks who is there; this is where it would show.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from playwright.sync_api import expect

from core.injection.request.wishes import SideName
from core.web.http.addresses import ORIGINAL, PAGES, image_url, partial_url
from tests.browser.conftest import StartDashboard, Visit
from tests.support.dashboards.dashboard import Dashboard, Tab, dashboard, s3_client
from tests.support.dashboards.production import run, streamlit_socket
from tests.support.dashboards.socket_page import SocketPage
from tests.support.processes.programs import ROOT
from tests.support.s3.moto_server import moto_server

BUCKET = "library-behind-the-door"
KEY = "refs/01. Model/a(natural,film) eye-level/Ada 03.jpg"
NO_PAGES = ("/nothing", "/a/b")
FOREIGN_URL = "http://127.0.0.1:1"  # the public URL of a dashboard nobody can sign in to from here


@pytest.mark.parametrize(
    ("page", "only_there"),
    [
        ("", "Nothing planned yet"),
        ("generate", "Nothing planned yet"),
        ("references", "110 pictures in 40 groups"),
        ("labels", "82 of 82 portraits have a label"),
        ("history", "No comparison yet"),
        ("vote", "Which picture is better for this prompt?"),
        ("insights", "Nothing is known yet"),
        ("people", "In the demo nobody signs in"),
    ],
)
def test_the_first_request_finds_its_page(page: str, only_there: str, start_dashboard: StartDashboard) -> None:
    with streamlit_socket(start_dashboard().url) as line:
        first = SocketPage(line, page).run()
        assert first.says(only_there)
        assert first.says("demo@localhost")


def test_a_browsers_first_request_finds_its_page_and_the_way_to_every_other(
    start_dashboard: StartDashboard, visit: Visit
) -> None:
    tab = visit(start_dashboard()).open("/references")
    expect(tab.main).to_contain_text("110 pictures in 40 groups")
    expect(tab.main).to_contain_text("demo@localhost")
    expect(tab.page.get_by_role("navigation", name="App pages").get_by_role("link")).to_have_count(len(PAGES))
    expect(tab.dialog).to_have_count(0)


@dataclass(frozen=True, slots=True)
class ClosedLibrary:
    """A bucket that only people who sign in may see, and what must not be heard of it outside."""

    settings: dict[str, str]
    etag: str
    secrets: tuple[bytes, ...]


@pytest.fixture(scope="module")
def library() -> Iterator[ClosedLibrary]:
    with moto_server() as server:
        yield _closed_library(server.endpoint_url)


def _closed_library(endpoint_url: str) -> ClosedLibrary:
    s3 = s3_client(endpoint_url, "AKIDTEST", "secret")
    s3.create_bucket(Bucket=BUCKET)
    picture = (ROOT / "samples" / KEY).read_bytes()
    etag = s3.put_object(Bucket=BUCKET, Key=KEY, Body=picture)["ETag"].strip('"')
    settings = {
        "S3_BUCKET": BUCKET,
        "S3_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": "AKIDTEST",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "GOOGLE_CLIENT_ID": "anybody-may-know-this.apps.googleusercontent.com",
        "GOOGLE_CLIENT_SECRET": "kept-client-secret",
        "PUBLIC_URL": FOREIGN_URL,
        "SESSION_SECRET": "kept-session-secret-long-enough-to-sign-with",
        "ALLOWED_DOMAINS": "studio.example",
        "OPENAI_API_KEY": "kept-openai-key",
    }
    secrets = ("Ada", "a(natural,film)", "01. Model", "natural-film", BUCKET, etag, "/image/", "kept-")
    return ClosedLibrary(settings, etag, tuple(secret.encode() for secret in secrets))


@pytest.fixture(scope="module")
def closed(library: ClosedLibrary, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """A server that shows nobody anything, whatever it was asked before."""
    with dashboard(tmp_path_factory.mktemp("closed"), library.settings) as running:
        yield running


@pytest.mark.parametrize(
    "path", ["/", "/generate", "/references", "/labels", "/history", "/vote", "/people", *NO_PAGES]
)
def test_nobody_is_told_anything_by_the_first_request(
    path: str, library: ClosedLibrary, start_dashboard: StartDashboard
) -> None:
    studio = start_dashboard(library.settings)
    with streamlit_socket(studio.url) as line:
        told, _ = run(line, path[1:])
    told += httpx.get(studio.url + path).content
    assert b"You can sign in at" in told
    for secret in library.secrets:
        assert secret not in told


def test_nobody_sees_anything_before_signing_in(library: ClosedLibrary, closed: Dashboard, visit: Visit) -> None:
    visitor = visit(closed)
    tab = Tab(visitor.context.new_page(), closed.url)
    frames: list[bytes] = []
    tab.page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(_bytes(frame))))
    for path in ("/", "/references", *NO_PAGES):
        frames.clear()
        tab.goto(path)
        expect(tab.main).to_contain_text("You can sign in at")
        told = tab.page.content().encode()
        assert frames, "the page came without the WebSocket that is listened to"
        for secret in library.secrets:
            assert secret not in told
            assert not any(secret in frame for frame in frames)

        page = tab.page
        for pictured in page.get_by_role("img").all():
            assert pictured.get_attribute("alt") == "Logo"
        for role in ("textbox", "searchbox", "combobox", "list", "listbox", "slider"):
            expect(page.get_by_role(role)).to_have_count(0)
        expect(page.get_by_role("navigation", name="App pages").get_by_role("link")).to_have_count(0)
        expect(tab.dialog).to_have_count(0)
    # the console says so of what is no page
    visitor.complaints[:] = [line for line in visitor.complaints if "404 (Not Found)" not in line]


def test_pictures_are_served_to_nobody_before_signing_in(
    library: ClosedLibrary, closed: Dashboard, visit: Visit
) -> None:
    request = visit(closed).context.request
    for path in (
        image_url(KEY, library.etag),
        image_url(KEY, library.etag, 960),
        image_url(KEY, library.etag, ORIGINAL),
        image_url(KEY, library.etag, ORIGINAL, download_as="Ada.jpg"),
        image_url("refs/no such.jpg", library.etag),
        image_url("studio/generations/x/y.png", library.etag, ORIGINAL),
        partial_url("01M81AWXAK8CRY1N6BYMMB3E81", SideName.TONE_ONLY, 0.3),
    ):
        answer = request.get(closed.url + path)
        assert answer.status == 401, path
        assert answer.headers["cache-control"] == "no-store"
        assert len(answer.body()) < 200
    for path, status in (("/healthz", 200), ("/readyz", 200)):
        answer = request.get(closed.url + path)
        assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
        assert not any(secret in answer.body() for secret in library.secrets)


def _bytes(frame: str | bytes) -> bytes:
    return frame.encode() if isinstance(frame, str) else frame
