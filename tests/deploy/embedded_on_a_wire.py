"""A dashboard whose S3 is at the other end of a wire; everybody is signed in."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.storage.embedded import EmbeddedS3
from tests.deploy.servers import ROOT, Server, serving
from tests.deploy.wires import Wire, wire_to
from tests.storage.s3_servers import client_of, served_by

STREAMLIT = ("-m", "streamlit", "run", "app.py")
IMPATIENT = (str(ROOT / "tests" / "deploy" / "serve_impatient.py"), "1")


@dataclass(frozen=True, slots=True)
class Wired:
    """The server, the wire to its S3, and that S3 itself, which the wire's state does not touch."""

    server: Server
    wire: Wire
    s3: EmbeddedS3

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
def wired(folder: Path, *, program: Sequence[str] = STREAMLIT, **environment: str) -> Iterator[Wired]:
    """One that serves, until the block ends."""
    data = folder / "data"
    owner = EmbeddedS3.open(data, ROOT / "samples" / "refs")
    try:
        with wire_to(owner.endpoint_url) as wire:
            # The dashboard finds the server of whoever holds DATA_DIR by this file.
            (data / "s3.endpoint.json").write_text(json.dumps({"endpoint_url": wire.url, "pid": os.getpid()}))
            with serving(folder, {"INDEX_REFRESH_S": "1", **environment}, program=program) as server:
                server.ready()
                yield Wired(server, wire, owner)
                wire.cut()  # or the server would wait for it in vain
    finally:
        owner.close()
