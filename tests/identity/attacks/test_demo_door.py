"""Attacks on the demo's front door: where pictures cost money, nobody comes in without the token of this start."""

from __future__ import annotations

import os
import pty
import re
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from core.storage.local.data_dir import ADDRESS_FILE
from tests.support.dashboards.production import run
from tests.support.ports import give_back, own_port
from tests.support.processes.programs import STREAMLIT, TRUSTS_NOBODY, clean_environment, running
from tests.support.processes.servers import Server, serving
from tests.support.timeouts import LONG_S, until

KEY = {"OPENAI_API_KEY": "sk-key-that-costs-money-0123456789", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
ASKED = b"asks for the address that was printed"
REFUSED = b"does not belong to this start"
PATHS = ("/image/320/e/k", "/image/original/e/k", "/partial/01KAM8K4T0YZ7C4D0Q7H7P3N5E/tone-only", "/media/x.jsonl")


def address_of(server: Server) -> str:
    return (server.data_dir / ADDRESS_FILE).read_text("utf-8").strip()


def token_of(server: Server) -> str:
    return parse_qs(urlsplit(address_of(server)).query)["token"][0]


def page(server: Server, cookie: str = "", name: str = "references") -> bytes:
    """All that is sent of a page over Streamlit's socket."""
    host = urlsplit(server.url).netloc
    with connect(
        f"ws://{host}/_stcore/stream",
        origin=Origin(server.url),
        additional_headers={"Cookie": cookie} if cookie else {},
        subprotocols=[Subprotocol("streamlit")],
        proxy=None,
        open_timeout=LONG_S,
        max_size=None,
    ) as line:
        return run(line, name)[0]


def given(answer: httpx.Response) -> str:
    """The cookie that an answer gives, as a browser shows it again; none for none."""
    return answer.headers.get("set-cookie", "").split(";")[0]


def from_the_page(server: Server, token: str, **changes: str) -> httpx.Response:
    """What the token page's script asks for when a token was pasted."""
    headers = {"Origin": server.url, "Sec-Fetch-Site": "same-origin", "X-Studio-Session": "1"} | changes
    return httpx.post(f"{server.url}/session", content=token, headers=headers, timeout=LONG_S, verify=TRUSTS_NOBODY)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A demo with a paid engine. When all attacks are over its log does not tell the token."""
    with serving(tmp_path_factory.mktemp("paid"), KEY, forked=True) as server:
        server.ready()
        token = token_of(server)
        cookie = given(server.get(f"/?token={token}"))
        yield server
        assert len(token) > 40
        assert token not in server.log
        assert cookie.partition("=")[2] not in server.log
    assert not (server.data_dir / ADDRESS_FILE).exists(), "the address of a start ends with it"


def test_the_address_gives_a_cookie_that_scripts_cannot_read_and_leads_to_the_page_without_the_token(
    demo: Server,
) -> None:
    """Or all that follows would prove nothing."""
    token = token_of(demo)
    assert address_of(demo) == f"http://localhost:{demo.port}/?token={token}"
    answer = demo.get(f"/references?q=Ada&token={token}&page=2")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/references?q=Ada&page=2")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(answer.headers["set-cookie"].split("; "))
    assert token not in answer.headers["set-cookie"]
    cookie = given(answer)
    assert b"Ada" in page(demo, cookie)
    assert {demo.get(path, Cookie=cookie).status_code for path in PATHS} == {404}


COOKIES: dict[str, Callable[[Server], str]] = {
    "no cookie": lambda _: "",
    "an empty cookie": lambda s: f"{name_of(s)}=",
    "a guess": lambda s: f"{name_of(s)}=garbage",
    "the token itself": lambda s: f"{name_of(s)}={token_of(s)}",
    "half of a good one": lambda s: given(s.get(f"/?token={token_of(s)}"))[:-8],
    "a good one under another name": lambda s: f"studio={given(s.get(f'/?token={token_of(s)}')).partition('=')[2]}",
    "letters that are none": lambda s: f'{name_of(s)}="\\355\\240\\275"',
}


def name_of(server: Server) -> str:
    return given(server.get(f"/?token={token_of(server)}")).partition("=")[0]


@pytest.mark.parametrize("attack", COOKIES)
def test_no_picture_no_file_and_no_page_for(attack: str, demo: Server) -> None:
    cookie = COOKIES[attack](demo)
    for path in PATHS:
        answer = demo.get(path, **({"Cookie": cookie} if cookie else {}))
        assert (path, answer.status_code, answer.text) == (path, 401, "Sign in to see this.")
    told = page(demo, cookie)
    assert ASKED in told or REFUSED in told
    assert not [secret for secret in (b"Ada", b"01. Model", b"/image/", b"demo@localhost") if secret in told]


def test_a_wrong_token_in_the_address_gives_nothing_and_takes_nothing(demo: Server) -> None:
    """The page says so; and nobody's link ends the session of who is in."""
    for wrong in ("", "x", token_of(demo)[:-1], "%ed%a0%bd", "x" * 20_000):
        answer = demo.get(f"/?token={wrong}")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")
        assert REFUSED in page(demo, given(answer))
    good = given(demo.get(f"/?token={token_of(demo)}"))
    assert "set-cookie" not in demo.get("/?token=wrong", Cookie=good).headers


def test_a_pasted_token_opens_and_every_other_is_refused_and_too_many_are_told_to_wait(demo: Server) -> None:
    answer = from_the_page(demo, token_of(demo))
    assert answer.status_code == 204
    assert b"Ada" in page(demo, given(answer))
    for changes in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"X-Studio-Session": "0"}):
        assert from_the_page(demo, token_of(demo), **changes).status_code == 403
    answers = [from_the_page(demo, "garbage") for _ in range(40)]
    assert {answer.status_code for answer in answers} == {400, 429}
    assert not [answer for answer in answers if given(answer)]
    assert from_the_page(demo, token_of(demo)).status_code == 204  # who has it is never made to wait


