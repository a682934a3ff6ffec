"""The fault matrix: which faults there are, what a person sees of each, and the table of what a run found."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tests.fakes.openai_server import Behaviour, Fault

DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"
WRITE = os.environ.get("STUDIO_WRITE_FAULTS") == "1"
A, B = "tone-only", "tone-angle"
A2, B2 = f"{A}-take2", f"{B}-take2"
PLACES: Mapping[str, tuple[str, ...]] = {
    "A": (A,),
    "B": (B,),
    "both": (A, B),
    "take 2 of A": (A2,),
    "take 2 of both": (A2, B2),
}
SIDES, ONE_TAKE, TAKES = ("A", "B", "both"), ("take 2 of A",), ("take 2 of A", "take 2 of both")


@dataclass(frozen=True, slots=True)
class EngineCase:
    """A fault of the engine, and how the side ends that meets it: `done` or the kind of its failure."""

    name: str
    behaviour: Behaviour
    ends: str
    holds_at_partial: bool = False
    has_request_id: bool = True


def _case(name: str, fault: Fault | None, ends: str, *, partial: bool = False, **more: int) -> EngineCase:
    behaviour = Behaviour(fault, **more)  # type: ignore[arg-type]  # numbers only
    return EngineCase(name, behaviour, ends, partial, fault is not Fault.CUT_BEFORE_HEADERS)


DELIVERS = (
    _case("nothing at all", None, "done", partial=True),
    _case("slow", None, "done", partial=True, delay_s=1),
    _case("another size than asked", Fault.WRONG_SIZE, "done", partial=True),
    _case("another format", Fault.WRONG_FORMAT, "done", partial=True),
    _case("another quality", Fault.WRONG_QUALITY, "done", partial=True),
    _case("no word of the tokens", Fault.NO_USAGE, "done", partial=True),
    _case("no stream", Fault.NO_STREAM, "done"),
)
FAILS = (
    _case("refused", Fault.REFUSE, "refused"),
    _case("refused in mid-stream", Fault.REFUSE_MID_STREAM, "refused", partial=True),
    _case("rate limited", Fault.RATE_LIMIT, "rate_limited"),
    _case("out of credit", Fault.NO_QUOTA, "out_of_credit"),
    _case("a key that is not accepted", Fault.BAD_KEY, "bad_request"),
    _case("forbidden", Fault.FORBIDDEN, "bad_request"),
    _case("bad request", Fault.BAD_REQUEST, "bad_request"),
    _case("500", Fault.SERVER_ERROR, "unavailable"),
    _case("503", Fault.OVERLOADED, "unavailable"),
    _case("an error in mid-stream", Fault.ERROR_MID_STREAM, "unavailable", partial=True),
    _case("cut before the headers", Fault.CUT_BEFORE_HEADERS, "unavailable"),
    _case("cut before the first byte", Fault.CUT, "unavailable", cut_at=0),
    _case("cut in the first event's name", Fault.CUT, "unavailable", cut_at=9),
    _case("cut in the first partial picture", Fault.CUT, "unavailable", cut_at=3000),
    _case("cut after 400 kB", Fault.CUT, "unavailable", cut_at=400_000),
    _case("no JSON", Fault.GARBAGE, "unavailable", partial=True),
    _case("broken base64", Fault.BROKEN_BASE64, "unavailable", partial=True),
    _case("half a picture", Fault.BROKEN_PICTURE, "unavailable", partial=True),
    _case("an empty answer", Fault.NOTHING, "unavailable", partial=True),
)
HANGS = (
    EngineCase("hangs before the headers", Behaviour(Fault.HANG_BEFORE_HEADERS), "timed_out", False, False),
    _case("hangs in mid-stream", Fault.HANG_MID_STREAM, "timed_out", partial=True),
    _case("trickles without an end", Fault.TRICKLE, "timed_out", partial=True),
)


class State(StrEnum):
    """Where a side stands when its server is killed."""

    UNRECORDED = "before the record"
    UNCLAIMED = "after the record, before the claim"
    CLAIMED = "claim written, engine not called"
    CALLED = "engine called"
    STREAMING = "partials streaming"
    COMPLETE = "picture complete and not written"
    STORED = "picture written, outcome not"
    RECORDED = "outcome written"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: what happens, where, and what a person finds in the end."""

    section: str
    name: str
    place: str
    found: str


SECTIONS = {
    "engine": "The engine fails, and every page is opened anew at every moment",
    "s3": "S3 fails",
    "kill": "The server is killed with `kill -9` and started again",
    "kill after": "The server is killed after the engine has failed",
    "embedded": "The same with the embedded S3, which dies with its server and lives on its disk",
}
_HEAD = """\
# What becomes of a comparison when something fails

Side A is tone only, side B tone + angle; where a take is hit, there are two of each side. Each cell says what a person
finds on the pictures that the fault hits; the others were checked to be just as they would be without. A fault meets a
real server process, the real SDK over HTTP and a real S3; a kill is `SIGKILL`. Where a picture was interrupted, *Retry*
made it in a second attempt. A dash is what was not played, or cannot be: one record holds everything, the sides of a
take are claimed one after the other, and the takes of a side fetch the same references at once.

`STUDIO_WRITE_FAULTS=1 pytest tests/faults` writes this file; without it the run fails if the file says anything else.
"""


def document(rows: Iterable[Row], counts: Mapping[str, int]) -> str:
    """The file as Markdown."""
    rows = list(rows)
    parts = [_HEAD, "| | |", "|---|---|", *(f"| {name} | {count} |" for name, count in counts.items()), ""]
    for section, title in SECTIONS.items():
        found = {(row.name, row.place): row.found for row in rows if row.section == section}
        names = dict.fromkeys(name for name, _ in found)
        places = [place for place in PLACES if any(each == place for _, each in found)]
        parts += [f"## {title}", "", f"| | {' | '.join(places)} |", "|---|" + "---|" * len(places)]
        parts += [
            f"| {name} | " + " | ".join(found.get((name, place), "–") for place in places) + " |" for name in names
        ]
        parts.append("")
    return "\n".join(parts)
