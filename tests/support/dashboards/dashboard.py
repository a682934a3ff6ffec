"""The dashboard as its tests meet it: a real server process, and a browser's tab on it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from botocore.config import Config
from playwright.sync_api import BrowserContext, ConsoleMessage, Download, Locator, Page, Response, WebError, expect

from core.references.key import decode_key
from tests.support.browser.chromium import PATIENCE_MS
from tests.support.processes.servers import serving
from tests.support.s3.plain_client import plain_client
from tests.support.timeouts import LONG_S

# On a page's URL Streamlit's client first looks for its server below that page, and finds it one level up.
# And a picture on its way may be finished, and so gone from there, before the browser has asked for it.
_MAY_BE_MISSING = re.compile(r"/[^/]+/_stcore/(health|host-config)$|/partial/\w{26}/[\w-]+\?p=")
# What a browser says while a server is ended and started again.
_NOBODY_ANSWERS = re.compile(
    r"net::ERR_\w+"  # refused, reset, empty, broken off in the middle: whatever it was at
    r"|No response received when attempting to reach|WebSocket connection to .* failed|Is Streamlit still running"
    r"|Streamlit server is not responding|DoInitPings timed out|Image source error"
)
# What it says of a page that is left while it still loads, or while a part of it is about to run by itself.
_LEFT_WHILE_LOADING = re.compile(
    r"Failed to fetch|Unable to preload CSS|Cannot send rerun backMessage when disconnected from server"
    r"|WebSocket is already in CLOSING or CLOSED state"
)


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A running server with its embedded S3."""

    url: str
    data_dir: Path
    log: Path
    pid: int = 0

    def s3(self) -> Any:
        """A boto3 client on the embedded S3: an eye on the records that is not the dashboard's own."""
        where = json.loads((self.data_dir / "s3.endpoint.json").read_text("utf-8"))
        keys = json.loads((self.data_dir / "s3.credentials.json").read_text("utf-8"))
        return s3_client(where["endpoint_url"], keys["access_key"], keys["secret_key"])

    def keys(self, prefix: str = "") -> list[str]:
        """Every key of the bucket under `prefix`."""
        pages = self.s3().get_paginator("list_objects_v2").paginate(Bucket="studio", Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", ())]

    def read(self, key: str) -> bytes:
        body: bytes = self.s3().get_object(Bucket="studio", Key=key)["Body"].read()
        return body

    def put(self, key: str, data: bytes) -> None:
        self.s3().put_object(Bucket="studio", Key=key, Body=data)

    def record(self, comparison: str) -> dict[str, Any]:
        """A comparison's record as S3 holds it."""
        return self._json(f"{comparison}/comparison.json")

    def outcome(self, comparison: str, side: str, attempt: int = 1) -> dict[str, Any]:
        """What S3 says became of one attempt."""
        return self._json(f"{comparison}/{side}-{attempt}.json")

    def comparisons(self) -> list[str]:
        """The ids of all comparisons in S3, oldest first."""
        keys = self.keys("studio/generations/")
        return sorted(key.split("/")[-2] for key in keys if key.endswith("/comparison.json"))

    def _json(self, end: str) -> dict[str, Any]:
        (key,) = (key for key in self.keys("studio/generations/") if key.endswith(f"/{end}"))
        found: dict[str, Any] = json.loads(self.read(key))
        return found


def s3_client(endpoint_url: str, access_key: str, secret_key: str) -> Any:
    return plain_client(
        endpoint_url=endpoint_url,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 2}),
    )


@contextmanager
def dashboard(folder: Path, settings: Mapping[str, str] = {}, **options: Any) -> Iterator[Dashboard]:
    """Fork a dashboard with nothing but these settings; `options` as a Server takes them.

    Raises AssertionError in the end if something happened that the program did not expect.
    """
    with serving(folder, settings, **({"forked": "before" not in options} | options)) as server:
        server.ready()
        yield Dashboard(server.url, server.data_dir, server.log_file, server.process.pid or 0)
    assert server.unexpected() == [], "\n".join(server.unexpected()).replace("\\n", "\n")


