"""The publish dialog: judged portrait by portrait, in parts, and nothing is written that was not on the screen."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from bench.checkout import copy_of_the_checkout
from core.labels.decisions.second_looks import is_doubly_reviewed
from core.labels.published.schema import LabelField
from core.labels.review.verdicts import accept
from core.viewer import PersonRole, Viewer
from tests.browser.conftest import Visit
from tests.labels.review.services import ReviewFixture, correct
from tests.support.dashboards.dashboard import Dashboard, Tab, dashboard
from tests.support.s3.servers import S3Server

BO, DEE = (Viewer(f"{name}@studio.example", PersonRole.OPS) for name in ("bo", "dee"))
ROWS = 20


@dataclass
class Publishing:
    """A dashboard of a checkout of its own, its label file, and reviews that others have saved in its S3."""

    studio: Dashboard
    file: Path
    free: list[str]  # portraits that no test has taken yet
    keys: list[str] = field(default_factory=list)

    def take(self, count: int) -> None:
        """Have portraits for a test of which nobody has said anything."""
        self.keys, self.free = self.free[:count], self.free[count:]
        assert len(self.keys) == count

    def settle(self) -> None:
        """Publish what a test has left, from another server."""
        at = self.reviews()
        publisher = at.publisher(self.file)
        if draft := publisher.draft(at.library.index):
            publisher.publish(draft, BO)

    def reviews(self) -> ReviewFixture:
        """Another server on the same S3."""
        where = json.loads((self.studio.data_dir / "s3.endpoint.json").read_text("utf-8"))
        secret = json.loads((self.studio.data_dir / "s3.credentials.json").read_text("utf-8"))
        server = S3Server("moto", where["endpoint_url"], "studio", secret["access_key"], secret["secret_key"])
        return ReviewFixture(server, self.file)

    def correct(self, person: Viewer, number: int, **values: str) -> str:
        """Save a correction; its id."""
        at, id = self.reviews(), f"{person.email} {self.keys[number]}"
        said = {LabelField(name): value for name, value in values.items()}
        at.reviews.save(person, [correct(at.reviews.item(person, self.keys[number]), said, id=id)])
        return id

    def line(self, number: int) -> dict[str, Any]:
        """What the file says of a portrait."""
        rows = map(json.loads, self.file.read_text("utf-8").splitlines())
        return next(row for row in rows if row["key"] == self.keys[number])

    def edit(self, number: int, **values: str) -> None:
        """Change a line as an editor does."""
        changed = {**self.line(number), **values}
        rows = [json.loads(line) for line in self.file.read_text("utf-8").splitlines()]
        rows = [changed if row["key"] == changed["key"] else row for row in rows]
        self.file.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), "utf-8")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publishing]:
    folder = tmp_path_factory.mktemp("publishing")
    checkout = copy_of_the_checkout(folder)
    file = checkout / "labels" / "personas.jsonl"
    with dashboard(folder, root=checkout) as studio:
        rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
        etags = [row["etag"] for row in rows]
        free = [row["key"] for row in rows if not is_doubly_reviewed(row["etag"]) and etags.count(row["etag"]) == 1]
        yield Publishing(studio, file, free)


@pytest.fixture
def publishing(served: Publishing) -> Iterator[Publishing]:
    """The dashboard of this module, where nothing waits to be published."""
    yield served
    served.settle()


def opened(publishing: Publishing, visit: Visit) -> Tab:
    """The labels page with the dialog open."""
    tab = visit(publishing.studio).open("/labels?show=Trust")
    tab.button("Publish…").click()
    expect(tab.dialog.get_by_role("button", name="Publish", exact=True)).to_be_visible()
    return tab


def rows(tab: Tab) -> Any:
    """The portraits that are shown."""
    return tab.dialog.locator("[class*='st-key-publish-row-']")


def press(tab: Tab) -> None:
    tab.dialog.get_by_role("button", name="Publish", exact=True).click()


def test_corrections_stand_by_portrait_with_who_and_what_nobody_said_before_on_top_and_acceptances_apart(
    publishing: Publishing, visit: Visit
) -> None:
    publishing.take(35)
    publishing.correct(
        BO,
        0,
        gender_presentation="masculine" if publishing.line(0)["gender_presentation"] == "feminine" else "feminine",
    )
    publishing.correct(DEE, 9, expression="2")
    at = publishing.reviews()
    at.reviews.save(BO, [accept(at.reviews.item(BO, key), id=key) for key in publishing.keys[10:35]])
    tab = opened(publishing, visit)
    expect(tab.dialog).to_contain_text("2 corrections, 25 acceptances by bo@studio.example and dee@studio.example")
    expect(tab.dialog).to_contain_text("1 value never used before: expression “2” (1 portrait)")
    expect(rows(tab)).to_have_count(2)
    first = rows(tab).first
    for words in ("Expression", publishing.line(9)["expression"], "never used before", "dee@studio.example"):
        expect(first).to_contain_text(words)
    expect(first.get_by_role("img")).to_have_js_property("complete", True)
    expect(rows(tab).nth(1)).to_contain_text("Gender presentation")
    expect(tab.dialog).not_to_contain_text('{"key"')

    tab.dialog.get_by_text("Acceptances 25").click()
    expect(rows(tab)).to_have_count(ROWS)  # and no more pictures than that are sent, however many there are
    tab.dialog.get_by_text("Raw diff").click()
    expect(tab.dialog).to_contain_text('{"key"')
    press(tab)
    expect(tab.dialog).to_contain_text("labels/personas.jsonl is written")
    expect(tab.dialog).to_contain_text("Reviewed-by: dee@studio.example")
    assert publishing.line(9)["expression"] == "2"


def test_a_hand_edit_while_the_dialog_is_open_is_shown_before_anything_is_written(
    publishing: Publishing, visit: Visit
) -> None:
    publishing.take(8)
    publishing.correct(BO, 3, hair="grey short")
    tab = opened(publishing, visit)
    expect(rows(tab)).to_have_count(1)
    publishing.edit(3, hair="by hand, curly")
    publishing.edit(7, expression="by hand, stern")
    edited = publishing.file.read_bytes()
    press(tab)
    expect(tab.dialog).to_contain_text("labels/personas.jsonl has changed since this was shown")
    expect(tab.dialog).to_contain_text("In the file somebody has changed, by hand:")
    expect(tab.dialog).to_contain_text("by hand, stern")
    expect(rows(tab).first).to_contain_text("replaces what was written by hand")
    assert publishing.file.read_bytes() == edited
    press(tab)
    expect(tab.dialog).to_contain_text("labels/personas.jsonl is written")
    assert publishing.line(3)["hair"] == "grey short"
    assert publishing.line(7)["expression"] == "by hand, stern"


def test_what_is_undone_in_s3_meanwhile_is_shown_and_what_is_new_waits(publishing: Publishing, visit: Visit) -> None:
    publishing.take(8)
    undone = publishing.correct(BO, 3, hair="grey short")
    publishing.correct(BO, 4, hair="grey short")
    tab = opened(publishing, visit)
    publishing.reviews().reviews.undo(BO, [undone])
    press(tab)
    expect(tab.dialog).to_contain_text("was reviewed again since this was shown")
    expect(tab.dialog).to_contain_text("Nothing to publish any more of")
    publishing.correct(DEE, 5, hair="grey long")
    press(tab)
    expect(tab.dialog).to_contain_text("1 save came in meanwhile: the next publication has them.")
    assert publishing.line(4)["hair"] == "grey short"
    assert [publishing.line(number)["source"] for number in (3, 5)] == ["nominal", "nominal"]


def test_one_persons_changes_are_published_alone(publishing: Publishing, visit: Visit) -> None:
    publishing.take(8)
    publishing.correct(BO, 3, hair="grey short")
    publishing.correct(DEE, 4, hair="grey long")
    tab = opened(publishing, visit)
    expect(rows(tab)).to_have_count(2)
    tab.choose("Reviewer", DEE.email)
    expect(rows(tab)).to_have_count(1)
    expect(tab.dialog).to_contain_text(re.compile(r"1 correction, 0 acceptances by dee@studio\.example"))
    press(tab)
    expect(tab.dialog).to_contain_text("labels/personas.jsonl is written")
    assert publishing.line(4)["hair"] == "grey long"
    assert publishing.line(3)["source"] == "nominal"
