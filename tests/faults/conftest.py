"""One harness for the whole matrix: its cells share a bucket, an engine and their servers."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.openai_server import FakeOpenAI
from tests.faults.harness import FaultHarness, library
from tests.faults.proxy import FaultProxy
from tests.faults.servers import Servers, production, servers
from tests.support.s3.moto_server import moto_server, with_bucket

logging.getLogger("werkzeug").setLevel(logging.WARNING)  # a line for each of many thousand requests


@pytest.fixture(scope="module")
def harness() -> Iterator[FaultHarness]:
    with moto_server() as moto, FakeOpenAI().serving() as fake:
        s3 = with_bucket(moto, library())
        yield FaultHarness(s3, FaultProxy(s3.endpoint_url), fake)


@pytest.fixture(scope="module")
def studio(harness: FaultHarness, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Starts servers of this harness."""
    folder: Path = tmp_path_factory.mktemp("studio")
    with servers(folder, production(harness.s3, harness.proxy.url, harness.fake.base_url)) as started:
        yield started
