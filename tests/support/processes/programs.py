"""Programs: real processes with an environment of their own, whose every line is kept."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.support.artifacts import log_done, log_kept
from tests.support.processes.forks import ROOT, Fork
from tests.support.timeouts import LONG_S, until

STREAMLIT = (sys.executable, "-m", "streamlit", "run", "app.py")
TRUSTS_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # for plain HTTP: httpx would read every authority anew


def clean_environment(home: Path) -> dict[str, str]:
    """What a login on a fresh machine would have, and nothing of this one's settings."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}


class Program:
    """A process that has been started; what it writes goes behind what is in its log already."""

    def __init__(
        self, command: Sequence[str], log: Path, environment: Mapping[str, str], *, forked: bool = False, **options: Any
    ) -> None:
        """With `forked` a Python program begins where its imports end: see `tests.support.processes.forks`."""
        self.log_file = log
        log_kept(log)
        self.process: Fork | subprocess.Popen[bytes]
        if forked:
            assert command[0] == sys.executable
            self.process = Fork(command[1:], cwd=options.get("cwd", ROOT), env=environment, stdout=log)
            return
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                env=dict(environment),
                **({"cwd": ROOT, "stdout": output, "stderr": subprocess.STDOUT} | options),
            )

    @property
    def log(self) -> str:
        """All it has written."""
        return self.log_file.read_text("utf-8", "replace")

    def answers(
        self, url: str, status: int = 200, *, trust: ssl.SSLContext | None = None, patience_s: float = LONG_S
    ) -> httpx.Response:
        """Its answer at this address once it has this status; a program that ends instead fails the test."""

        def answer() -> httpx.Response | None:
            assert self.process.poll() is None, f"it ended instead of answering:\n{self.log}"
            found = httpx.get(url, timeout=LONG_S, verify=trust or TRUSTS_NOBODY)
            return found if found.status_code == status else None

        found: httpx.Response = until(answer, lambda: f"{url} answers {status}:\n{self.log}", patience_s)
        return found

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it, if nobody has; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(LONG_S)
        except subprocess.TimeoutExpired:
            self.process.kill()  # or it would outlive the tests
            raise
        finally:
            if self.process.poll() is not None:
                log_done(self.log_file)


@contextmanager
def running(command: Sequence[str], log: Path, environment: Mapping[str, str], **options: Any) -> Iterator[Program]:
    """A program that ends with the block, whatever becomes of it."""
    program = Program(command, log, environment, **options)
    try:
        yield program
    finally:
        program.end()


@contextmanager
def streamlit_app(folder: Path, port: int, **environment: str) -> Iterator[Program]:
    """`app.py` of a folder, which may import the product, served on a loopback port and ready."""
    command = [*STREAMLIT, f"--server.port={port}", "--server.address=127.0.0.1"]
    found = {**clean_environment(folder), "PYTHONPATH": str(ROOT), **environment}
    with running(command, folder / "log.txt", found, cwd=folder, forked=True) as app:
        app.answers(f"http://127.0.0.1:{port}/_stcore/health")
        yield app
