"""One theatre for the whole matrix: its cells share a bucket, an engine and their servers."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.openai_server import FakeOpenAI
from tests.faults.servers import Servers, production, servers
from tests.faults.sluice import Sluice
from tests.faults.theatre import Theatre, library
from tests.support.moto_servers import moto_server, with_bucket

logging.getLogger("werkzeug").setLevel(logging.WARNING)  # a line for each of many thousand requests


@pytest.fixture(scope="module")
def theatre() -> Iterator[Theatre]:
    with moto_server() as moto, FakeOpenAI().serving() as fake:
        s3 = with_bucket(moto, library())
        yield Theatre(s3, Sluice(s3.endpoint_url), fake)


@pytest.fixture(scope="module")
def studio(theatre: Theatre, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Starts servers of this theatre."""
    folder: Path = tmp_path_factory.mktemp("studio")
    with servers(folder, production(theatre.s3, theatre.sluice.url, theatre.fake.base_url)) as started:
        yield started
