"""What servers say is read in one place: the cause by one table, their words on one line, the wait they ask for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import openai
import pytest

from core.openai.errors import Cause, ServerError, cause_of, read_error


def failure(status: int, body: object = None, **headers: str) -> openai.APIError:
    """What the SDK raises for such an answer; `body` is what it found under `error`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response = httpx.Response(status, headers=named, request=httpx.Request("POST", "http://127.0.0.1/v1"))
    return openai.APIStatusError("", response=response, body=body)


@pytest.mark.parametrize(
    ("names", "status", "cause"),
    [
        (["content_filter"], 400, Cause.REFUSED),
        (["insufficient_quota"], 429, Cause.QUOTA),
        (["billing_hard_limit_reached"], 400, Cause.SPENDING_LIMIT),
        ([None, "requests"], 429, Cause.RATE_LIMIT),
        (["invalid_image_format", "invalid_request_error"], 400, Cause.BAD_PICTURE),
        (["invalid_request_error"], 401, Cause.KEY),
        (["invalid_request_error"], 409, Cause.CONFLICT),
        (["invalid_request_error"], 0, Cause.BAD_REQUEST),
        ([None], 504, Cause.TIMED_OUT),
        ([None], 503, Cause.OVERLOADED),
        ([None], 599, Cause.SERVER_FAULT),
        ([None], 418, Cause.BAD_REQUEST),
        ([None], 0, Cause.UNKNOWN),
        ([{"no": "word"}, 7], 0, Cause.UNKNOWN),
    ],
)
def test_what_names_a_cause_more_closely_goes_first(names: list[object], status: int, cause: Cause) -> None:
    assert cause_of(names, status) is cause


def test_words_are_one_short_line_without_a_key() -> None:
    said = read_error(failure(401, {"message": "Wrong key:\n sk-proj-abc*123.  " + "x" * 300})).message or ""
    assert said.startswith("Wrong key: [key] xxx")
    assert said.endswith("x…")
    assert len(said) == 201


@pytest.mark.parametrize(
    "body", [None, "", "<html></html>", {"words": "no"}, {"message": 7}, {"error": {}}, [7], 7, True]
)
def test_what_is_not_in_a_known_shape_is_no_reason(body: object) -> None:
    assert read_error(failure(502, body)) == ServerError(Cause.OVERLOADED, 502)


def test_the_categories_of_a_refusal_come_from_its_details_or_else_from_its_message() -> None:
    details = {"code": "moderation_blocked", "moderation_details": {"categories": ["self-harm", "sexual/minors", 1]}}
    message = {"code": "moderation_blocked", "message": "Rejected: safety_violations=[sexual, violence]."}
    assert read_error(failure(400, details)).categories == ("self harm", "sexual minors")
    assert read_error(failure(400, message)).categories == ("sexual", "violence")


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "7", "retry_after_ms": "1500"}, 1.5),
        ({"retry_after": "-1"}, None),
        ({"retry_after": "soon"}, None),
        ({}, None),
    ],
)
def test_the_wait_is_the_one_the_server_asks_for(headers: dict[str, str], wait_s: float | None) -> None:
    assert read_error(failure(429, **headers)).retry_after_s == wait_s


def test_a_wait_may_be_a_date() -> None:
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert read_error(failure(429, retry_after=when)).retry_after_s == pytest.approx(60, abs=5)


def test_a_connection_that_failed_says_nothing() -> None:
    request = httpx.Request("POST", "http://127.0.0.1/v1")
    assert read_error(openai.APIConnectionError(request=request)) == ServerError(Cause.UNKNOWN)
