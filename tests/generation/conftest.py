"""A real bucket for comparisons, and the comparisons to put into it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.storage.embedded.server import EmbeddedS3
from tests.generation.comparisons import StudioFixture


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedS3]:
    samples = tmp_path_factory.mktemp("library") / "refs"
    samples.mkdir()
    server = EmbeddedS3.open(tmp_path_factory.mktemp("data"), samples)
    yield server
    server.close()


@pytest.fixture
def studio(s3: EmbeddedS3, tmp_path: Path) -> Iterator[StudioFixture]:
    """A place in the bucket of this test's own; whatever still runs is ended afterwards."""
    own = StudioFixture(s3, f"{tmp_path.name}/")
    yield own
    own.close()
