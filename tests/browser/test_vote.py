"""The vote page in a real Chromium: what it gets tells no side, and no answer is lost or counted twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Response, WebSocket, expect

from core.generation.records.comparison import Comparison
from core.storage.embedded.server import EmbeddedS3
from core.studio import SAMPLES
from tests.browser.conftest import Visit
from tests.support.dashboards.dashboard import Dashboard, dashboard
from tests.support.timeouts import until
from tests.votes.ballot_box import BallotBox

BALLOTS = 40
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
# By the next turn of the page's own loop: the other prompt stands there, with its pictures.
TIMED = """() => {
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
    const [at, before] = [performance.now(), prompt()];
    setTimeout(() => window.answered.push([before !== prompt(), performance.now() - at]));
  }, true);
}"""


@pytest.fixture(scope="module")
def studio_with_pairs(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Dashboard, BallotBox, list[Comparison]]]:
    """A studio that has been away from, and finds so many comparisons when it is back."""
    folder = tmp_path_factory.mktemp("votes")
    with dashboard(folder) as first:
        box = BallotBox(EmbeddedS3.open(first.data_dir, SAMPLES), "studio/", folder / "disks")
        made = [box.compared(prompt=f"a portrait, number {number}") for number in range(BALLOTS + 6)]
    with dashboard(folder) as again:
        yield again, BallotBox(EmbeddedS3.open(again.data_dir, SAMPLES), "studio/", folder / "disks"), made


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
    page.evaluate(TIMED)
    for _ in range(BALLOTS):
        judge(page, "ArrowLeft")
    until(lambda: len(box.stored()) >= BALLOTS)
    timed: list[Any] = page.evaluate("window.answered")
    assert [changed for changed, _ in timed] == [True] * len(timed)
    assert sorted(ms for _, ms in timed)[len(timed) // 2] < 50

    told = b"".join(frames) + page.content().encode()
    ours = [each for one in made for each in (one.id.encode(),)]
    assert [word for word in (*WORDS, *ours) if word in told] == []
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
    for prompt, left, right in {match.groups() for match in _BALLOT.finditer(told)}:
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
    page.goto(f"{studio.url}/vote")
    judge(page, "ArrowRight")
    page.reload()  # before anything was sent
    until(lambda: new() == [("right", ())])
    expect(page.locator(".answer").first).to_have_attribute("aria-disabled", "false")
    page.keyboard.press("3")
    judge(page, "ArrowLeft")
    page.keyboard.press("l")
    expect(page.get_by_text("there is no label to review")).to_be_visible()
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
