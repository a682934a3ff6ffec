"""Two reviewers at two replicas on one S3: what the desk says has happened stands in the log."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from core.identity.session import SessionSigner
from core.labels.decisions.reviews import Reviews, Save, Value, undoable_of
from core.labels.decisions.second_looks import is_doubly_reviewed
from core.labels.published.schema import LabelField
from core.references.key import persona_of
from tests.browser.conftest import Visit
from tests.support.dashboards.dashboard import Dashboard, Tab, dashboard
from tests.support.dashboards.production import COOKIE, SECRET, session, settings_of
from tests.support.processes.programs import ROOT
from tests.support.s3.moto_server import moto_server, with_bucket
from tests.support.s3.servers import S3Server, client_of

MIRA, NOOR = "mira@studio.example", "noor@studio.example"
UNKNOWN: Final = [f"refs/01. Model/a(natural,film) eye-level/Unknown 0{n}.png" for n in (1, 2, 3)]


def picture(shade: int) -> bytes:
    """A portrait that nobody has said anything about."""
    out = io.BytesIO()
    Image.new("RGB", (80, 100), (shade,) * 3).save(out, "PNG")
    return out.getvalue()


@dataclass
class House:
    """One bucket, a replica for each reviewer, and the portraits that no test has taken yet."""

    s3: S3Server
    mira: Dashboard
    noor: Dashboard
    free: list[str]
    people: dict[str, list[str]]
    read: dict[str, Save] = field(default_factory=dict)  # what lies in the log by its key, and never changes there

    def portrait(self) -> str:
        return self.free.pop()

    def persona(self) -> list[str]:
        """The portraits of somebody of whom there are three and none waits to be looked at twice."""
        found = next(keys for keys in self.people.values() if len(keys) > 2 and set(keys) <= set(self.free))
        self.free = [key for key in self.free if key not in found]
        return found

    def saves(self) -> list[Save]:
        client = client_of(self.s3)
        rows = client.list_objects_v2(Bucket=self.s3.bucket, Prefix="studio/reviews/log/").get("Contents", ())
        for key in (row["Key"] for row in rows if row["Key"] not in self.read):
            data = client.get_object(Bucket=self.s3.bucket, Key=key)["Body"].read()
            self.read[key] = Save.model_validate_json(data)
        return [self.read[row["Key"]] for row in rows]

    def decided(self, key: str) -> list[tuple[str, str]]:
        """Who did what about a portrait, as S3 has it."""
        return [(save.reviewer, event.kind.value) for save in self.saves() for event in save.events if event.key == key]

    def values(self, key: str) -> dict[LabelField, Value]:
        """What all decisions about a portrait come to."""
        reviews = Reviews.of(self.saves())
        (etag,) = {made.event.etag for made in reviews if made.event.key == key}
        return reviews.of_picture(etag).values

    def undoable(self, reviewer: str) -> list[str]:
        saves = self.saves()
        return [event.key for event in undoable_of(saves, Reviews.of(saves), reviewer, limit=50)]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    samples = ROOT / "samples"
    keys = sorted(path.relative_to(samples).as_posix() for path in (samples / "refs/01. Model").rglob("*.jpg"))
    objects = {key: (samples / key).read_bytes() for key in keys[:30]}
    objects |= {key: picture(60 * number) for number, key in enumerate(UNKNOWN, 1)}
    with moto_server() as server, ExitStack() as running:
        bucket = with_bucket(server, objects)
        settings = {**settings_of(bucket), "OPS_EMAILS": f"{MIRA},{NOOR}", "ALLOWED_DOMAINS": "studio.example"}
        head = client_of(bucket).head_object
        etags = {key: head(Bucket=bucket.bucket, Key=key)["ETag"].strip('"') for key in keys[:30]}
        free = [key for key, etag in etags.items() if not is_doubly_reviewed(etag)]
        people: dict[str, list[str]] = {}
        for key in etags:
            people.setdefault(persona_of(key) or key, []).append(key)
        replicas = [
            running.enter_context(dashboard(tmp_path_factory.mktemp(name), settings)) for name in ("mira", "noor")
        ]
        yield House(bucket, replicas[0], replicas[1], free, people)


@dataclass
class Desk:
    """A reviewer in front of one portrait."""

    tab: Tab

    @property
    def node(self) -> Locator:
        return self.tab.page.locator(".desk")

    def press(self, *keys: str) -> Desk:
        for key in keys:
            self.tab.page.keyboard.press(key)
        return self

    def button(self, name: str) -> Locator:
        return self.node.get_by_role("button", name=name, exact=False)

    def says(self, text: str | re.Pattern[str]) -> None:
        expect(self.node).to_contain_text(text)

    def is_all_saved(self) -> None:
        expect(self.node.locator(".status")).to_contain_text("all saved")
        expect(self.node.locator(".message")).to_have_count(0)


Sit = Callable[[str, str], Desk]


@pytest.fixture
def sit(house: House, visit: Visit) -> Sit:
    """Sit down at the desk before a portrait, each reviewer with a browser and a replica of their own."""

    def sit_down(reviewer: str, key: str) -> Desk:
        at = house.mira if reviewer == MIRA else house.noor
        visitor = visit(at, viewport={"width": 1366, "height": 768}, timezone_id="Asia/Seoul")
        cookie = SessionSigner(SECRET).cookie(session(reviewer))
        visitor.context.add_cookies([{"name": COOKIE, "value": cookie, "url": at.url.replace("http:", "https:")}])
        return before(Desk(visitor.open(address(key))), key)

    return sit_down


def address(key: str) -> str:
    """The page on which the desk has this portrait."""
    return f"/labels?find={key.removeprefix('refs/').replace(' ', '%20').replace('+', '%2B')}"


def before(desk: Desk, key: str) -> Desk:
    """The desk once it has this portrait and the keys."""
    expect(desk.node.locator(".picture")).to_have_attribute("alt", key.rsplit("/", 1)[1])
    expect(desk.node).to_be_focused()
    return desk


AGE: Final = {"mira": ("1", "5", "a"), "noor": ("1", "6", "a")}  # 45–59 against 60+
MIRAS, NOORS = (45, 59), (60, 120)


def both_decide(house: House, sit: Sit) -> tuple[str, Desk, Desk]:
    """Mira and Noor set the same field of one portrait differently; Noor comes second."""
    key = house.portrait()
    mira, noor = sit(MIRA, key), sit(NOOR, key)
    mira.press(*AGE["mira"]).is_all_saved()
    noor.press(*AGE["noor"])
    noor.says(re.compile(rf"{MIRA} set age range to 45–59 of .* at \d\d:\d\d KST"))
    noor.says("You: age range 60+. Not saved yet.")
    expect(noor.node.locator(".status")).to_contain_text("1 not saved")
    assert house.decided(key) == [(MIRA, "correct")]
    return key, mira, noor


def test_use_mine_is_written_and_undo_brings_theirs_back(house: House, sit: Sit) -> None:
    key, _, noor = both_decide(house, sit)
    noor.button("Use mine").click()
    noor.is_all_saved()
    assert house.decided(key) == [(MIRA, "correct"), (NOOR, "correct")]
    assert house.values(key)[LabelField.AGE] == NOORS
    noor.press("z")
    noor.is_all_saved()
    assert house.values(key)[LabelField.AGE] == MIRAS
    assert key not in house.undoable(NOOR)


def test_use_mine_by_its_key_after_a_reload_is_written_too(house: House, sit: Sit) -> None:
    """A lost race waits in the browser until it is settled: a reload asks once more and is told the same."""
    key, _, noor = both_decide(house, sit)
    noor.tab.page.reload()
    noor.says("You: age range 60+. Not saved yet.")
    expect(noor.node.locator(".status")).to_contain_text("1 not saved")
    noor.press("m")
    noor.is_all_saved()
    assert house.values(key)[LabelField.AGE] == NOORS


def test_keep_theirs_writes_nothing_and_shows_theirs(house: House, sit: Sit) -> None:
    key, _, noor = both_decide(house, sit)
    noor.button("Look").click()
    noor.button("Keep theirs").click()
    noor.is_all_saved()
    assert house.decided(key) == [(MIRA, "correct")]
    expect(noor.node.locator("[data-field=age] .value")).to_have_text("45–59")
    noor.press("a")
    noor.is_all_saved()
    assert house.decided(key) == [(MIRA, "correct"), (NOOR, "accept")]
    assert house.values(key)[LabelField.AGE] == MIRAS


def test_what_was_accepted_against_a_correction_can_be_insisted_on(house: House, sit: Sit) -> None:
    key = house.portrait()
    mira, noor = sit(MIRA, key), sit(NOOR, key)
    shown = noor.node.locator("[data-field=age] .value").inner_text()
    mira.press(*AGE["mira"]).is_all_saved()
    noor.press("a")
    noor.says(f"You: age range {shown}. Not saved yet.")
    noor.button("Use mine").click()
    noor.is_all_saved()
    assert house.decided(key) == [(MIRA, "correct"), (NOOR, "correct")]
    assert house.values(key)[LabelField.AGE] not in (MIRAS, NOORS)


def test_insisting_loses_again_where_a_third_decision_came_in_between(house: House, sit: Sit) -> None:
    key, mira, noor = both_decide(house, sit)
    mira.tab.goto(f"{address(key)}&state=reviewed")
    before(mira, key)
    mira.press("1", "1", "a").is_all_saved()
    noor.button("Use mine").click()
    noor.says(re.compile(rf"{MIRA} set age range to under 18 of"))
    assert (NOOR, "correct") not in house.decided(key)
    noor.button("Use mine").click()
    noor.is_all_saved()
    assert house.values(key)[LabelField.AGE] == NOORS


def test_after_nothing_to_accept_the_portrait_is_not_deaf(house: House, sit: Sit) -> None:
    mira = sit(MIRA, UNKNOWN[0])
    mira.press("a")
    mira.says("There is nothing to accept: say what you see, or skip the picture.")
    expect(mira.node.locator(".status")).to_contain_text("1 not saved")
    mira.button("OK").click()
    mira.is_all_saved()
    assert house.decided(UNKNOWN[0]) == []
    mira.press("2", "1", "a")
    mira.is_all_saved()
    assert house.decided(UNKNOWN[0]) == [(MIRA, "correct")]
    assert house.values(UNKNOWN[0])[LabelField.GENDER] == "feminine"


def test_a_correction_puts_the_message_that_stands_aside(house: House, sit: Sit) -> None:
    mira = sit(MIRA, UNKNOWN[1])
    mira.press("a")
    mira.says("There is nothing to accept")
    mira.press("2", "2", "a")
    mira.is_all_saved()
    assert house.decided(UNKNOWN[1]) == [(MIRA, "correct")]


def test_what_was_skipped_is_looked_at_again_and_decided(house: House, sit: Sit) -> None:
    mira = sit(MIRA, UNKNOWN[2])
    mira.press("s")
    mira.says("1 portrait that you skipped is left.")
    mira.button("Look at the skipped").click()
    mira.press("2", "1", "a")
    mira.is_all_saved()
    assert house.decided(UNKNOWN[2]) == [(MIRA, "skip"), (MIRA, "correct")]


def test_one_press_settles_a_field_for_all_pictures_of_a_person_but_who_decided_otherwise(
    house: House, sit: Sit
) -> None:
    persona = house.persona()
    shown, other = persona[0], persona[1]
    mira = sit(MIRA, other)
    mira.press("2", "0", "a").is_all_saved()
    noor = sit(NOOR, shown)
    noor.press("2")
    noor.node.locator(".settle").click()  # this replica may not know yet what Mira has decided: saving will
    noor.says(f"on {len(persona) - 1} picture")
    noor.says(f"{other.rsplit('/', 1)[1]} stays unsure, as {MIRA} decided.")
    expect(noor.node.locator(".status")).to_contain_text("all saved")
    settled = [key for key in persona if (NOOR, "correct") in house.decided(key)]
    assert settled == [key for key in persona if key != other]
    noor.node.get_by_role("status").get_by_role("button", name="Undo").click()
    noor.is_all_saved()
    assert all(LabelField.GENDER not in house.values(key) for key in settled)
    assert not set(persona) & set(house.undoable(NOOR))
    noor.press("2", "p")
    noor.says(f"on {len(persona) - 1} picture")
    noor.node.get_by_role("status").get_by_role("button", name="OK").click()
    noor.is_all_saved()
    noor.tab.page.reload()
    expect(noor.node).to_be_focused()
    noor.press("z")
    noor.is_all_saved()
    assert all(LabelField.GENDER not in house.values(key) for key in settled)


def test_printed_digits_choose_and_are_not_written(house: House, sit: Sit) -> None:
    """In Expression, 4 opens it and 2 chooses what its badge says."""
    key = house.portrait()
    mira = sit(MIRA, key)
    mira.press("4", "2", "Enter")
    mira.is_all_saved()
    assert house.values(key)[LabelField.EXPRESSION] == "smile"
    other = sit(MIRA, house.portrait())
    other.press("4")
    expect(other.button("other…")).to_be_visible()
    other.press("t")
    other.tab.page.keyboard.type("lost in thought")
    other.press("Enter", "a").is_all_saved()
    assert any(
        change.after == "lost in thought" for save in house.saves() for each in save.events for change in each.changes
    )


def test_after_a_filter_was_chosen_by_mouse_the_desk_has_the_keys_back(house: House, sit: Sit) -> None:
    key = house.portrait()
    mira = sit(MIRA, key)
    mira.tab.choose("Any source", "nominal")
    expect(mira.node).to_be_focused()
    mira.press("a")
    mira.is_all_saved()
    assert house.decided(key) == [(MIRA, "accept")]


def test_what_decides_is_above_the_fold_and_what_waits_is_one_number_under_one_word(house: House, sit: Sit) -> None:
    mira = sit(MIRA, house.free[0])
    mira.press("1")
    for width, height in ((1366, 768), (1280, 720)):
        mira.tab.page.set_viewport_size({"width": width, "height": height})
        mira.tab.still()
        for name in ("Accept", "Skip", "Undo"):
            box = mira.button(name).first.bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= height, name

    mira.tab.goto("/labels")
    expect(mira.node.locator(".status")).to_contain_text(re.compile(r"all saved · \d+ waiting"))
    said = re.search(r"([\d,]+) waiting for you", mira.tab.text())
    on_desk = re.search(r"([\d,]+) waiting", mira.node.locator(".status").inner_text())
    assert said is not None
    assert on_desk is not None
    assert said[1] == on_desk[1]
    mira.tab.goto("/labels?show=Trust")
    expect(mira.tab.page.get_by_test_id("stMetric").filter(has_text="Waiting for you")).to_contain_text(said[1])
