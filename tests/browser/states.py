"""The states a page can be in, each with the way there."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from core.identity.session import pseudonym
from tests.support.dashboards.dashboard import Tab

State = Callable[[Tab, str], None]
_DRAFT = f"studio.draft.{pseudonym('', 'demo@localhost')}.of-before"  # the demo's secret is none


def nothing_yet(tab: Tab, _made: str) -> None:
    tab.goto("/")
    expect(tab.main).to_contain_text("Nothing planned yet")
    expect(tab.prompt).to_be_visible()  # its script gives it its name


def planned(tab: Tab, made: str) -> None:
    nothing_yet(tab, made)
    plan(tab, "Cinematic", "Ada in a linen shirt, three-quarter view")


def plan(tab: Tab, tone: str, prompt: str, angle: str | None = None) -> None:
    """Fill the composer for a comparison of a person; the angle is picked where the prompt's reader finds none."""
    if angle is not None:
        tab.tile("Angle", angle).click()
    tab.tile("Tone", tone).click()
    expect(tab.main.get_by_role("img", name=re.compile("^tone reference")).first).to_be_visible()
    tab.type_prompt(prompt)
    expect(tab.main.get_by_role("img", name=re.compile("^person reference")).first).to_be_visible()
    tab.settled()


def drafted(tab: Tab, prompt: str, **draft: object) -> None:
    """The composer with what was planned in this browser before, by the names of a stored draft."""
    tab.page.goto(f"{tab.home}/healthz")  # any address of the origin, whose storage it is
    tab.page.evaluate(
        """([key, draft]) => {
          sessionStorage.clear();  // the tab is at no other draft
          localStorage[key] = JSON.stringify({ at: Date.now(), shown: null, draft });
        }""",
        [_DRAFT, {"prompt": prompt, **draft}],
    )
    tab.goto("/")
    expect(tab.prompt).to_have_value(prompt)
    expect(tab.main.get_by_text("Read: ", exact=False)).to_be_visible()
    if "tone" in draft:
        expect(tab.main.get_by_role("img", name=re.compile("^tone reference")).first).to_be_visible()
    tab.settled()


def make(tab: Tab) -> str:
    """Order what is planned, stay until both sides are there, and return the comparison's id."""
    tab.generate.click()
    expect(tab.downloads).to_have_count(2)
    return tab.shown_comparison


def done(tab: Tab, made: str) -> None:
    tab.goto(f"/?comparison={made}")
    expect(tab.downloads).to_have_count(2)


def references(tab: Tab, _made: str) -> None:
    tab.goto("/references")
    expect(tab.cards("References")).to_have_count(60)


def reference_groups(tab: Tab, _made: str) -> None:
    tab.goto("/references?view=Groups")
    expect(tab.cards("Groups")).to_have_count(40)


def reference_details(tab: Tab, _made: str) -> None:
    tab.goto("/references?q=Greta+01")
    tab.cards("References").first.click()
    expect(tab.dialog.get_by_role("img", name="Greta 01.jpg, large")).to_be_visible()


def nothing_found(tab: Tab, _made: str) -> None:
    tab.goto("/references?q=nobody+of+this+name")
    expect(tab.main).to_contain_text("passes these filters")


def labels(tab: Tab, _made: str) -> None:
    tab.goto("/labels")
    picture = tab.page.locator(".desk .picture")
    expect(picture).to_have_js_property("complete", True)
    expect(picture).not_to_have_js_property("naturalWidth", 0)


def label_grid(tab: Tab, _made: str) -> None:
    tab.goto("/labels?show=Grid")
    expect(tab.cards("Portraits")).to_have_count(82)


def label_trust(tab: Tab, _made: str) -> None:
    tab.goto("/labels?show=Trust")
    expect(tab.main).to_contain_text("No label has been looked at twice yet")


def history(tab: Tab, _made: str) -> None:
    tab.goto("/history")
    expect(tab.cards("Comparisons").first).to_be_visible()


def history_details(tab: Tab, made: str) -> None:
    history(tab, made)
    tab.cards("Comparisons").first.click()
    expect(tab.dialog.get_by_role("img", name="Tone only, made picture")).to_be_visible()


def spending(tab: Tab, made: str) -> None:
    history(tab, made)
    tab.button("Spending").click()
    expect(tab.dialog).to_contain_text("day")
    expect(tab.dialog.get_by_role("button").first).to_be_visible()


def publishing(tab: Tab, made: str) -> None:
    label_grid(tab, made)  # the focus desk's own accent would shine through the veil
    tab.button("Publish…").click()
    expect(tab.dialog).to_contain_text("Publish labels")


def people(tab: Tab, _made: str) -> None:
    tab.goto("/people")
    expect(tab.main).to_contain_text("Budgets for a day")


def insights(tab: Tab, _made: str) -> None:
    tab.goto("/insights")
    expect(tab.main).to_contain_text("Nothing is known yet")


STATES: list[State] = [
    nothing_yet,
    planned,
    done,
    references,
    reference_groups,
    reference_details,
    nothing_found,
    labels,
    label_grid,
    label_trust,
    history,
    history_details,
    spending,
    publishing,
    people,
    insights,
]
