"""Reviewers beside each other at two replicas on one S3: lent portraits, blind second looks, and a third's decision."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, expect

from bench.checkout import copy_of_the_checkout
from core.identity.session import SessionSigner
from core.labels.decisions.second_looks import is_doubly_reviewed
from core.labels.lending.loans import HAND_MAX, LENT_S
from core.labels.published.schema import LabelField
from core.labels.queue.queue import QueueFilter, ReviewState
from core.viewer import PersonRole, Viewer
from tests.browser.conftest import Visit
from tests.labels.review.services import ReviewFixture, correct
from tests.support.dashboards.dashboard import Dashboard, Tab, Visitor, dashboard
from tests.support.dashboards.production import SECRET, session, settings_of
from tests.support.ports import own_port
from tests.support.processes.programs import ROOT
from tests.support.s3.moto_server import moto_server, with_bucket
from tests.support.s3.servers import S3Server, client_of
from tests.support.timeouts import LONG_S, until

ANN, BO, CY = "ann@studio.example", "bo@studio.example", "cy@studio.example"
LENT = "studio/reviews/lent.json"


@dataclass
class House:
    """One bucket, a replica for each of two reviewers, and the checkout they share."""

    s3: S3Server
    replicas: Sequence[Dashboard]
    file: Path
    twice: Sequence[str]  # keys of portraits that two people look at

    def lent(self) -> dict[str, list[str]]:
        """Who has which portraits, by address, as S3 has it."""
        client = client_of(self.s3)
        if not client.list_objects_v2(Bucket=self.s3.bucket, Prefix=LENT).get("Contents"):
            return {}
        body = client.get_object(Bucket=self.s3.bucket, Key=LENT)["Body"].read()
        return {loan["reviewer"]: loan["etags"] for loan in json.loads(body)["loans"]}

    def lend(self, *loans: dict[str, Any]) -> None:
        """Have exactly this lent, as another server would write it."""
        data = json.dumps({"loans": loans}).encode()
        client_of(self.s3).put_object(Bucket=self.s3.bucket, Key=LENT, Body=data)

    def etag(self, key: str) -> str:
        etag: str = client_of(self.s3).head_object(Bucket=self.s3.bucket, Key=key)["ETag"].strip('"')
        return etag

    def key_of(self, name: str) -> str:
        rows = client_of(self.s3).list_objects_v2(Bucket=self.s3.bucket, Prefix="refs/")["Contents"]
        return next(row["Key"] for row in rows if row["Key"].endswith(f"/{name}"))

    def server(self) -> ReviewFixture:
        """A third server of the same studio."""
        at = ReviewFixture(self.s3, self.file)
        at.log.refresh()
        return at


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    samples = ROOT / "samples"
    keys = sorted(path.relative_to(samples).as_posix() for path in (samples / "refs/01. Model").rglob("*.jpg"))
    checkout = copy_of_the_checkout(tmp_path_factory.mktemp("house"))
    with moto_server() as server, ExitStack() as running:
        bucket = with_bucket(server, {key: (samples / key).read_bytes() for key in keys})
        replicas = []
        for name in ("ann", "bo"):
            port = own_port()
            settings = settings_of(bucket, public_url=f"http://127.0.0.1:{port}")
            settings |= {"OPS_EMAILS": f"{ANN},{BO},{CY}", "ALLOWED_DOMAINS": "studio.example"}
            folder = tmp_path_factory.mktemp(name)
            replicas.append(running.enter_context(dashboard(folder, settings, port=port, root=checkout)))
        house = House(bucket, replicas, checkout / "labels" / "personas.jsonl", [])
        house.twice = [key for key in keys if is_doubly_reviewed(house.etag(key))]
        yield house


@dataclass
class Place:
    """A reviewer in front of the dashboard."""

    tab: Tab
    visitor: Visitor
    desk: Locator = field(init=False)

    def __post_init__(self) -> None:
        self.desk = self.tab.page.locator(".desk")

    @property
    def portrait(self) -> str:
        """The file name of the portrait on the desk."""
        picture = self.desk.locator(".picture")
        expect(picture).to_have_attribute("src", re.compile("/image/"))
        return picture.get_attribute("alt") or ""

    def press(self, *keys: str) -> None:
        self.desk.focus()
        for key in keys:
            self.tab.page.keyboard.press(key)

    def is_all_saved(self) -> None:
        expect(self.desk.locator(".status")).to_contain_text("all saved")


Sit = Callable[..., Place]


@pytest.fixture
def sit(house: House, visit: Visit) -> Sit:
    """Open the dashboard as a reviewer, each in a browser of their own; what is lent begins with nothing."""
    house.lend()

    def sit_down(person: str, path: str = "/labels", *, at: int | None = None, anew: bool = False) -> Place:
        replica = house.replicas[(0 if person == ANN else 1) if at is None else at]
        visitor = visit(replica, anew=anew, viewport={"width": 1366, "height": 768}, timezone_id="Asia/Seoul")
        cookie = SessionSigner(SECRET).cookie(session(person))
        visitor.context.add_cookies([{"name": "studio", "value": cookie, "url": replica.url}])
        return Place(visitor.open(path), visitor)

    return sit_down


def has(house: House, person: str, count: int) -> None:
    until(lambda: len(house.lent().get(person, ())) == count, f"{person} has {count} portraits")


def test_two_reviewers_get_different_portraits_and_each_sees_with_whom_the_others_are(house: House, sit: Sit) -> None:
    ann = sit(ANN)
    mine = ann.portrait
    bo = sit(BO)
    assert bo.portrait != mine
    assert not set(house.lent()[ANN]) & set(house.lent()[BO])
    bo.tab.goto(f"/labels?find={mine.removesuffix('.jpg').replace(' ', '%20')}")
    assert bo.portrait == mine
    expect(bo.desk.locator(".words .lent").first).to_have_text(
        re.compile(r"^This portrait is with Kim until \d\d:\d\d\. You can decide all the same\.$")
    )
    bo.tab.goto("/labels?show=Grid")
    expect(bo.tab.cards("Portraits").filter(has_text=re.compile(r"with Kim until \d\d:\d\d"))).to_have_count(HAND_MAX)


def test_what_both_decide_all_the_same_is_a_lost_race_and_nothing_is_lost(house: House, sit: Sit) -> None:
    ann = sit(ANN)
    name = ann.portrait
    key = house.key_of(name)
    bo = sit(BO, f"/labels?find={name.removesuffix('.jpg').replace(' ', '%20')}")
    expect(bo.desk.locator(".words .lent").first).to_contain_text("with Kim")
    ann.press("1", "5", "a")
    ann.is_all_saved()
    if key in house.twice:  # a second look has no race to lose
        return
    bo.press("1", "6", "a")
    expect(bo.desk.locator(".message")).to_contain_text(f"{ANN} set age range")


def test_each_way_of_leaving_gives_everything_back(house: House, sit: Sit) -> None:
    """The next portrait, another view, another page, a closed tab, and signing out."""
    ann = sit(ANN)
    first = house.etag(house.key_of(ann.portrait))
    assert first in house.lent()[ANN]
    ann.press("s")
    until(lambda: first not in house.lent()[ANN], "what was skipped is everybody's")
    has(house, ANN, HAND_MAX)
    ann.tab.page.get_by_role("button", name="Grid").or_(ann.tab.page.get_by_role("radio", name="Grid")).first.click()
    has(house, ANN, 0)
    ann.tab.goto("/labels")
    has(house, ANN, HAND_MAX)
    ann.tab.page.get_by_role("link", name="History").click()
    has(house, ANN, 0)
    ann.tab.goto("/labels")
    has(house, ANN, HAND_MAX)
    assert ann.portrait  # a page that is closed before its desk stands has nothing to give back with: its loan runs out
    ann.tab.page.close()
    has(house, ANN, 0)
    again = ann.visitor.open("/labels")
    has(house, ANN, HAND_MAX)
    again.page.get_by_role("button", name="Kim").click()
    again.page.get_by_role("button", name="Sign out", exact=True).click()
    has(house, ANN, 0)


def test_who_looks_around_has_what_they_stop_at(house: House, sit: Sit) -> None:
    ann = sit(ANN)
    assert ann.portrait
    ann.press(*["ArrowRight"] * (HAND_MAX + 2))
    etag = house.etag(house.key_of(ann.portrait))
    until(lambda: house.lent()[ANN][:1] == [etag], "what is looked at stands first")


def test_who_comes_back_after_it_has_ended_keeps_what_they_typed_and_may_save_it(house: House, sit: Sit) -> None:
    ann = sit(ANN, anew=True)  # whose clock is set
    name = ann.portrait
    etag = house.etag(house.key_of(name))
    ann.press("3", "t")
    ann.tab.page.keyboard.type("as see")
    now = datetime.now(UTC)
    loan = {"desk": "elsewhere", "reviewer": BO, "name": "Bo", "etags": [etag]}
    house.lend({**loan, "until": (now + timedelta(seconds=LENT_S)).isoformat()})
    ann.tab.page.clock.set_fixed_time(now + timedelta(seconds=90))
    ann.tab.page.keyboard.type("n")
    expect(ann.desk.locator(".words .lent").first).to_contain_text("This portrait is with Bo until")
    expect(ann.desk.locator("input")).to_have_value("as seen")
    assert ann.portrait == name
    ann.tab.page.keyboard.press("Enter")
    ann.press("a")
    ann.is_all_saved()
    decided = house.server().log.reviews.of_picture(etag)
    assert decided[-1].reviewer == ANN
    assert decided[-1].event.changes


def test_a_loan_that_ends_while_it_is_looked_at_is_not_named_any_more(house: House, sit: Sit) -> None:
    bo_may = Viewer(BO, PersonRole.OPS)
    key = house.server().reviews.queue(bo_may, QueueFilter(state=ReviewState.OPEN))[-1].reference.key
    loan = {"desk": "elsewhere", "reviewer": ANN, "name": "Ann", "etags": [house.etag(key)]}
    house.lend({**loan, "until": (datetime.now(UTC) + timedelta(seconds=200)).isoformat()})
    bo = sit(BO, f"/labels?find={quote(key.rsplit('/', 1)[1].removesuffix('.jpg'))}&state=open", anew=True)
    expect(bo.desk.locator(".words .lent").first).to_contain_text("with Ann")
    bo.tab.page.clock.set_fixed_time(datetime.now(UTC) + timedelta(seconds=LENT_S))
    bo.press("1", "Escape")
    expect(bo.desk.locator(".words .lent")).to_have_count(0)


def test_a_second_look_is_blind_after_a_publish_and_where_it_differs_a_third_decides(house: House, sit: Sit) -> None:
    key = house.twice[0]
    name = key.rsplit("/", 1)[1]
    at = house.server()
    ann = Viewer(ANN, PersonRole.OPS)
    said = {LabelField.GENDER: "masculine", LabelField.NOTES: "a shadow, no beard"}
    before = at.reviews.item(ann, key).shown
    assert before is not None
    other = "feminine" if before.gender_presentation == "masculine" else "masculine"
    at.reviews.save(ann, [correct(at.reviews.item(ann, key), said | {LabelField.GENDER: other}, id="first")])
    publisher = at.publisher(house.file)
    draft = publisher.draft(at.library.index)
    publisher.publish(draft, ann)
    find = name.removesuffix(".jpg").replace(" ", "%20")
    bo = sit(BO, f"/labels?find={find}&state=second%20look")

    def runs_what_was_published() -> bool:
        bo.tab.page.reload()  # the replica looks for another file every few seconds
        bo.tab.settled()
        return f"· version {draft.version}" in bo.tab.text()

    until(runs_what_was_published, "the replica has taken up the file", patience_s=3 * LONG_S)
    assert bo.portrait == name
    gender = bo.desk.locator('[data-field="gender_presentation"]')
    expect(gender).to_contain_text(str(before.gender_presentation))
    seen = bo.desk.evaluate("node => node.outerHTML")
    grid = sit(BO, f"/labels?find={find}&state=second%20look&show=Grid")
    card = grid.tab.cards("Portraits").first
    expect(card).to_contain_text(str(before.gender_presentation))
    card.press("Enter")
    expect(grid.tab.dialog).to_contain_text("what they said is shown after that")
    for page in (seen, card.evaluate("node => node.outerHTML"), grid.tab.dialog.inner_html()):
        assert ANN not in page
        assert "no beard" not in page
        assert f">{other}" not in page
    bo.press("a")
    bo.is_all_saved()

    own = sit(ANN, "/labels?show=Disagreements")
    expect(own.tab.main).to_contain_text("One of these two looks is yours: somebody else decides.")
    expect(own.tab.page.get_by_role("button", name=other)).to_be_disabled()
    third = sit(CY, "/labels?show=Disagreements")
    expect(third.tab.main).to_contain_text("1 portrait waits for a third person")
    expect(third.tab.main).to_contain_text("a shadow, no beard")
    third.tab.page.get_by_role("button", name=other).click()
    expect(third.tab.main).to_contain_text(re.compile(rf"is {other}, decided by you"))
    decided = house.server().log.reviews.of_picture(house.etag(key))
    assert (decided[-1].reviewer, decided[-1].event.third) == (CY, True)
    assert decided.values[LabelField.GENDER] == other
    third.tab.page.get_by_role("button", name="Undo").click()
    expect(third.tab.main).to_contain_text("1 portrait waits for a third person")


def test_the_publish_dialog_keeps_a_first_look_from_who_is_to_look_second(house: House, sit: Sit) -> None:
    key = house.twice[1]
    at = house.server()
    ann = Viewer(ANN, PersonRole.OPS)
    at.reviews.save(ann, [correct(at.reviews.item(ann, key), {LabelField.EXPRESSION: "a wry grin"}, id="kept")])
    for person, may_see in ((BO, False), (ANN, True)):
        place = sit(person, "/labels?show=Grid", at=1)
        place.tab.button("Publish…").click()
        dialog = place.tab.dialog
        if may_see:
            expect(dialog).to_contain_text("a wry grin")
            continue
        expect(dialog).to_contain_text("1 portrait of these waits for your second look")
        dialog.get_by_role("radio", name="Raw diff").click()
        expect(dialog.get_by_test_id("stCode")).to_be_visible()
        assert "a wry grin" not in dialog.inner_html()
