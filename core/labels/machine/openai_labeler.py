"""The OpenAI labeler: one structured-output call a portrait, patient with rate limits, never without a reason."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import openai
import structlog
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from core.errors import BadImage
from core.labels.machine.labeler import LabelerSpec, Portrayed, Problem, Proposal, Unanswered
from core.labels.machine.openai_faults import ErrorScope, blame_of, retry_after_s, said, stopped
from core.labels.machine.openai_question import Paid, Question, Unreadable
from core.openai.connection import AbortableConnection, trusted

_log = structlog.get_logger(__name__)
_LIMIT_S: Final = 90.0
_ATTEMPTS: Final = 6
_WAIT_MAX_S: Final = 60.0
_NO_ANSWER: Final = "OpenAI's answer about this picture could not be read, twice; a person has to label it."


class OpenAILabeler:
    """Asks for one portrait at a time, from any number of threads; when one is told to wait, all wait.

    `sleep` is how it waits, in seconds.
    """

    def __init__(
        self,
        api_key: str,
        base_url: str | None,
        question: Question,
        *,
        limit_s: float = _LIMIT_S,
        attempts: int = _ATTEMPTS,
        backoff_s: float = 1.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._api_key = api_key
        self._base_url = base_url
        self._question = question
        self._limit_s = limit_s
        self._attempts = attempts
        self._backoff = wait_random_exponential(multiplier=backoff_s, max=_WAIT_MAX_S)
        self._sleep = sleep
        self._gate = _Gate()
        self._mine = threading.local()
        self._clients: list[openai.OpenAI] = []
        self._lock = threading.Lock()

    @property
    def spec(self) -> LabelerSpec:
        """Which labeler this is."""
        return self._question.spec

    def label(self, picture: Portrayed, *, run: str) -> Proposal:
        """Propose a label; see Labeler. Raises Unanswered or EngineError."""
        try:
            request = self._question.request(picture)
        except BadImage as err:
            return self._question.without(
                picture, Problem.BAD_PICTURE, err.message, run=run, paid=Paid(None, 0, 0, 0.0)
            )
        spent: list[Paid] = []
        for _ in range(2):  # an answer that cannot be read is a rare accident: ask once more, and no more
            try:
                body = self._asked(request)
            except Exception as err:  # noqa: BLE001 - whatever a server of that address may answer
                return self._without_answer(picture, err, run)
            with suppress(Unreadable):
                return self._question.proposal(picture, body, run=run)
            spent.append(self._question.paid(body, batch=False))
        return self._question.without(picture, Problem.BAD_ANSWER, _NO_ANSWER, run=run, paid=_together(spent))

    def close(self) -> None:
        """End every connection."""
        with self._lock:
            for client in self._clients:
                client.close()
            self._clients.clear()

    def _without_answer(self, picture: Portrayed, err: Exception, run: str) -> Proposal:
        """What a call that failed for good says about the picture. Raises Unanswered or EngineError if nothing."""
        blame = blame_of(err)
        _log.info("portrait_not_answered", blame=blame.value, error=type(err).__name__)
        request_id = getattr(err, "request_id", None)
        if blame is ErrorScope.REFUSED:
            return self._question.refused(picture, run=run, request_id=request_id)
        if blame is ErrorScope.PICTURE:
            reason = f"OpenAI cannot read this picture: {said(err)}."
            paid = Paid(request_id, 0, 0, 0.0)
            return self._question.without(picture, Problem.BAD_PICTURE, reason, run=run, paid=paid)
        if blame is ErrorScope.MOMENT:
            raise Unanswered(said(err)) from err
        raise stopped(err) from err

    def _asked(self, request: dict[str, Any]) -> dict[str, Any]:
        """The body of the answer, after as many attempts as are worth it. Raises the last failure."""
        retrying = Retrying(
            stop=stop_after_attempt(self._attempts),
            wait=self._wait_s,
            retry=retry_if_exception(lambda err: isinstance(err, Exception) and blame_of(err) is ErrorScope.MOMENT),
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(self._ask, request)

    def _wait_s(self, state: RetryCallState) -> float:
        """What the vendor asks for, else longer each time; everybody else waits as long when it was a limit."""
        asked_s = retry_after_s(state.outcome.exception() if state.outcome else None)
        if asked_s is None:
            return self._backoff(state)
        self._gate.shut(asked_s)
        return asked_s

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        self._gate.wait(self._sleep)
        client, line = self._connection()
        # httpx bounds one read and never the whole answer
        watch = threading.Timer(self._limit_s, line.hang_up)
        watch.daemon = True
        watch.start()
        try:
            answer = client.chat.completions.with_raw_response.create(**request)
            return _an_object(answer.http_response.json())
        except Exception:
            del self._mine.connection  # it may have been hung up
            client.close()
            raise
        finally:
            watch.cancel()

    def _connection(self) -> tuple[openai.OpenAI, AbortableConnection]:
        held = getattr(self._mine, "connection", None)
        if held is None:
            line = AbortableConnection()
            client = openai.OpenAI(
                api_key=self._api_key,
                base_url=self._base_url,
                max_retries=0,
                timeout=self._limit_s,
                http_client=openai.DefaultHttpxClient(event_hooks=line.hooks, timeout=self._limit_s, verify=trusted()),
            )
            held = self._mine.connection = (client, line)
            with self._lock:
                self._clients.append(client)
        return held


class _Gate:
    """Shut for a while when the vendor says so, for every thread."""

    def __init__(self) -> None:
        self._open_at = 0.0

    def shut(self, seconds: float) -> None:
        self._open_at = max(self._open_at, time.monotonic() + seconds)

    def wait(self, sleep: Callable[[float], None]) -> None:
        left_s = self._open_at - time.monotonic()
        if left_s > 0:
            sleep(left_s)


def _an_object(body: object) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise TypeError("the answer is no object")
    return body


def _together(spent: list[Paid]) -> Paid:
    usd = [each.usd for each in spent]
    return Paid(
        spent[-1].request_id,
        sum(each.input_tokens for each in spent),
        sum(each.output_tokens for each in spent),
        None if None in usd else sum(each for each in usd if each is not None),
    )
