"""Raw pages of a listing: everything but the reading of the answer is left to botocore.

botocore's own parser takes ten times as long for a page as the reading in `core/references/listing/list_page.py`,
and in pure Python, so that threads do not help. Its client has an event between an answer's arrival and
its parsing; there the page is taken out, and the parser is given an empty one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, MutableMapping
from typing import Any, Final

from botocore import exceptions as vendor
from botocore import handlers
from tenacity import (
    RetryCallState,
    Retrying,
    stop_after_attempt,
    stop_after_delay,
    stop_never,
    stop_when_event_set,
    wait_random_exponential,
)
from tenacity.stop import stop_base

from core.errors import NotFound, StorageError, StorageUnavailable
from core.storage.circuit_breaker import CircuitBreaker
from core.storage.client import BucketClient, Reach
from core.storage.request_template import OPERATION, RequestTemplate, check_whole, is_late_fault

PAGE_KEYS: Final = 1000
BACKOFF_S: Final = 0.2
LONGEST_BACKOFF_S: Final = 8.0
PASSING_CODES: Final = frozenset(
    {"SlowDown", "RequestTimeout", "RequestLimitExceeded", "Throttling", "ThrottlingException", "429"}
)
PASSING_ERRORS: Final = (vendor.HTTPClientError, vendor.IncompleteReadError)
_IN_THE_QUERY: Final = {
    "StartAfter": "start-after",
    "ContinuationToken": "continuation-token",
    "Delimiter": "delimiter",
}
LASTING_ERRORS: Final = (vendor.SSLError, vendor.InvalidProxiesConfigError)


class ListPages:
    """The ListObjectsV2 pages of one bucket, as the bytes that S3 sent, for any number of threads.

    What passes by itself (SlowDown, 5xx, time-outs, a connection that is cut) is tried again up to
    `attempts` times within `patience_s`, with growing random pauses; then it is StorageUnavailable. While the circuit
    breaker is open it is that at once.
    """

    def __init__(
        self,
        reach: Reach,
        *,
        attempts: int = 6,
        patience_s: float = 60.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        # A client of its own: the events below must not reach anybody else's listing.
        self._client = BucketClient(reach, attempts=1)
        self._retrying = Retrying(
            retry=_will_pass,
            stop=stop_after_attempt(attempts) | stop_after_delay(patience_s) | _stop_by(reach.circuit_breaker),
            wait=wait_random_exponential(multiplier=BACKOFF_S, max=LONGEST_BACKOFF_S),
            sleep=sleep,
            reraise=True,
        )
        events = self._client.s3.meta.events
        # It parses every answer once more, to find errors that came with a 200; `_take_page` looks for those.
        events.unregister("before-parse.s3.*", handlers._handle_200_error)  # type: ignore[attr-defined]
        events.register(f"before-parse.s3.{OPERATION}", _take_page)
        self._template = RequestTemplate(self._client)

    def page(self, prefix: str, *, start_after: str = "", token: str = "", delimiter: str = "") -> bytes:
        """One page of up to 1000 rows, keys URL-encoded, behind `start_after` or at a continuation token.

        Raises StorageDenied, and StorageUnavailable when it does not pass.
        """
        asked = {"StartAfter": start_after, "ContinuationToken": token, "Delimiter": delimiter}
        given = {name: value for name, value in asked.items() if value}
        raw: bytes = self._retrying(self._fetch, prefix, given)
        return raw

    def _fetch(self, prefix: str, given: dict[str, str]) -> bytes:
        client = self._client
        try:
            with client.faults():
                page = self._from_template(prefix, given)
                if page is None:
                    page = client.list_page(prefix, MaxKeys=PAGE_KEYS, EncodingType="url", **given)["RawPage"]
        except NotFound as err:  # a bare 404: nothing but the bucket can be missing here
            raise StorageUnavailable("The bucket “{}” does not exist.", client.bucket) from err
        return page

    def _from_template(self, prefix: str, given: dict[str, str]) -> bytes | None:
        """The page by the short way; None if the whole way is to be gone, which knows redirects and what is amiss."""
        query = {"list-type": "2", "prefix": prefix, "max-keys": str(PAGE_KEYS), "encoding-type": "url"}
        try:
            return self._template.page(query | {_IN_THE_QUERY[name]: value for name, value in given.items()})
        except vendor.ClientError as err:
            if _passes(err):
                raise
            return None


def _take_page(
    response_dict: dict[str, Any], customized_response_dict: MutableMapping[str, Any], **_event: object
) -> None:
    """Keep the bytes of a whole page and leave nothing to parse; an error is left to botocore's parser."""
    if response_dict["status_code"] != 200:
        return
    if is_late_fault(response_dict["body"]):
        response_dict["status_code"] = 500
        return
    customized_response_dict["RawPage"] = check_whole(response_dict["body"], response_dict["headers"])
    response_dict["body"] = b""


def _stop_by(circuit_breaker: CircuitBreaker | None) -> stop_base:
    return stop_when_event_set(circuit_breaker.opened) if circuit_breaker is not None else stop_never


def _will_pass(attempt: RetryCallState) -> bool:
    err = attempt.outcome.exception() if attempt.outcome else None
    if not isinstance(err, StorageError):
        return False
    cause = err.__cause__
    if isinstance(cause, vendor.ClientError):
        return _passes(cause)
    return isinstance(cause, PASSING_ERRORS) and not isinstance(cause, LASTING_ERRORS)


def _passes(err: vendor.ClientError) -> bool:
    status = err.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500 or err.response["Error"].get("Code") in PASSING_CODES
