"""Tabs: what a person does and sees on a running server, and what becomes of what they order."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from ssl import SSLContext

from bench.sessions import Drawn, Session, session
from tests.support.processes.servers import Server

PROMPT = "Ada in a linen shirt, cinematic, three-quarter view"


def look(server: Server, page: str) -> Drawn:
    """A page as a new tab gets it."""

    async def visit() -> Drawn:
        async with session(server.url) as tab:
            return await tab.visit(page)

    return asyncio.run(visit())


async def press(tab: Session, prompt: str = PROMPT) -> tuple[str, Drawn]:
    """Press Generate in a new tab: the comparison's id, empty if there is none, and what the page said."""
    drawn = await tab.visit()
    if "prompt:box" not in tab.widgets:  # nobody is let in, and the page says why
        return "", drawn
    await tab.type_prompt(prompt)
    drawn = await tab.click("Generate")
    found = re.search(r"comparison=(\w{26})", tab.query)
    return found[1] if found else "", drawn


def order(server: Server, prompt: str = PROMPT) -> tuple[str, Drawn]:
    """Press Generate in a new tab."""
    return order_at(server.url, prompt)


def order_at(
    url: str, prompt: str = PROMPT, *, headers: Mapping[str, str] | None = None, trust: SSLContext | None = None
) -> tuple[str, Drawn]:
    """The same at an address, as somebody with these headers."""

    async def ordering() -> tuple[str, Drawn]:
        async with session(url, headers=headers, ssl=trust) as tab:
            return await press(tab, prompt)

    return asyncio.run(ordering())


def ended(server: Server, comparison: str) -> list[str]:
    """How the sides of a comparison ended, as far as they have."""
    return [event["phase"] for event in server.events("side_ended") if event["comparison"] == comparison]
