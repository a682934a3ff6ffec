"""The People page: the list, the budgets and their trail, kept by admins who may change them at the same time."""

from __future__ import annotations

import json
import re

from playwright.sync_api import WebSocketRoute, expect

from tests.browser.conftest import StartDashboard, Visit
from tests.fakes.openai_server import FakeOpenAI
from tests.support.dashboards.dashboard import Dashboard, Tab

ACCESS, BUDGETS = "studio/access.json", "studio/budgets.json"


def saved(entry: str, standing: str, tab: Tab, *, leaves: str = "") -> None:
    """Save an entry; the field is empty then, or keeps what cannot be used."""
    tab.page.get_by_role("textbox", name="E-mail address or domain").fill(entry)
    tab.choose("May come in as", standing)
    tab.button("Save").click()
    expect(tab.page.get_by_role("textbox", name="E-mail address or domain")).to_have_value(leaves)
    tab.settled()


def removed(entry: str, tab: Tab, *, says: str = "") -> None:
    """Press Remove, and say yes to what is asked then."""
    tab.button(f"Remove {entry}").click()
    expect(tab.dialog).to_contain_text(says)
    tab.dialog.get_by_role("button", name="Remove").click()
    expect(tab.dialog).to_have_count(0)
    tab.settled()


def row(tab: Tab, entry: str) -> str:
    """What the list says of an entry, when it has been drawn."""
    tab.settled()
    return tab.page.get_by_role("combobox", name=f"{entry} comes in as").input_value()


def test_an_admin_keeps_the_list_and_the_budgets_and_every_change_is_on_record(
    start_dashboard: StartDashboard, visit: Visit
) -> None:
    """Bad input is said and kept; a lost race shows the other's change, and the own one can still be made."""
    studio = start_dashboard()
    tab = visit(studio).open("/people")
    expect(tab.main).to_contain_text("In the demo nobody signs in")

    saved("not an address at all", "Designer", tab, leaves="not an address at all")
    expect(tab.main).to_contain_text("“not an address at all” is not a domain: write it as studio.example.")
    expect(tab.page.get_by_role("textbox", name="E-mail address or domain")).to_have_value("not an address at all")
    saved("Kim@Studio.example", "Admin", tab)
    saved("studio.example", "Operations", tab)
    saved("ada@studio.example", "Designer", tab)
    expect(tab.main).to_contain_text("3 people · 1 domain · 2 admins")
    assert row(tab, "kim@studio.example") == "Admin"

    # The last admin stays.
    tab.choose("kim@studio.example comes in as", "Operations")
    expect(tab.main).to_contain_text("3 people · 1 domain · 1 admin")
    tab.still()
    remove = tab.button("Remove demo@localhost")  # by its name; in sight is one word, in a row that has the address
    assert (remove.locator("em").bounding_box() or {"width": 99})["width"] <= 1
    remove.click()
    expect(tab.dialog).to_contain_text("demo@localhost is out within a minute, on every server.")
    tab.dialog.get_by_role("button", name="Cancel").click()
    expect(tab.dialog).to_have_count(0)
    assert "demo@localhost" in json.loads(studio.read(ACCESS))["people"], "nothing is removed unasked"
    removed("demo@localhost", tab)
    expect(tab.main).to_contain_text("demo@localhost is the last admin: make somebody else an admin first.")
    assert row(tab, "demo@localhost") == "Admin"

    # Somebody else is faster.
    theirs = json.loads(studio.read(ACCESS))
    theirs["people"]["bo@studio.example"] = "ops"
    theirs["changes"].append(
        {
            "at": "2026-11-22T12:00:00Z",
            "by": "kim@studio.example",
            "entry": "bo@studio.example",
            "before": None,
            "after": "ops",
        }
    )
    studio.put(ACCESS, json.dumps(theirs).encode())
    tab.choose("ada@studio.example comes in as", "Blocked")
    expect(tab.main).to_contain_text("Somebody else has changed the list since you opened it.")
    expect(tab.main).to_contain_text("kim@studio.example: bo@studio.example, added as ops")
    expect(tab.main).to_contain_text("Yours is not saved yet: ada@studio.example, blocked.")
    assert (row(tab, "ada@studio.example"), row(tab, "bo@studio.example")) == ("Designer", "Operations")
    tab.button("Save mine as well").click()
    expect(tab.main).not_to_contain_text("Yours is not saved yet")
    tab.settled()
    now = json.loads(studio.read(ACCESS))
    assert now["people"] == {
        "ada@studio.example": "blocked",
        "bo@studio.example": "ops",
        "demo@localhost": "admin",
        "kim@studio.example": "ops",
    }
    assert [(each["entry"], each["after"]) for each in now["changes"]][-2:] == [
        ("bo@studio.example", "ops"),
        ("ada@studio.example", "blocked"),
    ]

    # Removing an address whose domain may come in keeps nobody out, which is said before.
    removed("bo@studio.example", tab, says="can still come in through studio.example")
    expect(tab.page.get_by_role("combobox", name="bo@studio.example comes in as")).to_have_count(0)
    tab.settled()

    # A domain where everybody may have an address lets nobody in.
    saved("gmail.com", "Designer", tab, leaves="gmail.com")
    expect(tab.main).to_contain_text("the entry would let nobody in: add the addresses one by one.")
    assert "gmail.com" not in json.loads(studio.read(ACCESS))["domains"]

    # Budgets.
    tab.page.get_by_role("spinbutton", name=re.compile("^Everybody together")).fill("40")
    tab.page.get_by_role("spinbutton", name=re.compile("^Each person")).fill("4.5")
    tab.button("Save budgets").click()
    expect(tab.main).to_contain_text("9, newest first")
    sheet = json.loads(studio.read(BUDGETS))
    assert (sheet["daily_usd"], sheet["daily_person_usd"]) == (40, 4.5)
    assert [each["by"] for each in sheet["changes"]] == ["demo@localhost"] * 2

    studio.put(BUDGETS, json.dumps(sheet | {"daily_usd": 10}).encode())
    tab.page.get_by_role("spinbutton", name=re.compile("^Everybody together")).fill("99")
    tab.button("Save budgets").click()
    expect(tab.main).to_contain_text("Somebody else has changed the budgets since you opened this page.")
    expect(tab.main).to_contain_text("you wanted $99.00 for everybody")
    expect(tab.page.get_by_role("spinbutton", name=re.compile("^Everybody together"))).to_have_value("10.00")


