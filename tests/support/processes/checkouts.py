"""Copies of the project, to be started from another place or to be broken."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.support.processes.programs import ROOT

GIT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}  # nothing of this machine's configuration
NEEDED = ("app.py", "core", "pages", "labels", "samples", ".streamlit", "ecosystem.config.js")


def check_out(there: Path) -> Path:
    """What a server needs of the project, in a folder of its own; the packages are the same ones."""
    there.mkdir(parents=True)
    for name in NEEDED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, there / name, ignore=shutil.ignore_patterns("__pycache__", "secrets.toml"))
        else:
            shutil.copy(source, there / name)
    (there / ".venv").symlink_to((ROOT / ".venv").resolve())
    return there


def tracked_files(there: Path) -> Path:
    """The files that the repository has, as they are now, and nothing else of this folder."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            (there / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, there / name)
    return there


def git(there: Path, *words: str) -> str:
    """What git says, in a folder, with nothing of this machine's configuration."""
    done = subprocess.run(
        ["git", "-c", "init.defaultBranch=main", *words],
        cwd=there,
        env=GIT | {"PATH": os.environ["PATH"], "HOME": str(there)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def shared(checkout: Path) -> Path:
    """The bare repository of all that lies in a folder, which becomes a clone of it; nobody in it has a name yet."""
    bare = checkout.parent / "remote.git"
    git(checkout.parent, "init", "--quiet", "--bare", str(bare))
    git(checkout, "init", "--quiet")
    committed(checkout, "The dashboard")
    git(checkout, "remote", "add", "origin", str(bare))
    git(checkout, "push", "--quiet", "--set-upstream", "origin", "main")
    return bare


def committed(checkout: Path, message: str) -> None:
    """Commit all of it, as somebody who develops it."""
    git(checkout, "add", "--all")
    git(checkout, "-c", "user.name=Kim", "-c", "user.email=kim@studio.example", "commit", "--quiet", "-m", message)
