"""A real bucket to vote in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.storage.embedded.server import EmbeddedS3
from tests.votes.ballot_box import BallotBox


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedS3]:
    samples = tmp_path_factory.mktemp("library") / "refs"
    samples.mkdir()
    server = EmbeddedS3.open(tmp_path_factory.mktemp("data"), samples)
    yield server
    server.close()


@pytest.fixture
def box(s3: EmbeddedS3, tmp_path: Path) -> BallotBox:
    """A place in the bucket of this test's own."""
    return BallotBox(s3, f"{tmp_path.name}/", tmp_path / "disks")
