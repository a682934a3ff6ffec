"""What holds for every test: no ambient credentials, no network beyond loopback."""

from __future__ import annotations

import os
import socket
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

from core.settings import is_loopback
from tests.support import artifacts

# A busy machine is slow, not wrong: no example has a deadline of its own.
settings.register_profile("studio", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("studio")

_AMBIENT = ("AWS_", "S3_", "GOOGLE_", "OPENAI_", "STREAMLIT_", "OTEL_")
_OURS = (
    "PUBLIC_URL",
    "SESSION_SECRET",
    "TRUSTED_PROXIES",
    "FORWARDED_ALLOW_IPS",
    "SIGN_IN_FAILURES_PER_MINUTE",
    "SIGN_IN_FAILURES_IN_ALL_PER_MINUTE",
    "ALLOWED_EMAILS",
    "ALLOWED_DOMAINS",
    "OPS_EMAILS",
    "ADMIN_EMAILS",
    "ACCESS_CONTACT",
    "DATA_DIR",
    "INDEX_REFRESH_S",
    "INDEX_WORKERS",
    "IMAGE_DELIVERY",
    "GENERATION_CONCURRENCY",
    "GENERATION_DEADLINE_S",
    "GENERATION_STOP_S",
    "DAILY_BUDGET_USD",
    "DAILY_BUDGET_PERSON_USD",
    "MAX_MODEL_REFERENCES",
    "VOTE_DAYS",
    "LOG_PROMPTS",
    "METRICS_TOKEN",
    "DEMO_TOKEN",
)
# The files that take a worker longest, the longest first: behind the others one of them would be waited for alone.
_LONGEST = (
    *("test_draft.py", "test_sign_in.py", "test_look.py", "test_routes.py", "test_first_requests.py"),
    *("test_addresses.py", "test_fault_matrix.py", "test_stage.py", "test_picture_grid.py", "test_sign_in_tab.py"),
    *("test_review_focus.py", "test_label_command.py", "test_draft_of_a_person.py", "test_label_review.py"),
)
_connect = socket.socket.connect


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take a worker minutes come first; all others stay as they are."""
    place = {name: at for at, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(_LONGEST)))


def pytest_runtest_setup() -> None:
    artifacts.begin()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure names the server logs and the pictures of pages that were kept of it."""
    told = yield
    artifacts.report(item, told)
    return told


class OutsideConnectionError(AssertionError):
    """A test tried to reach something beyond this machine."""


@pytest.fixture(autouse=True)
def _no_ambient_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's environment reaches a test or a process it starts."""
    for name in list(os.environ):
        if name.startswith(_AMBIENT) or name in _OURS:
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every connection of this process beyond loopback is refused, loudly."""

    def connect(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and not is_loopback(str(address[0])):
            raise OutsideConnectionError(f"a test tried to connect to {address[0]}")
        _connect(self, address)  # type: ignore[arg-type]  # whatever the caller gave

    monkeypatch.setattr(socket.socket, "connect", connect)
