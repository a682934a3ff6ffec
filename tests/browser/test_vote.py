"""The vote page in a real Chromium: what it gets tells no side, and no answer is lost or counted twice."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Page, Response, WebSocket, expect

from core.generation.records.comparison import Comparison
from core.references.vocabulary import Role
from core.storage.embedded.server import EmbeddedS3
from core.studio import SAMPLES
from core.votes.ballots.practice import PRACTICE
from tests.browser.accessible import COLOURS, RULES, inaccessible
from tests.browser.conftest import StartDashboard, Visit
from tests.generation.comparisons import slot
from tests.support.dashboards.dashboard import Dashboard, Tab, dashboard
from tests.support.timeouts import until
from tests.votes.ballot_box import BallotBox

BALLOTS = 40
PERSONA = "Araya"
_BALLOT = re.compile(r'"prompt":\s*"([^"]+)",\s*"left":\s*"/ballot/([^"]+)",\s*"right":\s*"/ballot/([^"]+)"')
WORDS = (
    b"fidelity 6",
    b"tone-only",
    b"tone_only",
    b"tone-angle",
    b"tone_angle",
    b"Tone only",
    b"Tone + angle",
    b"gpt-image",
)
# Whether by the next turn of the page's own loop the other prompt stands there; how soon that is, `bench.keys` says.
WATCHED = """() => {
  window.answered = [];
  const prompt = () => window.voteRoot().querySelector(".prompt").textContent;
  window.voteRoot = () => {
    const find = (root) => {
      for (const node of root.querySelectorAll("*")) {
        if (!node.shadowRoot) continue;
        if (node.shadowRoot.querySelector(".vote")) return node.shadowRoot;
      }
    };
    return find(document);
  };
  window.addEventListener("keydown", () => {
    const before = prompt();
    setTimeout(() => window.answered.push(before !== prompt()));
  }, true);
}"""


# Beside each answer that waits in the browser one that no server takes.
FORGED = """() => {
  const { setItem } = Storage.prototype;
  Storage.prototype.setItem = function (key, text) {
    setItem.call(this, key, text);
    if (!key.startsWith("studio.votes.")) return;
    const act = JSON.parse(text);
    setItem.call(this, key.replace(act.id, "forged"), JSON.stringify({ ...act, id: "forged", token: "forged" }));
  };
}"""
# Time hardly passes but by what a test adds to it.
SLOW_CLOCK = """{
  const now = performance.now.bind(performance);
  performance.now = () => now() / 1000 + (window.passed ?? 0);
}"""


@pytest.fixture(scope="module")
def studio_with_pairs(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Dashboard, BallotBox, list[Comparison]]]:
    """A studio that has been away from, and finds so many comparisons when it is back."""
    folder = tmp_path_factory.mktemp("votes")
    with closing(EmbeddedS3.open(folder / "data", SAMPLES)) as before:
        box = BallotBox(before, "studio/", folder / "disks")
        person = slot(f"refs/01. Model/vivid/{PERSONA} 05.png", "1f2e3d4c5b6a", Role.MODEL)
        made = [box.compared(person, prompt=_prompt(number)) for number in range(BALLOTS + 16)]
    with dashboard(folder) as studio:
        yield studio, BallotBox(EmbeddedS3.open(studio.data_dir, SAMPLES), "studio/", folder / "disks"), made


def _prompt(number: int) -> str:
    """Every fourth names its person, which is part of what is judged; some are Korean, and one is as long as a page."""
    if number % 4 == 0:
        return f"a portrait of {PERSONA}, number {number}"
    words = f"긴 외투를 입은 사람, 로우 앵글, 번호 {number}"
    return words if number % 4 == 1 else f"a portrait, number {number}"


def secrets_of(box: BallotBox, one: Comparison) -> list[bytes]:
    """What tells the sides of a comparison apart, or leads to it: ids, keys, file names, etags of all it is made of."""
    folder = box.studio.history().folder_of(one.id)
    rows = list(box.studio.store.list(folder))
    names = {row.key.removeprefix(folder) for row in rows}
    slots = [each for side in one.sides for each in side.slots]
    keys = {each.key for each in slots if each.key} | {row.key for row in rows}
    etags = {each.etag for each in slots if each.etag} | {row.etag for row in rows}
    words = {one.id, folder, *keys, *names, *etags, *(key.rsplit("/", 1)[-1] for key in keys)}
    return [word.encode() for word in sorted(words)]


def judge(page: Page, key: str) -> None:
    page.locator('.answer[aria-disabled="false"]').first.wait_for()
    page.keyboard.press(key)


def _without_pixels(png: bytes) -> list[tuple[bytes, bytes | int]]:
    """The chunks of a PNG, each whole but for the compressed pixels: of these how many there are."""
    chunks, at = [], 8
    while at < len(png):
        size = int.from_bytes(png[at : at + 4], "big")
        kind = png[at + 4 : at + 8]
        chunks.append((kind, size if kind == b"IDAT" else png[at + 8 : at + 12 + size]))
        at += size + 12
    return chunks


def test_nothing_that_the_browser_gets_but_pixels_tells_the_sides_apart(
    studio_with_pairs: tuple[Dashboard, BallotBox, list[Comparison]], visit: Visit
) -> None:
    studio, box, made = studio_with_pairs
    visitor = visit(studio, anew=True)
    page = visitor.context.new_page()
    frames: list[bytes] = []
    got: list[Response] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda data: frames.append(data if isinstance(data, bytes) else data.encode()))

    page.on("websocket", listen)
    page.on("response", lambda answer: got.append(answer) if "/ballot/" in answer.url else None)
    page.goto(f"{studio.url}/vote")
    page.locator('.answer[aria-disabled="false"]').first.wait_for()
    page.evaluate(WATCHED)
    for _ in range(BALLOTS):
        judge(page, "ArrowLeft")
    until(lambda: len(box.stored()) >= BALLOTS)
    changed: list[bool] = page.evaluate("window.answered")
    assert changed == [True] * BALLOTS

    beside = [str(answer.headers).encode() + answer.url.encode() for answer in got]
    told = b"".join([*frames, page.content().encode(), page.title().encode(), *beside])
    ours = [word for one in made for word in secrets_of(box, one)]
    assert [word for word in (*WORDS, *ours) if word in told] == []
    unprompted = told.decode("utf-8", "replace")
    for prompt in {one.wishes.prompt for one in made}:
        for spelled in (prompt, prompt.encode("unicode_escape").decode()):
            unprompted = unprompted.replace(spelled, "")
    assert PERSONA not in unprompted, "named where it is not part of a prompt"
    _pictures_are_alike(got)
    prompts = {one.id: one.wishes.prompt for one in made}
    left_of = {prompts[vote.comparison]: vote.left.value for vote in box.stored()}
    _nothing_guesses_the_side(b"".join(frames).decode("utf-8", "replace"), got, left_of)


def _pictures_are_alike(got: list[Response]) -> None:
    """All answers are the same but for the moment, the request's own number, and the pixels."""
    assert all(answer.status == 200 for answer in got)
    of_the_request = ("date", "content-length", "x-request-id")
    headers = {str({k: v for k, v in answer.headers.items() if k not in of_the_request}) for answer in got}
    assert len(headers) == 1
    kinds = {str([chunk for chunk in _without_pixels(answer.body()) if chunk[0] != b"IDAT"]) for answer in got}
    assert len(kinds) == 1


