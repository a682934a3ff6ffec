"""What the tests of several commands work on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.processes.programs import ROOT
from tests.support.s3.moto_server import moto_server, with_bucket
from tests.support.s3.servers import S3Server


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of the embedded profile."""
    return {"DATA_DIR": str(tmp_path_factory.mktemp("data"))}


@pytest.fixture(scope="module")
def moto() -> Iterator[S3Server]:
    with moto_server() as server:
        yield server


@pytest.fixture(scope="module")
def studio(moto: S3Server) -> S3Server:
    """A bucket of the studio's own with the sample library in it."""
    samples = ROOT / "samples"
    files = [file for file in (samples / "refs").rglob("*") if file.is_file()]
    return with_bucket(moto, {file.relative_to(samples).as_posix(): file.read_bytes() for file in files})
