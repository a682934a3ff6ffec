"""The inbox: reruns that wait are folded, and nothing that anybody pressed is lost."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message
from streamlit.proto.BackMsg_pb2 import BackMsg

from core.ui.frame.streamlit_internals import read_message
from core.web.sockets.inbox import Inbox
from core.web.sockets.limits import WAITING


def rerun(*, text: str, page: str = "", fragment: str = "", press: str = "") -> bytes:
    """What a browser sends: the state of its one field, and a press if there is one."""
    said = BackMsg()
    said.rerun_script.page_name, said.rerun_script.fragment_id = page, fragment
    said.rerun_script.widget_states.widgets.add(id="field", string_value=text)
    if press:
        said.rerun_script.widget_states.widgets.add(id=press, trigger_value=True)
    return said.SerializeToString()


def delivered(sent: list[bytes]) -> list[BackMsg]:
    """What comes out after all of it has waited together."""

    async def through() -> list[Message]:
        inbox = Inbox(max_bytes=1_000_000)
        for each in sent:
            await inbox.put({"type": "websocket.receive", "bytes": each}, read_message(each))
        inbox.end({"type": "websocket.disconnect"})
        found = []
        while await inbox.ready():
            found.append(inbox.take())
        return found

    return [BackMsg.FromString(message["bytes"]) for message in asyncio.run(through())]


def told(message: BackMsg) -> tuple[str, str, str, list[str]]:
    asked = message.rerun_script
    field, *presses = asked.widget_states.widgets
    return asked.page_name, asked.fragment_id, field.string_value, [each.id for each in presses]


def test_reruns_that_wait_are_folded_into_the_last() -> None:
    assert [told(each)[2] for each in delivered([rerun(text=str(nth)) for nth in range(500)])] == ["499"]


@given(
    st.lists(
        st.tuples(st.sampled_from(["", "labels"]), st.sampled_from(["", "part"]), st.sampled_from(["", "save", "go"])),
        max_size=WAITING,
    )
)
def test_no_press_no_page_and_no_fragment_is_lost_and_the_order_stays(asked: list[tuple[str, str, str]]) -> None:
    sent = [
        rerun(text=str(nth), page=page, fragment=fragment, press=press)
        for nth, (page, fragment, press) in enumerate(asked)
    ]
    found = [told(each) for each in delivered(sent)]
    numbers = [int(text) for _, _, text, _ in found]
    assert numbers == sorted(set(numbers))
    for nth, (page, fragment, press) in enumerate(asked):
        later = next((each for each in found if int(each[2]) >= nth), None)
        assert later is not None, "whatever was said last is said by what remains"
        assert later[:2] == (page, fragment), "it is the same run"
        assert not press or (int(later[2]) == nth and later[3] == [press]), "a press is delivered as it was"


def test_what_came_before_the_end_is_still_delivered_and_what_was_refused_is_not() -> None:
    async def end(*, drop: bool) -> list[str]:
        inbox = Inbox(max_bytes=1000)
        said = rerun(text="saved", press="save")
        await inbox.put({"type": "websocket.receive", "bytes": said}, read_message(said))
        inbox.end({"type": "websocket.disconnect"}, drop=drop)
        return [inbox.take()["type"] for _ in range(3)]

    assert asyncio.run(end(drop=False)) == ["websocket.receive", "websocket.disconnect", "websocket.disconnect"]
    assert asyncio.run(end(drop=True)) == ["websocket.disconnect"] * 3


def test_a_full_inbox_takes_nothing_until_something_is_taken_out() -> None:
    async def fill() -> None:
        inbox = Inbox(max_bytes=1_000_000)
        presses = [rerun(text="", press="save")] * (WAITING + 1)
        for each in presses[:-1]:
            await inbox.put({"bytes": each}, read_message(each))
        last = asyncio.create_task(inbox.put({"bytes": presses[-1]}, read_message(presses[-1])))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not last.done()
        inbox.take()
        await last

    asyncio.run(fill())
