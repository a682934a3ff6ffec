"""Sessions: a person's tab without a browser, over Streamlit's own WebSocket protocol.

The messages are those of the streamlit package itself (protobuf), so an upgrade that changes them is noticed here.
"""

from __future__ import annotations

import asyncio
import html
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one rerun drew: seconds from the question to its end, and every element that came, by its kind."""

    seconds: float
    elements: list[tuple[str, Any]]

    def texts(self) -> str:
        """All markdown, HTML and alerts, as one text."""
        bodies = (getattr(element, "body", "") for _, element in self.elements)
        return "\n".join(_as_shown(body) for body in bodies if body)

    def failures(self) -> list[str]:
        """Tracebacks, and alerts that tell of an error."""
        found = []
        for kind, element in self.elements:
            if kind == "exception":
                found.append(f"{element.type}: {element.message}")
            elif kind == "alert" and element.format == element.ERROR:
                found.append(_as_shown(element.body))
        return found


def _as_shown(markdown: str) -> str:
    """With the values in it as they are read on the screen, whatever they are written as."""
    return html.unescape(markdown.replace(":color{}", ""))


@dataclass
class Session:
    """One tab: it visits pages, types and clicks, and knows the widgets of the page it is on."""

    socket: ClientConnection
    url: str
    widgets: dict[str, str] = field(default_factory=dict)
    states: dict[str, WidgetState] = field(default_factory=dict)
    page: str = ""
    query: str = ""
    typed: int = 0

    async def visit(self, page: str = "", query: str = "") -> Drawn:
        """Open a page, as its link would."""
        self.page, self.query = page, query
        self.states.clear()
        return await self._rerun()

    async def again(self) -> Drawn:
        """Draw the page once more, as a change of any widget would."""
        return await self._rerun()

    async def type_prompt(self, text: str) -> Drawn:
        """Type into the prompt box."""
        self.typed += 1
        message = json.dumps({"typed": {"text": text, "number": self.typed}})
        self._state("prompt:box").json_value = message
        return await self._rerun()

    async def click(self, label: str) -> Drawn:
        """Press a button of this label. Raises KeyError if there is none."""
        widget = self.widgets[label]
        self._state(label).trigger_value = True
        try:
            return await self._rerun()
        finally:
            del self.states[widget]

    async def tell(self, key: str, said: Mapping[str, object]) -> Drawn:
        """Let a component of the page say something, as its script in the browser would. Raises KeyError."""
        self._state(key).json_value = json.dumps(said)
        return await self._rerun()

    async def choose(self, key: str, option: str) -> Drawn:
        """Pick from a drop-down list. Raises KeyError."""
        self._state(key).string_value = option
        return await self._rerun()

    def _state(self, name: str) -> WidgetState:
        widget = self.widgets[name]
        return self.states.setdefault(widget, WidgetState(id=widget))

    async def _rerun(self) -> Drawn:
        asked = BackMsg()
        rerun = asked.rerun_script
        rerun.query_string, rerun.page_name = self.query, self.page
        rerun.context_info.url = f"{self.url}/{self.page}"
        rerun.context_info.timezone = "UTC"
        rerun.widget_states.widgets.extend(self.states.values())
        began = time.perf_counter()
        await self.socket.send(asked.SerializeToString())
        elements = [element async for element in self._until_finished()]
        drawn = Drawn(time.perf_counter() - began, elements)
        self.widgets |= _names(elements)
        return drawn

    async def _until_finished(self) -> AsyncIterator[tuple[str, Any]]:
        """Elements until a whole run has ended; one that was broken off by the next is none."""
        while True:
            told = ForwardMsg.FromString(await self.socket.recv(decode=False))
            kind = told.WhichOneof("type")
            if kind == "delta" and told.delta.WhichOneof("type") == "new_element":
                name = told.delta.new_element.WhichOneof("type")
                yield name, getattr(told.delta.new_element, name)
            elif kind == "page_info_changed":
                self.query = told.page_info_changed.query_string
            elif kind == "script_finished" and told.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return


def _names(elements: list[tuple[str, Any]]) -> dict[str, str]:
    """Widget ids by label and by key, which is the end of an id."""
    found = {}
    for _, element in elements:
        if widget := getattr(element, "id", ""):
            found[widget.split("-", 2)[-1]] = widget
            if label := getattr(element, "label", ""):
                found[label] = widget
    return found


@asynccontextmanager
async def session(
    url: str, *, headers: Mapping[str, str] | None = None, ssl: SSLContext | None = None, patience_s: float = 60.0
) -> AsyncIterator[Session]:
    """A tab on the dashboard at this address."""
    where = urlsplit(url)
    scheme = "wss" if where.scheme == "https" else "ws"
    async with (
        asyncio.timeout(None if patience_s <= 0 else patience_s),
        connect(
            f"{scheme}://{where.netloc}/_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item]  # a plain string is one
            origin=url,  # type: ignore[arg-type]
            additional_headers=dict(headers or {}),
            max_size=None,
            ssl=ssl,
            open_timeout=30,
            proxy=None,
        ) as socket,
    ):
        yield Session(socket, url)