def _nothing_guesses_the_side(told: str, got: list[Response], left_of: dict[str, str]) -> None:
    """Whatever is compared of a ballot's two pictures but their pixels is alike, or tells the side as a coin does: of
    40 throws fewer than 9 or more than 31 are heads once in five thousand times.
    """
    number = {answer.url.partition("/ballot/")[2]: at for at, answer in enumerate(got)}
    answers = {answer.url.partition("/ballot/")[2]: answer for answer in got}
    guesses: dict[str, list[bool]] = {}
    for spelled, left, right in {match.groups() for match in _BALLOT.finditer(told)}:
        prompt = json.loads(f'"{spelled}"')
        if prompt not in left_of or left not in number or right not in number:
            continue  # was not answered
        (one, other), is_a = (answers[left], answers[right]), left_of[prompt] == "a"
        seen = {
            "asked for first": (number[left], number[right]),
            "address": (left, right),
            "length of the address": (len(left), len(right)),
            "last letter": (left[-1], right[-1]),
            "length": (len(one.body()), len(other.body())),
            "number of the request": (one.headers["x-request-id"], other.headers["x-request-id"]),
        }
        for name, (of_left, of_right) in seen.items():
            if of_left != of_right:
                guesses.setdefault(name, []).append((of_left < of_right) == is_a)
    assert "length" not in guesses
    assert "length of the address" not in guesses
    assert len(guesses["address"]) >= BALLOTS
    assert {name: sum(said) for name, said in guesses.items() if not 0.2 <= sum(said) / len(said) <= 0.8} == {}


