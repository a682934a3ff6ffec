"""Foreign logs: whichever way something is said in the serving process, it is one event of the log."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from core.logs.logs import LONGEST_TEXT, LONGEST_TRACEBACK
from tests.support.processes.forks import ROOT

SAYING = """
import asyncio, contextlib, logging, sys, threading, traceback, warnings
from core.logs.foreign_logs import adopt_foreign_logs
from core.logs.logs import Discretion, configure_logs

early = logging.getLogger("uvicorn.error")
early.addHandler(logging.StreamHandler(sys.stderr))
configure_logs(discretion=Discretion(["known-secret-of-a-test"]))
adopt_foreign_logs()


def crash():
    raise ValueError("known-secret-of-a-test \\x1b[31m\\x9b31m\\u2028\\ud83d")


{what}
"""
LATER = """
later = logging.getLogger("streamlit.made.later")
later.propagate = False
later.addHandler(logging.StreamHandler(sys.stderr))
"""


def events(what: str) -> list[dict[str, Any]]:
    """Each line that a process leaves on its standard streams, for all readers alike."""
    ran = subprocess.run([sys.executable, "-c", SAYING.replace("{what}", what)], cwd=ROOT, capture_output=True)
    written = (ran.stdout + ran.stderr).decode()
    assert "known-secret" not in written
    assert not [char for char in written if char != "\n" and (not char.isprintable() and char != " ")]
    return [json.loads(line) for line in written.splitlines()]


def the_event(what: str) -> dict[str, Any]:
    (event,) = events(what)
    assert {"event", "level", "timestamp"} <= event.keys()
    return event


def test_a_failure_that_a_library_logs_is_one_event_with_its_traceback_in_it() -> None:
    for logger in ("early", "logging.getLogger('asyncio')"):
        event = the_event(f"try:\n    crash()\nexcept ValueError:\n    {logger}.exception('broken')")
        assert (event["event"], event["level"]) == ("broken", "error")
        assert "ValueError: [kept out]" in event["exception"]


def test_a_logger_that_a_library_makes_later_with_a_handler_of_its_own_is_no_exception() -> None:
    event = the_event(f"{LATER}\nlater.warning('said %s', 'once')")
    assert (event["event"], event["logger"]) == ("said once", "streamlit.made.later")


def test_what_a_library_says_again_and_again_is_said_once_a_minute() -> None:
    (event,) = events("for number in range(1000):\n    early.warning('refused %s', number)")
    assert event["event"] == "refused 0"


def test_what_is_printed_is_an_event_whether_by_us_by_a_library_or_by_python() -> None:
    assert the_event("print('one', 'line')")["text"] == "one line"
    assert the_event("sys.stderr.write('two\\nlines\\n')")["text"] == "two\nlines"
    assert "UserWarning: careful" in the_event("warnings.warn('careful')")["event"]
    assert events("print()") == []


def test_what_ends_a_thread_or_the_process_or_a_task_nobody_waits_for_is_one_event() -> None:
    thread = the_event("t = threading.Thread(target=crash)\nt.start()\nt.join()")
    assert (thread["event"], thread["level"]) == ("thread_crashed", "error")
    assert the_event("crash()")["event"] == "process_crashed"
    unwatched = "    task = asyncio.ensure_future(asyncio.to_thread(crash))\n    await asyncio.wait([task])\n"
    task = the_event(f"async def main():\n{unwatched}asyncio.run(main())")
    assert task["event"].startswith("Task exception was never retrieved")
    lost = the_event("class Lost:\n    def __del__(self):\n        crash()\nLost()")
    assert lost["event"] == "unraisable"


def test_what_strangers_bring_about_is_a_refusal() -> None:
    event = the_event("for _ in range(9):\n    early.warning('Invalid HTTP request received.')")
    assert (event["event"], event["reason"]) == ("request_refused", "no HTTP")


def test_a_text_and_a_traceback_have_a_longest_length_and_keep_their_ends() -> None:
    long = the_event("print('a' * 2_000_000 + 'z')")["text"]
    assert len(long) < LONGEST_TEXT + 50
    assert (long[0], long[-1]) == ("a", "z")
    deep = "def down(n):\n    exec('down(n - 1)') if n else crash()\ntry:\n    down(300)\n"
    deep += "except ValueError:\n    early.exception('x')"
    traceback = the_event(deep)["exception"]
    assert len(traceback) < LONGEST_TRACEBACK + 50
    assert "ValueError: [kept out]" in traceback
