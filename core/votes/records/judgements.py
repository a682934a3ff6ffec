"""Judgements: votes as evidence, whatever they were read from, and the JSON lines that operators keep them in.

A and B are the two sides of a comparison: where the angle varies A is tone only and B is tone + angle, else A is the
first and B the second side of its record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr, ValidationError, field_validator

from core.injection.request.wishes import Varies


class SideLetter(StrEnum):
    """One of a comparison's two sides."""

    A = "a"
    B = "b"


class Winner(StrEnum):
    """What a vote says of the two pictures of a pair: one is better, neither is, or neither will do."""

    A = "a"
    B = "b"
    TIE = "tie"
    BOTH_BAD = "both-bad"


class SideFacts(NamedTuple):
    """What is known of one picture of a pair beside what people think of it; None where nobody knows.

    `title` is what the side is called by what varies (`side_title`), `fidelity` is from 0 to 100. `usd`, `seconds` and
    `failures` add up all attempts at this picture: what they were charged, how long they took, and how many failed.
    """

    title: str | None = None
    fidelity: float | None = None
    usd: float | None = None
    seconds: float | None = None
    failures: int | None = None


class JudgedPair(NamedTuple):
    """What was judged: take `take` of both sides of `comparison`, and all that is known of it but what people think.

    `scene` is the same text for all comparisons of one prompt, tone, angle and person. `controlled` says that the sides
    differ in what varies and in nothing else. `varies` None is of a file that does not say: it is about whatever
    question it is read for.
    """

    scene: str
    comparison: str
    controlled: bool
    take: int = 1
    varies: Varies | None = None
    tone: str | None = None
    angle: str | None = None
    persona: str | None = None
    model: str | None = None
    a: SideFacts = SideFacts()
    b: SideFacts = SideFacts()


class Judgement(NamedTuple):  # as vote rows are: a hundred thousand of them are made at once
    """One person's answer about one pair, as evidence. `time` is aware.

    `left` is the side that stood left. `blind` says that the voter had not seen the sides named. `again` is a pair that
    this voter has judged before and was shown mirrored. `reasons` are the values of `Reason`, `seconds` is how long the
    answer took.
    """

    pair: JudgedPair
    voter: str
    winner: Winner
    left: SideLetter
    blind: bool
    time: datetime
    again: bool = False
    reasons: tuple[str, ...] = ()
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """A line that is no judgement, by its number from 1, and why."""

    number: int
    problem: str


class _SideLine(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    title: StrictStr | None = None
    fidelity: float | None = Field(default=None, ge=0, le=100)
    usd: float | None = Field(default=None, ge=0)
    seconds: float | None = Field(default=None, ge=0)
    failures: int | None = Field(default=None, ge=0)

    def facts(self) -> SideFacts:
        return SideFacts(self.title, self.fidelity, self.usd, self.seconds, self.failures)


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    scene: StrictStr = Field(min_length=1)
    comparison: StrictStr = Field(min_length=1)
    voter: StrictStr = Field(min_length=1)
    winner: Winner
    left: SideLetter
    blind: StrictBool
    controlled: StrictBool
    time: datetime
    take: int = Field(default=1, ge=1)
    again: StrictBool = False
    varies: Varies | None = None
    tone: StrictStr | None = None
    angle: StrictStr | None = None
    persona: StrictStr | None = None
    model: StrictStr | None = None
    reasons: tuple[StrictStr, ...] = ()
    seconds: float | None = Field(default=None, ge=0)
    a: _SideLine = _SideLine()
    b: _SideLine = _SideLine()

    @field_validator("time", mode="before")
    @classmethod
    def _written_out(cls, value: Any) -> Any:
        """A bare number could be seconds or thousandths of them."""
        if not isinstance(value, str) or value.strip().lstrip("+-").replace(".", "", 1).isdigit():
            raise ValueError("write the time like 2026-11-30T10:00:00Z")
        return value

    @field_validator("time")
    @classmethod
    def _in_utc(cls, value: datetime) -> datetime:
        """Days are UTC's everywhere here, and a time that names no zone is taken for UTC's."""
        try:
            return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        except OverflowError as err:  # of the first or the last day there is
            raise ValueError("write a time of our age") from err

    def judgement(self) -> Judgement:
        said = {name: getattr(self, name) for name in type(self).model_fields}
        said |= {"a": self.a.facts(), "b": self.b.facts()}
        of_pair = {name: said.pop(name) for name in JudgedPair._fields}
        return Judgement(JudgedPair(**of_pair), **said)


_NO_LINE: Final = 'write {"scene", "comparison", "voter", "winner", "left", "blind", "controlled", "time"}'


def read_judgements(lines: Iterable[tuple[int, str]]) -> Iterator[Judgement | BrokenLine]:
    """Every numbered line of a file as a judgement, or what is wrong with it; blank lines are passed over.

    A line is `{"scene", "comparison", "voter", "winner": "a"|"b"|"tie"|"both-bad", "left": "a"|"b", "blind",
    "controlled", "time"}` and may say `take` and all the rest of a `Judgement` and its pair by the same names; `a` and
    `b` are objects with the names of `SideFacts`. Other names are passed over. A time without a zone is UTC.
    """
    for number, line in lines:
        if not line.strip():
            continue
        try:
            yield _Line.model_validate_json(line).judgement()
        except ValidationError as err:
            yield BrokenLine(number, _problem_of(err))


def _problem_of(err: ValidationError) -> str:
    first = err.errors(include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    if not where:
        return f"it is no JSON object: {_NO_LINE}"
    if first["type"] == "missing":
        return f"`{where}` is missing"
    return f"`{where}`: {first['msg'].removeprefix('Value error, ')}"
