"""The OpenAI reader: prompts read by a language model, with the offline reader behind it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, Literal

import openai
import structlog
from pydantic import BaseModel, Field

from core.concurrency.single_flight import SingleFlightCache
from core.errors import ConfigError
from core.injection.reading.reader import OfflineReader, Reading
from core.labels.published.schema import AGE_MAX
from core.openai.answers import as_object
from core.openai.call import call_once
from core.openai.client import Endpoint
from core.openai.completions import complete, first_choice
from core.openai.schema import INTEGER_OR_NULL, Schema, closed_object, one_of_or_null, response_format
from core.references.vocabulary import Term, Vocabulary

_log = structlog.get_logger(__name__)
_LIMIT_S: Final = 10.0
_REMEMBERED: Final = 512  # a page asks for the same prompt at every rerun
_COOLDOWN_S: Final = 30.0  # after a failure the offline reader serves for a while, without a wait each time

_INSTRUCTIONS: Final = """\
You read prompts for an image model, in English or Korean, and say what they ask for.
person: whether a person, or a part of one such as a hand, is meant to be in the picture. Goods for people, \
statues, dolls and snowmen are no persons; "no people" and "사람 없이" mean false.
gender: feminine or masculine; null when unsaid or when both are meant.
age_low, age_high: years, both included, null when unsaid. "in her thirties" 30-39, "30대 초반" 30-34, \
teenager 13-19, 대학생 19-25, 중년 40-59, 할머니 65-90, child 4-12.
Markup of other tools is no text: weights, LoRA, parameters, ratios, lenses and list numbers are no ages. What follows \
"--no" or "Negative prompt:" or has a weight below zero is unwanted. Names of artists and things are no persons.
tone, angle: the id that the prompt asks for, null when it asks for none, for several, or denies it. \
Objects are no tones: "a neon sign", "a film camera" and "pinot noir" ask for nothing.
"""
_EXAMPLES: Final = (
    ("A woman in her thirties at a café, black and white", (True, "feminine", 30, 39, "noir", None)),
    ("사람 없이 대리석 위의 향수병, 부감", (False, None, None, None, None, "overhead")),
    ("20대 초반 남자, 로우앵글, 네온 톤", (True, "masculine", 20, 24, "neon", "low-angle")),
    ("a man and a woman dancing under a neon sign", (True, None, None, None, None, None)),
)
_FIELDS: Final = ("person", "gender", "age_low", "age_high", "tone", "angle")


class _Completion(BaseModel):
    person: bool
    gender: Literal["feminine", "masculine"] | None
    age_low: int | None = Field(ge=0, le=AGE_MAX)
    age_high: int | None = Field(ge=0, le=AGE_MAX)
    tone: str | None
    angle: str | None


class OpenAIReader:
    """Reads with a structured-output call of at most 10 s; its verdict on "is a person meant" is trusted.

    When the call fails, the offline reader serves and the reading says so in `note`.
    """

    name = "openai"

    def __init__(
        self,
        endpoint: Endpoint,
        model: str,
        vocabulary: Vocabulary,
        offline: OfflineReader,
        *,
        limit_s: float = _LIMIT_S,
        cooldown_s: float = _COOLDOWN_S,
    ) -> None:
        self._endpoint = endpoint
        self._model = model
        self._offline = offline
        self._limit_s = limit_s
        self._tones = {term.id for term in vocabulary.tones}
        self._angles = {term.id for term in vocabulary.angles}
        self._system = _INSTRUCTIONS + _list_terms("tone", vocabulary.tones) + _list_terms("angle", vocabulary.angles)
        self._response_format = response_format("reading", _schema(sorted(self._tones), sorted(self._angles)))
        self._readings: SingleFlightCache[Reading] = SingleFlightCache(size_max=_REMEMBERED, cooldown_s=cooldown_s)

    def read(self, prompt: str) -> Reading:
        """Read one prompt, with one call however many ask for it at once. Never raises."""
        if not prompt.strip():
            return self._offline.read(prompt)
        try:
            return self._readings.get(prompt, lambda: self._ask(prompt))
        except ConfigError as err:
            return replace(self._offline.read(prompt), note=f"{err.message} Read offline.")
        except Exception:  # noqa: BLE001 - whatever a server of that address may answer, a page needs a reading
            return replace(self._offline.read(prompt), note=f"{self._endpoint.server} did not answer: read offline.")

    def _ask(self, prompt: str) -> Reading:
        """One call, within the limit. Raises whatever went wrong, and logs it."""
        try:
            ask = partial(self._read_completion, prompt)
            return call_once(self._endpoint, ask, limit_s=self._limit_s, name="openai-reader")
        except Exception as err:
            _log.warning("openai_reader_failed", error=type(err).__name__, status=getattr(err, "status_code", None))
            raise

    def _read_completion(self, prompt: str, client: openai.OpenAI) -> Reading:
        """Raises OpenAIError, or ValueError for an answer that contradicts itself."""
        body = complete(
            client, model=self._model, messages=self._messages(prompt), response_format=self._response_format
        )
        content = as_object(first_choice(body).get("message")).get("content")
        answer = _Completion.model_validate_json(content if isinstance(content, str) else "")
        low, high = answer.age_low, answer.age_high
        if (low is None) != (high is None) or (low is not None and high is not None and low > high):
            raise ValueError("the ages contradict each other")
        if answer.tone not in {None, *self._tones} or answer.angle not in {None, *self._angles}:
            raise ValueError("a tag that is not in the vocabulary")
        return Reading(self.name, evidence=(), **answer.model_dump())

    def _messages(self, prompt: str) -> Any:
        messages = [{"role": "system", "content": self._system}]
        for example, values in _EXAMPLES:
            messages.append({"role": "user", "content": example})
            messages.append({"role": "assistant", "content": json.dumps(dict(zip(_FIELDS, values, strict=True)))})
        return [*messages, {"role": "user", "content": prompt}]


def _list_terms(kind: str, terms: Sequence[Term]) -> str:
    lines = [f"  {term.id}: {term.name}, {', '.join(term.aliases[:6])}" for term in terms]
    return f"\nThe ids of {kind}:\n" + "\n".join(lines)


def _schema(tones: Sequence[str], angles: Sequence[str]) -> Schema:
    return closed_object(
        {
            "person": {"type": "boolean"},
            "gender": one_of_or_null(("feminine", "masculine")),
            "age_low": INTEGER_OR_NULL,
            "age_high": INTEGER_OR_NULL,
            "tone": one_of_or_null(tones),
            "angle": one_of_or_null(angles),
        }
    )
