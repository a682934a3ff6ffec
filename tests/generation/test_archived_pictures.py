"""What S3 keeps in an archive is never drawn or sent, says how to get it back, and serves once it is restored."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from functools import cache
from http.server import BaseHTTPRequestHandler
from itertools import count

import pytest
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response

from core.errors import EngineError, InputError, ObjectArchived
from core.generation.planning import Planned
from core.generation.running.attachments import Attachments
from core.injection.request.wishes import Mode, Wishes
from core.references import archive
from core.references.key import encode_key
from core.references.problems import folded
from core.references.reference import Filter
from core.references.vocabulary import GroupProblem
from core.settings import Settings
from core.studio import Studio, build_studio
from core.ui.references.reference_cards import group_cards, reference_cards
from core.web.http.addresses import ORIGINAL
from core.web.pictures.pictures import image
from tests.support.s3.moto_server import moto_server, with_bucket
from tests.support.s3.servers import Answer, S3Server, client_of, environment, scripted_server

NOIR = "refs/02. Tone/noir"
WARM, COLD, DEEP, INSTANT = (f"{NOIR}/{name}.jpg" for name in ("warm", "cold", "deep", "instant"))
CLASSES = {WARM: "STANDARD", COLD: "GLACIER", DEEP: "DEEP_ARCHIVE", INSTANT: "GLACIER_IR"}
SHADES = count()
client = cache(client_of)  # one takes longer to make than to use
WISHES = Wishes(prompt="stairs", tone="noir", mode=Mode.TONE_ONLY)


def photo() -> bytes:
    """One that nobody has seen."""
    out = io.BytesIO()
    Image.new("RGB", (96, 128), (next(SHADES), 0, 0)).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture(scope="module")
def moto() -> Iterator[S3Server]:
    with moto_server() as server:
        yield server


@pytest.fixture(scope="module")
def bucket(moto: S3Server) -> S3Server:
    return with_bucket(moto)


@pytest.fixture(scope="module")
def built(bucket: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with pytest.MonkeyPatch.context() as environ:
        for name, value in environment(bucket).items():
            environ.setenv(name, value)
        folder = tmp_path_factory.mktemp("archived")
        studio = build_studio(Settings(s3_bucket=bucket.bucket, s3_endpoint_url=bucket.endpoint_url, data_dir=folder))
        yield studio
        studio.close()


@pytest.fixture
def studio(built: Studio, bucket: S3Server) -> Studio:
    """The studio over a library in which two of four pictures are archived, and none was ever opened."""
    for key, storage_class in CLASSES.items():
        put(bucket, key, photo(), storage_class)
    built.catalog.refresh()
    return built


def put(bucket: S3Server, key: str, data: bytes, storage_class: str) -> None:
    client(bucket).put_object(Bucket=bucket.bucket, Key=key, Body=data, StorageClass=storage_class)


def to_archive(studio: Studio, bucket: S3Server, key: str) -> None:
    """The same bytes in a class that S3 does not hand out, as a rule of the bucket's would have it."""
    put(bucket, key, studio.store.get(key).data, "GLACIER")


def restore(bucket: S3Server, key: str) -> None:
    """As an operator does it; moto takes no hours."""
    client(bucket).restore_object(Bucket=bucket.bucket, Key=key, RestoreRequest={"Days": 7})


def drawn_of(studio: Studio, seeds: int = 12) -> set[str | None]:
    plans = [studio.planner.plan(Wishes(prompt="stairs", tone="noir", seed=seed)) for seed in range(seeds)]
    return {slot.key for planned in plans for side in planned.sides for slot in side.slots if slot.filled}


def planned_with(studio: Studio) -> Planned:
    return studio.planner.plan(WISHES)


def test_only_what_cannot_be_read_is_archived(studio: Studio) -> None:
    index = studio.catalog.index
    assert {ref.key: ref.problem for ref in index.references} == {
        WARM: None,
        INSTANT: None,
        COLD: GroupProblem.ARCHIVED,
        DEEP: GroupProblem.ARCHIVED,
    }
    assert [problem.where for problem in index.problems] == sorted([COLD, DEEP])
    assert {problem.kind for problem in folded(index.problems)} == {GroupProblem.ARCHIVED}
    for part in ("restore-object", "S3 console", "5 hours", "DEEP_ARCHIVE"):
        assert part in index.problems[0].says
    assert [ref.key for ref in index.search(Filter(problems_only=True))] == sorted([COLD, DEEP])


def test_cards_say_so(studio: Studio) -> None:
    index = studio.catalog.index
    cards = {card.id: card.badge for card in reference_cards(index.references, index.table, studio.vocabulary)}
    assert cards == {WARM: "", INSTANT: "", COLD: "archived", DEEP: "archived"}
    (group,) = group_cards(index.folders[0].groups, index.table, studio.vocabulary)
    assert group.badge == "2 archived"
    example = index.folders[0].groups[0].example
    assert example is not None
    assert example.problem is None


def test_it_is_never_drawn_and_the_slot_says_what_is_left_out(studio: Studio) -> None:
    assert drawn_of(studio) == {WARM, INSTANT}
    (slot,) = [slot for side in planned_with(studio).sides for slot in side.slots if slot.key][:1]
    assert "2 pictures lie in an archive of S3" in f"{slot}"


def test_a_restored_one_serves_from_the_next_refresh_on(studio: Studio, bucket: S3Server) -> None:
    restore(bucket, COLD)
    index = studio.catalog.refresh()
    assert [problem.where for problem in index.problems] == [DEEP]
    assert COLD in drawn_of(studio)
    assert studio.readability.is_readable(next(ref for ref in index.references if ref.key == COLD))


