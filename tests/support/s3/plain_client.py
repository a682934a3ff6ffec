"""boto3's own S3 client, for what a test puts, reads or signs beside the studio's store."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
import botocore.session
from botocore.loaders import Loader, create_loader


def plain_client(**asked: Any) -> Any:
    """A client as boto3 makes it of these arguments, but that it reads the description of S3 once a process.

    To read it takes boto3 a tenth of a second, and tests make thousands of clients.
    """
    session = botocore.session.get_session()
    session.register_component("data_loader", _loader())
    return boto3.session.Session(botocore_session=session).client("s3", **asked)


@cache
def _loader() -> Loader:
    return create_loader()
