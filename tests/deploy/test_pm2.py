"""PM2: the same ecosystem file starts the same dashboard from any home, folder and checkout."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.ports import own_port
from tests.support.processes.checkouts import check_out
from tests.support.processes.programs import ROOT, TRUSTS_NOBODY, clean_environment
from tests.support.timeouts import LONG_S, until

PM2 = ROOT / "deploy" / "node_modules" / ".bin" / "pm2"
DEADLINE_S = 300


class ProcessManager:
    """One user's PM2, whose home is its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir(parents=True, exist_ok=True)

    def run(self, *words: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(PM2), *words],
            cwd=cwd,
            env={**clean_environment(self.home), **environment},
            capture_output=True,
            text=True,
            timeout=LONG_S,
            check=False,
        )

    def processes(self) -> list[dict[str, Any]]:
        listed = self.run("jlist", cwd=self.home).stdout
        found: list[dict[str, Any]] = json.loads(listed[listed.index("[") :])
        return found

    def process(self) -> dict[str, Any]:
        (only,) = self.processes()
        return only


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project below a folder with spaces and Korean letters."""
    return check_out(tmp_path_factory.mktemp("host") / "스튜디오 작업실 (new one)" / "dash board")


@pytest.fixture
def managers(tmp_path: Path) -> Iterator[dict[str, ProcessManager]]:
    """PM2 for two different people; all they started ends with the test."""
    both = {name: ProcessManager(tmp_path / name) for name in ("home one", "집")}
    yield both
    for manager in both.values():
        if (manager.home / ".pm2").exists():  # or it was not used
            manager.run("kill", cwd=manager.home)


def answers(port: int, path: str = "/readyz") -> bool:
    return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=LONG_S, verify=TRUSTS_NOBODY).status_code == 200


def environment_of(pid: int) -> dict[str, str]:
    pairs = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def test_it_starts_from_two_homes_and_outlives_a_restart_and_a_resurrection(
    checkout: Path, managers: Mapping[str, ProcessManager], tmp_path: Path
) -> None:
    """Each home's server runs out of the checkout, keeps its settings, and comes back as it was."""
    ports = {name: own_port() for name in managers}
    for name, manager in managers.items():
        settings = {"PORT": str(ports[name]), "DATA_DIR": str(tmp_path / f"data of {name}"), "INDEX_REFRESH_S": "7"}
        done = manager.run("start", str(checkout / "ecosystem.config.js"), cwd=tmp_path, **settings)
        assert done.returncode == 0, done.stdout + done.stderr
    for name, manager in managers.items():
        until(lambda name=name: answers(ports[name]), f"{name} serves")
        process = manager.process()
        assert process["pm2_env"]["exec_mode"] == "fork_mode"
        assert process["pm2_env"]["pm_cwd"] == str(checkout)
        assert process["pm2_env"]["kill_timeout"] >= DEADLINE_S * 1000

    one, other = managers.values()
    port = ports["home one"]
    first = one.process()["pid"]
    assert one.run("restart", "all", cwd=one.home).returncode == 0
    until(lambda: answers(port), "it serves after a restart")
    second = one.process()["pid"]
    assert second != first

    assert one.run("save", cwd=one.home).returncode == 0
    one.run("kill", cwd=one.home)
    until(lambda: not Path(f"/proc/{second}").exists(), "pm2 kill ends the server")
    assert answers(ports["집"]), "the other home's server is none of its business"
    assert one.run("resurrect", cwd=tmp_path).returncode == 0  # from a login that knows none of the settings
    until(lambda: answers(port), "it serves after a resurrection")
    kept = environment_of(one.process()["pid"])
    assert (kept["INDEX_REFRESH_S"], kept["DATA_DIR"]) == ("7", str(tmp_path / "data of home one"))
    assert other.process()["pm2_env"]["restart_time"] == 0


def test_replicas_are_servers_of_their_own_on_the_next_ports(
    checkout: Path, managers: Mapping[str, ProcessManager], tmp_path: Path
) -> None:
    manager, port = managers["home one"], own_port(neighbours=1)
    done = manager.run(
        "start",
        str(checkout / "ecosystem.config.js"),
        cwd=tmp_path,
        PORT=str(port),
        REPLICAS="2",
        DATA_DIR=str(tmp_path / "data"),
    )
    assert done.returncode == 0
    assert [each["name"] for each in manager.processes()] == [f"studio-{port}", f"studio-{port + 1}"]
    assert {each["pm2_env"]["instances"] for each in manager.processes()} == {1}


# PM2's signal while a thread is being started, which is a matter of microseconds.
STOPPED_IN_A_START = """
import signal, threading

start = threading.Thread.start


def stopped(thread):
    start(thread)
    if thread.name.startswith("ThreadPoolExecutor"):
        signal.raise_signal(signal.SIGINT)


threading.Thread.start = stopped
"""


def test_a_stop_while_a_server_starts_ends_it(
    checkout: Path, managers: Mapping[str, ProcessManager], tmp_path: Path
) -> None:
    manager, port = managers["home one"], own_port()
    (tmp_path / "sitecustomize.py").write_text(STOPPED_IN_A_START, "utf-8")
    settings = {"PORT": str(port), "DATA_DIR": str(tmp_path / "data"), "PYTHONPATH": str(tmp_path)}
    assert manager.run("start", str(checkout / "ecosystem.config.js"), cwd=tmp_path, **settings).returncode == 0
    until(lambda: manager.process()["pm2_env"]["restart_time"] > 0, "it has ended, and PM2 starts it again")


def test_what_must_not_start_like_this_is_not_started_again(
    checkout: Path, managers: Mapping[str, ProcessManager], tmp_path: Path
) -> None:
    """Its sentence stands once in the log, and PM2 shows it as stopped."""
    manager, port = managers["home one"], own_port()
    settings = {"PORT": str(port), "DATA_DIR": str(tmp_path / "data"), "GENERATION_CONCURRENCY": "many"}
    assert manager.run("start", str(checkout / "ecosystem.config.js"), cwd=tmp_path, **settings).returncode == 0
    until(lambda: manager.process()["pm2_env"]["status"] == "stopped", "PM2 has given up on it")
    assert manager.process()["pm2_env"]["restart_time"] == 0
    log = (manager.home / ".pm2" / "logs" / f"studio-{port}-error.log").read_text("utf-8")
    assert log.count("The dashboard cannot start: GENERATION_CONCURRENCY") == 1


@pytest.mark.parametrize("change", ['exec_mode: "cluster"', "instances: 4"])
def test_a_file_that_spreads_sessions_is_refused_in_one_sentence(
    change: str, checkout: Path, managers: Mapping[str, ProcessManager]
) -> None:
    name = change.split(":")[0]
    lines = (checkout / "ecosystem.config.js").read_text("utf-8").splitlines()
    spread = [f"  {change}," if line.strip().startswith(f"{name}:") else line for line in lines]
    file = checkout / "spread.config.js"
    file.write_text("\n".join(spread), "utf-8")
    manager = managers["home one"]
    done = manager.run("start", str(file), cwd=checkout)
    assert done.returncode != 0
    assert "A session lives in one process" in done.stdout + done.stderr
    assert manager.processes() == []


def test_the_file_names_no_absolute_path() -> None:
    quoted = [part for part in (ROOT / "ecosystem.config.js").read_text("utf-8").split('"')[1::2] if part]
    assert [part for part in quoted if part.startswith(("/", "~")) or ":\\" in part] == []
