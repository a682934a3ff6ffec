"""The look: every page and state, light and dark, on a wide screen, a small one and a phone.

Grey but for pictures, accent and failures; no sideways scrolling; a name for every picture and control; nothing that
axe-core complains about.
"""

from __future__ import annotations

import re

import pytest

from tests.browser.accessible import COLOURS, RULES, inaccessible
from tests.browser.conftest import Visit, visiting
from tests.browser.states import STATES, State, make, planned
from tests.support.browser.achromatic import assert_page_is_achromatic
from tests.support.browser.chromium import Contexts
from tests.support.dashboards.dashboard import Dashboard, Tab

SIZES = [(1440, 900), (1024, 768), (390, 844)]
READ_AT = [SIZES[0], SIZES[-1]]  # the widths between differ in columns alone
# Colours alone are others in the dark: places, names, roles, order and words are the same.
LOOKS = [*(("light", size) for size in SIZES), *(("dark", size) for size in reversed(READ_AT))]
NAMELESS = re.compile(
    # a drawing is named by the words in it, or by a name
    r"^\s*- (?:img\b(?!:)|link|button|textbox|searchbox|combobox|slider|switch|checkbox|radio|radiogroup|listbox|option"
    r"|progressbar|dialog)\b(?! [\"'/])",
    re.MULTILINE,
)
WENT_WRONG = re.compile(r"Traceback|Something went wrong|incident|Exception|undefined|\bNone\b|\bNaN\b")
OVERFLOWING = """() => [...document.querySelectorAll("body, main, main *")]
  .filter((node) => /auto|scroll/.test(getComputedStyle(node).overflowX) && node.clientWidth > 300)
  .concat(document.scrollingElement)
  .filter((node) => node.scrollWidth > node.clientWidth + 1)
  .filter((node) => !node.matches(".st-key-strip-compact"))  // the slot strip may scroll by itself
  .map((node) => `${node.tagName} ${node.getAttribute("data-testid")}: ${node.scrollWidth} > ${node.clientWidth}`)"""


@pytest.fixture(scope="module")
def made(studio: Dashboard, contexts: Contexts) -> str:
    """A comparison that is done, to be looked at on every page that shows one."""
    with visiting(contexts, studio) as visitor:
        tab = Tab(visitor.page(), studio.url)
        planned(tab, "")
        return make(tab)


@pytest.mark.parametrize("state", STATES, ids=[state.__name__ for state in STATES])
def test_every_page_is_grey_named_accessible_and_fits(state: State, made: str, studio: Dashboard, visit: Visit) -> None:
    tab = Tab(visit(studio).page(), studio.url)
    state(tab, made)
    offences = offences_in_all_looks(tab)
    assert not offences, "\n".join(offences)


def offences_in_all_looks(tab: Tab) -> list[str]:
    """What is wrong with a page, light and dark, from the wide screen to the phone."""
    offences: list[str] = []
    for scheme, (width, height) in LOOKS:
        tab.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # it takes these two words
        tab.page.set_viewport_size({"width": width, "height": height})
        tab.still()
        is_light = scheme == "light"
        assert lightness(tab) > 200 if is_light else lightness(tab) < 60
        found = colours_of(tab) + (offences_of(tab) if is_light else [])
        if (width, height) in READ_AT:
            found += inaccessible(tab, RULES if is_light else COLOURS)
        offences += [f"{scheme}, {width} px: {offence}" for offence in found]
    return offences


def lightness(tab: Tab) -> int:
    """The grey of the paper, 0 to 255."""
    paper: str = tab.page.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor")
    return int(re.findall(r"\d+", paper)[0])


def offences_of(tab: Tab) -> list[str]:
    """What scrolls sideways, has no name, or says what no person should read."""
    page = tab.page
    found = [f"scrolls sideways, {node}" for node in page.evaluate(OVERFLOWING)]
    snapshot = page.locator("body").aria_snapshot()
    found += [f"has no name: {line.strip()}" for line in NAMELESS.findall(snapshot)]
    found += page.locator("img").evaluate_all("all => all.filter((i) => !i.alt).map((i) => 'no alt: ' + i.outerHTML)")
    found += [f"says {words!r}" for words in WENT_WRONG.findall(page.locator("body").inner_text())]
    return found


def colours_of(tab: Tab) -> list[str]:
    """What is coloured and should be grey."""
    try:
        assert_page_is_achromatic(tab.page)
    except AssertionError as err:
        return [str(err)]
    return []
