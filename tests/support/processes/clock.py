"""A clock that tests can move, for processes they start: libfaketime, from Debian or from PyPI."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import pytest

_DEBIAN = Path("/usr/lib")
_STEADY = {
    "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    "PYTHONPATH": str(Path(__file__).with_name("steady_clock")),
}


@dataclass(frozen=True, slots=True)
class Clock:
    """Moves the wall clock of every process that is started with its environment.

    Its monotonic clock moves along, as if so much time had passed, or goes on steadily, as when somebody sets the
    machine's clock.
    """

    file: Path
    steady: bool = False

    @property
    def environment(self) -> dict[str, str]:
        """What a process has to be started with."""
        self.move(0)
        return {
            "LD_PRELOAD": str(_library()),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_CACHE_DURATION": "1",  # seconds until a move is noticed
            **(_STEADY if self.steady else {}),
        }

    def move(self, seconds: int) -> None:
        """So far ahead of the real time from now on; noticed within a second."""
        new = self.file.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n", "ascii")
        new.replace(self.file)


def _library() -> Path:
    """The library for processes with threads."""
    places = [*_DEBIAN.glob("*/faketime/libfaketimeMT.so.1")]
    found = importlib.util.find_spec("libfaketime")
    if found is not None and found.origin is not None:
        places += Path(found.origin).parent.rglob("libfaketime*.so.1")
    if not places:
        pytest.fail("libfaketime is missing: `make test` installs it; else `apt-get install libfaketime`")
    return places[0]
