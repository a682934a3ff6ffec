"""Pairings: which comparisons can be voted on, and what is known of them, from what S3 lists."""

from __future__ import annotations

import gzip
from datetime import timedelta

import pytest

from core.generation.records.attempt import AttemptId
from core.generation.records.comparison import RenderSettings
from core.injection.request.wishes import SIDES_OF_MODE, Mode, SideName, Varies, Wishes
from core.record_index.month_file import MonthFile
from core.references.vocabulary import Role
from core.votes.ballots.pairings import PAIRING_MONTHS, Pairing
from core.votes.ballots.pool import days_ago
from tests.generation.comparisons import SIZE, slot
from tests.votes.ballot_box import A, B, BallotBox


def of(box: BallotBox, comparison_id: str) -> Pairing:
    return box.server().pool.all()[comparison_id]


def test_a_comparison_with_both_pictures_can_be_voted_on_with_all_that_is_known_of_it(box: BallotBox) -> None:
    araya = slot("refs/01. Model/vivid/Araya 05.png", "e", Role.MODEL)
    record = box.compared(araya, prompt="at a café", tone="vivid", angle="low-angle")
    pairing = of(box, record.id)
    assert (pairing.person, pairing.prompt, pairing.tone, pairing.angle) == (
        *("demo@localhost", "at a café"),
        *("vivid", "low-angle"),
    )
    assert (pairing.persona, pairing.model, pairing.varies, pairing.controlled) == ("Araya", "test-1", "angle", True)
    assert pairing.titles == ("Tone only", "Tone + angle")
    (pair,) = pairing.pairs
    keys = {row.key.rsplit("/", 1)[-1]: row.etag for row in box.studio.store.list(f"{box.prefix}generations/")}
    assert (pair.a.file, pair.a.etag) == ("tone-only-1.png", keys["tone-only-1.png"])
    assert (pair.b.file, pair.b.etag) == ("tone-angle-1.png", keys["tone-angle-1.png"])
    assert (pair.a.fidelity, pair.a.seconds, pair.a.usd, pair.a.failures) == (60.0, 4.0, 0.04, 0)


@pytest.mark.parametrize("without", [[(A, 1)], [(B, 1)], [(A, 1), (B, 1)]])
def test_a_comparison_that_lacks_a_side_can_not(box: BallotBox, without: list[tuple[SideName, int]]) -> None:
    record = box.compared(without=without)
    assert record.id not in box.server().pool.all()


def test_each_take_that_has_both_sides_is_a_pair(box: BallotBox) -> None:
    record = box.compared(takes=3, without=[(B, 2)])
    assert [pair.take for pair in of(box, record.id).pairs] == [1, 3]


def test_takes_that_never_met_are_no_pair(box: BallotBox) -> None:
    record = box.compared(takes=2, without=[(A, 1), (B, 2)])
    server = box.server()
    assert server.pool.all()[record.id].pairs == ()
    assert server.pool.since(days_ago(1)) == {}


def test_a_single_mode_can_not_be_voted_on(box: BallotBox) -> None:
    record = box.compared(mode=Mode.TONE_ONLY, wishes=Wishes(mode=Mode.TONE_ONLY))
    assert record.id not in box.server().pool.all()


def test_a_picture_without_its_outcome_is_still_on_its_way(box: BallotBox) -> None:
    record = box.compared(without=[(B, 1)])
    box.studio.history().add_picture(AttemptId(record.id, B, 1), b"png")
    assert record.id not in box.server().pool.all()


def test_a_retry_makes_it_complete_and_a_later_one_counts_instead(box: BallotBox) -> None:
    record = box.compared(without=[(B, 1)])
    server = box.server()
    assert record.id not in server.pool.all()
    box.finish(record, AttemptId(record.id, B, 2))
    server.pool.catch_up()
    assert server.pool.all()[record.id].pairs[0].b.file == "tone-angle-2.png"
    box.finish(record, AttemptId(record.id, B, 3))
    server.pool.look()
    (pair,) = server.pool.all()[record.id].pairs
    assert pair.b.file == "tone-angle-3.png"
    assert (pair.b.seconds, pair.b.usd) == (8.0, 0.08), "all attempts at it count"


