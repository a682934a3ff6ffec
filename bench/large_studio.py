"""A dashboard over a large library, signed in: its S3 is a loopback server that makes the references up.

The dashboard finds that server as it would find the embedded S3 of another process on its DATA_DIR; so everybody is
demo@localhost, and every page, route and engine is the real one. `python -m bench.large_studio 100000 0.01` serves
the S3 alone, with that latency for every answer, until its standard input is closed.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from PIL import Image

from bench.history_server import Connection, _response, _Written
from bench.list_server import Bucket, studio_tree
from core.storage.local.data_dir import DataDir

ROOT = Path(__file__).parents[1]
BUCKET = "studio"
START_S = 180.0


def pictures() -> list[bytes]:
    """A few JPEGs, small enough that making thumbnails of them is not what is measured."""
    chance, made = random.Random(5), []
    for _ in range(12):
        ground = Image.new("RGB", (5, 6))
        ground.putdata([tuple(chance.randrange(30, 226) for _ in range(3)) for _ in range(30)])
        out = io.BytesIO()
        ground.resize((800, 1000), Image.Resampling.BICUBIC).save(out, "JPEG", quality=88)
        made.append(out.getvalue())
    return made


class StudioConnection(Connection):
    """A bucket of references that is only read, and beside it whatever the dashboard writes."""

    photos: tuple[bytes, ...] = ()

    def _answer(self, method: str, target: str, headers: dict[str, str], data: bytes) -> bytes:
        parts = urlsplit(target)
        key = unquote(parts.path).removeprefix(f"/{BUCKET}").removeprefix("/")
        if not key:
            query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
            is_library = query.get("prefix", "").startswith("refs/")
            return _response("200 OK", (self._bucket if is_library else _Folders(self._written)).page(query))
        if method == "PUT" or key in self._written:
            return super()._answer(method, f"/bench/{parts.path.removeprefix(f'/{BUCKET}/')}", headers, data)
        if method == "DELETE":
            return _response("204 No Content", b"")
        if key not in self._keys:
            return _response("404 Not Found", b"<Error><Code>NoSuchKey</Code></Error>")
        digest = hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()
        body = self.photos[int(digest[:4], 16) % len(self.photos)]
        return _response("200 OK", body if method == "GET" else b"", etag=digest)


class _Folders(_Written):
    """The written objects, also level by level."""

    def page(self, query: dict[str, str]) -> bytes:
        """One page of all, or the folders right below a prefix."""
        prefix = query.get("prefix", "")
        if not query.get("delimiter"):
            return super().page(query)
        names = {key[len(prefix) :].split("/")[0] for key in self._written if key.startswith(prefix)}
        rows = "".join(f"<CommonPrefixes><Prefix>{prefix}{name}/</Prefix></CommonPrefixes>" for name in sorted(names))
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>".encode()


async def serve(count: int, latency_s: float) -> None:
    """Serve until standard input ends."""
    keys = set(studio_tree(count))
    bucket, written = Bucket(keys), dict[str, bytes]()
    StudioConnection.photos = tuple(pictures())
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: StudioConnection(bucket, keys, written, latency_s), "127.0.0.1", 0, backlog=512
    )
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


@dataclass(frozen=True, slots=True)
class LargeStudio:
    """A running dashboard over it."""

    url: str
    pid: int
    references: int
    log: Path
    s3_url: str

    def complaints(self) -> list[str]:
        """What its log has to say of failures nobody expected."""
        bad = (
            "script_error",
            "request_crashed",
            "thread_crashed",
            "round_crashed",
            "task_crashed",
            "engine_crashed",
            "Traceback",
        )
        return [line for line in self.log.read_text("utf-8").splitlines() if any(word in line for word in bad)]

    def metric(self, line: str) -> float:
        """The value of one line of /metrics; 0 where there is none yet."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=30) as answer:  # noqa: S310 - loopback
            for each in answer.read().decode().splitlines():
                if each.startswith(f"{line} "):
                    return float(each.rsplit(" ", 1)[1])
        return 0.0


@contextmanager
def large_studio(
    references: int,
    port: int,
    *,
    latency_s: float = 0.01,
    s3: Sequence[str] = ("bench.large_studio",),
    checkout: Path = ROOT,
    **settings: str,
) -> Iterator[LargeStudio]:
    """Start both, wait until the index is there, and end them.

    `s3` is the module that serves the S3, with what it is told before the number of references and the latency.
    `checkout` is another one than this, for what travels with it.
    """
    with tempfile.TemporaryDirectory() as folder:
        data = DataDir(Path(folder) / "data")
        data.claim()
        data.credentials()
        command = [sys.executable, "-m", *s3, str(references), str(latency_s)]
        serving = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        with serving:
            assert serving.stdin is not None  # noqa: S101 - both are pipes
            assert serving.stdout is not None  # noqa: S101
            s3_url = serving.stdout.readline().strip()
            data.announce(s3_url)
            log = Path(folder) / "log.txt"
            environment = {"PATH": os.environ["PATH"], "HOME": folder, "DATA_DIR": f"{folder}/data", **settings}
            command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
            with log.open("wb") as output:
                dashboard = subprocess.Popen(command, cwd=checkout, env=environment, stdout=output, stderr=output)
            try:
                _wait(f"http://127.0.0.1:{port}/readyz", dashboard, log)
                yield LargeStudio(f"http://127.0.0.1:{port}", dashboard.pid, references, log, s3_url)
            finally:
                dashboard.terminate()
                dashboard.wait(60)
                serving.stdin.close()
                data.release()


def _wait(url: str, dashboard: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and dashboard.poll() is None:
        with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310
            if json.load(answer)["ready"]:
                return
        with suppress(subprocess.TimeoutExpired):
            dashboard.wait(0.2)
    raise SystemExit(f"the dashboard did not start:\n{log.read_text('utf-8')}")


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
