"""Addresses: Back and Forward restore a page's view at the first press; what is no page's address says so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visit
from tests.browser.states import drafted, make
from tests.support.dashboards.dashboard import Dashboard, Tab, dashboard

NOBODY = ",".join(f"designer{number:02}@studio.example" for number in range(90))
# What a page's view is for a person: what stands in its fields and which of its choices are made.
SHOWN = """() => {
  const main = document.querySelector('[data-testid="stMain"]');
  const all = (what) => [...main.querySelectorAll(what)];
  return [
    ...all("input:not([type=checkbox])").map((one) => `${one.getAttribute("aria-label")}: ${one.value}`),
    ...all("input[type=checkbox]").map((one) => `${one.getAttribute("aria-label")}: ${one.checked}`),
    ...all("[aria-checked], [aria-pressed], [aria-current]").map((one) =>
      [one.innerText, one.ariaChecked, one.ariaPressed, one.ariaCurrent].join(" ")),
  ];
}"""


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Dashboard]:
    """A dashboard with one comparison, and so many people that they are searched and turned page by page."""
    folder = tmp_path_factory.mktemp("addresses")
    with dashboard(folder, {"ALLOWED_EMAILS": NOBODY}) as running, chromium.new_context() as context:
        tab = Tab(context.new_page(), running.url)
        drafted(tab, "A porcelain bowl", tone="noir")
        make(tab)
        yield running


def shown(tab: Tab) -> tuple[str, list[str]]:
    """The address, and what stands in the page's fields."""
    return tab.page.url, tab.page.evaluate(SHOWN)


def finds_again(tab: Tab, before: tuple[str, list[str]]) -> None:
    tab.comes_to(lambda: shown(tab) == before)
    assert shown(tab) == before


def menu(tab: Tab, page: str, **options: Any) -> None:
    """Go to another page by the menu."""
    links = tab.page.get_by_role("navigation", name="App pages")
    links.get_by_role("link", name=page).click(**options)
    arrived(tab, page)


def arrived(tab: Tab, page: str) -> None:
    path = "" if page == "Generate" else page.lower()
    expect(tab.page).to_have_url(re.compile(rf"//[^/]+/{path}(\?.*)?$"))
    expect(tab.main).to_contain_text(re.compile("No prompt yet|Read: ") if page == "Generate" else page)
    tab.settled()


def searched(tab: Tab, text: str, param: str, *, narrows: bool = True) -> None:
    first = tab.text()
    tab.page.get_by_role("searchbox", name="Search").fill(text)
    expect(tab.page).to_have_url(re.compile(rf"[?&]{param}={text}"))
    if narrows:
        assert tab.comes_to(lambda: tab.text() != first), "the server has answered"


def chosen(tab: Tab, label: str, option: str, param: str) -> None:
    tab.choose(label, option)
    expect(tab.page).to_have_url(re.compile(rf"[?&]{param}={option}"))


def segment(tab: Tab, name: str, param: str) -> None:
    tab.main.get_by_text(name, exact=True).click()
    expect(tab.page).to_have_url(re.compile(rf"[?&]{param}={name}"))


def turned(tab: Tab, param: str) -> None:
    tab.button("Next page").click()
    expect(tab.page).to_have_url(re.compile(rf"[?&]{param}=2"))


def filtered_references(tab: Tab) -> None:
    searched(tab, "noir", "q")
    chosen(tab, "Any tone", "Noir", "tone")
    segment(tab, "Groups", "view")


def filtered_labels(tab: Tab) -> None:
    segment(tab, "Grid", "show")
    chosen(tab, "Any gender", "feminine", "presentation")
    searched(tab, "Ada", "find")


def filtered_history(tab: Tab) -> None:
    searched(tab, "porcelain", "text", narrows=False)
    chosen(tab, "Any mode", "Compare", "made")
    chosen(tab, "Any tone", "Noir", "with_tone")


