"""The dashboard's server as these tests meet it: a process that is started, asked, stopped and killed."""

from __future__ import annotations

import json
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.support.ports import own_port
from tests.support.processes.programs import Program, clean_environment
from tests.support.s3.servers import S3Server
from tests.support.timeouts import LONG_S, until

SCRIPT = Path(__file__).with_name("serve_studio.py")
BUSY = ("queued", "running")


def place_of(side: Mapping[str, Any]) -> str:
    """A side, or a further take of one, as its files are called."""
    return side["side"] if side["take"] == 1 else f"{side['side']}-take{side['take']}"


class Refused(Exception):
    """The server answered with one of the program's sentences."""


class Server(Program):
    """A running process and where it listens."""

    def __init__(self, folder: Path, log: Path, settings: Mapping[str, str], *words: str) -> None:
        """`words` are those of `serve_studio.py`."""
        port = own_port()
        self.url = f"http://127.0.0.1:{port}"
        environment = clean_environment(folder) | {"DATA_DIR": str(folder / "data")} | dict(settings)
        super().__init__([sys.executable, str(SCRIPT), str(port), *words], log, environment, forked=True)

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
        return {place_of(side): side for side in self.ask("status", id=comparison)}

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
        self.end(signal.SIGKILL)


@dataclass
class Servers:
    """Starts servers with the same settings, and ends whatever is left of them."""

    folder: Path
    settings: Mapping[str, str]
    started: list[Server] = field(default_factory=list)

    def start(self, *words: str, **more: str) -> Server:
        """A server that answers; `words` are those of `serve_studio.py`."""
        log = self.folder / f"server-{len(self.started)}.log"
        server = Server(self.folder, log, {**self.settings, **more}, *words)
        self.started.append(server)
        server.answers(f"{server.url}/readyz")
        return server

    def end(self) -> None:
        for server in self.started:
            server.kill()


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
        "OPENAI_STREAMING": "on",  # its partial pictures are moments of the matrix
        "GENERATION_CONCURRENCY": "64",
        "GENERATION_DEADLINE_S": "600",  # no side that is held ends by itself, however slow the machine is
        "INDEX_REFRESH_S": "3600",
    }
