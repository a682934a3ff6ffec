"""The operator's commands, as real processes: what they print, and how they fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.processes.forks import Fork
from tests.support.processes.programs import ROOT
from tests.support.timeouts import LONG_S


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, read as JSON."""
        return json.loads(self.out)


def core(*words: str | bytes, environ: Mapping[str, str], cwd: Path = ROOT) -> Done:
    """Run `python -m core …` of a checkout to its end, in a fork of a process that has imported it."""
    with tempfile.TemporaryDirectory() as folder:
        process = begun(*words, environ=environ, cwd=cwd, folder=Path(folder))
        try:
            code = process.wait(LONG_S)
        finally:
            process.kill()
        return Done(code, Path(folder, "out").read_text("utf-8"), Path(folder, "err").read_text("utf-8"))


def begun(*words: str | bytes, environ: Mapping[str, str], folder: Path, cwd: Path = ROOT) -> Fork:
    """The same while it runs, to be killed: what it prints goes to `out` and `err` in this folder."""
    arguments = ["-m", "core", *(os.fsdecode(word) for word in words)]
    return Fork(arguments, cwd=cwd, env=_environment(environ), stdout=folder / "out", stderr=folder / "err")


def started(
    *words: str | bytes,
    environ: Mapping[str, str],
    cwd: Path = ROOT,
    pythonpath: Path | None = None,
    stdin: bytes = b"",
) -> Done:
    """Run `python -m core …` to its end, started from nothing, as an operator starts it."""
    env = _environment(environ) | ({} if pythonpath is None else {"PYTHONPATH": str(pythonpath)})
    done = subprocess.run(
        [sys.executable, "-m", "core", *words],
        cwd=cwd,
        env=env,
        input=stdin,
        capture_output=True,
        timeout=LONG_S,
        check=False,
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def fails(done: Done, code: int) -> str:
    """The one sentence of a command that failed as it should."""
    assert done.code == code, done.err
    assert "Traceback" not in done.err
    assert done.err.count("\n") == 1, done.err
    assert len(done.err.strip()) > 10
    assert "does not know" not in done.err
    return done.err.strip()


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, "PYTHONIOENCODING": "utf-8", **environ}
