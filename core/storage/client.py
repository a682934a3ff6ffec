"""S3 clients: how boto3 is set up to reach a bucket in bounded time, Amazon's or a compatible server's."""

from __future__ import annotations

from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore import exceptions as vendor
from botocore.config import Config
from botocore.loaders import Loader, create_loader

from core.errors import ConfigError
from core.settings import is_loopback

POOL_CONNECTIONS: Final = 64
DEFAULT_REGION: Final = "us-east-1"  # what S3-compatible servers expect when nobody has named a region


def s3_client(
    *,
    endpoint_url: str | None,
    access_key: str | None,
    secret_key: str | None,
    region: str | None,
    connect_timeout_s: float,
    read_timeout_s: float,
    attempts: int,
) -> Any:
    """A client of its own for one bucket. Without keys the usual AWS chain finds the credentials.

    Raises ConfigError for an address that cannot be one, or a profile that does not exist.
    """
    config = Config(
        signature_version="s3v4",
        connect_timeout=connect_timeout_s,
        read_timeout=read_timeout_s,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=POOL_CONNECTIONS,
        tcp_keepalive=True,
        # bucket.localhost or bucket.minio.internal rarely resolve
        s3={"addressing_style": "path" if endpoint_url else "auto"},
        # Since 1.36 botocore adds a CRC to every upload, as a trailer of a chunked body; several
        # S3-compatible servers store the chunk headers as data or refuse it.
        # https://github.com/boto/boto3/issues/4398
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        # HTTP_PROXY without NO_PROXY would send loopback traffic to the proxy
        proxies={} if is_loopback(urlsplit(endpoint_url or "").hostname or "") else None,
    )
    # A session of its own: boto3's default session is shared and not safe to build clients from in
    # several threads. https://boto3.amazonaws.com/v1/documentation/api/latest/guide/session.html
    try:
        session = boto3.session.Session(botocore_session=_session())
        return session.client(
            "s3",
            endpoint_url=endpoint_url,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            region_name=region or session.region_name or DEFAULT_REGION,
            config=config,
        )
    except vendor.ProfileNotFound as err:
        raise ConfigError(f"{err}.", setting="AWS_PROFILE") from err
    except ValueError as err:
        message = f"S3_ENDPOINT_URL is not an address that S3 could have: “{endpoint_url}”."
        raise ConfigError(message, setting="S3_ENDPOINT_URL") from err


def _session() -> botocore.session.Session:
    """A session that shares the descriptions of Amazon's services with all others: reading S3's takes 50 ms."""
    session = botocore.session.get_session()
    session.register_component("data_loader", _loader(session.get_config_variable("data_path")))
    return session


@cache
def _loader(data_path: str | None) -> Loader:
    return create_loader(data_path)
