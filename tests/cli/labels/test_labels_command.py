"""`labels publish`, `queue`, `agreement`, `proposals` and `schema`, as real processes over a real S3.

What may publish does so in a checkout of its own.
"""

from __future__ import annotations

import json
from hashlib import md5
from pathlib import Path

import pytest

from core.labels.decisions.second_looks import is_doubly_reviewed
from core.labels.machine.labeler import LabelerSpec, Proposal
from core.labels.machine.proposals import Proposals
from core.labels.published.label_file import parse_whole
from core.labels.published.schema import Gender, LabelField, LabelSource, json_schema
from core.viewer import PersonRole, Viewer
from tests.labels.portraits import APP, OPS, OTHER, jpeg
from tests.labels.review.checkouts import KEYS, checkout_in, etag, labels, reviewed_bucket
from tests.labels.review.services import ReviewFixture, correct, proposed
from tests.support.processes.commands import fails
from tests.support.processes.programs import ROOT
from tests.support.s3.moto_server import remove, with_bucket
from tests.support.s3.servers import S3Server, environment

PUBLICATION = f"{APP}labels/publication.json"
FIELDS = {field.value for field in LabelField}
SHARE = {"right", "count", "share", "low", "high"}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return checkout_in(tmp_path)


@pytest.fixture
def file(checkout: Path) -> Path:
    return checkout / "labels" / "personas.jsonl"


@pytest.fixture
def bucket(moto: S3Server) -> S3Server:
    return reviewed_bucket(moto)


def told(bucket: S3Server) -> dict[str, object]:
    """The publication as S3 holds it."""
    found: dict[str, object] = json.loads(bucket.store().get(PUBLICATION).data)
    return found


def is_untold(bucket: S3Server) -> bool:
    return not list(bucket.store().list(PUBLICATION))


