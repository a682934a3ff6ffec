"""The condition of a write: what must be so at the moment of its commit."""

from __future__ import annotations

from dataclasses import dataclass

from werkzeug.datastructures import ETags

from core.storage.embedded.s3_error import no_such_key, not_kept, precondition_failed


@dataclass(frozen=True, slots=True)
class Condition:
    """A request's If-Match and If-None-Match headers; without either it always holds."""

    if_match: ETags | None = None
    if_none_match: ETags | None = None

    def refuse_unless_held(self, etag: str | None) -> None:
        """Raise S3Error unless the condition holds for the present object's etag, or None for no object."""
        if self.if_none_match is not None and not self.if_none_match.star_tag:
            raise not_kept("If-None-Match with an etag")
        if self.if_none_match is not None and etag is not None:
            raise precondition_failed()
        if self.if_match is not None:
            if etag is None:
                raise no_such_key()
            if etag not in self.if_match:
                raise precondition_failed()
