"""A siege: every attack at once, for long, while people work; nothing of theirs is lost, nothing is a fault of ours.

`make soak` takes ten minutes, or `SOAK_S=60 make soak`. Fifteen seconds of it are in the slow lane.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.fakes.google import Account
from tests.soak.attackers import ATTACKS, besiege
from tests.soak.house import FORGOTTEN_S, House, besieged_house
from tests.soak.people import Work, all_is_kept, generate, label, look_at_pictures, signed_in, turn_pages
from tests.support.dashboards.https_studio import ADA, BO
from tests.support.timeouts import LONG_S, until

SOAK_S = float(os.environ.get("SOAK_S") or 600)
OF_EACH = 3  # attackers of each kind at a time
GROWTH_MB = 150.0  # what caches of pages and records that did not exist before may keep
Job = Callable[[House, str, Work, Callable[[], bool]], None]
JOBS: dict[str, tuple[Job, Account]] = {
    "picture": (look_at_pictures, BO),
    "page": (turn_pages, BO),
    "order": (generate, BO),
    "label": (label, ADA),
}


def once(job: Job, house: House, cookie: str) -> Work:
    """What comes of doing it once."""
    work = Work()
    job(house, cookie, work, lambda: bool(work.done))
    assert work.failures == []
    assert all_is_kept(house, work) == []
    return work


def siege(house: House, seconds: float) -> None:
    cookies = {account.email: signed_in(house, account) for account in (ADA, BO)}
    for job, who in JOBS.values():  # what is loaded and cached at first use is there from the beginning
        once(job, house, cookies[who.email])
    before_mb, is_over = house.memory_mb, threading.Event()
    works = {what: Work() for what in JOBS}
    tried: dict[str, int] = {}
    most_mb = [before_mb]
    attackers = [
        threading.Thread(target=besiege, args=(house, name, nth, is_over, tried), daemon=True)
        for name in ATTACKS
        for nth in range(OF_EACH)
    ]
    with ThreadPoolExecutor(len(JOBS)) as everybody:
        people = {
            what: everybody.submit(job, house, cookies[who.email], works[what], is_over.is_set)
            for what, (job, who) in JOBS.items()
        }
        for attacker in attackers:
            attacker.start()
        timer = threading.Timer(seconds, is_over.set)
        timer.start()
        try:
            while not is_over.wait(1):
                most_mb.append(house.memory_mb)
                broken = {what: each.exception() for what, each in people.items() if each.done()}
                assert broken == {}, f"they work on: {house.server.log[-2000:]}"
        finally:
            is_over.set()
            timer.cancel()
        for each in people.values():
            each.result()
    ends_by = time.monotonic() + LONG_S  # a client that never ends is no fault of the house
    for attacker in attackers:
        attacker.join(max(0.0, ends_by - time.monotonic()))
    done = {what: work.done.get(what, 0) for what, work in works.items()}
    print(f"\nmemory {before_mb:.0f} MB, {max(most_mb):.0f} at most; done {done}; tried {tried}")

    assert [each for work in works.values() for each in work.failures] == []
    assert min(done.values()) > 0, "everybody got on with their work"
    assert {*tried} == {*ATTACKS}, "every attack was made"
    for work in works.values():
        assert all_is_kept(house, work) == [], "what was acknowledged is in S3"
    for cookie in cookies.values():
        once(look_at_pictures, house, cookie)  # everybody is signed in still
    assert signed_in(house, BO), "and whoever is not can sign in"
    time.sleep(FORGOTTEN_S)
    once(turn_pages, house, cookies[BO.email])  # pages of the past are forgotten when another one is left
    until(
        lambda: house.memory_mb < before_mb + GROWTH_MB,
        lambda: f"memory comes back to {before_mb:.0f} MB: {house.memory_mb:.0f}, {max(most_mb):.0f} at most",
    )
    assert house.server.metric("studio_incidents_total") == 0
    assert house.incidents() == []


@pytest.mark.slow
def test_fifteen_seconds_of_every_attack_at_once(tmp_path: Path) -> None:
    with besieged_house(tmp_path) as house:
        siege(house, 15)


@pytest.mark.soak
@pytest.mark.timeout(SOAK_S + 6 * LONG_S)
def test_every_attack_at_once_for_as_long_as_is_asked_for(tmp_path: Path) -> None:
    with besieged_house(tmp_path) as house:
        siege(house, SOAK_S)
