"""What `check` says of the server that is asked: which way, whether it answers, and what it answers, in any shape."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from core.cli.checks import outside
from core.cli.checks.report import Report
from core.openai.client import Endpoint
from core.openai.models import offered_models
from core.settings import load_settings
from core.studio import build_engines, streams_pictures

KEY = "sk-proj-NOT-FOR-ANY-EYES-0123456789"
OURS = ["gpt-image-2", "gpt-5-mini"]
Reports = Callable[..., tuple[str, bool]]
HTML = "<html><head><title>Studio gateway</title></head><body>Sign in</body></html>"


class Answering:
    """A server that answers every request in one way, and counts them."""

    def __init__(self) -> None:
        self.status, self.body, self.kind = 200, b"", "application/json"
        self.asked: list[str] = []
        answering = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answering.asked.append(self.path)
                if answering.status:
                    self.send_response(answering.status)
                    self.send_header("content-type", answering.kind)
                    self.send_header("content-length", str(len(answering.body)))
                    self.end_headers()
                    self.wfile.write(answering.body)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.name = f"127.0.0.1:{self.server.server_port}"

    def will(self, status: int, body: object, kind: str = "application/json") -> None:
        text = body if isinstance(body, str) else json.dumps(body)
        self.status, self.body, self.kind = status, text.encode(), kind
        self.asked.clear()


@pytest.fixture(scope="module")
def running() -> Iterator[Answering]:
    answering = Answering()
    thread = threading.Thread(target=answering.server.serve_forever, args=(0.02,), name="answering")
    thread.start()
    yield answering
    answering.server.shutdown()
    answering.server.server_close()
    thread.join()


@pytest.fixture
def report(running: Answering, capsys: pytest.CaptureFixture[str]) -> Reports:
    """What `check` prints of such settings, and whether people could be served."""

    def of(**more: str) -> tuple[str, bool]:
        environ = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"http://{running.name}/v1"} | more
        made = Report()
        outside.openai(made, load_settings(environ))
        out = capsys.readouterr().out
        assert KEY not in out
        return out, not made.failed

    return of


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"object": "list", "data": [{"id": "a"}, {"id": "b", "object": "model"}]}, {"a", "b"}),
        ({"data": ["a", "b"]}, {"a", "b"}),
        ({"models": [{"name": "a"}, {"id": "b"}]}, {"a", "b"}),
        ([{"id": "a"}, 7, None, "b"], {"a", "b"}),
        ({"data": None}, None),
        ({"data": {"a": 1}}, None),
        ({"ok": True}, None),
        ("null", None),
        ("7", None),
        ("", None),
        (HTML, None),
        ("[" * 100_000, None),
    ],
)
def test_models_are_read_in_every_shape_and_none_is_made_up(
    running: Answering, body: object, names: set[str] | None
) -> None:
    running.will(200, body, "text/html")
    assert offered_models(Endpoint(KEY, f"http://{running.name}/v1")) == names
    assert running.asked == ["/v1/models"]


def test_a_server_that_has_all_models_is_named(running: Answering, report: Reports) -> None:
    running.will(200, {"data": [{"id": name} for name in OURS]})
    out, serves = report()
    assert serves
    assert f"ok       openai       {running.name} answers and the key works, image model gpt-image-2" in out


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_gateway_without_a_list_of_models_answers_all_the_same(
    running: Answering, report: Reports, status: int
) -> None:
    running.will(status, {"error": {"message": "Not Found"}})
    out, serves = report()
    assert serves
    assert f"warning  openai       {running.name} answers, but has no list of models" in out
    assert "ends where the API begins, often in /v1" in out


@pytest.mark.parametrize(
    ("status", "body", "state", "says"),
    [
        (401, {"error": {"message": "Incorrect API key", "code": "invalid_api_key"}}, "MISSING", "is not accepted by"),
        (400, {"error": {"message": "No connected db.", "type": "no_db_connection"}}, "MISSING", "is not accepted by"),
        (403, {"error": {"message": "Country not supported"}}, "warning", "(Country not supported, HTTP 403)"),
        (403, HTML, "warning", "(Studio gateway, HTTP 403)"),
        (429, {"error": {"message": "Slow down"}}, "warning", "with an error (Slow down, HTTP 429)"),
        (500, {"detail": "Upstream is gone"}, "warning", "with an error (Upstream is gone, HTTP 500)"),
        (502, "", "warning", "with an error (HTTP 502)"),
        (302, "", "warning", "HTTP 302"),
        (0, "", "warning", "breaks off"),
    ],
)
def test_every_other_answer_is_told_in_the_servers_own_words(
    running: Answering, report: Reports, status: int, body: object, state: str, says: str
) -> None:
    running.will(status, body, "text/html" if body is HTML else "application/json")
    out, serves = report()
    assert serves is (state != "MISSING")
    line = next(line for line in out.splitlines() if line.startswith(f"{state:<9}openai"))
    assert running.name in line
    assert says in line
    assert len(running.asked) == 1, "nothing is asked twice"


def test_what_cannot_be_sent_is_a_setting_to_correct(report: Reports, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that only the SDK reads: the key itself is refused with the other settings, before anything is asked."""
    monkeypatch.setenv("OPENAI_ORG_ID", "org-\N{LATIN SMALL LETTER A WITH DIAERESIS}")
    out, serves = report()
    assert not serves
    assert "MISSING  openai       OPENAI_ORG_ID" in out


def test_an_sdk_that_cannot_be_imported_is_told(report: Reports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "core.openai.client")
    monkeypatch.setitem(sys.modules, "openai", None)
    out, serves = report()
    assert not serves
    assert "requirements.txt" in out


def test_a_step_that_breaks_is_named_and_the_next_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    made = Report()

    def broken() -> None:
        raise ZeroDivisionError("by nothing\nat all")

    made.guard("bucket", broken)
    made.guard("port", lambda: made.ok("port", "free"))
    out = capsys.readouterr().out
    assert made.failed
    assert "MISSING  bucket       this could not be checked (ZeroDivisionError: by nothing at all)" in out
    assert "ok       port" in out


@pytest.mark.parametrize(
    ("said", "base_url", "streams", "why"),
    [
        (None, None, True, "streamed from OpenAI, with previews"),
        ("auto", "https://api.openai.com/v1", True, "streamed from OpenAI"),
        ("auto", "https://eu.api.openai.com/v1", True, "streamed from OpenAI"),
        ("auto", "https://api.openai.com.evil.example/v1", False, "which is not OpenAI"),
        (None, "http://127.0.0.1:4000/v1", False, "asked of 127.0.0.1:4000, which is not OpenAI"),
        ("on", "http://127.0.0.1:4000/v1", True, "streamed from 127.0.0.1:4000"),
        ("off", None, False, "asked of OpenAI; no previews"),
    ],
)
def test_openai_itself_is_streamed_from_and_others_only_where_somebody_says_so(
    said: str | None, base_url: str | None, streams: bool, why: str
) -> None:
    environ = {"OPENAI_API_KEY": KEY, "OPENAI_STREAMING": said or "", "OPENAI_BASE_URL": base_url or ""}
    settings = load_settings(environ)
    endpoint = Endpoint(KEY, base_url)
    assert streams_pictures(settings, endpoint) is streams
    assert build_engines(settings)["openai"].previews is streams
    told = outside._streaming(settings, endpoint)
    assert told.startswith(f"OPENAI_STREAMING={said or 'auto'}: ")
    assert why in told
