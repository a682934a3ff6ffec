"""A process that says what time it believes it is, and of each token on standard input whom it names, or why nobody."""

from __future__ import annotations

import sys
import time

from core.errors import SignInError
from core.identity.google import Certificates, GoogleVerifier
from tests.fakes.google import CLIENT_ID
from tests.identity.issuer import NONCE, led_to

print(int(time.time()))
with led_to(sys.argv[1]) as transport:
    verifier = GoogleVerifier(CLIENT_ID, Certificates(transport))
    for token in sys.stdin.read().split():
        try:
            print(f"said: {verifier.verify(token, nonce=NONCE).email}")
        except SignInError as err:
            print(f"said: {err.message}")
