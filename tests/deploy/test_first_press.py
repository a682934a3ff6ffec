"""A press that is the first thing a new session hears, as from a page that has outlived its server."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from streamlit.proto.WidgetStates_pb2 import WidgetState

from bench.sessions import session
from tests.deploy.tabs import PROMPT
from tests.support.processes.servers import Server, serving


def test_a_press_that_a_new_session_hears_first_is_carried_out_once(tmp_path: Path) -> None:
    """The session calls nobody back, for it has drawn no button yet."""
    with serving(tmp_path, forked=True) as server:
        server.ready()
        query = asyncio.run(pressed_at_once(server))
        ordered = [event["comparison"] for event in server.events("comparison_ordered")]
        assert ordered == [query.split("comparison=")[1]]


async def pressed_at_once(server: Server) -> str:
    """What the address says after the prompt and the press came in one message, and a run more."""
    async with session(server.url) as before, session(server.url) as tab:
        await before.visit()
        tab.widgets |= before.widgets
        box = tab.widgets["prompt:box"]
        typed = {"typed": {"text": PROMPT, "number": 7}}
        tab.states[box] = WidgetState(id=box, json_value=json.dumps(typed))
        await tab.click("Generate")
        await tab.again()
        return tab.query
