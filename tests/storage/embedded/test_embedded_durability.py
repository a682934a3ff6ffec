"""What the embedded S3 promises: an acknowledged write outlives everything, a half one never shows."""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import json
import os
import random
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from core.errors import (
    ConfigError,
    NotFound,
    StorageDenied,
    StorageUnavailable,
    StudioError,
    WriteConflict,
)
from core.storage.embedded.server import EmbeddedS3
from core.storage.s3 import Store
from tests.support.s3.servers import ServingProcess, client_of, served_by
from tests.support.timeouts import LONG_S

TEXT = "text/plain"
ROUNDS = 12
WRITERS = 4


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    folder = tmp_path / "library" / "refs"
    (folder / "02. Tone" / "b(vivid,colorful)").mkdir(parents=True)
    (folder / "02. Tone" / "b(vivid,colorful)" / "fruit bowl.jpg").write_bytes(b"fruit")
    (folder / ".DS_Store").write_bytes(b"not a picture")
    return folder


FRUIT = "refs/02. Tone/b(vivid,colorful)/fruit bowl.jpg"


@contextmanager
def opened(data_dir: Path, samples: Path) -> Iterator[Store]:
    server = EmbeddedS3.open(data_dir, samples)
    try:
        yield served_by(server).store(attempts=1)
    finally:
        server.close()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


def files_of(data_dir: Path, part: str) -> list[Path]:
    return [path for path in (data_dir / "s3" / part).rglob("*") if path.is_file()]


class Writer(threading.Thread):
    """Writes, overwrites and deletes its own keys until the server dies, and remembers what it was told."""

    def __init__(self, store: Store, number: int, known: dict[str, bytes | None], seed: int) -> None:
        super().__init__()
        self._store = store
        self._chance = random.Random(seed)
        self.keys = [f"studio/w{number}/{name}" for name in ("a", "b//c", "로우앵글 +%")]
        self.acknowledged: dict[str, bytes | None] = {key: known.get(key) for key in self.keys}
        self.in_flight: tuple[str, bytes | None] | None = None
        self.has_begun = threading.Event()
        self.count = 0

    def run(self) -> None:
        while True:
            key = self._chance.choice(self.keys)
            size = self._chance.choice([0, 10, 5_000, 300_000])
            data = None if self._chance.random() < 0.15 else self._chance.randbytes(size)
            self.in_flight = (key, data)
            try:
                if data is None:
                    self._store.delete(key)
                else:
                    self._store.put(key, data, content_type="image/png")
            except StorageUnavailable:
                return
            self.acknowledged[key] = data
            self.in_flight = None
            self.count += 1
            self.has_begun.set()


def read_all(store: Store, keys: list[str]) -> dict[str, bytes | None]:
    found: dict[str, bytes | None] = {}
    for key in keys:
        try:
            blob = store.get(key)
        except NotFound:
            found[key] = None
        else:
            assert blob.etag == hashlib.md5(blob.data, usedforsecurity=False).hexdigest()
            found[key] = blob.data
    return found


def test_a_kill_in_the_middle_of_writing_loses_and_halves_nothing(data_dir: Path, samples: Path) -> None:
    chance = random.Random(20261122)
    known: dict[str, bytes | None] = {}
    writes = 0
    for number in range(ROUNDS):
        with ServingProcess(data_dir, samples) as process:
            store = process.server.store(attempts=1)
            assert read_all(store, list(known)) == known
            writers = [Writer(store, n, known, seed=number * WRITERS + n) for n in range(WRITERS)]
            for writer in writers:
                writer.start()
            assert all(writer.has_begun.wait(LONG_S) for writer in writers)
            writers[0].join(chance.uniform(0, 0.15))  # it does not end: this is the random moment
            process.kill()
            for writer in writers:
                writer.join()
        writes += sum(writer.count for writer in writers)
        with opened(data_dir, samples) as store:
            for writer in writers:
                found = read_all(store, writer.keys)
                for key in writer.keys:
                    allowed = [writer.acknowledged[key]]
                    if writer.in_flight and writer.in_flight[0] == key:
                        allowed.append(writer.in_flight[1])
                    assert found[key] in allowed, f"round {number}: {key}"
                known |= found
            listed = {row.key for row in store.list("studio/")}
            assert listed == {key for key, data in known.items() if data is not None}
        assert not files_of(data_dir, "incoming")
    assert writes > ROUNDS * WRITERS


