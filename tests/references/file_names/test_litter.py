"""Litter of file servers, file managers and archives: no reference, counted in one number, listed nowhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.cli.library import print_index, report
from core.references.catalog import Catalog
from core.references.index import ReferenceIndex, build_index
from core.references.reference import Filter
from tests.injection.libraries import VOCABULARY, stored
from tests.references.plain_index import is_litter
from tests.support.s3.moto_server import fill, moto_server, remove, with_bucket
from tests.support.s3.servers import S3Server

NOIR = "refs/02. Tone/noir"
LITTER = [
    f"{NOIR}/._Ada.jpg",
    f"{NOIR}/.hidden.png",
    f"{NOIR}/...Ada.png",
    f"{NOIR}/.DS_Store",
    f"{NOIR}/Thumbs.db",
    f"{NOIR}/thumbs.DB",
    f"{NOIR}/ehthumbs.db",
    f"{NOIR}/desktop.ini",
    f"{NOIR}/Desktop.ini",
    f"{NOIR}/@eaDir/Ada.jpg/SYNOPHOTO_THUMB_M.jpg",
    f"{NOIR}/@eadir/Ada.jpg@SynoEAStream",
    "refs/__MACOSX/02. Tone/noir/Ada.jpg",
    "refs/#recycle/02. Tone/noir/Ada.jpg",
    "refs/#Recycle/a.txt",
    "refs/#snapshot/daily/02. Tone/noir/Ada.jpg",
    "refs/@Recycle/02. Tone/noir/Ada.jpg",
    "refs/@Recently-Snapshot/GMT+01/Ada.jpg",
    f"{NOIR}/.Trash/Ada.jpg",
    f"{NOIR}/.Trash-1000/files/Ada.jpg",
    f"{NOIR}/.Trashes/501/Ada.jpg",
    "refs/.snapshot/hourly.0/02. Tone/noir/Ada.jpg",
    "refs/lost+found/12345.jpg",
    "refs/$RECYCLE.BIN/S-1-5/Ada.jpg",
    "refs/$Recycle.Bin/S-1-5/Ada.jpg",
    "refs/System Volume Information/Ada.jpg",
    "refs/.stversions/02. Tone/noir/Ada.jpg",
]
MEANT = [
    f"{NOIR}/Ada.jpg",
    f"{NOIR}/Thumbs.jpg",
    f"{NOIR}/a.b.c.jpg",
    f"{NOIR}/eaDir/Ada.jpg",
    f"{NOIR}/@eaDir.jpg",
    f"{NOIR}/lost+found 2/Ada.jpg",
    f"{NOIR}/__MACOSX old/Ada.jpg",
    f"{NOIR}/desktop.ini/Ada.jpg",
    f"{NOIR}/../Ada.jpg",
    f"{NOIR}/./Ada.jpg",
    f"{NOIR}//Ada.jpg",
]


def index_of(keys: list[str], *, below: str = "refs/") -> ReferenceIndex:
    return build_index(map(stored, keys), VOCABULARY, library_prefix=below)


@pytest.mark.parametrize("key", LITTER)
def test_each_is_left_out_and_counted(key: str) -> None:
    index = index_of([key, f"{NOIR}/Ben.jpg"])
    assert [ref.key for ref in index.references] == [f"{NOIR}/Ben.jpg"]
    assert index.left_out == {"litter": 1}
    assert index.problems == ()
    assert index.get(key) is None
    assert index.resolve(key) == ()
    assert not index.search(Filter(problems_only=True))
    assert [len(group.references) for folder in index.folders for group in folder.groups] == [1]


@pytest.mark.parametrize("key", MEANT)
def test_what_only_looks_like_it_stays(key: str) -> None:
    index = index_of([key])
    assert [ref.key for ref in index.references] == [key]
    assert index.left_out == {"litter": 0}


@pytest.mark.parametrize("prefix", [".studio/", "@eaDir/", "#recycle/refs/", "a/.b/c/"])
def test_what_lies_above_the_library_was_chosen_by_somebody(prefix: str) -> None:
    keys = [f"{prefix}02. Tone/noir/Ada.jpg", f"{prefix}02. Tone/noir/._Ada.jpg", f"{prefix}.x/02. Tone/noir/Ada.jpg"]
    index = index_of(keys, below=prefix)
    assert [ref.key for ref in index.references] == keys[:1]
    assert index.left_out == {"litter": 2}


def test_a_library_that_is_the_whole_bucket_is_judged_from_its_start() -> None:
    index = index_of([".a.jpg", "@eaDir/b.jpg", "c.jpg", "Thumbs.db"], below="")
    assert [ref.key for ref in index.references] == ["c.jpg"]
    assert index.left_out == {"litter": 3}


def test_a_folders_marker_and_the_apps_own_objects_are_not_counted() -> None:
    rows = [stored("refs/@eaDir/"), stored("studio/.x.jpg"), stored("studio/.x.txt"), stored("refs/.a.jpg")]
    assert build_index(rows, VOCABULARY, without_prefix="studio/").left_out == {"litter": 1}


def test_the_plain_rule_agrees() -> None:
    assert all(is_litter(key) for key in LITTER)
    assert not any(is_litter(key) for key in MEANT)


def test_the_commands_say_the_number_and_no_names(capsys: pytest.CaptureFixture[str]) -> None:
    index = index_of([*LITTER, f"{NOIR}/Ada.jpg"])
    assert report(index, [])["left_out"] == {"litter": len(LITTER)}
    print_index(index, list(index.problems), opened=None)
    said = capsys.readouterr().out
    assert f"{len(LITTER)} files left out: " in said
    assert "SYNOPHOTO" not in said


@pytest.fixture
def moto() -> Iterator[S3Server]:
    with moto_server() as server:
        yield server


def test_refreshes_see_litter_come_and_go_without_drift(moto: S3Server) -> None:
    bucket = with_bucket(moto, {f"{NOIR}/Ada.jpg": b"a"})
    catalog = Catalog(
        bucket.list_pages(), VOCABULARY, library_prefix="refs/", app_prefix="studio/", refresh_s=3600, workers=4
    )
    assert catalog.refresh().left_out == {"litter": 0}
    fill(bucket, {f"{NOIR}/@eaDir/Ada.jpg/SYNOPHOTO_THUMB_S.jpg": b"s", f"{NOIR}/._Ada.jpg": b"x"})
    again = catalog.refresh()
    assert (len(again), again.left_out, catalog.status.drift.is_empty) == (1, {"litter": 2}, True)
    remove(bucket, f"{NOIR}/._Ada.jpg")
    assert catalog.refresh().left_out == {"litter": 1}
