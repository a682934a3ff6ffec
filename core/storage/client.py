"""The client of one bucket, Amazon's or a compatible server's: how boto3 is set up to reach it in bounded time.

What Amazon's libraries do not offer openly is used here alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore import exceptions as vendor
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.config import Config
from botocore.loaders import Loader, create_loader

from core.errors import ConfigError, StorageUnavailable
from core.settings import is_loopback
from core.storage.circuit_breaker import CircuitBreaker
from core.storage.faults import translate_faults

POOL_CONNECTIONS: Final = 64
DEFAULT_REGION: Final = "us-east-1"  # what S3-compatible servers expect when nobody has named a region


@dataclass(frozen=True, slots=True)
class Reach:
    """A bucket and how it is reached: Amazon's without an `endpoint_url`, by the usual AWS chain without keys."""

    bucket: str
    endpoint_url: str | None = None
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    region: str | None = None
    connect_timeout_s: float = 3.0
    read_timeout_s: float = 10.0
    circuit_breaker: CircuitBreaker | None = None


class BucketClient:
    """boto3's client of one bucket, for any number of threads. What fails raises the studio's own errors.

    A call ends in bounded time: at most `attempts` times `connect_timeout_s` + `read_timeout_s`, and a little backoff
    between them; at once while the circuit breaker is open.
    """

    def __init__(self, reach: Reach, *, attempts: int) -> None:
        self.bucket = reach.bucket
        self.endpoint = reach.endpoint_url or "Amazon S3"
        self.s3: Any = _s3_client(reach, attempts)
        self._circuit_breaker = reach.circuit_breaker

    @contextmanager
    def faults(self, key: str = "") -> Iterator[None]:
        """Turn what boto3 raises into our errors, and ask nothing of an S3 that is known to be away."""
        breaker = self._circuit_breaker
        if breaker is not None:
            breaker.check()
        try:
            with translate_faults(bucket=self.bucket, endpoint=self.endpoint, key=key):
                yield
        except StorageUnavailable:
            if breaker is not None:
                breaker.suspect()
            raise
        if breaker is not None:
            breaker.record_answer()

    def call(self, operation: str, **asked: Any) -> Any:
        """One operation on the bucket by boto3's name for it; what it answers, parsed. Raises StorageError."""
        with self.faults(asked.get("Key", "")):
            return getattr(self.s3, operation)(Bucket=self.bucket, **asked)

    def list_page(self, prefix: str, **position: str | int) -> Any:
        """One ListObjectsV2 answer, parsed. Raises StorageError."""
        return self.call("list_objects_v2", Prefix=prefix, **position)

    def credentials(self) -> Any:
        """Access key, secret key and token as they hold at the moment. Raises NoCredentialsError."""
        held = self.s3._get_credentials()
        if held is None:
            raise vendor.NoCredentialsError
        return held.get_frozen_credentials()  # refreshes what is about to expire

    def place(self) -> tuple[str, str]:
        """The bucket's address and region, where the client itself would go for a GetObject now.

        Not read from a URL of generate_presigned_url: that goes to s3.amazonaws.com whatever the region is,
        which redirects for a young bucket and knows none of the opt-in regions.
        https://github.com/boto/boto3/issues/2989
        """
        meta = self.s3.meta
        operation = meta.service_model.operation_model("GetObject")
        context = {"client_region": meta.region_name, "client_config": meta.config}
        params = self.s3._emit_api_params({"Bucket": self.bucket, "Key": "k"}, operation, context)
        address, _, _ = self.s3._resolve_endpoint_ruleset(operation, params, context)
        return address, context["signing"]["region"]

    def sign(self, operation: str, request: AWSRequest) -> None:
        """Sign a request in its headers, as the client signs its own."""
        self.s3._request_signer.sign(operation, request)

    def send(self, request: AWSRequest) -> AWSResponse:
        """Send a signed request once, through the client's connections. Raises what botocore raises."""
        answer: AWSResponse = self.s3._endpoint.http_session.send(request.prepare())
        return answer


def _s3_client(reach: Reach, attempts: int) -> Any:
    """A client of its own. Raises ConfigError for an address that cannot be one, or a profile that does not exist."""
    config = Config(
        signature_version="s3v4",
        connect_timeout=reach.connect_timeout_s,
        read_timeout=reach.read_timeout_s,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=POOL_CONNECTIONS,
        tcp_keepalive=True,
        # bucket.localhost or bucket.minio.internal rarely resolve
        s3={"addressing_style": "path" if reach.endpoint_url else "auto"},
        # Since 1.36 botocore adds a CRC to every upload, as a trailer of a chunked body; several
        # S3-compatible servers store the chunk headers as data or refuse it.
        # https://github.com/boto/boto3/issues/4398
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        # HTTP_PROXY without NO_PROXY would send loopback traffic to the proxy
        proxies={} if is_loopback(urlsplit(reach.endpoint_url or "").hostname or "") else None,
    )
    # A session of its own: boto3's default session is shared and not safe to build clients from in
    # several threads. https://boto3.amazonaws.com/v1/documentation/api/latest/guide/session.html
    try:
        session = boto3.session.Session(botocore_session=_session())
        return session.client(
            "s3",
            endpoint_url=reach.endpoint_url,
            aws_access_key_id=reach.access_key,
            aws_secret_access_key=reach.secret_key,
            region_name=reach.region or session.region_name or DEFAULT_REGION,
            config=config,
        )
    except vendor.ProfileNotFound as err:
        raise ConfigError("{}.", err, setting="AWS_PROFILE") from err
    except ValueError as err:
        raise ConfigError(
            "{setting} is not an address that S3 could have: “{}”.", reach.endpoint_url, setting="S3_ENDPOINT_URL"
        ) from err


def _session() -> botocore.session.Session:
    """A session that shares the descriptions of Amazon's services with all others: reading S3's takes 50 ms."""
    session = botocore.session.get_session()
    session.register_component("data_loader", _loader(session.get_config_variable("data_path")))
    return session


@cache
def _loader(data_path: str | None) -> Loader:
    return create_loader(data_path)