def test_an_upload_that_breaks_off_leaves_nothing(data_dir: Path, samples: Path) -> None:
    with ServingProcess(data_dir, samples) as process:
        server = process.server
        where = urlsplit(server.endpoint_url)
        head = (
            f"PUT /studio/half HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n"
            f"Authorization: AWS4-HMAC-SHA256 Credential={server.access_key}/20261122/us-east-1/s3/aws4_request\r\n\r\n"
        )
        with socket.create_connection((where.hostname, where.port)) as client:
            client.sendall(head.encode() + b"x" * 400_000)
            client.shutdown(socket.SHUT_WR)
            assert client.recv(100).startswith(b"HTTP/1.1 400")
        with socket.create_connection((where.hostname, where.port)) as client:
            client.sendall(head.encode() + b"x" * 400_000)
            process.kill()
    with opened(data_dir, samples) as store:
        assert [row.key for row in store.list("")] == [FRUIT]
    assert not files_of(data_dir, "incoming")
    assert not files_of(data_dir, "objects")


def test_a_restart_keeps_everything_that_s3_says_of_an_object(data_dir: Path, samples: Path) -> None:
    kept = {"CacheControl": "max-age=5", "ContentDisposition": 'inline; filename="a.png"'}
    with opened(data_dir, samples) as store:
        store.put("k", b"data", content_type="image/png")
    with ServingProcess(data_dir, samples) as process:
        client = client_of(process.server)
        client.put_object(
            Bucket="studio", Key="k", Body=b"data", ContentType="image/webp", Metadata={"a_b": "1", "a-c": "2"}, **kept
        )
        before = client.get_object(Bucket="studio", Key="k")
        listed = client.list_objects_v2(Bucket="studio", Prefix="k")["Contents"]
        process.kill()
    with ServingProcess(data_dir, samples) as process:
        client = client_of(process.server)
        after = client.get_object(Bucket="studio", Key="k")
        for name in ("ETag", "LastModified", "ContentType", "ContentLength", "Metadata", *kept):
            assert after[name] == before[name], name
        assert after["Metadata"] == {"a_b": "1", "a-c": "2"}
        assert after["Body"].read() == b"data"
        assert client.list_objects_v2(Bucket="studio", Prefix="k")["Contents"] == listed


def test_one_of_eight_creates_wins_and_the_rest_see_it(data_dir: Path, samples: Path) -> None:
    with opened(data_dir, samples) as store:
        for attempt in range(5):
            start = threading.Barrier(8)

            def create(number: int, start: threading.Barrier = start, key: str = f"claim/{attempt}") -> object:
                start.wait()
                try:
                    return store.put(key, b"by %d" % number, content_type=TEXT, create_only=True)
                except WriteConflict as lost:
                    return lost.theirs

            with ThreadPoolExecutor(8) as pool:
                answers = list(pool.map(create, range(8)))
            winner = store.get(f"claim/{attempt}")
            assert answers.count(winner.data) == 7
            assert answers.count(winner.etag) == 1


