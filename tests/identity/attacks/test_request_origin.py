"""Attacks by origin, method and number: a session is given to scripts of our own pages, a few times a minute."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState

from bench.sessions import session as tab_on
from tests.identity.attacks.forgeries import refused
from tests.support.dashboards.production import COOKIE, ORIGIN, Production, from_our_page, session
from tests.support.s3.servers import client_of


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"Origin": None}, id="no origin"),
        pytest.param({"Origin": "null"}, id="a null origin"),
        pytest.param({"Origin": ""}, id="an empty origin"),
        pytest.param({"Origin": "https://evil.example"}, id="a foreign origin"),
        pytest.param({"Origin": "http://studio.example"}, id="the origin without TLS"),
        pytest.param({"Origin": "https://studio.example:8443"}, id="another port"),
        pytest.param({"Origin": "https://sub.studio.example"}, id="a host below ours"),
        pytest.param({"Origin": "https://studio.example.evil.example"}, id="a host that begins like ours"),
        pytest.param({"Origin": "https://studio.example/"}, id="an origin with a path"),
        pytest.param({"Origin": f"{ORIGIN}, https://evil.example"}, id="two origins in one"),
        pytest.param({"Origin": "https://evil.example", "Host": "evil.example"}, id="a foreign host and its origin"),
        pytest.param({"Origin": "https://evil.example", "X-Forwarded-Host": "studio.example"}, id="a forwarded host"),
        pytest.param({"Origin": None, "Referer": f"{ORIGIN}/"}, id="a referrer in place of the origin"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, id="a foreign site"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, id="a host of the same site"),
        pytest.param({"Sec-Fetch-Site": "none"}, id="no site"),
        pytest.param({"X-Studio-Session": None}, id="no header of ours"),
        pytest.param({"X-Studio-Session": "0"}, id="another value of our header"),
    ],
)
def test_no_session_for_a_request_with(changes: dict[str, str | None], studio: Production) -> None:
    """With a good login token and a good cookie: neither opens, renews nor ends a session."""
    cookie = studio.cookie()
    assert refused(studio.post(studio.login_token(), **changes), 403)
    assert refused(studio.post(cookie=cookie, **changes), 403)
    assert refused(studio.sign_out(cookie, **changes), 403)
    assert studio.lets_in(cookie)


def test_no_session_for_a_request_with_two_origins(studio: Production) -> None:
    for origins in ((ORIGIN, "https://evil.example"), ("https://evil.example", ORIGIN), (ORIGIN, ORIGIN)):
        headers = [*from_our_page(Origin=None).items(), *(("Origin", origin) for origin in origins)]
        assert refused(studio.client.post("/session", content=studio.login_token(), headers=headers), 403)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "OPTIONS", "TRACE"])
def test_no_session_by_the_method(method: str, studio: Production) -> None:
    """Nor is one ended, nor may a foreign page read or send anything."""
    cookie = studio.cookie()
    headers = from_our_page() | {"Cookie": f"{COOKIE}={cookie}", "X-HTTP-Method-Override": "DELETE"}
    preflight = {"Access-Control-Request-Method": "DELETE", "Access-Control-Request-Headers": "x-studio-session"}
    answer = studio.client.request(method, "/session", headers=headers | preflight, content=studio.login_token())
    assert "set-cookie" not in answer.headers
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert studio.lets_in(cookie)


def test_no_session_by_a_form_of_a_foreign_page(studio: Production) -> None:
    """What a browser sends when a page elsewhere submits a form: its own origin, and no header of ours."""
    headers = from_our_page(X_Studio_Session=None, Origin="https://evil.example", Sec_Fetch_Site="cross-site")
    answer = studio.client.post("/session", data={studio.login_token(): ""}, headers=headers)
    assert refused(answer, 403)


def test_a_desk_is_cleared_by_its_person_on_a_page_of_ours_alone(studio: Production) -> None:
    """A closed page gives back what was lent to it; nobody gives back what is somebody else's."""
    s3, key = client_of(studio.s3), "studio/reviews/lent.json"
    until = datetime.now(UTC) + timedelta(minutes=4)
    loan = {"desk": "d", "reviewer": "kim@studio.example", "name": "Kim", "etags": ["e"], "until": until.isoformat()}
    s3.put_object(Bucket=studio.s3.bucket, Key=key, Body=json.dumps({"loans": [loan]}).encode())

    def leave(person: str | None, **changes: str | None) -> int:
        cookie = {"Cookie": f"{COOKIE}={studio.cookie(session(person))}"} if person else {}
        return studio.client.delete("/desk/d", headers=from_our_page(**changes) | cookie).status_code

    def lent() -> bool:
        return bool(json.loads(s3.get_object(Bucket=studio.s3.bucket, Key=key)["Body"].read())["loans"])

    assert leave(None) == 401
    for changes in ({"Origin": "https://evil.example"}, {"Origin": None}, {"X_Studio_Session": None}):
        assert leave("kim@studio.example", **changes) == 403
    assert leave("ops@studio.example") == 204
    assert lent()
    assert leave("kim@studio.example") == 204
    assert not lent()


def test_the_twenty_first_junk_token_of_a_minute_is_told_to_wait(studio: Production) -> None:
    """The address is the one the proxy in front has seen: what the attacker puts before it counts for nothing."""
    answers = [studio.post("garbage", X_Forwarded_For=f"10.0.0.{at}, 203.0.113.9") for at in range(24)]
    assert [answer.status_code for answer in answers] == [400] * 20 + [429] * 4
    assert refused(answers[-1], 429)
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    assert studio.post(studio.login_token(), X_Forwarded_For="203.0.113.9").status_code == 204
    assert studio.post("garbage", X_Forwarded_For="203.0.113.10").status_code == 400


def test_the_twenty_first_answer_of_a_minute_at_the_door_is_told_to_wait(studio: Production) -> None:
    """On the screen, whatever the browser makes of the pop-up; and the button stays, for a minute later."""

    async def answers(count: int) -> list[str]:
        said = []
        async with tab_on(studio.url) as tab:
            tab.url = ORIGIN  # where the button is
            await tab.visit("references")
            for _ in range(count):
                button = next(name for name in reversed(tab.widgets) if re.fullmatch("sign-in-[0-9a-f]{16}", name))
                tab.states[button] = WidgetState(id=tab.widgets[button], json_value='{"code": "c", "state": "s"}')
                drawn = await tab.again()
                tab.states.clear()
                said += drawn.failures()
            assert button not in list(tab.widgets)[-1:], "there is a new button to press"
        return said

    said = asyncio.run(answers(23))
    assert (
        said
        == ["This answer belongs to another sign-in. Sign in again."] * 20
        + ["Too many attempts to sign in: wait a minute, then try again."] * 3
    )