def test_an_answer_outlives_a_reload_is_counted_once_and_can_be_taken_back(
    studio_with_pairs: tuple[Dashboard, BallotBox, list[Comparison]], visit: Visit
) -> None:
    studio, box, _ = studio_with_pairs
    before = {vote.ballot for vote in box.stored()}

    def new() -> list[tuple[str, tuple[str, ...]]]:
        votes = [vote for vote in box.stored() if vote.ballot not in before]
        return [(vote.answer.value, tuple(reason.value for reason in vote.reasons)) for vote in votes]

    page = visit(studio).context.new_page()
    page.add_init_script(SLOW_CLOCK)
    page.goto(f"{studio.url}/vote")
    page.evaluate(FORGED)
    judge(page, "ArrowRight")
    page.reload()  # before anything was sent
    until(lambda: new() == [("right", ())])
    expect(page.locator(".answer").first).to_have_attribute("aria-disabled", "false")
    refusal = page.locator(".note-line").get_by_text("An answer was not counted: This ballot is not one")
    expect(refusal).to_be_visible()
    for key in "szs":  # the second skip is pressed before the server has said its ballot
        page.keyboard.press(key)
    until(lambda: box.skips() == 2)
    expect(refusal).to_be_visible()  # not gone before it can have been read
    page.evaluate("window.passed = 60_000")
    page.keyboard.press("3")
    judge(page, "ArrowLeft")
    expect(refusal).to_have_count(0)
    page.keyboard.press("l")
    expect(page.get_by_text("somebody will look at the labels")).to_be_visible()
    page.keyboard.press("z")
    expect(page.get_by_role("button", name="person")).to_have_attribute("aria-pressed", "true")
    judge(page, "ArrowDown")
    until(lambda: len(new()) == 3)
    assert sorted(new()) == [("left", ("person",)), ("right", ()), ("tie", ("person",))]
    expect(page.locator(".standing")).to_contain_text("judged")
    until(lambda: page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('studio.votes.'))") == [])
    page.keyboard.press("w")
    expect(page.locator(".was figcaption")).to_have_count(2)
    expect(page.locator(".was")).to_contain_text("Tone only")


def in_both_themes(tab: Tab, state: str) -> None:
    """Nothing is inaccessible, light and dark; only colours are others in the dark."""
    for scheme, rules in (("dark", COLOURS), ("light", RULES)):
        tab.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # it takes these two words
        assert inaccessible(tab, rules) == [], (state, scheme)


