"""Attackers: each tries one kind of thing again and again, mostly what `tests/identity/attacks` tries once.

None of them looks at the answers, which those tests do: here they are to do harm by coming all at once, for long.
"""

from __future__ import annotations

import random
import secrets
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing, suppress
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from core.references.key import encode_key
from core.web.http.addresses import ORIGINAL, image_url
from tests.identity.attacks.forgeries import pictures
from tests.identity.attacks.test_cookies import COOKIES
from tests.identity.attacks.test_login_tokens import LOGIN_TOKENS, TOKENS
from tests.identity.attacks.test_paths import GUESSES
from tests.soak.house import House
from tests.soak.people import PAGES, somebody
from tests.support.dashboards.production import COOKIE, KEY
from tests.support.dashboards.socket_page import SocketPage

_REFUSED = (OSError, WebSocketException, httpx.HTTPError, AssertionError, TimeoutError, EOFError, KeyError)
_WAIT_S = 10.0
_FOREIGN = ("https://evil.example", "null", "", "https://studio.example.evil.example", "file://")
_HOSTILE = (
    "`](https://evil.example) **www.evil.example** $x$ :material/home: <b>&lt;",
    "half an emoji \ud83d",
    "\u0000\u0007\u202e",
    "x" * 600,
    "가" * 100_000,
    "a" * 2_000_000,
)
_STREAMLITS = (
    *("/_stcore/health", "/_stcore/host-config", "/_stcore/metrics", "/_stcore/script-health-check"),
    *("/_stcore/upload_file/x/y", "/_stcore/agent/mcp", "/media/0123456789abcdef.jpg", "/component/x/index.html"),
    *("/_stcore/bidi-components/x/y.js", "/auth/login", "/oauth2callback?code=x&state=y", "/metrics", "/readyz"),
    *("/app/static/..%2f..%2f..%2fapp.py", "/image/%2e%2e/%2e%2e/app.py", "/generate//evil.example"),
)
Attack = Callable[[House, random.Random], None]


def socket_to(house: House, *, direct: bool, cookie: str = "", origin: str | None = None) -> ClientConnection:
    """A WebSocket through nginx or without."""
    url = house.server.url if direct else house.url
    return connect(
        f"{'ws' if direct else 'wss'}://{urlsplit(url).netloc}/_stcore/stream",
        ssl=None if direct else house.trust,
        origin=Origin(url if origin is None else origin),
        subprotocols=[Subprotocol("streamlit")],
        additional_headers={"Cookie": cookie} if cookie else {},
        proxy=None,
        open_timeout=_WAIT_S,
        close_timeout=1,
        max_size=None,
    )


def rerun(page: str = "", **states: bytes) -> bytes:
    """One message that asks for a run, with states of widgets that nobody has."""
    asked = BackMsg()
    asked.rerun_script.page_name = page
    for name, value in states.items():
        asked.rerun_script.widget_states.widgets.add(id=f"$$ID-{name}-None", bytes_value=value)
    return asked.SerializeToString()


def flood_with_reruns(house: House, chance: random.Random) -> None:
    with socket_to(house, direct=chance.random() < 0.5) as line:
        for _ in range(2_000):
            line.send(rerun(chance.choice(PAGES)))


def fill_memory_with_states(house: House, chance: random.Random) -> None:
    with socket_to(house, direct=chance.random() < 0.5) as line:
        for _ in range(4):
            line.send(rerun(**{secrets.token_hex(4): bytes(chance.choice((60_000, 1_000_000, 5_000_000)))}))


def send_what_is_no_message(house: House, chance: random.Random) -> None:
    with socket_to(house, direct=chance.random() < 0.5, cookie=f"{COOKIE}=junk") as line:
        line.send(chance.randbytes(chance.choice((1, 100, 70_000))))
        line.send("text")
        line.recv(timeout=0.2)


def hold_sockets_open(house: House, chance: random.Random) -> None:
    with ExitStack() as lines:
        for _ in range(4):
            lines.enter_context(socket_to(house, direct=chance.random() < 0.5)).send(rerun())


def come_from_elsewhere(house: House, chance: random.Random) -> None:
    with socket_to(house, direct=True, cookie=somebody(house, "kim@studio.example"), origin=chance.choice(_FOREIGN)):
        pass


