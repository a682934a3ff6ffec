"""Presigned addresses: an object straight from S3, under a URL that stays the same for a quarter of an hour.

botocore says where the bucket is and who signs; the signature itself is made here, with a date that stands
still within a window and a key that is derived once in it. boto3 takes some twenty times as long, and makes
a new URL every second, which no browser finds in its cache again.
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit

from core.errors import InputError
from core.storage.s3 import Store

WINDOW_S: Final = 15 * 60
# From the window's start, so that a URL handed out at its end still has three quarters of an hour.
VALID_S: Final = 60 * 60
_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True)
class SignedUrl:
    """An address that opens one object; for `stable_s` more seconds the same one is handed out."""

    url: str
    stable_s: float


@dataclass(frozen=True, slots=True)
class _Window:
    """What all URLs of one quarter of an hour and one set of credentials have in common."""

    start: int
    credentials: tuple[Any, ...]
    base: str  # scheme, host and, path-style, the bucket
    query: str
    path: str
    behind_query: str  # of the canonical request
    to_sign: bytes
    signing_key: bytes


class Presigner:
    """Presigned GET addresses for a store's bucket, for any number of threads.

    Host, style of address, region and credentials are the store's own client's, refreshed as it refreshes
    them. `clock` gives seconds since 1970.
    """

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.time) -> None:
        self._client = store.client
        self._clock = clock
        self._window: _Window | None = None

    def url(self, key: str, *, content_type: str = "", disposition: str = "") -> SignedUrl:
        """The address of an object; S3 answers with the given Content-Type and Content-Disposition.

        Raises InputError for what cannot be a key, StorageDenied without usable credentials. Whether the
        object exists is not asked.
        """
        if not key:
            raise InputError("An object without a key cannot be addressed.")  # it would be the bucket's listing
        now = self._clock()
        with self._client.faults(key):
            window = self._current(int(now // WINDOW_S) * WINDOW_S)
            path = quote(key)
        query = window.query  # in the order of the names, as the canonical request wants them
        if disposition:
            query += f"&response-content-disposition={quote(disposition, safe='')}"
        if content_type:
            query += f"&response-content-type={quote(content_type, safe='')}"
        canonical = f"GET\n{window.path}{path}\n{query}\n{window.behind_query}"
        to_sign = window.to_sign + hashlib.sha256(canonical.encode()).hexdigest().encode()
        signature = hmac.digest(window.signing_key, to_sign, "sha256").hex()
        url = f"{window.base}{path}?{query}&X-Amz-Signature={signature}"
        return SignedUrl(url, window.start + WINDOW_S - now)

    @property
    def origin(self) -> str:
        """Scheme, host and port of every address. No credentials are needed, and nobody is asked."""
        address, _ = self._client.place()
        parts = urlsplit(address)
        return f"{parts.scheme}://{parts.netloc}"

    def _current(self, start: int) -> _Window:
        credentials = self._client.credentials()
        window = self._window
        if window is None or (window.start, window.credentials) != (start, credentials):
            window = self._window = self._open(start, credentials)
        return window

    def _open(self, start: int, credentials: Any) -> _Window:
        """Everything but the key."""
        address, region = self._client.place()
        parts = urlsplit(address)
        path = f"{parts.path.rstrip('/')}/"
        timestamp = datetime.fromtimestamp(start, UTC).strftime("%Y%m%dT%H%M%SZ")
        scope = (timestamp[:8], region, "s3", "aws4_request")
        named = {
            "X-Amz-Algorithm": _ALGORITHM,
            "X-Amz-Credential": "/".join((credentials.access_key, *scope)),
            "X-Amz-Date": timestamp,
            "X-Amz-Expires": str(VALID_S),
            "X-Amz-Security-Token": credentials.token or "",
            "X-Amz-SignedHeaders": "host",
        }
        host = parts.netloc.lower().removesuffix(_DEFAULT_PORTS.get(parts.scheme, ""))  # as browsers name it
        signing_key = f"AWS4{credentials.secret_key}".encode()
        for part in scope:
            signing_key = hmac.digest(signing_key, part.encode(), "sha256")
        return _Window(
            start=start,
            credentials=credentials,
            base=f"{parts.scheme}://{parts.netloc}{path}",
            query="&".join(f"{name}={quote(value, safe='')}" for name, value in named.items() if value),
            path=path,
            behind_query=f"host:{host}\n\nhost\nUNSIGNED-PAYLOAD",
            to_sign=f"{_ALGORITHM}\n{timestamp}\n{'/'.join(scope)}\n".encode(),
            signing_key=signing_key,
        )


def survives_browsers(key: str) -> bool:
    """Whether a browser asks for this key as it stands: it resolves `.` and `..` in every address it follows.

    https://url.spec.whatwg.org/#path-state
    """
    return not {".", ".."}.intersection(key.split("/"))
