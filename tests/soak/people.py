"""People who work while the house is besieged: each does one thing again and again, and remembers what was kept."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from bench.sessions import Session, session
from core.web.http.addresses import ORIGINAL, image_url
from tests.fakes.google import Account
from tests.identity.attacks.window import SESSION, Window
from tests.soak.house import House
from tests.support.dashboards.production import COOKIE, ORIGIN
from tests.support.dashboards.production import session as session_of
from tests.support.s3.servers import client_of
from tests.support.timeouts import LONG_S, until

DESK = "label_desk"
_UNDONE_BEYOND = 8
PAGES = ("references", "labels", "history", "generate")


@dataclass
class Work:
    """What people have done, what was acknowledged, and everything that went wrong for them."""

    done: dict[str, int] = field(default_factory=dict)
    comparisons: list[str] = field(default_factory=list)
    decisions: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def count(self, what: str, *failures: str) -> None:
        self.done[what] = self.done.get(what, 0) + 1
        self.failures += [f"{what}: {each}" for each in failures]


def signed_in(house: House, account: Account) -> str:
    """The cookie of somebody who has signed in at Google, in the same tab and through nginx."""
    https: Any = SimpleNamespace(url=ORIGIN, trust=house.trust, google=house.google)
    window = Window(https, origin=house.url)
    window.comes_back(window.goes_to_google(account))
    return f"{COOKIE}={window.cookies[SESSION]}"


def tab_of(house: House, cookie: str) -> Any:
    """A tab of theirs that stays open."""
    return session(house.url, headers={"Cookie": cookie}, ssl=house.trust, patience_s=0)


def look_at_pictures(house: House, cookie: str, work: Work, is_over: Callable[[], bool]) -> None:
    """Thumbnails and originals."""
    keys = [key for key in house.studio.etags if key.startswith("refs/")]
    with house.browser(cookie) as browser:
        for number in range(10**9):
            if is_over():
                return
            key = keys[number % len(keys)]
            answer = browser.get(image_url(key, house.studio.etags[key], ORIGINAL if number % 5 == 0 else 320))
            work.count("picture", *([] if answer.status_code == 200 else [f"{answer.status_code} {answer.text[:80]}"]))


def turn_pages(house: House, cookie: str, work: Work, is_over: Callable[[], bool]) -> None:
    """One tab from beginning to end: a session of Streamlit's that is never lost."""

    async def turn() -> None:
        async with tab_of(house, cookie) as tab:
            while not is_over():
                for page in PAGES:
                    drawn = await asyncio.wait_for(tab.visit(page), LONG_S)
                    work.count("page", *drawn.failures())

    asyncio.run(turn())


def generate(house: House, cookie: str, work: Work, is_over: Callable[[], bool]) -> None:
    """Comparisons by the preview engine."""

    async def order() -> None:
        while not is_over():
            async with tab_of(house, cookie) as tab:
                await asyncio.wait_for(tab.visit(), LONG_S)
                await asyncio.wait_for(
                    tab.type_prompt(f"Ada, cinematic, low angle, take {len(work.comparisons)}"), LONG_S
                )
                drawn = await asyncio.wait_for(tab.click("Generate"), LONG_S)
                found = re.search(r"comparison=(\w{26})", tab.query)
                work.count("order", *drawn.failures(), *([] if found else ["nothing was ordered"]))
                work.comparisons += [found[1]] if found else []
            await asyncio.sleep(1)

    asyncio.run(order())


def label(house: House, cookie: str, work: Work, is_over: Callable[[], bool]) -> None:
    """Accept the first portrait that waits, and take that back the next time, so that work never ends."""

    async def decide() -> None:
        async with tab_of(house, cookie) as tab:
            while not is_over():
                desk = await _desk(tab)
                if not desk["items"]:
                    await asyncio.sleep(1)
                    continue
                name, item, undoable = secrets.token_hex(8), desk["items"][0], desk["undoable"]
                wanted = {"id": name, "kind": "accept", "item": item["id"], "seen": item["seen"], "values": {}}
                if len(undoable) > _UNDONE_BEYOND:
                    last = undoable[-1]
                    wanted |= {"kind": "undo", "item": last["item"], "seen": "", "undoes": last["decision"]}
                await asyncio.wait_for(tab.tell(DESK, {"outbox": {"decisions": [wanted]}}), LONG_S)
                desk = await _desk(tab)
                lost = [each["says"] for each in desk["conflicts"] if each["decision"] == name]
                if (lost or name in desk["kept"]) and not desk["trouble"]:
                    work.decisions += [name] if wanted["kind"] == "accept" and not lost else []
                    work.count("label", *lost)

    asyncio.run(decide())


async def _desk(tab: Session) -> dict[str, Any]:
    """What the desk of Labels shows now."""
    drawn = await asyncio.wait_for(tab.visit("labels"), LONG_S)
    for _, element in drawn.elements:
        for text in _texts(element):
            if text.startswith("{") and '"undoable"' in text:
                found: dict[str, Any] = json.loads(text)
                return found
    return {"items": [], "kept": [], "conflicts": [], "trouble": "no desk was drawn"}


def _texts(message: Any) -> list[str]:
    found = []
    for kind, value in message.ListFields():
        for each in value if kind.is_repeated else [value]:
            found += [each] if isinstance(each, str) else _texts(each) if hasattr(each, "ListFields") else []
    return found


def all_is_kept(house: House, work: Work) -> list[str]:
    """What was acknowledged and is not in S3."""
    s3, bucket = client_of(house.studio.s3), house.studio.s3.bucket

    def keys(prefix: str) -> list[str]:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [row["Key"] for page in pages for row in page.get("Contents", ())]

    def unfinished() -> list[str]:
        made = keys("studio/generations/")
        ends = (("comparison.json",), ("tone-only-1.json",), ("tone-angle-1.json",))
        return [
            f"{comparison}/{name}"
            for comparison in work.comparisons
            for (name,) in ends
            if not any(key.endswith(f"{comparison}/{name}") for key in made)
        ]

    until(lambda: not unfinished(), lambda: f"what was ordered is made: {unfinished()}")
    log = b"\n".join(s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys("studio/reviews/log/"))
    return [name for name in work.decisions if name.encode() not in log]


def somebody(house: House, email: str) -> str:
    """A cookie as the server would seal it."""
    return f"{COOKIE}={house.studio.cookie(session_of(email))}"