def test_what_is_typed_while_a_message_above_comes_or_goes_stays(studio: Dashboard, visit: Visit) -> None:
    """What the first amount, or a form above, has the server do draws the page anew beneath the second amount."""
    tab, held, lines = visit(studio, anew=True).open("/people"), list[bytes | str](), list[WebSocketRoute]()
    is_held = False

    def pass_on(line: WebSocketRoute) -> None:
        lines.append(line.connect_to_server())
        line.on_message(lambda sent: held.append(sent) if is_held else lines[-1].send(sent))

    def release() -> None:
        for message in held:
            lines[-1].send(message)
        held.clear()

    tab.page.route_web_socket(re.compile("/_stcore/stream"), pass_on)
    tab.page.reload()
    person = tab.page.get_by_role("spinbutton", name=re.compile("^Each person"))
    refused = tab.main.get_by_text("the entry would let nobody in")
    tab.page.get_by_role("textbox", name="E-mail address or domain").fill("gmail.com")
    tab.settled()
    is_held = True
    tab.button("Save").click()
    person.fill("4.5")
    is_held = False
    release()
    expect(refused).to_be_visible()
    tab.settled()
    expect(person).to_have_value("4.5")

    is_held = True
    tab.page.get_by_role("spinbutton", name=re.compile("^Everybody together")).fill("40")
    person.fill("4.75")
    is_held = False
    release()
    expect(refused).to_have_count(0)
    tab.settled()
    expect(person).to_have_value("4.75")


def test_a_damaged_document_is_named_and_never_overwritten(start_dashboard: StartDashboard, visit: Visit) -> None:
    studio = start_dashboard()
    visitor = visit(studio)
    for damaged in (BUDGETS, ACCESS):
        studio.put(damaged, b"{")
        tab = visitor.open("/people")
        expect(tab.main).to_contain_text(f"{damaged.rpartition('/')[2]} in S3 is damaged")
        assert studio.read(damaged) == b"{"


def test_a_budget_that_an_admin_sets_stops_the_next_order_and_a_higher_one_lets_it_through(
    start_dashboard: StartDashboard, visit: Visit
) -> None:
    """From the People page to OpenAI, which is not asked for anything until the budget allows it."""
    with FakeOpenAI().serving() as openai:
        studio = start_dashboard(
            {
                "DEMO_TOKEN": "off",
                "OPENAI_API_KEY": "sk-key-of-a-test",
                "OPENAI_BASE_URL": openai.base_url,
                "OPENAI_STREAMING": "on",
            }
        )
        visitor = visit(studio)
        admin, designer = visitor.open("/people"), visitor.open("/")
        designer.type_prompt("Ada in a linen shirt, cinematic, three-quarter view")
        expect(designer.generate).to_be_enabled()

        budget(admin, "0.01")
        designer.page.reload()
        designer.type_prompt("Ada in a linen shirt, cinematic, three-quarter view")
        expect(designer.main).to_contain_text(re.compile(r"[Bb]udget"))
        expect(designer.generate).to_be_disabled()
        assert (openai.calls, studio.comparisons()) == (0, [])

        budget(admin, "20")
        designer.page.reload()
        designer.type_prompt("Ada in a linen shirt, cinematic, three-quarter view")
        designer.generate.click()
        expect(designer.downloads).to_have_count(2)
        assert openai.calls == 2


def budget(admin: Tab, usd: str) -> None:
    """Give each person so much a day, and wait until it is saved."""
    admin.page.get_by_role("spinbutton", name=re.compile("^Each person")).fill(usd)
    admin.button("Save budgets").click()
    expect(admin.main).to_contain_text(f"→ ${float(usd):.2f}")
    admin.settled()
