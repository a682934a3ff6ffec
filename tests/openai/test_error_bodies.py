"""The body of a failed call, in the shapes in which servers, gateways and proxies have it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.openai.error_bodies import REFUSED, read_body
from core.openai.errors import Cause, cause_of
from tests.fakes.openai_server import OVER_QUOTA

bodies = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30)),
    lambda inside: st.one_of(
        st.lists(inside, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["error", "detail", "message", "code", "type", "loc", "msg", "errors", "moderation_details"]
            ),
            inside,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@given(body=bodies)
def test_no_shape_is_too_odd_to_be_read(body: object) -> None:
    said = read_body(body)
    assert said.message is None or (said.message.strip() and len(said.message) <= 402 and "\n" not in said.message)
    assert said.status == 0 or 400 <= said.status < 600


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"message": "No."}}, "No"),
        ({"error": {"message": {"error": "inside"}}}, "inside"),
        ({"error": None, "message": "beside"}, "beside"),
        ({"error": True, "reason": "it is closed"}, "it is closed"),
        ({"error": "invalid_scope", "error_description": "the scope is unknown"}, "the scope is unknown"),
        (
            {"detail": [{"loc": ["body", "n"], "msg": "too high"}, {"loc": ["body", 0], "msg": "odd"}]},
            "body.n: too high; body.0: odd",
        ),
        ({"detail": {"error": "an object"}}, "an object"),
        ({"title": "Only a title"}, "Only a title"),
        ({"error": '{"error": {"message": "a document in a text"}}'}, "a document in a text"),
        ('{"b64_json": "half of a docu', None),
        ("[gateway] no route", "[gateway] no route"),
        ("  two\n lines ", "two lines"),
        ("<html><title> A &amp; B </title><h1>C</h1>", "A & B"),
        ("<html><title></title><h1>Only <i>a</i> heading</h1>", "Only a heading"),
        ("<html><script>let it = 1</script><p>Just text</p>", "Just text"),
        ("\n<!doctype html>\n<HTML><HEAD><TITLE>In\ncapitals</TITLE>", "In capitals"),
        (
            {"error": {"message": "litellm.APIError: <html><title>502 Bad Gateway</title>"}},
            "litellm.APIError: 502 Bad Gateway",
        ),
        ("a < b and c > d", "a < b and c > d"),
        ("<", "<"),
        (b"bytes", None),
        ({"error": {}}, None),
    ],
    ids=lambda value: str(value)[:30],
)
def test_the_words_are_found_wherever_they_stand(body: object, message: str | None) -> None:
    assert read_body(body).message == message


@pytest.mark.parametrize(
    "words",
    [
        "Incorrect API key provided: sk-proj-abc***xyz.",
        "Received API Key = sk-...1234",
        "the header was Bearer abcdef0123456789",
        "cannot reach https://me:abcdef@host/v1",
        "The token abcdef0123456789 is not known",
        "GET https://host/v1beta/models?key=abc-other-key-1234&alt=sse failed",
    ],
)
def test_nothing_that_looks_like_a_key_is_repeated(words: str) -> None:
    message = read_body({"error": words}, secret="abcdef0123456789").message or ""
    assert "[key]" in message
    assert "abc" not in message
    assert "1234" not in message


def test_a_link_survives_the_cut_with_which_words_end() -> None:
    words = "Wait. " * 60 + "Then see https://example.org/verify?x=1 for more."
    message = read_body({"error": {"message": words}}).message or ""
    assert message.endswith("… https://example.org/verify?x=1")


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (f"litellm.RateLimitError: OpenAIException - {OVER_QUOTA}", Cause.QUOTA),
        ('OpenAIException - {"error":{"message":"No.","code":"insufficient_quota"}}', Cause.QUOTA),
        ('OpenAIException - {"error":{"message":"No.","code":"billing_hard_limit_reached"}}', Cause.SPENDING_LIMIT),
        (OVER_QUOTA.replace("platform.openai.com/docs", "ai.google.dev/gemini-api/docs"), Cause.RATE_LIMIT),
        ("You exceeded your current quota.", Cause.RATE_LIMIT),
        ("Rate limit reached for images per minute.", Cause.RATE_LIMIT),
    ],
)
def test_an_account_without_money_is_known_by_what_a_gateway_quotes_of_openai(words: str, cause: Cause) -> None:
    said = read_body({"error": {"message": words, "type": "throttling_error", "code": "429"}}, status=429)
    assert cause_of(said.names, 429) is cause


@pytest.mark.parametrize(
    ("body", "status", "is_refusal"),
    [
        ("Your request was rejected as a result of our safety system", 400, True),
        ("The prompt violates our content policy", 200, True),
        ("Your input was flagged", 403, True),
        ("our safety system is down", 503, False),
        ("content policy service: wrong key", 401, False),
        ("litellm.ContentPolicyViolationError: no", 500, True),
        ({"error": {"innererror": {"code": "ResponsibleAIPolicyViolation"}}}, 400, True),
        ({"error": {"type": "moderation_blocked"}}, 500, True),
        ({"x": {"jailbreak": {"filtered": True, "detected": True}}}, 400, True),
        ({"x": {"hate": {"filtered": False}}}, 400, False),
        ("unknown parameter: moderation", 400, False),
    ],
)
def test_a_refusal_is_known_by_its_names_or_by_words_that_fit_its_status(
    body: object, status: int, is_refusal: bool
) -> None:
    assert (REFUSED in read_body(body, status=status).names) == is_refusal
