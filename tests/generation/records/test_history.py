"""History is what S3 holds: newest first, complete or an error, and honest about what was interrupted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs
from ulid import ULID

from core.errors import EngineFault, NotFound, StorageError, StorageUnavailable, WriteConflict
from core.generation.records.attempt import AttemptStart, Server, this_server
from core.generation.records.attempt_status import AttemptPhase
from core.generation.records.comparison import Comparison, Size
from core.generation.records.history import HistoryFilter
from core.generation.records.outcome import Cost, Failure, Outcome, OutcomeState, StoredPicture
from core.injection.request.fairness import BALANCE, Difference
from core.injection.request.slots import NearMiss, Slot
from core.injection.request.wishes import Ages, Mode, PersonWish, Wishes
from core.labels.published.schema import Gender
from core.references.vocabulary import Role
from core.storage.embedded.server import EmbeddedS3
from tests.generation.comparisons import (
    SIZE,
    TONE_ANGLE,
    TONE_ONLY,
    PaintingEngine,
    StudioFixture,
    comparison,
    side_of,
    slot,
)
from tests.support.processes.forks import Fork
from tests.support.timeouts import LONG_S, until

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
AWKWARD = [
    "refs/01. Model/a (1)/로우앵글 05.png",
    f"refs/{unicodedata.normalize('NFD', '부감')}/x.jpg",
    "refs//double/../dots/ .png",
    "refs/100%25 + more, (b)[c]/🙂\u0001.png",
]


def at(day: datetime, **changes: object) -> Comparison:
    """A comparison made at that time."""
    return comparison(mode=Mode.TONE_ONLY, id=str(ULID.from_datetime(day)), created_at=day, **changes)


def started(wanted: Comparison, server: Server, *, ago_s: float = 1, attempt: int = 1) -> AttemptStart:
    return AttemptStart(
        comparison=wanted.id,
        side=TONE_ONLY,
        attempt=attempt,
        started_at=datetime.now(UTC) - timedelta(seconds=ago_s),
        deadline_s=60,
        server=server,
    )


def failed(wanted: Comparison, *, attempt: int = 1, kind: EngineFault = EngineFault.REFUSED) -> Outcome:
    return Outcome(
        comparison=wanted.id,
        side=TONE_ONLY,
        attempt=attempt,
        state=OutcomeState.FAILED,
        started_at=NOW,
        finished_at=NOW,
        failure=Failure(kind=kind, message="Refused."),
    )


def test_the_newest_comes_first_whatever_day_it_lies_under(studio: StudioFixture) -> None:
    history = studio.history()
    days = [NOW, NOW - timedelta(days=40), NOW + timedelta(days=300), NOW + timedelta(milliseconds=1)]
    for day in days:
        history.add(at(day))
    found = [record.created_at for record in studio.history().newest(limit=10)]
    assert found == sorted(days, reverse=True)
    assert [record.created_at for record in studio.history().newest(limit=2)] == found[:2]


def test_a_record_lies_under_its_day(studio: StudioFixture) -> None:
    record = at(NOW)
    studio.history().add(record)
    assert studio.store.head(f"{studio.prefix}generations/2026/11/22/{record.id}/comparison.json")


def test_a_record_is_never_written_over(studio: StudioFixture) -> None:
    record = at(NOW)
    studio.history().add(record)
    with pytest.raises(WriteConflict):
        studio.history().add(record.model_copy(update={"person": "somebody@else"}))
    assert studio.history().get(record.id).person == "demo@localhost"


def test_every_filter_narrows_and_together_they_narrow_more(studio: StudioFixture) -> None:
    tone = slot(AWKWARD[0], "e1")
    plain = at(NOW)
    mine = at(
        NOW + timedelta(seconds=1),
        person="me@studio",
        wishes=Wishes(prompt="비 오는 서울 거리, A Red Coat"),
        tone="noir",
        angle="low-angle",
        sides=comparison(tone, mode=Mode.TONE_ONLY).sides,
    )
    other_mode = comparison(id=str(ULID.from_datetime(NOW + timedelta(seconds=2))))
    history = studio.history()
    for record in (plain, mine, other_mode):
        history.add(record)
    for wanted in (
        HistoryFilter(text="red coat"),
        HistoryFilter(text="RÈD ｃｏａｔ"),
        HistoryFilter(text=unicodedata.normalize("NFD", "서울")),
        HistoryFilter(text=mine.id.lower()),
        HistoryFilter(person="me@studio"),
        HistoryFilter(tone="noir"),
        HistoryFilter(angle="low-angle"),
        HistoryFilter(reference=AWKWARD[0]),
        HistoryFilter(text="coat", person="me@studio", mode="tone-only", tone="noir"),
    ):
        assert history.newest(limit=9, wanted=wanted) == [mine]
    assert history.newest(limit=9, wanted=HistoryFilter(mode="compare")) == [other_mode]
    assert history.newest(limit=9, wanted=HistoryFilter(text="coat", tone="vivid")) == []
    assert len(history.newest(limit=9, wanted=HistoryFilter(text="   "))) == 3


def test_a_broken_record_is_left_out_and_logged_and_costs_no_other(studio: StudioFixture) -> None:
    good = at(NOW)
    studio.history().add(good)
    broken = f"{studio.history().folder_of(str(ULID.from_datetime(NOW)))}comparison.json"
    for key, data in (
        (broken, b'{"version": 1, "id": '),
        (f"{studio.prefix}generations/notes/comparison.json", b"{}"),
        (f"{studio.prefix}generations/2026/11/22/readme.txt", b"hello"),
    ):
        studio.store.put(key, data, content_type="application/json")
    with capture_logs() as log:
        assert studio.history().newest(limit=9) == [good]
    assert {line["event"] for line in log} == {"record_left_out"}


def test_an_s3_that_fails_is_told_and_not_taken_for_an_empty_history(studio: StudioFixture) -> None:
    studio.history().add(at(NOW))
    away = studio.store_at("http://127.0.0.1:9", attempts=1)
    with pytest.raises(StorageUnavailable):
        studio.history(store=away).newest(limit=9)


@pytest.mark.parametrize("name", ["", "nonsense", "../../access", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "0" * 27, "é" * 26])
def test_what_is_no_id_is_not_found(studio: StudioFixture, name: str) -> None:
    with pytest.raises(NotFound):
        studio.history().get(name)


def test_made_since_is_what_one_person_ordered_from_a_moment_on_newest_first(studio: StudioFixture) -> None:
    history, midnight = studio.history(), NOW.replace(hour=15)  # in Seoul
    times = [midnight + timedelta(milliseconds=ms) for ms in (-86_400_000, -1, 0, 1, 3_600_000)]
    mine = [at(time, person="me@studio") for time in times]
    for each in (*mine, at(midnight + timedelta(hours=2), person="you@studio")):
        history.add(each)
    expected = [each.id for each in reversed(mine[2:])]
    assert history.made_since(midnight, "me@studio", limit=60) == expected
    assert history.made_since(midnight, "me@studio", limit=2) == expected[:2]
    assert history.made_since(midnight + timedelta(hours=3), "me@studio", limit=60) == []
    assert studio.history().made_since(midnight, "me@studio", limit=60) == expected, (
        "another server, or after a restart"
    )


def test_last_given_is_what_went_into_this_persons_newest(studio: StudioFixture) -> None:
    history = studio.history()
    assert history.last_given("me@studio") == ()
    older = comparison(slot(AWKWARD[0], "e"), id=str(ULID.from_datetime(NOW)), person="me@studio")
    newer = comparison(
        slot(AWKWARD[1], "e"),
        slot(AWKWARD[2], "e"),
        id=str(ULID.from_datetime(NOW + timedelta(seconds=1))),
        person="me@studio",
    )
    theirs = comparison(
        slot(AWKWARD[3], "e"), id=str(ULID.from_datetime(NOW + timedelta(seconds=2))), person="you@studio"
    )
    for record in (older, newer, theirs):
        history.add(record)
    assert history.last_given("me@studio") == (AWKWARD[1], AWKWARD[2])


def test_a_claim_of_a_dead_process_on_this_machine_is_interrupted_at_once(studio: StudioFixture) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    wanted = at(datetime.now(UTC))
    history = studio.history()
    history.add(wanted)
    history.add_start(started(wanted, this_server().model_copy(update={"pid": gone.pid})))
    assert side_of(history.status(wanted.id)).phase is AttemptPhase.INTERRUPTED


def test_a_claim_of_a_process_that_had_our_number_before_us_is_interrupted(studio: StudioFixture) -> None:
    wanted = at(datetime.now(UTC))
    history = studio.history()
    history.add(wanted)
    history.add_start(started(wanted, this_server()))  # the same pid, another boot: a restarted container
    assert side_of(history.status(wanted.id)).phase is AttemptPhase.INTERRUPTED


@pytest.mark.parametrize(("ago_s", "phase"), [(100, AttemptPhase.RUNNING), (151, AttemptPhase.INTERRUPTED)])
def test_another_machines_claim_runs_until_patience_ends(
    studio: StudioFixture, ago_s: float, phase: AttemptPhase
) -> None:
    wanted = at(datetime.now(UTC))
    history = studio.history()
    history.add(wanted)
    history.add_start(started(wanted, Server(host="elsewhere", pid=1, boot="b"), ago_s=ago_s))
    assert side_of(history.status(wanted.id)).phase is phase


@pytest.mark.parametrize(("ago_s", "phase"), [(700, AttemptPhase.RUNNING), (751, AttemptPhase.INTERRUPTED)])
def test_another_machines_claim_behind_a_long_queue_is_given_its_time(
    studio: StudioFixture, ago_s: float, phase: AttemptPhase
) -> None:
    history, wanted = studio.history(), comparison(mode=Mode.TONE_ONLY)
    history.add(wanted)
    claim = started(wanted, Server(host="elsewhere", pid=1, boot="b"), ago_s=ago_s)
    history.add_start(claim.model_copy(update={"waits_s": 600.0}))
    assert side_of(history.status(wanted.id)).phase is phase


@pytest.mark.parametrize(("ago_s", "phase"), [(0, AttemptPhase.QUEUED), (60, AttemptPhase.INTERRUPTED)])
def test_a_record_without_a_claim_is_about_to_start_or_was_never_started(
    studio: StudioFixture, ago_s: float, phase: AttemptPhase
) -> None:
    wanted = at(datetime.now(UTC) - timedelta(seconds=ago_s))
    studio.history().add(wanted)
    assert side_of(studio.history().status(wanted.id)).phase is phase


def test_the_newest_attempt_counts_and_the_earlier_ones_are_kept(studio: StudioFixture) -> None:
    wanted = at(NOW)
    history = studio.history()
    history.add(wanted)
    for attempt in (1, 2, 10):
        history.add_outcome(failed(wanted, attempt=attempt))
    side = side_of(history.status(wanted.id))
    assert side.attempt == 10
    assert [outcome.attempt for outcome in side.outcomes] == [1, 2, 10]


def test_an_outcome_may_be_offered_again_but_not_changed(studio: StudioFixture) -> None:
    wanted = at(NOW)
    history = studio.history()
    history.add_outcome(failed(wanted))
    history.add_outcome(failed(wanted))
    with pytest.raises(WriteConflict):
        history.add_outcome(failed(wanted, kind=EngineFault.TIMED_OUT))


@pytest.mark.parametrize("name", ["tone-only-1.json", "tone-only-1.started.json"])
def test_a_broken_attempt_is_shown_as_ended_and_can_be_retried(studio: StudioFixture, name: str) -> None:
    wanted = at(NOW)
    runner = studio.runner(PaintingEngine())
    studio.history().add(wanted)
    studio.store.put(f"{studio.history().folder_of(wanted.id)}{name}", b"{]", content_type="application/json")
    side = side_of(runner.status(wanted.id))
    assert side.attempt == 1
    if name == "tone-only-1.json":
        assert side.phase is AttemptPhase.FAILED
        runner.retry(wanted.id, TONE_ONLY)
        side = side_of(runner.wait(wanted.id))
        assert (side.attempt, side.phase) == (2, AttemptPhase.DONE)
    else:
        assert side.busy  # for half a minute it may be one of another machine's


@pytest.mark.parametrize(
    "name", ["notes.txt", "tone-only-0.json", "side-1.json", "tone-only-1.json.bak", "tone-only-.json"]
)
def test_what_else_lies_beside_a_record_is_passed_over(studio: StudioFixture, name: str) -> None:
    wanted = at(NOW)
    studio.history().add(wanted)
    studio.store.put(f"{studio.history().folder_of(wanted.id)}{name}", b"?", content_type="text/plain")
    assert side_of(studio.history().status(wanted.id)).outcomes == ()


def test_a_side_whose_process_was_killed_is_interrupted_for_the_next_one_and_can_be_retried(tmp_path: Path) -> None:
    samples = tmp_path / "library" / "refs"
    samples.mkdir(parents=True)
    wanted = str(ULID())
    command = [str(Path(__file__).with_name("slow_server.py")), str(tmp_path / "data"), str(samples), "studio/", wanted]
    told = tmp_path / "at work.txt"
    process = Fork(command, cwd=ROOT, env=os.environ, stdout=told, stderr=tmp_path / "log.txt")
    try:
        until(lambda: told.exists() and sorted(told.read_text().split()) == ["tone-angle", "tone-only"])
    finally:
        process.kill()
    process.wait(LONG_S)
    server = EmbeddedS3.open(tmp_path / "data", samples)
    studio = StudioFixture(server, "studio/")
    runner = studio.runner(PaintingEngine())
    status = runner.status(wanted)
    assert [(side.phase, side.attempt) for side in status.sides] == [(AttemptPhase.INTERRUPTED, 1)] * 2
    runner.retry(wanted, TONE_ANGLE)
    after = runner.wait(wanted)
    assert (side_of(after, TONE_ANGLE).phase, side_of(after, TONE_ANGLE).attempt) == (AttemptPhase.DONE, 2)
    assert side_of(after, TONE_ONLY).phase is AttemptPhase.INTERRUPTED
    studio.close()
    server.close()


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
keys = st.one_of(st.sampled_from(AWKWARD), texts.filter(bool))
moments = st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - as asked
slots = st.builds(
    Slot,
    id=texts,
    role=st.sampled_from(Role),
    key=st.none() | keys,
    etag=st.none() | texts,
    group=st.none() | texts,
    folder=st.none() | texts,
    wished=st.none() | texts,
    wished_from=st.none() | texts,
    why=texts,
    steps=st.just(()),
    choices=st.integers(0, 9999),
    pinned=st.booleans(),
    near=st.lists(st.builds(NearMiss, texts, texts, st.integers(0, 99)), max_size=2).map(tuple),
)
wishes = st.builds(
    Wishes,
    prompt=texts,
    mode=st.sampled_from(Mode),
    tone=st.none() | texts,
    tone_by_chance=st.booleans(),
    person=st.sampled_from(PersonWish),
    gender=st.sampled_from([None, *Gender]),
    ages=st.sampled_from([None, Ages(25, 34), Ages(0, 0)]),
    seed=st.integers(0, 2**32 - 1),
    pins=st.dictionaries(texts, keys, max_size=3),
    rerolls=st.dictionaries(texts, st.integers(0, 99), max_size=3),
    off=st.frozensets(texts, max_size=3),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(slots, max_size=3), wishes, moments, texts)
def test_every_comparison_comes_back_as_it_was_written(
    places: list[Slot], wanted: Wishes, moment: datetime, prompt: str
) -> None:
    record = comparison(
        *places,
        wishes=wanted,
        created_at=moment,
        differences=(Difference("persona", prompt, switch_off=("tone",)), Difference("strength", prompt, BALANCE)),
        replay_of=str(ULID()),
    )
    assert Comparison.from_json(record.model_dump_json(indent=1).encode()) == record


@settings(max_examples=60, deadline=None)
@given(keys, texts, moments, st.floats(0, 100), st.none() | st.floats(0, 10), st.sampled_from(EngineFault))
def test_every_outcome_comes_back_as_it_was_written(
    key: str, text: str, moment: datetime, fidelity: float, usd: float | None, kind: EngineFault
) -> None:
    outcome = Outcome(
        comparison=text,
        side=TONE_ANGLE,
        attempt=3,
        state=OutcomeState.DONE,
        started_at=moment,
        finished_at=moment,
        picture=StoredPicture(key=key, etag=text, content_type="image/png", size=SIZE, fidelity=fidelity),
        failure=Failure(kind=kind, message=text, retry_after_s=fidelity),
        cost=Cost(usd=usd, input_tokens=5),
        notes=(text, key),
    )
    assert Outcome.from_json(outcome.model_dump_json(indent=1).encode()) == outcome


def test_a_claim_comes_back_as_it_was_written() -> None:
    claim = started(at(NOW), this_server())
    assert AttemptStart.from_json(claim.model_dump_json().encode()) == claim


def test_a_record_of_a_later_version_with_more_fields_can_still_be_read() -> None:
    record = comparison()
    later = json.loads(record.model_dump_json()) | {"mood": "calm"}
    assert Comparison.from_json(json.dumps(later).encode()) == record


@pytest.mark.parametrize("data", [b"", b"null", b"[]", b"{}", b"\xff\xfe", b'{"id": 3}'])
def test_what_is_no_record_says_where_it_is_wrong(data: bytes) -> None:
    for parse in (Comparison.from_json, Outcome.from_json, AttemptStart.from_json):
        with pytest.raises(StorageError, match="cannot be read"):
            parse(data)


def test_a_size_reads_as_people_write_it() -> None:
    assert str(Size(width=1024, height=1280)) == "1024×1280"
