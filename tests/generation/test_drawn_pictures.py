"""What goes in can be opened as a picture: that is found out before it is sent, and something else is drawn instead."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PIL import Image

from core.errors import InputError, StorageUnavailable
from core.generation import planning
from core.generation.planning import Planned
from core.generation.records.comparison import RenderSettings, SideRecord, Size
from core.injection.request.slots import Slot
from core.injection.request.wishes import PersonWish, SideName, Wishes
from core.references.vocabulary import GroupProblem, Role
from core.settings import Settings
from core.studio import Studio, build_studio
from core.viewer import PersonRole, Viewer
from tests.support.timeouts import LONG_S

ROOT = "refs/drawn"
MODEL, TONE, ANGLE = f"{ROOT}/01. Model", f"{ROOT}/02. Tone", f"{ROOT}/03. Angle"
RENDER = RenderSettings(engine="preview", model="colour-transfer-1", size=Size(width=96, height=128))
VIEWER = Viewer("kim@studio.example", PersonRole.OPS)
PAGE = b"<html>not found</html>"
WISHES = Wishes(
    prompt="a person on stairs",
    tone="noir",
    angle="low-angle",
    folder=MODEL,
    person=PersonWish.YES,
)


def photo(shade: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (96, 128), (shade, shade, shade)).save(out, "JPEG")
    return out.getvalue()


GOOD = {
    **{f"{TONE}/noir/good {n}.jpg": photo(10 + n) for n in range(3)},
    **{f"{ANGLE}/low angle/good {n}.jpg": photo(30 + n) for n in range(2)},
    f"{MODEL}/noir eye-level/Ada 01.jpg": photo(50),
    f"{MODEL}/noir low angle/Ada 02.jpg": photo(51),
    f"{MODEL}/noir low angle/Ben 01.jpg": photo(52),
}
BROKEN = {
    **{f"{TONE}/noir/page {n}.jpg": PAGE + bytes([n]) for n in range(6)},
    **{f"{ANGLE}/low angle/page {n}.jpg": PAGE + bytes([20 + n]) for n in range(4)},
    **{f"{MODEL}/noir low angle/Ada 9{n}.jpg": PAGE + bytes([40 + n]) for n in range(4)},
    f"{MODEL}/noir low angle/Zoe 01.jpg": photo(60)[:90],
}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A whole studio over its embedded S3, with a project in which every second file is no picture."""
    studio = build_studio(Settings(data_dir=tmp_path_factory.mktemp("drawn")))
    for key, data in (GOOD | BROKEN).items():
        studio.store.put(key, data, content_type="image/jpeg")
    yield studio
    studio.close()


@pytest.fixture
def studio(opened: Studio) -> Studio:
    """The same when nobody has opened a picture yet."""
    for row in list(opened.store.list("studio/thumbs/")):
        opened.store.delete(row.key)
    opened.readability._unreadable.clear()
    opened.readability._new.clear()
    opened.catalog.refresh()
    return opened


def slots(sides: tuple[SideRecord, ...]) -> list[Slot]:
    return [slot for side in sides for slot in side.slots if slot.filled]


def keys(planned: Planned) -> list[str | None]:
    return [slot.key for side in planned.sides for slot in side.slots]


def without_what_is_broken(studio: Studio, wishes: Wishes) -> list[str | None]:
    """The plan over the same library as if the broken files had never been uploaded."""
    studio.catalog.leave_out([row.etag for row in studio.store.list(ROOT) if row.key in BROKEN])
    return keys(replace(studio.planner, drawn=None).plan(wishes))


@pytest.mark.parametrize("seed", range(6))
def test_what_is_no_picture_is_never_planned_however_new_it_is(studio: Studio, seed: int) -> None:
    planned = studio.planner.plan(replace(WISHES, seed=seed))
    assert len(slots(planned.sides)) == 5
    assert {slot.key for slot in slots(planned.sides)} <= set(GOOD)
    assert keys(planned) == without_what_is_broken(studio, replace(WISHES, seed=seed)), "the next draw of this seed"
    assert planned.injection.fairness is not None
    assert planned.injection.fairness.controlled


