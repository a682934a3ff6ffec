"""Attacks by the address: nobody is taken for somebody else because of what they claim of themselves.

A program on this machine has any address of 127.0.0.0/8: one is a stranger that has found the port, one a proxy of
ours. Whose request it was is seen by whom the limit of the sign-in, here two a minute, hits.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import httpx
import pytest

from core.web.http.client_address import client_address, counted_as
from tests.support.dashboards.production import Production, from_our_page, production
from tests.support.processes.programs import TRUSTS_NOBODY
from tests.support.timeouts import LONG_S

STRANGER, PROXY, PROXY_IN_FRONT = "127.0.0.2", "127.0.0.3", "127.0.0.17"
FEW = 2
_numbers = count(1)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    """One behind a proxy at PROXY, and others in the network of PROXY_IN_FRONT."""
    told = {"TRUSTED_PROXIES": f"{PROXY}, 127.0.0.16/28", "SIGN_IN_FAILURES_PER_MINUTE": str(FEW)}
    with production(tmp_path_factory.mktemp("proxies"), told) as running:
        yield running


def somebody() -> str:
    """An address that no other test has used."""
    return f"198.51.100.{next(_numbers)}"


def junk(studio: Production, peer: str, *forwarded_for: str) -> int:
    """What a junk token is answered that comes from this peer under these X-Forwarded-For headers."""
    told = [*from_our_page(X_Forwarded_For=None).items(), *(("X-Forwarded-For", each) for each in forwarded_for)]
    headers = [(name.encode(), value.encode()) for name, value in told]
    with httpx.Client(
        base_url=studio.url, transport=httpx.HTTPTransport(local_address=peer, verify=TRUSTS_NOBODY), timeout=LONG_S
    ) as client:
        return client.post("/session", content=b"junk", headers=headers).status_code


def are_one(studio: Production, peer: str, *claims: tuple[str, ...]) -> bool:
    """Whether requests with these headers, one each, are counted as one client's. There are more than FEW."""
    answers = [junk(studio, peer, *claimed) for claimed in claims]
    assert answers[:FEW] == [400] * FEW, "nobody has come from there before"
    return answers[FEW:] == [429] * (len(claims) - FEW)


def test_a_stranger_who_claims_other_addresses_is_counted_by_their_own(studio: Production) -> None:
    assert are_one(studio, STRANGER, (somebody(),), (somebody(),), (somebody(),), (), ("127.0.0.1",))


def test_a_stranger_who_claims_a_colleagues_address_takes_nothing_from_them(studio: Production) -> None:
    colleague = somebody()
    for _ in range(FEW + 1):
        junk(studio, "127.0.0.4", colleague)
    assert junk(studio, PROXY, colleague) == 400


def test_a_stranger_who_claims_to_be_a_proxy_is_believed_nothing(studio: Production) -> None:
    claims = [(f"{somebody()}, {PROXY}",) for _ in range(FEW + 1)]
    assert are_one(studio, "127.0.0.5", *claims)


def test_behind_a_trusted_proxy_the_address_it_adds_counts_and_none_that_was_claimed(studio: Production) -> None:
    real = somebody()
    assert are_one(studio, PROXY, *((f"{somebody()}, {real}",) for _ in range(FEW + 2)))
    assert junk(studio, PROXY, f"{real}, {somebody()}") == 400


def test_through_a_chain_of_proxies_the_first_that_is_none_of_ours_counts(studio: Production) -> None:
    real = somebody()
    assert are_one(
        studio,
        PROXY,
        *((f"{somebody()},{real} , {PROXY_IN_FRONT}, 127.0.0.18",) for _ in range(FEW)),
        (f"{somebody()}, 127.0.0.1, {real}, {PROXY_IN_FRONT}",),
        (real,),
    )


def test_a_program_on_this_machine_may_speak_for_others_as_nginx_does(studio: Production) -> None:
    real = somebody()
    assert are_one(studio, "127.0.0.1", (real,), (f"{somebody()}, {real}",), (f"{real}, {PROXY}",))


def test_a_header_that_comes_twice_is_one_list(studio: Production) -> None:
    real = somebody()
    assert are_one(studio, PROXY, *((somebody(), real) for _ in range(FEW)), (f"{somebody()}, {somebody()}", real))


def test_all_that_is_no_address_is_one_client(studio: Production) -> None:
    """Or whoever makes up names would have a limit for each."""
    claims = ("junk", "1.2.3.4.5", "unknown", "_hidden", "9" * 4000, "'; drop", "[::1", "0x7f.1", "\u00e9")
    assert are_one(studio, PROXY, *((f"{somebody()}, {each}",) for each in claims))


def test_one_address_is_one_client_however_it_is_written(studio: Production) -> None:
    real = somebody()
    assert are_one(studio, PROXY, (real,), (f"{real}:4711",), (f"::ffff:{real}",), (f"[::FFFF:{real}]:80",))


def test_a_subscribers_ipv6_network_is_one_client(studio: Production) -> None:
    assert are_one(
        studio,
        PROXY,
        ("2001:db8:5:1::1",),
        ("[2001:db8:5:1::2]",),
        ("[2001:0DB8:5:1:ffff::3]:443",),
        ("2001:db8:5:1::4%eth0",),
    )
    assert junk(studio, PROXY, "2001:db8:5:2::1") == 400


def test_only_a_trusted_proxy_says_that_it_was_asked_by_https(studio: Production) -> None:
    def is_https(peer: str) -> bool:
        with httpx.Client(
            transport=httpx.HTTPTransport(local_address=peer, verify=TRUSTS_NOBODY), timeout=LONG_S
        ) as client:
            answer = client.get(f"{studio.url}/healthz", headers={"X-Forwarded-Proto": "https"})
        return "strict-transport-security" in answer.headers

    assert [is_https(peer) for peer in (STRANGER, PROXY, PROXY_IN_FRONT, "127.0.0.1")] == [False, True, True, True]


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::1"),
        ("127.0.0.1", "127.0.0.1"),
        ("junk", ""),
        ("203.0.113.9, 203.0.113.10", ""),
        ("", ""),
    ],
)
def test_what_a_client_is_counted_by(host: str, counted: str) -> None:
    assert counted_as(host) == counted
    assert client_address({"type": "http", "client": (host, 80)}) == counted


def test_a_client_nobody_knows_is_counted_with_all_others_of_that_kind() -> None:
    assert client_address({"type": "http", "client": None}) == client_address({"type": "websocket"}) == ""
