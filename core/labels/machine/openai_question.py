"""The question put to OpenAI about a portrait, and how its completion is read; the same one by one or in a batch."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from core.labels.machine.answer import answer_schema, read_answer
from core.labels.machine.instructions import Instructions
from core.labels.machine.labeler import LabelerSpec, Portrait, Problem, Proposal, propose, propose_nothing, small_jpeg
from core.labels.machine.openai_errors import ErrorScope
from core.labels.published.schema import LabelSource
from core.openai.answers import as_object
from core.openai.completions import first_choice
from core.openai.schema import response_format
from core.references.vocabulary import Vocabulary


class Unreadable(Exception):
    """The answer is none: cut off, not JSON, or empty."""


@dataclass(frozen=True, slots=True)
class CallUsage:
    """What an answer took; the names are a proposal's. `usd` is None where nobody knows the price."""

    request_id: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float | None = 0.0


_NOTHING: Final = CallUsage()


class Question:
    """What every portrait is asked, with so many worked examples; `server` is who is asked, as sentences call it."""

    def __init__(
        self, instructions: Instructions, vocabulary: Vocabulary, *, model: str, shots: int, server: str = "OpenAI"
    ) -> None:
        self._instructions = instructions
        self._shots = instructions.first_shots(shots)
        self._tones = {term.id: term.name for term in vocabulary.tones}
        self._angles = {term.id: term.name for term in vocabulary.angles}
        self._model = model
        self._server = server
        self.spec = LabelerSpec(LabelSource.OPENAI, model, instructions.version, shots)
        self._start = self._opening()

    def request(self, picture: Portrait) -> dict[str, Any]:
        """The arguments of a chat completion. Raises BadImage for what is no picture."""
        size = self._instructions.picture
        jpeg, _, _ = small_jpeg(picture.data, side=size.side, quality=size.jpeg_quality)
        price = self._instructions.price_of(self._model)
        request: dict[str, Any] = {
            "model": self._model,
            "messages": [*self._start, _picture_message(jpeg)],
            "response_format": response_format("portrait_label", answer_schema(self._tones, self._angles)),
        }
        if price is not None and price.reasoning_effort is not None:
            request["reasoning_effort"] = price.reasoning_effort
        return request

    def propose(self, picture: Portrait, body: dict[str, Any], *, run: str, batch: bool = False) -> Proposal:
        """The label a completion's body makes. Raises Unreadable for what is no answer."""
        usage = self.usage_of(body, batch=batch)
        choice = first_choice(body)
        message = as_object(choice.get("message"))
        if message.get("refusal") or choice.get("finish_reason") == "content_filter":
            return self._propose_refused(picture, run, usage)
        try:
            said = json.loads(message.get("content") or "")
        except (ValueError, TypeError, RecursionError) as err:
            raise Unreadable from err
        if not isinstance(said, dict):
            raise Unreadable
        answer = read_answer(said, tones=self._tones, angles=self._angles)
        return propose(picture, self.spec, answer, run=run, **asdict(usage))

    def propose_for(
        self, scope: ErrorScope, picture: Portrait, *, run: str, request_id: str | None, why: str = ""
    ) -> Proposal | None:
        """The label of a picture that the vendor will not look at, or cannot read; None where it is not at fault."""
        usage = CallUsage(request_id)
        if scope is ErrorScope.REFUSED:
            return self._propose_refused(picture, run, usage)
        if scope is ErrorScope.PICTURE:
            reason = f"{self._server} cannot read this picture{why}."
            return self.propose_nothing(picture, Problem.BAD_PICTURE, reason, run=run, usage=usage)
        return None

    def _propose_refused(self, picture: Portrait, run: str, usage: CallUsage) -> Proposal:
        reason = f"{self._server}'s safety system refused this picture; a person has to label it."
        return self.propose_nothing(picture, Problem.REFUSED, reason, run=run, usage=usage)

    def propose_unread(self, picture: Portrait, spent: Sequence[CallUsage], *, run: str) -> Proposal:
        """The label of a picture whose answers, as many as were paid for, cannot be read."""
        often = ", twice" if len(spent) > 1 else ""
        reason = f"The answer of {self._server} about this picture could not be read{often}; a person has to label it."
        return self.propose_nothing(picture, Problem.BAD_ANSWER, reason, run=run, usage=_sum(spent))

    def propose_nothing(
        self, picture: Portrait, problem: Problem, reason: str, *, run: str, usage: CallUsage = _NOTHING
    ) -> Proposal:
        """A label that says nothing but why."""
        return propose_nothing(picture, self.spec, problem, reason, run=run, **asdict(usage))

    def usage_of(self, body: Mapping[str, Any], *, batch: bool = False) -> CallUsage:
        """What a completion took, by its own count."""
        usage = as_object(body.get("usage"))
        tokens_in, tokens_out = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
        price = self._instructions.price_of(self._model)
        usd = None
        if price is not None and tokens_in is not None and tokens_out is not None:
            usd = round(price.usd(tokens_in, tokens_out, batch=batch), 7)
        request_id = body.get("id")
        return CallUsage(request_id if isinstance(request_id, str) else None, tokens_in or 0, tokens_out or 0, usd)

    def _opening(self) -> list[dict[str, Any]]:
        text = self._instructions.text + _list_terms("tone", self._tones) + _list_terms("angle", self._angles)
        messages: list[dict[str, Any]] = [{"role": "system", "content": text}]
        for shot in self._shots:
            messages.append(_picture_message(shot.jpeg))
            messages.append({"role": "assistant", "content": json.dumps(dict(shot.answer), ensure_ascii=False)})
        return messages


def _picture_message(jpeg: bytes) -> dict[str, Any]:
    # `high`: the picture is small already, and `low` would make it smaller still
    url = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
    return {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url, "detail": "high"}}]}


def _list_terms(kind: str, terms: Mapping[str, str]) -> str:
    return f"\nThe ids of {kind}: " + "; ".join(f"{each} ({name})" for each, name in terms.items()) + "."


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _sum(spent: Sequence[CallUsage]) -> CallUsage:
    usd = [each.usd for each in spent]
    return CallUsage(
        spent[-1].request_id,
        sum(each.input_tokens for each in spent),
        sum(each.output_tokens for each in spent),
        None if None in usd else sum(each for each in usd if each is not None),
    )
