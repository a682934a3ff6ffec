"""Servers that almost speak OpenAI's protocol: their answers are read for the picture, and told in their own words."""

from __future__ import annotations

import base64
import json
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import httpx
import openai
import pytest

from core.errors import Charge, EngineError, EngineFault
from core.generation.engines.engine import FinalPicture, PartialPicture
from core.generation.engines.openai_engine import OpenAIEngine
from core.generation.engines.openai_errors import translate
from core.openai.call import Call
from core.openai.client import Endpoint
from tests.fakes.openai_server import Answer, Behaviour, FakeOpenAI, Fault
from tests.generation.engines.test_openai_engine import MODEL, REQUEST, SIZE, failed, made
from tests.support.timeouts import LONG_S

KEY = "gateway-key-of-no-known-shape"
# A whole picture is drawn once: prompt and size stay the same.
ASKED = replace(REQUEST, references=())
USAGE = {
    "input_tokens": 50,
    "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
    "output_tokens": 50,
    "total_tokens": 100,
}
USAGE_USD = (10 * 5 + 40 * 8 + 50 * 30) / 1e6
JSON = "application/json"
EVENTS = "text/event-stream"
Body = Callable[[str], str | bytes]


@pytest.fixture(scope="module")
def running() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(api_key=KEY).serving() as server:
        yield server


@pytest.fixture
def server(running: FakeOpenAI) -> Iterator[FakeOpenAI]:
    running.reset()
    yield running
    for thread in threading.enumerate():
        if thread.name == "openai-call":
            thread.join(LONG_S)


@pytest.fixture(params=[True, False], ids=["stream", "whole"])
def engine(server: FakeOpenAI, request: pytest.FixtureRequest) -> OpenAIEngine:
    return OpenAIEngine(Endpoint(KEY, server.base_url), model=MODEL, streaming=request.param)


@pytest.fixture
def name(server: FakeOpenAI) -> str:
    """What the server is called in a sentence."""
    return server.base_url.removeprefix("http://").removesuffix("/v1")


def whole(**more: object) -> Body:
    """The body of the Images API, the picture in its one row."""
    return lambda picture: json.dumps({"created": 1, "data": [{"b64_json": picture}], **more})


def written(form: Callable[[str], str]) -> Body:
    """The same, with the picture written in another way."""
    return lambda picture: json.dumps({"created": 1, "data": [{"b64_json": form(picture)}]})


def event(content: dict[str, Any], name: str = "") -> str:
    return (f"event: {name}\n" if name else "") + f"data: {json.dumps(content)}\n\n"


def completed(picture: str, kind: str = "image_generation.completed", **more: object) -> str:
    return event({"type": kind, "b64_json": picture, "usage": USAGE, **more}, kind)


def lines(text: str, end: str = "\n", width: int = 76) -> str:
    return end.join(text[at : at + width] for at in range(0, len(text), width))


def url_safe(text: str) -> str:
    return text.replace("+", "-").replace("/", "_")


def stream(*parts: str | Callable[[str], str]) -> Body:
    return lambda picture: "".join(part if isinstance(part, str) else part(picture) for part in parts)