def test_where_one_of_a_group_is_broken_the_others_are_looked_at_with_it(studio: Studio) -> None:
    """Or twenty broken files of one upload cost twenty plans in a row while somebody waits."""
    drawn = replace(studio.planner, drawn=None)
    seed = next(s for s in range(99) if set(keys(drawn.plan(replace(WISHES, angle=None, seed=s)))) & set(BROKEN))
    planned = drawn.plan(replace(WISHES, angle=None, seed=seed))
    assert studio.planner.drawn is not None
    assert studio.planner.drawn.leave_out_unreadable(planned.sides, patience_s=LONG_S)
    groups = {str(key).rpartition("/")[0] for key in keys(planned) if key in BROKEN}
    known = {ref.key for ref in studio.catalog.index.table.unreadable_references}
    assert known == {key for key in BROKEN if key.rpartition("/")[0] in groups}


def test_the_plan_says_in_a_sentence_what_was_left_out(studio: Studio) -> None:
    studio.catalog.leave_out([row.etag for row in studio.store.list(TONE) if row.key in BROKEN])
    for side in studio.planner.plan(WISHES).sides:
        tone, eye_level = (next(slot for slot in side.slots if slot.role is role) for role in (Role.TONE, Role.MODEL))
        assert tone.why.endswith(". 6 files cannot be opened as pictures and are left out.")
        assert side.side is SideName.TONE_ANGLE or "left out" not in eye_level.why, "its group has none of them"


def test_one_file_is_named(studio: Studio) -> None:
    alone = f"{ROOT} alone/02. Tone/noir"
    studio.store.put(f"{alone}/page.jpg", PAGE + b"alone", content_type="image/jpeg")
    studio.store.put(f"{alone}/street.jpg", photo(77), content_type="image/jpeg")
    studio.store.put(f"{ROOT} alone/01. Model/noir/Ada.jpg", photo(78), content_type="image/jpeg")
    studio.catalog.refresh()
    wishes = replace(WISHES, folder=f"{ROOT} alone/01. Model", angle=None)
    seeds = (studio.planner.plan(replace(wishes, seed=seed)).sides[0].slots[0] for seed in range(8))
    tones = list(seeds)
    assert {slot.name for slot in tones} == {"street.jpg"}
    assert tones[-1].why.endswith("“page.jpg” cannot be opened as a picture and is left out.")


def test_what_was_found_out_for_one_plan_shows_at_once_where_the_library_is_shown(studio: Studio) -> None:
    for seed in range(12):
        studio.planner.plan(replace(WISHES, seed=seed))
    found = {problem.where for problem in studio.catalog.index.problems if problem.kind is GroupProblem.UNREADABLE}
    assert found
    assert found <= set(BROKEN)
    assert found <= {ref.key for ref in studio.catalog.refresh().table.unreadable_references}, "and after a listing"


def test_a_group_in_which_nothing_can_be_opened_leaves_the_slot_empty_and_says_why(studio: Studio) -> None:
    only = f"{ROOT} only/02. Tone/neon"
    studio.store.put(f"{only}/page.jpg", PAGE + b"neon", content_type="image/jpeg")
    studio.store.put(f"{ROOT} only/01. Model/noir/Ada.jpg", photo(79), content_type="image/jpeg")
    studio.catalog.refresh()
    for row in studio.store.list("refs/02. Tone/neon night/"):
        studio.catalog.leave_out([row.etag])
    wishes = replace(WISHES, tone="neon", folder=f"{ROOT} only/01. Model", person=PersonWish.NO)
    tone = studio.planner.plan(wishes).sides[0].slots[0]
    assert tone.key is None
    assert "cannot be opened" in tone.why


