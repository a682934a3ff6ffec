"""Where a prefix holds no picture, the folders that do exist near it are named, by three small requests at most."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.references.listing.other_folders import OtherFolders, other_folders
from tests.support.s3.moto_server import moto_server, with_bucket
from tests.support.s3.servers import S3Server, scripted_server


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    keys = (
        "Refs/01. Model/a/x.jpg",
        "old/2025/refs/x.jpg",
        "old/2026/x.jpg",
        "studio/x.json",
        "loose.jpg",
        "empty/sub/x.txt",
    )
    with moto_server() as started:
        yield with_bucket(started, dict.fromkeys(keys, b"x"))


class Counted:
    """The server's pages, and how many were asked for."""

    def __init__(self, server: S3Server) -> None:
        self._pages = server.list_pages()
        self.asked: list[str] = []

    def page(self, prefix: str, *, start_after: str = "", token: str = "", delimiter: str = "") -> bytes:
        self.asked.append(prefix)
        return self._pages.page(prefix, start_after=start_after, token=token, delimiter=delimiter)


@pytest.mark.parametrize(
    ("prefix", "says"),
    [
        ("refs/", "the folders there are Refs/, empty/, old/; Refs/ is probably meant"),
        ("library/", "the folders there are Refs/, empty/, old/"),
        ("old/2027/", "the folders there are old/2025/, old/2026/"),
        ("0ld/2025/", "the folders there are Refs/, empty/, old/"),
        ("old/2025 /", "the folders there are old/2025/, old/2026/; old/2025/ is probably meant"),
        ("gone/2026/", "the folders there are Refs/, empty/, old/"),
        ("empty/", "the folders there are empty/sub/"),
        ("empty/sub/", "the folders there are Refs/, empty/, old/"),
        ("", "the folders there are Refs/, empty/, old/"),
    ],
)
def test_the_folders_that_exist_are_named_and_the_one_that_is_probably_meant(
    server: S3Server, prefix: str, says: str
) -> None:
    pages = Counted(server)
    assert other_folders(pages, prefix, "studio/").says == says
    assert len(pages.asked) == len(set(pages.asked)) <= 3


def test_ten_folders_are_named_at_most_and_no_second_page_is_asked_for(server: S3Server) -> None:
    crowded = with_bucket(server, {f"folder {number:02}/x": b"x" for number in range(30)})
    found = other_folders(pages := Counted(crowded), "refs/", "studio/")
    assert found.folders == tuple(f"folder {number:02}/" for number in range(10))
    assert pages.asked == ["refs/", ""]


def test_a_bucket_without_folders_says_so(server: S3Server) -> None:
    assert other_folders(Counted(with_bucket(server)), "refs/", "studio/").says == "the bucket has no other folder"


def test_credentials_that_may_list_the_prefix_alone_say_so() -> None:
    """As those that docs/operate.md gives out."""
    with scripted_server(lambda *_: (403, {}, b"")) as denying:
        found = other_folders(Counted(denying), "refs/", "studio/")
    assert found == OtherFolders(are_denied=True)
    assert found.says == "these credentials may not list what else there is"
