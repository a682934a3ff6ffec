"""systemd: the unit is one that systemd accepts, and gives the dashboard the time it needs."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from pathlib import Path

from core.settings import Settings
from tests.support.processes.programs import ROOT

UNIT = ROOT / "deploy" / "studio.service"


def filled_in(**variables: str) -> str:
    done = subprocess.run(
        ["make", "--silent", "service", *(f"{name}={value}" for name, value in variables.items())],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_template_names_no_path_of_any_host() -> None:
    words = UNIT.read_text("utf-8").split()
    assert [word for word in words if word.lstrip('"-').startswith(("/home", "/opt", "/srv", "/work", "/root"))] == []


def test_what_make_fills_in_is_a_unit_that_systemd_accepts(tmp_path: Path) -> None:
    """In a folder with spaces and Korean letters; on a machine without systemd, all is filled in at least."""
    there = tmp_path / "작업실 one"
    there.mkdir()
    (there / ".venv").symlink_to((ROOT / ".venv").resolve())
    unit = tmp_path / "studio.service"
    unit.write_text(filled_in(CURDIR=str(there), USER="root"), "utf-8")
    assert "@" not in unit.read_text("utf-8").replace("studio@", "")
    if analyze := shutil.which("systemd-analyze"):
        done = subprocess.run([analyze, "verify", str(unit)], capture_output=True, text=True, check=False)
        complaints = [line for line in done.stderr.splitlines() if "studio.service" in line]
        assert (done.returncode, complaints) == (0, [])


def test_it_is_stopped_later_than_the_slowest_picture_and_never_started_again_in_vain() -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # configparser's documented way
    parser.read_string(UNIT.read_text("utf-8"))
    service = parser["Service"]
    assert int(service["TimeoutStopSec"]) > Settings().generation_deadline_s
    assert service["RestartPreventExitStatus"] == "2"
    assert service["Restart"] == "always"