def test_a_server_that_starts_reads_the_months_and_no_record_again(box: BallotBox) -> None:
    records = [box.compared(age=timedelta(days=days)) for days in (0, 40, 80)]
    first = box.server()
    for record in records[1:]:  # whoever asks for it now gets nothing
        box.studio.store.delete(f"{box.studio.history().folder_of(record.id)}tone-only-1.json")
    fresh = box.bare_server(name="two")
    fresh.pool.look()
    assert fresh.pool.all().keys() == {record.id for record in records}
    assert dict(fresh.pool.all()) == dict(first.pool.all())


def test_without_month_files_everything_is_read_again(box: BallotBox) -> None:
    record = box.compared(age=timedelta(days=40))
    before = box.server().pool.all()
    for row in list(box.studio.store.list(f"{box.prefix}votes/pairings/")):
        box.studio.store.delete(row.key)
    assert box.server(name="two").pool.all() == before
    assert record.id in before


def test_old_comparisons_are_known_and_not_drawn_from(box: BallotBox) -> None:
    old, young = box.compared(age=timedelta(days=40)), box.compared(age=timedelta(days=3))
    server = box.server()
    assert server.pool.all().keys() == {old.id, young.id}
    assert {pair.comparison for pair in server.pool.since(days_ago(30))} == {young.id}


def test_what_varies_says_what_the_sides_are_called_and_which_is_a(box: BallotBox) -> None:
    render = RenderSettings(engine="test", model="test-2", size=SIZE)
    wishes = Wishes(varies=Varies.MODEL)
    made = box.compared(wishes=wishes)
    sides = tuple(
        made.sides[0].model_copy(update={"side": side, "render": by})
        for side, by in ((SideName.A, None), (SideName.B, render))
    )
    record = box.compared(wishes=wishes, sides=sides)
    pairing = of(box, record.id)
    assert (pairing.a, pairing.b, pairing.varies) == ("a", "b", "model")
    assert pairing.titles == ("test-1", "test-2")
    assert (pairing.pairs[0].a.file, pairing.pairs[0].b.file) == ("a-1.png", "b-1.png")


def test_several_persons_are_named_in_order_and_none_is_none(box: BallotBox) -> None:
    two = [slot(f"refs/01. Model/vivid/{name} 1.png", "e", Role.MODEL) for name in ("Noor", "Bao")]
    assert of(box, box.compared(*two).id).persona == "Bao, Noor"
    assert of(box, box.compared().id).persona is None


def test_a_broken_record_is_left_out_and_the_others_are_not(box: BallotBox) -> None:
    whole, broken = box.compared(), box.compared()
    key = f"{box.studio.history().folder_of(broken.id)}comparison.json"
    box.studio.store.put(key, b"{}", content_type="application/json")
    assert box.server().pool.all().keys() == {whole.id}


@pytest.mark.parametrize("damage", [b'["x"]', b'{"a": 1}', b"[1,2]", b'["01M8J2787R8PSJKWWB24XC9D7X",1,2]'])
def test_a_month_file_that_makes_no_sense_is_made_anew(box: BallotBox, damage: bytes) -> None:
    record = box.compared(age=timedelta(days=40))
    pairing = of(box, record.id)
    (month,) = [row.key for row in box.studio.store.list(f"{box.prefix}votes/pairings/")]
    content = PAIRING_MONTHS.dump(MonthFile(record.created_at, (pairing,)))
    head = content.split(b"\n")[0]
    box.studio.store.put(month, gzip.compress(head + b"\n" + damage + b"\n"), content_type="x")
    assert box.server(name="two").pool.all()[record.id] == pairing
    assert PAIRING_MONTHS.read(box.studio.store, month).content is not None


@pytest.mark.parametrize("mode", SIDES_OF_MODE)
def test_every_mode_is_listed_without_a_fault(box: BallotBox, mode: Mode) -> None:
    box.compared(mode=mode, wishes=Wishes(mode=mode))
    assert len(box.server().pool.all()) == (mode is Mode.COMPARE)
