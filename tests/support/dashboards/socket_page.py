"""A page as a program meets it over Streamlit's socket: what is drawn, and whatever it likes to send back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from google.protobuf.message import Message
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.runtime.state.session_state import STREAMLIT_INTERNAL_KEY_PREFIX
from websockets.sync.client import ClientConnection

from tests.support.dashboards.production import ORIGIN
from tests.support.timeouts import LONG_S, until

_JOINT = re.compile(r":color[\[{][\]}]")  # core/ui/frame/words/markdown.py parts with it what must not come together


@dataclass
class SocketPage:
    """One page over one socket, as its last run has drawn it."""

    line: ClientConnection
    page: str = ""
    session: str = ""
    ids: dict[str, str] = field(default_factory=dict)  # of widgets by key, of buttons by what stands on them too
    words: list[str] = field(default_factory=list)  # every text
    states: dict[str, WidgetState] = field(default_factory=dict)

    def run(self, *, query: str = "") -> SocketPage:
        """Have the page run with all that was set, as a browser sends everything each time."""
        asked = BackMsg()
        asked.rerun_script.page_name = self.page
        asked.rerun_script.query_string = query
        asked.rerun_script.context_info.url = f"{ORIGIN}/{self.page}"
        asked.rerun_script.widget_states.widgets.extend(self.states.values())
        self.line.send(asked.SerializeToString())
        self.ids, self.words = {}, []
        while True:
            frame = self.line.recv(timeout=LONG_S)
            assert isinstance(frame, bytes)
            told = ForwardMsg.FromString(frame)
            if told.WhichOneof("type") == "new_session":
                self.session = told.new_session.initialize.session_id
            if told.WhichOneof("type") == "delta":
                self._look_at(told)
            if told.WhichOneof("type") == "script_finished":
                for name in [name for name, state in self.states.items() if _is_once(state)]:
                    del self.states[name]
                return self

    def says(self, sentence: str) -> bool:
        """Whether the last run has drawn this."""
        return any(sentence in _JOINT.sub("", unescape(text)) for text in self.words)

    def tell(self, key: str, **said: Any) -> SocketPage:
        """What a component is to have said, by name."""
        return self.set(key, json_value=json.dumps(said))

    def set(self, key: str, **value: Any) -> SocketPage:
        """A widget's state as the protocol has it: `string_value="…"`."""
        self.states[key] = WidgetState(id=self.ids[key], **value)
        return self

    def press(self, button: str) -> SocketPage:
        """Press a button, by its key or by what stands on it."""
        return self.set(button, trigger_value=True).run()

    def trigger(self, key: str, event: str, value: Any) -> SocketPage:
        """What a component says once, by its event, beside a state of its own that says nothing."""
        self.set(key, json_value="{}")
        of = f"{STREAMLIT_INTERNAL_KEY_PREFIX}_{self.ids[key]}__events"
        said = json.dumps([{"event": event, "value": value}])
        self.states[f"{key} {event}"] = WidgetState(id=of, json_trigger_value=said)
        return self.run()

    def until_said(self, sentence: str, *, query: str = "") -> SocketPage:
        """Run until this is drawn."""
        until(lambda: self.run(query=query).says(sentence), f"{sentence} is drawn")
        return self

    def until(self, button: str, *, query: str = "") -> SocketPage:
        """Run until this is drawn: the library is listed, work has ended."""
        until(lambda: button in self.run(query=query).ids, f"{button} is drawn")
        return self

    def _look_at(self, told: ForwardMsg) -> None:
        for text in texts_in(told):
            self.words.append(text)
            if text.startswith("$$ID-"):
                self.ids[text.split("-", 2)[2]] = text
        element = told.delta.new_element
        if element.WhichOneof("type") == "button":
            self.ids[element.button.label] = element.button.id


def texts_in(message: Message) -> Iterator[str]:
    """Every string in a message."""
    for kind, value in message.ListFields():
        for each in value if kind.is_repeated else [value]:
            if isinstance(each, Message):
                yield from texts_in(each)
            elif isinstance(each, str):
                yield each


def _is_once(state: WidgetState) -> bool:
    return state.WhichOneof("value") in ("trigger_value", "json_trigger_value", "string_trigger_value")