@dataclass
class Visitor:
    """A browser of its own: cookies, cache, and everything its console complained about.

    Of a dashboard that is restarted under its eyes it may say that nobody answers.
    """

    context: BrowserContext
    home: str
    is_restarted: bool = False
    complaints: list[str] = field(default_factory=list)
    before: list[Page] = field(init=False)
    pages: list[Page] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.before = list(self.context.pages)
        self.context.set_default_timeout(PATIENCE_MS)
        self.context.on("console", self._listen)
        self.context.on("weberror", self._hear)

    def leave(self) -> None:
        """Listen no more: the context is for somebody else."""
        self.context.remove_listener("console", self._listen)
        self.context.remove_listener("weberror", self._hear)

    def _hear(self, error: WebError) -> None:
        self.complaints.append(str(error.error))

    def _listen(self, message: ConsoleMessage) -> None:
        source = message.location.get("url", "")
        is_away = self.is_restarted and _NOBODY_ANSWERS.search(message.text) is not None
        is_left = _LEFT_WHILE_LOADING.search(message.text) is not None
        if message.type == "error" and not is_away and not is_left and not _MAY_BE_MISSING.search(source):
            self.complaints.append(f"{message.text} ({source})")

    def page(self) -> Page:
        """A blank page, the first time the one of who had this context before.

        Who listens to a page, or changes more of it than size and media, asks the context for a new one.
        """
        page = self.before.pop() if self.before else self.context.new_page()
        self.pages.append(page)
        return page

    def open(self, path: str = "/") -> Tab:
        """A tab on a page of the dashboard, drawn."""
        tab = Tab(self.page(), self.home)
        tab.goto(path)
        return tab


