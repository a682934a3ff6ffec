"""The draft: what is not sent yet outlives a reload, a lost line, a deploy and a closed tab."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import WebSocketRoute, expect

from tests.browser.conftest import Visit
from tests.browser.states import make, plan
from tests.fakes.openai_server import FakeOpenAI
from tests.support.dashboards.dashboard import Dashboard, Tab, expect_line
from tests.support.ports import own_port
from tests.support.processes.servers import Server
from tests.support.tcp_proxy import tcp_proxy

PROMPT = "A woman in a linen shirt by a window"
TALL = {"width": 1440, "height": 1300}  # the whole composer: a list that is scrolled to may close again
KEPT = "Object.keys(localStorage).filter((key) => key.startsWith('studio.draft.'))"


@dataclass
class Redeployed:
    """A server that is ended and started again on its port, as a deploy does."""

    folder: Path
    settings: dict[str, str]
    port: int
    server: Server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def s3(self) -> Dashboard:
        """An eye on its records."""
        return Dashboard(self.url, self.folder / "data", self.folder / f"log-{self.port}.txt")

    def restart(self, tab: Tab, meanwhile: Callable[[], object] = lambda: None) -> None:
        """End it under a tab's eyes, do something while it is away, and wait until the tab has found it again."""
        self.server.end()
        expect_line(tab, is_there=False)
        meanwhile()
        self.server = started(self.folder, self.settings, self.port)
        expect_line(tab, is_there=True)


def started(folder: Path, settings: dict[str, str], port: int) -> Server:
    server = Server(folder, settings, port=port, forked=True)
    server.ready()
    return server


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory, openai: FakeOpenAI) -> Iterator[Redeployed]:
    """A server of this file's own, with a choice of engines and qualities."""
    folder, port = tmp_path_factory.mktemp("deployed"), own_port()
    settings = {
        "DEMO_TOKEN": "off",
        "OPENAI_API_KEY": "sk-fake",
        "OPENAI_BASE_URL": openai.base_url,
        "OPENAI_STREAMING": "on",
    }
    running = Redeployed(folder, settings, port, started(folder, settings, port))
    yield running
    running.server.end()


@pytest.fixture
def tab(studio: Dashboard, visit: Visit) -> Tab:
    """A fresh composer in a browser that keeps nothing yet."""
    return visit(studio, viewport=TALL).open()


def kept(tab: Tab) -> list[dict[str, Any]]:
    """The drafts this browser keeps, the newest first."""
    found = tab.page.evaluate(f"{KEPT}.map((key) => JSON.parse(localStorage[key]))")
    return sorted(found, key=lambda each: -each["at"])


def expect_kept(tab: Tab, count: int) -> None:
    tab.page.wait_for_function(f"() => {KEPT}.length === {count}")


def typed(tab: Tab, prompt: str = PROMPT, *, read: str = "") -> None:
    """A prompt that has reached the server, and been kept with what the server made of it.

    `read` is what is read out of this prompt alone, where another one's reading stands on the page before.
    """
    tab.type_prompt(prompt)
    expect(tab.main.get_by_text(f"Read: {read}", exact=False)).to_be_visible()
    tab.settled()


def composed(tab: Tab) -> None:
    """Everything a designer can set, set to something else than a new tab has."""
    tab.tile("Tone", "Cinematic").click()
    tab.tile("Angle", "Profile").click()
    typed(tab)
    tab.page.get_by_role("radio", name="Tone only").click()
    for label, option in (("Person", "Yes"), ("Gender", "Woman"), ("Size", "1:1"), ("Quality", "low")):
        tab.settled()
        tab.choose(label, option)
        tab.page.wait_for_function(  # the server has heard of it
            f"([name, value]) => JSON.parse(localStorage[{KEPT}[0]]).draft[name].startsWith(value)",
            arg=[label.lower(), option],
        )
    youngest = tab.page.get_by_role("slider").first
    for _ in range(3):
        youngest.press("ArrowRight")
    tab.settled()
    slot = tab.main.locator(".st-key-slot-tone-1")
    slot.get_by_role("button", name="Re-roll").click()
    tab.settled()
    slot.get_by_role("radio", name="Strong").click()
    tab.settled()
    tab.main.locator(".st-key-slot-model-3").get_by_role("button", name="Pin").click()
    expect(tab.main.get_by_role("button", name="Unpin")).to_be_visible()
    tab.main.locator(".st-key-slot-model-4").get_by_role("button", name="Off").click()
    expect(tab.main.get_by_role("button", name="Switch on")).to_be_visible()
    tab.settled()


