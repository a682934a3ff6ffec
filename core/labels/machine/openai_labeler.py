"""The OpenAI labeler: one structured-output call a portrait, patient with rate limits, never without a reason."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import structlog

from core.errors import BadImage
from core.labels.machine.labeler import LabelerSpec, Portrait, Problem, Proposal, Unanswered
from core.labels.machine.openai_errors import ErrorScope, RetryPolicy, describe, run_error, scope_of
from core.labels.machine.openai_question import CallUsage, Question, Unreadable
from core.openai.call import call_once
from core.openai.client import Endpoint
from core.openai.completions import complete

_log = structlog.get_logger(__name__)
_LIMIT_S: Final = 90.0


class OpenAILabeler:
    """Asks for one portrait at a time, from any number of threads; when one is told to wait, all wait."""

    def __init__(
        self, endpoint: Endpoint, question: Question, *, retry: RetryPolicy | None = None, limit_s: float = _LIMIT_S
    ) -> None:
        self._endpoint = endpoint
        self._question = question
        self._retry = retry or RetryPolicy()
        self._limit_s = limit_s
        self._pause = RateLimitPause()

    @property
    def spec(self) -> LabelerSpec:
        """Which labeler this is."""
        return self._question.spec

    def label(self, picture: Portrait, *, run: str) -> Proposal:
        """Propose a label; see Labeler. Raises Unanswered or EngineError."""
        try:
            request = self._question.request(picture)
        except BadImage as err:
            return self._question.propose_nothing(picture, Problem.BAD_PICTURE, err.message, run=run)
        spent: list[CallUsage] = []
        for _ in range(2):  # an answer that cannot be read is a rare accident: ask once more, and no more
            try:
                body = self._retry.retrying(on_limit=self._pause.begin)(self._ask, request)
            except Exception as err:  # noqa: BLE001 - whatever a server of that address may answer
                return self._propose_without_answer(picture, err, run)
            with suppress(Unreadable):
                return self._question.propose(picture, body, run=run)
            spent.append(self._question.usage_of(body))
        return self._question.propose_unread(picture, spent, run=run)

    def _propose_without_answer(self, picture: Portrait, err: Exception, run: str) -> Proposal:
        """What a call that failed for good says about the picture. Raises Unanswered or EngineError if nothing."""
        scope = scope_of(err)
        _log.info("portrait_not_answered", blame=scope.value, error=type(err).__name__)
        request_id, why = getattr(err, "request_id", None), f": {describe(err)}"
        if proposal := self._question.propose_for(scope, picture, run=run, request_id=request_id, why=why):
            return proposal
        if scope is ErrorScope.MOMENT:
            raise Unanswered(describe(err)) from err
        raise run_error(err, self._endpoint.server) from err

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The body of the answer to one call. Raises whatever went wrong."""
        self._pause.wait(self._retry.sleep)
        return call_once(
            self._endpoint, lambda client: complete(client, **request), limit_s=self._limit_s, name="openai-label"
        )


class RateLimitPause:
    """The time until which the server wants no calls from this account; shared by every thread."""

    def __init__(self) -> None:
        self._ends_at = 0.0

    def begin(self, seconds: float) -> None:
        """Let nobody call for so long; one that ends later stands."""
        self._ends_at = max(self._ends_at, time.monotonic() + seconds)

    def wait(self, sleep: Callable[[float], None]) -> None:
        """Sleep until it is over."""
        left_s = self._ends_at - time.monotonic()
        if left_s > 0:
            sleep(left_s)
