"""A stranger's first quarter of an hour: nothing but a checkout, an empty HOME and the README's first command."""

from __future__ import annotations

import os
import re
import signal
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.support.browser.chromium import chromium
from tests.support.ports import own_port
from tests.support.processes.checkouts import tracked_files
from tests.support.processes.programs import ROOT, Program
from tests.support.timeouts import SCALE

INSTALL_S = 480.0 * SCALE  # two minutes on a quiet machine
# Where this machine's packages come from is the machine's affair; all else is the stranger's own.
PASSED_ON = ("PATH", "LANG", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "http_proxy", "https_proxy", "no_proxy")


def environment(home: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    configured = Path.home() / ".config" / "pip" / "pip.conf"
    if configured.is_file():
        pip.setdefault("PIP_CONFIG_FILE", str(configured))
    return {**kept, **pip, "HOME": str(home)}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_first_command_of_the_readme_serves_the_page(tmp_path: Path) -> None:
    """`make run` installs what it needs into a fresh virtual environment and serves the demo, in one command."""
    command = re.search(r"^(make run)\b", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert command
    (tmp_path / "home").mkdir()
    there, port = tracked_files(tmp_path / "a checkout"), own_port()
    make = Program(
        [*command[1].split(), f"PORT={port}", f"PYTHON={sys.executable}"],
        tmp_path / "log.txt",
        environment(tmp_path / "home"),
        cwd=there,
        start_new_session=True,  # make, and what it started, end together
    )
    try:
        make.answers(f"http://127.0.0.1:{port}/readyz", patience_s=INSTALL_S)
        with chromium() as browser:
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{port}/references")
            expect(page.get_by_role("main")).to_contain_text("110 pictures in 40 groups")
        assert (there / ".venv" / "bin" / "streamlit").is_file()
        assert (there / ".studio").is_dir(), "its data lies in the checkout, as the README says"
    finally:
        os.killpg(make.process.pid, signal.SIGTERM)
        make.end()