def forge_sign_ins(house: House, chance: random.Random) -> None:
    make, _ = chance.choice([*LOGIN_TOKENS.values(), *((lambda _, m=make: m(), 0) for make in TOKENS.values())])
    changes: Mapping[str, str] = chance.choice(({}, {"Origin": chance.choice(_FOREIGN)}, {"Sec_Fetch_Site": "none"}))
    house.studio.post(make(house.studio), **changes)
    house.studio.post("garbage", X_Forwarded_For="198.51.100.7")
    with house.browser() as browser:  # from the very address that everybody in this house comes from
        browser.get("/oauth/callback", params={"code": secrets.token_hex(8), "state": f"tab.{secrets.token_hex(8)}"})
        browser.get("/oauth/start", params={"to": "//evil.example"})
        browser.post("/session", content="garbage", headers={"Origin": "https://evil.example"})
        browser.delete("/session", headers={"Origin": "https://evil.example"})


def show_junk_cookies(house: House, chance: random.Random) -> None:
    cookie = COOKIES[chance.choice([*COOKIES])](house.studio)
    method, path, more = chance.choice([*pictures(house.studio).values()])
    with house.browser() as browser, suppress(UnicodeEncodeError):
        browser.request(method, path, headers={"Cookie": f"{COOKIE}={cookie}"} | more)
    house.studio.raw("GET", path, {"Cookie": f"x={COOKIE}; {COOKIE}=; ;;=,{'z' * chance.choice((10, 9_000, 70_000))}"})


def trick_paths(house: House, chance: random.Random) -> None:
    wanted = GUESSES[chance.choice([*GUESSES])]
    size, etag = chance.choice((320, ORIGINAL, "0", "1e3")), house.studio.etags.get(wanted, "0" * 32)
    path = f"/image/{size}/{etag}/{encode_key(wanted) or 'x'}"
    house.studio.raw("GET", path, {"Cookie": somebody(house, "kim@studio.example")})
    house.studio.raw(chance.choice(("GET", "HEAD", "POST", "TRACE")), chance.choice(_STREAMLITS))
    house.studio.raw("GET", f"/{chance.randbytes(8).hex()}?comparison=`](https://evil.example)", {"Host": "localhost"})


def send_too_much(house: House, chance: random.Random) -> None:
    """A colleague, with a good cookie, who sends what no page of ours would."""
    page, text = chance.choice(PAGES), chance.choice(_HOSTILE)
    with socket_to(house, direct=False, cookie=somebody(house, "dan@studio.example")) as line:
        tab = SocketPage(line, page).run(query=f"q={text[:2000].encode('utf-8', 'replace').decode()}&page=-1")
        for name in chance.sample([*tab.ids], min(3, len(tab.ids))):
            value: dict[str, Any] = chance.choice(
                (
                    {"string_value": text.encode("utf-8", "replace").decode()},
                    {"json_value": "{"},
                    {"json_value": '{"typed": {"text": "\\ud83d", "number": 1}, "outbox": {"decisions": [7]}}'},
                    {"int_value": 2**62},
                    {"double_value": float("nan")},
                )
            )
            tab.set(name, **value)
        tab.run()
        if "prompt:box" in tab.ids:
            tab.tell("prompt:box", typed={"text": text, "number": 2}).run()


def read_slowly(house: House, chance: random.Random) -> None:
    """Ask for large answers and take a byte at a time; begin requests and never end them."""
    address = urlsplit(house.server.url)
    path = image_url(KEY, house.studio.etags[KEY], ORIGINAL)
    cookie = somebody(house, "kim@studio.example")
    lines = [socket.create_connection((address.hostname, address.port or 0), _WAIT_S) for _ in range(5)]
    for line in lines:
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: studio.example\r\nCookie: {cookie}\r\n\r\n".encode())
    half = socket.create_connection((address.hostname, address.port or 0), _WAIT_S)
    half.sendall(b"POST /session HTTP/1.1\r\nHost: studio.example\r\nContent-Length: 4000\r\n\r\nhalf")
    for line in (*lines, half):
        with closing(line), suppress(OSError, ssl.SSLError):
            line.settimeout(0.2)
            for _ in range(chance.randrange(5)):
                line.recv(1)


ATTACKS: Mapping[str, Attack] = MappingProxyType(
    {
        attack.__name__: attack
        for attack in (
            *(flood_with_reruns, fill_memory_with_states, send_what_is_no_message, hold_sockets_open),
            *(come_from_elsewhere, forge_sign_ins, show_junk_cookies, trick_paths, send_too_much, read_slowly),
        )
    }
)


def besiege(house: House, name: str, nth: int, is_over: threading.Event, done: dict[str, int]) -> None:
    """The nth to try one kind of attack until it is over; to be refused is what they are there for."""
    chance = random.Random(f"{name} {nth}")
    while not is_over.is_set():
        with suppress(*_REFUSED):
            ATTACKS[name](house, chance)
        done[name] = done.get(name, 0) + 1