def seen(tab: Tab) -> dict[str, object]:
    """All that the composer and the plan show."""
    return {
        "prompt": tab.prompt.input_value(),
        "picked": tab.page.get_by_role("button", pressed=True).evaluate_all("all => all.map((node) => node.ariaLabel)"),
        "chosen": tab.page.get_by_role("radio", checked=True).all_inner_texts(),
        "lists": tab.page.get_by_role("combobox").evaluate_all("all => all.map((node) => node.value)"),
        "ages": tab.page.get_by_role("slider").evaluate_all("all => all.map((node) => node.ariaValueNow)"),
        "plan": tab.text(),
        "references": tab.injected(),
    }


def expect_seen(tab: Tab, before: dict[str, object]) -> None:
    assert tab.comes_to(lambda: seen(tab) == before), (seen(tab), before)


def wishes(record: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = record["wishes"]
    return found


def paste(tab: Tab, text: str) -> int:
    """Put a text into the prompt box at once; returns how many drafts are kept as soon as it is there."""
    count: int = tab.prompt.evaluate(
        f"""(area, text) => {{
          area.value = text;
          area.dispatchEvent(new Event("input", {{ bubbles: true }}));
          return {KEPT}.length;
        }}""",
        text,
    )
    return count


def press_in_the_box(tab: Tab) -> None:
    tab.prompt.press("Control+Enter")


def press_generate(tab: Tab) -> None:
    tab.generate.click()


class TestAfterADeploy:
    def test_the_first_press_orders_once_what_the_screen_shows(self, deployed: Redeployed, visit: Visit) -> None:
        """All of it is there after a reload, too; what was typed while nobody answered is sent along."""
        tab = visit(deployed, viewport=TALL).open()
        composed(tab)
        before = seen(tab)
        tab.page.reload()
        expect_seen(tab, before)
        made = len(deployed.s3.comparisons())
        deployed.restart(tab, lambda: tab.prompt.fill(f"{PROMPT}, smiling"))
        press_in_the_box(tab)
        comparison = tab.shown_comparison
        record = deployed.s3.record(comparison)
        asked = wishes(record)
        assert asked["prompt"] == f"{PROMPT}, smiling"
        assert (asked["mode"], asked["tone"], asked["angle"]) == ("tone-only", "cinematic", "profile")
        assert (asked["person"], asked["gender"], asked["ages"]) == ("yes", "feminine", {"low": 3, "high": 100})
        assert (asked["rerolls"], asked["strengths"]) == ({"tone": 1}, {"tone": "strong"})
        assert [len(asked["pins"]), len(asked["off"])] == [1, 1]
        assert (record["size"], record["quality"]) == ({"width": 1024, "height": 1024}, "low")
        (side,) = record["sides"]
        assert [slot["key"] for slot in side["slots"] if slot["key"]] == before["references"]
        expect(tab.downloads).to_have_count(1)
        assert len(deployed.s3.comparisons()) == made + 1
        expect_kept(tab, 0)

    def test_what_the_server_set_by_itself_stays_as_the_screen_shows_it(
        self, deployed: Redeployed, visit: Visit
    ) -> None:
        """A near miss has changed the tone that was picked by hand; another pick by hand counts again.

        What was typed while nobody answered is sent along by the button, too.
        """
        tab = visit(deployed, viewport=TALL).open()
        tab.choose("Engine", "Preview, no AI")
        tab.type_prompt("A woman looks up")
        tab.tile("Tone", "Beauty").click()
        tab.tile("Angle", "Low angle").click()
        tab.main.get_by_role("button", name=re.compile(r"^Cinematic instead of Beauty")).click()
        expect(tab.main.get_by_role("img", name=re.compile("^person reference")).first).to_be_visible()
        expect(tab.verdict("yes")).to_be_visible()
        tab.settled()
        before = seen(tab)
        deployed.restart(tab, lambda: tab.prompt.fill("A woman looks up, smiling"))
        press_generate(tab)
        record = deployed.s3.record(tab.shown_comparison)
        assert wishes(record)["prompt"] == "A woman looks up, smiling"
        assert (wishes(record)["tone"], wishes(record)["angle"], record["engine"]) == (
            "cinematic",
            "low-angle",
            "preview",
        )
        expect(tab.downloads).to_have_count(2)
        given = {slot["key"] for side in record["sides"] for slot in side["slots"] if slot["key"]}
        assert given == set(before["references"])

        # And once more, when nothing of it is unsent: the composer belongs to the comparison on the stage.
        deployed.restart(tab)
        tab.tile("Angle", "Profile").click()
        expect(tab.main.get_by_role("img", name=re.compile("^angle reference .* profile$"))).to_be_visible()
        expect(tab.prompt).to_have_value("A woman looks up, smiling")
        expect(tab.tile("Tone", "Cinematic")).to_have_attribute("aria-pressed", "true")
        expect(tab.downloads).to_have_count(2)


def test_keeping_a_draft_costs_no_run_and_a_deploy_while_another_page_is_open_no_draft(
    deployed: Redeployed, visit: Visit
) -> None:
    """A fresh tab is drawn once, each change once more; a reload that brings a draft back takes one more."""

    def runs() -> float:
        return deployed.server.metric('studio_rerun_seconds_count{page="generate"}') or 0.0

    before = runs()
    tab = visit(deployed, viewport=TALL).open()
    tab.still()
    assert runs() == before + 1
    tab.tile("Tone", "Noir").click()
    expect(tab.main.get_by_role("img", name=re.compile("^tone reference")).first).to_be_visible()
    tab.still()
    assert runs() == before + 2
    tab.type_prompt(PROMPT)
    expect(tab.main.get_by_text("Read: ", exact=False)).to_be_visible()
    tab.still()
    assert runs() == before + 3
    tab.page.reload()
    expect(tab.prompt).to_have_value(PROMPT)
    tab.still()
    assert runs() == before + 5

    composed = seen(tab)
    tab.page.get_by_role("link", name="History").click()
    expect(tab.page).to_have_url(re.compile("/history$"))
    tab.settled()
    deployed.restart(tab)
    tab.page.get_by_role("link", name="Generate").click()
    expect_seen(tab, composed)


class TestALostLine:
    def test_what_is_typed_meanwhile_is_there_and_the_next_press_orders_it(
        self, studio: Dashboard, visit: Visit
    ) -> None:
        with tcp_proxy(studio.url) as proxy:
            tab = visit(Redeployed(Path(), {}, int(proxy.url.rsplit(":", 1)[1]), None)).open()  # type: ignore[arg-type]
            tab.tile("Tone", "Vivid").click()
            typed(tab)
            proxy.cut()
            expect_line(tab, is_there=False)
            tab.prompt.fill(f"{PROMPT}, from above")
            tab.tile("Angle", "Profile").click()
            proxy.mend()
            expect_line(tab, is_there=True)
            press_in_the_box(tab)
            asked = wishes(studio.record(tab.shown_comparison))
            assert (asked["prompt"], asked["tone"], asked["angle"]) == (f"{PROMPT}, from above", "vivid", "profile")
            tab.page.close()


class TestAReload:
    def test_keystrokes_that_no_server_has_heard_are_kept(self, tab: Tab) -> None:
        """The pick and the last letters are told the keeper at once, and the server later."""
        typed(tab, "Ada")
        tab.prompt.press("End")
        tab.page.evaluate("window.WebSocket.prototype.send = () => {}")  # from now on nothing is heard
        tab.page.keyboard.type(" in Paris")
        tab.tile("Tone", "Noir").click()
        tab.page.reload()
        expect(tab.prompt).to_have_value("Ada in Paris")
        expect(tab.tile("Tone", "Noir")).to_have_attribute("aria-pressed", "true")

    def test_a_tone_by_chance_and_a_shuffle_come_back(self, tab: Tab) -> None:
        tab.main.get_by_role("button", name="Let chance pick a tone").click()
        expect(tab.main.get_by_text(re.compile("drawn with seed")).first).to_be_visible()
        first = tab.text()
        tab.button("Shuffle").click()
        assert tab.comes_to(lambda: tab.text() != first), "another seed"
        before = seen(tab)
        tab.page.reload()
        expect_seen(tab, before)

    def test_a_draft_that_was_changed_after_its_comparison_wins_over_the_address_until_it_is_cleared(
        self, tab: Tab
    ) -> None:
        """Clear empties the composer and the stage for good; the comparison is still there."""
        expect(tab.button("Clear")).to_be_disabled()
        plan(tab, "Cinematic", "Ada in a linen shirt, three-quarter view")
        made = make(tab)
        expect_kept(tab, 0)
        tab.page.reload()
        expect(tab.prompt).to_have_value("Ada in a linen shirt, three-quarter view")
        expect(tab.downloads).to_have_count(2)
        expect_kept(tab, 0)
        tab.type_prompt("Ada in a woollen coat")
        tab.tile("Tone", "Noir").click()
        expect(tab.tile("Tone", "Noir")).to_have_attribute("aria-pressed", "true")
        tab.settled()
        tab.page.reload()
        expect(tab.prompt).to_have_value("Ada in a woollen coat")
        expect(tab.tile("Tone", "Noir")).to_have_attribute("aria-pressed", "true")
        expect(tab.downloads).to_have_count(2)
        assert tab.shown_comparison == made

        tab.choose("Size", "1:1")
        tab.settled()
        tab.button("Clear").click()
        for _ in range(2):
            expect(tab.main.get_by_text("Nothing planned yet")).to_be_visible()
            expect(tab.prompt).to_have_value("")
            expect(tab.tile("Tone", "Noir")).to_have_attribute("aria-pressed", "false")
            expect(tab.page.get_by_role("combobox", name="Size")).to_have_value(re.compile("^4:5 · 1024"))
            assert "comparison" not in tab.page.url
            expect_kept(tab, 0)
            tab.page.reload()
        tab.goto(f"/?comparison={made}")
        expect(tab.prompt).to_have_value("Ada in a linen shirt, three-quarter view")

    def test_what_has_no_room_or_is_too_long_is_said_until_it_is_kept(self, tab: Tab) -> None:
        no_room = tab.main.get_by_text("The browser has no room to keep this draft")
        tab.page.evaluate(
            """() => {
              for (let size = 2 ** 22; size > 0; size = Math.floor(size / 2)) {
                try {
                  for (let nth = 0; ; nth++) localStorage.setItem(`filler ${size} ${nth}`, "x".repeat(size));
                } catch {}
              }
            }"""
        )
        typed(tab)
        expect(no_room).to_be_visible()
        tab.page.evaluate(
            "Object.keys(localStorage).filter((key) => key.startsWith('filler')).forEach((key) => "
            "localStorage.removeItem(key))"
        )
        tab.type_prompt("Ada in Paris")
        expect(no_room).to_be_hidden()
        expect_kept(tab, 1)
        tab.page.reload()
        expect(tab.prompt).to_have_value("Ada in Paris")
        tab.settled()

        too_long = tab.main.get_by_text("This draft is too long to be kept in the browser")
        assert paste(tab, "long " * 40_000) == 0
        expect(too_long).to_be_visible()
        tab.type_prompt("Ada again")
        expect(too_long).to_be_hidden()
        expect_kept(tab, 1)
        assert paste(tab, "long " * 400_000) == 0
        tab.page.close()  # which such a prompt keeps busy for long


@contextmanager
def stopped(server: Dashboard) -> Iterator[None]:
    """A server that hears nothing for a while, as one with much to do: what is pressed meanwhile waits for it."""
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


def leave_at_once(tab: Tab, prompt: str) -> None:
    """Type, and open another page before anybody can have heard it; a hand takes some time to press."""
    tab.prompt.fill(prompt)
    tab.page.get_by_role("link", name="History").click(delay=100)


def open_from_history(tab: Tab) -> None:
    """Open the newest comparison, from its page."""
    tab.cards("Comparisons").first.click()
    tab.dialog.get_by_role("button", name="Open in Generate").click()


def test_what_was_typed_and_left_at_once_is_there_on_the_way_back(deployed: Redeployed, visit: Visit) -> None:
    """Two messages that wait for a server are one to it, the newer; here the line itself loses the older."""
    tab, losing = Tab(visit(deployed, viewport=TALL).context.new_page(), deployed.url), [b"A red chair"]

    def pass_on(line: WebSocketRoute) -> None:
        server = line.connect_to_server()
        line.on_message(lambda sent: None if any(text in sent for text in losing) else server.send(sent))

    tab.page.route_web_socket(re.compile("/_stcore/stream"), pass_on)
    tab.goto("/")
    tab.tile("Tone", "Noir").click()
    typed(tab)
    leave_at_once(tab, "A red chair")
    expect(tab.page).to_have_url(re.compile("/history$"))
    losing.clear()
    tab.page.get_by_role("link", name="Generate").click()
    expect(tab.prompt).to_have_value("A red chair")
    expect(tab.tile("Tone", "Noir")).to_have_attribute("aria-pressed", "true")
    expect(tab.main).to_contain_text("no person")
    tab.settled()
    assert [each["draft"]["prompt"] for each in kept(tab)] == ["A red chair"]


class TestTabs:
    def test_each_tab_keeps_a_draft_of_its_own_and_a_closed_ones_comes_back(self, tab: Tab) -> None:
        """A tab on another page keeps its own for itself; of a copied tab the browser copies its own storage along."""
        typed(tab, "Ada in the first tab")
        tab.goto("/history")
        other = Tab(tab.page.context.new_page(), tab.home)
        other.goto("/")
        other.still()
        expect(other.prompt).to_have_value("")
        tab.page.get_by_role("link", name="Generate").click()
        expect(tab.prompt).to_have_value("Ada in the first tab")
        typed(other, "Bruno in the second tab")
        for each, prompt in ((tab, "Ada in the first tab"), (other, "Bruno in the second tab")):
            each.page.reload()
            expect(each.prompt).to_have_value(prompt)

        with other.page.expect_popup() as opened:
            other.page.evaluate("void window.open(location.href)")
        copy = Tab(opened.value, tab.home)
        expect(copy.prompt).to_have_value("Bruno in the second tab")
        expect_kept(copy, 3)
        copy.type_prompt("Chloe in the copy")
        for each, prompt in ((other, "Bruno in the second tab"), (copy, "Chloe in the copy")):
            each.page.reload()
            expect(each.prompt).to_have_value(prompt)

        tab.page.close()
        again = Tab(other.page.context.new_page(), tab.home)
        again.goto("/")
        expect(again.prompt).to_have_value("Ada in the first tab")
        expect_kept(again, 3)

    def test_a_draft_gives_way_to_a_comparison_that_is_opened_and_waits_for_the_next_tab(
        self, tab: Tab, studio: Dashboard
    ) -> None:
        """Whether it is opened from History or by somebody's link, and whether the server has heard of the draft."""
        plan(tab, "Cinematic", "Ada in the rain, three-quarter view")
        made = make(tab)
        tab.button("Clear").click()
        expect(tab.main.get_by_text("Nothing planned yet")).to_be_visible()
        typed(tab, "A red chair, not sent yet", read="no person")
        tab.page.get_by_role("link", name="History").click()
        open_from_history(tab)
        expect(tab.prompt).to_have_value("Ada in the rain, three-quarter view")
        tab.settled()
        expect_kept(tab, 1)

        linked = Tab(tab.page.context.new_page(), tab.home)
        linked.goto(f"/?comparison={made}")
        expect(linked.prompt).to_have_value("Ada in the rain, three-quarter view")
        expect(linked.downloads).to_have_count(2)
        linked.still()
        expect(linked.prompt).to_have_value("Ada in the rain, three-quarter view")
        linked.page.close()
        fresh = Tab(tab.page.context.new_page(), tab.home)
        fresh.goto("/")
        expect(fresh.prompt).to_have_value("A red chair, not sent yet")
        fresh.goto(f"/?comparison={made}")  # and in the very tab that is at the draft
        expect(fresh.prompt).to_have_value("Ada in the rain, three-quarter view")
        expect_kept(fresh, 1)
        fresh.page.close()

        with stopped(studio):
            leave_at_once(tab, "A blue chair")
        expect(tab.page).to_have_url(re.compile("/history$"))
        open_from_history(tab)
        expect(tab.prompt).to_have_value("Ada in the rain, three-quarter view")
        tab.settled()
        expect_kept(tab, 2)
        newest = Tab(tab.page.context.new_page(), tab.home)
        newest.goto("/")
        expect(newest.prompt).to_have_value("A blue chair")


class TestWhatTheBrowserHolds:
    def change(self, tab: Tab, script: str, *arguments: object) -> None:
        """Change what the browser keeps, and load the page anew. The script knows the `key` and what is `kept`."""
        expect_kept(tab, 1)
        tab.page.evaluate(
            f"""(given) => {{
              const [key] = {KEPT};
              const kept = JSON.parse(localStorage[key]);
              {script}
            }}""",
            arguments,
        )
        tab.page.reload()

    def hold(self, tab: Tab, **draft: object) -> None:
        """Have this in the draft that is kept, and load the page anew."""
        self.change(tab, "Object.assign(kept.draft, given[0]); localStorage[key] = JSON.stringify(kept);", draft)
        tab.settled()

    def test_what_is_no_longer_there_is_named_once_and_a_hostile_draft_breaks_nothing(self, tab: Tab) -> None:
        typed(tab)
        self.hold(tab, tone="sepia", folder="refs/gone", engine="Another · model", size="1:1 · 1024 × 1024")
        expect(tab.main).to_contain_text("Your draft is back, but for its tone, person folder and engine.")
        expect(tab.page.get_by_test_id("stToast")).to_have_count(0)
        expect(tab.prompt).to_have_value(PROMPT)
        expect(tab.page.get_by_role("combobox", name="Size")).to_have_value("1:1 · 1024 × 1024")

        evil = "<img src=x onerror=alert(1)>"
        draft = {"seed": -1, "pins": [evil], "rerolls": {evil: 10**9}, "off": evil, "strengths": {"tone": evil}}
        draft |= {"ages": [90, 3], "mode": {}, "recent": [1], "person": None, "tone_by_chance": "yes"}
        draft |= {"tone": evil, "quality": evil, "gender": 3}
        self.hold(tab, **draft)
        expect(tab.main).to_contain_text("Your draft is back, but for its tone,")
        expect(tab.prompt).to_have_value(PROMPT)
        assert tab.page.locator("img[src='x']").count() == 0
        tab.tile("Tone", "Noir").click()
        expect(tab.main.get_by_role("img", name=re.compile("^tone reference")).first).to_be_visible()

    def test_no_more_than_a_dozen_are_kept_and_none_of_last_week_or_of_no_shape(self, tab: Tab) -> None:
        typed(tab)
        others = """
          for (let nth = 0; nth < 20; nth++) {
            const other = key.replace(/[^.]+$/, `other-${nth}`);
            localStorage[other] = JSON.stringify({ ...kept, at: kept.at - nth - 1 });
          }"""
        self.change(tab, others)
        expect_kept(tab, 12)
        expect(tab.prompt).to_have_value(PROMPT)
        tab.settled()

        changes = [{"at": 1}, {"draft": None}, {"at": "never"}, {"at": None}]
        tab.page.evaluate(
            f"""(changes) => {KEPT}.forEach((key, nth) => {{
              const kept = JSON.parse(localStorage[key]);
              localStorage[key] = JSON.stringify({{ ...kept, ...changes[nth % changes.length] }});
            }})""",
            changes,
        )
        tab.page.reload()
        expect_kept(tab, 0)
        expect(tab.prompt).to_have_value("")

    @pytest.mark.parametrize("missing", [["localStorage", "sessionStorage"], ["locks"]], ids=["storage", "locks"])
    def test_a_browser_that_lacks_something_still_composes(
        self, studio: Dashboard, visit: Visit, missing: list[str]
    ) -> None:
        tab = Tab(visit(studio, viewport=TALL).context.new_page(), studio.url)
        for name in missing:
            where = "Navigator.prototype" if name == "locks" else "window"
            refuses = "undefined" if name == "locks" else "(() => { throw new DOMException('no', 'SecurityError'); })()"
            tab.page.add_init_script(f"Object.defineProperty({where}, '{name}', {{ get: () => {refuses} }})")
        tab.goto("/")
        tab.tile("Tone", "Noir").click()
        typed(tab)
        expect(tab.tile("Tone", "Noir")).to_have_attribute("aria-pressed", "true")
        expect(tab.generate).to_be_enabled()
        if missing == ["locks"]:  # a reload is all that a browser can tell without them
            tab.page.reload()
            expect(tab.prompt).to_have_value(PROMPT)
