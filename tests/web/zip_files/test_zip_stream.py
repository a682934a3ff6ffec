"""ZIPs that are written while they are sent: whole files under names that any system takes, or a line that says why."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import StorageUnavailable
from core.web.zip_files.entry_names import entry_names
from core.web.zip_files.zip_stream import NOTE, SPOOLED_BYTES, Entry, zip_stream

MOMENT = datetime(2026, 3, 1, 12, 30, 4, tzinfo=UTC)


def entry(name: str, *chunks: bytes, fails: bool = False) -> Entry:
    def read() -> Iterator[bytes]:
        yield from chunks
        if fails:
            raise StorageUnavailable("S3 does not answer: try again.")

    return Entry(name, MOMENT, read)


def archived(*entries: Entry) -> ZipFile:
    return ZipFile(io.BytesIO(b"".join(zip_stream(entries))))


def test_files_come_out_as_they_went_in_with_their_time() -> None:
    large = b"\xff\xd8" * SPOOLED_BYTES  # part of it lies on disk meanwhile
    with archived(entry("Ada.jpg", b"ab", b"c"), entry("로우.png", large), entry("empty.jpg")) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["Ada.jpg", "로우.png", "empty.jpg"]
        assert [archive.read(name) for name in archive.namelist()] == [b"abc", large, b""]
        assert archive.getinfo("Ada.jpg").date_time == (2026, 3, 1, 12, 30, 4)


def test_a_file_that_breaks_off_is_named_and_not_half_there() -> None:
    with archived(entry("a.jpg", b"begin", fails=True), entry("b.jpg", b"whole")) as archive:
        assert archive.namelist() == ["b.jpg", NOTE]
        assert archive.read(NOTE) == b"a.jpg: S3 does not answer: try again.\r\n"


def test_a_zip_is_never_in_memory_as_a_whole() -> None:
    chunks = list(zip_stream(entry(f"{n}.jpg", bytes(1_000_000)) for n in range(20)))
    assert max(map(len, chunks)) < 600_000


def test_a_date_before_the_formats_first_year_is_that_year() -> None:
    with ZipFile(
        io.BytesIO(b"".join(zip_stream([Entry("a", datetime(1970, 1, 1, tzinfo=UTC), lambda: iter(()))])))
    ) as old:
        assert old.getinfo("a").date_time == (1980, 1, 1, 0, 0, 0)


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["Ada.jpg", "Ada.jpg", "ada.JPG"], ["Ada.jpg", "Ada (2).jpg", "ada (3).JPG"]),
        (["Ada (2).jpg", "Ada.jpg", "Ada.jpg"], ["Ada (2).jpg", "Ada.jpg", "Ada (3).jpg"]),
        (["Cafe\u0301.jpg", "Caf\u00e9.jpg"], ["Café.jpg", "Café (2).jpg"]),
        (['a:b*"c".jpg', "..", "con.png", "x. "], ["a_b__c_.jpg", "_", "_con.png", "x"]),
        (["a\u202egpj.exe\n.jpg"], ["a_gpj.exe_.jpg"]),
    ],
)
def test_names_are_told_apart_and_fit_every_system(names: list[str], wanted: list[str]) -> None:
    assert entry_names(names) == wanted


@given(st.lists(st.text(max_size=300), max_size=8))
def test_no_two_names_are_the_same_to_a_file_system_and_none_leaves_its_folder(names: list[str]) -> None:
    given_names = entry_names(names)
    assert len({name.casefold() for name in given_names}) == len(names)
    assert all(name not in (".", "..") and not set(name) & set('/\\:*?"<>|\0') for name in given_names)
    assert all(len(name.encode()) <= 255 for name in given_names)