def test_a_pinned_file_that_is_no_picture_empties_its_slot_and_says_so(studio: Studio) -> None:
    pin = f"{TONE}/noir/page 1.jpg"
    planned = studio.planner.plan(replace(WISHES, pins={"tone": pin}))
    for side in planned.sides:
        tone = next(slot for slot in side.slots if slot.role is Role.TONE)
        assert tone.key is None
        assert tone.why == "The file you pinned cannot be opened as a picture: unpin it, or upload it again."


def test_nothing_is_sent_with_a_file_that_is_no_picture_and_the_next_plan_has_another(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when S3 was too slow while it was planned: what was not looked at then is looked at before it is sent."""
    monkeypatch.setattr(planning, "_PATIENCE_S", 0.0)
    seed = next(s for s in range(99) if set(keys(studio.planner.plan(replace(WISHES, seed=s)))) & set(BROKEN))
    planned = studio.planner.plan(replace(WISHES, seed=seed))
    before = list(studio.store.list("studio/generations/"))
    with pytest.raises(InputError, match=r"cannot be opened as a picture, so nothing was sent") as told:
        studio.orders.order(planned, RENDER, VIEWER)
    assert told.value.values[0] in BROKEN
    assert list(studio.store.list("studio/generations/")) == before
    assert told.value.values[0] not in keys(studio.planner.plan(replace(WISHES, seed=seed)))


def test_a_record_keeps_what_was_drawn_and_its_replay_is_refused_once_that_cannot_be_opened(studio: Studio) -> None:
    planned = studio.planner.plan(replace(WISHES, seed=1))
    made = studio.orders.order(planned, RENDER, VIEWER)
    studio.runner.wait(made.id)
    kept = studio.history.get(made.id)
    assert [slot.key for side in kept.sides for slot in side.slots] == keys(planned)
    tone = next(slot for slot in kept.sides[0].slots if slot.role is Role.TONE)
    damaged = kept.model_copy(
        update={
            "sides": tuple(
                side.model_copy(
                    update={
                        "slots": tuple(
                            replace(slot, key=f"{TONE}/noir/page 2.jpg", etag=_etag(studio, f"{TONE}/noir/page 2.jpg"))
                            if slot.key == tone.key
                            else slot
                            for slot in side.slots
                        )
                    }
                )
                for side in kept.sides
            )
        }
    )
    with pytest.raises(InputError, match="cannot be opened as a picture"):
        studio.variations.replay(damaged, VIEWER)
    again = studio.variations.replay(kept, VIEWER)
    assert [slot.key for side in again.sides for slot in side.slots] == keys(planned)
    studio.runner.wait(again.id)


def _etag(studio: Studio, key: str) -> str:
    return studio.store.head(key).etag


def test_while_s3_does_not_answer_a_plan_is_shown_and_nothing_of_it_is_sent(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_key: str) -> None:
        raise StorageUnavailable("S3 does not answer.")

    with monkeypatch.context() as broken:
        broken.setattr(type(studio.store), "get", lambda _self, key: away(key))
        planned = studio.planner.plan(replace(WISHES, seed=2))
        assert slots(planned.sides)
        with pytest.raises(StorageUnavailable):
            studio.orders.order(planned, RENDER, VIEWER)
    assert {slot.key for slot in slots(studio.planner.plan(replace(WISHES, seed=2)).sides)} <= set(GOOD)


def test_both_sides_still_show_the_same_person_when_the_first_who_was_drawn_cannot_be_opened(studio: Studio) -> None:
    for seed in range(12):
        people = {
            side.side: [slot.persona for slot in side.slots if slot.role is Role.MODEL and slot.filled]
            for side in studio.planner.plan(replace(WISHES, seed=seed)).sides
        }
        assert people == {SideName.TONE_ONLY: ["Ada"], SideName.TONE_ANGLE: ["Ada"]}