@dataclass
class Tab:
    """A tab, spoken of in the words of the screen."""

    page: Page
    home: str

    def goto(self, path: str) -> Response | None:
        answer = self.page.goto(self.home + path)
        self.settled()
        return answer

    def settled(self) -> None:
        """Wait until the server has drawn the page and nothing is on its way."""
        self.page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')

    def verdict(self, controlled: str) -> Locator:
        """The badge that says whether a pair is controlled; Streamlit draws one with a tooltip twice."""
        return self.main.get_by_text(f"controlled: {controlled}").first

    def pictures_loaded(self) -> None:
        """Wait until every picture within the window, in components too, can be painted or has failed."""
        expect(self.page.get_by_role("progressbar", name=re.compile("^Loading "))).to_have_count(0)
        self.page.evaluate(
            """async () => {
              const all = [];
              const visit = (root) => {
                all.push(...root.querySelectorAll("img"));
                root.querySelectorAll("*").forEach((node) => node.shadowRoot && visit(node.shadowRoot));
              };
              visit(document);
              const isSeen = (img) => {
                const box = img.getBoundingClientRect();
                return img.src && box.width && box.bottom > 0 && box.top < innerHeight;
              };
              await Promise.allSettled(all.filter(isSeen).map((img) => img.decode()));
            }"""
        )

    def still(self) -> None:
        """Wait until nothing on the page moves any more, and its pictures have loaded."""
        self.settled()
        self.pictures_loaded()
        self.page.evaluate(
            """async () => {
              const frame = () => new Promise(requestAnimationFrame);
              const places = () => JSON.stringify(
                [...document.querySelectorAll("img, button, input, p")].map((node) => node.getBoundingClientRect())
              );
              const ends = (animation) => animation.effect.getTiming().iterations !== Infinity;
              for (let before = "", calm = 0; calm < 4; before = places()) {
                await frame();
                await Promise.allSettled(document.getAnimations().filter(ends).map((one) => one.finished));
                calm = before === places() ? calm + 1 : 0;
              }
            }"""
        )

    def comes_to(self, holds: Callable[[], bool]) -> bool:
        """Whether something holds once the page stands still; a busy machine brings its parts one after the other."""
        deadline = time.monotonic() + LONG_S
        while not holds() and time.monotonic() < deadline:
            self.still()
        return holds()

    @property
    def main(self) -> Locator:
        return self.page.get_by_role("main")

    @property
    def prompt(self) -> Locator:
        return self.page.get_by_role("textbox", name="Prompt")

    def type_prompt(self, text: str) -> None:
        self.prompt.fill(text)
        self.prompt.press("Tab")

    def tile(self, kind: Literal["Tone", "Angle"], name: str) -> Locator:
        """One of the composer's pictures to choose from."""
        return self.page.get_by_role("group", name=kind, exact=True).get_by_role("button", name=name, exact=True)

    def choose(self, label: str, option: str) -> None:
        """Pick from a drop-down list, and wait until it is gone: it hides all else from whoever asks by role."""
        self.unfold(label)
        self.page.get_by_role("option", name=re.compile(f"^{re.escape(option)}")).click()
        expect(self.page.get_by_test_id("stSelectboxVirtualDropdown")).to_have_count(0)

    def unfold(self, label: str) -> None:
        """Open a drop-down list; it is scrolled to before, for a scroll that ends after the press closes it.

        So does the scroll to a list that has moved since: in a sidebar that slides in everything stands elsewhere.
        """
        self.still()
        box = self.page.get_by_role("combobox", name=label, exact=True)
        box.evaluate(  # all at once: a run may put another list in its place between two steps
            """(node) => {
              node.scrollIntoView({ block: "nearest" });
              return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
            }"""
        )
        box.click()

    def button(self, name: str) -> Locator:
        """The first button of this name."""
        return self.page.get_by_role("button", name=name).first

    @property
    def generate(self) -> Locator:
        return self.main.get_by_role("button", name=re.compile(r"^Generate"))

    @property
    def downloads(self) -> Locator:
        """The links that save the finished pictures."""
        return self.main.get_by_role("link", name="PNG")

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    @property
    def shown_comparison(self) -> str:
        """The comparison the URL names."""
        expect(self.page).to_have_url(re.compile(r"[?&]comparison=\w{26}"))
        return self.page.url.split("comparison=")[1][:26]

    def injected(self) -> list[str]:
        """The keys of the references that are shown as going in, from first to last."""
        pictures = self.main.get_by_role("img", name=re.compile(r"^(tone|angle|person) reference "))
        return [key_of(url) for url in pictures.evaluate_all("all => all.map((img) => img.src)")]

    def cards(self, grid: str) -> Locator:
        """The cards of a picture grid, be they to open only or to select as well; without their stars."""
        page = self.page
        opened = page.get_by_role("list", name=grid).locator('[role="button"]')
        return opened.or_(page.get_by_role("listbox", name=grid).get_by_role("option"))

    def text(self) -> str:
        """All the words of the main part, each run of white space as one blank."""
        return " ".join(self.main.inner_text().split())

    def save(self, link: Locator) -> Download:
        """What the link downloads. In a tab of its own it is told of by that tab, if that one was ready in time."""
        link.evaluate("link => (link.target = '_self')")
        with self.page.expect_download() as download:
            link.click()
        return download.value


def key_of(picture_url: str) -> str:
    """The reference a picture's URL stands for."""
    return decode_key(picture_url.split("?")[0].rsplit("/", 1)[1])


def expect_line(tab: Tab, *, is_there: bool) -> None:
    """Whether the tab is connected to a server, or will soon be or not be."""
    app = expect(tab.page.get_by_test_id("stApp"))
    check = app.to_have_attribute if is_there else app.not_to_have_attribute
    check("data-test-connection-state", "CONNECTED", timeout=2 * PATIENCE_MS)
