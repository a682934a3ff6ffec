"""What cannot have been sent was not charged, whoever asks; and the sentence names the setting to correct."""

from __future__ import annotations

import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from typing import Any

import httpx
import openai
import pytest
import trustme

from core.errors import ConfigError, EngineError, EngineFault, StudioError
from core.generation.engines.engine import SideRequest
from core.generation.engines.openai_engine import OpenAIEngine
from core.generation.records.comparison import Size
from core.injection.openai_reader import OpenAIReader
from core.injection.reading.reader import OfflineReader
from core.injection.request.wishes import SideName
from core.labels.machine.openai_batch import OpenAIBatches
from core.labels.machine.openai_errors import ErrorScope, RetryPolicy, run_error, scope_of
from core.openai import preflight
from core.openai.call import call_once
from core.openai.client import Endpoint
from core.openai.unsent import never_left, unsent_error
from tests.injection.libraries import VOCABULARY

KEY = "sk-proj-NOT-FOR-ANY-LOG-0123456789"
NOWHERE = "http://127.0.0.1:9/v1"
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
REQUEST = SideRequest(
    side=SideName.TONE_ONLY,
    prompt="A red chair",
    references=(),
    size=Size(width=1024, height=1024),
    quality="low",
    model="gpt-image-2",
    seed=7,
    deadline_s=10,
)


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in (*PROXIES, *(name.upper() for name in PROXIES), "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"):
        monkeypatch.delenv(name, raising=False)
    preflight.trusted_certificates.cache_clear()
    yield
    preflight.trusted_certificates.cache_clear()


def chat(client: openai.OpenAI) -> object:
    return client.chat.completions.create(model="m", messages=[])


def failure(key: str = KEY, url: str | None = NOWHERE, ask: Callable[[openai.OpenAI], object] = chat) -> StudioError:
    """What a call comes to that never leaves."""
    with pytest.raises(StudioError) as caught:
        call_once(Endpoint(key, url), ask, limit_s=10, name="openai-test")
    return caught.value


def side(key: str = KEY, url: str | None = NOWHERE) -> EngineError:
    """What a side comes to."""
    with pytest.raises(EngineError) as caught:
        list(OpenAIEngine(Endpoint(key, url), model="gpt-image-2").generate(REQUEST, lambda: False))
    return caught.value


@contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that does one thing with each connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def say(text: bytes, connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(text)


WRONG_ENVIRONMENTS = [
    ("ALL_PROXY", "socks5://127.0.0.1:1080"),
    ("all_proxy", "socks5h://user:secret@127.0.0.1:1080"),
    ("HTTPS_PROXY", "socks5://127.0.0.1:1080"),
    ("ALL_PROXY", "socks://127.0.0.1:1080/"),  # as GNOME sets it
    ("HTTP_PROXY", "ftp://user:secret@127.0.0.1:21"),
    ("http_proxy", "http://127.0.0.1:secret"),
    ("https_proxy", "http://127.0.0.1:99999"),
    ("HTTPS_PROXY", "http://"),
    ("HTTPS_PROXY", "http://us er:secret@proxy:3128"),
    ("OPENAI_ORG_ID", "org-1\nX-Evil: 1"),
    ("OPENAI_ORG_ID", "조직"),
    ("OPENAI_PROJECT_ID", "proj_1\r"),
    ("OPENAI_CUSTOM_HEADERS", "X-Studio: ü"),
    ("OPENAI_CUSTOM_HEADERS", "X Studio: 1"),
    ("SSL_CERT_FILE", "/nowhere/secret.pem"),
    ("SSL_CERT_FILE", __file__),
    ("SSLKEYLOGFILE", "/nowhere/keys.log"),
]


@pytest.mark.parametrize(("setting", "value"), WRONG_ENVIRONMENTS)
def test_an_environment_in_which_nothing_can_be_sent_is_named_by_its_setting(
    monkeypatch: pytest.MonkeyPatch, setting: str, value: str
) -> None:
    monkeypatch.setenv(setting, value)
    error = failure()
    assert isinstance(error, ConfigError)
    assert error.setting == setting
    assert setting in error.message
    assert "secret" not in error.message
    told = side()
    assert (told.kind, told.charge) == (EngineFault.BAD_REQUEST, None)
    assert "nothing was sent or charged" in told.message
    assert setting in told.message


@pytest.mark.parametrize(
    "url",
    [
        *("127.0.0.1:4000/v1", "localhost/v1", "/v1", "htp://host/v1", "ftp://host/v1", "http:///v1", "https://"),
        *("http://host:port/v1", "http://host:99999/v1", "http://host:0/v1", "http://[::1/v1", "http://a b/v1"),
        *("http://host/v1\n", "http://h\x00st/v1", "http://-ä..b/v1", "http://.../v1", "http://u:secret@ho st/v1"),
    ],
)
def test_an_address_that_is_none_is_named_by_its_setting(url: str) -> None:
    assert isinstance(error := failure(url=url), ConfigError)
    assert error.setting == "OPENAI_BASE_URL"
    assert "secret" not in error.message
    assert "nothing was sent or charged" in side(url=url).message


@pytest.mark.parametrize("key", ["sk-a\nb", "sk-a\r", "sk-a ", "sk-ä", "키", "sk-a\x00"])
def test_a_key_that_no_header_can_carry_is_named_and_not_shown(key: str) -> None:
    assert isinstance(error := failure(key=key), ConfigError)
    assert error.setting == "OPENAI_API_KEY"
    assert "sk-a" not in error.message
    assert "nothing was sent or charged" in side(key=key).message


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        *(("NO_PROXY", "[::1"), ("no_proxy", "10.0.0.1/99,,http://x:y"), ("ALL_PROXY", "")),
        *(("HTTP_PROXY", "127.0.0.1:9"), ("ALL_PROXY", "http://us%20er:p%40ss@127.0.0.1:9")),
        *(("OPENAI_BASE_URL", ""), ("OPENAI_ORG_ID", ""), ("OPENAI_CUSTOM_HEADERS", "nonsense\n X-A : b \n")),
    ],
)
def test_what_can_be_sent_with_is_no_wrong_setting(monkeypatch: pytest.MonkeyPatch, setting: str, value: str) -> None:
    monkeypatch.setenv(setting, value)
    assert isinstance(failure(), EngineError)
    with Endpoint(KEY).client(timeout=1) as client:
        assert str(client.base_url) == "https://api.openai.com/v1/"


