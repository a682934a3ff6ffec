"""Pictures that cannot be shown and names nobody would choose."""

from __future__ import annotations

import io
import struct
import unicodedata
import zlib
from functools import cache
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.calls import SMALL
from tests.support.processes.commands import core
from tests.support.s3.moto_server import remove, with_bucket
from tests.support.s3.servers import S3Server, environment


@cache
def jpeg(shade: int = 90) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 80), (shade, shade, shade)).save(out, "JPEG")
    return out.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb() -> bytes:
    """A PNG of a few bytes that claims 50,000 × 50,000 pixels."""
    head = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 999)) + chunk(b"IEND", b"")
    )


BAD_PICTURES = {
    "unreadable": (b"this is no picture at all", "no picture this program can read"),
    "truncated": (jpeg()[: len(jpeg()) // 2], "damaged or cut off"),
    "bomb": (bomb(), "50000×50000 pixels"),
}


AWKWARD = (
    unicodedata.normalize("NFD", "아라야 01.jpg"),
    "아라야 01.jpg",
    "a+b%20c%2Fd.jpg",
    "🎈 party, (final) [2].jpg",
    "  spaced  out .jpg",
    "../up.jpg",
    "/double.jpg",
)


class TestBadLibrary:
    """Pictures that cannot be shown and names nobody would choose."""

    NOIR = ("--prompt", "a street", "--tone", "noir", "--person", "yes", "--mode", "tone-only", "--seed", "1")

    def bucket(self, moto: S3Server, person: bytes) -> S3Server:
        return with_bucket(moto, {"refs/01. Model/noir/Ada 01.jpg": person, "refs/02. Tone/noir/street.jpg": jpeg(40)})

    def test_bad_pictures_are_listed_like_any_other_for_only_their_bytes_tell(self, moto: S3Server) -> None:
        people = {f"refs/01. Model/noir {kind}/Ada.jpg": data for kind, (data, _) in BAD_PICTURES.items()}
        bucket = with_bucket(moto, {**people, "refs/02. Tone/noir/street.jpg": jpeg(40)})
        assert core("index", "--json", environ=environment(bucket)).json["pictures"] == 4
        assert core("inject", "--json", *self.NOIR, environ=environment(bucket)).code == 0

    @pytest.mark.parametrize("kind", BAD_PICTURES)
    def test_a_picture_that_cannot_be_opened_is_not_sent_its_slot_names_it_and_a_check_says_why(
        self, kind: str, moto: S3Server, tmp_path: Path
    ) -> None:
        data, says = BAD_PICTURES[kind]
        environ = environment(self.bucket(moto, data))
        done = core("generate", "--json", *self.NOIR, *SMALL, "--out", str(tmp_path), environ=environ)
        assert done.code == 0, done.err
        (model,) = (slot for slot in done.json["sides"][0]["slots"] if slot["role"] == "model")
        assert model["key"] is None
        assert "“Ada 01.jpg” cannot be opened as a picture and is left out." in model["why"]
        (problem,) = core("index", "--check", "--json", environ=environ).json["problems"]
        assert (problem["kind"], problem["where"]) == ("unreadable", "refs/01. Model/noir/Ada 01.jpg")
        assert says in problem["says"]

    def test_one_sides_bad_picture_fails_neither_side(self, moto: S3Server, tmp_path: Path) -> None:
        bucket = with_bucket(
            moto,
            {
                "refs/01. Model/misc/x.jpg": jpeg(),
                "refs/02. Tone/noir/s.jpg": jpeg(),
                "refs/03. Angle/low/y.jpg": b"no",
            },
        )
        words = ("--prompt", "a street", "--tone", "noir", "--angle", "low-angle", "--seed", "1", *SMALL)
        done = core("generate", "--json", *words, "--out", str(tmp_path), environ=environment(bucket))
        assert done.code == 0, done.err
        assert sorted(file.name for file in tmp_path.iterdir()) == ["tone-angle.png", "tone-only.png"]
        (angle,) = (slot for slot in done.json["sides"][1]["slots"] if slot["role"] == "angle")
        assert angle["key"] is None
        assert "“y.jpg” cannot be opened as a picture and is left out." in angle["why"]
        assert done.json["controlled"] is False

    def test_an_empty_file_is_listed_and_never_injected(self, moto: S3Server) -> None:
        environ = environment(self.bucket(moto, b""))
        assert core("index", "--json", environ=environ).json["pictures"] == 2
        report = core("inject", "--json", *self.NOIR, environ=environ).json
        assert [slot["key"] for slot in report["sides"][0]["slots"]] == ["refs/02. Tone/noir/street.jpg", None, None]

    def test_awkward_names_are_listed_and_go_all_the_way_through(self, moto: S3Server, tmp_path: Path) -> None:
        groups = {f"refs/01. Model/noir {at}/{name}": name for at, name in enumerate(AWKWARD)}
        bucket = with_bucket(moto, {**dict.fromkeys(groups, jpeg()), "refs/02. Tone/noir/street.jpg": jpeg(40)})
        environ = environment(bucket, MAX_MODEL_REFERENCES=str(len(AWKWARD)))
        assert core("index", "--json", environ=environ).json["pictures"] == len(AWKWARD) + 1
        done = core("generate", "--json", *self.NOIR, *SMALL, "--out", str(tmp_path), environ=environ)
        assert done.code == 0, done.err
        assert [slot["key"] for slot in done.json["sides"][0]["slots"] if slot["role"] == "model"] == list(groups)

    def test_a_library_without_pictures_is_listed_as_empty_and_leaves_every_slot_empty(self, moto: S3Server) -> None:
        bucket = with_bucket(moto, {"refs/readme.txt": b"hello"})
        report = core("index", "--json", environ=environment(bucket)).json
        assert (report["pictures"], report["folders"], report["problems"]) == (0, [], [])
        asked = ("inject", "--json", "--prompt", "a woman", "--tone", "noir")
        sides = core(*asked, environ=environment(bucket)).json["sides"]
        assert [slot["key"] for side in sides for slot in side["slots"]] == [None] * 6
        assert all("no person folder yet" in slot["why"] for side in sides for slot in side["slots"][2:])

    def test_a_loose_picture_is_reported_by_its_key(self, moto: S3Server) -> None:
        bucket = with_bucket(moto, {"refs/01. Model/stray.jpg": jpeg()})
        report = core("index", "--json", environ=environment(bucket)).json
        assert report["problems"] == [{"kind": "loose", "where": "refs/01. Model/stray.jpg"}]

    def test_what_is_taken_out_of_the_bucket_is_gone_at_once(self, moto: S3Server) -> None:
        bucket = self.bucket(moto, jpeg())
        remove(bucket, "refs/01. Model/noir/Ada 01.jpg")
        assert core("index", "--json", environ=environment(bucket)).json["pictures"] == 1