class TestPublish:
    """The diff, then the file, then what S3 knows; a rehearsal touches neither."""

    def test_a_rehearsal_shows_the_diff_and_writes_nothing_then_it_is_published_then_there_is_nothing_left(
        self, bucket: S3Server, checkout: Path, file: Path
    ) -> None:
        before = file.read_bytes()
        rehearsed = labels(checkout, "publish", "--dry-run", environ=environment(bucket))
        assert (rehearsed.code, rehearsed.err) == (0, "")
        changes = [line[0] for line in rehearsed.out.splitlines() if line[0] in "+-" and line[1] == "{"]
        assert sorted(changes) == ["+", "+", "+", "-"]
        assert "1 correction, 2 acceptances: an acceptance changes no value." in rehearsed.out
        assert "2 labels added, 1 changed" in rehearsed.out
        assert rehearsed.out.endswith("Nothing was written: leave out --dry-run.\n")
        assert file.read_bytes() == before
        assert is_untold(bucket)

        done = labels(checkout, "publish", environ=environment(bucket, LOGNAME="deployer"))
        assert (done.code, done.err) == (0, "")
        assert done.out.endswith("labels/personas.jsonl is written: commit it.\n")
        assert list(parse_whole(file.read_bytes()).labels) == [KEYS[0], KEYS[1], KEYS[3], KEYS[5]]
        assert (told(bucket)["text"], told(bucket)["person"]) == (file.read_text(), "deployer")

        again = labels(checkout, "publish", environ=environment(bucket))
        assert (again.code, again.out, again.err) == (0, "There is nothing to publish.\n", "")

    def test_as_json_it_says_the_version_the_counts_and_what_became_of_it_and_a_picture_that_is_gone_is_named(
        self, bucket: S3Server, checkout: Path
    ) -> None:
        remove(bucket, KEYS[0])
        named = labels(checkout, "publish", "--dry-run", environ=environment(bucket)).out
        assert "1 label added, 1 changed" in named
        assert f"Not in the library any more, and left out: {KEYS[0]}\n" in named
        unseen = [{"field": "age", "value": "25–34", "portraits": 2}]
        unseen += [
            {"field": "gender_presentation", "value": "feminine", "portraits": 2},
            {"field": "hair", "value": "grey", "portraits": 1},
        ]
        shape = {
            **{"added": 1, "changed": 1, "left_out": [KEYS[0]], "written": False, "pending": False},
            **{"corrected": 1, "accepted": 1, "never_used_before": unseen},
        }
        rehearsed = labels(checkout, "publish", "--dry-run", "--json", environ=environment(bucket)).json
        version = rehearsed.pop("version")
        assert rehearsed == shape
        done = labels(checkout, "publish", "--json", environ=environment(bucket)).json
        assert done == shape | {"written": True, "version": version}
        assert told(bucket)["version"] == version
        again = labels(checkout, "publish", "--json", environ=environment(bucket)).json
        assert again == {
            **shape,
            **{"version": version, "added": 0, "changed": 0, "corrected": 0, "accepted": 0, "never_used_before": []},
        }

    def test_one_persons_words_or_one_groups_portraits_are_published_alone(
        self, bucket: S3Server, checkout: Path, file: Path
    ) -> None:
        before = file.read_bytes()
        for part in (("--person", "nobody@studio.example"), ("--group", "no such group")):
            done = labels(checkout, "publish", *part, environ=environment(bucket))
            assert (done.code, done.out) == (0, "There is nothing to publish.\n")
        assert file.read_bytes() == before
        part = ("--person", OPS.email, "--group", KEYS[0].split("/")[2], "--json")
        assert labels(checkout, "publish", *part, environ=environment(bucket)).json["corrected"] == 1
        assert file.read_bytes() != before

    def test_where_the_file_cannot_be_written_it_waits_in_s3_and_the_command_says_what_to_do(
        self, bucket: S3Server, checkout: Path, file: Path
    ) -> None:
        before = file.read_bytes()
        done = labels(checkout, "publish", environ=environment(bucket), largest_file=10)
        assert (done.code, done.err) == (0, "")
        assert done.out.endswith("the publication waits in S3, run this where the repository is.\n")
        assert file.read_bytes() == before
        assert [each.name for each in file.parent.iterdir() if each.name.startswith("personas")] == [file.name]

    @pytest.mark.parametrize("broken", ['{"key": "k"}', "\udcff"])
    def test_a_broken_label_file_is_refused_with_its_line_and_nothing_is_written(
        self, broken: str, bucket: S3Server, checkout: Path, file: Path
    ) -> None:
        file.write_bytes(file.read_bytes() + broken.encode("utf-8", "surrogateescape") + b"\n")
        before = file.read_bytes()
        done = labels(checkout, "publish", environ=environment(bucket))
        assert "labels/personas.jsonl, line 3: " in fails(done, 2)
        assert "Mend it, then publish." in done.err
        assert done.out == ""
        assert file.read_bytes() == before
        assert is_untold(bucket)

    def test_a_label_file_that_cannot_be_read_is_refused(self, bucket: S3Server, checkout: Path, file: Path) -> None:
        file.unlink()
        file.mkdir()
        said = fails(labels(checkout, "publish", environ=environment(bucket)), 2)
        assert said == "labels/personas.jsonl cannot be read: Is a directory. Mend it, then publish."
        assert is_untold(bucket)

    def test_without_a_label_file_the_reviews_make_one_that_everybody_can_read(
        self, bucket: S3Server, checkout: Path, file: Path
    ) -> None:
        file.unlink()
        assert labels(checkout, "publish", "--json", environ=environment(bucket)).json["added"] == 3
        assert list(parse_whole(file.read_bytes()).labels) == [KEYS[0], KEYS[3], KEYS[5]]
        assert file.stat().st_mode & 0o777 == 0o644

    def test_a_publication_that_cannot_be_read_is_named(self, bucket: S3Server, checkout: Path, file: Path) -> None:
        before = file.read_bytes()
        bucket.store().put(PUBLICATION, b"{", content_type="application/json")
        said = fails(labels(checkout, "publish", environ=environment(bucket)), 3)
        assert said == f"`{PUBLICATION}` cannot be read: remove it and publish again."
        assert file.read_bytes() == before


