"""One harness for the whole matrix: its cells share a bucket, an engine and their servers."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.openai_server import FakeOpenAI
from tests.faults.harness import FaultHarness, library
from tests.faults.proxy import FaultProxy
from tests.faults.servers import Servers, production, servers
from tests.support.processes.programs import ROOT, clean_environment
from tests.support.s3.moto_server import moto_server, with_bucket
from tests.support.timeouts import LONG_S

logging.getLogger("werkzeug").setLevel(logging.WARNING)  # a line for each of many thousand requests


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultHarness]:
    """Of its pictures it is known that they can be opened: what is held back is held from a side at work."""
    with moto_server() as moto, FakeOpenAI().serving() as fake:
        s3 = with_bucket(moto, library())
        settings = production(s3, s3.endpoint_url, fake.base_url)
        environment = clean_environment(tmp_path_factory.mktemp("index")) | settings
        index = [sys.executable, "-m", "core", "index", "--check"]
        subprocess.run(index, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=LONG_S)
        yield FaultHarness(s3, FaultProxy(s3.endpoint_url), fake)


@pytest.fixture(scope="module")
def studio(harness: FaultHarness, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Starts servers of this harness."""
    folder: Path = tmp_path_factory.mktemp("studio")
    with servers(folder, production(harness.s3, harness.proxy.url, harness.fake.base_url)) as started:
        yield started
