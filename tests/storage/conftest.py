"""Three real S3 servers on loopback: moto's, ours, and rclone's."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.storage.embedded.server import EmbeddedS3
from core.storage.s3 import Store
from tests.support.s3.moto_server import moto_server
from tests.support.s3.servers import PAGED_KEYS, SERVERS, S3Server, client_of, paged_name, served_by


@pytest.fixture(scope="module")
def moto() -> Iterator[S3Server]:
    with moto_server() as server:
        running = replace(server, bucket="contract")
        client_of(running).create_bucket(Bucket=running.bucket)
        yield running


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    samples = tmp_path_factory.mktemp("library") / "refs"
    samples.mkdir()
    server = EmbeddedS3.open(tmp_path_factory.mktemp("data"), samples)
    yield served_by(server)
    server.close()


@pytest.fixture(scope="module")
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


@pytest.fixture(params=SERVERS, scope="module")
def server(request: pytest.FixtureRequest) -> S3Server:
    running: S3Server = request.getfixturevalue(request.param)
    return running


@pytest.fixture
def store(server: S3Server) -> Store:
    return server.store()


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    """A place of its own for every test."""
    return re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-") + "/"


@pytest.fixture
def lacks(record_property: Callable[[str, object], None]) -> Callable[[S3Server, str], None]:
    """Has what a server cannot do said aloud after the tests."""

    def say(server: S3Server, what: str) -> None:
        record_property("server-lacks", (server.name, what))

    return say


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What a server was shown to lack is no silent difference: a line each, although every test passed."""
    found: dict[str, set[str]] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == "server-lacks":
                    server, what = value
                    found.setdefault(server, set()).add(what)
    for server, lacking in sorted(found.items()):
        terminalreporter.write_line(f"NOTE {server} lacks: {'; '.join(sorted(lacking))}", yellow=True, bold=True)
