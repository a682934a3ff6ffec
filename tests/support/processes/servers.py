"""Servers as operators start them: `streamlit run app.py` with settings, asked over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.support.ports import give_back, own_port
from tests.support.processes.programs import ROOT, STREAMLIT, TRUSTS_NOBODY, Program, clean_environment
from tests.support.timeouts import LONG_S


class Server(Program):
    """One dashboard process and what it wrote."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str] = {},
        *,
        port: int = 0,
        root: Path = ROOT,
        before: Sequence[str] = (),
        program: Sequence[str] = STREAMLIT,
        **options: Any,
    ) -> None:
        """`root` is the checkout it runs in; `before` stands before the command; `options` as a Program takes them."""
        self.port = port or own_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.data_dir = Path(environment.get("DATA_DIR", folder / "data"))
        token = environment.get("METRICS_TOKEN", "token-of-these-tests")
        self._as_operator = {"Authorization": f"Bearer {token}"} if token else {}
        super().__init__(
            [*before, *program, "--server.port", str(self.port)],
            folder / f"log-{self.port}.txt",
            {**clean_environment(folder), "DATA_DIR": str(self.data_dir), "METRICS_TOKEN": token, **environment},
            **{"cwd": root, **options},
        )

    def events(self, name: str = "") -> list[dict[str, Any]]:
        """Its log lines, of one event or all."""
        lines = [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]
        return [line for line in lines if name in ("", line["event"])]

    def unexpected(self) -> list[str]:
        """The lines that tell of something the program did not expect."""
        return [line for line in self.log.splitlines() if "script_error" in line or "Traceback" in line]

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(self.url + path, headers=headers, timeout=LONG_S, verify=TRUSTS_NOBODY)

    def ask(self, path: str) -> httpx.Response:
        """The same as its operator, with METRICS_TOKEN if it has one."""
        return self.get(path, **self._as_operator)

    def ready(self) -> dict[str, Any]:
        """What /readyz tells its operator once people can be served."""
        self.answers(f"{self.url}/readyz")
        body: dict[str, Any] = self.ask("/readyz").json()
        return body

    def healthy(self) -> None:
        self.answers(f"{self.url}/healthz")

    def check(self, name: str) -> dict[str, str]:
        """One of the checks that /readyz lists."""
        return next((each for each in self.ask("/readyz").json()["checks"] if each["name"] == name), {})

    def metric(self, line: str) -> float | None:
        """The value of one line of /metrics, named with its labels."""
        for each in self.ask("/metrics").text.splitlines():
            if each.startswith(f"{line} "):
                return float(each.rsplit(" ", 1)[1])
        return None


@contextmanager
def serving(folder: Path, environment: Mapping[str, str] = {}, **options: Any) -> Iterator[Server]:
    """A server that ends with the test, whatever becomes of it."""
    folder.mkdir(parents=True, exist_ok=True)
    server = Server(folder, environment, **options)
    try:
        yield server
    finally:
        server.end()
        if "port" not in options:
            give_back(server.port)
