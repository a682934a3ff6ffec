"""A dashboard whose S3 is at the other end of a proxy: the demo, or one in production with people who are signed in."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.identity.session import SessionSigner
from core.storage.embedded.server import EmbeddedS3
from tests.fakes.google import CLIENT_ID
from tests.support.dashboards.production import CLIENT_SECRET, COOKIE, LISTED, METRICS_TOKEN, ORIGIN, SECRET, session
from tests.support.processes.programs import ROOT
from tests.support.processes.servers import Server, serving
from tests.support.s3.servers import client_of, served_by
from tests.support.tcp_proxy import TcpProxy, tcp_proxy


@dataclass(frozen=True, slots=True)
class ProxiedDashboard:
    """The server, the proxy to its S3, and that S3 itself, which the proxy's state does not touch."""

    server: Server
    proxy: TcpProxy
    s3: EmbeddedS3

    @staticmethod
    def cookie(person: str = "kim@studio.example") -> dict[str, str]:
        """What the browser of somebody sends who has signed in."""
        return {"Cookie": f"{COOKIE}={SessionSigner(SECRET).cookie(session(person))}"}

    def keys(self, part: str) -> list[str]:
        """The keys of everything generated whose name has this part."""
        client, prefix = client_of(served_by(self.s3)), "studio/generations/"
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=self.s3.bucket, Prefix=prefix)
        keys = [row["Key"] for page in pages for row in page.get("Contents", ())]
        return [key for key in keys if part in key]

    def kept(self) -> list[str]:
        """Finished pictures that wait on the server's disk."""
        return sorted(file.name for file in (self.server.data_dir / "outbox").rglob("*.made"))


@contextmanager
def behind_proxy(
    folder: Path, *, in_production: bool = False, forked: bool = True, **environment: str
) -> Iterator[ProxiedDashboard]:
    """One that serves, until the block ends. A clock of its own takes one that is not forked."""
    data = folder / "data"
    owner = EmbeddedS3.open(data, ROOT / "samples" / "refs")
    try:
        with tcp_proxy(owner.endpoint_url) as proxy:
            settings = {"INDEX_REFRESH_S": "1", **environment}
            if in_production:
                client_of(served_by(owner)).put_object(Bucket=owner.bucket, Key="studio/access.json", Body=LISTED)
                settings |= _production(owner, proxy)
            else:  # the dashboard finds the server of whoever holds DATA_DIR by this file
                (data / "s3.endpoint.json").write_text(json.dumps({"endpoint_url": proxy.url, "pid": os.getpid()}))
            with serving(folder, settings, forked=forked) as server:
                server.ready()
                yield ProxiedDashboard(server, proxy, owner)
                proxy.cut()  # or the server would wait for it in vain
    finally:
        owner.close()


def _production(s3: EmbeddedS3, proxy: TcpProxy) -> dict[str, str]:
    return {
        "S3_BUCKET": s3.bucket,
        "S3_ENDPOINT_URL": proxy.url,
        "AWS_ACCESS_KEY_ID": s3.access_key,
        "AWS_SECRET_ACCESS_KEY": s3.secret_key,
        "GOOGLE_CLIENT_ID": CLIENT_ID,
        "GOOGLE_CLIENT_SECRET": CLIENT_SECRET,
        "PUBLIC_URL": ORIGIN,
        "SESSION_SECRET": SECRET,
        "METRICS_TOKEN": METRICS_TOKEN,
        "ADMIN_EMAILS": "ada@studio.example",
    }
