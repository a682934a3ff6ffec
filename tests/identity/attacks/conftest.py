"""The server that the attacks of one file meet, and what its log may look like when they are over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.google import CLIENT_SECRET as FAKE_CLIENT_SECRET
from tests.support.artifacts import logs_begun
from tests.support.dashboards.https_studio import SESSION_SECRET
from tests.support.dashboards.production import CLIENT_SECRET, SECRET, Production, production
from tests.support.server_log import check_log

SECRETS = (SECRET, CLIENT_SECRET, SESSION_SECRET, FAKE_CLIENT_SECRET)


@pytest.fixture(scope="module", autouse=True)
def _logs_are_clean() -> Iterator[None]:
    """When all of a file's attacks are over, each line of each dashboard's log is an event, and none is an incident."""
    with logs_begun() as logs:
        yield
    for log in logs:
        told = log.read_text("utf-8")
        if '"server_ready"' in told:  # or it is no dashboard's
            check_log(told, SECRETS)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    """A running server in production. When all of a file's attacks are over its log tells no secret."""
    with production(tmp_path_factory.mktemp("production")) as running:
        yield running
        check_log(running.log.read_text("utf-8"), running.secrets)