# How the picture itself may be written.
WRITTEN: dict[str, Callable[[str], str]] = {
    "a data URI": lambda b64: f"data:image/png;base64,{b64}",
    "a data URI in capitals with a charset": lambda b64: f"DATA:image/PNG;charset=utf-8;BASE64,{b64}",
    "a data URI, escaped as addresses are": lambda b64: f"data:image/png;base64,{quote(b64, safe='')}",
    "a data URI in lines": lambda b64: f"data:image/png;base64,\n{lines(b64)}\n",
    "lines": lines,
    "lines as in mail": lambda b64: lines(b64, "\r\n") + "\r\n",
    "lines whose breaks were escaped twice": lambda b64: lines(b64, "\\n"),
    "blanks around": lambda b64: f" \t{b64} ",
    "no padding": lambda b64: b64.rstrip("="),
    "the alphabet for addresses": url_safe,
    "that alphabet without padding": lambda b64: url_safe(b64).rstrip("="),
    "a byte order mark": lambda b64: f"\ufeff{b64}",
    "unseen characters": lambda b64: f"\u200b{b64[:20]}\u200b{b64[20:]}\0",
    "escaped as addresses are": lambda b64: quote(b64, safe=""),
    "the end of a data URI": lambda b64: f"image/png;base64,{b64}",
    "a data URI twice": lambda b64: f"data:image/png;base64,data:image/png;base64,{b64}",
}
# What may stand around it, under which content type.
AROUND: dict[str, Answer] = {
    "capitals": Answer(whole(), "APPLICATION/JSON; Charset=UTF-8"),
    "JSON as text": Answer(whole(), "text/plain"),
    "JSON as bytes": Answer(whole(), "application/octet-stream"),
    "JSON without a type": Answer(whole(), None),
    "JSON that says it is a stream": Answer(whole(), EVENTS),
    "JSON after blank lines": Answer(lambda b64: "\n \n\r\n" + str(whole()(b64)), JSON),
    "JSON in many lines": Answer(lambda b64: json.dumps(json.loads(whole()(b64)), indent=2), JSON),
    "JSON with a byte order mark": Answer(lambda b64: b"\xef\xbb\xbf" + str(whole()(b64)).encode(), JSON),
    "JSON with bare line breaks in its text": Answer(lambda b64: f'{{"data": [{{"b64_json": "{lines(b64)}"}}]}}'),
    "JSON with escaped slashes": Answer(lambda b64: str(whole()(b64)).replace("/", "\\/")),
    "JSON that was cut after the picture": Answer(lambda b64: str(whole(usage=USAGE)(b64))[:-30]),
    "JSON in another encoding": Answer(
        lambda b64: str(whole()(b64)).replace("{", '{"by": "café",', 1).encode("cp1252")
    ),
    "a null error": Answer(whole(error=None), JSON),
    "an empty error": Answer(whole(error={}, detail=None, message=""), JSON),
    "fields of a gateway": Answer(whole(id="5b5a7249", object="list", _hidden_params={"cost": 0.1}, provider=[1])),
    "a row of LocalAI": Answer(lambda b64: json.dumps({"data": [{"embedding": None, "index": 0, "b64_json": b64}]})),
    "a row, not in a list": Answer(lambda b64: json.dumps({"data": {"b64_json": b64, "url": ""}})),
    "no rows": Answer(lambda b64: json.dumps({"b64_json": b64})),
    "rows alone": Answer(lambda b64: json.dumps([{"b64_json": b64}])),
    "an empty row before it": Answer(lambda b64: json.dumps({"data": [{"b64_json": ""}, {"b64_json": b64}]})),
    "a data URI as its address": Answer(
        lambda b64: json.dumps({"data": [{"b64_json": None, "url": f"data:image/png;base64,{b64}"}]})
    ),
    "a data URI in a row of another name": Answer(
        lambda b64: json.dumps({"images": [{"url": f"data:image/png;base64,{b64}", "width": 1}]})
    ),
    "nothing, for the body is the picture": Answer(base64.b64decode, "image/png"),
    "events as JSON": Answer(stream(completed), JSON),
    "events as text": Answer(stream(completed), "text/plain"),
    "events in capitals": Answer(stream(completed), "TEXT/EVENT-STREAM"),
    "events without a type": Answer(stream(completed), None),
    "an empty event": Answer(stream("data: \n\n", "data:\n\n", completed, "data: \n\n"), EVENTS),
    "comments": Answer(stream(": ping\n\n", ":\n", completed, ": bye\n\n"), EVENTS),
    "done": Answer(stream("data: [DONE]\n\n", completed, "data: [DONE]\n\n"), EVENTS),
    "events of other kinds": Answer(
        stream(
            event({"type": "image_generation.in_progress", "message": "drawing"}),
            event({"type": "ping"}, "ping"),
            "id: 7\nretry: 100\nevent: note\ndata: not JSON\n\n",
            "data: 12\n\ndata: null\n\ndata: []\n\n",
            completed,
            event({"type": "image_generation.summary", "usage": USAGE}),
        ),
        EVENTS,
    ),
    "an event without its name": Answer(stream(lambda b64: event({"b64_json": b64})), EVENTS),
    "an event of another name": Answer(
        stream(lambda b64: event({"type": "image_generation.result", "b64_json": b64})), EVENTS
    ),
    "an event named only before it": Answer(
        stream(lambda b64: event({"b64_json": b64}, "image_edit.completed")), EVENTS
    ),
    "a whole body as an event": Answer(stream(lambda b64: f"data: {whole()(b64)!s}\n\n"), EVENTS),
    "events without blank lines": Answer(
        stream(lambda b64: (event({"type": "ping"}, "ping") + completed(b64)).replace("\n\n", "\n")), EVENTS
    ),
    "an event that nothing ends": Answer(stream(lambda b64: completed(b64).rstrip()), EVENTS),
    "events in lines as in mail": Answer(stream(lambda b64: completed(b64).replace("\n", "\r\n")), EVENTS),
    "an event that was cut after the picture": Answer(
        stream(lambda b64: completed(b64).partition(', "usage"')[0]), EVENTS
    ),
    "an event in two lines": Answer(
        stream(lambda b64: completed(b64).replace(', "usage"', ',\ndata: "usage"')), EVENTS
    ),
    "no blank after the colon": Answer(stream(lambda b64: completed(b64).replace("data: ", "data:")), EVENTS),
    "lines of JSON": Answer(
        stream('{"type": "ping"}\n', lambda b64: json.dumps({"type": "image_edit.completed", "b64_json": b64})), JSON
    ),
}
# Usage that says no price.
UNCOUNTED: dict[str, object] = {
    "none": None,
    "text": "50 tokens",
    "an empty one": {},
    "LocalAI's zeros": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    "zeros": {"input_tokens": 0, "output_tokens": 0, "input_tokens_details": {"text_tokens": 0, "image_tokens": 0}},
    "without details": {"input_tokens": 50, "output_tokens": 50},
    "details as text": {**USAGE, "input_tokens_details": "10/40"},
    "null details": {**USAGE, "input_tokens_details": None},
    "half of the details": {**USAGE, "input_tokens_details": {"text_tokens": 10}},
    "numbers as text": {**USAGE, "output_tokens": "50"},
    "fractions": {**USAGE, "output_tokens": 50.5},
    "whole fractions": {**USAGE, "input_tokens_details": {"text_tokens": 10.0, "image_tokens": 40.0}},
    "less than nothing": {**USAGE, "output_tokens": -50},
    "a sum in words": {**USAGE, "total_tokens": "a hundred"},
    "a sum in fractions": {**USAGE, "input_tokens": 50.5},
    "a truth": {**USAGE, "output_tokens": True},
    "a list": [USAGE],
    "more than there is": {**USAGE, "output_tokens": 10**17},
    "not JSON's numbers": {**USAGE, "output_tokens": float("inf"), "input_tokens": float("nan")},
}


