"""What attackers send, and what a server that keeps them out may answer."""

from __future__ import annotations

import base64
import json
import re
import time
from hashlib import sha256
from typing import Any

import httpx
from itsdangerous import URLSafeSerializer

from core.web.http.addresses import ORIGINAL, image_url
from tests.support.dashboards.production import KEY, MADE, SECRET, Production

COMPARISON = "01KAM8K4T0YZ7C4D0Q7H7P3N5E"
TOLD_BY_PAGES = (b"Ada 03", b"a(natural,film)", b"01. Model", b"/image/")
NOW = int(time.time())


def pictures(studio: Production) -> dict[str, tuple[str, str, dict[str, str]]]:
    """Every way to a picture."""
    etag = studio.etags[KEY]
    return {
        "thumbnail": ("GET", image_url(KEY, etag), {}),
        "large thumbnail": ("GET", image_url(KEY, etag, 960), {}),
        "original": ("GET", image_url(KEY, etag, ORIGINAL), {}),
        "download": ("GET", image_url(KEY, etag, ORIGINAL, download_as="Ada.jpg"), {}),
        "result": ("GET", image_url(MADE, studio.etags[MADE], ORIGINAL), {}),
        "head": ("HEAD", image_url(KEY, etag, ORIGINAL), {}),
        "range": ("GET", image_url(KEY, etag, ORIGINAL), {"Range": "bytes=0-99"}),
        "cached": ("GET", image_url(KEY, etag, ORIGINAL), {"If-None-Match": f'"{etag}"'}),
        "missing": ("GET", image_url("refs/none.jpg", etag), {}),
        "partial": ("GET", f"/partial/{COMPARISON}/tone-only", {}),
        "download of a page": ("GET", f"/media/{'0' * 56}.jsonl", {}),
    }


def kept_out(studio: Production, headers: dict[str, str]) -> bool:
    """Whether every way to a picture is closed, all of them with the same words."""
    for method, path, more in pictures(studio).values():
        answer = studio.client.request(method, path, headers=headers | more)
        assert answer.status_code == 401, path
        assert answer.text == ("" if method == "HEAD" else "Sign in to see this.")
        assert answer.headers["Cache-Control"] == "no-store"
        assert not {"etag", "set-cookie", "location", "content-disposition", "content-range"} & set(answer.headers)
    return True


def refused(answer: httpx.Response, *statuses: int) -> bool:
    """Whether a request for a session was turned away: no cookie, plain words."""
    assert answer.status_code in statuses
    assert "set-cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    assert re.fullmatch(r"[^\n<>]{5,160}\.", answer.text), answer.text
    return True


def door_only(told: bytes) -> bool:
    """Whether the frames of a page's run hold the login page and nothing from behind it."""
    assert b"sign in" in told.lower() or b"This account cannot come in" in told
    assert not [secret for secret in TOLD_BY_PAGES if secret in told]
    return True


def forged(content: Any, *, salt: str = "studio.session.1", secret: str = SECRET) -> str:
    kwargs = {"key_derivation": "hmac", "digest_method": sha256}
    return str(URLSafeSerializer(secret, salt=salt, signer_kwargs=kwargs).dumps(content))


def unsealed(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
