"""Connecting: the one bucket that the settings mean, object by object and page by page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from core.settings import Profile, Settings, export_aws_variables
from core.storage.circuit_breaker import CircuitBreaker
from core.storage.client import DEFAULT_REGION, Reach
from core.storage.list_pages import ListPages
from core.storage.s3 import Store

if TYPE_CHECKING:
    from core.storage.embedded.server import EmbeddedS3

_ASKED_AGAIN_S = 2.0  # for so long an S3 that was away may take to answer, to count as back


@dataclass(frozen=True, slots=True)
class Storage:
    """One bucket; `embedded` is the server behind it, if it is ours."""

    store: Store
    list_pages: ListPages
    circuit_breaker: CircuitBreaker
    embedded: EmbeddedS3 | None = None

    def close(self) -> None:
        """End the embedded server, if there is one."""
        self.circuit_breaker.stop()
        if self.embedded is not None:
            self.embedded.close()


def open_storage(settings: Settings, samples: Path, *, lends: bool = True) -> Storage:
    """The bucket these settings mean; the embedded one, filled with `samples`, is started for the embedded profile.

    `lends` as in EmbeddedS3.open. Raises ConfigError or StorageError.
    """
    if settings.profile is Profile.PRODUCTION:
        export_aws_variables()
        return _connect(Reach(settings.s3_bucket or "", settings.s3_endpoint_url))
    from core.storage.embedded.server import EmbeddedS3  # moto: half of the start of an operator's command

    embedded = EmbeddedS3.open(settings.data_dir, samples, lends=lends)
    reach = Reach(
        embedded.bucket, embedded.endpoint_url, embedded.access_key, embedded.secret_key, region=DEFAULT_REGION
    )
    return _connect(reach, embedded)


def _connect(reach: Reach, embedded: EmbeddedS3 | None = None) -> Storage:
    @cache
    def impatient() -> Store:
        return Store(replace(reach, connect_timeout_s=_ASKED_AGAIN_S, read_timeout_s=_ASKED_AGAIN_S), attempts=1)

    circuit_breaker = CircuitBreaker(lambda: impatient().check_bucket())
    watched = replace(reach, circuit_breaker=circuit_breaker)
    return Storage(Store(watched), ListPages(watched), circuit_breaker, embedded)
