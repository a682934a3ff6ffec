"""docs/operate.md as something to run: its shell blocks line by line, and a server of one's own to run them on.

A line that begins with `sudo` needs root; those of them that need more than files (packages, users, systemd, a
certificate of Let's Encrypt) are named in `NOT_HERE` and never run. All others run, root's with a `sudo` that asks for
nothing and an `/etc` in a folder.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.support.processes.programs import ROOT
from tests.support.timeouts import LONG_S

GUIDE: Final = ROOT / "docs" / "operate.md"
PM2: Final = ROOT / "deploy" / "node_modules" / ".bin" / "pm2"
LASTS: Final = "end it with Ctrl+C"  # what the guide says of a line that does not end by itself
# What `sudo` is followed by where no folder can stand in for the machine.
NOT_HERE: Final = (
    *("sudo apt-get", "sudo adduser", "sudo --user", "sudo npm", "sudo env", "sudo certbot"),
    *("sudo systemctl", "sudo systemd-analyze", "sudo journalctl"),
)
_BLOCK: Final = re.compile(r"^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a shell block, and the section it stands in."""

    section: str
    text: str

    @property
    def command(self) -> str:
        """Without what is said about it."""
        return re.sub(r"\s+#\s.*", "", self.text)

    @property
    def runs_here(self) -> bool:
        return not self.text.startswith(NOT_HERE)


def shell_lines() -> list[Line]:
    """Every line of every shell block, from first to last."""
    found = []
    for section in re.split(r"^## ", GUIDE.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        title = section.split("\n", 1)[0]
        for block in _BLOCK.finditer(section):
            if block["kind"] == "sh":
                found += [Line(title, line) for line in block["text"].splitlines() if line.strip()]
    return found


def blocks(kind: str) -> list[str]:
    """The text of every block of this kind."""
    return [block["text"] for block in _BLOCK.finditer(GUIDE.read_text("utf-8")) if block["kind"] == kind]


def settings_block() -> dict[str, Any]:
    """What the guide's secrets.toml says."""
    (text,) = blocks("toml")
    return tomllib.loads(text)


@dataclass
class Machine:
    """A folder that stands in for a server: a home, an `/etc`, and programs that ask for nothing."""

    folder: Path
    instead: Mapping[str, str]  # what the guide leaves to be filled in, and what it becomes
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.home, self.etc, self._programs = (self.folder / name for name in ("home", "etc", "bin"))
        for there in (self.home, self._programs, self.etc / "systemd/system"):
            there.mkdir(parents=True)
        self.cwd = self.home
        self.program("sudo", 'exec "$@"')
        (self._programs / "pm2").symlink_to(PM2)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self._programs}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            **self.variables,
        }

    def program(self, name: str, script: str) -> None:
        """A program of this machine, in place of the system's."""
        file = self._programs / name
        file.write_text(f"#!/bin/bash\n{script}\n", "utf-8")
        file.chmod(0o755)

    def filled_in(self, line: Line) -> str:
        """The command with everything in it that is the operator's to fill in."""
        instead = {**self.instead, "/etc/": f"{self.etc}/"}
        return re.sub("|".join(map(re.escape, instead)), lambda found: instead[found[0]], line.command)

    def run(self, line: Line) -> str:
        """Run it where the line before has left off; what it printed. Raises AssertionError for one that fails."""
        where = self.folder / "cwd"
        script = f'set -eo pipefail\n{self.filled_in(line)}\npwd > "{where}"\n'
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.cwd,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=LONG_S,
            check=False,
        )
        assert done.returncode == 0, f"{line.section}: {line.text}\n{done.stdout}{done.stderr}"
        self.cwd = Path(where.read_text("utf-8").strip())
        return done.stdout


def make_environment(checkout: Path) -> None:
    """What `make` would make: an environment of this checkout's own, which finds the packages that are here.

    pip finds them too, and has nothing to fetch; what it installed all the same would lie in this checkout.
    """
    there = checkout / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(there)], check=True)
    (packages,) = (there / "lib").glob("python*/site-packages")
    (ours,) = (ROOT / ".venv" / "lib").glob("python*/site-packages")
    (packages / "ours.pth").write_text(f"import site; site.addsitedir({str(ours)!r})\n", "utf-8")
    for name in ("pip", "streamlit"):
        (there / "bin" / name).write_text(f'#!/bin/sh\nexec "{there}/bin/python" -m {name} "$@"\n', "utf-8")
        (there / "bin" / name).chmod(0o755)
    (there / ".runtime").touch()
