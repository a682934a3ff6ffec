"""A process that says what time it believes it is, and whom the token on standard input names, or why nobody."""

from __future__ import annotations

import sys
import time

from core.errors import SignInError
from core.identity.google import Certificates, GoogleVerifier
from tests.fakes.google import CLIENT_ID
from tests.identity.issuer import NONCE, led_to

print(int(time.time()))
with led_to(sys.argv[1]) as transport:
    try:
        print(GoogleVerifier(CLIENT_ID, Certificates(transport)).verify(sys.stdin.read(), nonce=NONCE).email)
    except SignInError as err:
        print(err.message)
