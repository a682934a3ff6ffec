"""Words on screen: what a pick overrules, names in place of ids, and nothing about keys where there are none."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.support.dashboards.dashboard import Dashboard


def test_the_header_tells_what_a_pick_overrules_and_no_id_is_left_on_screen(studio: Dashboard, visit: Visit) -> None:
    tab = visit(studio).open("/")
    tab.type_prompt("카페에 앉아 있는 30대 여자, 필름 톤, 로우앵글")
    expect(tab.main.get_by_text("Read: woman · 30s · natural film · low angle")).to_be_visible()
    tab.tile("Angle", "Overhead").click()
    expect(tab.main.get_by_text("low angle → you picked Overhead")).to_be_visible()
    tab.settled()
    assert not re.search(r"natural-film|low-angle|\bRatio\b|Persona|Model [123]", tab.text())
    expect(tab.page.get_by_role("combobox", name="Person folder")).to_be_visible()
    tab.unfold("Size")
    for ratio in ("3:4", "2:3", "16:9"):
        expect(tab.page.get_by_role("option", name=re.compile(f"^{ratio} · "))).to_be_visible()


def test_on_a_phone_an_address_of_before_still_narrows_and_no_key_is_told(studio: Dashboard, visit: Visit) -> None:
    looks = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    phone = visit(studio, anew=True, **looks).open("/references?tone=natural-film&role=model")
    expect(phone.button("Filters · 2 active")).to_be_visible()
    expect(phone.page).to_have_url(re.compile(r"role=Person"))
    expect(phone.page).to_have_url(re.compile(r"tone=Natural(\+|%20)film"))
    expect(phone.cards("References").first).to_contain_text("Natural film")
    phone.goto("/")
    expect(phone.generate).to_be_visible()
    expect(phone.generate.locator("kbd")).to_be_hidden()
