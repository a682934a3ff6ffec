"""One S3 for the tests of this folder, and a place of its own in it for each."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from core.storage.s3 import Store
from tests.support.s3.moto_server import moto_server, with_bucket
from tests.support.s3.servers import S3Server


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    """moto's S3 over HTTP, with one bucket."""
    with moto_server() as server:
        yield with_bucket(server)


@pytest.fixture(scope="module")
def store(s3: S3Server) -> Store:
    """Stateless, and slower to make than most tests to run."""
    return s3.store()


@pytest.fixture
def app_prefix() -> str:
    """A place of its own in the bucket for every test."""
    return f"{uuid.uuid4().hex[:12]}/"


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()