def test_a_vote_by_keyboard_alone_is_told_without_sides_and_is_accessible_in_each_state(
    studio_with_pairs: tuple[Dashboard, BallotBox, list[Comparison]], visit: Visit
) -> None:
    studio, _, _ = studio_with_pairs
    tab = Tab(visit(studio).page(), studio.url)
    page = tab.page
    tab.goto("/vote")
    page.locator('.answer[aria-disabled="false"]').first.wait_for()
    live = page.locator(".unseen[aria-live]").last

    in_both_themes(tab, "voting")
    page.keyboard.press("3")
    expect(live).to_have_text("Because of person: on.")
    pressed = page.get_by_role("button", name="person")
    colours = "(node) => [node, node.querySelector('kbd')].map((each) => getComputedStyle(each).color)"
    assert len(set(pressed.evaluate(colours))) == 1, "the digit is as dark as the word"
    in_both_themes(tab, "a reason is pressed")
    names = page.locator(".vote button:visible").evaluate_all(
        "(all) => all.map((node) => node.getAttribute('aria-label') ?? node.textContent.trim())"
    )
    assert all(names)
    page.keyboard.press("ArrowLeft")
    expect(live).to_contain_text("Left is better. Next pair: ")
    page.keyboard.press("w")
    expect(page.locator(".was figcaption")).to_have_count(2)
    page.keyboard.press("?")
    in_both_themes(tab, "what it was, and the keys")
    page.keyboard.press("Escape")
    focused = "() => window.voteRoot().activeElement?.textContent"
    page.evaluate(WATCHED)
    met = []
    for _ in range(40):
        page.keyboard.press("Tab")
        met.append(page.evaluate(focused) or "")
    buttons = ["left is better", "tie", "both bad", "right is better", "person", "undo", "skip", "what was it?", "keys"]
    assert [name for name in buttons if not any(name in each for each in met)] == []


def test_a_fresh_demo_has_its_first_vote_within_a_minute_and_says_when_all_is_judged(
    start_dashboard: StartDashboard, visit: Visit
) -> None:
    """Both empty states are accessible, and after the last pair the keys are still heard."""
    studio = start_dashboard()
    tab = visit(studio).open("/vote")
    page = tab.page
    practise = tab.button("Make practice comparisons")
    practise.wait_for()
    in_both_themes(tab, "empty")
    practise.click()
    began = time.monotonic()
    for number in range(PRACTICE):
        judge(page, "ArrowRight" if number % 2 else "ArrowLeft")
        assert time.monotonic() - began < 60 or number, "the first vote"
    page.get_by_text(f"You have answered {PRACTICE} pairs.").wait_for()
    in_both_themes(tab, "all judged")
    page.keyboard.press("z")
    judge(page, "ArrowDown")
    expect(page.get_by_role("button", name="what was it?")).to_be_enabled()  # the new answer has its ballot
    page.get_by_text("All judged").wait_for()
    page.keyboard.press("w")
    expect(page.locator(".was figcaption")).to_have_count(2)


def test_a_thumb_votes_on_a_phone(
    studio_with_pairs: tuple[Dashboard, BallotBox, list[Comparison]], visit: Visit
) -> None:
    """Both have to be looked at; two fingers zoom both alike."""
    studio, box, _ = studio_with_pairs
    phone = visit(studio, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = phone.page()
    page.goto(f"{studio.url}/vote")
    page.locator(".pane.shown img").first.wait_for()
    sizes = page.locator(".vote button:visible").evaluate_all(
        "(all) => all.map((node) => [node.textContent, node.getBoundingClientRect()])"
        ".filter(([, box]) => Math.min(box.width, box.height) < 43.5).map(([text]) => text)"
    )
    assert sizes == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    before = len(box.stored())
    page.locator(".answer").first.tap(force=True)  # it says that it is off, and why when it is pressed
    expect(page.locator(".note-line")).to_have_text("Look at both first: a tap turns to the other.")
    page.locator(".floor").tap()
    _pinch(page)
    scales = page.locator(".pane:not(.aside) .frame").evaluate_all("(all) => all.map((node) => node.style.width)")
    assert len(set(scales)) == 1
    expect(page.get_by_role("button", name=re.compile("^Fit, now at"))).to_contain_text("%")
    page.locator('.answer[aria-disabled="false"]').first.tap()
    until(lambda: len(box.stored()) == before + 1)


def _pinch(page: Page) -> None:
    """Two fingers that part in the middle of the pictures."""
    found = page.locator(".floor").bounding_box()
    assert found is not None
    x, y = found["x"] + found["width"] / 2, found["y"] + found["height"] / 2
    session = page.context.new_cdp_session(page)

    def touch(kind: str, apart: float) -> None:
        points = [] if kind == "touchEnd" else [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 30)
    for apart in (50, 80, 120):
        touch("touchMove", apart)
    touch("touchEnd", 0)