class TestThePictureIsKept:
    @pytest.mark.parametrize("form", WRITTEN.values(), ids=WRITTEN)
    def test_however_it_is_written(self, server: FakeOpenAI, form: Callable[[str], str]) -> None:
        engine = OpenAIEngine(Endpoint(KEY, server.base_url), model=MODEL, streaming=False)
        sent: list[str] = []

        def body(picture: str) -> str | bytes:
            sent.append(picture)
            return written(form)(picture)

        server.will(Behaviour(answer=Answer(body)))
        final = made(engine, ASKED)
        assert final.data == b64decode(sent[0])
        assert final.size == SIZE
        assert final.notes == ()
        assert final.cost.usd is None
        assert server.calls == 1

    @pytest.mark.parametrize("answer", AROUND.values(), ids=AROUND)
    def test_whatever_stands_around_it(self, server: FakeOpenAI, engine: OpenAIEngine, answer: Answer) -> None:
        server.will(Behaviour(answer=answer))
        final = made(engine, ASKED)
        assert final.size == SIZE
        assert final.notes == ()
        assert final.request_id == server.received[0].request_id
        assert server.calls == 1

    @pytest.mark.parametrize("usage", UNCOUNTED.values(), ids=UNCOUNTED)
    def test_whatever_is_said_of_its_price(self, server: FakeOpenAI, engine: OpenAIEngine, usage: object) -> None:
        server.will(Behaviour(answer=Answer(whole(usage=usage))))
        final = made(engine, ASKED)
        assert final.size == SIZE
        assert final.cost.usd is None

    def test_with_a_number_that_no_program_counts_to(self, server: FakeOpenAI, engine: OpenAIEngine) -> None:
        server.will(Behaviour(answer=Answer(lambda b64: str(whole(usage=7)(b64)).replace("7}", "7" * 5000 + "}"))))
        assert made(engine, ASKED).cost.usd is None

    @pytest.mark.parametrize("body", [whole(usage=USAGE), stream(completed)], ids=["whole", "stream"])
    def test_and_its_price_where_it_is_told(self, server: FakeOpenAI, engine: OpenAIEngine, body: Body) -> None:
        server.will(Behaviour(answer=Answer(body, None)))
        cost = made(engine, ASKED).cost
        assert (cost.input_tokens, cost.output_tokens) == (50, 50)
        assert cost.usd == pytest.approx(USAGE_USD)

    @pytest.mark.parametrize("quality", [7, ["high"], {"is": "high"}, "", "high" * 99, None])
    def test_whatever_quality_it_is_said_to_have(
        self, server: FakeOpenAI, engine: OpenAIEngine, quality: object
    ) -> None:
        server.will(Behaviour(answer=Answer(whole(quality=quality))))
        assert made(engine, ASKED).notes == ()

    def test_partial_pictures_are_none_whatever_they_are_called(self, server: FakeOpenAI) -> None:
        engine = OpenAIEngine(Endpoint(KEY, server.base_url), model=MODEL)
        parts = stream(
            lambda b64: event({"b64_json": b64, "partial_image_index": 70}),
            lambda b64: event({"type": "image_edit.partial_image", "b64_json": b64}),
            lambda b64: event({"b64_json": b64}, "image_generation.partial_image"),
            lambda b64: event({"code": 0, "data": {"type": "image_generation.partial_image", "b64_json": b64}}),
            lambda b64: event({"code": 0, "data": {"type": "image_generation.completed", "b64_json": b64}}),
        )
        server.will(Behaviour(answer=Answer(parts, EVENTS)))
        *partials, final = engine.generate(ASKED, lambda: False)
        assert [0 < each.progress <= 1 for each in partials if isinstance(each, PartialPicture)] == [True] * 4
        assert isinstance(final, FinalPicture)

    def test_a_picture_with_a_fault_in_its_file_is_written_anew(self, server: FakeOpenAI, engine: OpenAIEngine) -> None:
        def damaged(picture: str) -> str:
            data = b64decode(picture)
            end = data.rindex(b"IEND") - 4
            note = b"tEXtComment\0made elsewhere"
            return b64encode(data[:end] + (len(note) - 4).to_bytes(4, "big") + note + b"NOPE" + data[end:]).decode()

        server.will(Behaviour(answer=Answer(written(damaged))))
        final = made(engine, ASKED)
        assert final.notes == ("It came with faults in its file and is kept as PNG.",)
        assert final.size == SIZE