def test_a_restart_ends_every_token_and_cookie_and_the_page_says_so(tmp_path: Path) -> None:
    with serving(tmp_path, {"DEMO_TOKEN": "on"}, forked=True) as server:
        server.ready()
        token = token_of(server)
        cookie = given(server.get(f"/?token={token}"))
        assert ASKED not in page(server, cookie)
    with serving(tmp_path, {"DEMO_TOKEN": "on"}, forked=True) as server:
        server.ready()
        assert token_of(server) != token
        assert REFUSED in page(server, cookie)
        assert REFUSED in page(server, given(server.get(f"/?token={token}")))
        assert server.get(PATHS[0], Cookie=cookie).status_code == 401


@pytest.mark.parametrize("settings", [{}, KEY | {"DEMO_TOKEN": "off"}], ids=["without a key", "DEMO_TOKEN=off"])
def test_the_demo_is_open_to_this_machine(settings: dict[str, str], tmp_path: Path) -> None:
    with serving(tmp_path, settings, forked=True) as server:
        server.ready()
        assert b"Ada" in page(server)
        assert not (server.data_dir / ADDRESS_FILE).exists()


@contextmanager
def terminal() -> Iterator[tuple[int, Callable[[], str]]]:
    """A terminal's end for a program, and all that has appeared on it."""
    screen, keyboard = pty.openpty()
    seen: list[bytes] = []

    def read() -> None:
        try:
            while part := os.read(screen, 65536):
                seen.append(part)
        except OSError:  # the program has ended
            return

    threading.Thread(target=read, daemon=True).start()
    try:
        yield keyboard, lambda: b"".join(seen).decode("utf-8", "replace")
    finally:
        os.close(keyboard)


@pytest.mark.parametrize("asks", ["on", "off"])
def test_a_terminal_is_told_the_address_once_and_the_log_beside_it_is_not(asks: str, tmp_path: Path) -> None:
    port, log = own_port(), tmp_path / "log.txt"
    environment = {**clean_environment(tmp_path), "DATA_DIR": str(tmp_path / "data"), "DEMO_TOKEN": asks}
    with terminal() as (keyboard, screen), log.open("wb") as errors:
        command = [*STREAMLIT, "--server.port", str(port)]
        with running(command, log, environment, stdout=keyboard, stderr=errors) as program:
            program.answers(f"http://127.0.0.1:{port}/readyz")
            until(lambda: "Open the dashboard" in screen(), screen)
            (address,) = re.findall(r"http\S+", screen())
    give_back(port)
    assert address.startswith(f"http://localhost:{port}")
    assert ("token=" in address) == (asks == "on")
    if asks == "on":
        assert address.partition("token=")[2] not in log.read_text("utf-8")


def others_may(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode) & 0o077


def test_what_a_server_keeps_is_its_owners_alone(demo: Server) -> None:
    assert others_may(demo.data_dir) == 0
    loose = [each for each in demo.data_dir.rglob("*") if others_may(each)]
    assert loose == []


def test_a_folder_that_others_may_enter_is_closed_or_refused(tmp_path: Path) -> None:
    """Closed if all in it is the dashboard's, refused if other things are in it, which may be meant for others."""
    was_open = tmp_path / "was open"
    (was_open / "s3" / "objects").mkdir(parents=True, mode=0o755)
    was_open.chmod(0o755)
    with serving(tmp_path, {"DATA_DIR": str(was_open)}, forked=True) as server:
        server.ready()
        assert others_may(was_open) == 0
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    shared.chmod(0o755)
    (shared / "somebody's.txt").write_text("x", "utf-8")
    with serving(tmp_path / "refused", {"DATA_DIR": str(shared)}, forked=True) as server:
        assert server.process.wait(LONG_S) == 2
        assert "which other users of this machine may enter" in server.log
    assert others_may(shared) != 0
