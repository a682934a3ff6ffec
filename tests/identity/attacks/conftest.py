"""The server that the attacks of one file meet."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.dashboards.production import Production, production


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    """A running server in production. When all of a file's attacks are over its log tells no secret."""
    with production(tmp_path_factory.mktemp("production")) as running:
        yield running
        log = running.log.read_text("utf-8")
        for secret in running.secrets:
            for part in (secret, secret.rsplit(".", 1)[-1]):  # in whole, or its signature
                assert len(part) < 8 or part not in log
