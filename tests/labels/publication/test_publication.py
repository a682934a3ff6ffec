"""Publication: reviews fold into the file, sorted and minimal, in one step, and other servers hear of it."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from core.errors import LabelError, WriteConflict
from core.labels.decisions.reviews import Reviews
from core.labels.publication.draft import fold_in
from core.labels.publication.publisher import Publisher, PublishResult
from core.labels.published.label_file import LabelState, load_published, parse_whole, version_of
from core.labels.published.schema import Gender, LabelField, LabelSource, json_schema, line_of, parse_label
from core.labels.review.verdicts import accept
from core.storage.local.disk import publish
from tests.injection.libraries import library
from tests.labels.portraits import OPS, OTHER, ROOT, jpeg
from tests.labels.review.services import ReviewFixture, correct, proposed
from tests.support.s3.http_proxy import Exchange, proxied
from tests.support.s3.moto_server import fill, moto_server, remove, with_bucket
from tests.support.s3.servers import S3Server
from tests.support.timeouts import LONG_S

GROUP = "refs/01. Model/noir"
PICTURES = {f"{GROUP}/Ada {number:02d}.jpg": jpeg(number) for number in range(6)}
KEYS = list(PICTURES)


def etag(key: str) -> str:
    return hashlib.md5(PICTURES[key], usedforsecurity=False).hexdigest()


def line(key: str, **more: object) -> str:
    # spaces that our own writer would not put there: a line that says nothing new stays byte for byte
    return json.dumps({"key": key, "etag": etag(key), "source": "nominal", **more}, separators=(" , ", " :  "))


@pytest.fixture(scope="module")
def moto() -> Iterator[S3Server]:
    with moto_server() as server:
        yield server


@pytest.fixture
def bucket(moto: S3Server) -> S3Server:
    return with_bucket(moto, PICTURES)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "personas.jsonl"
    path.write_text("\n".join([line(KEYS[1], gender_presentation="feminine"), line(KEYS[3])]) + "\n")
    return path


def review_service(bucket: S3Server, file: Path) -> ReviewFixture:
    return ReviewFixture(bucket, file, shipped=tuple(proposed(key, etag(key)) for key in KEYS))


def publisher(at: ReviewFixture, file: Path) -> Publisher:
    return at.publisher(file)


class TestFolding:
    """Exactly what people decided, and nothing else."""

    def test_only_reviewed_lines_change_and_the_file_stays_sorted(self, bucket: S3Server, file: Path) -> None:
        before = file.read_bytes().split(b"\n")
        at = review_service(bucket, file)
        at.reviews.save(
            OPS, [accept(at.reviews.item(OPS, KEYS[5]), id="1"), accept(at.reviews.item(OPS, KEYS[0]), id="2")]
        )
        at.reviews.save(OPS, [correct(at.reviews.item(OPS, KEYS[3]), {LabelField.GENDER: "masculine"}, id="3")])
        done = publisher(at, file).publish(publisher(at, file).draft(at.library.index), OPS)
        lines = file.read_bytes().split(b"\n")[:-1]
        assert done.file == file
        assert [parse_label(each.decode()).key for each in lines] == [KEYS[0], KEYS[1], KEYS[3], KEYS[5]]
        assert lines[1] == before[0], "byte for byte"
        said = parse_label(lines[2].decode())
        assert (said.gender_presentation, said.source, said.reviewer) == (
            Gender.MASCULINE,
            LabelSource.HUMAN,
            OPS.email,
        )
        assert load_published(file).broken == ()

    def test_publishing_twice_changes_nothing_the_second_time(self, bucket: S3Server, file: Path) -> None:
        at = review_service(bucket, file)
        at.reviews.save(OPS, [accept(at.reviews.item(OPS, KEYS[0]), id="1")])
        publisher(at, file).publish(publisher(at, file).draft(at.library.index), OPS)
        again = publisher(at, file).draft(at.library.index)
        assert (again.is_empty, again.diff, again.added, again.changed) == (True, "", 0, 0)

    def test_an_undone_review_is_not_published(self, bucket: S3Server, file: Path) -> None:
        at = review_service(bucket, file)
        at.reviews.save(OPS, [accept(at.reviews.item(OPS, KEYS[0]), id="1")])
        at.reviews.undo(OPS, ["1"])
        assert publisher(at, file).draft(at.library.index).is_empty

    def test_a_review_of_bytes_that_are_gone_stays_out_and_a_moved_picture_keeps_its_review(
        self, bucket: S3Server, file: Path
    ) -> None:
        at = review_service(bucket, file)
        at.reviews.save(OPS, [accept(at.reviews.item(OPS, key), id=key) for key in (KEYS[0], KEYS[2])])
        remove(bucket, KEYS[0], KEYS[2])
        fill(bucket, {f"{GROUP}/Moved.jpg": PICTURES[KEYS[2]]})
        at.library.refresh()
        draft = publisher(at, file).draft(at.library.index)
        assert draft.left_out == (KEYS[0],)
        assert f"{GROUP}/Moved.jpg" in parse_whole(draft.after).labels

    def test_the_diff_shows_exactly_the_lines_that_change(self, bucket: S3Server, file: Path) -> None:
        at = review_service(bucket, file)
        at.reviews.save(OPS, [correct(at.reviews.item(OPS, KEYS[1]), {LabelField.HAIR: "grey"}, id="1")])
        diff = publisher(at, file).draft(at.library.index).diff.splitlines()
        assert [each[0] for each in diff if not each.startswith(("---", "+++", "@@"))] == ["-", "+"]

    @pytest.mark.parametrize("broken", ["{", '{"key": "k"}', line(KEYS[1])])
    def test_a_file_with_a_broken_line_is_refused_with_its_number(
        self, bucket: S3Server, file: Path, broken: str
    ) -> None:
        file.write_text(file.read_text() + broken + "\n")
        at = review_service(bucket, file)
        with pytest.raises(LabelError, match="line 3"):
            publisher(at, file).draft(at.library.index)

    def test_the_shipped_file_is_already_as_publishing_would_write_it(self) -> None:
        data = (ROOT / "labels" / "personas.jsonl").read_bytes()
        assert b"".join(line_of(label).encode() + b"\n" for label in parse_whole(data).labels.values()) == data
        assert fold_in(data, Reviews(), library(), number=0).is_empty

    def test_the_schema_in_the_repository_is_the_models(self) -> None:
        shipped = json.loads((ROOT / "labels" / "schema.json").read_text("utf-8"))
        assert shipped == json_schema()


class TestServers:
    """A server says which labels it runs, and hears of newer ones."""

    def test_a_server_with_an_older_file_is_told_of_the_newer_publication(self, bucket: S3Server, file: Path) -> None:
        at = review_service(bucket, file)
        old = load_published(file).version
        assert publisher(at, file).newer(old) is None
        at.reviews.save(OPS, [accept(at.reviews.item(OPS, KEYS[0]), id="1")])
        done = publisher(at, file).publish(publisher(at, file).draft(at.library.index), OPS)
        newer = publisher(at, file).newer(old)
        assert newer is not None
        assert (newer.version, newer.person) == (done.publication.version, OPS.email)
        assert publisher(at, file).newer(load_published(file).version) is None
        assert publisher(at, file).newer("of-a-newer-installation") is None

    def test_where_the_file_cannot_be_written_the_publication_waits_in_s3(self, bucket: S3Server, file: Path) -> None:
        at = review_service(bucket, file)
        at.reviews.save(OPS, [accept(at.reviews.item(OPS, KEYS[0]), id="1")])

        # nothing longer can lie beside it, not even the temporary file: it can be read and not replaced
        longest = file.with_name("p" * (os.pathconf(file.parent, "PC_NAME_MAX") - len(".jsonl")) + ".jsonl")
        file.rename(longest)
        here = publisher(at, longest)
        draft = here.draft(at.library.index)
        done = here.publish(draft, OPS)
        assert done.file is None
        pending = here.newest()
        assert pending is not None
        assert (pending.text.encode(), pending.version) == (draft.after, version_of(draft.after))
        assert longest.read_bytes() == draft.before
        assert list(file.parent.iterdir()) == [longest]
        assert here.newer(load_published(longest).version) == pending

    def test_a_file_that_changed_since_the_draft_is_not_written_over(self, bucket: S3Server, file: Path) -> None:
        at = review_service(bucket, file)
        at.reviews.save(OPS, [accept(at.reviews.item(OPS, KEYS[0]), id="1")])
        draft = publisher(at, file).draft(at.library.index)
        file.write_text(file.read_text() + line(KEYS[4]) + "\n")
        with pytest.raises(LabelError, match="has changed since"):
            publisher(at, file).publish(draft, OPS)

    def test_of_two_who_publish_at_once_one_is_told(self, bucket: S3Server, file: Path, tmp_path: Path) -> None:
        at = review_service(bucket, file)
        at.reviews.save(OPS, [accept(at.reviews.item(OPS, KEYS[0]), id="1")])
        other = tmp_path / "other.jsonl"
        other.write_bytes(file.read_bytes())
        theirs = review_service(bucket, other)
        their_draft = publisher(theirs, other).draft(theirs.library.index)
        raced: list[PublishResult] = []

        def overtake(passing: Exchange) -> bool:
            """They publish between our look at the newest publication and our write."""
            if passing.method == "PUT" and not raced:
                raced.append(publisher(theirs, other).publish(their_draft, OTHER))
            return True

        with proxied(bucket, before=overtake) as way:
            mine = publisher(review_service(way, file), file)
            draft = mine.draft(at.library.index)
            with pytest.raises(WriteConflict):
                mine.publish(draft, OPS)
        assert file.read_bytes() == draft.before
        assert other.read_bytes() == their_draft.after
        newest = publisher(at, file).newest()
        assert newest is not None
        assert (newest.version, newest.person) == (raced[0].publication.version, OTHER.email)

    def test_of_many_who_publish_at_once_each_is_told_how_it_went(
        self, bucket: S3Server, file: Path, tmp_path: Path
    ) -> None:
        at = review_service(bucket, file)
        at.reviews.save(OPS, [accept(at.reviews.item(OPS, KEYS[0]), id="1")])
        files = [tmp_path / f"server {number}.jsonl" for number in range(4)]
        for each in files:
            each.write_bytes(file.read_bytes())
        servers = [publisher(review_service(bucket, each), each) for each in files]
        drafts = [server.draft(at.library.index) for server in servers]
        together = Barrier(len(servers))

        def race(number: int) -> bool:
            together.wait(timeout=LONG_S)
            try:
                return servers[number].publish(drafts[number], OPS).file == files[number]
            except WriteConflict:
                return False

        with ThreadPoolExecutor(len(servers)) as pool:
            won = list(pool.map(race, range(len(servers))))
        assert any(won)
        for each, has_won, draft in zip(files, won, drafts, strict=True):
            assert each.read_bytes() == (draft.after if has_won else draft.before)

    def test_a_running_server_takes_up_a_new_file_by_itself(self, bucket: S3Server, file: Path) -> None:
        at = review_service(bucket, file)
        assert at.live.current.find(KEYS[4], etag(KEYS[4])).state is LabelState.MISSING
        publish(file, file.read_bytes() + line(KEYS[4]).encode() + b"\n")
        at.live.refresh()
        assert at.live.current.find(KEYS[4], etag(KEYS[4])).state is LabelState.CURRENT


def test_killed_while_publishing_the_file_is_the_old_or_the_new_one(tmp_path: Path) -> None:
    file = tmp_path / "personas.jsonl"
    old = b"".join(f'{{"key": "k{at}", "etag": "e{at}", "source": "nominal"}}\n'.encode() for at in range(3000))
    new = old.replace(b"nominal", b"local")
    file.write_bytes(old)
    for name, data in (("old", old), ("new", new)):
        Path(f"{file}.{name}").write_bytes(data)
    for moment in (0.005, 0.013, 0.021):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.labels.review.publish_repeatedly", str(file)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(moment)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert file.read_bytes() in (old, new)