REFUSED, BAD, DOWN, LIMITED = (
    EngineFault.REFUSED,
    EngineFault.BAD_REQUEST,
    EngineFault.UNAVAILABLE,
    EngineFault.RATE_LIMITED,
)
UNSAID = Charge()  # it may have been charged, and nobody said what
FREE = None
VERIFY = (
    "Your organization must be verified to use the model `gpt-image-2`. Please go to: "
    "https://platform.openai.com/settings/organization/general and click on Verify Organization. If you just verified, "
    "it can take up to 15 minutes for access to propagate."
)
AZURE = {
    "message": "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. "
    "Please modify your prompt and retry. To learn more about our content filtering policies please read our "
    "documentation: https://go.microsoft.com/fwlink/?linkid=2198766",
    "type": None,
    "param": "prompt",
    "code": "content_filter",
    "status": 400,
    "innererror": {
        "code": "ResponsibleAIPolicyViolation",
        "content_filter_result": {
            "hate": {"filtered": False, "severity": "safe"},
            "violence": {"filtered": True, "severity": "medium"},
        },
    },
}


def said(status: int, body: object, content_type: str | None = JSON, **headers: str) -> Answer:
    text = body if isinstance(body, str) else json.dumps(body)
    return Answer(lambda _: text, content_type, status, headers)


