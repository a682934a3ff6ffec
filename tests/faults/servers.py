"""The dashboard's server as these tests meet it: a process that is started, asked, stopped and killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.chromium import wait_for
from tests.storage.s3_servers import S3Server

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("serve_studio.py")
LONG_S = 60.0
_POLL_S = 0.1
BUSY = ("queued", "running")


class Refused(Exception):
    """The server answered with one of the program's sentences."""


@dataclass
class Server:
    """A running process and where it listens."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def ask(self, does: str, **asked: Any) -> Any:
        """Let it do something. Raises Refused, or OSError once it is gone."""
        query = urlencode({"asked": json.dumps(asked)})
        try:
            with urllib.request.urlopen(f"{self.url}/{does}?{query}", timeout=LONG_S) as answer:  # noqa: S310 - loopback
                return json.load(answer)["said"]
        except urllib.error.HTTPError as err:
            body = err.read()
            raise Refused(json.loads(body)["error"] if err.code == 409 else body.decode()) from err

    def sides(self, comparison: str) -> dict[str, dict[str, Any]]:
        """What a new session is told of each side."""
        return {side["side"]: side for side in self.ask("status", id=comparison)}

    def ended(self, comparison: str, *sides: str) -> dict[str, dict[str, Any]]:
        """The same once these sides, or else all, have ended."""
        found: dict[str, dict[str, Any]] = {}

        def have_ended() -> bool:
            found.update(self.sides(comparison))
            return all(found[side]["phase"] not in BUSY for side in sides or found)

        until(have_ended, lambda: f"{comparison}: {found}")
        return found

    def kill(self) -> None:
        """As the kernel does when memory runs out, or somebody pulls the plug."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """As a supervisor does; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


def until(holds: Callable[[], bool], says: Callable[[], str] = lambda: "it never happened") -> None:
    """Return as soon as something another process does has happened."""
    pause = threading.Event()
    for _ in range(int(LONG_S / _POLL_S)):
        if holds():
            return
        pause.wait(_POLL_S)
    raise AssertionError(says())


@dataclass
class Servers:
    """Starts servers with the same settings, and ends whatever is left of them."""

    folder: Path
    settings: Mapping[str, str]
    started: list[Server] = field(default_factory=list)

    def start(self, *words: str, **more: str) -> Server:
        """A server that answers; `words` are those of `serve_studio.py`."""
        log = self.folder / f"server-{len(self.started)}.log"
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "DATA_DIR": str(self.folder / "data")}
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, str(SCRIPT), *words],
                cwd=ROOT,
                env=environment | dict(self.settings) | more,
                stdout=subprocess.PIPE,
                stderr=output,
            )
        assert process.stdout is not None
        port = process.stdout.readline().decode().strip()
        server = Server(process, f"http://127.0.0.1:{port}", log)
        self.started.append(server)
        threading.Thread(target=_drain, args=(process,), daemon=True).start()
        wait_for(f"{server.url}/readyz", process, log)
        return server

    def end(self) -> None:
        for server in self.started:
            server.process.kill()
            server.process.wait()
            if server.process.stdout is not None:
                server.process.stdout.close()


def _drain(process: subprocess.Popen[bytes]) -> None:
    """The log goes to standard output: unread, it would fill the pipe and stop the server."""
    while process.stdout is not None and not process.stdout.closed:
        try:
            if not process.stdout.read1(65536):  # type: ignore[attr-defined]  # it is buffered
                return
        except ValueError:
            return


@contextmanager
def servers(folder: Path, settings: Mapping[str, str]) -> Iterator[Servers]:
    """Servers that are gone when the block ends."""
    made = Servers(folder, settings)
    try:
        yield made
    finally:
        made.end()


def production(s3: S3Server, endpoint_url: str, openai_url: str) -> dict[str, str]:
    """The settings of a server in production on this bucket, seen through `endpoint_url`."""
    return {
        "S3_BUCKET": s3.bucket,
        "S3_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": s3.access_key,
        "AWS_SECRET_ACCESS_KEY": s3.secret_key,
        "AWS_EC2_METADATA_DISABLED": "true",
        "GOOGLE_CLIENT_ID": "made-up",
        "GOOGLE_CLIENT_SECRET": "made-up",
        "PUBLIC_URL": "http://127.0.0.1",
        "SESSION_SECRET": "x" * 32,
        "ALLOWED_DOMAINS": "studio.example",
        "OPENAI_API_KEY": "sk-fake",
        "OPENAI_BASE_URL": openai_url,
        "GENERATION_CONCURRENCY": "64",
        "GENERATION_DEADLINE_S": "60",
        "INDEX_REFRESH_S": "3600",
    }
