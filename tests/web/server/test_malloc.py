"""The C library's arenas: how many a process has after many threads have asked for memory at once."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from core.web.server import malloc
from tests.support.processes.programs import ROOT

THREADS = 12
# Each thread asks for memory while all others still hold theirs; then glibc describes its heaps on standard output.
PROGRAM = f"""
import ctypes, runpy, sys, threading

if sys.argv[1] == "bounded":
    runpy.run_path({malloc.__file__!r})["bound_arenas"]()  # the module alone: what its room imports takes a second
libc, all_have_some = ctypes.CDLL(None), threading.Barrier({THREADS})
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]

def ask():
    some = libc.malloc(5000)
    all_have_some.wait()
    libc.free(some)

threads = [threading.Thread(target=ask) for _ in range({THREADS})]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc.fdopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, out)
libc.fflush(out)
"""


def arenas(how: str) -> int:
    program = [sys.executable, "-c", PROGRAM, how]
    told = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=True)
    return told.stdout.count("<heap nr=")


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="a C library without arenas")
def test_threads_share_few_arenas() -> None:
    assert arenas("bounded") <= malloc.ARENAS < arenas("as it is")
