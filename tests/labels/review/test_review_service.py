"""The review service over a real S3: the queue and its reasons, verdicts, races, undo, history and pace."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from core.errors import AccessDenied, InputError
from core.labels.decisions.review_log import SEGMENT, ReviewLog
from core.labels.decisions.reviews import Event, FieldChange, Kind
from core.labels.decisions.second_looks import is_doubly_reviewed
from core.labels.machine.labeler import LabelerSpec
from core.labels.machine.proposals import Proposals
from core.labels.published.schema import Gender, LabelField, LabelSource, line_of
from core.labels.queue.queue import QueueFilter, QueueItem, ReviewState, Why
from core.labels.review.review_service import Backlog
from core.labels.review.verdicts import ReviewConflict, Verdict, accept
from core.viewer import PersonRole, Viewer
from tests.labels.portraits import APP, DESIGNER, OPS, OTHER, ROOT, jpeg
from tests.labels.review.services import ReviewFixture, correct, proposed, skip
from tests.support.processes.forks import Fork
from tests.support.s3.moto_server import fill, moto_server, remove, with_bucket
from tests.support.s3.servers import S3Server
from tests.support.timeouts import LONG_S, until

GROUP = "refs/01. Model/noir low angle"
ALL = QueueFilter(everything=True)


def etag_of(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


PICTURES = {f"{GROUP}/Ada {number:02d}.jpg": jpeg(number) for number in range(40)}
# Ten that one person looks at, and three of the tenth that two people do.
SINGLE = [key for key, data in PICTURES.items() if not is_doubly_reviewed(etag_of(data))][:10]
DOUBLE = [key for key, data in PICTURES.items() if is_doubly_reviewed(etag_of(data))][:3]


@pytest.fixture(scope="module")
def moto() -> Iterator[S3Server]:
    with moto_server() as server:
        yield server


@pytest.fixture
def bucket(moto: S3Server) -> S3Server:
    return with_bucket(moto, {key: PICTURES[key] for key in (*SINGLE, *DOUBLE)})


def review_service(bucket: S3Server, **sure: float) -> ReviewFixture:
    """A server at which a machine has labelled everything."""
    said = tuple(proposed(key, etag_of(PICTURES[key]), **sure) for key in (*SINGLE, *DOUBLE))
    return ReviewFixture(bucket, shipped=said)


def item(at: ReviewFixture, key: str, person: Viewer = OPS) -> QueueItem:
    return at.reviews.item(person, key)


def fresh() -> str:
    return uuid.uuid4().hex


def whys(found: QueueItem) -> list[Why]:
    return [reason.why for reason in found.reasons]


class TestKeptUp:
    """The queue is made once and kept up; what has not changed is not made again."""

    def test_a_renewed_index_without_news_makes_no_row_again(self, bucket: S3Server) -> None:
        at = review_service(bucket)
        before = item(at, SINGLE[0])
        at.library.refresh()
        assert item(at, SINGLE[0]) is before

    def test_a_picture_that_arrives_makes_one_row_and_leaves_the_others(self, bucket: S3Server) -> None:
        at = review_service(bucket)
        before = item(at, SINGLE[0])
        fill(bucket, {f"{GROUP}/New.jpg": jpeg(77)})
        at.library.refresh()
        assert item(at, f"{GROUP}/New.jpg").state is ReviewState.MISSING
        assert item(at, SINGLE[0]) is before

    def test_a_file_that_takes_the_place_of_the_published_one_is_in_the_queue(
        self, bucket: S3Server, tmp_path: Path
    ) -> None:
        file = tmp_path / "personas.jsonl"
        at = ReviewFixture(bucket, file)
        assert item(at, SINGLE[0]).state is ReviewState.MISSING
        made = proposed(SINGLE[0], etag_of(PICTURES[SINGLE[0]]), source=LabelSource.NOMINAL)
        file.write_text(line_of(made.label) + "\n")
        at.live.refresh()
        assert item(at, SINGLE[0]).shown == made.label

    def test_started_it_is_ready_before_anybody_asks(self, bucket: S3Server) -> None:
        at = review_service(bucket)
        assert at.reviews.backlog() is None
        at.reviews.loop.start()
        try:
            until(lambda: at.reviews.backlog() is not None, "the queue is made")
        finally:
            at.reviews.loop.stop()

    def test_the_backlog_counts_what_is_missing_stale_and_reported(self, bucket: S3Server, tmp_path: Path) -> None:
        file = tmp_path / "personas.jsonl"
        stale = proposed(SINGLE[0], "before", source=LabelSource.NOMINAL).label
        current = proposed(SINGLE[1], etag_of(PICTURES[SINGLE[1]]), source=LabelSource.NOMINAL).label
        file.write_text("".join(f"{line_of(each)}\n" for each in (stale, current)))
        at = ReviewFixture(bucket, file)
        at.reports.add(OPS, key=SINGLE[1], etag=current.etag, wished="noir")
        at.reviews.counts(OPS)
        missing = len(SINGLE) + len(DOUBLE) - 2
        assert at.reviews.backlog() == Backlog(missing=missing, stale=1, reported=1)


class TestQueue:
    """The most pressing first, each with its reason."""

    def test_every_reason_puts_a_picture_where_it_belongs(self, bucket: S3Server) -> None:
        keys = SINGLE[:6]
        etags = [etag_of(PICTURES[key]) for key in keys]
        said = (
            proposed(keys[0], etags[0]),
            proposed(keys[1], etags[1], sure=0.3),
            proposed(keys[2], etags[2], tone="vivid"),
            proposed(keys[3], etags[3], gender=Gender.MASCULINE),
            proposed(keys[3], etags[3], source=LabelSource.LOCAL),
            proposed(keys[4], etags[4]),
        )
        at = ReviewFixture(bucket, shipped=said)
        at.reports.add(
            Viewer("designer@studio.example", PersonRole.DESIGNER), key=keys[4], etag=etags[4], wished="a man"
        )
        found = {each.reference.key: each for each in at.reviews.queue(OPS, QueueFilter())}
        assert whys(found[keys[0]]) == [Why.NOT_REVIEWED]
        assert whys(found[keys[1]]) == [Why.NOT_REVIEWED], "unsure, but the persona's other pictures say the same"
        assert whys(found[keys[2]]) == [Why.FOLDER]
        assert whys(found[keys[3]]) == [Why.PERSONA, Why.LABELERS_DISAGREE]
        assert whys(found[keys[4]]) == [Why.WRONG_MATCH]
        assert whys(found[keys[5]]) == [Why.UNLABELLED]
        order = [key for key in found if key in keys]
        assert order[3:] == [keys[5], keys[1], keys[0]]
        assert set(order[:3]) == {keys[2], keys[3], keys[4]}, "what is probably wrong, before what says nothing"
        assert [found[key].wrong for key in order] == sorted((found[key].wrong for key in order), reverse=True)
        says = [reason.says for each in found.values() for reason in each.reasons]
        assert all(sentence.endswith((".", "…")) and not sentence[0].islower() for sentence in says)
        assert found[keys[3]].why == (
            "Ada is labelled feminine on 4 other pictures, and masculine here.",
            "OpenAI says masculine, the local labeler says feminine.",
        )

    def test_a_changed_picture_is_stale_and_a_moved_one_keeps_its_label(self, bucket: S3Server, tmp_path: Path) -> None:
        at = review_service(bucket)
        at.reviews.save(OPS, [accept(item(at, key), id=fresh()) for key in SINGLE[:2]])
        file = tmp_path / "personas.jsonl"
        file.write_text(
            json.dumps({"key": SINGLE[2], "etag": "before", "gender_presentation": "feminine", "source": "nominal"})
        )
        fill(bucket, {f"{GROUP}/Moved.jpg": PICTURES[SINGLE[0]]})
        remove(bucket, SINGLE[0])
        other = ReviewFixture(bucket, file)
        assert item(other, SINGLE[2]).state is ReviewState.STALE
        assert Why.STALE in whys(item(other, SINGLE[2]))
        moved = item(other, f"{GROUP}/Moved.jpg")
        assert (moved.state, moved.decided_by) == (ReviewState.REVIEWED, (OPS.email,))

    def test_filters_narrow_by_everything_the_page_offers(self, bucket: S3Server) -> None:
        at = review_service(bucket)
        at.reviews.save(OPS, [correct(item(at, SINGLE[0]), {LabelField.GENDER: "masculine"}, id=fresh())])

        def found(**wanted: object) -> list[str]:
            return [each.reference.key for each in at.reviews.queue(OPS, QueueFilter(**wanted))]  # type: ignore[arg-type]

        assert found(gender=Gender.MASCULINE, everything=True) == [SINGLE[0]]
        assert found(reviewer=OPS.email) == [SINGLE[0]]
        assert found(state=ReviewState.REVIEWED) == [SINGLE[0]]
        assert found(source=LabelSource.HUMAN, everything=True) == [SINGLE[0]]
        assert SINGLE[0] not in found()
        assert found(group="noir") == []
        assert len(found(group="noir low angle", everything=True)) == 13
        assert found(text="ADA 01") == [key for key in found() if "Ada 01" in key]
        assert len(found(age_range="25–34", everything=True)) == 13
        assert found(why=Why.LOW_CONFIDENCE) == []

    def test_a_skipped_picture_comes_last_for_who_skipped_it_only(self, bucket: S3Server) -> None:
        at = review_service(bucket)
        first = at.reviews.queue(OPS, QueueFilter())[0]
        at.reviews.save(OPS, [skip(first, id=fresh())])
        assert at.reviews.queue(OPS, QueueFilter())[-1].reference.key == first.reference.key
        assert at.reviews.queue(OTHER, QueueFilter())[0].reference.key == first.reference.key

    def test_nobody_without_the_right_gets_anything(self, bucket: S3Server) -> None:
        at = review_service(bucket)
        shown = item(at, SINGLE[0])
        asks = (
            lambda: at.reviews.item(DESIGNER, SINGLE[0]),
            lambda: at.reviews.save(DESIGNER, [accept(shown, id="x")]),
            lambda: at.reviews.set_field(DESIGNER, [shown], LabelField.GENDER, None, id_prefix="x"),
            lambda: at.reviews.undo(DESIGNER, ["x"]),
            lambda: at.reviews.events_of(DESIGNER, 1),
            lambda: at.reviews.progress(DESIGNER),
            lambda: at.reviews.refresh(DESIGNER),
        )
        for ask in asks:
            with pytest.raises(AccessDenied):
                ask()
        assert list(at.store.list(f"{APP}reviews/log/")) == []


class TestVerdicts:
    """What is decided is in S3 before it is acknowledged, once, and at every other server."""

    def test_an_accepted_label_is_a_persons_everywhere(self, bucket: S3Server) -> None:
        at = review_service(bucket)
        at.reviews.save(OPS, [accept(item(at, SINGLE[0]), id=fresh())])
        other = ReviewFixture(bucket)
        label = other.live.current.find(SINGLE[0], etag_of(PICTURES[SINGLE[0]])).current
        assert label is not None
        assert (label.gender_presentation, label.ages) == (Gender.FEMININE, (25, 34))
        assert (label.source, label.reviewer) == (LabelSource.HUMAN, OPS.email)

    def test_the_version_of_the_labels_names_them(self, bucket: S3Server) -> None:
        at = review_service(bucket)
        before = at.live.current.version
        assert at.live.current.version == before
        at.reviews.save(OPS, [accept(item(at, SINGLE[0]), id=fresh())])
        assert at.live.current.version != before
        assert ReviewFixture(bucket).live.current.version == at.live.current.version

    def test_a_verdict_that_is_sent_again_counts_once(self, bucket: S3Server) -> None:
        at = review_service(bucket)
        verdicts = [accept(item(at, key), id=f"press-{key}") for key in SINGLE[:3]]
        first = at.reviews.save(OPS, verdicts[:2])
        again = at.reviews.save(OPS, verdicts)
        assert (len(first.events), again.events, len(again.already)) == (2, (verdicts[2].id,), 2)
        assert at.reviews.save(OPS, verdicts).events == ()
        assert len(list(at.store.list(f"{APP}reviews/log/"))) == 2

    def test_an_event_says_who_when_what_from_what_to_what_and_what_the_machine_said(self, bucket: S3Server) -> None:
        at = review_service(bucket)
        key = SINGLE[0]
        at.reviews.save(OPS, [correct(item(at, key), {LabelField.AGE: (40, 49)}, id="one")])
        at.reviews.save(OTHER, [correct(item(at, key), {LabelField.AGE: None}, id="two")])
        lines = [each for each in at.reviews.history(OPS, etag_of(PICTURES[key])) if each.field is LabelField.AGE]
        assert [(each.reviewer, each.before, each.after, each.seen, each.seen_from) for each in lines] == [
            (OTHER.email, (40, 49), None, (25, 34), LabelSource.OPENAI),
            (OPS.email, (25, 34), (40, 49), (25, 34), LabelSource.OPENAI),
        ]

    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ({LabelField.AGE: (40, 30)}, "the lower one first"),
            ({LabelField.GENDER: "somebody"}, "feminine or masculine"),
            ({LabelField.TONE: "sepia"}, "no tone of the studio"),
            ({LabelField.ANGLE: "sideways"}, "no angle of the studio"),
            ({}, "^A correction says what is right"),
        ],
    )
    def test_a_value_that_cannot_be_is_refused_in_one_sentence(
        self, bucket: S3Server, values: dict[LabelField, object], sentence: str
    ) -> None:
        at = review_service(bucket)
        with pytest.raises(InputError, match=sentence):
            at.reviews.save(OPS, [correct(item(at, SINGLE[0]), values, id=fresh())])  # type: ignore[arg-type]

    def test_a_label_that_says_nothing_cannot_be_accepted(self, bucket: S3Server) -> None:
        at = ReviewFixture(bucket)
        with pytest.raises(InputError, match="nothing to accept"):
            at.reviews.save(OPS, [accept(item(at, SINGLE[0]), id=fresh())])

    def test_one_field_of_many_pictures_is_one_save_and_does_not_end_their_review(self, bucket: S3Server) -> None:
        at = review_service(bucket)
        items = [item(at, key) for key in SINGLE]
        saved = at.reviews.set_field(OPS, items, LabelField.TONE, "noir", id_prefix=fresh())
        assert len(saved.events) == len(SINGLE)
        assert len(list(at.store.list(f"{APP}reviews/log/"))) == 1
        assert all(item(at, key).shown.tone == "noir" for key in SINGLE)  # type: ignore[union-attr]
        assert all(item(at, key).state is ReviewState.OPEN for key in SINGLE)
        at.reviews.undo(OPS, at.reviews.events_of(OPS, saved.number))
        assert all(item(at, key).shown.tone is None for key in SINGLE)  # type: ignore[union-attr]


class TestRaces:
    """Two people at once never lose an edit."""

    def test_a_lost_race_says_who_set_what_and_writes_nothing(self, bucket: S3Server) -> None:
        mine, theirs = review_service(bucket), review_service(bucket)
        verdicts = [correct(item(mine, key), {LabelField.GENDER: "masculine"}, id=fresh()) for key in SINGLE[:3]]
        theirs.reviews.save(OTHER, [correct(item(theirs, SINGLE[1]), {LabelField.GENDER: None}, id=fresh())])
        with pytest.raises(ReviewConflict, match=r"other@studio.example has just set the gender .* to unsure") as lost:
            mine.reviews.save(OPS, verdicts)
        (conflict,) = lost.value.conflicts
        assert (conflict.key, conflict.field, conflict.value) == (SINGLE[1], LabelField.GENDER, None)
        assert conflict.reviewer == OTHER.email
        assert [made.reviewer for made in mine.log.reviews] == [OTHER.email]

    def test_different_fields_of_one_picture_are_no_race(self, bucket: S3Server) -> None:
        mine, theirs = review_service(bucket), review_service(bucket)
        shown = item(mine, SINGLE[0])
        edits = {LabelField.GENDER: "masculine"}, {LabelField.HAIR: "grey short"}
        for at, person, values in ((theirs, OTHER, edits[0]), (mine, OPS, edits[1])):
            field = next(iter(values))
            seen = {field: "feminine"} if field is LabelField.GENDER else {field: None}
            key, etag = shown.reference.key, shown.reference.etag
            at.reviews.save(person, [Verdict(fresh(), Kind.CORRECT, key, etag, seen, values)])
        label = item(ReviewFixture(bucket), SINGLE[0]).shown
        assert label is not None
        assert (label.gender_presentation, label.hair) == (Gender.MASCULINE, "grey short")

    def test_two_processes_race_on_one_label_and_one_of_them_is_told(self, bucket: S3Server, tmp_path: Path) -> None:
        words = {"ann@studio.example": "masculine", "bo@studio.example": "feminine"}
        # neither value is what is shown: nothing is, so both would change it
        gate, said = tmp_path / "gate", {who: tmp_path / who for who in words}
        processes = [
            Fork(
                [
                    *("-m", "tests.labels.review.save_one", bucket.endpoint_url, bucket.bucket),
                    *(who, value, SINGLE[0], str(gate)),
                ],
                cwd=ROOT,
                env=os.environ,
                stdout=said[who],
                stderr=tmp_path / "errors",
            )
            for who, value in words.items()
        ]
        until(lambda: all(file.exists() and file.read_text() == "ready\n" for file in said.values()))
        gate.touch()
        assert [process.wait(LONG_S) for process in processes] == [0, 0], (tmp_path / "errors").read_text()
        answers = [json.loads(file.read_text().splitlines()[1]) for file in said.values()]
        assert sorted(next(iter(answer)) for answer in answers) == ["lost", "saved"]
        (lost,) = [answer for answer in answers if "lost" in answer]
        assert words[lost["reviewer"]] == lost["value"]
        label = item(ReviewFixture(bucket), SINGLE[0]).shown
        assert label is not None
        assert label.gender_presentation == lost["value"]

    def test_many_at_once_lose_nothing(self, bucket: S3Server) -> None:
        desks = [review_service(bucket) for _ in range(4)]
        for at, key in zip(desks * 2, SINGLE[:8], strict=True):
            at.reviews.save(OPS, [accept(item(at, key), id=fresh())])
        whole = ReviewLog(bucket.store(), app_prefix=APP)
        whole.refresh()
        assert whole.number == 8
        assert len(list(whole.reviews)) == 8


class TestUndo:
    """Everything can be taken back, by who decided it."""

    def test_an_undone_label_is_as_it_was_and_waits_again(self, bucket: S3Server) -> None:
        at = review_service(bucket)
        before = item(at, SINGLE[0])
        at.reviews.save(OPS, [correct(before, {LabelField.GENDER: "masculine"}, id="one")])
        at.reviews.undo(OPS, ["one"])
        assert item(at, SINGLE[0]) == before
        undos = [each for each in at.reviews.history(OPS, before.reference.etag) if each.kind is Kind.UNDO]
        assert undos, "the history keeps both"

    def test_an_undo_can_be_undone_and_done_again(self, bucket: S3Server) -> None:
        at = review_service(bucket)
        at.reviews.save(OPS, [correct(item(at, SINGLE[0]), {LabelField.GENDER: "masculine"}, id="one")])
        (first,) = at.reviews.undo(OPS, ["one"]).events
        at.reviews.undo(OPS, [first])
        assert item(at, SINGLE[0]).shown.gender_presentation is Gender.MASCULINE  # type: ignore[union-attr]
        (third,) = at.reviews.undo(OPS, ["one"]).events
        assert third != first
        assert item(at, SINGLE[0]).state is ReviewState.OPEN
        assert at.reviews.undo(OPS, ["one"]).events == (), "it is taken back already"

    def test_another_persons_decision_is_not_mine_to_undo(self, bucket: S3Server) -> None:
        at = review_service(bucket)
        at.reviews.save(OPS, [accept(item(at, SINGLE[0]), id="one")])
        with pytest.raises(InputError, match=r"Only ops@studio\.example"):
            at.reviews.undo(OTHER, ["one"])
        with pytest.raises(InputError, match="never saved"):
            at.reviews.undo(OPS, ["two"])


class TestSecondLook:
    """A tenth is looked at by two people, and the second is not shown what the first one said."""

    def test_the_second_persons_word_is_recorded_and_changes_nothing(self, bucket: S3Server) -> None:
        at = review_service(bucket)
        key = DOUBLE[0]
        at.reviews.save(OPS, [correct(item(at, key), {LabelField.GENDER: "masculine"}, id="one")])
        blind = item(at, key, OTHER)
        assert (blind.state, whys(blind)) == (ReviewState.SECOND_LOOK, [Why.SECOND_LOOK])
        assert blind.shown is not None
        assert blind.shown.gender_presentation is Gender.FEMININE, "the machine's word, not the first reviewer's"
        assert item(at, key).state is ReviewState.REVIEWED, "nobody looks at their own a second time"
        at.reviews.save(OTHER, [accept(blind, id="two")])
        current = at.live.current.find(key, blind.reference.etag).current
        assert current is not None
        assert current.gender_presentation is Gender.MASCULINE
        assert (item(at, key).state, whys(item(at, key))) == (ReviewState.DISAGREEMENT, [])

    def test_two_who_agree_are_done(self, bucket: S3Server) -> None:
        at = review_service(bucket)
        at.reviews.save(OPS, [accept(item(at, DOUBLE[0]), id="one")])
        at.reviews.save(OTHER, [accept(item(at, DOUBLE[0], OTHER), id="two")])
        assert whys(item(at, DOUBLE[0], OTHER)) == []

    def test_it_is_a_tenth(self) -> None:
        twice = sum(is_doubly_reviewed(etag_of(str(number).encode())) for number in range(10_000))
        assert 900 < twice < 1100


class TestRebuilding:
    """Everything is in S3, and what is derived may go at any time."""

    @staticmethod
    def filled(bucket: S3Server, keys: Sequence[str], saves: int) -> ReviewFixture:
        at = review_service(bucket)
        for number in range(saves):
            key = keys[number % len(keys)]
            change = FieldChange(field=LabelField.GENDER, after=("feminine", "masculine")[number % 2])
            event = Event(id=f"{number}", kind=Kind.CORRECT, key=key, etag=etag_of(PICTURES[key]), changes=(change,))
            at.log.append(OPS.email, lambda _reviews, event=event: [event])
        return at

    def test_a_long_log_opens_from_its_segments_and_without_them_alike(self, bucket: S3Server) -> None:
        at = self.filled(bucket, SINGLE, SEGMENT + 5)
        segments = [row.key for row in at.store.list(f"{APP}reviews/segments/")]
        assert len(segments) == 1
        packed = ReviewLog(bucket.store(), app_prefix=APP)
        packed.refresh()
        remove(bucket, *segments)
        plain = ReviewLog(bucket.store(), app_prefix=APP)
        plain.refresh()
        assert packed.reviews == plain.reviews == at.log.reviews
        assert [row.key for row in at.store.list(f"{APP}reviews/segments/")] == segments, "who misses it writes it"

    @pytest.mark.parametrize("damage", [b"", b"garbage", b"\x1f\x8b\x08\x00"])
    def test_a_damaged_segment_or_save_takes_nothing_else_along(self, bucket: S3Server, damage: bytes) -> None:
        at = self.filled(bucket, SINGLE, 3)
        fill(bucket, {f"{APP}reviews/log/000000000002.json": damage})
        fill(bucket, {f"{APP}reviews/segments/v1/000000000001.json.gz": damage})
        again = ReviewLog(bucket.store(), app_prefix=APP)
        again.refresh()
        assert [save.number for save in again.saves] == [1, 3]
        assert again.unreadable == (f"{APP}reviews/log/000000000002.json",)
        assert at.log.number == again.number == 3

    def test_proposals_come_back_from_their_objects_without_the_pack(self, bucket: S3Server) -> None:
        spec_of = review_service(bucket).proposals
        assert spec_of.version == 0
        spec = LabelerSpec(LabelSource.LOCAL, "m")
        for key in SINGLE:
            spec_of.add(spec, proposed(key, etag_of(PICTURES[key]), source=LabelSource.LOCAL))
        first = Proposals(bucket.store(), app_prefix=APP)
        first.catch_up()
        packs = [row.key for row in bucket.store().list(f"{APP}labels/packs/")]
        assert len(packs) == 1
        packed = Proposals(bucket.store(), app_prefix=APP)
        packed.load()
        fill(bucket, {packs[0]: b"garbage"})
        broken = Proposals(bucket.store(), app_prefix=APP)
        broken.catch_up()
        assert packed.by_etag() == broken.by_etag() == first.by_etag()
        assert packed.has(spec) == {etag_of(PICTURES[key]) for key in SINGLE}


class TestProgress:
    """How far the studio is, and who brought it there."""

    def test_it_counts_pictures_and_not_presses(self, bucket: S3Server) -> None:
        at = review_service(bucket)
        for number, key in enumerate([*SINGLE[:3], SINGLE[0]]):
            at.reviews.save(OPS, [correct(item(at, key), {LabelField.HAIR: f"hair {number}"}, id=fresh())])
        at.reviews.save(OTHER, [accept(item(at, SINGLE[4], OTHER), id="gone")])
        at.reviews.undo(OTHER, ["gone"])
        progress = at.reviews.progress(OPS)
        assert (progress.portraits, progress.reviewed, progress.waiting) == (13, 3, 10)
        ops, other = progress.reviewers
        assert (ops.reviewer, ops.pictures, ops.today, ops.corrected) == (OPS.email, 3, 3, 4)
        assert ops.per_minute is not None
        assert (other.reviewer, other.pictures) == (OTHER.email, 0)