class TestQueue:
    """Every portrait by how likely its label is wrong."""

    @pytest.fixture
    @staticmethod
    def doubtful(moto: S3Server) -> S3Server:
        """Pictures of one persona, of which one is labelled otherwise."""
        bucket = reviewed_bucket(moto)
        store = Proposals(bucket.store(), app_prefix=APP)
        for key in KEYS:
            gender = Gender.MASCULINE if key == KEYS[2] else Gender.FEMININE
            store.add(LabelerSpec(LabelSource.OPENAI, "m"), proposed(key, etag(key), gender=gender))
        return bucket

    def test_as_json_it_is_a_line_a_portrait_in_that_order_with_exactly_these_keys(self, doubtful: S3Server) -> None:
        done = labels(ROOT, "queue", "--json", environ=environment(doubtful))
        assert (done.code, done.err) == (0, "")
        rows = [json.loads(line) for line in done.out.splitlines()]
        assert {row["key"] for row in rows} == set(KEYS)
        assert len(rows) == len(KEYS)
        for row in rows:
            assert list(row) == ["key", "wrong", "fields", "why"]
            assert 0 <= row["wrong"] <= 1
            assert row["fields"].keys() <= FIELDS
            assert all(0 <= share <= 1 for share in row["fields"].values())
            assert all(isinstance(says, str) for says in row["why"])
        assert [row["wrong"] for row in rows] == sorted((row["wrong"] for row in rows), reverse=True)
        assert rows[0]["key"] == KEYS[2]
        assert rows[0]["fields"]["gender_presentation"] > 0.5
        assert "Ada is labelled feminine" in rows[0]["why"][0]

    def test_for_people_it_is_a_table_under_what_it_comes_to(self, doubtful: S3Server) -> None:
        done = labels(ROOT, "queue", environ=environment(doubtful))
        assert (done.code, done.err) == (0, "")
        summary, first, why, *_ = done.out.splitlines()
        assert "labels, of which about" in summary
        assert KEYS[2] in first
        assert why.startswith("      Ada is labelled feminine")


class TestAgreement:
    """The trust numbers, for people and for programs."""

    @pytest.fixture
    @staticmethod
    def judged(moto: S3Server) -> S3Server:
        """A machine's labels of all pictures, of which people accepted three."""
        bucket = reviewed_bucket(moto)
        store = Proposals(bucket.store(), app_prefix=APP)
        for key in KEYS:
            store.add(LabelerSpec(LabelSource.OPENAI, "m"), proposed(key, etag(key), gender=Gender.FEMININE))
        return bucket

    def test_as_json_it_has_exactly_the_promised_shape(self, judged: S3Server) -> None:
        done = labels(ROOT, "agreement", "--json", environ=environment(judged))
        assert (done.code, done.err) == (0, "")
        report = done.json
        assert set(report) == {"reviewed", "accuracy", "nominal_distance", "labelers", "reviewers"}
        assert report["reviewed"] == 3
        (row,) = report["accuracy"]
        assert set(row) == {"said_by", "against", "pictures", "fields", "ages", "confusion"}
        assert set(row["fields"]) <= FIELDS
        for share in row["fields"].values():
            assert set(share) == SHARE
            assert share["count"] == 0 or 0 <= share["low"] <= share["share"] <= share["high"] <= 1
        assert row["fields"]["gender_presentation"]["count"] >= 2
        for age in row["ages"]:
            assert set(age) == {"range", "count", "mean_error", "median_error", "bias"}
        assert set(report["reviewers"]) <= FIELDS
        for between in report["reviewers"].values():
            assert set(between) == {"pictures", "same", "krippendorff_alpha"}
            assert set(between["same"]) == SHARE

    def test_for_people_it_says_how_many_with_intervals(self, judged: S3Server) -> None:
        done = labels(ROOT, "agreement", environ=environment(judged))
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith("3 labels reviewed by people.\n")
        assert "Accuracy against reviews: " in done.out
        assert " to 100%)" in done.out

    def test_before_anybody_has_reviewed_there_is_nothing_to_compare(self, moto: S3Server) -> None:
        bucket = with_bucket(moto, {})
        done = labels(ROOT, "agreement", environ=environment(bucket))
        assert done.code == 0
        assert done.out.startswith("0 labels reviewed by people.\n")
        report = labels(ROOT, "agreement", "--json", environ=environment(bucket)).json
        assert (report["reviewed"], report["accuracy"], report["labelers"]) == (0, [], [])
        assert {row["krippendorff_alpha"] for row in report["reviewers"].values()} <= {None}


