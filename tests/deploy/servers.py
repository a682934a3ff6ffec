"""Servers as operators start them: real processes, whose every line is kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from tests.chromium import free_port

ROOT = Path(__file__).parents[2]
PATIENCE_S = 90.0  # of a busy machine


def until(holds: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """What `holds` returns as soon as it is true; network errors count as false."""
    deadline, pause = time.monotonic() + patience_s, threading.Event()
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            if found := holds():
                return found
        pause.wait(0.05)
    raise AssertionError(f"it never happened: {what}")


def clean_environment(home: Path) -> dict[str, str]:
    """What a login on a fresh machine would have, and nothing of this one's settings."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}


class Server:
    """One dashboard process and what it wrote."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str] = {},
        *,
        port: int = 0,
        root: Path = ROOT,
        before: Sequence[str] = (),
        program: Sequence[str] = ("-m", "streamlit", "run", "app.py"),
        **options: Any,
    ) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.data_dir = Path(environment.get("DATA_DIR", folder / "data"))
        self._log = folder / f"log-{self.port}.txt"
        command = [*before, sys.executable, *program, "--server.port", str(self.port)]
        with self._log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                cwd=root,
                env={**clean_environment(folder), "DATA_DIR": str(self.data_dir), **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
                **options,
            )

    @property
    def log(self) -> str:
        """All it has written."""
        return self._log.read_text("utf-8", "replace")

    def events(self, name: str = "") -> list[dict[str, Any]]:
        """Its log lines, of one event or all."""
        lines = [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]
        return [line for line in lines if name in ("", line["event"])]

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(self.url + path, headers=headers, timeout=PATIENCE_S)

    def ready(self) -> dict[str, Any]:
        """What /readyz says once people can be served."""
        answer = until(lambda: self._alive() and self._answer("/readyz", 200), f"ready:\n{self.log}")
        body: dict[str, Any] = answer.json()
        return body

    def healthy(self) -> None:
        until(lambda: self._alive() and self._answer("/healthz", 200), "healthy")

    def check(self, name: str) -> dict[str, str]:
        """One of the checks that /readyz lists."""
        return next((each for each in self.get("/readyz").json()["checks"] if each["name"] == name), {})

    def metric(self, line: str) -> float | None:
        """The value of one line of /metrics, named with its labels."""
        for each in self.get("/metrics").text.splitlines():
            if each.startswith(f"{line} "):
                return float(each.rsplit(" ", 1)[1])
        return None

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(PATIENCE_S)

    def _alive(self) -> bool:
        assert self.process.poll() is None, f"the server ended:\n{self.log}"
        return True

    def _answer(self, path: str, status: int) -> httpx.Response | None:
        answer = self.get(path)
        return answer if answer.status_code == status else None


@contextmanager
def serving(folder: Path, environment: Mapping[str, str] = {}, **options: Any) -> Iterator[Server]:
    """A server that ends with the test, whatever becomes of it."""
    folder.mkdir(parents=True, exist_ok=True)
    server = Server(folder, environment, **options)
    try:
        yield server
    finally:
        server.end()
