"""Twenty people who vote at once on a server in production: WebSocket sessions, each signed in as somebody else."""

from __future__ import annotations

import asyncio
import json
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bench.sessions import Drawn, Session, session
from core.identity.session import SessionSigner
from core.settings import load_settings
from core.studio import build_studio
from core.viewer import PersonRole, Viewer
from core.votes.ballots.practice import PRACTICE
from core.votes.records.votes import Answer
from tests.support.dashboards.dashboard import Dashboard, dashboard
from tests.support.dashboards.production import COOKIE, LISTED, SECRET, own_address, settings_of
from tests.support.dashboards.production import session as signed_in
from tests.support.processes.programs import ROOT
from tests.support.s3.moto_server import moto_server, with_bucket

DESK = "vote_desk"
PATIENCE_S = 60.0
REUSED = httpx.Limits(keepalive_expiry=2)  # the server closes a connection that nobody has used for five seconds


@dataclass
class Waited:
    """Seconds until the server has taken a vote and drawn what comes next, and until a picture was there."""

    votes: list[float] = field(default_factory=list)
    pictures: list[float] = field(default_factory=list)


@contextmanager
def voting_studio(folder: Path, comparisons: int) -> Iterator[Dashboard]:
    """A server in production over the sample library, with so many comparisons at least that were just made."""
    samples = ROOT / "samples" / "refs"
    files = {f"refs/{each.relative_to(samples).as_posix()}": each.read_bytes() for each in samples.rglob("*.jpg")}
    with moto_server() as server:
        bucket = with_bucket(server, {"studio/access.json": LISTED, **files})
        settings = settings_of(bucket)
        os.environ |= {
            name: value for name, value in settings.items() if name.startswith("AWS_")
        }  # boto3 reads it there
        studio = build_studio(load_settings({**settings, "DATA_DIR": str(folder / "making")}))
        try:
            studio.catalog.refresh()
            studio.start()
            made: list[str] = []
            while len(made) < comparisons:
                made += studio.practice.order(Viewer("ada@studio.example", PersonRole.ADMIN))
                for one in made[-PRACTICE:]:
                    studio.runner.wait(one)
        finally:
            studio.close()
        with dashboard(folder, settings) as running:
            yield running


async def person(number: int, url: str, votes: int, pause_s: float, waited: Waited) -> None:
    """Judge so many pairs: look at both pictures, answer, and have the next one from the server."""
    chance, signer = random.Random(number), SessionSigner(SECRET)
    cookie = f"{COOKIE}={signer.cookie(signed_in(f'voter{number}@studio.example'))}"
    headers = {"Cookie": cookie, "X-Forwarded-For": own_address()}
    async with (
        session(url, headers=headers, patience_s=0) as tab,
        httpx.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE_S, limits=REUSED) as http,
    ):
        await asyncio.sleep(chance.uniform(0, 2) * pause_s)
        await tab.visit("vote")
        ballots = ballots_in(await said(tab, []))
        looked: set[str] = set()
        for vote in range(votes):
            for ballot in ballots:
                if ballot["token"] not in looked:
                    looked.add(ballot["token"])
                    await look(http, ballot, waited)
            await asyncio.sleep(chance.uniform(0.5, 1.5) * pause_s)
            token, *held = [ballot["token"] for ballot in ballots]
            act = {"id": f"{number}-{vote}", "does": "vote", "token": token, "answer": Answer.TIE.value, "seconds": 2.0}
            began = time.perf_counter()
            drawn = await said(tab, [act], held)
            waited.votes.append(time.perf_counter() - began)
            ballots = ballots_in(drawn)
            assert token not in {ballot["token"] for ballot in ballots}  # noqa: S101 - it was taken


async def said(tab: Session, acts: list[dict[str, Any]], held: list[str] | None = None) -> Drawn:
    """What the desk's script says, and what is drawn of it."""
    drawn = await tab.tell(DESK, {"outbox": {"acts": acts, "held": held or []}})
    if drawn.failures():
        raise SystemExit("\n".join(drawn.failures()))
    return drawn


async def look(http: httpx.AsyncClient, ballot: dict[str, str], waited: Waited) -> None:
    """Fetch both pictures, in any order."""
    for address in random.sample((ballot["left"], ballot["right"]), 2):
        began = time.perf_counter()
        (await http.get(address)).raise_for_status()
        waited.pictures.append(time.perf_counter() - began)


def ballots_in(drawn: Drawn) -> list[dict[str, str]]:
    """What the desk was sent. Raises SystemExit where it has none."""
    told = [json.loads(element.json or "{}") for kind, element in drawn.elements if kind == "bidi_component"]
    found = next((each["ballots"] for each in reversed(told) if "ballots" in each), None)
    if not found:
        raise SystemExit("the vote page shows no ballot")
    return list(found)


def people_voting(folder: Path, *, people: int, votes: int, pause_s: float) -> Waited:
    """All of them at once."""

    async def crowd(url: str) -> Waited:
        waited = Waited()
        await asyncio.gather(*(person(number, url, votes, pause_s, waited) for number in range(people)))
        return waited

    with voting_studio(folder, votes + PRACTICE) as studio:
        return asyncio.run(crowd(studio.url))