def the_second_page_of_people(tab: Tab) -> None:
    searched(tab, "designer", "whom", narrows=False)
    turned(tab, "roll")


@dataclass(frozen=True, slots=True)
class View:
    """A page, how its view is set, and what stands in the address then."""

    page: str
    set: Callable[[Tab], None]
    says: tuple[str, ...] = field(default=())


VIEWS = (
    View("References", filtered_references, ("q=noir", "tone=Noir", "view=Groups")),
    View("Labels", filtered_labels, ("show=Grid", "presentation=feminine", "find=Ada")),
    View("History", filtered_history, ("text=porcelain", "made=Compare", "with_tone=Noir")),
    View("People", the_second_page_of_people, ("whom=designer", "roll=2")),
)


def test_back_and_forward_restore_each_view_at_the_first_press(tab: Tab) -> None:
    """One walk through the pages, each with a view of its own, and the way back and there again."""
    tab.goto("/")
    walked: list[tuple[str, list[str]]] = []
    entries = tab.page.evaluate("history.length")
    for view in VIEWS:
        menu(tab, view.page)
        assert tab.page.url == f"{tab.home}/{view.page.lower()}", "filters stay behind"
        assert tab.page.evaluate("history.length") == entries + 1
        view.set(tab)
        tab.still()
        walked.append(shown(tab))
        assert all(part in walked[-1][0] for part in view.says)
        entries = tab.page.evaluate("history.length")
    for before in walked[-2::-1]:
        tab.page.go_back()
        finds_again(tab, before)
    tab.page.go_back()
    arrived(tab, "Generate")
    for view, before in zip(VIEWS, walked, strict=True):
        tab.page.go_forward()
        arrived(tab, view.page)
        finds_again(tab, before)


def test_the_second_page_of_references_is_found_again(tab: Tab) -> None:
    tab.goto("/references")
    turned(tab, "page")
    tab.still()
    before = shown(tab)
    menu(tab, "History")
    tab.page.go_back()
    finds_again(tab, before)


def test_a_group_that_was_opened_is_found_again(tab: Tab) -> None:
    """Its pictures are a view of their own: Back leads to the groups, and from another page to the pictures.

    There is one entry of the other page, though its link was pressed twice.
    """
    tab.goto("/references?q=noir&view=Groups")
    expect(tab.cards("Groups").first).to_be_visible()
    tab.still()
    groups = shown(tab)
    tab.cards("Groups").first.click()
    expect(tab.page).to_have_url(re.compile(r"[?&]group="))
    tab.still()
    pictures = shown(tab)
    menu(tab, "History", click_count=2)
    tab.page.go_back()
    finds_again(tab, pictures)
    tab.page.go_back()
    finds_again(tab, groups)


def test_generate_finds_its_comparison_again_and_is_left_by_one_press(tab: Tab, studio: Dashboard) -> None:
    (made,) = studio.comparisons()
    tab.goto(f"/?comparison={made}")
    expect(tab.downloads).to_have_count(2)
    tab.settled()
    menu(tab, "References")
    tab.page.go_back()
    expect(tab.page).to_have_url(f"{tab.home}/?comparison={made}")
    expect(tab.downloads).to_have_count(2)
    expect(tab.prompt).to_have_value("A porcelain bowl")
    tab.settled()
    tab.page.go_forward()
    arrived(tab, "References")
    menu(tab, "Generate")
    expect(tab.page).to_have_url(f"{tab.home}/?comparison={made}")
    tab.settled()
    tab.page.go_back()
    arrived(tab, "References")


