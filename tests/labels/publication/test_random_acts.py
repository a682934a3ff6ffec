"""Three reviewers, an editor of the file and a kill, at random: what stands is what a plain model says."""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from core.errors import WriteConflict
from core.labels.decisions.review_log import ReviewLog
from core.labels.decisions.reviews import Kind, Value, value_in
from core.labels.decisions.second_looks import is_doubly_reviewed
from core.labels.publication.draft import EVERYTHING, PublicationDraft, Selection, differences
from core.labels.publication.publisher import OutdatedDraft
from core.labels.published.label_file import parse_whole
from core.labels.published.schema import Gender, Label, LabelField
from core.labels.queue.queue import QueueItem
from core.labels.review.verdicts import ReviewConflict, Verdict
from core.storage.local.disk import publish as replace_file
from core.viewer import PersonRole, Viewer
from tests.labels.portraits import APP, ROOT, jpeg
from tests.labels.publication.act_once import verdict_as_json
from tests.labels.publication.plain_model import Decided, Portrait, Said, same
from tests.labels.review.services import ReviewFixture, proposed
from tests.support.processes.forks import Fork
from tests.support.s3.http_proxy import Exchange, proxied
from tests.support.s3.moto_server import moto_server, with_bucket
from tests.support.s3.servers import S3Server
from tests.support.timeouts import LONG_S

GROUPS: Final = ("noir", "vivid low angle")
PEOPLE: Final = tuple(Viewer(f"{name}@studio.example", PersonRole.OPS) for name in ("ann", "bo", "dee"))
SHOWN_FIRST: Final[Said] = {LabelField.GENDER: "feminine", LabelField.EXPRESSION: "neutral"}
PROPOSED: Final[Said] = {LabelField.GENDER: "feminine", LabelField.AGE: (25, 34)}
CHOICES: Final[dict[LabelField, tuple[Value, ...]]] = {
    LabelField.GENDER: ("feminine", "masculine", None),
    LabelField.AGE: ((18, 24), (25, 34), (41, 47), None),
    LabelField.HAIR: ("grey short", "black long", None),
    LabelField.EXPRESSION: ("smile", "serious", None),
}


@pytest.fixture(scope="module")
def moto() -> Iterator[S3Server]:
    with moto_server() as server:
        yield server


def pictures(number: int) -> dict[str, bytes]:
    """So many, in both groups, none of which wants a second look: that is another reviewer's opinion and no label."""
    found: dict[str, bytes] = {}
    for each in range(1000):
        data = jpeg(each)
        if not is_doubly_reviewed(_etag(data)):
            found[f"refs/01. Model/{GROUPS[len(found) % 2]}/Ada {each:03d}.jpg"] = data
        if len(found) == number:
            break
    return found


