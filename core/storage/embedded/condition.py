"""The condition of a write: what must be so at the moment of its commit."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from core.storage.embedded.s3_error import S3Error, no_such_key, not_kept


@dataclass(frozen=True, slots=True)
class Condition:
    """A request's If-Match and If-None-Match headers; without either it always holds."""

    if_match: str | None = None
    if_none_match: str | None = None

    def refuse_unless_held(self, etag: str | None) -> None:
        """Raise Refusal unless the condition holds for the present object's etag, or None for no object."""
        if self.if_none_match not in (None, "*"):
            raise not_kept("If-None-Match with an etag")
        if self.if_match is not None and etag is None:
            raise no_such_key()
        does_match = self.if_match in (None, "*") or self.if_match.strip('"') == etag
        is_taken = self.if_none_match == "*" and etag is not None
        if is_taken or not does_match:
            message = "At least one of the pre-conditions you specified did not hold"
            raise S3Error(HTTPStatus.PRECONDITION_FAILED, "PreconditionFailed", message)
