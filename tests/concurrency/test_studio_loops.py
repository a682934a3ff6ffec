"""The studio's own loops: what nobody expected ends none of them, is counted and told, and passes."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from structlog.testing import capture_logs

import core.studio as composition
from core.concurrency.periodic import Periodic
from core.logs.incidents import reported
from core.settings import Settings
from core.storage.connect import Storage, open_storage
from core.studio import Studio, build_studio
from core.web import health
from core.web.health import State, checks
from tests.concurrency.test_periodic import until
from tests.support.processes.programs import ROOT

PATIENCE_S = 60
VOTES = ("pairings-index", "votes-index", "votes-outbox")
NAMES = ("index-refresh", "history-index", "live-labels", "proposals", "review-queue", "readability", *VOTES)


class Trouble:
    """What happens to every call to S3: nothing, a failure nobody has thought of, or that it never ends."""

    def __init__(self) -> None:
        self.is_broken = threading.Event()
        self.is_open = threading.Event()
        self.is_open.set()
        self.inside: list[str] = []  # the names of the threads that hang

    def happens(self) -> None:
        if not self.is_open.is_set():
            self.inside.append(threading.current_thread().name)
            self.is_open.wait(PATIENCE_S)
        if self.is_broken.is_set():
            raise ZeroDivisionError("nobody expected this")


class Troubled:
    """A real store, or the real pages of one, with whatever trouble befalls their calls."""

    def __init__(self, real: Any, trouble: Trouble) -> None:
        self._real, self._trouble = real, trouble

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if not callable(found):
            return found

        def call(*args: Any, **options: Any) -> Any:
            self._trouble.happens()
            return found(*args, **options)

        return call


@pytest.fixture(scope="module")
def trouble() -> Trouble:
    return Trouble()


@pytest.fixture(scope="module")
def studio(trouble: Trouble, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A whole studio over its embedded S3 with a few pictures, whose calls get into trouble on demand."""
    few = tmp_path_factory.mktemp("samples") / "refs"
    shutil.copytree(ROOT / "samples" / "refs" / "02. Tone" / "noir", few / "02. Tone" / "noir")

    def opened(settings: Settings, _samples: Path, *, lends: bool = True) -> Storage:
        real = open_storage(settings, few, lends=lends)
        return replace(real, store=Troubled(real.store, trouble), list_pages=Troubled(real.list_pages, trouble))  # type: ignore[arg-type]  # they are

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(composition, "open_storage", opened)
        made = build_studio(Settings(data_dir=tmp_path_factory.mktemp("loops")))
    made.catalog.refresh()
    yield made
    made.close()
    # A stop does not wait for a slow round; but when that is over, the thread is.
    until(lambda: not {thread.name for thread in threading.enumerate()} & set(NAMES))


@pytest.fixture
def loop(name: str, studio: Studio) -> Periodic:
    (found,) = (loop for loop in studio.loops if loop.name == name)
    return found


def come_round(studio: Studio) -> None:
    """Have every loop that was started go round, until all is well."""
    for loop in studio.loops:
        loop.wake()
    until(lambda: background(studio) == (State.OK, ""))


def background(studio: Studio) -> tuple[State, str]:
    (found,) = (check for check in checks(studio) if check.name == "background")
    return found.state, found.reason


def test_every_loop_is_known(studio: Studio) -> None:
    assert [loop.name for loop in studio.loops] == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_what_nobody_expected_ends_no_loop(loop: Periodic, name: str, studio: Studio, trouble: Trouble) -> None:
    before = reported()
    if name == "votes-outbox":  # it asks S3 only where something waits
        studio.vote_store.outbox.put("0.somebody.01M8J2787R8PSJKWWB24XC9D7X.seen", b"{}")
    trouble.is_broken.set()
    with capture_logs() as lines:
        loop.start()
        for failures in (1, 2, 3):
            until(lambda so_many=failures: loop.pulse.incidents >= so_many)
            until(lambda so_many=failures: loop.pulse.rounds >= so_many)
            loop.wake()
        until(lambda: loop.pulse.incident)
    incidents = [line["incident"] for line in lines if line["event"] == "round_crashed" and line["loop"] == name]
    assert len(incidents) >= 3
    assert reported() - before >= 3
    assert metric(studio, f'studio_loop_incidents_total{{loop="{name}"}}') >= 3
    so_far = reported()
    assert metric(studio, "studio_incidents_total") >= so_far

    def tells_the_last_incident() -> bool:
        last = loop.pulse.incident  # a round may come between this and the next line: then it is told another time
        return f"`{name}` fails: incident {last}." in background(studio)[1]

    until(tells_the_last_incident)
    assert background(studio)[0] is State.DEGRADED
    trouble.is_broken.clear()
    come_round(studio)
    assert loop.pulse.incident is None
    assert name in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("name", ["index-refresh", "history-index", "live-labels", "proposals"])
def test_a_loop_that_hangs_is_named_until_it_comes_round(
    loop: Periodic, name: str, studio: Studio, trouble: Trouble
) -> None:
    clock = loop.clock
    loop.start()
    until(lambda: loop.pulse.rounds)
    trouble.inside.clear()
    trouble.is_open.clear()
    threads = (name, "list-") if name == "index-refresh" else name  # the catalog has a crew that lists for it
    try:
        loop.wake()
        until(lambda: any(each.startswith(threads) for each in trouble.inside))
        assert background(studio) == (State.OK, "")
        hours_later = clock() + 7200
        loop.clock = lambda: hours_later
        state, reason = background(studio)
        assert (state, f"`{name}` has not come round for " in reason) == (State.DEGRADED, True)
    finally:
        trouble.is_open.set()
        loop.clock = clock
    come_round(studio)


def metric(studio: Studio, name: str) -> float:
    """A figure as /metrics tells it."""
    moment = CollectorRegistry()
    moment.register(health._Moment(studio))
    text = (generate_latest(studio.metrics.registry) + generate_latest(moment)).decode()
    (line,) = (line for line in text.splitlines() if line.startswith(f"{name} "))
    return float(line.split()[-1])
