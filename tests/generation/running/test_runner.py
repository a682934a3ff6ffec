"""The runner owns the work: recorded before it begins, stored before it is shown, never lost, never twice."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from structlog.testing import capture_logs

from core.errors import EngineError, EngineFault, InputError, NotFound, StorageUnavailable, WriteConflict
from core.generation.engines.engine import FinalPicture, SideRequest
from core.generation.records.attempt import AttemptId
from core.generation.records.attempt_status import AttemptPhase, SideStatus
from core.generation.records.history import History
from core.generation.records.outcome import Cost, OutcomeState
from core.generation.running.runner import Runner
from core.injection.request.wishes import Mode
from core.references.vocabulary import Role
from tests.generation.breaking_proxy import BreakingProxy
from tests.generation.comparisons import (
    TONE_ANGLE,
    TONE_ONLY,
    PaintingEngine,
    PatientEngine,
    StudioFixture,
    comparison,
    png,
    side_of,
)
from tests.support.timeouts import LONG_S, until


def failure_kind(side: SideStatus) -> EngineFault:
    assert side.latest is not None
    assert side.latest.failure is not None
    return side.latest.failure.kind


def failure_message(side: SideStatus) -> str:
    assert side.latest is not None
    assert side.latest.failure is not None
    return side.latest.failure.message


def test_the_record_and_the_attempts_start_are_in_s3_before_an_engine_is_called(studio: StudioFixture) -> None:
    seen: list[set[str]] = []
    engine = PaintingEngine(lambda _: seen.append(studio.keys()))
    runner, wanted = studio.runner(engine), comparison(mode=Mode.TONE_ONLY)
    runner.submit(wanted)
    runner.wait(wanted.id)
    assert seen == [{"comparison.json", "tone-only-1.started.json"}]


def test_a_picture_is_in_s3_before_anybody_is_told_that_it_is_done(studio: StudioFixture) -> None:
    runner, wanted = studio.runner(PaintingEngine()), comparison()
    runner.submit(wanted)
    while (status := runner.status(wanted.id)).busy:
        for side in status.sides:
            if side.picture is not None:
                assert studio.store.get(side.picture.key).data == png()
    for side in status.sides:
        assert side.phase is AttemptPhase.DONE
        assert side.picture is not None
        assert studio.store.head(side.picture.key).etag == side.picture.etag
    assert studio.keys() == {"comparison.json"} | {
        f"{side}-1{end}" for side in ("tone-only", "tone-angle") for end in (".started.json", ".json", ".png")
    }


def test_an_outcome_says_what_the_engine_said(studio: StudioFixture) -> None:
    runner, wanted = studio.runner(PaintingEngine()), comparison(mode=Mode.TONE_ONLY)
    runner.submit(wanted)
    outcome = side_of(runner.wait(wanted.id)).latest
    assert outcome is not None
    assert (outcome.request_id, outcome.notes) == ("req-1", ("painted",))
    assert outcome.cost is not None
    assert outcome.cost.usd == 0.04
    assert outcome.state is OutcomeState.DONE
    assert outcome.started_at <= outcome.finished_at


def test_memory_and_s3_tell_the_same_story(studio: StudioFixture) -> None:
    runner, wanted = studio.runner(PaintingEngine()), comparison()
    runner.submit(wanted)
    here = runner.wait(wanted.id)
    there = studio.runner(PaintingEngine()).status(wanted.id)
    assert [side.outcomes for side in there.sides] == [side.outcomes for side in here.sides]
    assert there.comparison == wanted


def test_the_engine_gets_the_planned_references_in_slot_order(studio: StudioFixture) -> None:
    tone = studio.reference("tone.png", png("#ff0000"))
    person = studio.reference("person.png", png("#00ff00"), Role.MODEL)
    engine = PaintingEngine()
    runner, wanted = studio.runner(engine), comparison(tone, person, mode=Mode.TONE_ONLY)
    runner.submit(wanted)
    runner.wait(wanted.id)
    attached = engine.requests[0].references
    assert [(ref.role, ref.key, ref.data) for ref in attached] == [
        (Role.TONE, tone.key, png("#ff0000")),
        (Role.MODEL, person.key, png("#00ff00")),
    ]
    assert (engine.requests[0].prompt, engine.requests[0].seed, engine.requests[0].deadline_s) == ("a portrait", 7, 60)


def test_tone_fidelity_is_recorded_when_a_tone_went_in(studio: StudioFixture) -> None:
    same = studio.reference("same.png", png())
    runner = studio.runner(PaintingEngine())
    with_tone, without = comparison(same, mode=Mode.TONE_ONLY), comparison(mode=Mode.TONE_ONLY)
    runner.submit(with_tone)
    runner.submit(without)
    scored, unscored = side_of(runner.wait(with_tone.id)).picture, side_of(runner.wait(without.id)).picture
    assert scored is not None
    assert scored.fidelity == 100.0
    assert unscored is not None
    assert unscored.fidelity is None


def test_both_sides_run_at_the_same_time(studio: StudioFixture) -> None:
    both_are_here = threading.Barrier(2)
    runner = studio.runner(PaintingEngine(lambda _: both_are_here.wait(LONG_S) and None))
    wanted = comparison()
    runner.submit(wanted)
    assert all(side.phase is AttemptPhase.DONE for side in runner.wait(wanted.id).sides)


def test_one_sides_failure_leaves_the_other_alone(studio: StudioFixture) -> None:
    def refuse_the_angle(request: SideRequest) -> None:
        if request.side is TONE_ANGLE:
            raise EngineError("Refused: choose other words.", kind=EngineFault.REFUSED, request_id="req-9")

    runner, wanted = studio.runner(PaintingEngine(refuse_the_angle)), comparison()
    runner.submit(wanted)
    status = runner.wait(wanted.id)
    assert side_of(status, TONE_ONLY).phase is AttemptPhase.DONE
    failed = side_of(status, TONE_ANGLE)
    assert failed.phase is AttemptPhase.FAILED
    assert failed.latest is not None
    assert failed.latest.request_id == "req-9"
    assert (failure_kind(failed), failure_message(failed)) == (EngineFault.REFUSED, "Refused: choose other words.")


def test_a_retry_runs_that_side_only_and_keeps_the_first_attempt(studio: StudioFixture) -> None:
    fails_once = iter([True])

    def fail_the_first_angle(request: SideRequest) -> None:
        if request.side is TONE_ANGLE and next(fails_once, False):
            raise EngineError("Too many at once.", kind=EngineFault.RATE_LIMITED, retry_after_s=3)

    engine = PaintingEngine(fail_the_first_angle)
    runner, wanted = studio.runner(engine), comparison()
    runner.submit(wanted)
    before = runner.wait(wanted.id)
    first = studio.store.get(f"{studio.history().folder_of(wanted.id)}tone-angle-1.json")
    runner.retry(wanted.id, TONE_ANGLE)
    after = runner.wait(wanted.id)
    assert len(engine.requests) == 3
    kept, found = side_of(before, TONE_ONLY), side_of(after, TONE_ONLY)  # from memory, or from S3 if it ended meanwhile
    assert (found.attempt, found.phase, found.outcomes) == (kept.attempt, kept.phase, kept.outcomes)
    again = side_of(after, TONE_ANGLE)
    assert (again.attempt, again.phase) == (2, AttemptPhase.DONE)
    assert [outcome.state for outcome in again.outcomes] == [OutcomeState.FAILED, OutcomeState.DONE]
    assert studio.store.get(first.key).data == first.data


def test_a_retry_of_a_finished_side_adds_a_picture_and_overwrites_none(studio: StudioFixture) -> None:
    runner, wanted = studio.runner(PaintingEngine()), comparison(mode=Mode.TONE_ONLY)
    runner.submit(wanted)
    first = side_of(runner.wait(wanted.id)).picture
    runner.retry(wanted.id, TONE_ONLY)
    second = side_of(runner.wait(wanted.id)).picture
    assert first is not None
    assert second is not None
    assert (first.key.rsplit("/", 1)[-1], second.key.rsplit("/", 1)[-1]) == ("tone-only-1.png", "tone-only-2.png")
    assert studio.store.head(first.key).etag == first.etag


def test_a_side_at_work_cannot_be_retried(studio: StudioFixture) -> None:
    engine = PatientEngine()
    runner, wanted = studio.runner(engine), comparison(mode=Mode.TONE_ONLY)
    runner.submit(wanted)
    assert engine.started.wait(LONG_S)
    with pytest.raises(InputError, match="still at work"):
        runner.retry(wanted.id, TONE_ONLY)
    engine.let_go.set()
    assert side_of(runner.wait(wanted.id)).attempt == 1


def test_the_same_comparison_submitted_twice_runs_once(studio: StudioFixture) -> None:
    engine = PaintingEngine()
    runner, other_tab, wanted = studio.runner(engine), studio.runner(engine), comparison()
    with ThreadPoolExecutor(4) as clicks:
        for runs_it in (runner, other_tab, runner, other_tab):
            clicks.submit(runs_it.submit, wanted)
    until(lambda: not runner.status(wanted.id).busy and not other_tab.status(wanted.id).busy)
    assert sorted(request.side for request in engine.requests) == [TONE_ANGLE, TONE_ONLY]


def test_of_two_servers_that_retry_at_once_one_wins_and_the_other_is_told(studio: StudioFixture) -> None:
    def refuse(_: SideRequest) -> None:
        raise EngineError("Refused.", kind=EngineFault.REFUSED)

    wanted = comparison(mode=Mode.TONE_ONLY)
    first = studio.runner(PaintingEngine(refuse))
    first.submit(wanted)
    first.wait(wanted.id)
    engine = PatientEngine()
    servers = [studio.runner(engine) for _ in range(4)]
    at_once = threading.Barrier(len(servers))

    def retry(runner: Runner) -> str | None:
        at_once.wait(LONG_S)
        try:
            runner.retry(wanted.id, TONE_ONLY)
        except InputError as err:
            return err.message
        return None

    with ThreadPoolExecutor(len(servers)) as people:
        told = list(people.map(retry, servers))
    engine.let_go.set()
    assert told.count(None) == 1
    assert {message for message in told if message} <= {
        "Somebody else has just started this side: it will show up here.",
        "This side is still at work: wait for it, or cancel it first.",
    }
    until(lambda: not servers[0].status(wanted.id).busy)
    assert side_of(first.status(wanted.id)).attempt == 2


def test_a_double_click_on_retry_starts_one_attempt(studio: StudioFixture) -> None:
    engine = PatientEngine()
    engine.let_go.set()
    runner, wanted = studio.runner(engine), comparison(mode=Mode.TONE_ONLY)
    runner.submit(wanted)
    runner.wait(wanted.id)
    engine.let_go.clear()
    refused = []

    def click(_: int) -> None:
        try:
            runner.retry(wanted.id, TONE_ONLY)
        except InputError as err:
            refused.append(err)

    with ThreadPoolExecutor(6) as clicks:
        list(clicks.map(click, range(6)))
    engine.let_go.set()
    assert len(refused) == 5
    assert side_of(runner.wait(wanted.id)).attempt == 2


def test_what_waits_knows_how_many_are_ahead(studio: StudioFixture) -> None:
    engine = PatientEngine()
    runner = studio.runner(engine, concurrency=1)
    running, second, third = (comparison(mode=Mode.TONE_ONLY) for _ in range(3))
    for wanted in (running, second, third):
        runner.submit(wanted)
    assert engine.started.wait(LONG_S)
    sides = [side_of(runner.status(wanted.id)) for wanted in (running, second, third)]
    assert [(side.phase, side.ahead) for side in sides] == [
        (AttemptPhase.RUNNING, 0),
        (AttemptPhase.QUEUED, 0),
        (AttemptPhase.QUEUED, 1),
    ]
    engine.let_go.set()
    statuses = [runner.wait(wanted.id) for wanted in (running, second, third)]
    assert [status.comparison.id for status in runner.statuses([third.id, running.id])] == [third.id, running.id]
    starts = [side.latest.started_at for status in statuses for side in status.sides if side.latest]
    assert starts == sorted(starts)


def test_cancelling_what_waits_ends_it_at_once_and_no_engine_hears_of_it(studio: StudioFixture) -> None:
    engine = PatientEngine()
    runner = studio.runner(engine, concurrency=1)
    running, waiting = comparison(mode=Mode.TONE_ONLY), comparison(mode=Mode.TONE_ONLY)
    runner.submit(running)
    runner.submit(waiting)
    assert engine.started.wait(LONG_S)
    runner.cancel(waiting.id, TONE_ONLY, person="kim@studio")
    assert side_of(runner.status(waiting.id)).phase is AttemptPhase.CANCELLED
    assert side_of(studio.history().status(waiting.id)).phase is AttemptPhase.CANCELLED
    assert side_of(runner.status(running.id)).phase is AttemptPhase.RUNNING
    engine.let_go.set()
    runner.wait(running.id)
    assert side_of(runner.status(waiting.id)).phase is AttemptPhase.CANCELLED


def test_cancelling_what_runs_stops_its_engine_and_keeps_the_request_id(studio: StudioFixture) -> None:
    engine = PatientEngine()
    runner, wanted = studio.runner(engine), comparison(mode=Mode.TONE_ONLY)
    runner.submit(wanted)
    assert engine.started.wait(LONG_S)
    runner.cancel(wanted.id, TONE_ONLY, person="kim@studio")
    side = side_of(runner.wait(wanted.id))
    assert side.phase is AttemptPhase.CANCELLED
    assert side.latest is not None
    assert side.latest.request_id == "req-late"
    runner.cancel(wanted.id, TONE_ONLY, person="kim@studio")  # once more changes nothing
    runner.retry(wanted.id, TONE_ONLY)
    engine.let_go.set()
    assert side_of(runner.wait(wanted.id)).phase is AttemptPhase.DONE


def test_a_partial_picture_is_handed_out_while_the_side_runs(studio: StudioFixture) -> None:
    engine = PatientEngine()
    runner, wanted = studio.runner(engine), comparison(mode=Mode.TONE_ONLY)
    runner.submit(wanted)
    assert engine.started.wait(LONG_S)
    partial = runner.partial(wanted.id, TONE_ONLY)
    assert partial is not None
    assert side_of(runner.status(wanted.id)).progress == partial.progress == 0.25
    assert runner.partial(wanted.id, TONE_ANGLE) is None
    engine.let_go.set()
    runner.wait(wanted.id)


def test_an_engine_that_crashes_fails_its_side_with_an_incident_that_the_log_explains(studio: StudioFixture) -> None:
    def crash(_: SideRequest) -> None:
        raise ZeroDivisionError("nobody expected this")

    runner, wanted = studio.runner(PaintingEngine(crash)), comparison(mode=Mode.TONE_ONLY)
    with capture_logs() as log:
        runner.submit(wanted)
        side = side_of(runner.wait(wanted.id))
    (line,) = [line for line in log if line["event"] == "engine_crashed"]
    assert failure_kind(side) is EngineFault.UNAVAILABLE
    assert line["incident"] in failure_message(side)
    assert "nobody expected" not in failure_message(side)
    assert line["comparison"] == wanted.id


def test_an_engine_that_ends_without_a_picture_fails_its_side(studio: StudioFixture) -> None:
    class SilentEngine(PaintingEngine):
        def generate(self, *_args: object) -> object:  # type: ignore[override]  # keeps less than it promises
            return iter(())

    runner, wanted = studio.runner(SilentEngine()), comparison(mode=Mode.TONE_ONLY)
    runner.submit(wanted)
    assert "without a picture" in failure_message(side_of(runner.wait(wanted.id)))


def test_a_reference_that_has_left_s3_is_named_and_nothing_is_sent(studio: StudioFixture) -> None:
    gone = studio.reference("떠난 사진 (2).png", png())
    studio.store.delete(gone.key or "")
    engine = PaintingEngine()
    runner, wanted = studio.runner(engine), comparison(gone, mode=Mode.TONE_ONLY)
    runner.submit(wanted)
    side = side_of(runner.wait(wanted.id))
    assert failure_kind(side) is EngineFault.BAD_REQUEST
    assert f"`{gone.key}` has left S3" in failure_message(side)
    assert engine.requests == []


def test_a_reference_that_has_changed_is_named_and_nothing_is_sent(studio: StudioFixture) -> None:
    planned = studio.reference("changed.png", png("#111111"))
    studio.reference("changed.png", png("#eeeeee"))
    engine = PaintingEngine()
    runner, wanted = studio.runner(engine), comparison(planned, mode=Mode.TONE_ONLY)
    runner.submit(wanted)
    side = side_of(runner.wait(wanted.id))
    assert failure_kind(side) is EngineFault.BAD_REQUEST
    assert f"`{planned.key}` has changed" in failure_message(side)
    assert engine.requests == []


def test_an_engine_nobody_has_is_refused_before_anything_is_written(studio: StudioFixture) -> None:
    runner = studio.runner(PaintingEngine())
    with pytest.raises(InputError, match="no engine `magic`"):
        runner.submit(comparison(engine="magic"))
    assert studio.keys() == set()


def test_a_comparison_nobody_made_is_not_found(studio: StudioFixture) -> None:
    runner = studio.runner(PaintingEngine())
    for call in (runner.status, lambda name: runner.retry(name, TONE_ONLY)):
        with pytest.raises(NotFound):
            call(comparison().id)


@pytest.mark.parametrize("cut", ["before the write arrives", "after the write arrived"])
@pytest.mark.parametrize("of", [".png", "tone-only-1.json"])
def test_s3_away_for_a_while_when_a_picture_is_done_loses_nothing(studio: StudioFixture, cut: str, of: str) -> None:
    with BreakingProxy(studio.s3.endpoint_url) as proxy:
        store = studio.store_at(proxy.url, connect_timeout_s=1, read_timeout_s=2, attempts=1)
        proxy.cut_at(f"PUT .*{of}", answered=cut == "after the write arrived")
        runner, wanted = studio.runner(PaintingEngine(), store=store), comparison(mode=Mode.TONE_ONLY)
        runner.submit(wanted)
        assert proxy.was_cut.wait(LONG_S)
        assert side_of(runner.status(wanted.id)).busy
        proxy.mend()
        side = side_of(runner.wait(wanted.id))
        assert side.phase is AttemptPhase.DONE
        assert side_of(studio.history().status(wanted.id)).outcomes == side.outcomes
        assert side.picture is not None
        assert studio.store.get(side.picture.key).data == png()


def test_a_claim_whose_answer_was_lost_does_not_spin_for_ever(studio: StudioFixture) -> None:
    with BreakingProxy(studio.s3.endpoint_url) as proxy:
        store = studio.store_at(proxy.url, connect_timeout_s=1, read_timeout_s=2, attempts=1)
        proxy.cut_at(r"PUT .*started\.json", answered=True)
        engine = PaintingEngine()
        runner, wanted = studio.runner(engine, store=store), comparison(mode=Mode.TONE_ONLY)
        with pytest.raises(StorageUnavailable):
            runner.submit(wanted)
        proxy.mend()
        assert engine.requests == []
        assert side_of(runner.status(wanted.id)).phase is AttemptPhase.INTERRUPTED
        runner.retry(wanted.id, TONE_ONLY)
        side = side_of(runner.wait(wanted.id))
        assert (side.phase, side.attempt) == (AttemptPhase.DONE, 2)


def test_an_outcome_that_s3_never_took_is_offered_again_with_the_next(
    studio: StudioFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.generation.running.outcome_writer._STORE_PATIENCE_S", 0.0)
    with BreakingProxy(studio.s3.endpoint_url) as proxy:
        store = studio.store_at(proxy.url, connect_timeout_s=1, read_timeout_s=2, attempts=1)
        proxy.cut_at("PUT .*tone-only-1.json", answered=False)
        runner = studio.runner(PaintingEngine(), store=store)
        unlucky, next_one = comparison(mode=Mode.TONE_ONLY), comparison()
        runner.submit(unlucky)
        assert side_of(runner.wait(unlucky.id)).phase is AttemptPhase.DONE  # shown, though only memory knows
        assert not any(key.endswith("/tone-only-1.json") for key in full_keys(studio))
        proxy.mend()
        runner.submit(next_one)
        runner.wait(next_one.id)
        until(lambda: f"{unlucky.id}/tone-only-1.json" in {"/".join(key.split("/")[-2:]) for key in full_keys(studio)})
        assert side_of(studio.history().status(unlucky.id)).phase is AttemptPhase.DONE


def full_keys(studio: StudioFixture) -> list[str]:
    return [row.key for row in studio.store.list(f"{studio.prefix}generations/")]


def test_closing_marks_what_runs_and_what_waits_as_interrupted(studio: StudioFixture) -> None:
    engine = PatientEngine()
    runner = studio.runner(engine, concurrency=1)
    running, waiting = comparison(mode=Mode.TONE_ONLY), comparison(mode=Mode.TONE_ONLY)
    runner.submit(running)
    runner.submit(waiting)
    assert engine.started.wait(LONG_S)
    runner.close()
    after = studio.runner(PaintingEngine())
    for wanted in (running, waiting):
        side = side_of(after.status(wanted.id))
        assert side.phase is AttemptPhase.INTERRUPTED
        assert failure_kind(side) is EngineFault.INTERRUPTED
        after.retry(wanted.id, TONE_ONLY)
        assert side_of(after.wait(wanted.id)).phase is AttemptPhase.DONE


def test_a_closed_runner_takes_no_more_work_and_says_so(studio: StudioFixture) -> None:
    runner = studio.runner(PaintingEngine())
    runner.close()
    with pytest.raises(EngineError, match="stopping"):
        runner.submit(comparison())
    assert studio.keys() == set()


def test_an_ended_comparison_leaves_memory(studio: StudioFixture) -> None:
    runner, wanted = studio.runner(PaintingEngine()), comparison()
    runner.submit(wanted)
    runner.wait(wanted.id)
    until(lambda: runner.partial(wanted.id, TONE_ONLY) is None)


def test_a_foreign_picture_under_an_attempts_name_is_never_taken_for_ours(studio: StudioFixture) -> None:
    history: History = studio.history()
    wanted = comparison(mode=Mode.TONE_ONLY)
    studio.store.put(f"{history.folder_of(wanted.id)}tone-only-1.png", b"theirs", content_type="image/png")
    with pytest.raises(WriteConflict):
        history.add_picture(AttemptId(wanted.id, TONE_ONLY, 1), png())


def test_what_was_made_is_kept_when_the_cancel_comes_too_late(studio: StudioFixture) -> None:
    begun, too_late = threading.Event(), threading.Event()

    class StubbornEngine(PaintingEngine):
        def generate(self, request: SideRequest, _cancelled: object) -> object:  # type: ignore[override]
            begun.set()
            too_late.wait(LONG_S)
            yield FinalPicture(png(), request.size, Cost(usd=0.04))

    runner, wanted = studio.runner(StubbornEngine()), comparison(mode=Mode.TONE_ONLY)
    runner.submit(wanted)
    assert begun.wait(LONG_S)
    runner.cancel(wanted.id, TONE_ONLY, person="kim@studio")
    too_late.set()
    assert side_of(runner.wait(wanted.id)).phase is AttemptPhase.DONE
