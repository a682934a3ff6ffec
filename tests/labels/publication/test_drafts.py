"""Publication drafts: judged portrait by portrait, published in parts, and never other than they were shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import LabelError
from core.labels.publication.draft import EVERYTHING, Selection, differences
from core.labels.publication.message import counts_in_words, message_of
from core.labels.publication.publisher import OutdatedDraft
from core.labels.publication.updates import UnseenValue
from core.labels.published.label_file import parse_whole
from core.labels.published.schema import LabelField, LabelSource
from core.labels.review.verdicts import accept
from core.viewer import Viewer
from tests.labels.portraits import OPS, OTHER
from tests.labels.publication.test_random_acts import pictures
from tests.labels.review.services import ReviewFixture, correct, proposed
from tests.support.s3.http_proxy import Exchange, proxied
from tests.support.s3.moto_server import moto_server, with_bucket
from tests.support.s3.servers import S3Server

PICTURES = pictures(6)
KEYS = sorted(PICTURES)


@pytest.fixture(scope="module")
def moto() -> Iterator[S3Server]:
    with moto_server() as server:
        yield server


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "personas.jsonl"


@pytest.fixture
def bucket(moto: S3Server) -> S3Server:
    return with_bucket(moto, PICTURES)


@pytest.fixture
def at(bucket: S3Server, file: Path) -> ReviewFixture:
    """A studio whose file speaks of all pictures but the last, which a machine has labelled."""
    etags = {ref.key: ref.etag for ref in ReviewFixture(bucket).library.index.references}
    said = {"gender_presentation": "feminine", "expression": "neutral", "source": "nominal"}
    file.write_text("".join(f"{json.dumps({'key': key, 'etag': etags[key], **said})}\n" for key in KEYS[:-1]))
    return ReviewFixture(bucket, file, (proposed(KEYS[-1], etags[KEYS[-1]]),))


def correction(at: ReviewFixture, number: int, id: str, person: Viewer = OPS, **values: str | None) -> None:
    """Somebody says that fields of a portrait are otherwise."""
    item = at.reviews.item(person, KEYS[number])
    at.reviews.save(person, [correct(item, {LabelField(name): value for name, value in values.items()}, id=id)])


class TestWhatCounts:
    """Corrections change values; acceptances say who found them right."""

    def test_acceptances_are_no_changes(self, at: ReviewFixture, file: Path) -> None:
        at.reviews.save(OPS, [accept(at.reviews.item(OPS, key), id=key) for key in (KEYS[0], KEYS[5])])
        correction(at, 1, "c", hair="grey")
        draft = at.publisher(file).draft(at.library.index)
        assert [each.key for each in draft.corrections] == [KEYS[1]]
        assert sorted(each.key for each in draft.acceptances) == [KEYS[0], KEYS[5]]
        assert (draft.changed, draft.added) == (1, 1)
        assert counts_in_words(draft) == "1 correction, 2 acceptances"

    def test_a_field_says_what_it_was_what_it_becomes_and_who_said_so(self, at: ReviewFixture, file: Path) -> None:
        correction(at, 1, "1", expression="smile")
        at.reviews.save(OTHER, [accept(at.reviews.item(OTHER, KEYS[1]), id="2")])
        (update,) = at.publisher(file).draft(at.library.index).updates
        (changed,) = update.corrections
        assert (changed.field, changed.before, changed.after) == (LabelField.EXPRESSION, "neutral", "smile")
        assert changed.reviewer == OPS.email, "who changed it, and not who found that right"
        assert update.group == KEYS[1].split("/")[2]

    def test_a_new_line_is_compared_with_what_its_reviewer_was_shown(self, at: ReviewFixture, file: Path) -> None:
        correction(at, 5, "1", gender_presentation="masculine")
        (update,) = at.publisher(file).draft(at.library.index).updates
        assert update.before is None
        assert [(each.before, each.after) for each in update.corrections] == [("feminine", "masculine")]

    def test_who_is_blind_to_a_portrait_is_shown_the_rest_and_no_word_of_it(
        self, at: ReviewFixture, file: Path
    ) -> None:
        correction(at, 0, "kept", expression="a wry grin")
        correction(at, 1, "shown", gender_presentation="masculine")
        draft = at.publisher(file).draft(at.library.index)
        kept = next(each for each in draft.updates if each.key == KEYS[0])
        seen = draft.without({kept.etag})
        assert [each.key for each in seen.updates] == [KEYS[1]]
        assert "a wry grin" in draft.diff
        assert "a wry grin" not in seen.diff
        assert "masculine" in seen.diff
        assert draft.without(()) == draft

    def test_values_that_no_published_label_has_are_named_and_come_first(self, at: ReviewFixture, file: Path) -> None:
        correction(at, 0, "1", gender_presentation=None)
        correction(at, 3, "2", expression="2", notes="notes are sentences, and each is new")
        draft = at.publisher(file).draft(at.library.index)
        assert draft.corrections[0].unseen == (UnseenValue(LabelField.EXPRESSION, "2"),)
        assert draft.unseen[LabelField.EXPRESSION, "2"] == 1
        assert "expression “2” (1 portrait)" in message_of(draft)

    def test_the_message_names_the_version_the_counts_and_every_reviewer(self, at: ReviewFixture, file: Path) -> None:
        correction(at, 0, "1", gender_presentation="masculine")
        at.reviews.save(OTHER, [accept(at.reviews.item(OTHER, KEYS[2]), id="2")])
        publisher = at.publisher(file)
        draft = publisher.draft(at.library.index)
        done = publisher.publish(draft, OPS)
        subject, _, counts, *_, first, second = done.publication.message.splitlines()
        assert (subject, counts) == (f"Publish labels, version {draft.version}", "1 correction, 1 acceptance.")
        assert (first, second) == (f"Reviewed-by: {OPS.email}", f"Reviewed-by: {OTHER.email}")

    def test_in_the_diff_a_lines_old_form_stands_above_its_new_one(self, at: ReviewFixture, file: Path) -> None:
        correction(at, 0, "1", hair="grey")
        correction(at, 1, "2", hair="grey")
        lines = at.publisher(file).draft(at.library.index).diff.splitlines()
        assert [line[0] for line in lines if line[1] == "{"] == ["-", "+", "-", "+"]


class TestParts:
    """One person's words or one group's portraits are published alone, and the rest waits."""

    def test_one_persons_words_alone(self, at: ReviewFixture, file: Path) -> None:
        correction(at, 0, "1", hair="grey")
        correction(at, 1, "2", OTHER, hair="black")
        publisher = at.publisher(file)
        publisher.publish(publisher.draft(at.library.index, Selection(person=OTHER.email)), OPS)
        labels = parse_whole(file.read_bytes()).labels
        assert (labels[KEYS[0]].source, labels[KEYS[1]].hair) == (LabelSource.NOMINAL, "black")
        assert [each.key for each in publisher.draft(at.library.index).updates] == [KEYS[0]]

    def test_of_a_portrait_of_two_each_persons_fields_alone_and_then_nothing_is_left(
        self, at: ReviewFixture, file: Path
    ) -> None:
        correction(at, 0, "1", hair="grey")
        correction(at, 0, "2", OTHER, expression="smile")
        publisher = at.publisher(file)
        for person in (OTHER, OPS):
            publisher.publish(publisher.draft(at.library.index, Selection(person=person.email)), OPS)
        assert publisher.draft(at.library.index).is_empty
        label = parse_whole(file.read_bytes()).labels[KEYS[0]]
        assert (label.hair, label.expression, label.reviewer) == ("grey", "smile", OTHER.email)

    def test_what_was_decided_otherwise_since_is_nobodys_to_publish(self, at: ReviewFixture, file: Path) -> None:
        correction(at, 0, "1", hair="grey")
        correction(at, 0, "2", OTHER, hair="black")
        (update,) = at.publisher(file).draft(at.library.index, Selection(person=OPS.email)).updates
        assert update.corrections == (), "what is left of it is what they found right"

    def test_one_groups_portraits_alone(self, at: ReviewFixture, file: Path) -> None:
        correction(at, 0, "1", hair="grey")
        correction(at, 4, "2", hair="grey")
        group = KEYS[4].split("/")[2]
        draft = at.publisher(file).draft(at.library.index, Selection(group=group))
        assert [each.key for each in draft.updates] == [KEYS[4]]


class TestOutdated:
    """What is written is what was shown; what has come to be different is shown first."""

    def test_a_hand_edit_of_a_reviewed_line_is_shown_before_it_is_replaced(self, at: ReviewFixture, file: Path) -> None:
        correction(at, 0, "1", hair="grey")
        publisher = at.publisher(file)
        shown = publisher.draft(at.library.index)
        edited = file.read_text().replace('"neutral"', '"serious"', 1)
        file.write_text(edited)
        with pytest.raises(OutdatedDraft, match=r"personas\.jsonl has changed since this was shown"):
            publisher.publish(shown, OPS)
        assert file.read_text() == edited
        now = publisher.draft(at.library.index)
        ((key, (changed,)),) = differences(shown, now).by_hand
        assert (key, changed.before, changed.after) == (KEYS[0], "neutral", "serious")
        publisher.publish(now, OPS)
        assert parse_whole(file.read_bytes()).labels[KEYS[0]].hair == "grey"

    def test_a_value_written_by_hand_that_a_review_replaces_is_marked(self, at: ReviewFixture, file: Path) -> None:
        correction(at, 0, "1", expression="smile")
        file.write_text(file.read_text().replace('"neutral"', '"serious"', 1))
        (changed,) = at.publisher(file).draft(at.library.index).updates[0].corrections
        assert (changed.before, changed.after, changed.is_over_hand) == ("serious", "smile", True)

    def test_a_review_in_it_that_was_undone_meanwhile_is_shown_and_not_written(
        self, at: ReviewFixture, file: Path
    ) -> None:
        correction(at, 0, "1", hair="grey")
        correction(at, 1, "2", hair="grey")
        publisher, before = at.publisher(file), file.read_bytes()
        shown = publisher.draft(at.library.index)
        at.reviews.undo(OPS, ["1"])
        with pytest.raises(OutdatedDraft, match="was reviewed again since this was shown"):
            publisher.publish(shown, OPS)
        assert file.read_bytes() == before
        assert differences(shown, publisher.draft(at.library.index)).gone == (KEYS[0],)

    def test_reviews_of_other_portraits_wait_and_hold_nobody_up(self, at: ReviewFixture, file: Path) -> None:
        correction(at, 0, "1", hair="grey")
        publisher = at.publisher(file)
        shown = publisher.draft(at.library.index)
        correction(at, 1, "2", hair="black")
        done = publisher.publish(shown, OPS)
        assert (done.later, file.read_bytes()) == (1, shown.after)
        assert [each.key for each in publisher.draft(at.library.index).updates] == [KEYS[1]]

    def test_somebody_elses_publication_meanwhile_is_told(self, at: ReviewFixture, file: Path, tmp_path: Path) -> None:
        correction(at, 0, "1", hair="grey")
        elsewhere = tmp_path / "elsewhere.jsonl"
        elsewhere.write_bytes(file.read_bytes())
        publisher, another = at.publisher(file), at.publisher(elsewhere)
        shown = publisher.draft(at.library.index)
        another.publish(another.draft(at.library.index), OTHER)
        with pytest.raises(OutdatedDraft, match=rf"{OTHER.email} has published version"):
            publisher.publish(shown, OPS)
        publisher.publish(publisher.draft(at.library.index), OPS)
        assert file.read_bytes() == elsewhere.read_bytes()

    def test_an_edit_at_the_very_moment_of_writing_is_kept(
        self, at: ReviewFixture, bucket: S3Server, file: Path
    ) -> None:
        """The file is read once more behind the last word with S3, under the lock of the renaming."""
        correction(at, 0, "1", hair="grey")
        edited = file.read_text().replace('"neutral"', '"serious"', 1)

        def edit(passing: Exchange) -> bool:
            if passing.method == "PUT":
                file.write_text(edited)
            return True

        with proxied(bucket, before=edit) as way:
            publisher = ReviewFixture(way, file).publisher(file)
            shown = publisher.draft(at.library.index)
            with pytest.raises(LabelError, match="at this very moment"):
                publisher.publish(shown, OPS)
        assert file.read_text() == edited


class TestUndone:
    """A decision that was published and then undone does not stand."""

    def test_the_line_is_what_it_was_before_anybody_reviewed_it(self, at: ReviewFixture, file: Path) -> None:
        before = parse_whole(file.read_bytes()).labels
        publisher = at.publisher(file)
        correction(at, 0, "1", expression="smile")
        publisher.publish(publisher.draft(at.library.index), OPS)
        at.reviews.undo(OPS, ["1"])
        at.live.refresh()
        assert at.live.current.at(KEYS[0]) == before[KEYS[0]], "at once, on every server"
        assert at.reviews.item(OPS, KEYS[0]).reasons, "and it waits for somebody again"
        publisher.publish(publisher.draft(at.library.index), OPS)
        assert parse_whole(file.read_bytes()).labels == before

    def test_a_line_that_came_by_it_goes(self, at: ReviewFixture, file: Path) -> None:
        publisher = at.publisher(file)
        at.reviews.save(OPS, [accept(at.reviews.item(OPS, KEYS[5]), id="1")])
        publisher.publish(publisher.draft(at.library.index), OPS)
        at.reviews.undo(OPS, ["1"])
        draft = publisher.draft(at.library.index)
        assert draft.updates[0].after is None
        publisher.publish(draft, OPS)
        assert KEYS[5] not in parse_whole(file.read_bytes()).labels
        assert publisher.draft(at.library.index, EVERYTHING).is_empty
