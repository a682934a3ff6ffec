"""The question put to OpenAI about a portrait, and how its completion is read; the same one by one or in a batch."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.labels.machine.answer import answer_schema, read_answer
from core.labels.machine.instructions import Instructions
from core.labels.machine.labeler import LabelerSpec, Portrayed, Problem, Proposal, labelled, small_jpeg, unlabelled
from core.labels.published.schema import LabelSource
from core.references.vocabulary import Vocabulary

_REFUSED = "OpenAI's safety system refused this picture; a person has to label it."


class Unreadable(Exception):
    """The answer is none: cut off, not JSON, or empty."""


@dataclass(frozen=True, slots=True)
class Paid:
    """What an answer took."""

    request_id: str | None
    input_tokens: int
    output_tokens: int
    usd: float | None


class Question:
    """What every portrait is asked, with so many worked examples."""

    def __init__(self, instructions: Instructions, vocabulary: Vocabulary, *, model: str, shots: int) -> None:
        self._instructions = instructions
        self._shots = instructions.shown(shots)
        self._tones = {term.id: term.name for term in vocabulary.tones}
        self._angles = {term.id: term.name for term in vocabulary.angles}
        self._model = model
        self.spec = LabelerSpec(LabelSource.OPENAI, model, instructions.version, shots)
        self._start = self._examples()

    def request(self, picture: Portrayed) -> dict[str, Any]:
        """The arguments of a chat completion. Raises BadImage for what is no picture."""
        size = self._instructions.picture
        jpeg, _, _ = small_jpeg(picture.data, side=size.side, quality=size.jpeg_quality)
        price = self._instructions.price_of(self._model)
        request: dict[str, Any] = {
            "model": self._model,
            "messages": [*self._start, _shown(jpeg)],
            "response_format": {
                "type": "json_schema",
                "json_schema": {
                    "name": "portrait_label",
                    "strict": True,
                    "schema": answer_schema(self._tones, self._angles),
                },
            },
        }
        if price is not None and price.reasoning_effort is not None:
            request["reasoning_effort"] = price.reasoning_effort
        return request

    def proposal(self, picture: Portrayed, body: Mapping[str, Any], *, run: str, batch: bool = False) -> Proposal:
        """The label a completion's body makes. Raises Unreadable for what is no answer."""
        paid = self.paid(body, batch=batch)
        choice = _first(body.get("choices"))
        message = choice.get("message") or {}
        if message.get("refusal") or choice.get("finish_reason") == "content_filter":
            return self.without(picture, Problem.REFUSED, _REFUSED, run=run, paid=paid)
        try:
            said = json.loads(message.get("content") or "")
        except (ValueError, TypeError, RecursionError) as err:
            raise Unreadable from err
        if not isinstance(said, dict):
            raise Unreadable
        answer = read_answer(said, tones=self._tones, angles=self._angles)
        return labelled(picture, self.spec, answer, run=run, **_told(paid))

    def refused(self, picture: Portrayed, *, run: str, request_id: str | None) -> Proposal:
        """The label of a picture that the vendor will not look at."""
        paid = Paid(request_id, 0, 0, 0.0)
        return self.without(picture, Problem.REFUSED, _REFUSED, run=run, paid=paid)

    def without(self, picture: Portrayed, problem: Problem, reason: str, *, run: str, paid: Paid) -> Proposal:
        """A label that says nothing but why."""
        return unlabelled(picture, self.spec, problem, reason, run=run, **_told(paid))

    def paid(self, body: Mapping[str, Any], *, batch: bool) -> Paid:
        """What a completion took, by its own count."""
        usage = body.get("usage") or {}
        tokens_in, tokens_out = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
        price = self._instructions.price_of(self._model)
        usd = None if price is None or not usage else round(price.usd(tokens_in, tokens_out, batch=batch), 7)
        request_id = body.get("id")
        return Paid(request_id if isinstance(request_id, str) else None, tokens_in, tokens_out, usd)

    def _examples(self) -> list[dict[str, Any]]:
        text = self._instructions.text + _listed("tone", self._tones) + _listed("angle", self._angles)
        messages: list[dict[str, Any]] = [{"role": "system", "content": text}]
        for shot in self._shots:
            messages.append(_shown(shot.jpeg))
            messages.append({"role": "assistant", "content": json.dumps(dict(shot.answer), ensure_ascii=False)})
        return messages


def _shown(jpeg: bytes) -> dict[str, Any]:
    # `high`: the picture is small already, and `low` would make it smaller still
    url = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
    return {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url, "detail": "high"}}]}


def _listed(kind: str, terms: Mapping[str, str]) -> str:
    return f"\nThe ids of {kind}: " + "; ".join(f"{each} ({name})" for each, name in terms.items()) + "."


def _first(choices: object) -> Mapping[str, Any]:
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise Unreadable
    return choices[0]


def _told(paid: Paid) -> dict[str, Any]:
    return {
        "request_id": paid.request_id,
        "input_tokens": paid.input_tokens,
        "output_tokens": paid.output_tokens,
        "usd": paid.usd,
    }


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0
