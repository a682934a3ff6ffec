"""Labelers: what looks at a portrait and proposes a label, and the proposals they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from core.errors import BadImage, Overloaded
from core.images.decode import decode_picture
from core.images.encode import encode
from core.labels.machine.answer import LabelAnswer
from core.labels.published.schema import Label, LabelSource, age_range_of


class Problem(StrEnum):
    """Why a label says less than it should; the label's notes say it in a sentence."""

    REFUSED = "refused"
    BAD_PICTURE = "bad_picture"
    BAD_ANSWER = "bad_answer"
    NO_PERSON = "no_person"
    NO_FACE = "no_face"


@dataclass(frozen=True, slots=True)
class LabelerSpec:
    """Which labeler, told what: answers to the same question lie under the same `slug`."""

    source: LabelSource
    model: str
    prompt_version: str | None = None
    shots: int | None = None

    @property
    def slug(self) -> str:
        """A part of a key: `openai-gpt-5-mini-2026-11-1-3-shot`."""
        shots = None if self.shots is None else f"{self.shots}-shot"
        parts = (self.source.value, self.model, self.prompt_version, shots)
        return "-".join("".join(c if c.isalnum() or c in ".-" else "_" for c in part) for part in parts if part)


@dataclass(frozen=True, slots=True)
class Portrait:
    """A picture to be labelled: where it lies and its bytes, as they are in S3."""

    key: str
    etag: str
    data: bytes


class Proposal(BaseModel):
    """A machine's label for one picture, what it cost, and why it says less than it should if it does.

    `usd` is None where nobody knows the price, which is not the same as free.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    label: Label
    problem: Problem | None = None
    request_id: str | None = None
    input_tokens: int = Field(default=0, ge=0)
    output_tokens: int = Field(default=0, ge=0)
    usd: float | None = None


class Labeler(Protocol):
    """Looks at one portrait at a time, from any thread.

    One that knows nothing, and says so:

        class Shrug:
            spec = LabelerSpec(LabelSource.LOCAL, "shrug-1")

            def label(self, picture: Portrait, *, run: str) -> Proposal:
                return propose_nothing(picture, self.spec, Problem.NO_FACE, "Nobody looked.", run=run, usd=0.0)
    """

    @property
    def spec(self) -> LabelerSpec:
        """Which labeler this is."""

    def label(self, picture: Portrait, *, run: str) -> Proposal:
        """Propose a label. What is wrong with the picture or the answer becomes a proposal with a reason.

        Raises Unanswered when it may work later, EngineError when no picture would.
        """


class Unanswered(Exception):
    """No answer came, though the picture is good: it is asked for again in the next run."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def label_of(picture: Portrait, spec: LabelerSpec, fields: Mapping[str, Any], *, run: str) -> Label:
    """A machine's label from checked fields."""
    low, high = fields.get("age_low"), fields.get("age_high")
    return Label(
        key=picture.key,
        etag=picture.etag,
        age_range=None if low is None or high is None else age_range_of(low, high),
        source=spec.source,
        model=spec.model,
        prompt_version=spec.prompt_version,
        shots=spec.shots,
        run=run,
        time=datetime.now(UTC).replace(microsecond=0),
        **fields,
    )


def propose(picture: Portrait, spec: LabelerSpec, answer: LabelAnswer, *, run: str, **paid: Any) -> Proposal:
    """The proposal an answer makes; what was wrong with the answer stands in the notes, after the machine's own."""
    fields = dict(answer.fields)
    problem = Problem.BAD_ANSWER if answer.problems else None
    remarks = [fields.pop("notes", None)]
    if answer.person == "none":
        problem = Problem.NO_PERSON
        remarks.append("The machine sees no person in it.")
        fields = {name: fields[name] for name in ("tone", "angle", "framing") if name in fields}
    elif answer.person == "several":
        remarks.append("More than one person is in it.")
    if answer.problems:
        remarks.append(f"Left out of the machine's answer: {'; '.join(answer.problems)}.")
    said = " ".join(remark for remark in remarks if remark)
    kept = {each: sure for each, sure in answer.confidence.items() if each.value in fields or _is_age(each, fields)}
    label = label_of(picture, spec, {**fields, "confidence": kept, "notes": said or None}, run=run)
    return Proposal(label=label, problem=problem, **paid)


def propose_nothing(
    picture: Portrait, spec: LabelerSpec, problem: Problem, reason: str, *, run: str, **paid: Any
) -> Proposal:
    """A proposal that says nothing but why."""
    return Proposal(label=label_of(picture, spec, {"notes": reason}, run=run), problem=problem, **paid)


def small_jpeg(data: bytes, *, side: int, quality: int) -> tuple[bytes, int, int]:
    """The picture as a JPEG with its longer side at most `side` pixels, width and height.

    Raises BadImage, and Unanswered when there is no room for it at the moment.
    """
    try:
        image = decode_picture(data, max_side=side)
    except Overloaded as err:
        raise Unanswered(err.message) from err
    try:
        return encode(image, "JPEG", quality=quality, optimize=True), image.width, image.height
    except (OSError, ValueError) as err:
        raise BadImage("The picture cannot be made small enough to be looked at.") from err


def _is_age(each: str, fields: Mapping[str, Any]) -> bool:
    return each == "age" and "age_low" in fields
