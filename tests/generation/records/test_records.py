"""Where a record lies and stands, whatever machine and person looks at it."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.generation.records.attempt import AttemptStart, Server, this_server
from core.generation.records.attempt_status import AttemptPhase
from tests.generation.comparisons import TONE_ONLY, StudioFixture, comparison, png

ROOT = Path(__file__).parents[3]
INIT = 1  # a process that is always there, and never this person's


def claimed_by(server: Server, *, at: datetime) -> AttemptStart:
    return AttemptStart(
        comparison="01M8J2787R8PSJKWWB24XC9D7X", side=TONE_ONLY, attempt=1, started_at=at, deadline_s=60, server=server
    )


_ASK = """
import os, sys
from datetime import UTC, datetime
from core.generation.records.attempt import AttemptStart, this_server
from core.generation.records.status_reader import StatusReader
claim = AttemptStart.model_validate_json(sys.argv[1])
if os.getuid() == 0:  # an administrator's signal would be allowed
    os.setuid(65534)
print(StatusReader(this_server()).is_alive(claim))
"""


def test_a_claim_of_a_process_that_belongs_to_somebody_else_is_at_work() -> None:
    """Signals to it are forbidden, which says that it is there."""
    claim = claimed_by(Server(host=this_server().host, pid=INIT, boot="another"), at=datetime.now(UTC))
    command = [sys.executable, "-c", _ASK, claim.model_dump_json()]
    assert subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout == "True\n"


def test_a_retry_lies_under_its_day_in_utc_wherever_the_server_stands(
    studio: StudioFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Seoul")
    time.tzset()
    try:
        late = datetime(2026, 5, 4, 22, 30, tzinfo=UTC)  # in Seoul it is the fifth already
        record = comparison(created_at=late - timedelta(days=3))
        studio.history().add(record)
        studio.history().add_start(
            claimed_by(this_server(), at=late).model_copy(update={"comparison": record.id, "attempt": 2})
        )
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()
    days = {row.key.removeprefix(f"{studio.prefix}generations/")[:10] for row in studio.store.list(studio.prefix)}
    assert "2026/05/04" in days
    assert "2026/05/05" not in days


def test_a_picture_whose_server_died_before_it_could_say_so_is_the_sides_picture(studio: StudioFixture) -> None:
    history, here = studio.history(), this_server()
    record = comparison()
    history.add(record)
    gone = here.model_copy(update={"boot": "another", "pid": here.pid})  # our number is ours by now
    claim = claimed_by(gone, at=record.created_at)
    history.add_start(claim.model_copy(update={"comparison": record.id}))
    key = f"{history.folder_of(record.id)}{TONE_ONLY}-1.png"
    etag = studio.store.put(key, png(), content_type="image/png")
    side = history.status(record.id).side(TONE_ONLY)
    assert side.phase is AttemptPhase.DONE
    assert side.picture is not None
    assert (side.picture.key, side.picture.etag) == (key, etag)
