"""Attacks by markup: a stranger's link, a group's name and an object's key put no words of theirs into our mouth."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.test_bad_input import jpeg
from tests.support.browser.chromium import chromium
from tests.support.dashboards.dashboard import Dashboard, Tab, dashboard

MODELS = "refs/Evil www.evil.example $pwned$/01. Model"
GROUP = "noir [pwned](www.evil.example) **pwned** `pwned` :red[pwned] &lt;b&gt; <b>pwned"
NAME = "[pwned](www.evil.example) $pwned$ `:material_lock: :smile: www.evil.example # pwned 01.jpg"
KEY = f"{MODELS}/{GROUP}/{NAME}"
TONES = "refs/Evil www.evil.example $pwned$/02. Tone/noir :streamlit: *pwned* www.evil.example"
# What would be more than text, if it is theirs. The h2 of a dialog is ours.
MADE = (
    'a[href*="//evil.example"], a[href*="//www.evil"], a[href^="mailto"], .katex, h1, h3, h4, h5, h6, '
    'strong, em, b, del, img[alt="Streamlit logo"], [class*="stMarkdownColored"], [role=img]'
)

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """A dashboard into whose bucket somebody has put hostile names, who may do nothing else."""
    with dashboard(tmp_path_factory.mktemp("markup"), {"INDEX_REFRESH_S": "3600"}) as running:
        running.put(KEY, jpeg(90))
        running.put(f"{TONES}/Tone 01.jpg", jpeg(40))
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def page(browser: Browser) -> Page:
    """One for all: to load in a new one what this one has in its cache takes half as long again."""
    return browser.new_page(viewport={"width": 1440, "height": 900})


@pytest.fixture
def tab(studio: Dashboard, page: Page) -> Tab:
    """A new session: nothing of the last one's page is left."""
    page.goto("about:blank")
    return Tab(page, studio.url)


def theirs(place: Locator) -> list[str]:
    """What stands in it of theirs and is more than text."""
    found: list[str] = place.locator(MADE).evaluate_all("all => all.map((each) => each.outerHTML)")
    return [each for each in found if re.search(r'pwned|evil|😄|Streamlit logo|"lock icon"', each)]


@pytest.mark.parametrize(
    "value",
    [
        "x` [Sign in again](https://evil.example) `pwned",
        "`\n\n# pwned\n\n[Sign in again](https://evil.example)\n\n`",
        "www.evil.example https://evil.example <https://evil.example> kim@evil.example",
        "` :red[pwned] $pwned$ :material/lock: &lt;b&gt; <b>pwned</b> **pwned**",
        "[pwned]: https://evil.example",
    ],
)
def test_a_strangers_link_says_nothing_but_that_there_is_no_such_comparison(value: str, tab: Tab) -> None:
    tab.goto(f"/?comparison={quote(value)}")
    alert = tab.main.get_by_role("alert")
    shown = re.sub(r"\s+", " ", value)
    said = alert.get_by_test_id("stMarkdownContainer")
    expect(said).to_have_text(re.compile(f"^There is no comparison {re.escape(shown)}( in S3)?\\.$"))
    assert theirs(tab.page.locator("body")) == []
    assert said.locator("*:not(p, code, span)").count() == 0


def test_a_strangers_link_of_100_kb_is_a_line_with_its_middle_left_out(tab: Tab) -> None:
    tab.goto(f"/?comparison={'pwned' * 10_000}")
    said = tab.main.get_by_role("alert").get_by_test_id("stMarkdownContainer")
    expect(said).to_have_text(re.compile(r"^There is no comparison (pwned)+\w*…\w*(pwned)+( in S3)?\.$"))
    assert len(said.inner_text()) < 1100


def test_hostile_names_are_text_in_the_library(tab: Tab) -> None:
    tab.goto("/references?q=evil")
    tab.button("Refresh").click()
    tab.cards("References").filter(has_text=":material_lock:").click()
    expect(tab.dialog.get_by_role("heading")).to_have_text(NAME)
    expect(tab.dialog).to_contain_text(GROUP)
    assert theirs(tab.page.locator("body")) == []
    assert tab.dialog.get_by_role("heading").locator("*:not(p, div, span)").count() == 0


def test_hostile_names_are_text_in_a_plan_its_reasons_and_its_lines(tab: Tab) -> None:
    tab.goto("/references?q=evil")
    tab.button("Refresh").click()
    expect(tab.cards("References")).to_have_count(2)
    tab.goto("/generate")
    tab.choose("Person folder", "Evil www")
    tab.type_prompt("a person in noir light")
    tab.button("As each mode alone").click()
    model = tab.main.locator('[class*="st-key-slot-"]').filter(has_text="**pwned**").first
    model.get_by_role("button", name="Why").click()
    expect(tab.page.get_by_text(KEY, exact=True)).to_be_visible()
    assert theirs(tab.page.locator("body")) == []
    tab.page.get_by_role("button", name="Wrong match").click()
    expect(tab.page.get_by_text(f"{NAME} is queued for label review.")).to_be_visible()
    expect(tab.page.get_by_role("button", name="Wrong match")).to_have_count(0)
    assert theirs(tab.page.locator("body")) == []