class TestProposals:
    """What machines have proposed, line by line."""

    def test_each_proposal_is_a_line_in_the_order_of_keys(self, moto: S3Server) -> None:
        bucket = with_bucket(moto, {})
        store = Proposals(bucket.store(), app_prefix=APP)
        made = [proposed(key, etag(key)) for key in KEYS]
        for each in reversed(made):
            store.add(LabelerSpec(LabelSource.OPENAI, "m"), each)
        done = labels(ROOT, "proposals", environ=environment(bucket))
        assert (done.code, done.err) == (0, "")
        assert [Proposal.model_validate_json(line) for line in done.out.splitlines()] == made

    def test_where_no_machine_has_spoken_nothing_is_printed(self, moto: S3Server) -> None:
        done = labels(ROOT, "proposals", environ=environment(with_bucket(moto, {})))
        assert (done.code, done.out, done.err) == (0, "", "")


def looked_at_twice() -> bytes:
    """A picture of the tenth that two people look at."""
    pictures = map(jpeg, range(300))
    return next(data for data in pictures if is_doubly_reviewed(md5(data, usedforsecurity=False).hexdigest()))


class TestDisagreements:
    """Where two looks differ, for people and for programs."""

    KEY = "refs/01. Model/noir low angle/Twice.jpg"

    @pytest.fixture
    @staticmethod
    def disputed(moto: S3Server) -> S3Server:
        """A portrait whose two reviewers differ."""
        bucket = with_bucket(moto, {TestDisagreements.KEY: looked_at_twice()})
        at = ReviewFixture(bucket)
        for person, gender in ((OPS, "masculine"), (OTHER, "feminine")):
            said = {LabelField.GENDER: gender, LabelField.NOTES: f"seen by {person.email}"}
            item = at.reviews.item(person, TestDisagreements.KEY)
            at.reviews.save(person, [correct(item, said, id=gender)])
        return bucket

    def test_both_words_are_listed_with_who_and_why_and_then_the_thirds(self, disputed: S3Server) -> None:
        done = labels(ROOT, "disagreements", environ=environment(disputed))
        assert (done.code, done.err) == (0, "")
        assert done.out == (
            f"{self.KEY}\n  gender_presentation  {OPS.email}: masculine (seen by {OPS.email}), "
            f"{OTHER.email}: feminine (seen by {OTHER.email})\n1 wait for a third person, 0 are decided.\n"
        )
        at = ReviewFixture(disputed)
        at.log.refresh()
        third = Viewer("third@studio.example", PersonRole.ADMIN)
        (case,) = at.adjudication().cases(third)
        at.adjudication().decide(third, case, LabelField.GENDER, "feminine", id="third")
        (row,) = labels(ROOT, "disagreements", "--json", environ=environment(disputed)).json
        gender = row["fields"]["gender_presentation"]
        assert (row["key"], row["blind"], set(gender)) == (self.KEY, True, {"first", "second", "third"})
        assert [gender[each]["value"] for each in gender] == ["masculine", "feminine", "feminine"]
        assert gender["third"]["reviewer"] == third.email

    def test_where_nobody_differs_it_says_so(self, moto: S3Server) -> None:
        done = labels(ROOT, "disagreements", environ=environment(with_bucket(moto, {})))
        assert (done.code, done.out) == (0, "0 wait for a third person, 0 are decided.\n")


def test_the_schema_is_the_one_that_lies_in_the_repository_and_needs_no_storage() -> None:
    done = labels(ROOT, "schema", environ={"S3_BUCKET": "", "INDEX_WORKERS": "many"})
    assert (done.code, done.err) == (0, "")
    assert done.json == json.loads((ROOT / "labels" / "schema.json").read_text("utf-8")) == json_schema()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("publish", "--dry-rum"), "--dry-rum"),
        (("proposals", "--json"), "--json"),
        (("agreement", "now"), "unexpected extra argument"),
        ((), "Missing command"),
    ],
)
def test_a_call_that_cannot_be_understood_is_one_sentence(words: tuple[str, ...], says: str) -> None:
    done = labels(ROOT, *words, environ={})
    assert says in fails(done, 2)
    assert done.out == ""


@pytest.mark.parametrize("command", ["publish", "agreement"])
def test_a_bucket_that_does_not_exist_is_named(command: str, moto: S3Server, checkout: Path) -> None:
    missing = S3Server("moto", moto.endpoint_url, "no-such-bucket")
    done = labels(checkout, command, environ=environment(missing))
    assert "“no-such-bucket” does not exist" in fails(done, 3)
    assert done.out == ""
