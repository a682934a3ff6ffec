"""The operator's commands, as real processes: what they print, and how they fail.

Most of a command's time is its imports. So `core` forks a process that has the program's modules in memory already,
and runs `python -m core …` in it as Python would; `started` starts one from nothing. Each command has a test of both.
"""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from tests.support.patience import LONG_S
from tests.support.programs import ROOT

_PROCESSES: Final = get_context("forkserver")
_PROCESSES.set_forkserver_preload(
    [
        "core.__main__",
        *("core.storage.embedded", "core.generation.openai_engine", "core.generation.openai_models"),
        *("core.injection.openai_reader", "core.identity.google_door", "core.identity.oauth"),
    ]
)
_starting = threading.Lock()  # the server of forks is one for all threads


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


def core(*words: str | bytes, environ: Mapping[str, str]) -> Done:
    """Run `python -m core …` to its end, in a fork of a process that has imported it."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        arguments = [os.fsdecode(word) for word in words]
        process = _PROCESSES.Process(target=_run, args=(arguments, _environment(environ), out, err))
        with _starting:
            process.start()
        process.join(LONG_S)
        if process.exitcode is None:
            process.kill()
            raise AssertionError(f"`python -m core {' '.join(arguments)}` does not end:\n{err.read_text()}")
        return Done(process.exitcode, out.read_text("utf-8"), err.read_text("utf-8"))


def started(*words: str | bytes, environ: Mapping[str, str], cwd: Path = ROOT, pythonpath: Path | None = None) -> Done:
    """Run `python -m core …` to its end, started as an operator starts it."""
    env = _environment(environ) | ({} if pythonpath is None else {"PYTHONPATH": str(pythonpath)})
    done = subprocess.run(
        [sys.executable, "-m", "core", *words], cwd=cwd, env=env, capture_output=True, timeout=LONG_S, check=False
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


def _run(words: list[str], environ: Mapping[str, str], out: Path, err: Path) -> None:
    """Be the command. (Multiprocessing turns SystemExit into the exit code, once every thread has ended.)"""
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environ)
    for name, file in (("stdout", out), ("stderr", err)):
        descriptor = getattr(sys, f"__{name}__").fileno()
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), descriptor)
        setattr(sys, name, os.fdopen(descriptor, "w", encoding="utf-8"))
    sys.argv = ["core", *words]
    del sys.modules["core.__main__"]  # was imported for what it imports; now it is run
    runpy.run_module("core", run_name="__main__", alter_sys=True)
