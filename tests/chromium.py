"""The browser of the tests, and how they wait for the server it looks at."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.achromatic import CHROMIUM_FLAG

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    CHROMIUM_FLAG,
]
START_S = 120
PATIENCE_MS = 60_000.0  # a busy machine is slow, not wrong
expect.set_options(timeout=PATIENCE_MS)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser for a test."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=ARGUMENTS)
        yield browser
        browser.close()


def program() -> str | None:
    """The machine's own Chromium, else None for the one Playwright brings.

    The headless shell has no tabs and menus to draw for nobody: it takes a third less of the processor.
    """
    return shutil.which("chromium-headless-shell") or shutil.which("chromium")


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path, trust: ssl.SSLContext | None = None) -> None:
    """Until the server answers with 200; a server that ends instead fails the test with its log."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and server.poll() is None:
        with (
            suppress(urllib.error.URLError, OSError),
            urllib.request.urlopen(url, timeout=2, context=trust),  # noqa: S310 - loopback
        ):
            return
        with suppress(subprocess.TimeoutExpired):
            server.wait(0.1)
    pytest.fail(f"the server did not start:\n{log.read_text('utf-8')}")
