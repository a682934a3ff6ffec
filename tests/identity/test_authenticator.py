"""The authenticator: from Google's word to a cookie, from a cookie to a viewer, and out. The default answer is no."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from core.errors import AccessDenied, ReplayedLoginToken, SignInError, StorageError
from core.identity.access.access import Access
from core.identity.access.access_list import DEMO_EMAIL, AccessLevel
from core.identity.authenticator import Authenticator, DemoAuthenticator
from core.identity.google import Certificates, GoogleVerifier
from core.identity.google_authenticator import GoogleAuthenticator
from core.identity.revocations import Revocations
from core.identity.session import LIFETIME_S, RENEW_AFTER_S, SessionSigner
from core.identity.sign_in import build_authenticator
from core.objects.documents import MAX_AGE_S
from core.settings import Settings
from core.storage.s3 import Store
from core.viewer import Capability, PersonRole, Viewer
from tests.fakes.google import CLIENT_ID
from tests.identity.conftest import Clock
from tests.identity.issuer import EMAIL, NONCE, LedHere, certificate_endpoint, claims, led_to, token

COOKIE = "__Host-studio"
SECRET = "a-secret-that-is-long-enough-to-sign-with"
ADMIN = Viewer("ada@studio.example", PersonRole.ADMIN)


@pytest.fixture(scope="module")
def google() -> Iterator[LedHere]:
    """Where the certificates are."""
    with certificate_endpoint() as endpoint, led_to(endpoint.url) as transport:
        yield transport


class Server:
    """One of several servers on one bucket; another one has another memory."""

    def __init__(self, store: Store, prefix: str, google: LedHere, clock: Clock) -> None:
        settings = Settings.model_validate(
            {
                "s3_bucket": "studio",
                "s3_app_prefix": prefix,
                "admin_emails": ADMIN.email,
                "allowed_domains": "studio.example",
            }
        )
        self.access = Access(store, settings, monotonic=clock)
        self.authenticator = GoogleAuthenticator(
            GoogleVerifier(CLIENT_ID, Certificates(google)),
            SessionSigner(SECRET),
            Revocations(store, app_prefix=prefix, clock=clock, monotonic=clock),
            self.access,
            cookie_name=COOKIE,
            clock=clock,
        )

    def signed_in(self, **changes: object) -> dict[str, str]:
        """The cookies of somebody who has just signed in."""
        return {
            COOKIE: self.authenticator.redeem(self.authenticator.sign_in(token(claims(**changes)), nonce=NONCE)).value
        }

    def knows(self, cookies: Mapping[str, str]) -> bool:
        try:
            self.authenticator.viewer(cookies)
        except SignInError:
            return False
        return True


@pytest.fixture
def here(store: Store, app_prefix: str, google: LedHere, clock: Clock) -> Server:
    return Server(store, app_prefix, google, clock)


@pytest.fixture
def elsewhere(store: Store, app_prefix: str, google: LedHere, clock: Clock) -> Server:
    return Server(store, app_prefix, google, clock)


def test_who_signs_in_on_one_server_is_known_on_the_other(here: Server, elsewhere: Server) -> None:
    cookies = here.signed_in()
    assert elsewhere.authenticator.viewer(cookies) == Viewer(EMAIL, PersonRole.DESIGNER, "Kim")


@pytest.mark.parametrize("nonce", ["", "of-another-sign-in"])
def test_a_token_without_this_sign_ins_nonce_opens_nothing(here: Server, nonce: str) -> None:
    with pytest.raises(SignInError):
        here.authenticator.sign_in(token(claims()), nonce=nonce)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"email": "eve@evil.example", "hd": "evil.example"}, id="nobody on the list"),
        pytest.param({"hd": ...}, id="a private account under an address of the domain"),
        pytest.param({"hd": "evil.example"}, id="another domain's account under an address of ours"),
    ],
)
def test_a_verified_stranger_is_told_whom_to_ask_and_gets_no_hand_over(here: Server, changes: dict[str, Any]) -> None:
    with pytest.raises(AccessDenied, match="Ask an admin of the studio to add you") as refused:
        here.authenticator.sign_in(token(claims(**changes)), nonce=NONCE)
    assert ADMIN.email not in refused.value.message


def test_a_hand_over_becomes_one_cookie_on_all_servers_together(here: Server, elsewhere: Server) -> None:
    login_token = here.authenticator.sign_in(token(claims()), nonce=NONCE)
    elsewhere.authenticator.redeem(login_token)
    with pytest.raises(ReplayedLoginToken):
        here.authenticator.redeem(login_token)


def test_who_is_removed_while_signed_in_is_out_within_a_minute_everywhere(
    here: Server, elsewhere: Server, clock: Clock
) -> None:
    """Neither pages nor a fresh cookie, and not with a login token from before."""
    cookies = here.signed_in()
    assert elsewhere.knows(cookies)
    waiting = elsewhere.authenticator.sign_in(token(claims()), nonce=NONCE)
    here.access.change(ADMIN, EMAIL, AccessLevel.BLOCKED, seen=here.access.read(ADMIN))
    assert not here.knows(cookies)
    with pytest.raises(AccessDenied):
        here.authenticator.redeem(waiting)
    clock.now += MAX_AGE_S
    for server in (here, elsewhere):
        with pytest.raises(AccessDenied):
            server.authenticator.viewer(cookies)
        with pytest.raises(AccessDenied):
            server.authenticator.renew(cookies)
        with pytest.raises(AccessDenied):
            server.authenticator.sign_in(token(claims()), nonce=NONCE)


def test_a_new_role_counts_from_the_next_look(here: Server) -> None:
    cookies = here.signed_in()
    here.access.change(ADMIN, EMAIL, AccessLevel.OPS, seen=here.access.read(ADMIN))
    assert here.authenticator.viewer(cookies).role is PersonRole.OPS


def test_signing_out_here_leaves_the_persons_other_browsers_alone(
    here: Server, store: Store, app_prefix: str, google: LedHere, clock: Clock
) -> None:
    """It holds after a restart, and a renewal from before does not bring it back."""
    mine, other = here.signed_in(), here.signed_in()
    clock.now += RENEW_AFTER_S
    renewed = {COOKIE: here.authenticator.renew(mine).value}
    here.authenticator.sign_out(mine, everywhere=False)
    for server in (here, Server(store, app_prefix, google, clock)):
        assert not server.knows(mine)
        assert not server.knows(renewed)
        assert server.knows(other)


def test_signing_out_everywhere_ends_them_all_and_lets_the_person_in_again(
    here: Server, store: Store, app_prefix: str, google: LedHere, clock: Clock
) -> None:
    mine, other = here.signed_in(), here.signed_in()
    foreign = here.signed_in(sub="2202", email="lee@studio.example")
    waiting = here.authenticator.sign_in(token(claims()), nonce=NONCE)
    here.authenticator.sign_out(mine, everywhere=True)
    with pytest.raises(SignInError):
        here.authenticator.redeem(waiting)
    again = here.signed_in()
    for server in (here, Server(store, app_prefix, google, clock)):
        assert [server.knows(cookies) for cookies in (mine, other, foreign, again)] == [False, False, True, True]


def test_signing_out_without_a_session_is_no_error_and_changes_nothing(here: Server) -> None:
    cookies = here.signed_in()
    for stray in ({}, {COOKIE: "garbage"}, {COOKIE: cookies[COOKIE][:-5]}):
        here.authenticator.sign_out(stray, everywhere=True)
    assert here.knows(cookies)


def test_a_session_in_use_slides_and_one_left_alone_ends(here: Server, clock: Clock) -> None:
    """A page knows only the cookie it was opened with: the server remembers that it has been renewed."""
    used, left = here.signed_in(), here.signed_in()
    assert not here.authenticator.is_renewal_due(used)
    clock.now += LIFETIME_S - 60
    assert here.authenticator.is_renewal_due(used)
    fresh = here.authenticator.renew(used)
    assert fresh.max_age_s == LIFETIME_S
    assert not here.authenticator.is_renewal_due(used)
    clock.now += 61
    assert here.knows(used)
    assert here.knows({COOKIE: fresh.value})
    assert not here.knows(left)
    for ask in (here.authenticator.viewer, here.authenticator.renew, here.authenticator.is_renewal_due):
        with pytest.raises(SignInError, match="Your session has ended: sign in again"):
            ask(left)


def test_a_cookie_is_never_kept_longer_than_its_session_lives(here: Server, clock: Clock) -> None:
    cookies = here.signed_in()
    kept: list[int] = []
    while here.knows(cookies):
        clock.now += LIFETIME_S * 0.9
        if here.knows(cookies):
            fresh = here.authenticator.renew(cookies)
            cookies = {COOKIE: fresh.value}
            kept.append(fresh.max_age_s)
    assert sum(kept[:-1]) / len(kept[:-1]) == LIFETIME_S
    assert 0 < kept[-1] < LIFETIME_S


def test_when_s3_is_down_nobody_is_let_in_on_a_guess(google: LedHere, s3: Any, clock: Clock) -> None:
    good = Server(s3.store(), "down/", google, clock).signed_in()
    down = Server(s3.store(endpoint_url="http://127.0.0.1:9", connect_timeout_s=0.2, attempts=1), "x/", google, clock)
    for ask in (
        lambda: down.authenticator.viewer(good),
        lambda: down.authenticator.renew(good),
        lambda: down.authenticator.sign_in(token(claims()), nonce=NONCE),
        lambda: down.authenticator.sign_out(good, everywhere=True),
    ):
        with pytest.raises(StorageError):
            ask()
    with pytest.raises(SignInError):
        down.authenticator.viewer({})


def test_nothing_of_a_sign_in_is_logged_but_who_and_as_what(here: Server) -> None:
    with capture_logs() as logs:
        raw = token(claims())
        login_token = here.authenticator.sign_in(raw, nonce=NONCE)
        cookie = here.authenticator.redeem(login_token).value
        here.authenticator.viewer({COOKIE: cookie})
        here.authenticator.sign_out({COOKIE: cookie}, everywhere=True)
    assert [(line["event"], line["person"]) for line in logs] == [("signed_in", EMAIL), ("signed_out", EMAIL)]
    for secret in (raw, login_token, cookie, NONCE, SECRET):
        assert secret not in str(logs)


@pytest.mark.parametrize("cookies", [{}, {"studio": DEMO_EMAIL}, {COOKIE: DEMO_EMAIL}, {COOKIE: "admin"}])
def test_in_production_nobody_is_let_in_without_a_sealed_session(store: Store, cookies: dict[str, str]) -> None:
    settings = Settings(s3_bucket="studio", google_client_id=CLIENT_ID, session_secret=SECRET)
    with pytest.raises(SignInError):
        build_authenticator(settings, store, Access(store, settings)).viewer(cookies)


def test_the_demo_has_one_person_who_may_everything_and_no_sign_in(store: Store) -> None:
    authenticator: Authenticator = build_authenticator(Settings(), store, Access(store, Settings()))
    assert isinstance(authenticator, DemoAuthenticator)
    viewer = authenticator.viewer({})
    assert viewer.email == DEMO_EMAIL
    assert all(viewer.may(capability) for capability in Capability)
    assert not authenticator.is_renewal_due({})
    for ask in (lambda: authenticator.renew({}), lambda: authenticator.redeem("x")):
        with pytest.raises(SignInError, match="no sign-in"):
            ask()
