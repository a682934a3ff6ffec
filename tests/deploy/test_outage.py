"""S3 goes away for a minute under load: people go on browsing, are told what is wrong, and lose nothing."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import pytest

from bench.sessions import Drawn, session
from core.web.http.addresses import ORIGINAL, image_url
from tests.deploy.tabs import PROMPT, ended, order, press
from tests.fakes.openai_server import Behaviour, FakeOpenAI, Moment
from tests.support.dashboards.behind_proxy import ProxiedDashboard, behind_proxy
from tests.support.latch import Latch
from tests.support.processes.programs import ROOT
from tests.support.timeouts import AT_ONCE_S, until

PEOPLE = 3
PAUSE_S = 0.3  # of somebody who looks at a page
AWAY_S = 60.0
# Who may come in is known from a list that is never older than a minute, and read every ten seconds.
LET_IN_S = 45.0
KEY = "refs/02. Tone/noir/desk.jpg"
ETAG = hashlib.md5((ROOT / "samples" / KEY).read_bytes(), usedforsecurity=False).hexdigest()
LIBRARY = "110 pictures in 40 groups"
CRASHES = ("script_error", "thread_crashed", "request_crashed", "round_crashed", "task_crashed", "engine_crashed")


@dataclass(frozen=True, slots=True)
class Seen:
    """A page as somebody saw it, and how S3 was from the question to its end: `up`, `refused`, `silent` or mixed.

    `away_s` is for how many seconds S3 had been away by then.
    """

    s3: str
    away_s: float
    page: str
    drawn: Drawn
    comparison: str = ""


@dataclass
class Studio:
    """People who browse and order in tabs of their own until the day is over, and all that they saw."""

    url: str
    cookies: Sequence[Mapping[str, str]]
    s3: str = "up"
    gone_at: float = float("inf")
    over: threading.Event = field(default_factory=threading.Event)
    seen: list[Seen] = field(default_factory=list)

    async def people(self) -> None:
        """Everybody at once; a tab that breaks breaks this."""
        await asyncio.gather(*(self._person(number, cookie) for number, cookie in enumerate(self.cookies)))

    async def _person(self, number: int, cookie: Mapping[str, str]) -> None:
        ordered: set[str] = set()
        async with session(self.url, headers=cookie, patience_s=0) as tab:
            while not self.over.is_set():
                for page in ("references", "labels", "history"):
                    before = self.s3
                    drawn = await tab.visit(page)
                    self._note(before, page, drawn)
                before = self.s3
                if before not in ordered:
                    async with session(self.url, headers=cookie, patience_s=0) as another:
                        comparison, drawn = await press(another, f"{PROMPT}, person {number}, S3 {before}")
                    self._note(before, "generate", drawn, comparison)
                    ordered.add(before)
                await asyncio.to_thread(self.over.wait, PAUSE_S)

    def _note(self, before: str, page: str, drawn: Drawn, comparison: str = "") -> None:
        away_s = max(0.0, monotonic() - self.gone_at)
        self.seen.append(Seen(before if before == self.s3 else "mixed", away_s, page, drawn, comparison))

    def of(self, s3: str, page: str = "") -> list[Seen]:
        """What was seen while S3 was so all the time."""
        return [seen for seen in self.seen if seen.s3 == s3 and page in ("", seen.page)]

    def is_seen(self, s3: str) -> bool:
        """Whether every page was seen as often as there are people, and somebody has ordered."""
        often = all(len(self.of(s3, page)) >= PEOPLE for page in ("references", "labels", "history"))
        return often and bool(self.of(s3, "generate"))


def check_outage(at: ProxiedDashboard, says: str) -> None:
    """What the server says of itself and serves, while S3 is away in one way or the other."""
    server = at.server
    until(lambda: says in server.check("storage").get("reason", ""), f"it {says}")
    storage, answer = server.check("storage"), server.get("/readyz")
    assert (storage["state"], answer.status_code) == ("degraded", 200), "people are still served"
    assert "python -m core check" in storage["fix"]
    assert answer.json()["index_age_s"] >= 0
    for size in (320, ORIGINAL):
        picture = server.get(image_url(KEY, ETAG, size), **at.cookie())
        assert (picture.status_code, picture.headers["cache-control"]) == (503, "no-store")
        assert says in picture.text
    assert server.get("/healthz").elapsed.total_seconds() < AT_ONCE_S
    assert server.metric("studio_storage_failing") == 1


def outage(at: ProxiedDashboard, studio: Studio, held: Latch) -> None:
    """S3 up, refusing, silent, up again; each until everybody has seen every page, and away for a minute."""
    server, proxy = at.server, at.proxy
    try:
        until(lambda: studio.is_seen("up"), "everybody has ordered")
        proxy.cut()
        studio.s3 = "refused"
        held.open()  # what was ordered before is finished while there is nowhere to put it
        studio.gone_at = monotonic()
        check_outage(at, "could not be reached")
        until(lambda: studio.is_seen("refused"), "everybody has seen S3 refuse")
        studio.over.wait(AWAY_S / 2)
        assert server.get("/readyz").json()["index_age_s"] > 1, "no refresh has succeeded"
        assert at.kept() != [], "a finished picture waits on the disk"

        proxy.silence()
        studio.s3 = "silent"
        taken = proxy.taken
        check_outage(at, "did not answer in time")
        until(lambda: studio.is_seen("silent"), "everybody has seen S3 silent")
        until(lambda: proxy.taken >= taken + 4, "S3 was asked again and again")
        studio.over.wait(max(0.0, AWAY_S - (monotonic() - studio.gone_at)))
        away_s = monotonic() - studio.gone_at
        assert away_s >= AWAY_S
        assert server.get("/readyz").json()["index_age_s"] > away_s - 2, "no refresh has succeeded"

        proxy.mend()
        studio.s3 = "mended"
        until(lambda: server.check("storage")["state"] == "ok", "a refresh came by itself")
        assert server.get("/readyz").json()["index_age_s"] < away_s
        studio.s3 = "back"
        until(lambda: studio.is_seen("back"), "everybody has ordered again")
    finally:
        studio.over.set()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_s3_is_away_for_a_minute_under_load_and_nothing_is_lost(tmp_path: Path) -> None:
    """Refused, then silent: pages draw from the last index, orders fail with a sentence or are carried out.

    Towards the end nobody knows any more who may come in, and the page says so to everybody.
    """
    held = Latch()
    with (
        FakeOpenAI(default=Behaviour(latches={Moment.FINISHED: held})).serving() as openai,
        behind_proxy(
            tmp_path,
            in_production=True,
            OPENAI_API_KEY="sk-key-of-a-test",
            OPENAI_BASE_URL=openai.base_url,
            OPENAI_STREAMING="on",
            GENERATION_CONCURRENCY="16",
        ) as at,
    ):
        studio = Studio(at.server.url, [at.cookie(f"person-{number}@studio.example") for number in range(PEOPLE)])

        async def day() -> None:
            controlled = asyncio.create_task(asyncio.to_thread(outage, at, studio, held))
            await studio.people()
            await controlled

        asyncio.run(day())

        assert [seen.drawn.elements for seen in studio.seen if "exception" in dict(seen.drawn.elements)] == []
        for away in ("refused", "silent"):
            let_in = [seen for seen in studio.of(away, "references") if seen.away_s < LET_IN_S]
            for seen in let_in:
                assert LIBRARY in seen.drawn.texts(), "the last index serves"
            assert "S3 does not answer" in let_in[-1].drawn.texts()
            for seen in studio.of(away, "references"):
                assert LIBRARY in seen.drawn.texts() or seen.drawn.failures(), seen.drawn.texts()
            for seen in studio.of(away, "generate"):
                assert seen.comparison == ""
                assert any("S3" in said or "127.0.0.1" in said for said in seen.drawn.failures()), seen.drawn.texts()
        back = studio.of("back", "references")[-1].drawn.texts()
        assert LIBRARY in back
        assert "S3 does not answer" not in back

        acknowledged = {seen.comparison for seen in studio.seen if seen.comparison}
        assert len(acknowledged) >= 2, "before and after"
        for comparison in acknowledged:
            until(lambda of=comparison: ended(at.server, of) == ["done", "done"], "both its sides are made")
            until(lambda of=comparison: len(at.keys(f"/{of}/")) == 7, "its record, two starts, ends and pictures")
        recorded = {key.split("/")[-2] for key in at.keys("/comparison.json")}
        assert recorded >= acknowledged
        until(lambda: at.kept() == [], "no picture waits any more")
        assert [event for name in CRASHES for event in at.server.events(name)] == []
        assert "Traceback" not in at.server.log


def test_s3_goes_while_pictures_are_made(tmp_path: Path) -> None:
    """A picture that is finished while S3 is away is kept, and stored once S3 is back: the same, and paid for once."""
    held = Latch()
    with (
        FakeOpenAI(default=Behaviour(latches={Moment.FINISHED: held})).serving() as openai,
        behind_proxy(
            tmp_path,
            DEMO_TOKEN="off",
            OPENAI_API_KEY="sk-key-of-a-test",
            OPENAI_BASE_URL=openai.base_url,
            OPENAI_STREAMING="on",
        ) as at,
    ):
        comparison, drawn = order(at.server)
        assert drawn.failures() == []
        held.wait_for(2)
        at.proxy.cut()
        held.open()
        until(lambda: len(at.kept()) == 2, "both pictures are on the disk")
        until(lambda: at.server.check("storage")["state"] == "degraded", "S3 is away")
        assert ended(at.server, comparison) == [], "nobody is told that they are stored"
        assert at.keys(".png") == []
        at.proxy.mend()
        until(lambda: ended(at.server, comparison) == ["done", "done"], "both are stored")
        assert sorted(key.rsplit("/", 1)[1] for key in at.keys(f"{comparison}/t") if key.endswith(".png")) == [
            "tone-angle-1.png",
            "tone-only-1.png",
        ]
        until(lambda: at.kept() == [], "the disk is free again")
        until(lambda: at.server.metric("studio_queue_running") == 0, "nothing is left at work")
        assert openai.calls == 2
        again, drawn = order(at.server, f"{PROMPT}, again")
        assert drawn.failures() == []
        until(lambda: ended(at.server, again) == ["done", "done"], "the next is made")