def test_of_many_each_has_its_turn_to_be_asked_about(
    studio: Studio, bucket: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "ASKED_MAX", 1)
    restore(bucket, COLD)
    restore(bucket, DEEP)
    for _ in range(3):
        index = studio.catalog.refresh()
    assert index.problems == ()


def test_an_upload_in_its_place_serves(studio: Studio, bucket: S3Server) -> None:
    put(bucket, COLD, photo(), "STANDARD")
    assert [problem.where for problem in studio.catalog.refresh().problems] == [DEEP]


def test_reading_it_is_an_error_of_its_own_and_no_missing_permission(studio: Studio) -> None:
    for read in (studio.store.get, studio.store.stream):
        with pytest.raises(ObjectArchived, match="archive of S3") as failed:
            read(COLD)
        assert failed.value.key == COLD
        assert "credentials" not in failed.value.message
    assert studio.store.head(COLD).is_archived
    assert not studio.store.head(INSTANT).is_archived


def test_opening_all_pictures_leaves_archived_ones_alone(studio: Studio) -> None:
    assert studio.readability.check_all() == 2


class TestFoundByReading:
    """An archive tier that no listing tells of is found by whoever wants to read, and is known from then on."""

    @pytest.fixture
    def later(self, studio: Studio, bucket: S3Server) -> Studio:
        """Another picture is archived while its bytes stay the same and the index still believes in it."""
        to_archive(studio, bucket, WARM)
        return studio

    def test_a_plan_leaves_it_out(self, later: Studio) -> None:
        assert drawn_of(later) == {INSTANT}
        assert WARM in {problem.where for problem in later.catalog.index.problems}

    def test_what_was_planned_before_is_not_sent(self, studio: Studio, bucket: S3Server) -> None:
        planned = next(
            each
            for each in (studio.planner.plan(Wishes(prompt="x", tone="noir", seed=seed)) for seed in range(40))
            if any(slot.key == WARM for side in each.sides for slot in side.slots)
        )
        to_archive(studio, bucket, WARM)
        attached = Attachments(studio.store, archived=studio.catalog.leave_out_archived)
        with pytest.raises(EngineError, match="lies in an archive of S3"):
            attached.of(planned.sides[0])
        attached.close()
        drawn = studio.planner.drawn
        assert drawn is not None
        with pytest.raises(InputError, match="nothing was sent"):
            drawn.check(planned.sides)
        assert WARM not in drawn_of(studio)

    def test_it_is_asked_about_again_at_the_next_refresh(self, studio: Studio) -> None:
        studio.catalog.leave_out_archived(WARM)  # as Intelligent-Tiering would have it: its class says nothing
        assert studio.catalog.index.get(WARM).problem is GroupProblem.ARCHIVED  # type: ignore[union-attr]
        assert studio.catalog.refresh().get(WARM).problem is None  # type: ignore[union-attr]  # S3 says it can be read


TIER = """<?xml version="1.0"?><Error><Code>InvalidObjectState</Code><Message>The action is not valid for the object's
storage class</Message><StorageClass>INTELLIGENT_TIERING</StorageClass><AccessTier>ARCHIVE_ACCESS</AccessTier>
</Error>"""


@pytest.mark.parametrize(
    ("headers", "is_archived"),
    [
        ({"x-amz-storage-class": "INTELLIGENT_TIERING", "x-amz-archive-status": "ARCHIVE_ACCESS"}, True),
        ({"x-amz-storage-class": "INTELLIGENT_TIERING", "x-amz-archive-status": "DEEP_ARCHIVE_ACCESS"}, True),
        ({"x-amz-storage-class": "INTELLIGENT_TIERING"}, False),
        ({"x-amz-storage-class": "GLACIER"}, True),
        ({"x-amz-storage-class": "GLACIER", "x-amz-restore": 'ongoing-request="true"'}, True),
        ({"x-amz-storage-class": "DEEP_ARCHIVE", "x-amz-restore": 'ongoing-request="false", expiry-date="x"'}, False),
        ({"x-amz-storage-class": "GLACIER_IR"}, False),
        ({}, False),
    ],
)
def test_a_head_tells_archive_tiers_and_restored_copies(headers: dict[str, str], is_archived: bool) -> None:
    def answer(request: BaseHTTPRequestHandler, _body: bytes) -> Answer:
        if request.command == "HEAD":
            moment = {"ETag": '"e"', "Last-Modified": "Sun, 01 Nov 2026 10:00:00 GMT"}
            return 200, {**moment, **headers}, b""
        return 403, {"Content-Type": "application/xml"}, TIER.encode()

    with scripted_server(answer) as server:
        assert server.store().head("refs/a.jpg").is_archived is is_archived
        with pytest.raises(ObjectArchived, match="archive of S3"):
            server.store().get("refs/a.jpg")


class TestOverHttp:
    """What a browser is answered about it."""

    @staticmethod
    def answer(studio: Studio, key: str, size: str) -> Response:
        listed = studio.catalog.index.get(key)
        assert listed is not None
        named = {"size": size, "etag": listed.etag, "key": encode_key(key)}
        scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b"", "path_params": named}
        return image(Request(scope), studio)

    def test_its_tile_says_that_it_is_archived(self, studio: Studio) -> None:
        tile = self.answer(studio, COLD, "320")
        assert tile.media_type == "image/svg+xml"
        assert "archive of S3" in re.sub(r"</text><text[^>]*>", " ", bytes(tile.body).decode())

    def test_the_original_is_refused_with_the_sentence(self, studio: Studio) -> None:
        with pytest.raises(ObjectArchived):
            self.answer(studio, COLD, ORIGINAL)

    def test_once_it_is_restored_its_tile_is_the_picture(self, studio: Studio, bucket: S3Server) -> None:
        restore(bucket, COLD)
        assert self.answer(studio, COLD, "320").media_type == "image/webp"
