"""Three real S3 servers on loopback: moto's, ours, and rclone's."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.moto_server.threaded_moto_server import ThreadedMotoServer
from moto.s3.models import s3_backends
from s3_servers import PAGED_KEYS, S3Server, client_of, paged_name, served_by

from core.storage.embedded import EmbeddedS3
from core.storage.s3 import Store


@pytest.fixture(autouse=True)
def no_ambient_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's own AWS account is ever asked."""
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="session")
def moto() -> Iterator[S3Server]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    running = S3Server("moto", f"http://{host}:{port}", "contract")
    client_of(running).create_bucket(Bucket=running.bucket)
    yield running
    server.stop()
    for account in list(s3_backends.values()):  # or moto complains about keys that were not disposed of
        account.reset()


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    samples = tmp_path_factory.mktemp("library") / "refs"
    samples.mkdir()
    server = EmbeddedS3.open(tmp_path_factory.mktemp("data"), samples)
    yield served_by(server)
    server.close()


@pytest.fixture(scope="session")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    folder = tmp_path_factory.mktemp("rclone")
    (folder / "contract").mkdir()
    (folder / "paged").mkdir()  # more than rclone's page of 1000 keys, in a bucket that no other test lists
    for number in range(PAGED_KEYS):
        (folder / "paged" / paged_name(number)).touch()
    binary = shutil.which("rclone") or str(Path(sys.prefix) / "bin" / "rclone")
    command = [binary, "serve", "s3", "--addr", "127.0.0.1:0", "--auth-key", "AKIDTEST,secret"]
    command += ["--config", "/dev/null", str(folder)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        address = next(found for line in process.stderr if (found := re.search(r"http://[\d.]+:\d+", line)))
        drain = threading.Thread(target=process.stderr.read)
        drain.start()
        yield S3Server("rclone", address[0], "contract", pages_bucket="paged")
        process.kill()
        drain.join()


@pytest.fixture(params=["moto", "embedded", "rclone"], scope="session")
def server(request: pytest.FixtureRequest) -> S3Server:
    running: S3Server = request.getfixturevalue(request.param)
    return running


@pytest.fixture(scope="session")
def store(server: S3Server) -> Store:
    return server.store()


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    """A place of its own for every test."""
    return re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-") + "/"


@pytest.hookimpl
def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What a server cannot do is said aloud, also when the test of it passed."""
    notes = {
        note
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, note in getattr(report, "user_properties", ())
        if name == "server-note"
    }
    for note in sorted(notes):
        terminalreporter.write_line(f"NOTE {note}", yellow=True)
