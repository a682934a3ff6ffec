"""The server's part of a rerun of the References page over 100,000 keys, from message to message.

A real server in a process of its own, and a WebSocket that speaks Streamlit's protocol to it: from the moment
the wish to run is sent until the server says that the script has finished, with all that it sends in between.
`python -m bench.reference_page` puts its section into RESULTS.md; with `--print-only` it leaves that alone.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from bench.listing import machine, served
from bench.results import write_section

ROOT = Path(__file__).resolve().parents[1]
HEADING = "## A rerun of the References page"
START_S = 120.0
VIEWS = {
    "the first page": "",
    "a page far behind": "page=1501",
    "role and tone": "role=model&tone=noir",
    "search, many found": "q=araya",
    "search, nothing found": "q=nothing+like+it",
    "groups": "view=Groups",
}


@contextmanager
def dashboard(library: str) -> Iterator[tuple[str, int]]:
    """A dashboard over that listing; gives its address and process id."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "bench/library_app.py", f"--server.port={port}"]
    with tempfile.TemporaryDirectory() as folder:
        env = os.environ | {"LIBRARY_S3": library, "DATA_DIR": folder, "PYTHONPATH": str(ROOT)}
        server = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL)
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/readyz", server)
            yield f"127.0.0.1:{port}", server.pid
        finally:
            server.terminate()
            server.wait(30)


def wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    """Until the library is listed."""
    until = time.monotonic() + START_S
    while time.monotonic() < until and server.poll() is None:
        try:
            with urlopen(url, timeout=5):  # noqa: S310 - our own address
                return
        except (URLError, TimeoutError):
            time.sleep(0.2)
    raise SystemExit("the dashboard did not come up")


def cpu_s(process: int) -> float:
    """CPU seconds of a process so far (proc(5): user and system time are the 14th and 15th field)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rerun(line: ClientConnection, wish: ClientState) -> tuple[float, int]:
    """Seconds until the script has finished, and bytes that came."""
    size = 0
    started = time.perf_counter()
    line.send(BackMsg(rerun_script=wish).SerializeToString())
    while True:
        data = line.recv(timeout=60)
        said = ForwardMsg.FromString(data if isinstance(data, bytes) else data.encode())
        size += len(data)
        if said.WhichOneof("type") == "page_not_found":
            raise SystemExit("the dashboard does not know its own page")
        if said.WhichOneof("type") == "script_finished":
            return time.perf_counter() - started, size


def measured(address: str, process: int, rounds: int) -> dict[str, tuple[float, ...]]:
    """For each view the median and the worst in ms, CPU in ms, and the kB that are sent."""
    found = {}
    for name, query in VIEWS.items():
        with connect(f"ws://{address}/_stcore/stream", subprotocols=["streamlit"], max_size=None) as line:  # type: ignore[list-item]
            again = ClientState(page_name="references", query_string=query)
            rerun(line, again)
            before = cpu_s(process)
            runs = [rerun(line, again) for _ in range(rounds)]
        cpu = (cpu_s(process) - before) / rounds * 1e3
        spent = [seconds * 1e3 for seconds, _size in runs]
        found[name] = (statistics.median(spent), max(spent), cpu, statistics.median(size for _, size in runs) / 1e3)
        print(f"{name:<24} {found[name][0]:8.1f} ms, {cpu:.0f} ms CPU", flush=True)
    return found


def report(rows: dict[str, tuple[float, ...]], keys: int, rounds: int) -> str:
    """The section as Markdown."""
    lines = [
        HEADING,
        "",
        f"{datetime.now(UTC):%Y-%m-%d} · {machine()} · Python {platform.python_version()}, "
        f"streamlit {importlib.metadata.version('streamlit')}. `python -m bench.reference_page` makes this section.",
        f"Load average: {os.getloadavg()[0]:.1f}. {keys:,} keys, 60 pictures a page, {rounds} reruns.",
        "",
        "| | median, ms | worst, ms | CPU, ms | sent, kB |",
        "|---|---|---|---|---|",
    ]
    lines += [f"| {name} | {' | '.join(f'{figure:.0f}' for figure in figures)} |" for name, figures in rows.items()]
    return "\n".join([*lines, ""])


def main() -> None:
    """Measure all views."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--print-only", action="store_true", help="leave RESULTS.md as it is")
    asked = parser.parse_args()
    with served(asked.keys, 0.0) as library, dashboard(library) as (address, process):
        section = report(measured(address, process, asked.rounds), asked.keys, asked.rounds)
    print(section)
    if not asked.print_only:
        write_section(HEADING, section)


if __name__ == "__main__":
    main()
