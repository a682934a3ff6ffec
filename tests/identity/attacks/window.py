"""A browser's window on the sign-in in the same tab, as an attacker holds it: every cookie and header in the hand."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from core.identity.session import sealer_for
from tests.fakes.google import Account
from tests.identity.attacks.forgeries import forged
from tests.support.dashboards.https_studio import ADA, SESSION_SECRET, HttpsStudio
from tests.support.dashboards.production import own_address
from tests.support.processes.programs import TRUSTS_NOBODY

SESSION, ATTEMPT, REFUSAL = "__Host-studio", "__Host-studio-attempt", "__Host-studio-refusal"
FOREIGN = "This answer belongs to another sign-in. Sign in again."
NOT_CONFIRMED = "Google did not confirm this sign-in. Sign in again."
TOO_MANY = "Too many attempts to sign in: wait a minute, then try again."
WANTED = "/references?q=Ada"
LINK = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
RETURN = LINK | {"Sec-Fetch-Site": "cross-site"}
secrets: list[str] = []  # what the log of a server must not tell


@dataclass
class Window:
    """A browser's window that follows no redirect by itself: what it keeps and sends is in the test's hands.

    Each comes from an address of its own, as the proxy in front would tell it.
    """

    https: HttpsStudio
    cookies: dict[str, str] = field(default_factory=dict)
    origin: str = ""  # of another server than the one Google leads to
    address: str = field(default_factory=own_address)

    def get(self, path: str, headers: dict[str, str], *, method: str = "GET") -> httpx.Response:
        kept = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        told = {"X-Forwarded-For": self.address} | headers | {"Cookie": kept}
        with httpx.Client(verify=self.https.trust, timeout=60) as client:
            answer = client.request(method, (self.origin or self.https.url) + path, headers=told)
        for line in answer.headers.get_list("set-cookie"):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
                if not morsel.value:
                    del self.cookies[name]
                secrets.append(morsel.value)
        return answer

    def begin(self, to: str = WANTED) -> str:
        """Press the link: the address at Google to which it leads."""
        answer = self.get(f"/oauth/start?{urlencode({'to': to})}", LINK)
        assert answer.status_code == 303
        secrets.extend(value for name, value in query_of(answer).items() if name in ("state", "nonce"))
        return answer.headers["Location"]

    def asked_google(self, address: str, account: Account = ADA) -> str:
        """Choose an account: the path that Google sends the window back to."""
        self.https.google.answers_at_once = account
        try:
            back = httpx.get(address, verify=TRUSTS_NOBODY).headers["Location"]
        finally:
            self.https.google.answers_at_once = None
        assert back.startswith(f"{self.https.url}/oauth/callback?")
        return back.removeprefix(self.https.url)

    def chooses(self, account: Account) -> str:
        """The same where many are at Google at once, each with an account of their own."""
        address = self.begin()
        choice = re.search(r"request=([\w-]+)", httpx.get(address, verify=TRUSTS_NOBODY).text)
        assert choice is not None
        query = urlencode({"request": choice[1], "account": account.email})
        answer = httpx.get(f"{self.https.google.url}/consent?{query}", verify=TRUSTS_NOBODY)
        return answer.headers["Location"].removeprefix(self.https.url)

    def goes_to_google(self, account: Account = ADA, to: str = WANTED) -> str:
        return self.asked_google(self.begin(to), account)

    def comes_back(self, path: str) -> httpx.Response:
        return self.get(path, RETURN)

    @property
    def is_in(self) -> bool:
        """Whether the login page knows this browser: what is not there, it says only to those."""
        answer = self.get(f"/media/{'0' * 56}.jsonl", {})
        assert answer.status_code in (401, 404)
        return answer.status_code == 404

    @property
    def attempt(self) -> dict[str, Any]:
        content: dict[str, Any] = sealer_for(SESSION_SECRET, "studio.attempt.1").loads(self.cookies[ATTEMPT])
        return content

    def reseal(self, **changes: object) -> None:
        """The attempt as the server itself would have sealed it, with changes."""
        self.cookies[ATTEMPT] = forged(self.attempt | changes, salt="studio.attempt.1", secret=SESSION_SECRET)


def query_of(answer: httpx.Response) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def changed(path: str, **changes: str | None) -> str:
    """Google's way back with another query; None takes something out."""
    asked = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
    return "/oauth/callback?" + urlencode({n: v for n, v in (asked | changes).items() if v is not None})