def page(status: int, text: str) -> Answer:
    return said(status, text, "text/html; charset=utf-8")


# What is answered, the kind it becomes, words of the sentence, and what is charged.
FAILURES: dict[str, tuple[Answer, EngineFault, str, Charge | None]] = {
    # Refusals.
    "Azure's filter": (said(400, {"error": AZURE}), REFUSED, "(violence)", FREE),
    "Azure's filter by its inner code alone": (
        said(400, {"error": {"code": "BadRequest", "message": "No.", "innererror": AZURE["innererror"]}}),
        *(REFUSED, "(violence)", FREE),
    ),
    "Azure's filter in camel case": (
        said(400, {"error": {"code": "contentFilter", "message": "No."}}),
        REFUSED,
        "",
        FREE,
    ),
    "Azure's filter of a picture that was made": (
        said(200, {"data": [{"b64_json": None, "content_filter_results": {"sexual": {"filtered": True}}}]}),
        *(REFUSED, "(sexual)", FREE),
    ),
    "LiteLLM's filter": (
        said(
            400,
            {
                "error": {
                    "message": "litellm.ContentPolicyViolationError: AzureException - filtered",
                    "type": None,
                    "param": None,
                    "code": "400",
                }
            },
        ),
        *(REFUSED, "safety system", FREE),
    ),
    "LiteLLM's filter under 500": (
        said(500, {"error": {"message": "litellm.ContentPolicyViolationError: no", "code": "500"}}),
        *(REFUSED, "safety system", FREE),
    ),
    "an error under 200": (
        said(200, {"error": {"message": "Rejected by our safety system.", "code": "moderation_blocked"}}),
        *(REFUSED, "", FREE),
    ),
    "the same without its frame": (
        said(200, {"code": "content_policy_violation", "message": "No."}),
        *(REFUSED, "", FREE),
    ),
    "the same in a stream": (
        said(200, event({"error": {"message": "No.", "code": "moderation_blocked"}}), EVENTS),
        *(REFUSED, "", FREE),
    ),
    "the same with a link to help": (
        said(200, {"error": {"message": "No.", "code": "content_filter"}, "url": "https://docs.example/errors"}),
        *(REFUSED, "", FREE),
    ),
    "the same as an event that failed": (
        said(200, event({"type": "image_edit.failed", "error": {"code": "content_filter"}}), EVENTS),
        *(REFUSED, "", FREE),
    ),
    "a code in a list": (said(400, {"error": {"code": ["content_filter"], "message": "No."}}), REFUSED, "", FREE),
    # The far side's own words.
    "FastAPI's list": (
        said(422, {"detail": [{"type": "missing", "loc": ["body", "image"], "msg": "Field required", "input": None}]}),
        *(BAD, "did not accept the request: body.image: Field required.", FREE),
    ),
    "a list in Python's spelling": (
        said(400, {"error": {"message": "[{'type': 'missing', 'loc': ('body', 'prompt')}]"}}),
        *(BAD, "('body', 'prompt')", FREE),
    ),
    "Amazon's": (
        said(400, {"__type": "Denied", "Message": "User is not authorized"}),
        BAD,
        "User is not authorized",
        FREE,
    ),
    "another address": (
        Answer(lambda _: "", "text/html", status=301, headers={"location": "https://gateway.example/v1/x?token=1"}),
        *(BAD, "redirects to https://gateway.example/v1/x, and nothing is sent there", FREE),
    ),
    "another address that would be sent the same": (
        Answer(lambda _: "", "text/html", status=307, headers={"location": "/elsewhere"}),
        *(BAD, "redirects to /elsewhere", FREE),
    ),
    "FastAPI's detail": (said(400, {"detail": "Only one picture is taken"}), BAD, "Only one picture is taken", FREE),
    "an error as text": (said(400, {"error": "size is not supported"}), BAD, "size is not supported", FREE),
    "an error as list": (
        said(400, {"error": ["no size", {"message": "no quality"}]}),
        BAD,
        "no size; no quality",
        FREE,
    ),
    "a list of errors": (said(400, [{"error": {"message": "no such field"}}]), BAD, "no such field", FREE),
    "errors": (said(400, {"success": False, "errors": [{"code": 7, "message": "no route"}]}), BAD, "no route", FREE),
    "a message beside a name": (
        said(400, {"statusCode": 400, "error": "Bad Request", "message": "size must be a string"}),
        *(BAD, "size must be a string", FREE),
    ),
    "a problem": (
        said(400, {"type": "about:blank", "title": "Bad", "detail": "n is too high"}, "application/problem+json"),
        *(BAD, "n is too high", FREE),
    ),
    "plain text": (said(400, "unknown option --quality", "text/plain"), BAD, "unknown option --quality", FREE),
    "an event": (said(400, "data: " + json.dumps({"error": {"message": "bad n"}}), EVENTS), BAD, ": bad n.", FREE),
    "JSON with a byte order mark": (said(400, "\ufeff" + json.dumps({"detail": "bad n"})), BAD, ": bad n.", FREE),
    "Korean in its own encoding": (
        Answer(lambda _: "<title>차단된 주소</title>".encode("euc-kr"), "text/html; charset=euc-kr", 400),
        *(BAD, "차단된 주소", FREE),
    ),
    "a code as number": (said(400, {"error": {"code": 20015, "message": "bad size"}}), BAD, "bad size", FREE),
    "a code as object": (
        said(400, {"error": {"code": {"a": 1}, "type": ["x"], "message": "bad"}}),
        BAD,
        ": bad.",
        FREE,
    ),
    "no words": (said(400, "{}"), BAD, "HTTP 400, without a reason", FREE),
    "no body": (said(405, "", None), BAD, "HTTP 405, without a reason", FREE),
    # 403: not the key's fault.
    "a country": (
        said(403, {"error": {"code": "unsupported_country_region_territory", "message": "Country not supported"}}),
        *(BAD, "does not allow this: Country not supported.", FREE),
    ),
    "an organisation": (
        said(403, {"error": {"message": VERIFY, "type": "invalid_request_error", "code": None}}),
        *(BAD, "https://platform.openai.com/settings/organization/general", FREE),
    ),
    "an organisation, its link behind many words": (
        said(403, {"error": {"message": "You must wait. " * 20 + "See https://platform.example/verify to go on."}}),
        *(BAD, "… https://platform.example/verify", FREE),
    ),
    "a firewall": (
        page(403, "<!DOCTYPE html><title>Attention Required! | Cloudflare</title>Sorry, you have been blocked"),
        *(BAD, "does not allow this: Attention Required! | Cloudflare.", FREE),
    ),
    "a firewall without a title": (
        page(403, "<html><head><style>p {}</style></head><h1>Blocked &amp; logged</h1><p>Ray 1</html>"),
        *(BAD, "Blocked & logged", FREE),
    ),
    "a firewall without a heading": (page(403, "<html><body>Not <b>here</b></body>"), BAD, "Not here", FREE),
    "a 403 as XML": (
        page(403, "<Error><Code>AccessDenied</Code><Message>No entry</Message></Error>"),
        BAD,
        "No entry",
        FREE,
    ),
    # The other causes with words.
    "a key": (
        said(401, {"error": {"message": f"Invalid proxy server token passed: {KEY}", "code": "401"}}),
        *(BAD, "(Invalid proxy server token passed: [key]): an administrator must set a valid OPENAI_API_KEY", FREE),
    ),
    "a model": (
        said(404, {"error": {"message": "Model gpt-image-2 was not found here"}}),
        *(BAD, "does not offer gpt-image-2 to this server (Model gpt-image-2 was not found here)", FREE),
    ),
    "a path": (page(404, "<html><head><title>404 Not Found</title></head>"), BAD, "check OPENAI_BASE_URL", FREE),
    "a limit": (
        said(429, "Too many requests, slow down", "text/plain", **{"retry-after": "9"}),
        *(LIMITED, "(Too many requests, slow down): try again in 9 s", FREE),
    ),
    "a body that is too large": (
        page(413, "<title>413 Request Entity Too Large</title>"),
        BAD,
        "switch some slots off",
        FREE,
    ),
    # What a gateway's own fault cost is unknown.
    "a fault": (
        said(500, {"error": {"message": "Expecting value: line 1 column 1 (char 0)", "code": "500"}}),
        *(DOWN, "(Expecting value: line 1 column 1 (char 0)); it may have been charged", UNSAID),
    ),
    "a fault as a page": (
        page(502, "<title>502 Bad Gateway</title>"),
        DOWN,
        "(502 Bad Gateway); the picture may",
        UNSAID,
    ),
    "a fault behind the gateway": (
        page(504, "<title>504 Gateway Time-out</title>"),
        *(EngineFault.TIMED_OUT, "(504 Gateway Time-out); it may have been charged", UNSAID),
    ),
    "an unknown error under 200": (
        said(200, {"error": "the worker is gone"}),
        *(DOWN, "broke off with an error: the worker is gone. The picture may have been charged", UNSAID),
    ),
    "a status within": (
        said(200, {"error": {"code": 429, "message": "Upstream is busy"}}),
        *(LIMITED, "(Upstream is busy)", FREE),
    ),
    # Answers without a picture.
    "a page under 200": (page(200, "<title>Sign in</title>"), DOWN, "could not be read (Sign in); it may have", UNSAID),
    "text under 200": (said(200, "It works!", "text/plain"), DOWN, "could not be read (It works!)", UNSAID),
    "no rows": (said(200, {"created": 1, "data": []}), DOWN, "ended without a picture; it may have", UNSAID),
    "nothing": (said(200, "", None), DOWN, "ended without a picture; it may have been charged", UNSAID),
    "a partial picture that was cut after its base64": (
        Answer(lambda b64: f'data: {{"type": "image_edit.partial_image", "b64_json": "{b64}"', EVENTS),
        *(DOWN, "could not be read; it may", UNSAID),
    ),
    "an unfinished stream": (said(200, ": ping\n\ndata: [DONE]\n\n", EVENTS), DOWN, "ended without a picture", UNSAID),
    "half of an answer": (said(200, '{"data": [{"b64_js'), DOWN, "could not be read; it may", UNSAID),
    # An address.
    "an address": (
        said(200, {"data": [{"index": 0, "url": "http://localai.local:8080/generated-images/b6.png"}]}),
        *(BAD, "sent the address of a picture (`url`) instead of the picture: have it answer with `b64_json`", UNSAID),
    ),
    "an address with its price": (
        said(200, {"data": [{"b64_json": None, "url": "https://a.example/1.png"}], "usage": USAGE}),
        *(BAD, "response_format", Charge(USAGE_USD, 50, 50)),
    ),
    "an address on the same server": (said(200, {"data": [{"url": "/images/1.png"}]}), BAD, "response_format", UNSAID),
    "an address in the place of base64": (
        said(200, {"data": [{"b64_json": "https://a.example/1.png"}]}),
        *(BAD, "response_format", UNSAID),
    ),
    "an address in a stream": (
        said(200, event({"type": "image_edit.completed", "url": "https://a.example/1.png"}), EVENTS),
        *(BAD, "response_format", UNSAID),
    ),
    # "Damaged" is said of bytes alone.
    "no base64": (said(200, {"data": [{"b64_json": "<not a picture>"}]}), DOWN, "something that is not base64", UNSAID),
    "bytes of no picture": (said(200, {"data": [{"b64_json": "aGVsbG8="}]}), DOWN, "arrived damaged", UNSAID),
}