def test_an_acknowledgement_comes_after_file_name_and_folder_are_safe(
    data_dir: Path, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill keeps the page cache, a power cut does not: so the order itself is looked at."""
    done: list[str] = []
    real_fsync, real_replace, real_unlink = os.fsync, Path.replace, Path.unlink

    def fsync(descriptor: int) -> None:
        done.append("fsync folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "fsync file")
        real_fsync(descriptor)

    def replace(path: Path, target: Path) -> Path:
        done.append("rename")
        return real_replace(path, target)

    def unlink(path: Path, missing_ok: bool = False) -> None:
        if path.parent.name != "incoming":
            done.append("unlink")
        real_unlink(path, missing_ok=missing_ok)

    with opened(data_dir, samples) as store:
        monkeypatch.delattr(fcntl, "F_FULLFSYNC", raising=False)  # macOS has its own, stronger call
        monkeypatch.setattr(os, "fsync", fsync)
        monkeypatch.setattr(Path, "replace", replace)
        monkeypatch.setattr(Path, "unlink", unlink)
        store.put("k", b"x", content_type=TEXT)
        assert done == ["fsync file", "rename", "fsync folder"]
        store.delete(FRUIT)
        assert done[3:] == ["fsync file", "rename", "fsync folder"]
        store.delete("k")
        assert done[6:] == ["unlink", "fsync folder"]
        monkeypatch.undo()


def test_compare_and_swap_loses_no_increment(data_dir: Path, samples: Path) -> None:
    with opened(data_dir, samples) as store:
        store.put("counter", b"0", content_type=TEXT)

        def increment(_number: int) -> None:
            while True:
                now = store.get("counter")
                try:
                    store.put("counter", b"%d" % (int(now.data) + 1), content_type=TEXT, if_match=now.etag)
                except WriteConflict:
                    continue
                return

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(increment, range(20)))
        assert store.get("counter").data == b"20"


def test_reading_while_others_write_never_sees_a_mixture(data_dir: Path, samples: Path) -> None:
    with opened(data_dir, samples) as store:
        store.put("k", b"0" * 1000, content_type=TEXT)
        is_over = threading.Event()

        def write() -> None:
            for number in range(60):
                store.put("k", b"%d" % (number % 10) * 1000, content_type=TEXT)
                store.put(f"more/{number}", b"", content_type=TEXT)
            is_over.set()

        with ThreadPoolExecutor(3) as pool:
            writing = pool.submit(write)
            while not is_over.is_set() and not writing.done():
                blob = store.get("k")
                assert blob.etag == hashlib.md5(blob.data, usedforsecurity=False).hexdigest()
                assert len([*store.list("")]) >= 2
            writing.result()


def test_a_disk_that_refuses_leaves_the_old_object(data_dir: Path, samples: Path) -> None:
    with ServingProcess(data_dir, samples, largest_file_bytes=100_000) as process:
        store = process.server.store()
        etag = store.put("k", b"old", content_type=TEXT)
        with pytest.raises(StorageUnavailable, match="InternalError"):
            store.put("k", b"x" * 500_000, content_type=TEXT)
        with pytest.raises(StorageUnavailable, match="InternalError"):
            store.put("new", b"x" * 500_000, content_type=TEXT)
        assert (store.get("k").data, store.head("k").etag) == (b"old", etag)
        assert [row.key for row in store.list("")] == ["k", FRUIT]
        assert not files_of(data_dir, "incoming")
        store.put("k", b"newer", content_type=TEXT, if_match=etag)
        with pytest.raises(ClientError) as caught:
            client_of(process.server).put_object(Bucket="studio", Key="k", Body=b"x" * 500_000)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 507
        assert "DATA_DIR" in caught.value.response["Error"]["Message"]
        process.kill()
    with opened(data_dir, samples) as store:
        assert store.get("k").data == b"newer"


def test_deletions_survive(data_dir: Path, samples: Path) -> None:
    with opened(data_dir, samples) as store:
        store.put("mine", b"x", content_type=TEXT)
        store.delete("mine")
        store.delete(FRUIT)
    for _restart in range(2):
        with opened(data_dir, samples) as store:
            assert not [*store.list("")]


def test_deleting_many_at_once_survives_too(data_dir: Path, samples: Path) -> None:
    with ServingProcess(data_dir, samples) as process:
        client = client_of(process.server)
        for key in ("a", "b & <c>", " d "):
            client.put_object(Bucket="studio", Key=key, Body=b"x")
        names = [{"Key": key} for key in ("b & <c>", " d ", FRUIT, "never there")]
        answer = client.delete_objects(Bucket="studio", Delete={"Objects": names})
        assert [row["Key"] for row in answer["Deleted"]] == [row["Key"] for row in names]
        process.kill()
    with opened(data_dir, samples) as store:
        assert [row.key for row in store.list("")] == ["a"]


def test_a_copy_is_a_durable_object_of_its_own(data_dir: Path, samples: Path) -> None:
    """An S3 browser renames a folder by copying and deleting."""
    renamed = FRUIT.replace("vivid,colorful", "비비드")
    with ServingProcess(data_dir, samples) as process:
        client = client_of(process.server)
        source = {"Bucket": "studio", "Key": FRUIT}
        answer = client.copy_object(Bucket="studio", Key=renamed, CopySource=source)
        assert answer["CopyObjectResult"]["ETag"].strip('"') == hashlib.md5(b"fruit").hexdigest()  # noqa: S324 - an etag
        client.delete_object(Bucket="studio", Key=FRUIT)
        process.kill()
    with opened(data_dir, samples) as store:
        blob = store.get(renamed)
        assert (blob.data, blob.content_type) == (b"fruit", "image/jpeg")
        assert [row.key for row in store.list("")] == [renamed]


def test_an_upgrade_brings_new_samples_and_leaves_alone_what_was_changed(data_dir: Path, samples: Path) -> None:
    (samples / "gone.jpg").write_bytes(b"deleted by a person")
    with opened(data_dir, samples) as store:
        store.delete("refs/gone.jpg")
        store.put(FRUIT, b"replaced by a person", content_type="image/jpeg")
    (samples / "new.jpg").write_bytes(b"new")
    with opened(data_dir, samples) as store:
        assert [row.key for row in store.list("refs/")] == [FRUIT, "refs/new.jpg"]
        assert store.get(FRUIT).data == b"replaced by a person"
        store.put("refs/gone.jpg", b"back", content_type="image/jpeg")
    with opened(data_dir, samples) as store:
        assert store.get("refs/gone.jpg").data == b"back"


def test_a_second_process_uses_the_first_ones_server(data_dir: Path, samples: Path) -> None:
    with ServingProcess(data_dir, samples) as process:
        second = EmbeddedS3.open(data_dir, samples)
        assert (second.owner, second.endpoint_url) == (False, process.server.endpoint_url)
        served_by(second).store().put("from the second", b"x", content_type=TEXT)
        second.close()
        assert process.server.store().get("from the second").data == b"x"
        process.kill()
    third = EmbeddedS3.open(data_dir, samples)
    assert third.owner, "a killed owner's endpoint file is not believed"
    assert served_by(third).store().get("from the second").data == b"x"
    third.close()


def test_of_many_that_open_at_once_one_serves(data_dir: Path, samples: Path) -> None:
    start = threading.Barrier(5)

    def open_it(_number: int) -> EmbeddedS3:
        start.wait()
        return EmbeddedS3.open(data_dir, samples)

    with ThreadPoolExecutor(5) as pool:
        servers = list(pool.map(open_it, range(5)))
    try:
        assert sum(server.owner for server in servers) == 1
        assert len({server.endpoint_url for server in servers}) == 1
    finally:
        for server in servers:
            server.close()


def test_a_wrong_or_missing_credential_is_refused(data_dir: Path, samples: Path) -> None:
    server = EmbeddedS3.open(data_dir, samples)
    try:
        for ask in ("get", "delete"):
            with pytest.raises(StorageDenied):
                getattr(served_by(server).store(access_key="AKIDOTHER"), ask)(FRUIT)
        for path in ("/", "/studio", "/studio/refs/x", "/moto-api/reset", "/studio?X-Amz-Credential=AKIDOTHER/x"):
            assert asked(server, "GET", path) == 403
            assert asked(server, "POST", path) == 403
        assert asked(server, "POST", "/moto-api/reset", key=server.access_key) == 404
        assert [row.key for row in served_by(server).store().list("")] == [FRUIT]
    finally:
        server.close()


def asked(server: EmbeddedS3, method: str, path: str, *, key: str = "") -> int:
    connection = http.client.HTTPConnection(urlsplit(server.endpoint_url).netloc, timeout=LONG_S)
    connection.request(method, path, headers={"Authorization": f"Credential={key}/x"} if key else {})
    with connection.getresponse() as response:
        status = response.status
        assert "access-control-allow-origin" not in response.headers
    connection.close()
    return status


def test_a_presigned_url_opens_the_object_until_it_expires(data_dir: Path, samples: Path) -> None:
    server = EmbeddedS3.open(data_dir, samples)
    try:
        client = client_of(served_by(server), config=Config(signature_version="s3v4"))
        for lifetime_s, status in ((60, 200), (-5, 403)):
            url = urlsplit(
                client.generate_presigned_url(
                    "get_object", Params={"Bucket": "studio", "Key": FRUIT}, ExpiresIn=lifetime_s
                )
            )
            assert asked(server, "GET", f"{url.path}?{url.query}") == status
    finally:
        server.close()


def test_only_the_owner_can_read_what_is_on_disk(data_dir: Path, samples: Path) -> None:
    with opened(data_dir, samples) as store:
        store.put("k", b"secret", content_type=TEXT)
        files = [path for path in data_dir.rglob("*") if path.is_file()]
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
        credentials = json.loads((data_dir / "s3.credentials.json").read_text())
    with opened(data_dir, samples):
        assert json.loads((data_dir / "s3.credentials.json").read_text()) == credentials


KEPT_BY_NOBODY: dict[str, Callable[[Any], Any]] = {
    "multipart upload": lambda s3: s3.create_multipart_upload(Bucket="studio", Key="k"),
    "tags": lambda s3: s3.put_object_tagging(Bucket="studio", Key=FRUIT, Tagging={"TagSet": []}),
    "tags of a new object": lambda s3: s3.put_object(Bucket="studio", Key="k", Tagging="a=b"),
    "no tags any more": lambda s3: s3.delete_object_tagging(Bucket="studio", Key=FRUIT),
    "an ACL": lambda s3: s3.put_object_acl(Bucket="studio", Key=FRUIT, ACL="public-read"),
    "an ACL of a new object": lambda s3: s3.put_object(Bucket="studio", Key="k", ACL="public-read"),
    "a storage class": lambda s3: s3.put_object(Bucket="studio", Key="k", StorageClass="GLACIER"),
    "encryption": lambda s3: s3.put_object(Bucket="studio", Key="k", ServerSideEncryption="AES256"),
    "an odd condition": lambda s3: s3.put_object(Bucket="studio", Key="k", IfNoneMatch="abc"),
    "versioning": lambda s3: s3.put_bucket_versioning(Bucket="studio", VersioningConfiguration={"Status": "Enabled"}),
    "a version's deletion": lambda s3: s3.delete_object(Bucket="studio", Key=FRUIT, VersionId="null"),
    "another bucket": lambda s3: s3.create_bucket(Bucket="another"),
    "the bucket's end": lambda s3: s3.delete_bucket(Bucket="studio"),
    "a policy": lambda s3: s3.put_bucket_policy(Bucket="studio", Policy="{}"),
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("library") / "refs"
    (folder / "02. Tone" / "b(vivid,colorful)").mkdir(parents=True)
    (folder / "02. Tone" / "b(vivid,colorful)" / "fruit bowl.jpg").write_bytes(b"fruit")
    server = EmbeddedS3.open(tmp_path_factory.mktemp("data"), folder)
    yield client_of(served_by(server))
    server.close()


@pytest.mark.parametrize("what", KEPT_BY_NOBODY)
def test_what_could_not_be_kept_is_refused(shared: Any, what: str) -> None:
    with pytest.raises(ClientError) as caught:
        KEPT_BY_NOBODY[what](shared)
    assert caught.value.response["Error"]["Code"] == "NotImplemented"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert [row["Key"] for row in shared.list_objects_v2(Bucket="studio")["Contents"]] == [FRUIT]


def test_a_damaged_upload_is_refused(shared: Any) -> None:
    with pytest.raises(ClientError, match="BadDigest"):
        shared.put_object(Bucket="studio", Key="k", Body=b"x", ContentMD5="AAAAAAAAAAAAAAAAAAAAAA==")


def test_a_file_that_the_disk_damaged_stops_nothing_else(
    data_dir: Path, samples: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(data_dir, samples) as store:
        store.put("a", b"x" * 1000, content_type=TEXT)
        (damaged,) = files_of(data_dir, "objects")
        store.put("b", b"fine", content_type=TEXT)
    damaged.write_bytes(damaged.read_bytes()[:-1])
    with opened(data_dir, samples) as store:
        assert [row.key for row in store.list("")] == ["b", FRUIT]
    assert str(damaged) in caplog.text


def test_a_data_dir_that_cannot_be_used_is_a_setting_to_correct(tmp_path: Path, samples: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ConfigError, match="DATA_DIR") as caught:
        EmbeddedS3.open(tmp_path / "file" / "data", samples)
    assert caught.value.setting == "DATA_DIR"


def test_missing_samples_are_said_at_the_start(data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="sample library"):
        EmbeddedS3.open(data_dir, tmp_path / "nowhere")


def test_samples_look_like_any_other_object(data_dir: Path, samples: Path) -> None:
    with opened(data_dir, samples) as store:
        (row,) = store.list("")
        blob = store.get(FRUIT)
        assert (row.key, row.size_bytes, blob.content_type, blob.data) == (FRUIT, 5, "image/jpeg", b"fruit")
        assert row.etag == blob.etag == hashlib.md5(b"fruit").hexdigest()  # noqa: S324 - an etag
        assert row.modified <= datetime.now(UTC)


def test_a_closed_server_can_be_closed_again_and_opened_again(data_dir: Path, samples: Path) -> None:
    server = EmbeddedS3.open(data_dir, samples)
    store = served_by(server).store(attempts=1)
    store.put("k", b"x", content_type=TEXT)
    server.close()
    server.close()
    assert not (data_dir / "s3.endpoint.json").exists()
    with pytest.raises(StorageUnavailable):
        store.get("k")
    with opened(data_dir, samples) as again:
        assert again.get("k").data == b"x"
