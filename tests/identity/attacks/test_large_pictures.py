"""Attacks by size: eight pictures of 119 megapixels at once take what is set aside, and keep nobody waiting."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from core.images.memory import BYTES_MAX, MIB, PIXELS
from core.web.http.addresses import image_url
from tests.support.dashboards.production import COOKIE, PICTURE, Production, production
from tests.support.large_pictures import GREY, GREY_ALPHA, PALETTE, RGB, large_png
from tests.support.processes.programs import TRUSTS_NOBODY
from tests.support.timeouts import LONG_S

FOLDER = "refs/01. Model/a(natural,film) eye-level"
LARGE = {
    f"{FOLDER}/Large {number}.png": (colour_type, depth, number)
    for number, (colour_type, depth) in enumerate(
        [(RGB, 8), (GREY_ALPHA, 8), (PALETTE, 8), (GREY, 16), (PALETTE, 8), (PALETTE, 8), (GREY, 16), (GREY, 8)]
    )
}
SMALL = [f"{FOLDER}/Small {number}.jpg" for number in range(4)]
TOO_LONG = f"{FOLDER}/Long.jpg"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    pictures = {key: large_png(kind, value, depth=depth) for key, (kind, depth, value) in LARGE.items()}
    pictures |= {key: PICTURE + bytes([number]) for number, key in enumerate(SMALL)}  # what stands behind is ignored
    pictures[TOO_LONG] = PICTURE + bytes(BYTES_MAX)
    with production(tmp_path_factory.mktemp("production"), pictures=pictures) as running:
        yield running


class Memory:
    """What the server's process has taken at most since a moment, beyond what it had then."""

    def __init__(self, url: str) -> None:
        port = urlsplit(url).port
        listening = (each for each in psutil.net_connections("tcp") if each.status == psutil.CONN_LISTEN)
        self._process = Path(f"/proc/{next(each.pid for each in listening if each.laddr.port == port)}")
        self._before = self._read("VmRSS")
        (self._process / "clear_refs").write_text("5", "ascii")  # proc(5): the peak is counted anew

    def _read(self, name: str) -> int:
        lines = (self._process / "status").read_text("ascii").splitlines()
        return 1024 * int(next(line for line in lines if line.startswith(name)).split()[1])

    @property
    def peak(self) -> int:
        return self._read("VmHWM") - self._before

    @property
    def kept(self) -> int:
        return self._read("VmRSS") - self._before


def ask(studio: Production, key: str, cookie: str) -> httpx.Response:
    path = image_url(key, studio.etags[key])
    return httpx.get(
        studio.url + path, headers={"Cookie": f"{COOKIE}={cookie}"}, timeout=3 * LONG_S, verify=TRUSTS_NOBODY
    )


def test_eight_pictures_of_119_megapixels_at_once_stay_within_what_is_set_aside(studio: Production) -> None:
    """All are answered; and small ones, asked for when the first large one has come, come before the last."""
    cookie, memory = studio.cookie(), Memory(studio.url)
    with ThreadPoolExecutor(len(LARGE)) as people:
        large = [people.submit(ask, studio, key, cookie) for key in LARGE]
        wait(large, LONG_S, FIRST_COMPLETED)
        small = [ask(studio, key, cookie) for key in SMALL]
        waiting = [each for each in large if not each.done()]
        answers = [each.result() for each in large] + small
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.headers["Content-Type"] for answer in answers} == {"image/webp"}
    assert len(waiting) > 1, "the small ones waited for the large ones"
    assert memory.peak <= PIXELS.total_bytes + 64 * MIB
    assert memory.kept <= 128 * MIB


def test_a_file_that_is_too_long_is_not_even_fetched(studio: Production) -> None:
    memory = Memory(studio.url)
    answer = ask(studio, TOO_LONG, studio.cookie())
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert "can be shown" in " ".join(answer.text.split("</text>"))
    assert memory.peak < BYTES_MAX // 2