def _etag(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


class Studio:
    """Three servers over one bucket and one label file, what their reviewers have on the screen, and the model."""

    def __init__(self, moto: S3Server, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        shown = pictures(8)
        self.keys = list(shown)
        self.bucket = with_bucket(moto, shown)
        self.file = folder / "personas.jsonl"
        self.etags = {key: _etag(data) for key, data in shown.items()}
        first = self.keys[:5]
        lines = [
            json.dumps({"key": key, "etag": self.etags[key], **SHOWN_FIRST, "source": "nominal"}, sort_keys=True)
            for key in sorted(first)
        ]
        self.file.write_text("".join(f"{line}\n" for line in lines))
        self.first = parse_whole(self.file.read_bytes()).labels
        self.model = {
            key: Portrait(key.split("/")[2], dict(SHOWN_FIRST) if key in first else None, dict(PROPOSED))
            for key in self.keys
        }
        self.shipped = tuple(proposed(key, etag, gender=Gender.FEMININE) for key, etag in self.etags.items())
        self.servers = {person.email: ReviewFixture(self.bucket, self.file, self.shipped) for person in PEOPLE}
        self.looks: dict[tuple[str, str], QueueItem] = {}
        self.lost: dict[tuple[str, str], tuple[Verdict, Said]] = {}
        self.written = 0
        self.acts: list[str] = []

    def act(self) -> None:
        """One of all that can happen."""
        person = self.random.choice(PEOPLE)
        kinds: dict[Callable[[Viewer], None], int] = {
            self.look: 18,
            self.accept: 14,
            self.correct: 24,
            self.use_mine: 9,
            self.use_theirs: 4,
            self.undo: 13,
            self.publish: 9,
            self.edit: 6,
            self.save_killed: 1,
            self.publish_killed: 1,
        }
        (kind,) = self.random.choices(list(kinds), list(kinds.values()))
        self.acts.append(f"{kind.__name__} by {person.email}")
        kind(person)

    def look(self, person: Viewer) -> None:
        """A portrait comes onto the screen, and stays there while others work."""
        at = self.servers[person.email]
        at.live.refresh()
        key = self.random.choice(self.keys)
        self.looks[person.email, key] = at.reviews.item(person, key)

    def accept(self, person: Viewer) -> None:
        """What is on the screen is right."""
        self._save(person, {})

    def correct(self, person: Viewer) -> None:
        """One or two fields are otherwise."""
        fields = self.random.sample(list(CHOICES), self.random.choice((1, 1, 2)))
        self._save(person, {each: self.random.choice(CHOICES[each]) for each in fields})

    def use_mine(self, person: Viewer) -> None:
        """A lost race is decided for oneself: theirs has been seen, mine stands."""
        for (email, key), (verdict, theirs) in list(self.lost.items()):
            if email == person.email:
                del self.lost[email, key]
                values = {
                    **verdict.values,
                    **{each: verdict.values.get(each, verdict.seen.get(each)) for each in theirs},
                }
                again = Verdict(self._id(), Kind.CORRECT, key, verdict.etag, {**verdict.seen, **theirs}, values)
                self._send(person, again)
                return

    def use_theirs(self, person: Viewer) -> None:
        """A lost race is left lost: nothing is written."""
        self.lost = {at: each for at, each in self.lost.items() if at[0] != person.email}

    def undo(self, person: Viewer) -> None:
        """The newest decisions of one's own are taken back, one or two."""
        at = self.servers[person.email]
        if self.random.random() < 0.5:
            at.reviews.refresh(person)
        ids = [event.id for event in at.reviews.undoable(person, limit=2)][-self.random.choice((1, 2)) :]
        if ids:
            at.reviews.undo(person, ids)
            for each in ids:
                self._decided(each).is_undone = True

    def edit(self, _: Viewer) -> None:
        """Somebody changes a line with an editor, which knows of no lock."""
        lines = [json.loads(line) for line in self.file.read_text("utf-8").splitlines()]
        line = self.random.choice([each for each in lines if each["key"] in self.first])
        line["hair"] = f"by hand {len(self.acts)}"
        replace_file(self.file, "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in lines).encode())
        self.model[line["key"]].edit(LabelField.HAIR, line["hair"])

    def publish(self, person: Viewer) -> None:
        """A draft is shown; others work meanwhile; it is published if it is still what was shown, else shown again."""
        at = self.servers[person.email]
        publisher, selection = at.publisher(self.file), self._selection()
        draft = publisher.draft(at.library.index, selection)
        others = self.random.choice((0, 0, 1, 3))
        for _ in range(others):
            meanwhile = self.random.choice((self.accept, self.correct, self.undo, self.edit))
            self.acts.append(f"… meanwhile {meanwhile.__name__}")
            meanwhile(self.random.choice([each for each in PEOPLE if each != person]))
        before, now = self.file.read_bytes(), publisher.draft(at.library.index, selection)
        found = differences(draft, now)
        after = {each.key: each.after for each in now.updates}
        otherwise = any(each.key in after and after[each.key] != each.after for each in draft.updates)
        is_outdated = bool(found.gone or found.by_hand or otherwise)
        try:
            publisher.publish(draft, person)
        except OutdatedDraft:
            assert is_outdated, "nothing that was shown is different"
            assert self.file.read_bytes() == before
            draft, others = now, 0
            publisher.publish(draft, person)
        else:
            assert not is_outdated, f"published although it is not what was shown: {found}"
        self._has_published(draft, without_later=others > 0)

    def save_killed(self, person: Viewer) -> None:
        """A server dies while it saves; the browser, which has no answer, sends the same to another one."""
        key = self.random.choice(self.keys)
        at = self.servers[person.email]
        at.live.refresh()
        verdict = self._verdict(at.reviews.item(person, key), {LabelField.HAIR: self.random.choice(("red", "blond"))})
        self._kill(person, "save", verdict_as_json(verdict))
        at.reviews.save(person, [verdict])
        self._note(person, verdict)

    def publish_killed(self, person: Viewer) -> None:
        """A publisher dies: the file is the old or the new one, and publishing again mends everything."""
        at = self.servers[person.email]
        before = self.file.read_bytes()
        after = at.publisher(self.file).draft(at.library.index).after
        self._kill(person, "publish")
        assert self.file.read_bytes() in (before, after)
        draft = at.publisher(self.file).draft(at.library.index)
        at.publisher(self.file).publish(draft, person)
        assert self.file.read_bytes() == after
        self._has_published(draft)

    def check(self, *servers: ReviewFixture) -> None:
        """Every server says of every portrait what the model says."""
        for at in servers:
            at.live.refresh()
            for key in self.keys:
                label = at.live.current.find(key, self.etags[key]).label
                assert same(_said(label), self.model[key].live), f"{key}: {_said(label)} is not {self.model[key].live}"

    def check_log(self) -> None:
        """S3 has every decision once, and none that nobody made."""
        log = ReviewLog(self.bucket.store(), app_prefix=APP)
        log.refresh()
        events = [event for save in log.saves for event in save.events]
        made = [event.id for event in events if event.kind is not Kind.UNDO]
        assert sorted(made) == sorted(each.id for one in self.model.values() for each in one.decided)
        undone = {event.undoes for event in events if event.kind is Kind.UNDO}
        assert undone == {each.id for one in self.model.values() for each in one.decided if each.is_undone}
        assert log.unreadable == ()

    def _save(self, person: Viewer, values: Said) -> None:
        looks = [item for (email, _), item in self.looks.items() if email == person.email]
        if looks:
            item = self.random.choice(looks)
            if values or (item.shown is not None and any(value_in(item.shown, each) for each in LabelField)):
                self._send(person, self._verdict(item, values))

    def _verdict(self, item: QueueItem, values: Said) -> Verdict:
        seen = {each: value_in(item.shown, each) for each in LabelField}
        kind = Kind.CORRECT if values else Kind.ACCEPT
        return Verdict(self._id(), kind, item.reference.key, item.reference.etag, seen, values)

    def _send(self, person: Viewer, verdict: Verdict) -> None:
        """Save it; it must be lost exactly if somebody has decided otherwise than was seen, and not the same."""
        if not self.model[verdict.key].decided:
            self.servers[person.email].live.refresh()  # a server looks at its file every few seconds
        standing = self.model[verdict.key].standing
        wanted = {**verdict.seen, **verdict.values}
        theirs = {
            each: standing[each]
            for each, value in wanted.items()
            if each in standing and standing[each] not in (verdict.seen.get(each), value)
        }
        told: Said = {}
        try:
            self.servers[person.email].reviews.save(person, [verdict])
        except ReviewConflict as err:
            told = {each.field: each.value for each in err.conflicts}
        assert told == theirs, "what somebody else had decided was saved over, or the wrong thing was told"
        if theirs:
            self.lost[person.email, verdict.key] = (verdict, theirs)
        else:
            self._note(person, verdict)

    def _note(self, person: Viewer, verdict: Verdict) -> None:
        said = {
            each: value
            for each, value in {**verdict.seen, **verdict.values}.items()
            if value is not None or each in verdict.values
        }
        self.model[verdict.key].decide(Decided(verdict.id, person.email, said))

    def _has_published(self, draft: PublicationDraft, *, without_later: bool = False) -> None:
        """The file says what the model says; what others decided meanwhile about portraits not in it waits."""
        selection, shown = draft.selection, {each.key for each in draft.updates}
        for key, portrait in self.model.items():
            if selection.group in (None, portrait.group) and (key in shown or not without_later):
                portrait.publish(selection.person)
        labels = parse_whole(self.file.read_bytes()).labels
        for key, portrait in self.model.items():
            found = labels.get(key)
            assert same(_said(found), portrait.published), f"{key}: {_said(found)} is not {portrait.published}"
            is_whole = selection == EVERYTHING and not without_later
            if is_whole and not portrait.is_decided and key in self.first and found is not None:
                assert found.source is self.first[key].source, "nobody vouches for what everybody has taken back"

    def _selection(self) -> Selection:
        chosen = self.random.random()
        if chosen < 0.6:
            return EVERYTHING
        return Selection(person=self.random.choice(PEOPLE).email) if chosen < 0.8 else Selection(group=GROUPS[0])

    def _kill(self, person: Viewer, act: str, *words: str) -> None:
        """Let a process do it, and kill it when S3 has been asked so many times, before or after S3 has acted."""
        left, is_before = self.random.randrange(1, 12), self.random.random() < 0.5
        running: list[Fork] = []

        def count(_: Exchange) -> bool:
            nonlocal left
            left -= 1
            if left == 0:
                running[0].kill()
                running[0].wait(LONG_S)
            return left > 0 or running[0].poll() is None

        with ExitStack() as stack:
            way = stack.enter_context(proxied(self.bucket, **{"before" if is_before else "after": count}))
            words = (way.endpoint_url, way.bucket, person.email, act, str(self.file), *words)
            program = ["-m", "tests.labels.publication.act_once", *words]
            running.append(Fork(program, cwd=ROOT, env=os.environ, stdout=Path(os.devnull)))
            running[0].wait(LONG_S)

    def _decided(self, id: str) -> Decided:
        return next(each for one in self.model.values() for each in one.decided if each.id == id)

    def _id(self) -> str:
        self.written += 1
        return f"decision-{self.written}"


def _said(label: Label | None) -> Said | None:
    return None if label is None else {each: value_in(label, each) for each in LabelField}


def play(moto: S3Server, folder: Path, seed: int, acts: int) -> None:
    """Act so often, looking at one server after each act and at all of them, and at a new one, in the end."""
    studio = Studio(moto, folder, seed)
    try:
        for _ in range(acts):
            studio.act()
            studio.check(studio.random.choice(list(studio.servers.values())))
        new = ReviewFixture(studio.bucket, studio.file, studio.shipped)
        studio.check(*studio.servers.values(), new)
        studio.check_log()
    except (AssertionError, WriteConflict) as err:
        raise AssertionError(f"seed {seed}, after {len(studio.acts)} acts ({studio.acts[-6:]}): {err}") from err


def test_two_hundred_random_acts_lose_nothing_and_invent_nothing(moto: S3Server, tmp_path: Path) -> None:
    play(moto, tmp_path, seed=17, acts=200)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_thousand_random_acts_lose_nothing_and_invent_nothing(moto: S3Server, tmp_path: Path) -> None:
    play(moto, tmp_path, seed=0, acts=2000)