class TestWhatIsSaidInstead:
    @pytest.mark.parametrize(("answer", "kind", "words", "charge"), FAILURES.values(), ids=FAILURES)
    def test_it_is_told_in_the_servers_words_and_by_its_name(
        self,
        server: FakeOpenAI,
        engine: OpenAIEngine,
        name: str,
        answer: Answer,
        kind: EngineFault,
        words: str,
        charge: Charge | None,
    ) -> None:
        server.will(Behaviour(answer=answer))
        error = failed(engine, ASKED)
        assert error.kind is kind
        assert words in error.message
        assert name in error.message
        assert "OpenAI " not in error.message.replace("Azure OpenAI", "")
        assert error.charge == (charge and replace(charge, usd=charge.usd and pytest.approx(charge.usd)))
        assert ("charged" in error.message) == (charge is not None)
        assert error.request_id == server.received[0].request_id
        assert KEY not in repr(error)
        assert server.calls == 1

    def test_words_without_end_are_cut(self, server: FakeOpenAI, engine: OpenAIEngine) -> None:
        server.will(Behaviour(answer=said(400, {"detail": ["word " * 100_000] * 50})))
        assert len(failed(engine, ASKED).message) < 400


class TestWhoWasAsked:
    @pytest.mark.parametrize(
        ("base_url", "server", "is_openai"),
        [
            (None, "OpenAI", True),
            ("https://api.openai.com/v1", "OpenAI", True),
            ("https://API.OpenAI.com:443/v1/", "OpenAI", True),
            ("https://eu.api.openai.com/v1", "OpenAI", True),
            ("https://api.openai.com.example/v1", "api.openai.com.example", False),
            ("https://notapi.openai.com/v1", "notapi.openai.com", False),
            ("https://studio.openai.azure.com/openai/v1/", "studio.openai.azure.com", False),
            ("http://litellm:4000", "litellm:4000", False),
            ("http://[::1]:8080/v1", "[::1]:8080", False),
            ("https://me:secret@gateway.example/v1", "gateway.example", False),
        ],
    )
    def test_a_server_is_called_by_its_name(self, base_url: str | None, server: str, is_openai: bool) -> None:
        endpoint = Endpoint(KEY, base_url)
        assert (endpoint.server, endpoint.is_openai) == (server, is_openai)

    @pytest.mark.parametrize(
        ("status", "sentence"),
        [
            (500, "OpenAI had a fault of its own while making the picture."),
            (503, "OpenAI is overloaded or down at the moment."),
            (403, "OpenAI does not allow this: No."),
            (400, "OpenAI did not accept the request: No."),
        ],
    )
    def test_openais_own_faults_are_not_charged(self, status: int, sentence: str) -> None:
        request = httpx.Request("POST", "https://api.openai.com/v1/images/edits")
        response = httpx.Response(status, json={"error": {"message": "No."}}, request=request)
        call = Call[object](Endpoint(KEY), lambda _: (), timeout_s=1, name="openai-call")
        error = translate(openai.APIStatusError("", response=response, body=None), ASKED, call)  # type: ignore[arg-type]
        assert error.message.startswith(sentence)
        assert error.charge is None


def test_noise_before_a_cut_is_no_answer(server: FakeOpenAI, engine: OpenAIEngine) -> None:
    server.will(Behaviour(Fault.CUT, cut_at=300))
    error = failed(engine, ASKED)
    assert isinstance(error, EngineError)
    assert "broke off before the picture was complete" in error.message