def test_a_drawer_that_leads_on_is_found_open_again_and_behind_it_the_page_as_it_was(tab: Tab) -> None:
    tab.goto("/references")
    searched(tab, "fruit", "q")
    tab.still()
    before = shown(tab)
    tab.cards("References").first.click(position={"x": 60, "y": 60})
    tab.dialog.get_by_role("button", name="Show in History").click()
    arrived(tab, "History")
    expect(tab.page).to_have_url(re.compile(r"/history\?with_reference="))
    tab.still()
    there = shown(tab)
    tab.page.go_back()
    expect(tab.dialog.get_by_role("button", name="Show in History")).to_be_visible()
    tab.page.go_forward()
    finds_again(tab, there)
    tab.page.go_back()
    expect(tab.dialog.get_by_role("button", name="Show in History")).to_be_visible()
    tab.page.go_back()
    finds_again(tab, before)


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [
        ("/References?q=noir", "/references?q=noir"),
        ("/references/?q=noir&tone=noir", "/references?q=noir&tone=noir"),
        ("/HISTORY/", "/history"),
        ("/Labels//?find=%EC%95%B5", "/labels?find=%EC%95%B5"),
        ("/Generate/", "/"),
        ("/PEOPLE", "/people"),
    ],
)
def test_case_and_a_slash_behind_lead_to_the_page_with_its_query(asked: str, leads_to: str, studio: Dashboard) -> None:
    answer = httpx.get(studio.url + asked)
    assert (answer.status_code, answer.headers["Location"]) == (307, leads_to)
    assert httpx.get(studio.url + leads_to).status_code == 200


def test_the_page_they_lead_to_is_drawn_with_its_query(tab: Tab) -> None:
    answer = tab.goto("/References/?q=noir&tone=noir")
    assert answer is not None
    assert answer.status == 200
    expect(tab.page).to_have_url(f"{tab.home}/references?q=noir&tone=Noir")
    expect(tab.page.get_by_text("There is no such page")).to_have_count(0)


@pytest.mark.parametrize(
    ("asked", "stands"),
    [
        ("/nothing?x=1", "/nothing"),
        ("/xreferences", "/xreferences"),
        ("/nothing/", "/nothing"),
        ("/index.html", "/index.html"),
        ("/references/ada", "/not-found"),
        ("/a/b/c?x=1", "/not-found"),
        ("/two%20words", "/not-found"),
        ("/%EC%95%B5", "/not-found"),
    ],
)
def test_an_unknown_address_is_answered_as_one_and_leads_to_where_the_page_works(
    asked: str, stands: str, studio: Dashboard
) -> None:
    answer = httpx.get(studio.url + asked, follow_redirects=True)
    assert answer.status_code == 404
    leads_on = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', answer.text)
    assert (leads_on[1] if leads_on else answer.url.path) == stands


def test_an_unknown_address_says_so_and_offers_the_pages(studio: Dashboard, visit: Visit) -> None:
    """One that stays in the address, and one that is led on."""
    visitor = visit(studio)
    tab = Tab(visitor.page(), studio.url)
    for asked, stands in (("/index.html?x=1", "/index.html?x=1"), ("/a/b/c?x=1", "/not-found")):
        answer = tab.goto(asked)
        said = [line for line in visitor.complaints if "404" in line]  # the console repeats the status
        visitor.complaints[:] = [line for line in visitor.complaints if line not in said]
        assert answer is not None
        assert answer.status == 404
        expect(tab.page).to_have_url(tab.home + stands)
        expect(tab.main).to_contain_text("There is no such page")
        expect(tab.page).to_have_title("No such page · Studio")
        offered = ["Generate", "References", "Labels", "History", "Vote", "Insights", "People"]
        expect(tab.main.get_by_role("link")).to_have_text(offered)
        expect(tab.dialog).to_have_count(0)
        tab.main.get_by_role("link", name="References").click()
        arrived(tab, "References")
        expect(tab.page).to_have_title("Studio")
        tab.page.go_back()
        expect(tab.main).to_contain_text("There is no such page")
        expect(tab.page).to_have_url(re.compile(re.escape(tab.home + stands.split("?")[0])))
        tab.page.go_forward()
        arrived(tab, "References")
