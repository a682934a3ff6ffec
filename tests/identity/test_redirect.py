"""The redirect without its routes: where it may end, and what it tells the login page of a refusal."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.errors import AccessDenied, ReplayedLoginToken, SignInError, StorageUnavailable, StudioError, TooManyAttempts
from core.identity.authenticator import DemoAuthenticator
from core.identity.redirect import Redirect
from core.identity.session import SessionSigner, sealer_for
from core.identity.sign_in_limits import SignInLimits
from core.settings import Settings
from core.web.http.addresses import own_page
from tests.identity.conftest import Clock
from tests.support.dashboards.production import session

SECRET = "a-secret-that-is-long-enough-to-sign-with"
COOKIE = "__Host-studio-refusal"
AWKWARD = st.text("/\\.:?#@%&=;abR2 \t\r\n\x00\u00e9\uff0f", max_size=30)


def redirect(clock: Clock, *, secret: str = SECRET) -> Redirect:
    settings = Settings(s3_bucket="studio", session_secret=secret, public_url="https://studio.example")
    return Redirect(DemoAuthenticator(), SignInLimits(address_max=20, all_max=200), settings, clock=clock)


@given(AWKWARD | AWKWARD.map(lambda text: f"/{text}") | st.text())
@example("//")
@example("//?q=1")
def test_a_sign_in_never_ends_elsewhere(asked: str) -> None:
    """Browsers read backslashes as slashes, and leave control characters out (https://url.spec.whatwg.org/)."""
    page = own_page(asked)
    read = "".join(char for char in page.replace("\\", "/") if char > " ")
    assert read == page
    landed = urlsplit(urljoin("https://studio.example/references", page))
    assert (landed.scheme, landed.netloc) == ("https", "studio.example")
    assert landed.path.count("/") <= 2
    assert not page.startswith(("//", "/oauth/"))


@given(st.from_regex(r"\A/[a-z]{0,12}(\?[a-z]{1,5}=[\w%.,()+-]{0,30})?\Z"))
def test_every_page_and_its_query_is_kept(asked: str) -> None:
    assert own_page(asked) == (asked if asked.isascii() else "/")


@pytest.mark.parametrize(
    ("err", "kind"),
    [
        (AccessDenied("sam@elsewhere.example is not on the studio's list."), AccessDenied),
        (SignInError("Sign in again."), SignInError),
        (ReplayedLoginToken("This sign-in has been used already."), SignInError),
        (TooManyAttempts("Wait a minute.", retry_after_s=60), SignInError),
        (StorageUnavailable("S3 does not answer."), StudioError),
    ],
)
def test_the_door_learns_of_a_refusal_for_a_minute(err: StudioError, kind: type[StudioError], clock: Clock) -> None:
    cookie = redirect(clock).refuse(err)
    assert cookie.max_age_s == 60
    for seconds, is_told in ((0, True), (60, True), (61, False)):
        clock.now = 1_800_000_000.0 + seconds
        told = redirect(clock).error({COOKIE: cookie.value})
        assert (isinstance(told, kind) and told.message == err.message) is is_told
    assert isinstance(told, SignInError) is False


@pytest.mark.parametrize(
    "value",
    [
        "",
        "garbage",
        SessionSigner(SECRET).cookie(session()),
        sealer_for("another-secret-that-is-long-enough", "studio.refusal.1").dumps(
            {"kind": "", "said": "x", "until": 9e9}
        ),
        sealer_for(SECRET, "studio.attempt.1").dumps({"kind": "", "said": "x", "until": 9e9}),
        sealer_for(SECRET, "studio.refusal.1").dumps({"kind": "", "said": "x"}),
        sealer_for(SECRET, "studio.refusal.1").dumps(["x"]),
    ],
)
def test_nobody_else_tells_the_door_anything(value: str, clock: Clock) -> None:
    assert redirect(clock).error({COOKIE: value}) is None
    assert redirect(clock).error({}) is None
