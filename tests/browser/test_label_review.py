"""Reviewing labels: the queue decided by keys, undone, set in bulk, and published as exactly that."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from bench.checkout import copy_of_the_checkout
from tests.browser.conftest import Visit
from tests.support.dashboards.dashboard import Dashboard, Tab, dashboard

SELECT_ALL = "Control+a"


@dataclass(frozen=True)
class Reviewed:
    """A dashboard of a checkout of its own, and the label file it publishes into."""

    studio: Dashboard
    file: Path

    def labels(self) -> dict[str, dict[str, Any]]:
        return {row["key"]: row for row in map(json.loads, self.file.read_text("utf-8").splitlines())}


@pytest.fixture
def reviewed(tmp_path: Path) -> Iterator[Reviewed]:
    checkout = copy_of_the_checkout(tmp_path)
    with dashboard(tmp_path, root=checkout) as studio:
        yield Reviewed(studio, checkout / "labels" / "personas.jsonl")


def saved(page: Page) -> None:
    """Wait until nothing is on its way. How many wait is not asked: a decision is about all of the same bytes."""
    expect(page.locator(".desk .status")).to_contain_text(re.compile(r"all saved · \d+ waiting"))


def publish(tab: Tab) -> None:
    """Publish with the keyboard, after looking at the diff."""
    button = tab.page.get_by_role("button", name="Publish…")
    button.focus()
    button.press("Enter")
    expect(tab.dialog).to_contain_text("acceptances by")
    confirm = tab.dialog.get_by_role("button", name="Publish", exact=True)
    confirm.focus()
    confirm.press("Enter")
    expect(tab.dialog).to_contain_text("labels/personas.jsonl is written")


def test_twenty_are_reviewed_by_keys_five_undone_and_exactly_fifteen_published(
    reviewed: Reviewed, visit: Visit
) -> None:
    """One key an accepted label; the keys work from the first moment, without a click, and go on after a reload."""
    before = reviewed.labels()
    tab = visit(reviewed.studio).open("/labels")
    picture = tab.page.locator(".desk .picture")
    expect(picture).to_have_attribute("src", re.compile("/image/"))
    names = []
    for number in range(20):
        name = picture.get_attribute("alt")
        names.append(name)
        if number % 4 == 3:  # every fourth is corrected: hair, a word of one's own
            tab.page.keyboard.press("3")
            tab.page.keyboard.press("t")
            tab.page.keyboard.type("as seen")
            tab.page.keyboard.press("Enter")
        tab.page.keyboard.press("a")
        expect(tab.page.locator(".desk .tile[aria-current]")).to_have_count(1)
    saved(tab.page)
    tab.page.reload()  # decisions outlive it, and so does what can be undone
    saved(tab.page)
    expect(picture).not_to_have_attribute("alt", names[-1] or "")
    for _ in range(5):
        tab.page.keyboard.press("z")
    saved(tab.page)
    expect(picture).to_have_attribute("alt", names[15] or "")
    publish(tab)

    after = reviewed.labels()
    changed = {key for key in after if after[key] != before.get(key)}
    assert after.keys() == before.keys()
    assert len({after[key]["etag"] for key in changed}) == 15, "the same bytes have one label, wherever they lie"
    assert all(after[key]["source"] == "human" and after[key]["reviewer"] == "demo@localhost" for key in changed)
    corrected = {key for key in changed if after[key].get("hair") != before[key].get("hair")}
    assert {after[key]["hair"] for key in corrected} == {"as seen"}
    assert len({after[key]["etag"] for key in corrected}) == 3
    assert list(after) == sorted(after, key=str.encode)


def test_labels_of_a_grid_are_set_at_once_taken_back_as_one_and_tell_their_history(
    reviewed: Reviewed, visit: Visit
) -> None:
    """What nobody has reviewed yet is said before: by the queue in an address, and by Trust."""
    tab = visit(reviewed.studio).open("/labels?show=Focus&why=not%20reviewed%20yet&age=60%2B")
    expect(tab.page.locator(".desk h3")).to_contain_text(re.compile("not reviewed yet", re.IGNORECASE))
    tab.goto("/labels?show=Trust")
    expect(tab.main).to_contain_text("Probably still wrong")
    expect(tab.main).to_contain_text("Checked against the random tenth: nobody has looked at any of it yet.")
    expect(tab.main).to_contain_text("Nobody has reviewed a label yet")
    expect(tab.main).to_contain_text("Nominal values were told to a renderer, not measured")
    expect(tab.main).to_contain_text("No label has been looked at twice yet")

    tab.goto("/labels?show=Grid&find=Greta")
    cards = tab.cards("Portraits")
    expect(cards.first).to_be_visible()
    count = cards.count()
    cards.first.focus()
    tab.page.keyboard.press(SELECT_ALL)
    tab.choose("Value", "45–59")
    tab.page.get_by_role("button", name=re.compile(rf"^Set age range of {count}")).click()
    expect(cards.filter(has_text="45–59")).to_have_count(count)
    expect(cards.filter(has_text="demo@localhost")).to_have_count(count)
    assert len(reviewed.studio.keys("studio/reviews/log/")) == 1
    tab.page.get_by_role("button", name=re.compile("^Undo")).click()
    expect(cards.filter(has_text="60+")).to_have_count(count)

    tab.goto("/labels?show=Grid&find=Greta")
    cards.first.focus()
    tab.page.keyboard.press("Space")
    tab.page.get_by_role("button", name=re.compile("^Accept 1")).click()
    expect(tab.main).to_contain_text("81 waiting for you")  # it has left the queue
    tab.goto("/labels?show=Grid&state=reviewed")
    expect(cards.first).to_contain_text("demo@localhost")
    cards.first.focus()
    cards.first.press("Enter")
    expect(tab.dialog).to_contain_text("Label history")
