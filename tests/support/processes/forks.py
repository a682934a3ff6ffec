"""Python programs that are forked from a process which has imported what they need.

Most of a start is imports: of a command of ours two thirds of its processor time, of a dashboard as much. A fork is a
process like any other, with an environment, a folder and output of its own; it runs its script or module from the top.
How a program starts is the subject of `tests/deploy` and of each command's own test: those start it from nothing.
"""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import wait as wait_until_ready
from pathlib import Path
from types import ModuleType
from typing import Final

ROOT = Path(__file__).parents[3]
_PROCESSES: Final = get_context("forkserver")
_PROCESSES.set_forkserver_preload(
    [
        *("core.__main__", "core.studio", "core.web", "core.storage.embedded.server", "pyarrow.pandas_compat"),
        *("core.generation.engines.openai_engine", "core.openai.models", "core.injection.openai_reader"),
        *("core.identity.google_authenticator", "core.identity.oauth", "core.identity.redirect"),
        *("streamlit.web.cli", "streamlit.web.bootstrap", "streamlit.web.server.starlette", "streamlit.web.skills"),
        *("streamlit.components.v2.manifest_scanner", "streamlit.watcher.polling_path_watcher"),
        *("streamlit.runtime.agent.mcp", "streamlit.material_icon_names", "starlette.applications"),
        *("uvicorn.lifespan.on", "uvicorn.protocols.http.h11_impl", "uvicorn.loops.asyncio"),
        *("uvicorn.protocols.websockets.websockets_sansio_impl", "anyio._backends._asyncio"),
        *("core.ui.frame.problems", "core.ui.frame.streamlit_internals", "altair", "packaging.requirements"),
        *("moto.s3.responses", "moto.iam.models", "moto.sts.models", "flask.debughelpers", "boto3.s3.inject"),
        *("xml.dom.minidom", "tests.support.processes.warm"),
    ]
)
# The process that forks is one for all threads. And whoever starts a process looks for others that have ended, taking
# the exit code out of a pipe: two threads that do so at once would get the code and 255.
_alone: Final = threading.Lock()


class Fork:
    """A running program, with as much of `subprocess.Popen` as its users need."""

    def __init__(
        self, words: Sequence[str], *, cwd: Path, env: Mapping[str, str], stdout: Path, stderr: Path | None = None
    ) -> None:
        """`words` are what stands behind `python`; output goes behind what is in the files already."""
        self.args = list(words)
        self._process = _PROCESSES.Process(
            target=_run, args=(self.args, cwd, dict(env), stdout, stderr or stdout), daemon=True
        )
        with _alone, _without_main():
            self._process.start()
        self.pid = self._process.pid

    def poll(self) -> int | None:
        with _alone:
            return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        wait_until_ready([self._process.sentinel], timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None and self.pid is not None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


@contextmanager
def _without_main() -> Iterator[None]:
    """A new process runs the file that is `__main__` here, which after a page's test is the page."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _run(words: Sequence[str], cwd: Path, env: Mapping[str, str], stdout: Path, stderr: Path) -> None:
    """Be the program. (Multiprocessing turns SystemExit into the exit code, once every thread has ended.)"""
    os.chdir(cwd)
    if cwd != ROOT and (cwd / "core").is_dir():  # another checkout's program is its own: only libraries are shared
        for name in [each for each in sys.modules if each.partition(".")[0] in ("app", "core")]:
            del sys.modules[name]
        sys.dont_write_bytecode = True
    os.environ.clear()
    os.environ.update(env)
    for stream, file in ((sys.stdout, stdout), (sys.stderr, stderr)):
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(opened, stream.fileno())
        os.close(opened)
    if words[0] == "-m":
        sys.argv = list(words[1:])
        sys.path.insert(0, str(cwd))
        sys.modules.pop(f"{words[1]}.__main__", None)  # was imported for what it imports; now it is run
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = list(words)
        sys.path.insert(0, str(Path(words[0]).parent))
        runpy.run_path(words[0], run_name="__main__")