def test_proxies_that_nobody_uses_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    monkeypatch.setenv("NO_PROXY", "localhost, *")
    assert isinstance(failure(), EngineError)


@pytest.mark.parametrize("missing", ["openai.resources.chat", "openai.resources.images"])
def test_a_part_of_the_sdk_that_cannot_be_imported_is_no_call(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    error = failure(ask=lambda client: client.images.generate(prompt="x") if "images" in missing else chat(client))
    assert isinstance(error, ConfigError)
    assert "requirements.txt" in error.message
    assert missing in error.message


@pytest.mark.parametrize(
    "headers", [{"X-Studio": "a\nb"}, {"X Studio": "a"}, {"X-Studio": "\N{LATIN SMALL LETTER A WITH DIAERESIS}"}]
)
def test_what_only_the_connection_finds_wrong_has_not_been_sent_either(headers: dict[str, str]) -> None:
    with listening(lambda connection: connection.recv(65536) and None) as port:
        error = failure(url=f"http://127.0.0.1:{port}/v1", ask=lambda client: client.models.list(extra_headers=headers))
    assert isinstance(error, ConfigError)
    assert error.message.startswith(f"No request to 127.0.0.1:{port} could be formed")


def test_batches_need_a_setting_that_is_right_and_ask_again_of_a_server_that_is_away() -> None:
    parts: dict[str, Any] = dict.fromkeys(("question", "store", "proposals", "records"))
    with pytest.raises(ConfigError, match="OPENAI_API_KEY holds"):
        OpenAIBatches(Endpoint("sk-ä", NOWHERE), **parts)
    asked: list[float] = []
    batches = OpenAIBatches(Endpoint(KEY, NOWHERE), **parts, retry=RetryPolicy(attempts=2, sleep=asked.append))
    with closing(batches), pytest.raises(EngineError, match="for nothing listens there") as caught:
        batches._call(batches._client.batches.list)
    assert "--resume" in caught.value.message
    assert len(asked) == 1


class TestAServerThatCannotBeReached:
    def test_a_closed_port(self) -> None:
        error = failure()
        assert isinstance(error, EngineError)
        assert (error.kind, error.charge) == (EngineFault.UNAVAILABLE, None)
        assert error.message.startswith("127.0.0.1:9 could not be reached, for nothing listens there")
        assert "OPENAI_BASE_URL" in error.message

    def test_a_server_that_speaks_http_where_https_is_written(self) -> None:
        with listening(partial(say, b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
            told = side(url=f"https://127.0.0.1:{port}/v1")
        assert "over TLS" in told.message
        assert "nothing was sent or charged" in told.message

    def test_a_certificate_that_nobody_here_trusts(self) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        trustme.CA().issue_cert("127.0.0.1").configure_cert(context)

        def greet(connection: socket.socket) -> None:
            with suppress(OSError):  # the client ends it
                context.wrap_socket(connection, server_side=True).recv(1)

        with listening(greet) as port:
            told = side(url=f"https://127.0.0.1:{port}/v1")
        assert "SSL_CERT_FILE" in told.message
        assert "nothing was sent or charged" in told.message

    @pytest.mark.parametrize("setting", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
    def test_a_proxy_that_is_not_there_is_named(self, monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
        monkeypatch.setenv(setting, "http://user:secret@localhost:9")
        told = side(url=None)
        assert told.kind is EngineFault.UNAVAILABLE
        assert f"OpenAI could not be reached through the proxy that {setting} names" in told.message
        assert "nothing was sent or charged" in told.message
        assert "secret" not in told.message

    @pytest.mark.parametrize("status", [b"407 Proxy Authentication Required", b"403 Forbidden", b"502 Bad Gateway"])
    def test_a_proxy_that_makes_no_tunnel_has_told_the_server_nothing(
        self, monkeypatch: pytest.MonkeyPatch, status: bytes
    ) -> None:
        with listening(partial(say, b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\n\r\n")) as port:
            monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
            told = side(url=None)
        assert (told.kind, told.charge) == (EngineFault.UNAVAILABLE, None)
        assert "HTTPS_PROXY" in told.message
        assert status.decode() in told.message
        assert "nothing was sent or charged" in told.message

    def test_a_connection_that_ends_once_the_request_is_sent_may_be_charged(self) -> None:
        with listening(lambda connection: connection.recv(65536) and None) as port:
            told = side(url=f"http://127.0.0.1:{port}/v1")
        assert told.charge is not None
        assert "may have been charged" in told.message

    @pytest.mark.parametrize(
        ("cause", "kind", "says"),
        [
            (socket.gaierror(-2, "Name or service not known"), EngineFault.UNAVAILABLE, "its name is not known here"),
            (OSError(113, "No route to host"), EngineFault.UNAVAILABLE, "(No route to host)"),
            (TimeoutError("timed out"), EngineFault.TIMED_OUT, "(no answer in time)"),
        ],
    )
    def test_every_reason_is_said(self, cause: OSError, kind: EngineFault, says: str) -> None:
        request = httpx.Request("POST", NOWHERE)
        made = openai.APITimeoutError if kind is EngineFault.TIMED_OUT else partial(openai.APIConnectionError)
        err = made(request=request)
        err.__cause__ = httpx.ConnectTimeout("") if kind is EngineFault.TIMED_OUT else httpx.ConnectError("")
        err.__cause__.__cause__ = cause
        error = unsent_error(err, Endpoint(KEY, "http://gateway.studio:4000/v1"), "gateway.studio")
        assert isinstance(error, EngineError)
        assert error.kind is kind
        assert error.message.startswith("gateway.studio:4000 could not be reached")
        assert says in error.message
        assert never_left(err)


def test_the_reader_names_the_setting_and_reads_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    reading = OpenAIReader(Endpoint(KEY, NOWHERE), "m", VOCABULARY, OfflineReader(VOCABULARY)).read("A man, noir")
    assert reading.tone == "noir"
    assert reading.note.startswith("ALL_PROXY asks for a SOCKS proxy")


def test_a_labeling_run_ends_at_a_wrong_setting_and_asks_again_of_a_server_that_is_away() -> None:
    wrong = failure(key="sk-ä")
    assert scope_of(wrong) is ErrorScope.ACCOUNT
    assert "nothing was sent: OPENAI_API_KEY" in run_error(wrong, "gateway:4000").message
    assert scope_of(failure()) is ErrorScope.MOMENT


@pytest.mark.parametrize("cause", [httpx.ReadError(""), httpx.WriteError(""), httpx.RemoteProtocolError("")])
def test_what_broke_after_sending_is_not_taken_for_unsent(cause: Exception) -> None:
    err = openai.APIConnectionError(request=httpx.Request("POST", NOWHERE))
    err.__cause__ = cause
    assert not never_left(err)
