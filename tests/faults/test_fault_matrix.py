"""The fault matrix: no record lost, no finished picture lost, nothing charged twice, no side that never ends."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from functools import partial

import pytest

from core.injection.request.wishes import Mode
from tests.fakes.openai_server import Fault, Moment
from tests.faults.harness import ANGLES, TONES, Cell, FaultHarness, all_at_once
from tests.faults.matrix import (
    DELIVERS,
    DOCUMENT,
    FAILS,
    HANGS,
    ONE_TAKE,
    PLACES,
    SIDES,
    TAKES,
    WRITE,
    A,
    B,
    EngineCase,
    Row,
    State,
    document,
)
from tests.faults.proxy import Does, FaultProxy, Rule
from tests.faults.servers import Refused, Server, Servers, servers, until
from tests.support.timeouts import LONG_S

LIVE = (Moment.RECEIVED, Moment.PARTIAL)
# A server that takes no request of S3 that is held for a failed one, however slow the machine is.
PATIENT = (str(10 * LONG_S), str(LONG_S))


def slug(*words: str) -> str:
    return "-".join("".join(char if char.isalnum() else "_" for char in word) for word in words)


@pytest.fixture(scope="module")
def server(studio: Servers) -> Server:
    """A server that outlives its cells."""
    return studio.start()


@pytest.fixture(scope="module")
def impatient(studio: Servers) -> Server:
    """A server that gives an engine 12 s, and an S3 that does not take a picture 1 s."""
    return studio.start("1", GENERATION_DEADLINE_S="12")


def check_end(harness: FaultHarness, cell: Cell, case: EngineCase, ended: dict[str, dict]) -> str:
    """What a person finds on the sides that the fault hit; the others are as if it had not been."""
    for side in cell.spared:
        assert ended[side]["phase"] == "done", (cell.name, ended[side])
        harness.check_picture(ended[side])
    for side in cell.hit:
        found = ended[side]
        (outcome,) = found["outcomes"]
        (call,) = harness.calls(cell, side)
        if case.ends == "done":
            halved = case.behaviour.fault is Fault.WRONG_SIZE
            harness.check_picture(found, size=(512, 320) if halved else (1024, 640))
            assert bool(outcome["notes"]) == (case.name in NOTED)
            assert outcome["request_id"] == call.request_id
            continue
        assert (found["phase"], outcome["failure"]["kind"]) == ("failed", case.ends), (cell.name, outcome)
        assert outcome["failure"]["request_id"] == (call.request_id if case.has_request_id else None)
        assert (outcome["cost"] is not None) == call.billed
    for side in cell.sides:
        assert harness.billed(cell, side) <= 1
    if case.ends == "done":
        return "done"
    return f"failed: {case.ends.replace('_', ' ')}{', with its request id' if case.has_request_id else ''}"


NOTED = ("another size than asked", "another format", "another quality")


class TestTheEngineFails:
    """Each fault on each side, with the page opened anew at each moment."""

    def live(self, harness: FaultHarness, server: Server, case: EngineCase, place: str) -> None:
        cell = Cell(slug("live", case.name, place), place, behaviour=case.behaviour, holds=LIVE, everywhere=True)
        cell.case = case
        harness.order(server, cell)
        harness.refresh(server, cell)
        cell.reach(Moment.RECEIVED)
        harness.refresh(server, cell)
        assert all(side["phase"] == "running" for side in cell.told[-1].values())
        cell.open(Moment.RECEIVED)
        for side in cell.spared if not case.holds_at_partial else cell.sides:
            cell.latches[side][Moment.PARTIAL].wait_for()
        harness.refresh(server, cell)
        cell.open(Moment.PARTIAL)
        ended = server.ended(cell.id)
        harness.refresh(server, cell)
        assert {side: told["phase"] for side, told in cell.told[-1].items()} == {
            side: told["phase"] for side, told in ended.items()
        }
        harness.live.append(cell)
        harness.rows.append(Row("engine", case.name, place, check_end(harness, cell, case, ended)))

    def test_every_fault_ends_its_own_side_alone_and_no_refresh_loses_anything(
        self, harness: FaultHarness, server: Server
    ) -> None:
        cases = [(case, place) for case in (*DELIVERS, *FAILS) for place in (*SIDES, *ONE_TAKE)]
        all_at_once([partial(self.live, harness, server, case, place) for case, place in cases])

    def test_a_call_that_never_ends_is_ended_at_the_deadline(self, harness: FaultHarness, impatient: Server) -> None:
        cases = [(case, place) for case in HANGS for place in (*SIDES, *ONE_TAKE)]
        all_at_once([partial(self.live, harness, impatient, case, place) for case, place in cases])

    def test_a_closed_port_charges_nothing_and_spares_the_side_that_got_through(
        self, harness: FaultHarness, studio: Servers
    ) -> None:
        authenticator = FaultProxy(harness.fake.base_url)
        behind_it = studio.start(*PATIENT, OPENAI_BASE_URL=authenticator.url)
        for place, angle in zip(SIDES, ANGLES[2:5], strict=True):
            held = harness.proxy.rule(f"(GET|HEAD) .*/03. Angle/{angle}/")
            cell = Cell(slug("closed", place), place, angle=angle)
            if place != "B":
                authenticator.shut()
            harness.order(behind_it, cell)
            behind_it.ended(cell.id, A)
            authenticator.shut() if place == "B" else None
            if place == "A":
                authenticator.reopen()
            harness.proxy.lift(held)
            ended = behind_it.ended(cell.id)
            for side in cell.hit:
                failure = ended[side]["outcomes"][0]["failure"]
                assert failure["kind"] == "unavailable"
                assert "nothing was sent or charged" in failure["message"]
                assert ended[side]["outcomes"][0]["cost"] is None
                assert harness.calls(cell, side) == []
            for side in cell.spared:
                harness.check_picture(ended[side])
            if place != "A":
                authenticator.reopen()
            for side in cell.hit:
                assert harness.retry(behind_it, cell, side)["phase"] == "done"
            harness.rows.append(Row("engine", "connection refused", place, "failed: unavailable"))
        behind_it.kill()


class TestS3Fails:
    """S3 does not take what is written, loses its answer, or stays away."""

    def held(self, harness: FaultHarness, server: Server, name: str, place: str) -> Cell:
        """A comparison whose sides wait at the engine."""
        cell = Cell(slug("s3", name, place), place, holds=(Moment.RECEIVED,), everywhere=True)
        harness.order(server, cell)
        cell.reach(Moment.RECEIVED)
        return cell

    def passing(self, harness: FaultHarness, server: Server, what: str, does: Does, times: int, place: str) -> None:
        name = f"{'the answer to' if does is Does.LOSE_THE_ANSWER else 'S3 refuses'} the {what[0]}"
        name += " is lost" if does is Does.LOSE_THE_ANSWER else " for a while"
        cell = self.held(harness, server, name, place)
        for side in cell.hit:
            harness.proxy.rule(f"PUT .*/{cell.id}/{side}-1{what[1]}$", does, times=times)
        cell.open_all()
        ended = server.ended(cell.id)
        harness.refresh(server, cell)
        for side in cell.sides:
            assert ended[side]["phase"] == "done"
            harness.check_picture(ended[side])
            assert harness.billed(cell, side) == 1
            assert f"{side}-1.json" in harness.names(cell)
        harness.rows.append(Row("s3", name, place, "done"))

    def test_what_passes_costs_nothing(self, harness: FaultHarness, server: Server) -> None:
        whats = (("picture", r"\.png"), ("outcome", r"\.json"))
        doings = ((Does.REFUSE, 4), (Does.LOSE_THE_ANSWER, 1))
        work = [
            partial(self.passing, harness, server, what, does, times, place)
            for what in whats
            for does, times in doings
            for place in (*SIDES, *ONE_TAKE)
        ]
        all_at_once(work)

    def lasting(self, harness: FaultHarness, impatient: Server, what: tuple[str, str], place: str) -> None:
        name = f"S3 stays away while the {what[0]} is written"
        cell = self.held(harness, impatient, name, place)
        rules = [harness.proxy.rule(f"PUT .*/{cell.id}/{side}-1{what[1]}$", Does.REFUSE) for side in cell.hit]
        cell.open_all()
        ended = impatient.ended(cell.id)
        harness.refresh(impatient, cell)
        for side in cell.spared:
            harness.check_picture(ended[side])
        for rule in rules:
            harness.proxy.lift(rule)
        for side in cell.hit:
            if what[0] == "picture":
                assert "kept on this server" in ended[side]["outcomes"][0]["failure"]["message"]
            found = harness.retry(impatient, cell, side) if what[0] == "picture" else ended[side]
            assert (found["phase"], found["attempt"]) == ("done", 1)
            harness.check_picture(found)
            assert harness.billed(cell, side) == 1
        found = "failed, and kept: Retry stores it, nothing is paid twice" if what[0] == "picture" else "done"
        harness.rows.append(Row("s3", name, place, found))

    def test_a_picture_that_s3_does_not_take_is_kept_and_stored_by_retry_without_another_call(
        self, harness: FaultHarness, impatient: Server
    ) -> None:
        all_at_once([partial(self.lasting, harness, impatient, ("picture", r"\.png"), place) for place in PLACES])

    def test_an_outcome_that_s3_does_not_take_is_shown_and_written_later(
        self, harness: FaultHarness, impatient: Server
    ) -> None:
        all_at_once([partial(self.lasting, harness, impatient, ("outcome", r"\.json"), place) for place in PLACES])
        after = Cell("s3-after")
        harness.order(impatient, after)
        impatient.ended(after.id)
        until(lambda: harness.attempts_with(".png") <= harness.attempts_with(".json"))

    def test_an_order_that_cannot_be_recorded_says_so_and_sends_nothing(
        self, harness: FaultHarness, impatient: Server
    ) -> None:
        rule = harness.proxy.rule(r"PUT .*/comparison\.json$", Does.REFUSE)
        cell = Cell("s3-unrecorded")
        with pytest.raises(Refused, match="fault"):
            harness.order(impatient, cell)
        harness.proxy.lift(rule)
        assert harness.calls(cell, A) == harness.calls(cell, B) == []
        harness.order(impatient, cell)
        assert {side["phase"] for side in impatient.ended(cell.id).values()} == {"done"}
        harness.rows.append(Row("s3", "S3 refuses the record", "both", "the order is refused; nothing is sent"))

    @pytest.mark.parametrize("place", ["A", "B", *ONE_TAKE])
    def test_a_side_that_cannot_be_claimed_is_interrupted_at_once(
        self, harness: FaultHarness, impatient: Server, place: str
    ) -> None:
        (side,) = PLACES[place]
        rule = harness.proxy.rule(rf"PUT .*/{side}-1\.started\.json$", Does.REFUSE)
        cell = Cell(slug("s3-unclaimed", place), place)
        with pytest.raises(Refused, match="fault"):
            harness.order(impatient, cell)
        harness.proxy.lift(rule)
        cell.id = rule.lines[0].split("/")[-2]
        harness.ordered.append(cell)
        ended = impatient.ended(cell.id)
        assert ended[side]["phase"] == "interrupted"
        assert harness.calls(cell, side) == []
        for each in cell.sides:
            if ended[each]["phase"] == "interrupted":
                assert harness.retry(impatient, cell, each)["phase"] == "done"
            assert harness.billed(cell, each) == 1
        harness.rows.append(Row("s3", "S3 refuses the claim", place, "interrupted, nothing is sent"))


class TestKill:
    """`kill -9` of the server, at exactly each state."""

    def test_every_side_survives_a_kill_at_every_state(self, harness: FaultHarness, studio: Servers) -> None:
        dying = studio.start(*PATIENT)
        cells = [
            (state, Cell(slug("kill", state, place), place))
            for state in (*STEADY, *LATE, *MOMENTARY)
            for place in PLACES
            if (state, place) not in IMPOSSIBLE
        ]
        for together in (STEADY, LATE):
            all_at_once([partial(FREEZE[state], harness, dying, cell) for state, cell in cells if state in together])
        for state, cell in cells:
            if state in MOMENTARY:
                FREEZE[state](harness, dying, cell)
        before = {cell.name: harness.names(cell) for _, cell in cells if cell.id}
        dying.kill()
        harness.proxy.drop_all()
        after = studio.start()
        all_at_once([partial(self.revived, harness, after, state, cell, before) for state, cell in cells])
        after.kill()

    def revived(
        self, harness: FaultHarness, server: Server, state: State, cell: Cell, before: dict[str, dict[str, bytes]]
    ) -> None:
        harness.heal(cell)
        cell.open_all()
        if state is State.UNRECORDED:
            assert harness.calls(cell, A) == harness.calls(cell, B) == []
            harness.order(server, cell)
            assert {side["phase"] for side in server.ended(cell.id).values()} == {"done"}
            harness.rows.append(Row("kill", state, cell.place, "nothing was sent; ordering again makes it"))
            return
        kept = state in (State.COMPLETE, State.STORED, State.RECORDED)
        ended = server.ended(cell.id)
        assert before[cell.name].items() <= harness.names(cell).items()
        for side in cell.hit:
            assert ended[side]["phase"] == ("done" if kept else "interrupted"), (cell.name, ended[side])
            assert harness.billed(cell, side) == int(state not in (State.UNCLAIMED, State.CLAIMED))
            if kept:
                harness.check_picture(ended[side])
                # Its outcome lies on the server's disk, and tells what the picture cost once it is in S3.
                until(lambda side=side: server.sides(cell.id)[side]["outcomes"][-1]["cost"]["usd"] is not None)
                continue
            again = harness.retry(server, cell, side)
            assert again["phase"] == "done", (cell.name, again)
            harness.check_picture(again)
        for side in cell.spared:
            assert ended[side]["phase"] == "done"
            assert harness.billed(cell, side) == 1
        harness.rows.append(Row("kill", state, cell.place, "done" if kept else "interrupted, with Retry"))

    @pytest.mark.parametrize("half", [0, 1])
    def test_a_failure_that_is_not_written_down_is_an_interruption(
        self, harness: FaultHarness, studio: Servers, half: int
    ) -> None:
        dying = studio.start(*PATIENT)
        cells = [
            Cell(slug("after", case.name, place), place, behaviour=case.behaviour, holds=(Moment.RECEIVED,), case=case)
            for case in FAILS[half::2]
            for place in SIDES
        ]
        all_at_once([partial(freeze_write(r"\.json"), harness, dying, cell) for cell in cells])
        dying.kill()
        harness.proxy.drop_all()
        after = studio.start()

        def revived(cell: Cell) -> None:
            ended = after.ended(cell.id)
            assert {ended[side]["phase"] for side in cell.hit} == {"interrupted"}
            for side in cell.spared:
                assert ended[side]["phase"] == "done"
                assert harness.billed(cell, side) == 1
            for side in cell.hit:
                (call,) = harness.calls(cell, side)
                harness.untold.add(call.request_id)
                assert harness.retry(after, cell, side)["phase"] == "done"
                assert harness.billed(cell, side) == call.billed + 1
            name = cell.case.name if cell.case else ""
            harness.rows.append(Row("kill after", name, cell.place, "interrupted, with Retry"))

        all_at_once([partial(revived, cell) for cell in cells])
        after.kill()

    def test_what_was_written_down_is_told_again_by_the_next_server(
        self, harness: FaultHarness, server: Server, studio: Servers
    ) -> None:
        server.kill()
        after = studio.start()

        def revived(cell: Cell) -> None:
            assert after.sides(cell.id).keys() == cell.told[-1].keys()
            for side, found in after.sides(cell.id).items():
                assert (found["phase"], found["outcomes"]) == (
                    cell.told[-1][side]["phase"],
                    cell.told[-1][side]["outcomes"],
                )
            name = f"{cell.case.name if cell.case else ''}, written down"
            harness.rows.append(Row("kill after", name, cell.place, "as before the kill"))

        all_at_once([partial(revived, cell) for cell in harness.live])
        after.kill()

    def test_the_embedded_s3_dies_with_its_server_and_loses_nothing(
        self, harness: FaultHarness, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        settings = {
            "DEMO_TOKEN": "off",
            "OPENAI_API_KEY": "sk-fake",
            "OPENAI_BASE_URL": harness.fake.base_url,
            "OPENAI_STREAMING": "on",
        }
        with servers(tmp_path_factory.mktemp("embedded"), settings | {"GENERATION_CONCURRENCY": "16"}) as embedded:
            dying = embedded.start()
            cells = [
                (state, Cell(slug("embedded", state, place), place, tone="noir", angle="low-angle"))
                for state in (State.CALLED, State.STREAMING, State.RECORDED)
                for place in SIDES
            ]
            for state, cell in cells:
                FREEZE[state](harness, dying, cell)
            dying.kill()
            after = embedded.start()
            for state, cell in cells:
                harness.heal(cell)
                cell.open_all()
                ended = after.ended(cell.id)
                for side in cell.sides:
                    survives = state is State.RECORDED or side in cell.spared
                    assert ended[side]["phase"] == ("done" if survives else "interrupted")
                    if not survives:
                        assert harness.retry(after, cell, side)["phase"] == "done"
                    assert harness.billed(cell, side) == (1 if survives else 2)
                found = "done" if state is State.RECORDED else "interrupted, with Retry"
                harness.rows.append(Row("embedded", state, cell.place, found))
                harness.elsewhere(cell)


def hold_write(harness: FaultHarness, cell: Cell, side: str, ending: str) -> Rule:
    return harness.proxy.rule(f"PUT .*/{cell.id}/{side}-1{ending}$")


def freeze_unrecorded(harness: FaultHarness, server: Server, cell: Cell) -> None:
    rule = harness.proxy.rule(r"PUT .*/comparison\.json$", times=1)
    order_in_vain(harness, server, cell)
    hold_on(harness, rule)


def hold_on(harness: FaultHarness, rule: Rule) -> None:
    """Wait for the one request of a rule; its repetitions, after a time-out, are held as well."""
    rule.latch.wait_for()
    harness.proxy.rule(re.escape(rule.lines[0]))


def freeze_unclaimed(harness: FaultHarness, server: Server, cell: Cell) -> None:
    rule = harness.proxy.rule(rf"PUT .*/{cell.hit[0]}-1\.started\.json$", times=1)
    order_in_vain(harness, server, cell)
    hold_on(harness, rule)
    cell.id = rule.lines[0].split("/")[-2]
    harness.ordered.append(cell)
    for side in cell.spared:
        server.ended(cell.id, side)


def order_in_vain(harness: FaultHarness, server: Server, cell: Cell) -> None:
    """Press Generate on a server that will die before it answers."""

    def press() -> None:
        try:
            harness.order(server, cell)
        except (OSError, Refused):
            return

    threading.Thread(target=press, daemon=True).start()


def freeze_claimed(harness: FaultHarness, server: Server, cell: Cell) -> None:
    if cell.place == "A":
        cell.mode, cell.tone = Mode.TONE_ONLY, TONES[1]
    elif cell.place == "B":
        cell.angle = ANGLES[1]
    else:
        cell.tone = TONES[2]
    held = f"02. Tone/a\\({cell.tone}\\)" if cell.place != "B" else f"03. Angle/{cell.angle}"
    rule = harness.proxy.rule(f"(GET|HEAD) .*/{held}/")
    harness.order(server, cell)
    rule.latch.wait_for()
    for side in cell.spared:
        server.ended(cell.id, side)
    until(lambda: all(f"{side}-1.started.json" in harness.names(cell) for side in cell.hit))


def freeze_at(moment: Moment) -> Callable[[FaultHarness, Server, Cell], None]:
    def freeze(harness: FaultHarness, server: Server, cell: Cell) -> None:
        cell.holds = (moment,)
        harness.order(server, cell)
        cell.reach(moment)
        for side in cell.spared:
            server.ended(cell.id, side)
        if moment is Moment.PARTIAL:
            until(lambda: all(server.sides(cell.id)[side]["progress"] for side in cell.hit))

    return freeze


def freeze_write(ending: str) -> Callable[[FaultHarness, Server, Cell], None]:
    def freeze(harness: FaultHarness, server: Server, cell: Cell) -> None:
        cell.holds = (Moment.RECEIVED,)
        harness.order(server, cell)
        cell.reach(Moment.RECEIVED)
        rules = [hold_write(harness, cell, side, ending) for side in cell.hit]
        cell.open_all()
        for rule in rules:
            rule.latch.wait_for()
        for side in cell.spared:
            server.ended(cell.id, side)

    return freeze


def freeze_recorded(harness: FaultHarness, server: Server, cell: Cell) -> None:
    harness.order(server, cell)
    server.ended(cell.id)


FREEZE: dict[State, Callable[[FaultHarness, Server, Cell], None]] = {
    State.UNRECORDED: freeze_unrecorded,
    State.UNCLAIMED: freeze_unclaimed,
    State.CLAIMED: freeze_claimed,
    State.CALLED: freeze_at(Moment.RECEIVED),
    State.STREAMING: freeze_at(Moment.PARTIAL),
    State.COMPLETE: freeze_write(r"\.png"),
    State.STORED: freeze_write(r"\.json"),
    State.RECORDED: freeze_recorded,
}
# These hold whatever comes next, one after the other, and so shortly before the kill that no request times out.
MOMENTARY = (State.UNCLAIMED, State.UNRECORDED)
LATE = (State.CLAIMED,)  # its read of a reference ends by itself, too, if only after half a minute
STEADY = tuple(state for state in State if state not in (*LATE, *MOMENTARY))
# One record holds everything; A is claimed before B, and the second takes after both; they fetch the same at once.
IMPOSSIBLE = {
    *((State.UNRECORDED, place) for place in PLACES if place != "both"),
    *((State.UNCLAIMED, place) for place in ("A", *ONE_TAKE)),
    *((State.CLAIMED, place) for place in TAKES),
}


class TestTheWhole:
    """What holds for all cells together, once they have all been played."""

    def test_every_attempt_is_in_the_ledger_once_and_every_charge_with_it(self, harness: FaultHarness) -> None:
        tally, claimed = harness.accounts()
        usd, unnamed = harness.bill()
        ended = tally.done + tally.refused + tally.failed + tally.cancelled + tally.interrupted
        assert ended == claimed
        assert tally.usd == pytest.approx(usd)
        assert tally.unpriced >= unnamed

    def test_the_document_says_what_was_found(self, harness: FaultHarness) -> None:
        losses = harness.losses()
        assert set(losses.values()) == {0}, losses
        counts = {"cells": len(harness.rows), "comparisons ordered": len(harness.ordered), **losses}
        order = {name: at for at, name in enumerate(dict.fromkeys((*NAMES, *State)))}
        rows = sorted(harness.rows, key=lambda row: (row.section, order.get(row.name, len(order)), row.name))
        text = document(rows, counts)
        if WRITE:
            DOCUMENT.write_text(text, encoding="utf-8")
        assert DOCUMENT.read_text(encoding="utf-8") == text, "write it anew: STUDIO_WRITE_FAULTS=1 pytest tests/faults"


NAMES = [case.name for case in (*DELIVERS, *FAILS, *HANGS)]
