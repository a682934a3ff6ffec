"""Artifacts of a failure: what servers wrote and what a browser showed meanwhile, kept where its report says."""

from __future__ import annotations

import re
import shutil
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import BrowserContext, Error

ROOT: Final = Path(__file__).parents[2]
ARTIFACTS: Final = ROOT / ".artifacts"
_LONGEST_NAME: Final = 150

_logs: Final[dict[Path, None]] = {}
_ever: Final[list[Path]] = []
_ended: Final[list[Path]] = []  # logs of programs that have ended in this test
_contexts: Final[weakref.WeakSet[BrowserContext]] = weakref.WeakSet()


def log_kept(log: Path) -> None:
    """From now on this file is kept if a test fails."""
    _logs[log] = None
    _ever.append(log)


def log_done(log: Path) -> None:
    """Its program has ended: later tests no longer keep this file."""
    _ended.append(log)


@contextmanager
def logs_begun() -> Iterator[list[Path]]:
    """The log files of all programs that are started inside, once the block has ended."""
    begun: list[Path] = []
    before = len(_ever)
    yield begun
    begun += dict.fromkeys(_ever[before:])


def begin() -> None:
    """Another test begins."""
    for log in _ended:
        _logs.pop(log, None)
    _ended.clear()


def pages_kept(context: BrowserContext) -> None:
    """From now on what its pages show is kept if a test fails."""
    _contexts.add(context)


def collect(test: str) -> list[Path]:
    """Copy every log, and take a picture of every open page, into a folder of this test's: all files it holds now."""
    folder = ARTIFACTS / re.sub(r"[^\w.-]+", "-", test)[-_LONGEST_NAME:].strip("-")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, log in enumerate(_logs):
        with suppress(OSError):
            shutil.copy(log, folder / f"{number}-{log.parent.name}-{log.name}")
    pages = [page for context in list(_contexts) for page in _pages_of(context)]
    for number, page in enumerate(pages):
        with suppress(Error):
            page.screenshot(path=folder / f"page-{number}.png", timeout=5_000)
    kept = sorted(folder.iterdir())
    if not kept:
        folder.rmdir()
    return kept


def report(item: pytest.Item, told: pytest.TestReport) -> None:
    """Name what was kept of a failure in its report."""
    if told.failed and (kept := collect(item.nodeid)):
        told.sections.append(("kept", "\n".join(str(path.relative_to(ROOT)) for path in kept)))


def _pages_of(context: BrowserContext) -> list:
    with suppress(Error):
        return [page for page in context.pages if page.url != "about:blank"]
    return []
